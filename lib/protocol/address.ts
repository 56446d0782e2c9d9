// RTM_NEWADDR and its relatives: addresses of links (linux/if_addr.h).
import { ip } from '../codec/address.js'
import { bits, oneOf, s32, scaled, string, u8, u32 } from '../codec/scalars.js'
import { struct } from '../codec/struct.js'
import { message } from '../codec/table.js'
import { family } from './families.js'
import { routeScopes } from './route-names.js'

/** IFA_F_, as numbers of bits. */
export const addressFlags = {
  /** IPv4: not the first address of its subnet. IPv6: temporary. */
  secondary: 0,
  /** Don't look for duplicates. */
  nodad: 1,
  optimistic: 2,
  /** Somebody else has it. */
  dadfailed: 3,
  homeaddress: 4,
  /** Its preferred lifetime is over. */
  deprecated: 5,
  /** The search for duplicates still runs. */
  tentative: 6,
  /** No lifetime. */
  permanent: 7,
  managetempaddr: 8,
  noprefixroute: 9,
  mcautojoin: 10,
  stablePrivacy: 11,
} as const
/** IFAPROT_: who made it; kernel ≥ 5.18. */
export const addressProtocols = { unspec: 0, kernelLo: 1, kernelRa: 2, kernelLl: 3 } as const
/** As `preferred` and `valid`: for ever. */
export const forever = 0xffff_ffff

/** `headerFlags` are the first eight bits of `flags`, which the kernel prefers when it is there. `index` is the link's. */
export const ifaddrmsg = struct({
  family,
  prefixlen: u8,
  headerFlags: bits(u8, addressFlags),
  scope: oneOf(u8, routeScopes),
  index: u32,
})
/** Lifetimes in seconds (request: seconds to go), `forever` at most; made and changed at seconds since boot. */
export const addressCacheInfo = struct({ preferred: u32, valid: u32, created: scaled(u32, 100), updated: scaled(u32, 100) })

export const address = message(ifaddrmsg, 'IFA', {
  /** On point-to-point links the other end's; otherwise the same as `local`. IPv6 has `address` alone unless there is a peer. */
  address: [1, ip],
  local: [2, ip],
  /** IPv4: the link's name, optionally with ':' and more; at most 15 bytes. */
  label: [3, string],
  broadcast: [4, ip],
  anycast: [5, ip],
  cacheinfo: [6, addressCacheInfo],
  multicast: [7, ip],
  flags: [8, bits(u32, addressFlags)],
  /** Metric of the prefix route; 0: the system's default. */
  rtPriority: [9, u32],
  /** Request only, and ignored by RTM_NEWADDR: the namespace of this number. */
  targetNetnsid: [10, s32],
  proto: [11, oneOf(u8, addressProtocols)],
})
