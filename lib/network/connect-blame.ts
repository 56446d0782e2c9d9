// Errors of the plan that connects namespaces, as errors of connect(): with the caller's field in the place of the plan's.
import { atPath } from '../plan/execute-error.js'
import { NetloomError } from '../socket/error.js'
import type { ConnectOptions } from './connect-options.js'
import { fieldOf } from './port-options.js'

/** `asked`: who was to be connected, in the plan's order, which has a link of each, and their settings one after the other. */
export function blameCaller(
  error: unknown,
  asked: readonly { readonly path: string; readonly options: Pick<ConnectOptions, 'mtu' | 'sysctls'> }[],
): unknown {
  if (!(error instanceof NetloomError)) return error
  const [, group, number, field] = /^(links|sysctl)\[(\d+)\](?:\.(\w+))?/.exec(error.path ?? '') ?? []
  const link = asked[Number(number)]
  const settings = asked.flatMap(({ path, options }) => Object.keys(options.sysctls ?? {}).map(key => fieldOf(path, `sysctls.${key}`)))
  const ofLink = field === 'mtu' && link?.options.mtu !== undefined ? fieldOf(link.path, field) : undefined
  const found = group === 'sysctl' ? settings[Number(number)] : ofLink
  return found === undefined ? error : atPath(error, found)
}
