// What callers say of a route, checked and turned into the kernel's message; and the way back from a field of the message to the caller's.
import type { Encodable } from '../codec/codec.js'
import { argumentError, rangeError, shown } from '../codec/errors.js'
import { formatIp, ipFamily, networkOf, parseCidr } from '../codec/ip.js'
import type { route as routeTable } from '../protocol/route.js'
import { routePreferences, routeProtocols, routeScopes } from '../protocol/route-names.js'
import {
  type Check,
  type Checks,
  checkOptions,
  conflict,
  isAddress,
  isBoolean,
  isByte,
  isFamily,
  isInteger,
  isLink,
  isList,
  isObject,
  isOneOf,
  isPrefix,
  isRead,
  isUnsigned,
  lacking,
  present,
} from './arguments.js'
import { metricChecks, metricField, metricsMessage, type RouteMetrics } from './route-metrics.js'
import { type RouteType, tableNumbers } from './route-object.js'
import type { LinkRef } from './scope.js'

export interface NexthopSpec {
  readonly via?: string
  readonly link?: LinkRef
  /** Share of the traffic, 1 to 256; 1 by default. */
  readonly weight?: number
  readonly onlink?: boolean
  /** As read; not sent. */
  readonly flags?: readonly string[]
}

/** A route to add, replace or delete; one that list() gave is one too. */
export interface RouteSpec {
  /** '10.0.1.0/24', a single host '10.0.1.9', or 'default', which is IPv6 if `via`, `src`, `from` or `family` says so. */
  readonly to: string
  /** Which 'default' is meant. Otherwise the addresses say it. */
  readonly family?: 4 | 6
  /** The next router; for an IPv4 route it may be an IPv6 address ('0.0.0.0/0' via 'fe80::1'). */
  readonly via?: string
  readonly link?: LinkRef
  /** The address that packets leave with when the program has chosen none. */
  readonly src?: string
  /** IPv6 only, where the kernel has subtrees: only for packets from this prefix. */
  readonly from?: string
  /** Among routes to one prefix the lowest wins. Default 0, in IPv6 1024. */
  readonly metric?: number
  /** 'main' by default, for local, broadcast and anycast routes 'local'; any number from 1. */
  readonly table?: 'main' | 'local' | 'default' | number
  /** 'unicast' by default. */
  readonly type?: RouteType
  /** IPv4 only. By default 'link' without a router, 'host' for local routes, otherwise 'global'. */
  readonly scope?: string | number
  /** Who puts it there: 'boot' by default, 'static', 'dhcp', 'zebra', 'bird' … or a number up to 255. */
  readonly protocol?: string | number
  /** IPv4 only: for packets of this type of service. */
  readonly tos?: number
  /** The next router counts as on the link, whatever the addresses say. */
  readonly onlink?: boolean
  /** Largest packet, in bytes. */
  readonly mtu?: number
  readonly metrics?: RouteMetrics
  /** IPv6 router preference: 'low', 'medium', 'high'. */
  readonly preference?: string
  /** A nexthop object, in place of via, link and nexthops. */
  readonly nexthopId?: number
  /** Several ways, in place of via and link. */
  readonly nexthops?: readonly NexthopSpec[]
  /** IPv6 only: seconds until the kernel removes it. */
  readonly expires?: number
  /** As read; not sent. */
  readonly flags?: readonly string[]
}

export type RouteMessage = Encodable<typeof routeTable>
/** A route whose links are still to be looked up. */
export interface PreparedRoute {
  readonly family: 4 | 6
  /** In the order in which `message` wants their indexes, each with its path in the caller's object. */
  readonly links: readonly { readonly ref: LinkRef; readonly path: string }[]
  message(indexes: readonly number[]): RouteMessage
}

const isFlags: Check = isList(isRead)
const nexthopChecks: Checks<NexthopSpec> = { via: isAddress, link: isLink, weight: isInteger(1, 256), onlink: isBoolean, flags: isFlags }
const isDefault = (to: unknown) => to === 'default'
export const typeNames: readonly RouteType[] = [
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
]
/** Types that say what becomes of a packet without a way. */
const wayless: readonly string[] = ['blackhole', 'unreachable', 'prohibit', 'throw']

