// A table with every codec in it, and values for it.
import fc from 'fast-check'
import { ip, ipv4, ipv6, mac, mac6 } from '../../lib/codec/address.js'
import type { Encodable } from '../../lib/codec/codec.js'
import { formatIp } from '../../lib/codec/ip.js'
import * as s from '../../lib/codec/scalars.js'
import { array, pad, struct } from '../../lib/codec/struct.js'
import { attributes, by, entries, list, message, repeated } from '../../lib/codec/table.js'
import { tagged, uint } from '../../lib/codec/variable.js'

const flags = { up: 0, broadcast: 1, noarp: 7, lowerUp: 16, top: 31 } as const
const kinds = { none: 0, some: 1, all: 255 } as const
const point = struct({ kind: s.oneOf(s.u8, kinds), _pad: pad(1), port: s.u16be, address: ipv4 })
const wide = struct({ name: mac6, _pad: pad(2), counter: s.count, id: s.u64, point, signed: s.s32, flags: s.bits(s.u32, flags) })
const hop = entries(struct({ length: s.u16, flags: s.u8, hops: s.u8, index: s.s32 }), 'HOP', { gateway: [5, ip], via: [18, s.u32] })
const port = attributes('PORT', { state: [1, s.oneOf(s.u8, kinds)], on: [2, s.bool] })
const peerFields = { name: [3, s.string], mtu: [4, s.u32], address: [1, mac] } as const
const header = struct({ family: s.oneOf(s.u8, { inet: 2, bridge: 7 }), _pad: pad(1), type: s.u16, flags: s.masked(s.u32, flags) })
const tunnel = attributes('TUNNEL', {
  id: [1, s.u32],
  local: [2, ipv6],
  range: [10, struct({ low: s.u16be, high: s.u16be })],
  on: [11, s.flag],
})
const pair = attributes('PAIR', { peer: [1, message(header, 'PEER', peerFields)] })

export const everything = message(header, 'ALL', {
  ...peerFields,
  s8: [10, s.s8],
  s16: [11, s.s16],
  s64: [12, s.s64],
  u32be: [13, s.u32be],
  u64be: [14, s.u64be],
  u16le: [15, s.u16le],
  u32le: [16, s.u32le],
  uint: [17, uint],
  seconds: [18, s.scaled(s.u32, 100)],
  yes: [19, s.boolean(s.u32)],
  on: [20, s.flag],
  blob: [21, s.bytes],
  wide: [22, wide],
  points: [23, array(point)],
  words: [24, array(s.u32)],
  counters: [25, array(s.count)],
  names: [26, list(53, s.string, 'ALL_ALT_NAME')],
  ranges: [27, list(1, struct({ low: s.u16be, high: s.u16be }))],
  numbers: [34, list(1, s.u16be)],
  vlans: [28, repeated(struct({ flags: s.bits(s.u16, { pvid: 1 }), vid: s.u16 }))],
  ports: [29, repeated(port)],
  hops: [30, hop],
  via: [31, tagged(s.u16, { inet: [2, ipv4], inet6: [10, ipv6] })],
  info: [
    32,
    attributes('INFO', {
      kind: [1, s.string],
      data: [2, by('kind', { tunnel, pair, word: s.u32 })],
      slaveKind: [4, s.string],
      slaveData: [5, by('slaveKind', { port, tunnel })],
    }),
  ],
  afSpec: [33, by('family', { bridge: port, inet: s.u16 }, tunnel)],
})

// Half a surrogate pair is no text, and neither is a zero byte.
const text = fc.string({ unit: 'grapheme', maxLength: 20 }).map(words => words.replaceAll('\0', ''))
const byte = fc.nat(0xff)
const u16 = fc.nat(0xffff)
const u32 = fc.nat(0xffff_ffff)
const s32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })
const count = fc.maxSafeNat()
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const data = fc.uint8Array({ maxLength: 40 })
const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(formatIp)
const v6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(formatIp)
const macOf = (min: number, max: number) =>
  fc.array(byte, { minLength: min, maxLength: max }).map(bytes => bytes.map(one => one.toString(16).padStart(2, '0')).join(':'))
