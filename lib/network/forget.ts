// Making the kernel forget connections by the host's port. Each deletion by a filter goes through the whole table of connections, and so does a list:
// many ports are looked for in one list.
import type { ConntrackEntry } from '../kernel/conntrack-object.js'
import type { Namespace } from '../kernel/namespace.js'
import { NetloomError } from '../socket/error.js'
import type { EndpointRecord, PortRecord } from './records.js'

interface Wanted {
  readonly key: string
  readonly filter: Parameters<Namespace['conntrack']['deleteMatching']>[0]
}

/** Connections that published ports have led to the endpoint. */
export async function forgetPublished(host: Namespace, { addresses }: EndpointRecord, ports: readonly PortRecord[]): Promise<void> {
  const wanted = ports.flatMap(({ protocol, hostIp, hostPort, containerPort }): Wanted[] => {
    const address = addresses.find(({ family }) => family === (hostIp.includes(':') ? 6 : 4))?.address
    if (address === undefined) return []
    const to = { replySource: address, replySourcePort: containerPort }
    return [{ key: `${protocol} ${hostPort} ${address} ${containerPort}`, filter: { protocol, originalDestinationPort: hostPort, ...to } }]
  })
  const keyOf = ({ protocol, original, reply }: ConntrackEntry) =>
    `${protocol} ${original.destinationPort} ${reply.source} ${reply.sourcePort}`
  await forget(host, wanted, { status: { dstNat: true } }, keyOf)
}

/** Datagrams to the host itself, which would go on to it after their port is published. */
export async function forgetDatagrams(host: Namespace, hostPorts: ReadonlySet<number>): Promise<void> {
  const common = { protocol: 'udp', status: { srcNat: false, dstNat: false } }
  const wanted = [...hostPorts].map(port => ({ key: `${port}`, filter: { ...common, originalDestinationPort: port } }))
  await forget(host, wanted, common, ({ original }) => `${original.destinationPort}`)
}

async function forget(
  host: Namespace,
  wanted: readonly Wanted[],
  common: Wanted['filter'],
  keyOf: (entry: ConntrackEntry) => string,
): Promise<void> {
  const [first, ...more] = wanted
  if (!first || (await host.conntrack.statistics()).entries === 0) return
  if (more.length === 0) return host.conntrack.deleteMatching(first.filter)
  const keys = new Set(wanted.map(({ key }) => key))
  for (const entry of await host.conntrack.list(common)) if (keys.has(keyOf(entry))) await host.conntrack.delete(entry).catch(unlessGone)
}

function unlessGone(error: unknown): void {
  if (!(error instanceof NetloomError) || error.code !== 'ENOENT') throw error
}
