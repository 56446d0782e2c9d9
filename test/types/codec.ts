// Compiled, never run: what follows from a table for the types. Each line fails the compiler if inference changes.
import { ipv4 } from '../../lib/codec/address.js'
import type { Decoded, Encodable, UnknownAttribute } from '../../lib/codec/codec.js'
import { bits, bytes, flag, masked, oneOf, string, u8, u16, u16be, u32, u64 } from '../../lib/codec/scalars.js'
import { array, pad, struct } from '../../lib/codec/struct.js'
import { attributes, by, entries, list, message, repeated } from '../../lib/codec/table.js'
import type { link as linkTable } from '../../lib/protocol/link.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>() => undefined as T | undefined
type Has<T, K extends PropertyKey> = K extends keyof T ? true : false

// ---- a table of everything -----------------------------------------------------------------------------------------
const range = struct({ low: u16be, _pad: pad(2), high: u16be })
const hop = entries(struct({ length: u16, hops: u8, _pad: pad(1) }), 'RTA', { gateway: [5, ipv4] })
const vxlan = attributes('IFLA_VXLAN', { id: [1, u32], range: [10, range] })
const veth = attributes('VETH_INFO', { peer: [1, message(struct({ index: u32 }), 'IFLA', { ifname: [3, string] })] })
const port = attributes('IFLA_BRPORT', { state: [1, oneOf(u8, { disabled: 0, forwarding: 3 })] })
const header = struct({ family: oneOf(u8, { bridge: 7 }), _pad: pad(3), flags: masked(u32, { up: 0, noarp: 7 }) })
const table = message(header, 'T', {
  mtu: [4, u32],
  handle: [5, u64],
  on: [6, flag],
  names: [7, list(53, string)],
  ranges: [8, repeated(range)],
  words: [9, array(u32)],
  hops: [10, hop],
  options: [11, bits(u16, { master: 0, self: 1 })],
  blob: [12, bytes],
  info: [
    13,
    attributes('IFLA_INFO', {
      kind: [1, string],
      data: [2, by('kind', { vxlan, veth })],
      slaveKind: [4, string],
      slaveData: [5, by('slaveKind', { bridge: port })],
    }),
  ],
  afSpec: [26, by('family', { bridge: attributes('IFLA_BRIDGE', { mode: [1, u16] }) }, attributes('AF', { inet: [2, bytes] }))],
})
type Read = Decoded<typeof table>
type Write = Encodable<typeof table>
declare const read: Read

// ---- reading -------------------------------------------------------------------------------------------------------
// Members of the header are always there, attributes may be absent, padding is nobody's.
is<Equal<Read['family'], 'bridge' | number>>()
is<Equal<Read['mtu'], number | undefined>>()
is<Equal<Read['handle'], bigint | undefined>>()
is<Equal<Read['on'], boolean | undefined>>()
is<Equal<Read['names'], string[] | undefined>>()
is<Equal<Read['ranges'], { readonly low: number; readonly high: number }[] | undefined>>()
is<Equal<Read['words'], number[] | undefined>>()
is<Equal<Read['blob'], Uint8Array | undefined>>()
is<Equal<Read['options'], ('master' | 'self' | `bit${number}`)[] | undefined>>()
is<Equal<Read['unknown'], readonly UnknownAttribute[] | undefined>>()
is<Equal<Has<Read, '_pad'>, false>>()
is<Equal<Read['flags']['up'], boolean | undefined>>()
is<Equal<Read['flags']['bit19'], boolean | undefined>>()
is<Equal<NonNullable<Read['hops']>[number]['gateway'], string | undefined>>()
is<Equal<NonNullable<Read['hops']>[number]['hops'], number>>()
is<Equal<NonNullable<Read['afSpec']>['mode'], number | undefined>>()
is<Equal<NonNullable<Read['afSpec']>['inet'], Uint8Array | undefined>>()
// @ts-expect-error there is no such attribute
read.mut
// @ts-expect-error there is no such flag
read.flags.upp

// The kind selects the type of its data and rules out the others; two choices narrow independently.
const info = read.info!
if (info.kind === 'vxlan') {
  is<Equal<NonNullable<typeof info.data>['id'], number | undefined>>()
  is<Equal<NonNullable<typeof info.data>['range'], { readonly low: number; readonly high: number } | undefined>>()
  // @ts-expect-error a VXLAN has no peer
  info.data?.peer
  if (info.slaveKind === 'bridge') {
    is<Equal<NonNullable<typeof info.slaveData>['state'], 'disabled' | 'forwarding' | number | undefined>>()
    info.data?.id satisfies number | undefined
  } else if (info.slaveKind !== undefined) is<Equal<typeof info.slaveData, Uint8Array | undefined>>()
}
if (info.kind === 'veth') is<Equal<NonNullable<NonNullable<typeof info.data>['peer']>['ifname'], string | undefined>>()
if (info.slaveKind === 'bridge') info.slaveData?.state satisfies string | number | undefined
is<Equal<typeof info.kind, 'vxlan' | 'veth' | `other:${string}` | undefined>>()
is<Equal<typeof info.slaveKind, 'bridge' | `other:${string}` | undefined>>()
// @ts-expect-error before the kind is known nobody knows the data
info.data?.id

