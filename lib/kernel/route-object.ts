// Routes as callers see them, out of the kernel's description.
import type { Decoded } from '../codec/codec.js'
import type { route as routeTable } from '../protocol/route.js'
import { routeTables } from '../protocol/route-names.js'
import { type RouteMetrics, readMetrics } from './route-metrics.js'

/** What becomes of a packet. */
export type RouteType = 'unicast' | 'local' | 'broadcast' | 'anycast' | 'multicast' | 'blackhole' | 'unreachable' | 'prohibit' | 'throw'

/** One of several ways to the same destination. */
export interface Nexthop {
  readonly via?: string
  /** ifindex */
  readonly link?: number
  /** Share of the traffic, 1 to 256. */
  readonly weight: number
  readonly onlink?: boolean
  /** 'dead', 'linkdown', 'offload', 'trap' … */
  readonly flags: readonly string[]
}

/** A route. What the kernel has nothing to say about is left out; it can be given to add, replace and delete as it is. */
export interface Route {
  /** '10.0.1.0/24', '10.0.1.9' for a single host, or 'default'. */
  readonly to: string
  readonly family: 4 | 6
  /** Address of the next router, of the other family where the kernel has been told so. */
  readonly via?: string
  /** ifindex */
  readonly link?: number
  /** The address that packets leave with when the program has chosen none. */
  readonly src?: string
  /** Only for packets from this prefix (IPv6). */
  readonly from?: string
  /** Among equal prefixes the lowest wins; absent is 0. */
  readonly metric?: number
  /** 254 is main, 255 local. */
  readonly table: number
  readonly type?: RouteType
  /** IPv4 only: 'global', 'site', 'link', 'host', 'nowhere' or a number. */
  readonly scope?: string
  /** Who put it there: 'kernel', 'boot', 'static', 'dhcp', 'zebra', 'bird' … or a number. */
  readonly protocol: string
  /** IPv4 type of service. */
  readonly tos?: number
  /** The next router counts as on the link, whatever the addresses say. */
  readonly onlink?: boolean
  /** Largest packet, in bytes. */
  readonly mtu?: number
  readonly metrics?: RouteMetrics
  /** IPv6 router preference. */
  readonly preference?: string
  /** The nexthop object that says where it leads. */
  readonly nexthopId?: number
  readonly nexthops?: readonly Nexthop[]
  /** Seconds until the kernel removes it (IPv6). */
  readonly expires?: number
  /** 'dead', 'linkdown', 'offload', 'trap', 'cached' (the answer to a look-up, not an entry) … */
  readonly flags: readonly string[]
}

export type RawRoute = Decoded<typeof routeTable>
type RawNexthop = NonNullable<RawRoute['multipath']>[number]

export const isRoute = (raw: RawRoute): boolean => raw.family === 'inet' || raw.family === 'inet6'

/** The number of the table it is in: those above 255 have an attribute of their own. */
export const tableOf = (raw: RawRoute): number => raw.table ?? raw.headerTable

/** '10.0.1.0/24'; a single host without the length. */
const prefixText = (address: string, length: number, family: 4 | 6) =>
  length === (family === 4 ? 32 : 128) ? address : `${address}/${length}`

const gatewayOf = ({ gateway, via }: Pick<RawRoute, 'gateway' | 'via'>): string | undefined => {
  if (gateway !== undefined || via === undefined) return gateway
  return 'inet6' in via ? via.inet6 : 'inet' in via ? via.inet : undefined
}

/** Asked for rather than found out: said by a field of its own. */
const own: readonly string[] = ['onlink', 'lookupTable', 'fibMatch', 'notify']
const stateOf = (flags: readonly string[]): string[] =>
  // Bits without a name are the kernel's own notes on a look-up (RTCF_).
  flags.length === 0
    ? []
    : flags.filter(flag => !own.includes(flag) && !/^bit\d/.test(flag)).map(flag => (flag === 'cloned' ? 'cached' : flag))
const isOnlink = (flags: readonly string[]) => flags.includes('onlink')

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

function toNexthop(raw: RawNexthop): Nexthop {
  const via = gatewayOf(raw)
  const hop: Partial<Mutable<Nexthop>> = {}
  if (via !== undefined) hop.via = via
  if (raw.index) hop.link = raw.index
  hop.weight = raw.hops + 1
  if (isOnlink(raw.flags)) hop.onlink = true
  hop.flags = stateOf(raw.flags)
  return hop as Nexthop
}

/** A route as callers see it. Field by field, because tables of a million routes are read with it. */
export function toRoute(raw: RawRoute): Route {
  const family = raw.family === 'inet' ? 4 : 6
  const { dst, src, metrics, pref, nhId, multipath } = raw
  const via = gatewayOf(raw)
  const expires = raw.cacheinfo?.expires
  const route: Partial<Mutable<Route>> = {
    to: dst === undefined || raw.dstLen === 0 ? 'default' : prefixText(dst, raw.dstLen, family),
    family,
  }
  if (via !== undefined) route.via = via
  if (raw.oif !== undefined) route.link = raw.oif
  if (raw.prefsrc !== undefined) route.src = raw.prefsrc
  if (src !== undefined && src !== '::') route.from = prefixText(src, raw.srcLen, family)
  if (raw.priority !== undefined) route.metric = raw.priority
  route.table = tableOf(raw)
  route.type = String(raw.type) as RouteType
  // The kernel reports a scope for IPv6, always the same one, and ignores it.
  if (family === 4) route.scope = String(raw.scope)
  route.protocol = String(raw.protocol)
  if (raw.tos) route.tos = raw.tos
  if (isOnlink(raw.flags)) route.onlink = true
  if (metrics?.mtu !== undefined) route.mtu = metrics.mtu
  const others = metrics && readMetrics(metrics)
  if (others !== undefined) route.metrics = others
  if (pref !== undefined && pref !== 'medium') route.preference = String(pref)
  if (nhId !== undefined) route.nexthopId = nhId
  if (multipath) route.nexthops = multipath.map(toNexthop)
  if (expires) route.expires = Math.ceil(expires / 100)
  route.flags = stateOf(raw.flags)
  return route as Route
}

/** 'main' → 254 */
export const tableNumbers = { main: routeTables.main, local: routeTables.local, default: routeTables.default } as const
