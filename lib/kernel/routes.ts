// The verbs on the routes of one namespace: add, replace, delete, list, iterate, and the look-up of the way that a packet would take.
import { argumentError } from '../codec/errors.js'
import { ipFamily } from '../codec/ip.js'
import { requestFlags } from '../protocol/netlink.js'
import { route as routeTable } from '../protocol/route.js'
import { routeProtocols } from '../protocol/route-names.js'
import { rtm } from '../protocol/rtnetlink.js'
import type { Context } from '../socket/request.js'
import {
  type Checks,
  checkAt,
  checkOptions,
  isAddress,
  isBoolean,
  isFamily,
  isLink,
  isOneOf,
  isSignal,
  isUnsigned,
  present,
} from './arguments.js'
import { blaming, type Culprits } from './blame.js'
import { indexAt } from './link-index.js'
import { iterateAll, type Listing, listAll } from './listing.js'
import { isRoute, type RawRoute, type Route, type RouteType, tableOf, toRoute } from './route-object.js'
import { numberOf, prepareRoute, type RouteMessage, type RouteSpec, routeField, tableNumber, typeNames } from './route-request.js'
import type { LinkRef, Scope } from './scope.js'

/** Which routes; the kernel does the choosing. */
export interface RouteFilter {
  /** 'main' by default. */
  readonly table?: 'main' | 'local' | 'default' | 'all' | number
  readonly family?: 4 | 6
  readonly link?: LinkRef
  /** 'static', 'zebra' … or a number. */
  readonly protocol?: string | number
  readonly type?: RouteType
  readonly signal?: AbortSignal
}
export interface RouteLookup {
  /** The packet's source address. */
  readonly from?: string
  /** The packet's netfilter mark. */
  readonly mark?: number
  /** The link that a forwarded packet came in by. */
  readonly iif?: LinkRef
  /** The link that the packet must leave by. */
  readonly link?: LinkRef
  /** The entry of the table that fits, as list() gives it, in place of the way that this one packet takes. */
  readonly match?: boolean
}

const filterChecks: Checks<RouteFilter> = {
  table: value => {
    if (value !== 'all') tableNumber(value as string)
  },
  family: isFamily,
  link: isLink,
  protocol: value => void numberOf(routeProtocols, value as string),
  type: isOneOf(typeNames),
  signal: isSignal,
}
const lookupChecks: Checks<RouteLookup> = { from: isAddress, mark: isUnsigned, iif: isLink, link: isLink, match: isBoolean }

const reply = { type: rtm.newRoute, codec: routeTable }
const families = [4, 6] as const
const familyName = (family: 4 | 6) => (family === 4 ? ('inet' as const) : ('inet6' as const))

export const routeHints = {
  EEXIST: 'there is such a route already: replace() changes it',
  ENETUNREACH: 'no route to the gateway: its network must be on a link of this namespace that is up, or say onlink',
  EHOSTUNREACH: 'no route to the gateway: its network must be on a link of this namespace that is up, or say onlink',
  ENETDOWN: 'the link is down: links.update(link, { up: true })',
  ENODEV: 'links.list() says which links there are; IPv6 may be switched off on this one',
  EINVAL: 'see that the gateway is not an address of this namespace itself, and that `src` is one',
  ESRCH: 'no such route: what is given (metric, type, table, way …) must all fit',
  EOPNOTSUPP: 'this kernel cannot do this',
} as const
const lookupHints = {
  ENETUNREACH: 'no route to that subnet: no connected network, no other route and no default route covers the address',
  EHOSTUNREACH: 'a route of type unreachable covers the address, or its way is down',
  EACCES: 'a route or a rule of type prohibit covers the address',
  EINVAL: 'a route of type blackhole covers the address',
  EXDEV: 'the reverse path filter drops such packets: see net.ipv4.conf.<link>.rp_filter',
  ENODEV: 'links.list() says which links there are',
} as const

