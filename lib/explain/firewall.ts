// What the firewall of a namespace does with a packet at one hook, in both halves of the kernel, and how to let it through.
import { readLegacy } from '../kernel/iptables/legacy-read.js'
import { readNft } from '../kernel/iptables/nft-read.js'
import type { IptablesPacket, PacketHook } from '../kernel/iptables/packet.js'
import { type IptablesPlace, verdictOf } from '../kernel/iptables/verdict.js'
import type { Link } from '../kernel/link-object.js'
import { scoped } from '../kernel/scope.js'
import { call, cure } from './cures.js'
import type { Cure } from './result.js'
import type { Packet, Walk } from './walk.js'
import type { Place } from './world.js'

/** Where a packet is when it meets the firewall. */
export interface Meeting {
  readonly hook: PacketHook
  readonly iif?: Link | undefined
  readonly oif?: Link | undefined
  /** The ports of a bridge that it comes in by and leaves by; with both of them it is only bridged. */
  readonly physicalIn?: string | undefined
  readonly physicalOut?: string | undefined
}

/** Judges the packet at a hook, and gives it as it is afterwards. `keepOut`: cures that spare it the hook. */
export async function judge(walk: Walk, place: Place, meeting: Meeting, packet: Packet, keepOut: readonly Cure[] = []): Promise<Packet> {
  const at = { place, link: meeting.oif ?? meeting.iif }
  const scope = place.namespace[scoped]
  const { family } = packet
  const legacy = await place.once(`legacy ${family}`, () => readLegacy(scope, family))
  const tables = [...(legacy ?? []), ...(await place.once(`iptables-nft ${family}`, () => readNft(scope, family)))]
  const step = keepOut.length > 0 ? 'bridge-firewall' : 'firewall'
  if (!legacy) walk.step(step, at, `whether ${place.label} has tables of legacy iptables may not be known`, 'unknown')
  const described = describe(meeting, packet)
  for (const table of tables) {
    if (!table.chains.some(({ name, policy }) => policy !== undefined && name === meeting.hook.toUpperCase())) continue
    const { by, unknown } = verdictOf([table], described, [])
    if (by) drop(walk, place, meeting, by, keepOut)
    for (const { text, chain } of unknown)
      walk.step(step, at, `nobody can say whether the rule ${text} of ${chain} in ${table.name} fits`, 'unknown')
    if (!by && unknown.length === 0) walk.step(step, at, `${table.name} ${meeting.hook.toUpperCase()} (${table.backend}) lets it through`)
  }
  return packet
}

function describe({ hook, iif, oif, physicalIn, physicalOut }: Meeting, packet: Packet): IptablesPacket {
  const { from, to, protocol, sourcePort, destinationPort, icmpType, icmpCode, state } = packet
  return {
    ...{ hook, from: from!, to, protocol, state },
    ...(iif && { iif: iif.name }),
    ...(oif && { oif: oif.name }),
    ...(physicalIn !== undefined && { physicalIn }),
    ...(physicalOut !== undefined && { physicalOut }),
    ...(sourcePort !== undefined && { sourcePort }),
    ...(destinationPort !== undefined && { destinationPort }),
    ...(icmpType !== undefined && { icmpType, icmpCode: icmpCode ?? 0 }),
  }
}

function drop(walk: Walk, place: Place, meeting: Meeting, by: IptablesPlace, keepOut: readonly Cure[]): void {
  const { hook, iif, oif, physicalIn, physicalOut } = meeting
  const { backend, family, table, chain, number, text } = by
  const only = physicalIn !== undefined && physicalOut !== undefined
  const which = number === undefined ? `the ${text} of ${chain}` : `the rule ${number} of ${chain} (${text})`
  const where = `${backend === 'nft' ? 'iptables-nft' : 'iptables-legacy'}, table ${table} of ${place.label}`
  const why = only ? `; the packet is only bridged, by ${iif!.name}, which calls the firewall` : ''
  const accept = {
    ...(hook === 'forward' ? {} : { chain: hook.toUpperCase() }),
    ...(table === 'filter' ? {} : { table: table as 'mangle' }),
    ...(family === 6 ? { family } : {}),
    ...(iif ? { in: iif.name } : {}),
    ...(oif && !only ? { out: oif.name } : {}),
  }
  const words = [iif && `from ${iif.name}`, oif && !only && `to ${oif.name}`].filter(Boolean).join(' ')
  walk.drop(only ? 'bridge-firewall' : 'firewall', { place, link: oif ?? iif }, `${which} drops it (${where})${why}`, {
    kind: only ? 'bridge-netfilter' : 'firewall',
    cures: [...keepOut, cure(`let packets through ${words || 'here'}`, call(place, 'iptables', 'insertAccept', accept, { backend }))],
    by: { backend, family: family === 4 ? 'ip' : 'ip6', table, chain, ...(number !== undefined && { rule: number }), text },
    about: JSON.stringify([backend, table, chain, number]),
  })
}
