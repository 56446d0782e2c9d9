// Publishing: the host's ports into the firewall's maps and out again, together with what the kernel remembers of connections to them.
import { conflict } from '../kernel/arguments.js'
import type { Namespace } from '../kernel/namespace.js'
import { NetloomError } from '../socket/error.js'
import type { Core } from './core.js'
import { admit, dismiss } from './firewall.js'
import { portElements } from './firewall-elements.js'
import { forgetDatagrams, forgetPublished } from './forget.js'
import { PortAllocator } from './port-allocate.js'
import { type Publish, portWish } from './port-options.js'
import type { EndpointRecord, NetworkRecord, PortRecord } from './records.js'

/** Makes ports lead to the endpoints, all of them or none. */
export async function publishPorts(host: Namespace, { device }: NetworkRecord, records: readonly EndpointRecord[]): Promise<void> {
  const ports = records.flatMap(one => one.ports ?? [])
  if (ports.length === 0) return
  // What goes to 127.0.0.1 may leave by a bridge only if that is said.
  if (device && ports.some(({ hostIp }) => hostIp.startsWith('127.')))
    await host.sysctl.set(`net/ipv4/conf/${device.name}/route_localnet`, 1)
  await admit(host, records.flatMap(portElements))
  // Of a datagram connection that began before, packets would go on to the host itself.
  await forgetDatagrams(host, new Set(ports.filter(({ protocol }) => protocol === 'udp').map(one => one.hostPort)))
}

/** Ends it, and makes the kernel forget connections that came that way. What is not there is no error. */
export async function withdrawPorts(host: Namespace, records: readonly EndpointRecord[]): Promise<void> {
  const published = records.filter(({ ports = [] }) => ports.length > 0)
  if (published.length === 0) return
  await dismiss(host, published.flatMap(portElements))
  for (const one of published) await forgetPublished(host, one, one.ports ?? [])
}

/** Publishes more ports of an endpoint. The lock must be held. */
export async function publishMore(
  core: Core,
  { network, id }: EndpointRecord,
  given: Publish,
): Promise<{ record: EndpointRecord; ports: PortRecord[] }> {
  const { before, of } = await present(core, network, id, 'publish port')
  const ports = await new PortAllocator(core.state, core.host, of).allocate([portWish(given, '')], before.addresses)
  const names = ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`)
  const exposed = [...new Set([...(before.exposed ?? []), ...names])]
  const record = { ...before, ports: [...(before.ports ?? []), ...ports], exposed }
  // The record first: what it says and the kernel lacks is made good, the other way round nobody would know.
  await core.state.updateEndpoint(before, record)
  try {
    await publishPorts(core.host, of, [{ ...record, ports }])
  } catch (error) {
    await withdrawPorts(core.host, [{ ...record, ports }])
    await core.state.updateEndpoint(record, before)
    throw error
  }
  return { record, ports }
}

/** Ends the publishing of what fits. The lock must be held. */
export async function publishLess(core: Core, { network, id }: EndpointRecord, given: Publish): Promise<EndpointRecord> {
  const { before } = await present(core, network, id, 'unpublish port')
  const { container, host, protocol, hostIp } = portWish(given, '')
  const fits = (port: PortRecord) =>
    port.protocol === protocol &&
    port.containerPort >= container.first &&
    port.containerPort <= container.last &&
    (host === undefined || (port.hostPort >= host.first && port.hostPort <= host.last)) &&
    (hostIp === undefined || port.hostIp === hostIp)
  const all = before.ports ?? []
  const gone = all.filter(fits)
  if (gone.length === 0) throw conflict('containerPort', 'the endpoint publishes no such port')
  const record = { ...before, ports: all.filter(one => !fits(one)) }
  await withdrawPorts(core.host, [{ ...before, ports: gone }])
  await core.state.updateEndpoint(before, record)
  return record
}

async function present(
  { state }: Core,
  network: string,
  id: string,
  operation: string,
): Promise<{ before: EndpointRecord; of: NetworkRecord }> {
  const [of, before] = [await state.network(network), await state.endpoint(network, id)]
  if (of && before) return { before, of }
  throw new NetloomError('ENOENT', { operation, subject: id.slice(0, 12), reason: 'the endpoint has been disconnected' })
}
