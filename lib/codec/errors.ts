// Wrong arguments, found before anything is sent: TypeError or RangeError with a code and the path of the offending field.

/** What every argument error carries besides its message. */
export interface ArgumentErrorFields {
  /** 'ERR_NETLOOM_INVALID_ADDRESS' and the like. */
  readonly code: string
  /** The field of the caller's object: 'options.id'. */
  path?: string
  /** The message less the path. */
  readonly detail: string
}
export type ArgumentError = (TypeError | RangeError) & ArgumentErrorFields

/** A TypeError for a value of the wrong form. */
export const argumentError = (code: string, detail: string, path?: string): ArgumentError => dress(new TypeError(), code, detail, path)
/** A RangeError for a value of the right form outside what the field can hold. */
export const rangeError = (code: string, detail: string, path?: string): ArgumentError => dress(new RangeError(), code, detail, path)

/** A value as an error message names it. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}
/** Throws for a field that nothing would come of: it is misspelt, or meant for something else. */
export function expectOnly(given: object, allowed: readonly string[], what: 'option' | 'field' = 'option'): void {
  for (const name of Object.keys(given))
    if (!allowed.includes(name))
      throw argumentError(
        'ERR_NETLOOM_UNKNOWN_OPTION',
        `there is no such ${what}; there ${allowed.length === 1 ? 'is' : 'are'} ${allowed.join(', ')}`,
        name,
      )
}
export function expectObject(value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw argumentError('ERR_NETLOOM_INVALID_OBJECT', `${shown(value)} is not an object`)
}
export function expectArray(value: unknown): void {
  if (!Array.isArray(value)) throw argumentError('ERR_NETLOOM_INVALID_ARRAY', `${shown(value)} is not an array`)
}

function dress(error: Error, code: string, detail: string, path: string | undefined): ArgumentError {
  const dressed = Object.assign(error, { code, detail }) as ArgumentError
  return relabel(dressed, path)
}

/** Is this one of ours, so that its path can still be completed? */
export const isArgumentError = (error: unknown): error is ArgumentError =>
  error instanceof Error && 'detail' in error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('ERR_NETLOOM_')

/** Gives the error another path, in its message too. */
export function relabel(error: ArgumentError, path: string | undefined): ArgumentError {
  if (path !== undefined) error.path = path
  error.message = error.path ? `${error.path}: ${error.detail}` : error.detail
  return error
}

/** Puts the name of a container in front of the path, on the way out of nested writers. */
export function inside(error: unknown, name: string): unknown {
  if (!isArgumentError(error)) return error
  const { path } = error
  return relabel(error, path === undefined ? name : path.startsWith('[') ? name + path : `${name}.${path}`)
}

/** Writes the elements of an array, each with its index in the path of an error. */
export function forEach<T>(values: readonly T[], write: (value: T) => void): void {
  expectArray(values)
  for (let i = 0; i < values.length; i++) {
    try {
      write(values[i]!)
    } catch (error) {
      throw inside(error, `[${i}]`)
    }
  }
}

/** Bytes from the kernel that are not what they claim to be. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError'
  readonly code = 'ERR_NETLOOM_MALFORMED'
}
