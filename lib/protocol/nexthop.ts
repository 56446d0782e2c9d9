// RTM_NEWNEXTHOP and its relatives: next hops as objects that routes share (linux/nexthop.h).
import { ip } from '../codec/address.js'
import { bits, bytes, count, flag, oneOf, scaled, u8, u16, u32 } from '../codec/scalars.js'
import { array, pad, struct } from '../codec/struct.js'
import { attributes, list, message } from '../codec/table.js'
import { uint } from '../codec/variable.js'
import { family } from './families.js'
import { encapTypes, nexthopFlags, routeProtocols, routeScopes } from './route-names.js'

/** NEXTHOP_GRP_TYPE_. */
export const nexthopGroupTypes = { mpath: 0, res: 1 } as const

export const nhmsg = struct({
  family,
  scope: oneOf(u8, routeScopes),
  protocol: oneOf(u8, routeProtocols),
  _reserved: pad(1),
  flags: bits(u32, nexthopFlags),
})
/** The weight less one is `weight`, its upper eight bits (kernel ≥ 6.12) `weightHigh`. */
export const nexthopGroupEntry = struct({ id: u32, weight: u8, weightHigh: u8, _reserved: pad(2) })
/** Seconds; the kernel counts 1/100 s. */
const seconds = scaled(u32, 100)

export const nexthop = message(nhmsg, 'NHA', {
  /** 0 or absent: the kernel chooses. */
  id: [1, u32],
  /** Excludes everything that describes a single hop. */
  group: [2, array(nexthopGroupEntry)],
  groupType: [3, oneOf(u16, nexthopGroupTypes)],
  blackhole: [4, flag],
  /** ifindex. */
  oif: [5, u32],
  gateway: [6, ip],
  encapType: [7, oneOf(u16, encapTypes)],
  encap: [8, bytes],
  /** Dump: groups only. */
  groups: [9, flag],
  /** Dump: those over links with this master. */
  master: [10, u32],
  /** For MAC tables: no link. */
  fdb: [11, flag],
  /** A resilient group moves flows only from idle buckets. */
  resGroup: [
    12,
    attributes('NHA_RES_GROUP', {
      buckets: [1, u16],
      idleTimer: [2, seconds],
      unbalancedTimer: [3, seconds],
      unbalancedTime: [4, scaled(count, 100)],
    }),
  ],
  resBucket: [13, attributes('NHA_RES_BUCKET', { index: [1, u16], idleTime: [2, scaled(count, 100)], nhId: [3, u32] })],
  /** NHA_OP_FLAG_, in requests; kernel ≥ 6.9, as the next three. */
  opFlags: [14, u32],
  groupStats: [
    15,
    list(1, attributes('NHA_GROUP_STATS_ENTRY', { id: [1, u32], packets: [2, uint], packetsHw: [3, uint] }), 'NHA_GROUP_STATS_ENTRY'),
  ],
  hwStatsEnable: [16, u32],
  hwStatsUsed: [17, u32],
})
