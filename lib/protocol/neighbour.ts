// RTM_NEWNEIGH and its relatives: ARP and neighbour tables, MAC tables of bridges, and the limits of the tables (linux/neighbour.h).
import { ip, mac } from '../codec/address.js'
import { bits, count, flag, oneOf, s32, scaled, string, u8, u16, u16be, u32 } from '../codec/scalars.js'
import { pad, struct } from '../codec/struct.js'
import { attributes, message } from '../codec/table.js'
import { family } from './families.js'
import { routeProtocols, routeTypes } from './route-names.js'

/** NUD_, as numbers of bits: an entry has one or none, a dump's filter several. Bridges: permanent is local, noarp is static. */
export const neighbourStates = {
  incomplete: 0,
  reachable: 1,
  stale: 2,
  delay: 3,
  probe: 4,
  failed: 5,
  noarp: 6,
  permanent: 7,
} as const
/** NTF_, as numbers of bits. */
export const neighbourFlags = {
  use: 0,
  /** Bridges: the request is meant for the device itself … */
  self: 1,
  /** … or for the bridge that it is a port of. */
  master: 2,
  proxy: 3,
  extLearned: 4,
  offloaded: 5,
  sticky: 6,
  router: 7,
} as const
/** NTF_EXT_, as numbers of bits. */
export const neighbourExtFlags = {
  /** The kernel keeps it reachable; kernel ≥ 5.16. */
  managed: 0,
  /** kernel ≥ 6.2 */
  locked: 1,
  /** kernel ≥ 6.17 */
  extValidated: 2,
} as const

/** `index` is the link's. */
export const ndmsg = struct({
  family,
  _pad: pad(3),
  index: s32,
  state: bits(u16, neighbourStates),
  flags: bits(u8, neighbourFlags),
  type: oneOf(u8, routeTypes),
})
const seconds = scaled(u32, 100)
/** How many seconds ago it was confirmed, used, updated. */
export const neighbourCacheInfo = struct({ confirmed: seconds, used: seconds, updated: seconds, references: u32 })

export const neighbour = message(ndmsg, 'NDA', {
  dst: [1, ip],
  lladdr: [2, mac],
  cacheinfo: [3, neighbourCacheInfo],
  probes: [4, u32],
  vlan: [5, u16],
  /** vxlan: where the entry's frames are sent. */
  port: [6, u16be],
  vni: [7, u32],
  ifindex: [8, u32],
  /** ifindex of the bridge. */
  master: [9, u32],
  linkNetnsid: [10, s32],
  srcVni: [11, u32],
  /** Who made it, by the numbers of routes. */
  protocol: [12, oneOf(u8, routeProtocols)],
  /** A nexthop object. */
  nhId: [13, u32],
  fdbExtAttrs: [14, attributes('NFEA', { activityNotify: [1, u8], dontRefresh: [2, flag] })],
  flagsExt: [15, bits(u32, neighbourExtFlags)],
  /** Bulk delete: which bits of `state` and `flags` count; kernel ≥ 5.19. */
  ndmStateMask: [16, bits(u16, neighbourStates)],
  ndmFlagsMask: [17, bits(u8, neighbourFlags)],
})

export const ndtmsg = struct({ family, _pad: pad(3) })
/** `lastFlush` and `lastRand`: seconds ago. */
export const neighbourTableConfig = struct({
  keyLen: u16,
  entrySize: u16,
  entries: u32,
  lastFlush: scaled(u32, 1000),
  lastRand: scaled(u32, 1000),
  hashRnd: u32,
  hashMask: u32,
  hashChainGc: u32,
  proxyQlen: u32,
})
export const neighbourTableStats = struct({
  allocs: count,
  destroys: count,
  hashGrows: count,
  resFailed: count,
  lookups: count,
  hits: count,
  rcvProbesMcast: count,
  rcvProbesUcast: count,
  periodicGcRuns: count,
  forcedGcRuns: count,
  tableFulls: count,
})
/** Seconds; the kernel counts milliseconds. */
const interval = scaled(count, 1000)

/** Settings of one link, or the defaults (NDTPA_). */
const parms = attributes('NDTPA', {
  /** Absent: the defaults. */
  ifindex: [1, u32],
  refcnt: [2, u32],
  reachableTime: [3, interval],
  baseReachableTime: [4, interval],
  retransTime: [5, interval],
  gcStaletime: [6, interval],
  delayProbeTime: [7, interval],
  queueLen: [8, u32],
  appProbes: [9, u32],
  ucastProbes: [10, u32],
  mcastProbes: [11, u32],
  anycastDelay: [12, interval],
  proxyDelay: [13, interval],
  proxyQlen: [14, u32],
  locktime: [15, interval],
  queueLenbytes: [16, u32],
  mcastReprobes: [17, u32],
  /** kernel ≥ 6.0 */
  intervalProbeTimeMs: [19, interval],
})

/** RTM_NEWNEIGHTBL: 'arp_cache', 'ndisc_cache'. The thresholds hold for the whole kernel. */
export const neighbourTable = message(ndtmsg, 'NDTA', {
  name: [1, string],
  /** Below so many entries nothing is collected. */
  thresh1: [2, u32],
  /** Above so many, entries are collected after five seconds. */
  thresh2: [3, u32],
  /** So many at most (gc_thresh3). */
  thresh3: [4, u32],
  config: [5, neighbourTableConfig],
  parms: [6, parms],
  stats: [7, neighbourTableStats],
  gcInterval: [8, interval],
})
