// Disconnecting: the record of the intention, the interfaces, the rest of what was written down, and the default route of those that stay connected.
import { Namespace } from '../kernel/namespace.js'
import type { NamespaceSource } from '../namespace/source.js'
import { NetloomError } from '../socket/error.js'
import type { Core } from './core.js'
import { type Connected, gatewayOf } from './gateways.js'
import { keyOf, openRecorded } from './namespaces.js'
import type { EndpointRecord, NetworkRecord } from './records.js'

/** The endpoints that namespaces have in a network. Throws ENOENT for one that is not on it. The lock must be held. */
export async function endpointsIn(
  core: Core,
  network: NetworkRecord,
  sources: readonly NamespaceSource[],
  paths: readonly string[],
): Promise<EndpointRecord[]> {
  const found: EndpointRecord[] = []
  for (const [i, source] of sources.entries()) {
    const namespace = await Namespace.open(source)
    try {
      const record = (await core.state.endpointsOf(keyOf(namespace))).find(one => one.network === network.id)
      if (!record) {
        const fields = {
          operation: 'disconnect',
          subject: network.spec.name,
          path: paths[i],
          reason: 'the namespace is not on the network',
        }
        throw new NetloomError('ENOENT', fields)
      }
      found.push(record)
    } finally {
      await namespace.close()
    }
  }
  return found
}

/** Removes endpoints of one network, with their records as they are now. The lock must be held. */
export async function disconnectAll(core: Core, network: NetworkRecord, present: readonly EndpointRecord[]): Promise<void> {
  await core.state.retireEndpoints(present)
  for (const { namespace } of await core.drop(network, present)) {
    const rest = await core.state.endpointsOf(namespace.key)
    if (rest.length) await reroute(core, namespace, rest)
  }
}

/** The default route went with the interface that it led over: another network's takes its place, unless there is one of somebody else. */
async function reroute(core: Core, key: EndpointRecord['namespace'], rest: readonly EndpointRecord[]): Promise<void> {
  const namespace = await openRecorded(key)
  if (!namespace) return
  try {
    const connected: Connected[] = []
    for (const record of rest) connected.push({ record, name: (await core.state.network(record.network))?.spec.name ?? record.network })
    const routes = await namespace.routes.list()
    for (const family of [4, 6] as const) {
      const next = gatewayOf(connected, family)
      if (!next || next.record.interface === undefined || routes.some(route => route.to === 'default' && route.family === family)) continue
      await namespace.routes.add({ to: 'default', via: next.gateway, link: next.record.interface, family })
    }
  } finally {
    await namespace.close()
  }
}
