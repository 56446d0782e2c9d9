// Errors of the plan that connects namespaces, as errors of connect(): with the caller's field in the place of the plan's.
import { atPath } from '../plan/execute-error.js'
import { NetloomError } from '../socket/error.js'
import type { ConnectOptions } from './connect-options.js'
import { fieldOf } from './port-options.js'

/** `asked`: who was to be connected, in the plan's order, which has their settings one after the other. */
export function blameCaller(
  error: unknown,
  asked: readonly { readonly path: string; readonly options: Pick<ConnectOptions, 'sysctls'> }[],
): unknown {
  if (!(error instanceof NetloomError)) return error
  const [, number] = /^sysctl\[(\d+)\]/.exec(error.path ?? '') ?? []
  const settings = asked.flatMap(({ path, options }) => Object.keys(options.sysctls ?? {}).map(key => fieldOf(path, `sysctls.${key}`)))
  const found = settings[Number(number)]
  return found === undefined ? error : atPath(error, found)
}
