// IPv4 routes with the columns of `route -n` and `netstat -rn`.
import { parseCidr } from '../codec/ip.js'
import type { Link } from './link-object.js'
import { routeFlags } from './route-flags.js'
import type { Route } from './route-object.js'
import { netmask } from './view-ifconfig.js'

interface Common {
  /** '10.0.1.0', '0.0.0.0' for default. */
  readonly destination: string
  /** '0.0.0.0' without one, '-' where packets are refused. */
  readonly gateway: string
  /** '255.255.255.0' */
  readonly genmask: string
  /** 'UG', see routeFlags(). */
  readonly flags: string
}
/** Where it leads to. */
interface Last {
  /** '*' where it leads nowhere, '-' where packets are refused. */
  readonly iface: string
}
/** A line of `route -n`, its columns in the tool's order. */
export interface RouteView extends Common, Last {
  readonly metric: number
  /** Linux no longer counts references. */
  readonly ref: 0 | '-'
  /** Nor how often it is used. */
  readonly use: 0
}
/** A line of `netstat -rn`, its columns in the tool's order. */
export interface NetstatView extends Common, Last {
  /** Largest segment, headers included, in bytes; 0 is the default. */
  readonly mss: number | '-'
  /** TCP window in bytes; 0 is the default. */
  readonly window: number | '-'
  /** First round-trip time in milliseconds; 0 is the default. */
  readonly irtt: number | '-'
}
type Links = readonly Pick<Link, 'index' | 'name'>[]

/** What `route -n` and `netstat -rn` do not show. */
const hidden: readonly string[] = ['broadcast', 'multicast']
/** TCP's and IP's headers. */
const headers = 40

/**
 * What `route -n` shows: `routeView(await ns.routes.list(), await ns.links.list())`; IPv6 routes are left out, as there. Of several ways only
 * the first is seen.
 *
 * @example
 * routeView([{ to: 'default', via: '10.0.1.1', link: 2, family: 4, table: 254, protocol: 'boot', flags: [] }], [{ index: 2, name: 'eth0' }])
 * // [{ destination: '0.0.0.0', gateway: '10.0.1.1', genmask: '0.0.0.0', flags: 'UG', metric: 0, ref: 0, use: 0, iface: 'eth0' }]
 */
export function routeView(routes: readonly Route[], links: Links): RouteView[] {
  return shown(routes).map(route => {
    const front = common(route)
    return { ...front, metric: route.metric ?? 0, ref: refuses(front) ? '-' : 0, use: 0, iface: iface(route, front, links) }
  })
}

/**
 * What `netstat -rn` shows: `netstatView(await ns.routes.list(), await ns.links.list())`.
 *
 * @example
 * netstatView([{ to: '10.9.0.0/16', via: '10.0.1.1', link: 2, family: 4, table: 254, protocol: 'boot', flags: [] }], [{ index: 2, name: 'eth0' }])
 * // [{ destination: '10.9.0.0', gateway: '10.0.1.1', genmask: '255.255.0.0', flags: 'UG', mss: 0, window: 0, irtt: 0, iface: 'eth0' }]
 */
export function netstatView(routes: readonly Route[], links: Links): NetstatView[] {
  return shown(routes).map(route => {
    const front = common(route)
    const { advmss, window = 0, rtt = 0 } = route.metrics ?? {}
    const numbers = { mss: advmss ? advmss + headers : 0, window, irtt: Math.floor(rtt * 1000) }
    return { ...front, ...(refuses(front) ? noNumbers : numbers), iface: iface(route, front, links) }
  })
}

const noNumbers = { mss: '-', window: '-', irtt: '-' } as const
const shown = (routes: readonly Route[]) => routes.filter(({ family, type }) => family === 4 && !hidden.includes(type ?? ''))
const refuses = ({ flags }: Common) => flags.startsWith('!')
/** The first of several ways. */
const first = (route: Route) => route.nexthops?.[0] ?? route

function common(route: Route): Common {
  const { via = '0.0.0.0' } = first(route)
  const { address, prefix } = parseCidr(route.to === 'default' ? '0.0.0.0/0' : route.to)
  const flags = routeFlags(route)
  const gateway = flags.startsWith('!') ? '-' : via.includes(':') ? '0.0.0.0' : via
  return { destination: address, gateway, genmask: netmask(prefix), flags }
}

function iface(route: Route, front: Common, links: Links): string {
  if (refuses(front)) return '-'
  const { link: index } = first(route)
  return index === undefined ? '*' : (links.find(link => link.index === index)?.name ?? String(index))
}
