// Tables of iptables as the kernel gives and takes them: one block of entries (linux/netfilter_ipv4/ip_tables.h, netfilter_ipv6/ip6_tables.h), 64-bit layout.
import { ipv4, ipv6 } from '../codec/address.js'
import type { Codec } from '../codec/codec.js'
import { bits, bytes, count, string, u8, u16, u32, u64 } from '../codec/scalars.js'
import { array, pad, struct } from '../codec/struct.js'
import { fixed } from '../codec/variable.js'

/** IPT_SO_ and IP6T_SO_: the same numbers under another level. */
export const tableOptions = { setReplace: 64, setAddCounters: 65, getInfo: 64, getEntries: 65 } as const
/** NF_INET_: the places where built-in chains begin. */
export const tableHooks = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'] as const

/** IPT_F_ */
export const entryFlags = { frag: 0, goto: 1 } as const
/** IP6T_F_ */
export const entryFlags6 = { proto: 0, tos: 1, goto: 2 } as const
/** IPT_INV_ and IP6T_INV_: what the rule asks for the opposite of. */
export const entryInversions = { viaIn: 0, viaOut: 1, tos: 2, srcip: 3, dstip: 4, frag: 5, proto: 6 } as const

/** Text in so many bytes, the rest zero. */
export const text = (size: number): Codec<string> & { readonly size: number } => fixed(string, size)
/** So many bytes as they are. */
export const block = (size: number): Codec<Uint8Array> & { readonly size: number } => fixed(bytes, size)
const five = { ...fixed(array(u32), 20), min: 4 }

export const counters = struct({ pcnt: count, bcnt: count })
/** `ifnameMask` bytes are 255 where the name counts: all of it with its final zero, or the part before a `+`. */
export const iptIp = struct({
  src: ipv4,
  dst: ipv4,
  smsk: ipv4,
  dmsk: ipv4,
  iniface: block(16),
  outiface: block(16),
  inifaceMask: block(16),
  outifaceMask: block(16),
  proto: u16,
  flags: bits(u8, entryFlags),
  invflags: bits(u8, entryInversions),
})
export const ip6tIp6 = struct({
  src: ipv6,
  dst: ipv6,
  smsk: ipv6,
  dmsk: ipv6,
  iniface: block(16),
  outiface: block(16),
  inifaceMask: block(16),
  outifaceMask: block(16),
  proto: u16,
  tos: u8,
  flags: bits(u8, entryFlags6),
  invflags: bits(u8, entryInversions),
  _pad: pad(3),
})
/** After the head of its family: where the target and the next entry begin, from this one's start. */
export const iptEntry = struct({
  _ip: pad(84),
  nfcache: u32,
  targetOffset: u16,
  nextOffset: u16,
  comefrom: u32,
  packets: count,
  bytes: count,
})
export const ip6tEntry = struct({
  _ipv6: pad(136),
  nfcache: u32,
  targetOffset: u16,
  nextOffset: u16,
  comefrom: u32,
  _pad: pad(4),
  packets: count,
  bytes: count,
})
/** In front of the data of a match or a target; a target without a name is the standard one. */
export const extensionHeader = struct({ size: u16, name: text(29), revision: u8 })

export const getInfo = struct({ name: text(32), validHooks: u32, hookEntry: five, underflow: five, numEntries: u32, size: u32 })
export const getEntries = struct({ name: text(32), size: u32, _pad: pad(4) })
export const replace = struct({
  name: text(32),
  validHooks: u32,
  numEntries: u32,
  size: u32,
  hookEntry: five,
  underflow: five,
  numCounters: u32,
  /** Address of the memory for the counters of the rules that are replaced. */
  counters: u64,
})
export const countersInfo = struct({ name: text(32), numCounters: u32, _pad: pad(4) })
