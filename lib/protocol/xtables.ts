// What matches and targets of iptables have in them, in legacy tables and in those of iptables-nft alike (linux/netfilter/xt_*.h).
import { ipv4 } from '../codec/address.js'
import { bits, s32, u8, u16, u16be, u32 } from '../codec/scalars.js'
import { array, pad, struct } from '../codec/struct.js'
import { fixed } from '../codec/variable.js'
import { block, text } from './iptables.js'
import { natFlags } from './netfilter.js'

/** Of a source and destination port each: lowest and highest. */
const range = fixed(array(u16), 4)
/** An address of either family, IPv4 in the first four bytes (union nf_inet_addr). */
const address = { ...block(16), min: 4 }

/** Bits that ask for the opposite. */
export const tcpInversions = { srcpt: 0, dstpt: 1, flags: 2, option: 3 } as const
export const xtTcp = struct({
  spts: range,
  dpts: range,
  option: u8,
  flgMask: u8,
  flgCmp: u8,
  invflags: bits(u8, tcpInversions),
})
export const xtUdp = struct({ spts: range, dpts: range, invflags: bits(u8, { srcpt: 0, dstpt: 1 }), _pad: pad(1) })
/** `codeLow` to `codeHigh`; type 255 is any. */
export const iptIcmp = struct({ type: u8, codeLow: u8, codeHigh: u8, invflags: u8 })

const conntrackAddresses = {
  origsrcAddr: address,
  origsrcMask: address,
  origdstAddr: address,
  origdstMask: address,
  replsrcAddr: address,
  replsrcMask: address,
  repldstAddr: address,
  repldstMask: address,
  expiresMin: u32,
  expiresMax: u32,
  l4proto: u16,
}
/** XT_CONNTRACK_, as numbers of bits: what is looked at. */
export const conntrackMatchFlags = {
  state: 0,
  proto: 1,
  origsrc: 2,
  origdst: 3,
  replsrc: 4,
  repldst: 5,
  status: 6,
  expires: 7,
  origsrcPort: 8,
  origdstPort: 9,
  replsrcPort: 10,
  repldstPort: 11,
  direction: 12,
  stateAlias: 13,
} as const
const conntrackFlags = bits(u16, conntrackMatchFlags)
const conntrackPorts = { origsrcPort: u16be, origdstPort: u16be, replsrcPort: u16be, repldstPort: u16be }
export const xtConntrack1 = struct({
  ...conntrackAddresses,
  ...conntrackPorts,
  matchFlags: conntrackFlags,
  invertFlags: conntrackFlags,
  stateMask: u8,
  statusMask: u8,
})
export const xtConntrack2 = struct({
  ...conntrackAddresses,
  ...conntrackPorts,
  matchFlags: conntrackFlags,
  invertFlags: conntrackFlags,
  stateMask: u16,
  statusMask: u16,
  _pad: pad(2),
})
export const xtConntrack3 = struct({
  ...conntrackAddresses,
  origsrcPort: u16,
  origdstPort: u16,
  replsrcPort: u16,
  repldstPort: u16,
  matchFlags: conntrackFlags,
  invertFlags: conntrackFlags,
  stateMask: u16,
  statusMask: u16,
  origsrcPortHigh: u16,
  origdstPortHigh: u16,
  replsrcPortHigh: u16,
  repldstPortHigh: u16,
  _pad: pad(2),
})
export const xtState = struct({ statemask: u32 })
export const xtComment = struct({ comment: text(256) })
export const xtAddrtype0 = struct({ source: u16, dest: u16, invertSource: u32, invertDest: u32 })
/** XT_ADDRTYPE_, as numbers of bits. */
export const addrtypeFlags = { invertSource: 0, invertDest: 1, limitIfaceIn: 2, limitIfaceOut: 3 } as const
export const xtAddrtype1 = struct({ source: u16, dest: u16, flags: bits(u32, addrtypeFlags) })
/** XT_PHYSDEV_OP_, as numbers of bits. */
export const physdevOps = { in: 0, out: 1, bridged: 2, isin: 3, isout: 4 } as const
export const xtPhysdev = struct({
  physindev: block(16),
  inMask: block(16),
  physoutdev: block(16),
  outMask: block(16),
  invert: bits(u8, physdevOps),
  bitmask: bits(u8, physdevOps),
})
export const xtMark1 = struct({ mark: u32, mask: u32, invert: u8, _pad: pad(3) })
/** XT_MULTIPORT_ */
export const multiportSides = { source: 0, destination: 1, either: 2 } as const
const ports = fixed(array(u16), 30)
export const xtMultiport0 = struct({ flags: u8, count: u8, ports })
/** `pflags`: 1 where a port is the first of a range. */
export const xtMultiport1 = struct({ flags: u8, count: u8, ports, pflags: block(15), invert: u8 })
/** `avg`: seconds between packets, in 1/10000. */
export const xtLimit = struct({ avg: u32, burst: u32, _kernel: pad(32) })

/** Where a packet goes: an offset in the table, or −1 less a verdict of netfilter's (−1 drop, −2 accept, −5 return). */
export const xtStandard = struct({ verdict: s32 })
export const xtError = struct({ errorname: text(30) })
export const iptReject = struct({ with: u32 })
/** XT_LOG_, as numbers of bits. */
export const logFlags = { tcpseq: 0, tcpopt: 1, ipopt: 2, uid: 3, nflog: 4, macdecode: 5 } as const
export const xtLog = struct({ level: u8, logflags: bits(u8, logFlags), prefix: text(30) })
const natRangeFlags = bits(u32, natFlags)
export const natMultiRange = struct({ rangesize: u32, flags: natRangeFlags, minIp: ipv4, maxIp: ipv4, min: u16be, max: u16be })
const natAddresses = { flags: natRangeFlags, minAddr: address, maxAddr: address, minProto: u16be, maxProto: u16be }
export const natRange = struct(natAddresses)
export const natRange2 = struct({ ...natAddresses, baseProto: u16be, _pad: pad(2) })
export const xtSetMark = struct({ mark: u32, mask: u32 })
export const xtTcpmss = struct({ mss: u16 })
export const xtChecksum = struct({ operation: u8 })
