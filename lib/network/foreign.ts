// What other programs' firewalls do to the packets of a network: chains of iptables and nftables that drop them, and the rules that let them through.
import type { NftDrop } from '../explain/firewall-nft.js'
import type { IptablesPacket } from '../kernel/iptables/packet.js'
import type { IptablesPlace } from '../kernel/iptables/verdict.js'
import type { Namespace } from '../kernel/namespace.js'
import type { NftablesPlace } from '../kernel/nftables/verdict-walk.js'
import { NetloomError } from '../socket/error.js'
import { acceptIn, plainDrops, removeAccepted } from './foreign-nft.js'
import type { NetworkRecord } from './records.js'

/** Something that keeps a network from working and is not its own. */
export interface NetworkWarning {
  readonly code: 'forward-dropped'
  readonly network: string
  readonly family: 4 | 6
  /** Packets that leave the network, those that answer them or go to a published port, or those between its endpoints. */
  readonly direction: 'out' | 'in' | 'within'
  /** The rule or the policy that drops them. */
  readonly by: IptablesPlace | NftablesPlace
  readonly text: string
  /** What lets them through: network.cure() does it. */
  readonly cure: string
}

/** Addresses of nobody (RFC 5737, RFC 3849), in the place of the world. */
const elsewhere = { 4: '192.0.2.1', 6: '2001:db8::1' } as const
const switches = { 4: 'bridge-nf-call-iptables', 6: 'bridge-nf-call-ip6tables' } as const

/** Looks at the tables of iptables and the chains of nftables as they are now. What they leave undecided is no warning. */
export async function foreignWarnings(host: Namespace, network: NetworkRecord): Promise<NetworkWarning[]> {
  const { device, spec } = network
  if (!device) return []
  return (await foreignDrops(host, network)).map(({ family, direction, by }) => ({
    ...{ code: 'forward-dropped', network: spec.name, family, direction, by },
    text: `packets ${meaning[direction]} of ${spec.name} are dropped by ${placeText(by)}`,
    cure: cureText(device.name),
  }))
}
export const meaning = { out: 'out', in: 'into endpoints', within: 'between endpoints' } as const
export const cureText = (bridge: string) => `ACCEPT rules for ${bridge} in front of it, which network.cure() inserts`

/** What drops, in the words of the program that has made it. */
export function placeText(by: NetworkWarning['by']): string {
  const where =
    'backend' in by ? `${by.table} of ${by.family === 6 ? 'ip6tables' : 'iptables'}-${by.backend}` : `${by.family} ${by.table} of nftables`
  return `${by.text} of ${by.chain} in the table ${where}`
}

interface Drop extends Pick<NetworkWarning, 'family' | 'direction' | 'by'> {
  /** Of plain nftables: the chain in front of which a rule would let it through. */
  readonly base?: NftDrop['base']
}
/** Of each direction and family what drops it in iptables, and each chain of plain nftables that does. */
async function foreignDrops(host: Namespace, { device, pools, spec }: NetworkRecord): Promise<Drop[]> {
  if (!device) return []
  const uplink = spec.internal ? undefined : await uplinkOf(host, device.name)
  const asked: { readonly family: 4 | 6; readonly direction: Direction; readonly packet: IptablesPacket }[] = []
  for (const family of [4, 6] as const) {
    const gateway = pools.find(one => one.gateway.includes(':') === (family === 6))?.gateway
    if (gateway === undefined) continue
    const packets = await packetsOf(host, { bridge: device.name, gateway, family, uplink, internal: spec.internal })
    asked.push(...packets.map(([direction, packet]) => ({ family, direction, packet })))
  }
  const plain = await plainDrops(
    host,
    asked.map(({ packet }) => packet),
  )
  const found: Drop[] = []
  for (const [i, { family, direction, packet }] of asked.entries()) {
    const { verdict, by } = await host.iptables.verdict(packet)
    if (verdict === 'drop' && by) found.push({ family, direction, by })
    found.push(...(plain[i] ?? []).map(drop => ({ family, direction, ...drop })))
  }
  return found
}

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

/** Rules in front of what drops that let the network's packets through, each with a comment that says whose it is. */
export async function cureForeign(host: Namespace, network: NetworkRecord): Promise<NetworkWarning[]> {
  const drops = await foreignDrops(host, network)
  if (!network.device || drops.length === 0) return []
  for (const family of new Set(drops.filter(({ base }) => !base).map(one => one.family)))
    for (const rule of rulesOf(network, family)) if (!(await host.iptables.check(rule))) await host.iptables.insertAccept(rule)
  const bases = drops.flatMap(({ base }) => base ?? [])
  await acceptIn(host, bases, network.device.name, commentOf(network))
  return foreignWarnings(host, network)
}

/** Takes the rules of cureForeign() away; those of others, the same but for the comment, stay. What may not be read was never changed. */
export async function uncureForeign(host: Namespace, network: NetworkRecord): Promise<void> {
  if (!network.device) return
  await removeAccepted(host, commentOf(network))
  const { iptables } = host
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

const commentOf = ({ id }: NetworkRecord) => `netloom ${id.slice(0, 12)}`
const rulesOf = (network: NetworkRecord, family: 4 | 6) =>
  (['in', 'out'] as const).map(side => ({ [side]: network.device?.name, family, comment: commentOf(network) }))

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof NetloomError) || error.code !== 'ENOENT') throw error
}
