// The bytes of a described packet's headers, as far as they follow from the description.
import { parseIp, parseMac } from '../../codec/ip.js'
import { tcpFlagNames } from './datatype-names.js'
import { type Bits, bitsOf, knownBits, replaced, unknownBits } from './verdict-bits.js'
import type { NftablesPacket } from './verdict-packet.js'

const bytes = (...values: number[]) => knownBits(Uint8Array.from(values))
const number16 = (value: number) => bytes(value >> 8, value)
/** So many bytes of a header, and what is known of it by the byte that it begins at; undefined is not known. */
const header = (length: number, parts: readonly (readonly [offset: number, Bits | undefined])[]): Bits =>
  parts.reduce((all, [offset, bits]) => (bits ? replaced(all, offset, bits) : all), unknownBits(length))

const address = (text: string, length: number) => bitsOf(text === 'unknown' ? undefined : parseIp(text), length)
const mac = (text: string | undefined) => bitsOf(text === undefined ? undefined : parseMac(text, 6), 6)

const etherTypes = { ip: 0x0800, arp: 0x0806, vlan: 0x8100, ip6: 0x86dd } as const
export const etherTypeOf = ({ arp }: NftablesPacket, family: 4 | 6): number =>
  arp ? etherTypes.arp : family === 4 ? etherTypes.ip : etherTypes.ip6

/** Ethernet, with the tag that the packet has. */
export function linkHeader(packet: NftablesPacket, family: 4 | 6): Bits {
  const { vlan, sourceMac, destinationMac } = packet
  const type = number16(etherTypeOf(packet, family))
  const addresses = [
    [0, mac(destinationMac)],
    [6, mac(sourceMac)],
  ] as const
  if (vlan === undefined) return header(14, [...addresses, [12, type]])
  const tag: Bits = { value: Uint8Array.of(vlan >> 8, vlan), known: Uint8Array.of(0x0f, 0xff) }
  return header(18, [...addresses, [12, number16(etherTypes.vlan)], [14, tag], [16, type]])
}

export function networkHeader(packet: NftablesPacket, family: 4 | 6, protocol: number | undefined): Bits {
  const { from, to, ttl, dscp, length, arp, sourceMac } = packet
  if (arp)
    return header(28, [
      [0, bytes(0, 1, 8, 0, 6, 4, 0, arp === 'request' ? 1 : 2)],
      [8, mac(sourceMac)],
      [14, address(from, 4)],
      [24, address(to, 4)],
    ])
  const one = (value: number | undefined) => (value === undefined ? undefined : bytes(value))
  if (family === 4)
    return header(20, [
      [0, bytes(0x45)],
      [1, dscp === undefined ? undefined : { value: Uint8Array.of(dscp << 2), known: Uint8Array.of(0xfc) }],
      [2, length === undefined ? undefined : number16(length)],
      // Not one of several pieces, and whether it may become that is not known.
      [6, { value: Uint8Array.of(0, 0), known: Uint8Array.of(0xbf, 0xff) }],
      [8, one(ttl)],
      [9, one(protocol)],
      [12, address(from, 4)],
      [16, address(to, 4)],
    ])
  const high = dscp === undefined ? undefined : dscp >> 2
  return header(40, [
    [0, { value: Uint8Array.of(0x60 | (high ?? 0)), known: Uint8Array.of(high === undefined ? 0xf0 : 0xff) }],
    [1, dscp === undefined ? undefined : { value: Uint8Array.of((dscp & 3) << 6), known: Uint8Array.of(0xc0) }],
    [4, length === undefined ? undefined : number16(Math.max(0, length - 40))],
    [6, one(protocol)],
    [7, one(ttl)],
    [8, address(from, 16)],
    [24, address(to, 16)],
  ])
}

const tcp = 6
const udp = 17
const icmp = [1, 58]
export function transportHeader(packet: NftablesPacket, protocol: number | undefined, family: 4 | 6): Bits {
  const { sourcePort, destinationPort, icmpType, icmpCode, tcpFlags, length } = packet
  const rest = length === undefined ? undefined : length - (family === 4 ? 20 : 40)
  const port = (value: number | undefined) => (value === undefined ? undefined : number16(value))
  if (protocol === undefined) return unknownBits(0)
  if (icmp.includes(protocol))
    return header(8, [
      [0, icmpType === undefined ? undefined : bytes(icmpType)],
      [1, icmpCode === undefined ? undefined : bytes(icmpCode)],
    ])
  return header(protocol === tcp ? 20 : 8, [
    [0, port(sourcePort)],
    [2, port(destinationPort)],
    [4, protocol === udp && rest !== undefined && rest >= 8 ? number16(rest) : undefined],
    [13, tcpFlags && protocol === tcp ? bytes(tcpFlags.reduce((sum, name) => sum | tcpFlagNames[name], 0)) : undefined],
  ])
}