const checks: Checks<RouteSpec> = {
  to: value => {
    if (!isDefault(value)) isPrefix(value)
  },
  family: isFamily,
  via: isAddress,
  link: isLink,
  src: isAddress,
  from: isPrefix,
  metric: isUnsigned,
  table: value => void tableNumber(value as string),
  type: isOneOf(typeNames),
  scope: value => void numberOf(routeScopes, value as string),
  protocol: value => void numberOf(routeProtocols, value as string),
  tos: isByte,
  onlink: isBoolean,
  mtu: isUnsigned,
  metrics: isObject(metricChecks),
  preference: isOneOf(Object.keys(routePreferences)),
  nexthopId: isUnsigned,
  nexthops: isList(isObject(nexthopChecks)),
  expires: isInteger(1, 0x7fff_ffff),
  flags: isFlags,
}
/** What the kernel ignores silently in the other family. */
const onlyIn = { scope: 4, tos: 4, from: 6, preference: 6, expires: 6 } as const

type Numbers = Readonly<Record<string, number>>
/** The number for a name, or for a number as it is read back. */
export function numberOf(names: Numbers, value: string | number, highest = 0xff): number {
  if (typeof value === 'string' && Object.hasOwn(names, value)) return names[value]!
  const number = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number))
    throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `${shown(value)} is neither a number nor one of ${Object.keys(names).join(', ')}`)
  if (number < 0 || number > highest) throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${number} is out of range (0 to ${highest})`)
  return number
}
/** 'main' → 254 */
export function tableNumber(value: string | number): number {
  const number = numberOf(tableNumbers, value, 0xffff_ffff)
  if (number === 0) throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', '0 is out of range (1 to 4294967295)')
  return number
}

/** Checks a route; `deleting` asks only for what tells it from others. */
export function prepareRoute(spec: RouteSpec, deleting = false): PreparedRoute {
  checkOptions(spec, checks)
  // The kernel reports where a nexthop object leads, and wants to hear of the object alone.
  const route = deleting && spec.nexthopId !== undefined ? { ...spec, via: undefined, link: undefined, nexthops: undefined } : spec
  if (route.to === undefined) throw lacking('to', "say where the route leads: a prefix, an address or 'default'")
  const family = familyOf(route)
  const target = route.to === 'default' ? { prefix: 0, address: undefined } : network(route.to, 'to')
  checkCombination(route, family, deleting)
  const { link, nexthops } = route
  // A route by an object that drops is listed as a blackhole; the type that it was added with is another one.
  const told = deleting && route.nexthopId !== undefined && route.type === 'blackhole' ? undefined : route.type
  const type = told ?? (deleting ? undefined : 'unicast')
  const links = [
    ...(link === undefined ? [] : [{ ref: link, path: 'link' }]),
    ...(nexthops ?? []).flatMap((hop, i) => (hop.link === undefined ? [] : [{ ref: hop.link, path: `nexthops[${i}].link` }])),
  ]
  const source = route.from === undefined ? undefined : network(route.from, 'from')
  const { onlink, metric, src, nexthopId, preference, expires, tos, protocol } = route
  const hasWay = route.via !== undefined || nexthops !== undefined || nexthopId !== undefined
  const metrics = metricsMessage(route.mtu, route.metrics)
  const message = (indexes: readonly number[]): RouteMessage => {
    const rest = [...indexes]
    return present({
      family: familyName(family),
      dstLen: target.prefix,
      srcLen: source?.prefix,
      tos,
      type,
      protocol: protocol === undefined ? (deleting ? undefined : routeProtocols.boot) : numberOf(routeProtocols, protocol),
      scope: route.scope === undefined ? defaultScope(family, type, hasWay, deleting) : numberOf(routeScopes, route.scope),
      flags: onlink && !nexthops ? (['onlink'] as const) : undefined,
      table: tableNumber(route.table ?? defaultTable(type)),
      dst: target.prefix === 0 ? undefined : target.address,
      src: source?.address,
      ...gateway(route.via, family),
      oif: link === undefined ? undefined : rest.shift(),
      priority: metric,
      prefsrc: src,
      metrics,
      pref: preference,
      expires,
      nhId: nexthopId,
      multipath: nexthops?.map(hop => ({
        flags: (hop.onlink ?? onlink) ? (['onlink'] as const) : [],
        hops: (hop.weight ?? 1) - 1,
        index: hop.link === undefined ? 0 : rest.shift(),
        ...gateway(hop.via, family),
      })),
    }) as RouteMessage
  }
  return { family, links, message }
}

const familyName = (family: 4 | 6) => (family === 4 ? ('inet' as const) : ('inet6' as const))

function familyOf({ to, family, via, src, from, nexthops }: RouteSpec): 4 | 6 {
  const said = to === 'default' ? family : parseCidr(to).family
  const hint = via ?? src ?? from ?? nexthops?.find(hop => hop.via !== undefined)?.via
  const found = said ?? (hint?.includes(':') ? 6 : 4)
  if (family !== undefined && family !== found) throw conflict('family', `${to} is IPv${found}`)
  return found
}

/** A prefix whose host bits are zero: with others the kernel refuses it (IPv4) or drops them silently (IPv6). */
function network(text: string, path: string): { prefix: number; address: string } {
  const { bytes, prefix, address } = parseCidr(text)
  const wanted = formatIp(networkOf(bytes, prefix))
  if (wanted !== address)
    throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${text} has bits beyond its prefix: the network is ${wanted}/${prefix}`, path)
  return { prefix, address }
}

