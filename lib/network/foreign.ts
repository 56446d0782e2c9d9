// What other programs' firewalls do to the packets of a network: chains of iptables that drop them, and the rules that let them through.
import type { IptablesPacket } from '../kernel/iptables/packet.js'
import type { IptablesPlace } from '../kernel/iptables/verdict.js'
import type { Namespace } from '../kernel/namespace.js'
import { NetloomError } from '../socket/error.js'
import type { NetworkRecord } from './records.js'

/** Something that keeps a network from working and is not its own. */
export interface NetworkWarning {
  readonly code: 'forward-dropped'
  readonly network: string
  readonly family: 4 | 6
  /** Packets that leave the network, those that answer them or go to a published port, or those between its endpoints. */
  readonly direction: 'out' | 'in' | 'within'
  /** The rule or the policy that drops them. */
  readonly by: IptablesPlace
  readonly text: string
  /** What lets them through: network.cure() does it. */
  readonly cure: string
}

/** Addresses of nobody (RFC 5737, RFC 3849), in the place of the world. */
const elsewhere = { 4: '192.0.2.1', 6: '2001:db8::1' } as const
const switches = { 4: 'bridge-nf-call-iptables', 6: 'bridge-nf-call-ip6tables' } as const

/** Looks at the tables of iptables as they are now. What they leave undecided is no warning. */
export async function foreignWarnings(host: Namespace, { device, pools, spec }: NetworkRecord): Promise<NetworkWarning[]> {
  if (!device) return []
  const found: NetworkWarning[] = []
  const uplink = spec.internal ? undefined : await uplinkOf(host, device.name)
  for (const { gateway } of pools) {
    const family = gateway.includes(':') ? 6 : 4
    for (const [direction, packet] of await packetsOf(host, { bridge: device.name, gateway, family, uplink, internal: spec.internal })) {
      const { verdict, by } = await host.iptables.verdict(packet)
      if (verdict !== 'drop' || !by || found.some(one => one.family === family && one.direction === direction)) continue
      const tool = `${family === 6 ? 'ip6tables' : 'iptables'}-${by.backend}`
      const text = `${meaning[direction]} of ${spec.name} are dropped by ${by.text} of ${by.chain} in the table ${by.table} of ${tool}`
      const cure = `ACCEPT rules for ${device.name} in front of FORWARD, which network.cure() inserts`
      found.push({ code: 'forward-dropped', network: spec.name, family, direction, by, text, cure })
    }
  }
  return found
}
const meaning = { out: 'packets out', in: 'packets into endpoints', within: 'packets between endpoints' } as const

interface Asked {
  readonly bridge: string
  readonly gateway: string
  readonly family: 4 | 6
  readonly uplink: string | undefined
  readonly internal: boolean
}
type Direction = NetworkWarning['direction']

async function packetsOf(host: Namespace, { bridge, gateway, family, uplink, internal }: Asked): Promise<[Direction, IptablesPacket][]> {
  const [from, to] = [gateway, elsewhere[family]]
  const packets: [Direction, IptablesPacket][] = []
  if (!internal) {
    packets.push(['out', { iif: bridge, ...(uplink !== undefined && { oif: uplink }), from, to }])
    packets.push(['in', { ...(uplink !== undefined && { iif: uplink }), oif: bridge, from: to, to: from }])
  }
  // Not there at all unless the kernel has loaded br_netfilter.
  const called = await host.sysctl.get(`net/bridge/${switches[family]}`).catch(unlessMissing)
  if (called === '1') packets.push(['within', { iif: bridge, oif: bridge, physicalIn: 'veth0', physicalOut: 'veth1', from, to: from }])
  return packets
}

/** Where packets to the world leave: by the default route, else by the first link that is nobody's port. */
async function uplinkOf(host: Namespace, bridge: string): Promise<string | undefined> {
  const [links, routes] = [await host.links.list(), await host.routes.list({ table: 'main' })]
  const way = routes.find(({ to }) => to === 'default')?.link
  const other = links.find(
    ({ name, type, master, kind }) => name !== bridge && type === 'ether' && master === undefined && kind !== 'bridge',
  )
  return (links.find(({ index }) => index === way) ?? other)?.name
}

/** Rules in front of FORWARD that let the network's packets through, each with a comment that says whose it is. */
export async function cureForeign(host: Namespace, network: NetworkRecord): Promise<NetworkWarning[]> {
  const warnings = await foreignWarnings(host, network)
  for (const family of new Set(warnings.map(one => one.family)))
    for (const rule of rulesOf(network, family)) if (!(await host.iptables.check(rule))) await host.iptables.insertAccept(rule)
  return warnings.length ? foreignWarnings(host, network) : []
}

/** Takes the rules of cureForeign() away; those of others, the same but for the comment, stay. What may not be read was never changed. */
export async function uncureForeign({ iptables }: Namespace, network: NetworkRecord): Promise<void> {
  if (!network.device) return
  const unreadable = await iptables.unreadable()
  for (const backend of (['nft', 'legacy'] as const).filter(one => !unreadable.includes(one)))
    for (const family of [4, 6] as const)
      for (const rule of rulesOf(network, family)) {
        try {
          await iptables.removeAccept(rule, { backend })
        } catch (error) {
          // No such chain: there was never anything to let through.
          if (!(error instanceof NetloomError) || error.code !== 'ENOENT') throw error
        }
      }
}

const rulesOf = ({ device, id }: NetworkRecord, family: 4 | 6) =>
  (['in', 'out'] as const).map(side => ({ [side]: device?.name, family, comment: `netloom ${id.slice(0, 12)}` }))

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof NetloomError) || error.code !== 'ENOENT') throw error
}
