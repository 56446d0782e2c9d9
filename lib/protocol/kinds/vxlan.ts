// vxlan: Ethernet in UDP (linux/if_link.h, IFLA_VXLAN_).
import { ipv4, ipv6 } from '../../codec/address.js'
import { bool, bytes, flag, oneOf, u8, u16be, u32, u32be } from '../../codec/scalars.js'
import { struct } from '../../codec/struct.js'
import { attributes } from '../../codec/table.js'
import { flagOrByte } from '../../codec/variable.js'

/** VXLAN_DF_: the don't-fragment bit of the outer header. */
export const vxlanDf = { unset: 0, set: 1, inherit: 2 } as const
/** VXLAN_LABEL_: where the outer flow label comes from. */
export const vxlanLabelPolicies = { fixed: 0, inherit: 1 } as const
export const vxlanPortRange = struct({ low: u16be, high: u16be })

export const vxlan = attributes('IFLA_VXLAN', {
  /** Network identifier, 0 to 16777215. */
  id: [1, u32],
  /** Multicast group, or the one remote end. */
  group: [2, ipv4],
  /** ifindex of the device to send through. */
  link: [3, u32],
  local: [4, ipv4],
  /** 0: the system's default. */
  ttl: [5, u8],
  tos: [6, u8],
  learning: [7, bool],
  /** Seconds that a learned address is kept. */
  ageing: [8, u32],
  /** Most addresses kept; 0: no limit. */
  limit: [9, u32],
  /** Source ports. */
  portRange: [10, vxlanPortRange],
  /** Answer ARP from the table. */
  proxy: [11, bool],
  rsc: [12, bool],
  l2miss: [13, bool],
  l3miss: [14, bool],
  /** Destination port: the kernel's own default is 8472, IANA's is 4789. */
  port: [15, u16be],
  group6: [16, ipv6],
  local6: [17, ipv6],
  udpCsum: [18, bool],
  udpZeroCsum6Tx: [19, bool],
  udpZeroCsum6Rx: [20, bool],
  remcsumTx: [21, bool],
  remcsumRx: [22, bool],
  /** Group policy extension. */
  gbp: [23, flag],
  remcsumNopartial: [24, flag],
  /** Addresses come with each packet from routes or tc ("external"). */
  collectMetadata: [25, bool],
  /** Flow label, 20 bits. */
  label: [26, u32be],
  /** Generic protocol extension. */
  gpe: [27, flag],
  ttlInherit: [28, flagOrByte],
  df: [29, oneOf(u8, vxlanDf)],
  /** Many identifiers on one device; needs collectMetadata; kernel ≥ 5.18. */
  vnifilter: [30, bool],
  /** Deliver to a vxlan on this host directly; kernel ≥ 6.5. */
  localbypass: [31, bool],
  /** kernel ≥ 6.7 */
  labelPolicy: [32, oneOf(u32, vxlanLabelPolicies)],
  /** Which bits of the header must be zero, as a header of eight bytes; kernel ≥ 6.14. */
  reservedBits: [33, bytes],
  /** Multicast by the routing table; kernel ≥ 6.17. */
  mcRoute: [34, bool],
})
