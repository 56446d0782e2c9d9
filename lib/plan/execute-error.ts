// Errors of single items as errors of a plan: the same words, with the item's path in front of the field's.
import { isArgumentError, relabel } from '../codec/errors.js'
import { NetloomError } from '../socket/error.js'

/** The error with `path` in front of the path that it has. */
export function under(error: unknown, path: string, leftovers?: readonly string[]): unknown {
  if (error instanceof NetloomError) {
    const full = error.path === undefined || error.path.startsWith(path) ? (error.path ?? path) : join(path, error.path)
    return copy(error, full, leftovers)
  }
  if (isArgumentError(error)) return relabel(error, error.path === undefined ? path : join(path, error.path))
  return error
}

/** The error, with another path. */
export const atPath = (error: NetloomError, path: string): NetloomError => copy(error, path, undefined)

/** The error, saying what the undo left behind. */
export function leaving(error: unknown, leftovers: readonly string[], causes: readonly unknown[]): unknown {
  if (leftovers.length === 0) return error
  if (error instanceof NetloomError) return copy(error, error.path, leftovers, new AggregateError([error.cause ?? error, ...causes]))
  return error instanceof Error ? Object.assign(error, { leftovers }) : error
}

function copy(error: NetloomError, path: string | undefined, leftovers: readonly string[] | undefined, cause = error.cause): NetloomError {
  const { operation, subject, namespace, attribute, reason, hint } = error
  const fields = { operation, subject, namespace, path, attribute, reason, hint, leftovers: leftovers ?? error.leftovers, cause }
  return new NetloomError(error.errno ?? error.code, fields)
}

const join = (path: string, field: string) => (field.startsWith('[') ? path + field : `${path}.${field}`)
