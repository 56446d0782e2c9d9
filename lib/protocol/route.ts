// RTM_NEWROUTE and its relatives: routes and the look-up of one (linux/rtnetlink.h).
import { ip, ipv4, ipv6 } from '../codec/address.js'
import { bits, bool, bytes, count, oneOf, s32, scaled, string, u8, u16, u16be, u32, u32be } from '../codec/scalars.js'
import { struct } from '../codec/struct.js'
import { attributes, entries, message } from '../codec/table.js'
import { tagged } from '../codec/variable.js'
import { families, family } from './families.js'
import { encapTypes, nexthopFlags, routeFlags, routePreferences, routeProtocols, routeScopes, routeTypes } from './route-names.js'

/** `dstLen` and `srcLen` are prefix lengths. `headerTable` is `table` if that is below 256, or 252 (RT_TABLE_COMPAT). */
export const rtmsg = struct({
  family,
  dstLen: u8,
  srcLen: u8,
  tos: u8,
  headerTable: u8,
  protocol: oneOf(u8, routeProtocols),
  scope: oneOf(u8, routeScopes),
  type: oneOf(u8, routeTypes),
  flags: bits(u32, routeFlags),
})
/** `length` is filled in when written; `hops` is the weight less one; `index` is the link's. */
export const rtnexthop = struct({ length: u16, flags: bits(u8, nexthopFlags), hops: u8, index: s32 })
/** `lastUse`, `expires`, `tsAge` in 1/100 s; `error` is a negative errno. */
export const routeCacheInfo = struct({
  clientReferences: u32,
  lastUse: u32,
  expires: s32,
  error: u32,
  used: u32,
  id: u32,
  ts: u32,
  tsAge: u32,
})
export const mfcStats = struct({ packets: count, bytes: count, wrongIf: count })
/** A gateway of another family than the route's. */
export const rtvia = tagged(u16, { inet: [families.inet, ipv4], inet6: [families.inet6, ipv6] })

/** RTAX_ numbers, as the bits of `lock`. */
export const metricBits = {
  mtu: 2,
  window: 3,
  rtt: 4,
  rttvar: 5,
  ssthresh: 6,
  cwnd: 7,
  advmss: 8,
  reordering: 9,
  hoplimit: 10,
  initcwnd: 11,
  features: 12,
  rtoMin: 13,
  initrwnd: 14,
  quickack: 15,
  ccAlgo: 16,
  fastopenNoCookie: 17,
} as const
/** RTAX_FEATURE_, as numbers of bits. */
export const metricFeatures = { ecn: 0, sack: 1, timestamp: 2, allfrag: 3, tcpUsecTs: 4 } as const

/** Properties of the way, for TCP above all (RTAX_). */
export const metrics = attributes('RTAX', {
  /** The metrics that path discovery may not change. */
  lock: [1, bits(u32, metricBits)],
  mtu: [2, u32],
  window: [3, u32],
  /** Seconds; the kernel counts 1/8 ms. */
  rtt: [4, scaled(u32, 8000)],
  /** Seconds; the kernel counts 1/4 ms. */
  rttvar: [5, scaled(u32, 4000)],
  ssthresh: [6, u32],
  cwnd: [7, u32],
  advmss: [8, u32],
  reordering: [9, u32],
  hoplimit: [10, u32],
  initcwnd: [11, u32],
  features: [12, bits(u32, metricFeatures)],
  /** Seconds; the kernel counts milliseconds. */
  rtoMin: [13, scaled(u32, 1000)],
  initrwnd: [14, u32],
  quickack: [15, u32],
  /** Name of a congestion control. */
  ccAlgo: [16, string],
  fastopenNoCookie: [17, u32],
})

/** What the encapsulation's own attributes are depends on `encapType`; kept as bytes. */
const encapType = [21, oneOf(u16, encapTypes)] as const
const encap = [22, bytes] as const

/** One of several ways; `index` or `gateway`, or both. */
const multipath = entries(rtnexthop, 'RTA', {
  gateway: [5, ip],
  flow: [11, u32],
  via: [18, rtvia],
  newdst: [19, bytes],
  encapType,
  encap,
  ttlPropagate: [26, bool],
})

export const route = message(rtmsg, 'RTA', {
  /** Absent: everywhere. */
  dst: [1, ip],
  src: [2, ip],
  /** ifindex a packet comes in by. */
  iif: [3, u32],
  /** ifindex it goes out by. */
  oif: [4, u32],
  gateway: [5, ip],
  /** Metric: of routes to one destination the lowest wins. IPv6: 0 means 1024. */
  priority: [6, u32],
  /** Source address to prefer. */
  prefsrc: [7, ip],
  metrics: [8, metrics],
  multipath: [9, multipath],
  /** IPv4 realms: source in the upper half, destination in the lower. */
  flow: [11, u32],
  cacheinfo: [12, routeCacheInfo],
  table: [15, u32],
  /** GETROUTE: as if the packet had this mark. */
  mark: [16, u32],
  mfcStats: [17, mfcStats],
  via: [18, rtvia],
  newdst: [19, bytes],
  pref: [20, oneOf(u8, routePreferences)],
  encapType,
  encap,
  /** Request only: seconds that it shall live (IPv6). */
  expires: [23, u32],
  /** GETROUTE: as if a process of this user sent it. */
  uid: [25, u32],
  ttlPropagate: [26, bool],
  ipProto: [27, u8],
  sport: [28, u16be],
  dport: [29, u16be],
  /** A nexthop object instead of oif and gateway; kernel ≥ 5.3. */
  nhId: [30, u32],
  /** kernel ≥ 6.14 */
  flowlabel: [31, u32be],
})
