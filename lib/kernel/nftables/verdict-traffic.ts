// A packet on its way through the rules: its headers as bytes, and its marks and connection, of which some bits may not be known.
import { formatIp, parseIp } from '../../codec/ip.js'
import { present } from '../arguments.js'
import { protocolName, protocolNumber } from '../ip-protocols.js'
import type { packetStates } from '../iptables/packet.js'
import type { Answer } from '../verdict-answer.js'
import { ctDirectionNames, ctStateNames, ctStatusNames, packetTypeNames } from './datatype-names.js'
import type { CtStatus, Hook } from './fields.js'
import { type Bits, bitsOf, either, isKnown, knownBits, knownValue, part, replaced, unknownBits } from './verdict-bits.js'
import { linkHeader, networkHeader, transportHeader } from './verdict-headers.js'
import { checkPacket, type NftablesConnection, type NftablesPacket } from './verdict-packet.js'

/** What rules can change, or find out; numbers are words of four bytes in the host's order. */
export interface Fields {
  readonly link: Bits
  readonly network: Bits
  readonly transport: Bits
  readonly mark: Bits
  readonly priority: Bits
  readonly type: Bits
  readonly traced: Bits
  readonly state: Bits
  readonly status: Bits
  readonly connectionMark: Bits
  readonly direction: Bits
  readonly originalSource: Bits
  readonly originalTarget: Bits
  readonly originalPorts: Bits
}
export interface Traffic extends Fields {
  /** Sets that rules have put something into on the way ('more'), or taken out of ('less'). */
  readonly touched: Readonly<Record<string, 'more' | 'less'>>
  /** Whether this hook has translated it: undefined if that can't be told. */
  readonly translated: Answer
}
/** What stays as it is while the packet is at this hook. */
export interface About {
  readonly packet: NftablesPacket
  readonly hook: Hook
  readonly bridge: boolean
  readonly family: 4 | 6
  /** The number in the IP header; undefined if it is not known, or for ARP. */
  readonly protocol: number | undefined
  /** Names of links; null where there is none at this hook. */
  readonly iif: string | null | undefined
  readonly oif: string | null | undefined
  /** Bridges that these are ports of. */
  readonly iifBridge: string | undefined
  readonly oifBridge: string | undefined
}

export const word = (number: number): Bits => knownBits(new Uint8Array(Uint32Array.of(number).buffer))
export const numberOf = (bits: Bits): number | undefined => (isKnown(bits) ? new Uint32Array(bits.value.slice().buffer)[0] : undefined)
/** Bits of a word: those of `mask` are known to be `value`. */
export const wordPart = (value: number, mask: number): Bits => ({ value: word(value & mask).value, known: word(mask).value })
const wordOr = (value: number | 'unknown' | undefined): Bits => (typeof value === 'number' ? word(value) : unknownBits(4))

export const statusBits = { ...ctStatusNames, snatDone: 0x80, dnatDone: 0x100 } as const
const translations = statusBits.snat | statusBits.dnat
const open = translations | statusBits.snatDone | statusBits.dnatDone
const addressBytes = (text: string | undefined, family: 4 | 6): Bits =>
  bitsOf(text === undefined || text === 'unknown' ? undefined : parseIp(text), family === 4 ? 4 : 16)

function aboutOf(packet: NftablesPacket): About {
  const { family, hook, bridge } = checkPacket(packet)
  const { iif, oif, physicalIn, physicalOut } = packet
  // In family bridge the links are the ports, and what iptables calls the links are their bridges.
  const [into, out] = bridge ? [physicalIn ?? iif, physicalOut ?? oif] : [iif, oif]
  const outward = hook === 'output' || hook === 'egress' || (bridge && hook === 'postrouting')
  return {
    packet,
    hook,
    bridge,
    family,
    protocol: packet.protocol === undefined || packet.arp ? undefined : protocolNumber(packet.protocol),
    iif: outward ? null : into,
    oif: hook === 'prerouting' || hook === 'input' || hook === 'ingress' ? null : out,
    iifBridge: bridge && physicalIn !== undefined ? iif : undefined,
    oifBridge: bridge && physicalOut !== undefined ? oif : undefined,
  }
}

export function enter(packet: NftablesPacket): { readonly about: About; readonly traffic: Traffic } {
  const about = aboutOf(packet)
  const { family, hook } = about
  const { connection = {}, state = 'new', mark = 0 } = packet
  const isNew = state === 'new'
  const untouched = isNew && (hook === 'prerouting' || hook === 'output' || hook === 'ingress')
  const transport = transportHeader(packet, about.protocol, family)
  const own = untouched && !connection.original
  const { original = {} } = connection
  const port = (value: number | undefined) => bitsOf(value === undefined ? undefined : Uint8Array.of(value >> 8, value), 2)
  const ports = replaced(replaced(unknownBits(4), 0, port(original.sourcePort)), 2, port(original.destinationPort))
  return {
    about,
    traffic: {
      link: linkHeader(packet, family),
      network: networkHeader(packet, family, about.protocol),
      transport,
      mark: wordOr(mark),
      priority: unknownBits(4),
      type: packet.type ? word(packetTypeNames[packet.type]) : unknownBits(4),
      traced: word(0),
      state: state === 'unknown' ? unknownBits(4) : word(ctStateNames[state]),
      status: statusOf(connection, state, untouched),
      connectionMark: wordOr(connection.mark ?? (isNew ? 0 : 'unknown')),
      direction: connection.direction || isNew ? word(ctDirectionNames[connection.direction ?? 'original']) : unknownBits(4),
      originalSource: addressBytes(own ? packet.from : original.from, family),
      originalTarget: addressBytes(own ? packet.to : original.to, family),
      originalPorts: own ? part(transport, 0, 4) : ports,
      touched: {},
      translated: false,
    },
  }
}

