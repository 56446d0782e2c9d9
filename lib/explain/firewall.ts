// What the firewall of a namespace does with a packet at one hook, in both halves of the kernel, and how to let it through.
import { readLegacy } from '../kernel/iptables/legacy-read.js'
import type { IptablesPacket } from '../kernel/iptables/packet.js'
import { verdictOf } from '../kernel/iptables/verdict.js'
import type { Link } from '../kernel/link-object.js'
import type { Hook } from '../kernel/nftables/fields.js'
import type { NftablesConnection, NftablesPacket } from '../kernel/nftables/verdict-packet.js'
import { scoped } from '../kernel/scope.js'
import { acceptInIptables, acceptInNft, asIptables } from './firewall-cures.js'
import { judgeNft } from './firewall-nft.js'
import { translatedByLegacy } from './legacy-nat.js'
import type { Cure, FirewallPlace, StepKind } from './result.js'
import type { Translation } from './translation.js'
import type { Noted, Packet, Walk } from './walk.js'
import type { End, Place } from './world.js'

/** Where a packet is when it meets the firewall. */
export interface Meeting {
  readonly hook: Hook
  /** For what a bridge only passes on, the bridge. */
  readonly iif?: Link | undefined
  readonly oif?: Link | undefined
  /** Where a packet that leaves came in: rules of nftables can ask for that, those of iptables cannot. */
  readonly entry?: Link | undefined
  /** The ports of a bridge that it comes in by and leaves by. */
  readonly port?: Link | undefined
  readonly out?: Link | undefined
  /** It is only bridged: IP's hooks see it because the bridge calls them. */
  readonly bridged?: boolean | undefined
  /** The hooks of family bridge, not those of IP. */
  readonly layer?: 'bridge' | undefined
  /** The link layer's question for an address, or its answer. */
  readonly arp?: 'request' | 'reply' | undefined
  /** Who sends the frame and who gets it. */
  readonly ends?: readonly [End, End] | undefined
  /** What would spare it the hook. */
  readonly spared?: readonly Cure[] | undefined
}

/** What the packet meets at one hook: one step that passes, or all that does not let it pass. Gives the packet as it is behind the hook. */
export async function judge(walk: Walk, place: Place, meeting: Meeting, sent: Packet): Promise<Packet> {
  const { hook, layer, arp, oif, iif } = meeting
  let packet = sent
  const met: string[] = []
  const before = walk.steps.length
  if (!layer && !arp && hook !== 'ingress' && hook !== 'egress') packet = await legacy(walk, place, meeting, packet, met)
  const { drops, unknown, bases, packet: behind } = await judgeNft(place, asked(walk, place, meeting, packet))
  for (const { by, base } of drops) {
    const { family, table, chain, handle, text } = by
    const known = asIptables(base, hook)
    drop(walk, place, meeting, { backend: 'nft', family, table, chain, ...(handle !== undefined && { rule: handle }), text }, [
      known ? acceptInIptables(place, meeting, known) : acceptInNft(place, meeting, base, packet),
    ])
  }
  for (const one of unknown) unsure(walk, place, meeting, `${one.family} ${one.table} ${one.chain}`, one.text)
  met.push(...bases.map(({ family, table, chain }) => `${family} ${table} ${chain}`))
  if (met.length > 0 && walk.steps.length === before)
    walk.step(stepOf(meeting), { place, link: oif ?? iif }, `the firewall lets it through at ${hook}: ${[...new Set(met)].join(', ')}`)
  const { from, to, sourcePort, destinationPort, mark, state } = behind
  if (!arp) walk.noted.set(place, { mark, untracked: state === 'untracked' })
  return changed(walk, place, meeting, packet, {
    ...{ from, to },
    ...(sourcePort !== undefined && { sourcePort }),
    ...(destinationPort !== undefined && { destinationPort }),
  })
}

const stepOf = ({ bridged, layer }: Meeting): StepKind => (bridged || layer ? 'bridge-firewall' : 'firewall')

/** The tables of old; adds those that have a chain at the hook to `met`. */
async function legacy(walk: Walk, place: Place, meeting: Meeting, packet: Packet, met: string[]): Promise<Packet> {
  const { family } = packet
  const tables = await place.once(`legacy ${family}`, () => readLegacy(place.namespace[scoped], family))
  if (!tables) unsure(walk, place, meeting, 'legacy iptables', 'whether there are such tables may not be known')
  let now = packet
  for (const table of tables ?? []) {
    if (!table.chains.some(({ name, policy }) => policy !== undefined && name === meeting.hook.toUpperCase())) continue
    met.push(`legacy ${table.name}`)
    const asking = described(meeting, now, walk.noted.get(place))
    const { by, unknown } = verdictOf([table], asking, [])
    for (const one of unknown) unsure(walk, place, meeting, `legacy ${one.table} ${one.chain}`, one.text)
    if (by) {
      const { chain, number, text } = by
      const which = { family: family === 4 ? 'ip' : 'ip6', table: by.table, chain, ...(number !== undefined && { rule: number }), text }
      drop(walk, place, meeting, { backend: 'legacy', ...which }, [acceptInIptables(place, meeting, by)])
    }
    const change = table.name === 'nat' ? await translatedByLegacy(place, table, asking, now, meeting.oif) : undefined
    if (change) now = changed(walk, place, meeting, now, change === 'unknown' ? { from: 'unknown' } : change)
  }
  return now
}

