// Names of numbers in routes, rules and addresses, as iproute2 prints them (linux/rtnetlink.h).

/** RTN_: what happens to a packet that the route fits. */
export const routeTypes = {
  unspec: 0,
  unicast: 1,
  local: 2,
  broadcast: 3,
  anycast: 4,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
  nat: 10,
  xresolve: 11,
} as const

/** RT_SCOPE_: how far away the destination is; `global` is the kernel's UNIVERSE. */
export const routeScopes = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const

/** RTPROT_: who made the route. */
export const routeProtocols = {
  unspec: 0,
  redirect: 1,
  kernel: 2,
  boot: 3,
  static: 4,
  gated: 8,
  ra: 9,
  mrt: 10,
  zebra: 11,
  bird: 12,
  dnrouted: 13,
  xorp: 14,
  ntk: 15,
  dhcp: 16,
  mrouted: 17,
  keepalived: 18,
  babel: 42,
  openr: 99,
  bgp: 186,
  isis: 187,
  ospf: 188,
  rip: 189,
  eigrp: 192,
} as const

/** RT_TABLE_: routing tables with a name; the others have numbers up to 4294967295. */
export const routeTables = { unspec: 0, compat: 252, default: 253, main: 254, local: 255 } as const

/** RTNH_F_, as numbers of bits; in a route's flags and in those of each nexthop. */
export const nexthopFlags = {
  dead: 0,
  pervasive: 1,
  /** The gateway is on the link, whatever the routes say. */
  onlink: 2,
  offload: 3,
  linkdown: 4,
  unresolved: 5,
  trap: 6,
} as const
/** RTM_F_, as numbers of bits. */
export const routeMessageFlags = {
  notify: 8,
  cloned: 9,
  equalize: 10,
  prefix: 11,
  /** GETROUTE: say which table it came from. */
  lookupTable: 12,
  /** GETROUTE: the route that fits, not the way the packet takes. */
  fibMatch: 13,
  fibOffload: 14,
  fibTrap: 15,
  offloadFailed: 29,
} as const
/** Everything that can be in the flags of a route. */
export const routeFlags = { ...nexthopFlags, ...routeMessageFlags } as const

/** ICMPV6_ROUTER_PREF_, RFC 4191. */
export const routePreferences = { medium: 0, high: 1, low: 3 } as const
/** LWTUNNEL_ENCAP_, linux/lwtunnel.h. */
export const encapTypes = { none: 0, mpls: 1, ip: 2, ila: 3, ip6: 4, seg6: 5, bpf: 6, seg6Local: 7, rpl: 8, ioam6: 9, xfrm: 10 } as const