export function routeVerbs(scope: Scope) {
  const connected = () => scope.connection()

  async function change(operation: string, type: number, flags: number, spec: RouteSpec): Promise<void> {
    const prepared = prepareRoute(spec, type === rtm.delRoute)
    const context: Context = { operation, subject: spec.to, namespace: scope.label, field: routeField, hints: routeHints }
    const indexes: number[] = []
    for (const { ref, path } of prepared.links) indexes.push(await indexAt(scope, ref, context, path))
    const connection = await connected()
    await blaming(connection.request({ type, flags, codec: routeTable, value: prepared.message(indexes), context }), routeCulprits(spec))
  }

  /** Each family has tables of its own. */
  async function listing(filter: RouteFilter): Promise<Listing<typeof routeTable, typeof routeTable, Route>> {
    checkOptions(filter, filterChecks)
    const { family, link, signal } = filter
    const table = filter.table === 'all' ? undefined : tableNumber(filter.table ?? 'main')
    const context: Context = { operation: 'list routes', namespace: scope.label, field: routeField }
    const oif = link === undefined ? undefined : await indexAt(scope, link, context, 'link')
    const protocol = filter.protocol === undefined ? undefined : numberOf(routeProtocols, filter.protocol)
    const common = present({ table, oif, protocol, type: filter.type })
    const requests = (family === undefined ? families : [family]).map(one => ({
      type: rtm.getRoute,
      codec: routeTable,
      value: { ...common, family: familyName(one) } as RouteMessage,
      context,
      signal,
    }))
    // Kernels without strict checking give every table.
    const fits = (raw: RawRoute) =>
      isRoute(raw) &&
      !raw.flags.includes('cloned') &&
      (table === undefined || tableOf(raw) === table) &&
      (family === undefined || raw.family === familyName(family)) &&
      (filter.type === undefined || raw.type === filter.type) &&
      (protocol === undefined || numberOf(routeProtocols, raw.protocol) === protocol) &&
      (oif === undefined || raw.oif === oif || raw.multipath?.some(hop => hop.index === oif) === true)
    // A table that never had a route may not be there at all.
    return { requests, reply, choose: raw => (fits(raw) ? toRoute(raw) : undefined), none: 'ENOENT' }
  }

  return {
    /**
     * Adds a route: `add({ to: 'default', via: '10.0.1.1' })`, `add({ to: '10.9.0.0/16', nexthops: [{ via: '10.0.1.2' }, { via: '10.0.1.3', weight: 2 }] })`.
     *
     * Errors: EEXIST there is one, ENETUNREACH no route to the gateway, ENODEV no such link, ENETDOWN it is down, EPERM without CAP_NET_ADMIN.
     */
    add(route: RouteSpec): Promise<void> {
      return change('add route', rtm.newRoute, requestFlags.create | requestFlags.exclusive, route)
    },

    /** As add, in place of the route to the same prefix with the same metric, if there is one. */
    replace(route: RouteSpec): Promise<void> {
      return change('replace route', rtm.newRoute, requestFlags.create | requestFlags.replace, route)
    },

    /** Removes the route that fits all that is given; throws ESRCH if none does. */
    delete(route: RouteSpec): Promise<void> {
      return change('delete route', rtm.delRoute, 0, route)
    },

    /** The routes of the table main, or of the one that the filter says; IPv4 first. */
    async list(filter: RouteFilter = {}): Promise<Route[]> {
      return listAll(scope, await listing(filter))
    },

    /** As list(), one by one and in bounded memory: the kernel waits for the reader. Routes that change meanwhile may be missed. */
    iterate(filter: RouteFilter = {}): AsyncIterableIterator<Route, void> {
      return iterateAll(scope, () => listing(filter))
    },

    /**
     * Which route a packet to this address would take: the most specific one, by the rules in their order. Of several ways it gives the one
     * that this packet takes, with the source address that it would get.
     *
     * Errors: ENETUNREACH no route to that subnet, EHOSTUNREACH a route of type unreachable, EACCES prohibit, EINVAL blackhole.
     */
    async lookup(to: string, options: RouteLookup = {}): Promise<Route> {
      checkAt('to', () => isAddress(to))
      checkOptions(options, lookupChecks, 'options')
      const { from, mark, iif, link, match } = options
      const family = ipFamily(to)
      if (from !== undefined && ipFamily(from) !== family)
        throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${from} is not of the same family as ${to}`, 'options.from')
      const context: Context = {
        operation: 'look up route to',
        subject: to,
        namespace: scope.label,
        field: lookupField,
        hints: lookupHints,
      }
      const index = async (ref: LinkRef | undefined, path: string) => (ref === undefined ? undefined : indexAt(scope, ref, context, path))
      const bits = family === 4 ? 32 : 128
      const value = present({
        family: familyName(family === 4 ? 4 : 6),
        dstLen: bits,
        srcLen: from === undefined ? undefined : bits,
        // IPv6 says the table unasked, and refuses to be asked.
        flags: [...(family === 4 ? (['lookupTable'] as const) : []), ...(match ? (['fibMatch'] as const) : [])],
        dst: to,
        src: from,
        mark,
        iif: await index(iif, 'options.iif'),
        oif: await index(link, 'options.link'),
      }) as RouteMessage
      const connection = await connected()
      return toRoute(await connection.get({ type: rtm.getRoute, codec: routeTable, value, context }, reply))
    },
  }
}

export const routeCulprits = ({ via, src, link, nexthops }: RouteSpec): Culprits => [
  [/prefsrc|source address/i, src && 'src'],
  [/gateway|ENETUNREACH|EHOSTUNREACH/i, via ? 'via' : nexthops && 'nexthops'],
  [/ENODEV|not up|egress device/i, nexthops ? 'nexthops' : link === undefined ? via && 'via' : 'link'],
]

/** The caller's name of a field of a look-up. */
const lookupField = ([first]: readonly string[]): string | undefined =>
  first === 'dst' ? 'to' : first === 'src' ? 'options.from' : first === 'oif' ? 'options.link' : first && `options.${first}`