function described({ hook, iif, oif, port, out, bridged }: Meeting, packet: Packet, noted?: Noted): IptablesPacket {
  const { from, to, protocol, sourcePort, destinationPort, icmpType, icmpCode } = packet
  const state = noted?.untracked ? 'untracked' : packet.state
  return {
    ...{ hook: hook as 'forward', from: from!, to, protocol, state },
    ...(iif && { iif: iif.name }),
    ...(oif && { oif: oif.name }),
    ...(bridged && port && { physicalIn: port.name }),
    ...(bridged && out && { physicalOut: out.name }),
    ...(sourcePort !== undefined && { sourcePort }),
    ...(destinationPort !== undefined && { destinationPort }),
    ...(icmpType !== undefined && { icmpType, icmpCode: icmpCode ?? 0 }),
    ...(typeof noted?.mark === 'number' && { mark: noted.mark }),
  }
}

function asked(walk: Walk, place: Place, meeting: Meeting, packet: Packet): NftablesPacket {
  const { layer, arp, ends, port, out, bridged, entry } = meeting
  const noted = walk.noted.get(place)
  const { hook: _, ...same } = described({ ...meeting, bridged: bridged || layer === 'bridge' }, packet, noted)
  const { protocol, sourcePort, destinationPort, icmpType, icmpCode, state, ...plain } = same
  const [sender, receiver] = ends ?? []
  const origin = walk.origins.get(place)
  return {
    ...(arp ? { ...plain, arp } : same),
    hook: meeting.hook,
    ...(entry && { iif: entry.name }),
    ...(noted?.mark === 'unknown' && !arp && { mark: 'unknown' as const }),
    ...(layer && { layer }),
    ...(layer && port && { physicalIn: port.name }),
    ...(layer && out && { physicalOut: out.name }),
    ...(sender?.link.mac && { sourceMac: sender.link.mac }),
    ...(receiver?.link.mac && arp !== 'request' && { destinationMac: receiver.link.mac }),
    ...(arp ? {} : { length: packet.size, type: 'host' as const }),
    ...(packet.protocol === 6 && !arp && { tcpFlags: packet.state === 'new' ? ['syn' as const] : ['syn' as const, 'ack' as const] }),
    ...(!arp && origin && { connection: connectionOf(packet, origin, walk.translations.get(place)) }),
  }
}

/** What conntrack knows by now of the packet's connection. */
function connectionOf(
  packet: Packet,
  { from, to, sourcePort, destinationPort }: Packet,
  translation: Translation | undefined,
): NftablesConnection {
  const known = translation?.after ?? packet
  const translations = [...(known.from !== from ? (['snat'] as const) : []), ...(known.to !== to ? (['dnat'] as const) : [])]
  const original = {
    ...(from !== undefined && { from }),
    to,
    ...(sourcePort !== undefined && { sourcePort }),
    ...(destinationPort !== undefined && { destinationPort }),
  }
  return packet.state === 'new'
    ? { direction: 'original', original, status: translations }
    : { direction: 'reply', original, status: ['seen-reply', 'confirmed', ...translations] }
}

/** What rules have made of the packet's addresses and ports. */
function changed(walk: Walk, place: Place, meeting: Meeting, packet: Packet, change: Partial<Pick<Packet, Translated>>): Packet {
  const now = { ...packet, ...change }
  if (translations.every(field => now[field] === packet[field]) || meeting.arp || meeting.layer) return packet
  const at = { place, link: meeting.oif ?? meeting.iif }
  if (now.from === 'unknown' || now.to === 'unknown') {
    walk.step('translation', at, `${place.label} translates its addresses, nobody can say into which`, 'unknown')
    return packet
  }
  const port = now.destinationPort === undefined ? '' : ` port ${now.destinationPort}`
  walk.step('translation', at, `${place.label} translates it: from ${now.from} to ${now.to}${port}`)
  return now
}
const translations = ['from', 'to', 'sourcePort', 'destinationPort'] as const
type Translated = (typeof translations)[number]

function unsure(walk: Walk, place: Place, meeting: Meeting, chain: string, text: string): void {
  walk.step(
    stepOf(meeting),
    { place, link: meeting.oif ?? meeting.iif },
    `nobody can say whether this fits, in ${chain}: ${text}`,
    'unknown',
  )
}

function drop(walk: Walk, place: Place, meeting: Meeting, by: FirewallPlace, accepting: readonly Cure[]): void {
  const { iif, oif, bridged, arp, spared = [] } = meeting
  const { backend, family, table, chain, rule, text } = by
  const which = rule === undefined ? `the ${text}` : `the rule ‘${text}’`
  const where = backend === 'legacy' ? `iptables-legacy, table ${table}` : `nftables, table ${family} ${table}`
  const why = bridged ? `; the packet is only bridged, by ${iif!.name}, which calls the firewall` : ''
  walk.drop(
    stepOf(meeting),
    { place, link: oif ?? iif },
    `${which} of ${chain} drops ${arp ? 'ARP' : 'it'} (${where}, in ${place.label})${why}`,
    {
      kind: bridged ? 'bridge-netfilter' : 'firewall',
      cures: [...spared, ...accepting],
      by,
      about: JSON.stringify([backend, family, table, chain, rule]),
    },
  )
}
