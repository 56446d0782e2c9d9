// The data types of nftables: name, number, size, byte order and the form of values (linux/netfilter/nf_tables.h leaves them to programs).
import { argumentError, shown } from '../../codec/errors.js'
import { littleEndian } from '../../codec/writer.js'
import type { Formatted, InterfaceNames, ValueCodec } from './datatype-codecs.js'
import * as codecs from './datatype-codecs.js'
import * as names from './datatype-names.js'

/** 'big' as in packets, 'host' as in the kernel's memory. */
export type ByteOrder = 'big' | 'host'
export interface DataType {
  readonly name: string
  /** As programs write it into NFTA_SET_KEY_TYPE; the kernel keeps it without looking at it. */
  readonly number: number
  /** 0: the field that is loaded says. */
  readonly bits: number
  readonly order: ByteOrder
  readonly value: ValueCodec
  /** A word of bits, which `in` and lists of names are for. */
  readonly bitmask?: boolean
  /** Text, padded with zeros. */
  readonly text?: boolean
  /** Names of values, for those who render them. */
  readonly names?: Readonly<Record<string, number>>
}

const { named, bitmask } = codecs
type Symbols = Readonly<Record<string, number>>
const type = (number: number, bits: number, order: ByteOrder, value: ValueCodec, more: Partial<DataType> = {}) => ({
  number,
  bits,
  order,
  value,
  ...more,
})
const symbolic = (number: number, bits: number, order: ByteOrder, what: string, symbols: Symbols) =>
  type(number, bits, order, named(symbols, what), { names: symbols })
const mask = (number: number, bits: number, order: ByteOrder, what: string, symbols: Symbols) =>
  type(number, bits, order, bitmask(symbols, what), { names: symbols, bitmask: true })

const table = {
  verdict: type(1, 0, 'host', codecs.plain),
  nf_proto: symbolic(2, 8, 'host', 'a protocol of netfilter', names.nfprotoNames),
  bitmask: type(3, 0, 'big', codecs.plain, { bitmask: true }),
  integer: type(4, 0, 'big', codecs.plain),
  string: type(5, 0, 'host', codecs.text, { text: true }),
  ll_addr: type(6, 0, 'big', codecs.macValue),
  ipv4_addr: type(7, 32, 'big', codecs.ipv4Value),
  ipv6_addr: type(8, 128, 'big', codecs.ipv6Value),
  ether_addr: type(9, 48, 'big', codecs.macValue),
  ether_type: symbolic(10, 16, 'big', 'an Ethernet protocol', names.etherTypeNames),
  arp_op: symbolic(11, 16, 'big', 'an ARP operation', names.arpOperationNames),
  inet_proto: symbolic(12, 8, 'big', 'a protocol', names.protocolNames),
  inet_service: type(13, 16, 'big', codecs.namedOnlyIn(names.serviceNames, 'a port'), { names: names.serviceNames }),
  icmp_type: symbolic(14, 8, 'big', 'an ICMP type', names.icmpTypeNames),
  tcp_flag: mask(15, 8, 'big', 'a TCP flag', names.tcpFlagNames),
  dccp_pkttype: symbolic(16, 4, 'big', 'a DCCP packet type', names.dccpTypeNames),
  mh_type: symbolic(17, 8, 'big', 'a mobility header type', names.mobilityTypeNames),
  time: type(18, 64, 'host', codecs.milliseconds),
  mark: type(19, 32, 'host', codecs.plain),
  iface_index: type(20, 32, 'host', codecs.interfaceIndex),
  iface_type: symbolic(21, 16, 'host', 'a kind of interface', names.hardwareNames),
  realm: type(22, 32, 'host', codecs.numericText),
  classid: type(23, 32, 'host', codecs.trafficClass),
  uid: type(24, 32, 'host', codecs.plain),
  gid: type(25, 32, 'host', codecs.plain),
  ct_state: mask(26, 32, 'host', 'a state of connections', names.ctStateNames),
  ct_dir: symbolic(27, 8, 'host', 'a direction', names.ctDirectionNames),
  ct_status: mask(28, 32, 'host', 'a status of connections', names.ctStatusNames),
  icmpv6_type: symbolic(29, 8, 'big', 'an ICMPv6 type', names.icmpv6TypeNames),
  ct_label: type(30, 128, 'host', codecs.bitNumbers, { bitmask: true }),
  pkt_type: symbolic(31, 8, 'host', 'a packet type', names.packetTypeNames),
  icmp_code: symbolic(32, 8, 'big', 'an ICMP code', names.icmpCodeNames),
  icmpv6_code: symbolic(33, 8, 'big', 'an ICMPv6 code', names.icmpv6CodeNames),
  icmpx_code: symbolic(34, 8, 'big', 'an ICMPX code', names.icmpxCodeNames),
  devgroup: symbolic(35, 32, 'host', 'a group of interfaces', { default: 0 }),
  dscp: symbolic(36, 6, 'big', 'a DSCP class', names.dscpNames),
  ecn: symbolic(37, 2, 'big', 'an ECN mark', names.ecnNames),
  fib_addrtype: symbolic(38, 32, 'host', 'a type of addresses', names.fibTypeNames),
  boolean: type(39, 8, 'host', codecs.truth, { names: names.booleanNames }),
  ct_event: mask(40, 32, 'host', 'an event of connections', names.ctEventNames),
  ifname: type(41, 128, 'host', codecs.text, { text: true }),
  igmp_type: symbolic(42, 8, 'big', 'an IGMP type', names.igmpTypeNames),
  time_date: type(43, 64, 'host', codecs.date),
  time_hour: type(44, 32, 'host', codecs.timeOfDay),
  time_day: symbolic(45, 8, 'host', 'a day of the week', names.dayNames),
  cgroupsv2: type(46, 64, 'host', codecs.plain),
} as const

