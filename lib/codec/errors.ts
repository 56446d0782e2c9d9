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

/** Bytes from the kernel that are not what they claim to be. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError'
  readonly code = 'ERR_NETLOOM_MALFORMED'
}