function statusOf({ status }: NftablesConnection, state: (typeof packetStates)[number] | 'unknown', untouched: boolean): Bits {
  if (status) {
    const value = status.reduce((sum, name) => sum | statusBits[name], 0)
    return wordPart(value, ~(statusBits.snatDone | statusBits.dnatDone))
  }
  if (state === 'new') return untouched ? word(0) : wordPart(0, ~open)
  if (state === 'established')
    return wordPart(statusBits['seen-reply'] | statusBits.confirmed, statusBits['seen-reply'] | statusBits.confirmed)
  return unknownBits(4)
}

/** What is known whichever of them it is. */
export function merged(all: readonly Traffic[]): Traffic | undefined {
  const [first, ...others] = all
  if (!first || others.length === 0) return first
  const fields = Object.keys(first).filter(name => name !== 'touched' && name !== 'translated') as (keyof Fields)[]
  const together = Object.fromEntries(fields.map(name => [name, either(all.map(one => one[name]))]))
  return {
    ...(together as unknown as Fields),
    touched: Object.assign({}, ...all.map(one => one.touched)) as Traffic['touched'],
    translated: others.every(one => one.translated === first.translated) ? first.translated : undefined,
  }
}

/** Where addresses and ports are in the headers of IPv4 and IPv6. */
export const addressPlaces = { 4: { source: 12, target: 16, length: 4 }, 6: { source: 8, target: 24, length: 16 } } as const
export function addressIn({ network }: Traffic, family: 4 | 6, side: 'source' | 'target'): Bits {
  const places = addressPlaces[family]
  return part(network, places[side], places.length)
}

/** The packet as it is now, in the caller's terms. */
export function leave({ packet, family, protocol }: About, traffic: Traffic): NftablesPacket {
  if (packet.arp) return { ...packet, ...present({ mark: numberOf(traffic.mark) ?? ('unknown' as const) }) }
  const address = (side: 'source' | 'target') => {
    const bytes = knownValue(addressIn(traffic, family, side))
    return bytes ? formatIp(bytes) : 'unknown'
  }
  const port = (offset: number) => {
    const bytes = knownValue(part(traffic.transport, offset, 2))
    return bytes && hasPorts(protocol) ? (bytes[0]! << 8) | bytes[1]! : undefined
  }
  const { sourcePort: _, destinationPort: __, connection: ___, ttl: ____, dscp: _____, ...rest } = packet
  const state = numberOf(traffic.state)
  const name = Object.entries(ctStateNames).find(([, bit]) => bit === state)?.[0] as (typeof packetStates)[number] | undefined
  return {
    ...rest,
    ...present({ sourcePort: port(0), destinationPort: port(2), ttl: knownValue(part(traffic.network, family === 4 ? 8 : 7, 1))?.[0] }),
    ...present({ dscp: dscpIn(traffic, family) }),
    ...(protocol === undefined ? {} : { protocol: protocolName(protocol) }),
    from: address('source'),
    to: address('target'),
    state: name ?? 'unknown',
    mark: numberOf(traffic.mark) ?? 'unknown',
    connection: connectionOf(traffic),
  }
}
/** The upper six bits of the byte behind the version, or behind its first half. */
function dscpIn({ network }: Traffic, family: 4 | 6): number | undefined {
  const { value, known } = part(network, 0, 2)
  const [word, mask] = [(value[0]! << 8) | value[1]!, (known[0]! << 8) | known[1]!]
  const shift = family === 4 ? 2 : 6
  return ((mask >> shift) & 0x3f) === 0x3f ? (word >> shift) & 0x3f : undefined
}
export const hasPorts = (protocol: number | undefined): boolean => protocol !== undefined && [6, 17, 33, 132, 136].includes(protocol)

function connectionOf(traffic: Traffic): NftablesConnection {
  const [value, known] = [traffic.status.value, traffic.status.known].map(bytes => new Uint32Array(bytes.slice().buffer)[0]!) as [
    number,
    number,
  ]
  const status = Object.entries(ctStatusNames).flatMap(([name, bit]) => (value & bit ? [name as CtStatus] : []))
  const direction = numberOf(traffic.direction)
  const text = (bits: Bits) => {
    const bytes = knownValue(bits)
    return bytes && formatIp(bytes)
  }
  const port = (offset: number) => {
    const bytes = knownValue(part(traffic.originalPorts, offset, 2))
    return bytes && (bytes[0]! << 8) | bytes[1]!
  }
  const original = present({
    from: text(traffic.originalSource),
    to: text(traffic.originalTarget),
    sourcePort: port(0),
    destinationPort: port(2),
  })
  return present({
    status: (known & translations) === translations ? status : undefined,
    mark: numberOf(traffic.connectionMark) ?? ('unknown' as const),
    direction: direction === undefined ? undefined : direction === 0 ? ('original' as const) : ('reply' as const),
    original: Object.keys(original).length > 0 ? original : undefined,
  })
}