const named = fc.oneof(fc.constantFrom('none' as const, 'some' as const, 'all' as const), fc.integer({ min: 2, max: 254 }))
const bitNames = fc.subarray(['up', 'broadcast', 'bit5', 'noarp', 'lowerUp', 'bit30', 'top'] as const)
const bitValues = bitNames.map(names => Object.fromEntries(names.map(name => [name, true])))
const some = <T extends Record<string, fc.Arbitrary<unknown>>>(fields: T) => fc.record(fields, { requiredKeys: [] })
const low = fc.record({ low: u16, high: u16 })

const pointOf = fc.record({ kind: named, port: u16, address: v4 })
const portOf = some({ state: named, on: fc.boolean() })
// The number of an unknown attribute must be one that no table of these has.
const unknown = fc.array(fc.record({ type: fc.integer({ min: 100, max: 0x3fff }), data }), { minLength: 1, maxLength: 3 })
const tunnelOf = some({ id: u32, local: v6, range: low, on: fc.constant(true), unknown })
const headerOf = { family: fc.oneof(fc.constant('inet' as const), fc.constant(99)), type: u16, flags: bitValues }
const pairOf = fc.record({ peer: fc.record({ ...headerOf, name: text, mtu: u32 }) })
const other = fc.record({ kind: text.map(name => `other:${name}!` as const), data })
const kindOf = fc.oneof(
  fc.record({ kind: fc.constant('tunnel' as const), data: tunnelOf }),
  fc.record({ data: pairOf, kind: fc.constant('pair' as const) }),
  fc.record({ kind: fc.constant('word' as const), data: u32 }),
  fc.record({ kind: fc.constant('tunnel' as const) }),
  other,
  fc.constant({}),
)
const slaveOf = fc.oneof(
  fc.record({ slaveKind: fc.constant('port' as const), slaveData: portOf }),
  fc.record({ slaveData: tunnelOf, slaveKind: fc.constant('tunnel' as const) }),
  other.map(({ kind, data: slaveData }) => ({ slaveKind: kind, slaveData })),
  fc.constant({}),
)
const familyOf = fc.oneof(
  fc.record({ family: fc.constant('bridge' as const), afSpec: portOf }),
  fc.record({ family: fc.constant('inet' as const), afSpec: u16 }),
  fc.record({ family: fc.integer({ min: 8, max: 255 }), afSpec: tunnelOf }),
)

const attributesOf = some({
  name: text,
  mtu: u32,
  address: macOf(1, 32),
  s8: fc.integer({ min: -128, max: 127 }),
  s16: fc.integer({ min: -0x8000, max: 0x7fff }),
  s64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  u32be: u32,
  u64be: u64,
  u16le: u16,
  u32le: u32,
  uint: count,
  seconds: u32.map(wire => wire / 100),
  yes: fc.boolean(),
  on: fc.constant(true),
  blob: data,
  wide: fc.record({ name: macOf(6, 6), counter: count, id: u64, point: pointOf, signed: s32, flags: bitNames }),
  points: fc.array(pointOf, { maxLength: 4 }),
  words: fc.array(u32, { maxLength: 10 }),
  counters: fc.array(count, { maxLength: 10 }),
  names: fc.array(text, { maxLength: 4 }),
  ranges: fc.array(low, { maxLength: 4 }),
  numbers: fc.array(u16, { maxLength: 4 }),
  vlans: fc.array(fc.record({ flags: fc.subarray(['bit0', 'pvid', 'bit15'] as const), vid: u16 }), { minLength: 1, maxLength: 4 }),
  ports: fc.array(portOf, { minLength: 1, maxLength: 4 }),
  hops: fc.array(fc.record({ flags: byte, hops: byte, index: s32, gateway: fc.oneof(v4, v6) }), { maxLength: 4 }),
  via: fc.oneof(
    v4.map(inet => ({ inet })),
    v6.map(inet6 => ({ inet6 })),
    data.map(rest => ({ other: rest, tag: 7 })),
  ),
  info: fc.tuple(kindOf, slaveOf).map(([kind, slave]) => ({ ...kind, ...slave })),
  unknown,
})

/** Values that read back as they were written: every member of the header and of structs is given. */
export const everyValue = fc
  .tuple(fc.record(headerOf), attributesOf, fc.option(familyOf, { nil: {} }))
  .map(parts => Object.assign({}, ...parts) as Encodable<typeof everything>)
