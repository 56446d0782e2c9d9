// What the options of a verb must look like: one table per verb, so that a misspelt or mistyped option is refused before anything is sent.
import { argumentError, isArgumentError, rangeError, relabel, shown } from '../codec/errors.js'
import { ipFamily, parseCidr, parseMac } from '../codec/ip.js'
import { lookup } from './scope.js'

/** Throws an argument error without a path; whoever walks the object knows the path. */
export type Check = (value: unknown) => void
export type Checks<T> = { readonly [K in keyof Required<T>]: Check }

/** Refuses options that do not exist and values of the wrong form; `undefined` is "not given". `path` is where the object stands in the caller's. */
export function checkOptions<T extends object>(options: T, checks: Checks<T>, path = ''): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'must be an object', path || undefined)
  for (const [name, value] of Object.entries(options)) {
    const at = path ? `${path}.${name}` : name
    if (!Object.hasOwn(checks, name))
      throw argumentError('ERR_NETLOOM_UNKNOWN_OPTION', `there is no such option; there are ${Object.keys(checks).join(', ')}`, at)
    if (value !== undefined) checkAt(at, () => checks[name as keyof T](value))
  }
}

/** Runs a check and puts the path of what it looks at in front of the path that its error has. */
export function checkAt<T>(path: string, check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (!isArgumentError(error)) throw error
    throw relabel(error, error.path === undefined ? path : error.path.startsWith('[') ? path + error.path : `${path}.${error.path}`)
  }
}

/** Says that two options, or an option and the family, do not go together. */
export const conflict = (path: string, detail: string) => argumentError('ERR_NETLOOM_INVALID_OPTION', detail, path)
export const lacking = (path: string, detail: string) => argumentError('ERR_NETLOOM_MISSING_OPTION', detail, path)

export const isBoolean: Check = value => {
  if (typeof value !== 'boolean') throw argumentError('ERR_NETLOOM_INVALID_BOOLEAN', `${shown(value)} is not true or false`)
}

export const isInteger =
  (low: number, high: number): Check =>
  value => {
    if (!Number.isInteger(value)) throw argumentError('ERR_NETLOOM_INVALID_NUMBER', `${shown(value)} is not an integer`)
    if ((value as number) < low || (value as number) > high)
      throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${value} is out of range (${low} to ${high})`)
  }
export const isUnsigned = isInteger(0, 0xffff_ffff)
export const isByte = isInteger(0, 0xff)

export const isNumber =
  (low: number, high: number): Check =>
  value => {
    if (typeof value !== 'number' || Number.isNaN(value))
      throw argumentError('ERR_NETLOOM_INVALID_NUMBER', `${shown(value)} is not a number`)
    if (value < low || value > high) throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${value} is out of range (${low} to ${high})`)
  }

/** Text of so many bytes; the kernel cuts longer text off, or refuses it without saying why. */
export const isText =
  (longest: number): Check =>
  value => {
    if (typeof value !== 'string' || value === '' || value.includes('\0') || Buffer.byteLength(value) > longest)
      throw argumentError('ERR_NETLOOM_INVALID_STRING', `${shown(value)} is not a text of 1 to ${longest} bytes`)
  }

export const isOneOf =
  (names: readonly string[]): Check =>
  value => {
    if (typeof value !== 'string' || !names.includes(value))
      throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `${shown(value)} is none of ${names.join(', ')}`)
  }

export const isAddress: Check = value => {
  if (typeof value !== 'string' || !ipFamily(value))
    throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${shown(value)} is not an IPv4 or IPv6 address`)
}
/** An address, with or without the length of a prefix. */
export const isPrefix: Check = value => void parseCidr(value as string)
/** Of an Ethernet device, or of any length for other links. */
export const isMac =
  (length?: number): Check =>
  value =>
    void parseMac(value as string, length)
export const isLink: Check = value => void lookup(value as string)
export const isFamily: Check = value => {
  if (value !== 4 && value !== 6) throw argumentError('ERR_NETLOOM_INVALID_OPTION', `${shown(value)} is not an address family: 4 or 6`)
}
export const isSignal: Check = value => {
  if (!(value instanceof AbortSignal)) throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'is not an AbortSignal')
}
export const isFunction: Check = value => {
  if (typeof value !== 'function') throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'is not a function')
}
export const isList =
  (check: Check): Check =>
  value => {
    if (!Array.isArray(value)) throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'must be an array')
    for (const [i, element] of value.entries()) checkAt(`[${i}]`, () => check(element))
  }
export const isObject =
  <T extends object>(checks: Checks<T>): Check =>
  value =>
    checkOptions(value as T, checks)
export const either =
  (first: Check, second: Check, isFirst: (value: unknown) => boolean): Check =>
  value =>
    isFirst(value) ? first(value) : second(value)
/** Fields of an object that was read from the kernel and is given back: taken, and of no effect. */
export const isRead: Check = () => undefined

/** An object of the fields that are there. */
export function present<T extends object>(
  fields: T,
): { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
} {
  const out: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) out[name] = value
  return out as ReturnType<typeof present<T>>
}
