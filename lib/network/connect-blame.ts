// Errors of the plan that connects namespaces, as errors of connect(): with the caller's field in the place of the plan's.
import { atPath } from '../plan/execute-error.js'
import { NetloomError } from '../socket/error.js'
import type { ConnectOptions } from './connect-options.js'

/** The options of a link that the caller may have given, by what the plan calls them. */
const fields: Readonly<Record<string, 'interface' | 'mac' | 'mtu'>> = { name: 'interface', mac: 'mac', mtu: 'mtu' }

/** `asked`: who was to be connected, in the plan's order; the plan has a link of each, and its settings. */
export function blameCaller(
  error: unknown,
  asked: readonly { readonly path: string; readonly options: Pick<ConnectOptions, 'interface' | 'mac' | 'mtu' | 'sysctls'> }[],
): unknown {
  if (!(error instanceof NetloomError)) return error
  const [, group, number, field = ''] = /^(links|sysctl)\[(\d+)\](?:\.(?:peer\.)?(\w+))?/.exec(error.path ?? '') ?? []
  const settings = asked.flatMap(({ path, options }) => Object.keys(options.sysctls ?? {}).map(key => ({ path, field: `sysctls.${key}` })))
  const link = asked[Number(number)]
  const option = fields[field]
  const found =
    group === 'sysctl'
      ? settings[Number(number)]
      : link && option !== undefined && link.options[option] !== undefined
        ? { path: link.path, field: option }
        : undefined
  return found ? atPath(error, found.path === '' ? found.field : `${found.path}.${found.field}`) : error
}