export type DataTypeName = keyof typeof table
/** The names that newer and older nft have beside ours. */
const aliases: Readonly<Record<string, DataTypeName>> = {
  day: 'time_day',
  hour: 'time_hour',
  lladdr: 'll_addr',
  icmpx: 'icmpx_code',
  tc_handle: 'classid',
}

/** Every data type by its name. */
export const dataTypes = Object.fromEntries(Object.entries(table).map(([name, entry]) => [name, { name, ...entry }])) as {
  readonly [N in DataTypeName]: DataType
}
const byNumber = new Map(Object.values(dataTypes).map(one => [one.number, one]))

/** A data type by name: 'ipv4_addr'. Throws a TypeError for a name that is none. */
export function dataType(name: string): DataType {
  if (typeof name !== 'string') throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `${shown(name)} is not the name of a data type`)
  const known = Object.hasOwn(dataTypes, name) ? (name as DataTypeName) : Object.hasOwn(aliases, name) ? aliases[name] : undefined
  if (!known)
    throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `${shown(name)} is no data type; there are ${Object.keys(dataTypes).join(', ')}`)
  return dataTypes[known]
}

/** The types of a key: 'ipv4_addr', 'ipv4_addr . inet_service' or ['ipv4_addr', 'inet_service']. */
export function typesOfName(key: string | readonly string[]): DataType[] {
  const names: unknown = typeof key === 'string' ? key.split(/\s*\.\s*/) : key
  if (!Array.isArray(names) || names.length === 0)
    throw argumentError('ERR_NETLOOM_INVALID_VALUE', `${shown(key)} is not the name of a type, nor a list of names`)
  return names.map(dataType)
}

/** Bits by which the types of a concatenation are packed into one number. */
const typeBits = 6
/** NFTA_SET_KEY_TYPE of a key: its type, or the types of its parts, the first in the highest bits. */
export const typeNumber = (types: readonly DataType[]): number =>
  types.reduce((number, { number: part }) => number * 2 ** typeBits + part, 0)

/** The types of NFTA_SET_KEY_TYPE; undefined where a number is none of ours. */
export function typesOfNumber(number: number): DataType[] | undefined {
  const types: DataType[] = []
  for (let rest = number; rest > 0; rest = Math.floor(rest / 2 ** typeBits)) {
    const part = byNumber.get(rest % 2 ** typeBits)
    if (!part) return undefined
    types.unshift(part)
  }
  return types.length ? types : undefined
}

/** A place for a value: a type, and what its field says about size and order where the type leaves that open. */
export interface Slot {
  readonly type: DataType
  readonly bits: number
  readonly order: ByteOrder
  /** Bits to the right of the value, where a field does not end with its byte. */
  readonly shift?: number
  /** Bytes that are loaded, where that is more than the value needs. */
  readonly bytes?: number
}
export const slotOf = (type: DataType, bits = type.bits, order = type.order): Slot => ({ type, bits, order })
export const byteLength = (slot: Slot): number => slot.bytes ?? Math.ceil((slot.bits + (slot.shift ?? 0)) / 8)

/** Bytes of an integer in the slot's order. */
export function toBytes(value: bigint, length: number, order: ByteOrder): Uint8Array {
  const bytes = codecs.bytesOf(value, length)
  return order === 'host' && littleEndian ? bytes.reverse() : bytes
}
export const fromBytes = (bytes: Uint8Array, order: ByteOrder): bigint =>
  codecs.numberOf(order === 'host' && littleEndian ? bytes.slice().reverse() : bytes)

/** A value as bytes. Throws TypeError or RangeError, without a path, for what the type cannot be. */
export function encodeValue(slot: Slot, value: unknown, interfaces?: InterfaceNames): Uint8Array {
  const wire = slot.type.value.parse(value, slot.bits, interfaces)
  return toBytes(wire, byteLength(slot), slot.type.text ? 'big' : slot.order)
}

/** Puts a plain value where the slot's bytes lie, in its order; false if it takes `encodeValue` to say what it is, or that it is wrong. */
export function putValue(slot: Slot, value: unknown, into: Uint8Array, at: number): boolean {
  const length = byteLength(slot)
  if (!slot.type.value.put || slot.bits !== 8 * length || !slot.type.value.put(value, length, into, at)) return false
  if (slot.order === 'host' && littleEndian && !slot.type.text) into.subarray(at, at + length).reverse()
  return true
}

/** Bytes as a value. */
export function decodeValue(slot: Slot, bytes: Uint8Array, interfaces?: InterfaceNames): Formatted {
  return slot.type.value.format(fromBytes(bytes, slot.type.text ? 'big' : slot.order), bytes.length * 8, interfaces)
}
