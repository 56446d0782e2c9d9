// RTM_NEWRULE and its relatives: which routing table is asked for which packets (linux/fib_rules.h).
import { ip } from '../codec/address.js'
import { bits, bool, oneOf, s32, string, u8, u16, u32, u32be, u64be } from '../codec/scalars.js'
import { pad, struct } from '../codec/struct.js'
import { message } from '../codec/table.js'
import { family } from './families.js'
import { routeProtocols } from './route-names.js'

/** FR_ACT_; `toTbl` asks a table. */
export const ruleActions = { unspec: 0, toTbl: 1, goto: 2, nop: 3, blackhole: 6, unreachable: 7, prohibit: 8 } as const
/** FIB_RULE_, as numbers of bits. */
export const ruleFlags = {
  permanent: 0,
  /** Packets that do not match. */
  invert: 1,
  /** The rule to go to is not there. */
  unresolved: 2,
  /** The link of that name is not there. */
  iifDetached: 3,
  oifDetached: 4,
  findSaddr: 16,
} as const

/** `dstLen` and `srcLen` are prefix lengths. `headerTable` is `table` if that is below 256. */
export const fibRuleHeader = struct({
  family,
  dstLen: u8,
  srcLen: u8,
  tos: u8,
  headerTable: u8,
  _reserved: pad(2),
  action: oneOf(u8, ruleActions),
  flags: bits(u32, ruleFlags),
})
export const uidRange = struct({ start: u32, end: u32 })
export const portRange = struct({ start: u16, end: u16 })

export const rule = message(fibRuleHeader, 'FRA', {
  dst: [1, ip],
  src: [2, ip],
  iifname: [3, string],
  /** Priority of the rule to go on with. */
  goto: [4, u32],
  /** Rules are tried in this order, the lowest first. */
  priority: [6, u32],
  fwmark: [10, u32],
  /** IPv4 realms: source in the upper half, destination in the lower. */
  flow: [11, u32],
  tunId: [12, u64be],
  /** Ignore the table's answer if it leads to a link of this group; -1: don't. */
  suppressIfgroup: [13, s32],
  /** Ignore the table's answer if its prefix is this long or shorter; -1: don't. */
  suppressPrefixlen: [14, s32],
  table: [15, u32],
  fwmask: [16, u32],
  oifname: [17, string],
  /** Ask the table of the VRF. */
  l3mdev: [19, bool],
  uidRange: [20, uidRange],
  protocol: [21, oneOf(u8, routeProtocols)],
  ipProto: [22, u8],
  sportRange: [23, portRange],
  dportRange: [24, portRange],
  /** 0 to 63; kernel ≥ 6.13. */
  dscp: [25, u8],
  /** IPv6; kernel ≥ 6.14. */
  flowlabel: [26, u32be],
  flowlabelMask: [27, u32be],
  /** kernel ≥ 6.15 */
  sportMask: [28, u16],
  dportMask: [29, u16],
  dscpMask: [30, u8],
})
