// What apply(), delete() and the calls for many at once take: looked at before anything is done.
import { argumentError, shown } from '../codec/errors.js'
import { type Checks, checkOptions, isBoolean, isFunction, isInteger, isOneOf, isSignal } from '../kernel/arguments.js'
import type { ApplyOptions, DeleteOptions } from './result.js'

const applying: Checks<ApplyOptions> = {
  onProgress: isFunction,
  signal: isSignal,
  onError: isOneOf(['rollback', 'continue']),
  threads: isInteger(1, 2),
}
const deleting: Checks<DeleteOptions> = { onProgress: isFunction, signal: isSignal, drain: isBoolean }

export const checkApplying = (options: ApplyOptions): void => checkOptions(options, applying)
export const checkDeleting = (options: DeleteOptions): void => checkOptions(options, deleting)

/** A text has elements too: its letters. */
export function checkEach(values: readonly unknown[], path: string, check: (value: unknown, path: string) => void): void {
  if (!Array.isArray(values)) throw argumentError('ERR_NETLOOM_INVALID_OPTION', `${shown(values)} is not an array`, path)
  for (const [i, value] of values.entries()) check(value, `${path}[${i}]`)
}