// ---- writing -------------------------------------------------------------------------------------------------------
const good: Write[] = [
  {},
  { mtu: 1400, flags: { up: true, noarp: false }, on: true, handle: 1n, options: ['self', 'bit9'], blob: new Uint8Array(2) },
  { family: 'bridge', names: ['a'], ranges: [{ low: 1 }, {}], words: [1, 2], hops: [{ hops: 1, gateway: '10.0.0.1' }] },
  { info: { kind: 'vxlan', data: { id: 1, range: { high: 2 } }, slaveKind: 'bridge', slaveData: { state: 'forwarding' } } },
  { info: { kind: 'veth', data: { peer: { ifname: 'v1' } } } },
  { info: { kind: 'other:openvswitch', data: new Uint8Array(4), slaveKind: 'other:bond' } },
  { info: { kind: 'vxlan' } },
  { info: { slaveKind: 'bridge', slaveData: {} } },
  { family: 7, afSpec: { mode: 1 } },
  { unknown: [{ type: 99, data: new Uint8Array(4) }] },
]
const bad: Write[] = [
  // @ts-expect-error a misspelt attribute
  { mut: 1400 },
  // @ts-expect-error a number as text
  { mtu: '1400' },
  // @ts-expect-error 64-bit identifiers are bigint
  { handle: 1 },
  // @ts-expect-error an unknown flag
  { flags: { upp: true } },
  // @ts-expect-error an unknown flag in a list
  { options: ['slef'] },
  // @ts-expect-error a misspelt member of a struct
  { ranges: [{ lo: 1 }] },
  // @ts-expect-error padding cannot be given
  { ranges: [{ _pad: undefined, low: 1, hgih: 2 }] },
  // @ts-expect-error a family that the table does not name
  { family: 'inet7' },
  // @ts-expect-error a veth has no VXLAN id
  { info: { kind: 'veth', data: { id: 4 } } },
  // @ts-expect-error the other choice's kind does not help
  { info: { kind: 'veth', data: { peer: {} }, slaveKind: 'bridge', slaveData: { id: 4 } } },
  // @ts-expect-error a kind without a table must say so: other:openvswitch
  { info: { kind: 'openvswitch' } },
  // @ts-expect-error without a table data are bytes
  { info: { kind: 'other:openvswitch', data: { id: 1 } } },
  // @ts-expect-error data of no kind are bytes
  { info: { data: { id: 1 } } },
  // @ts-expect-error a misspelt attribute deep inside
  { info: { kind: 'veth', data: { peer: { ifnam: 'v1' } } } },
]

// ---- tables that cannot be --------------------------------------------------------------------------------------------
// @ts-expect-error text has no fixed size
array(string)
// @ts-expect-error an attribute is a number and a codec
attributes('X', { a: u32 })
// @ts-expect-error a word of flags has bit numbers
masked(u32, { up: 'zero' })

// ---- the table of links: kinds narrow there as well -------------------------------------------------------------------
type Link = Decoded<typeof linkTable>
type LinkRequest = Encodable<typeof linkTable>
declare const link: Link
is<Equal<Link['index'], number>>()
is<Equal<Link['mtu'], number | undefined>>()
is<Equal<Link['propList'], string[] | undefined>>()
const linkInfo = link.linkinfo!
if (linkInfo.kind === 'vxlan') linkInfo.data?.id satisfies number | undefined
if (linkInfo.kind === 'veth') linkInfo.data?.peer?.ifname satisfies string | undefined
if (linkInfo.slaveKind === 'bridge') linkInfo.slaveData?.state satisfies string | number | undefined
const requests: LinkRequest[] = [
  { ifname: 'v0', flags: { up: true, multicast: false }, linkinfo: { kind: 'veth', data: { peer: { ifname: 'v1', netNsFd: 7 } } } },
  // @ts-expect-error a veth has no VXLAN id
  { linkinfo: { kind: 'veth', data: { id: 4 } } },
  // @ts-expect-error a misspelt attribute
  { ifnam: 'v0' },
  // @ts-expect-error an unlisted kind
  { linkinfo: { kind: 'openvswitch' } },
]
void [good, bad, requests]