function checkCombination(route: RouteSpec, family: 4 | 6, deleting: boolean): void {
  const { via, link, src, from, nexthops, nexthopId, type = 'unicast' } = route
  for (const [name, only] of Object.entries(onlyIn))
    if (route[name as keyof typeof onlyIn] !== undefined && family !== only) throw conflict(name, `IPv${family} routes have no ${name}`)
  const mustFit = { src, from: from === undefined ? undefined : parseCidr(from).address }
  for (const [name, address] of Object.entries(mustFit))
    if (address !== undefined && ipFamily(address) !== family)
      throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${address} is not an IPv${family} address, as the route is`, name)
  const routers: (readonly [string | undefined, string])[] = [
    [via, 'via'],
    ...(nexthops ?? []).map((hop, i) => [hop.via, `nexthops[${i}].via`] as const),
  ]
  for (const [address, path] of routers)
    if (address !== undefined && family === 6 && ipFamily(address) === 4)
      throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${address}: an IPv6 route cannot lead through an IPv4 router`, path)
  if (nexthops?.length === 0) throw conflict('nexthops', 'is empty')
  for (const [i, hop] of (nexthops ?? []).entries())
    if (hop.via === undefined && hop.link === undefined) throw lacking(`nexthops[${i}].via`, 'a nexthop needs via, or link')
  if (nexthops !== undefined)
    for (const [name, given] of Object.entries({ via, link }))
      if (given !== undefined) throw conflict(name, 'does not go with nexthops, each of which has its own')
  if (nexthopId !== undefined)
    for (const [name, given] of Object.entries({ via, link, nexthops }))
      if (given !== undefined) throw conflict(name, 'does not go with nexthopId: the nexthop object says it')
  if (deleting || wayless.includes(type) || nexthopId !== undefined) return
  if (nexthops === undefined && via === undefined && link === undefined)
    throw lacking('via', `a route needs a way: via, link or nexthops (or a type: ${wayless.join(', ')})`)
}

/** RTA_GATEWAY, or RTA_VIA for a router of the other family. */
function gateway(via: string | undefined, family: 4 | 6) {
  if (via === undefined) return {}
  return family === 4 && via.includes(':') ? { via: { inet6: via } } : { gateway: via }
}

const inLocalTable: readonly (string | undefined)[] = ['local', 'broadcast', 'anycast']
const defaultTable = (type: RouteType | undefined) => (inLocalTable.includes(type) ? 'local' : 'main')

/** As `ip route` chooses it. */
function defaultScope(family: 4 | 6, type: RouteType | undefined, hasWay: boolean, deleting: boolean): keyof typeof routeScopes {
  if (family === 6) return 'global'
  if (type === 'local') return 'host'
  if (type === 'broadcast' || type === 'multicast' || type === 'anycast') return 'link'
  if (deleting) return 'nowhere'
  return type === 'unicast' && !hasWay ? 'link' : 'global'
}

const plain: Partial<Record<string, string>> = {
  dst: 'to',
  dstLen: 'to',
  family: 'to',
  src: 'from',
  srcLen: 'from',
  gateway: 'via',
  oif: 'link',
  priority: 'metric',
  prefsrc: 'src',
  flags: 'onlink',
  pref: 'preference',
  nhId: 'nexthopId',
  index: 'link',
  hops: 'weight',
}

/** The caller's name of a field of the message: ['multipath', '1', 'gateway'] → 'nexthops[1].via'. */
export function routeField([first, second, third]: readonly string[]): string | undefined {
  if (first === undefined) return undefined
  if (first === 'metrics') return metricField(second)
  if (first === 'multipath')
    return `nexthops${second === undefined ? '' : `[${second}]`}${third === undefined ? '' : `.${plain[third] ?? third}`}`
  return plain[first] ?? first
}
