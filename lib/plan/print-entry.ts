// The words of `ip address`, `ip route`, `ip neighbour` and `ip rule` for one entry.
import { parseCidr } from '../codec/ip.js'
import type { AddressOptions } from '../kernel/address-object.js'
import type { RuleSpec } from '../kernel/rules.js'
import type { ActionOf, PlanLinkRef } from './items.js'
import type { Said } from './print-link.js'

type Route = ActionOf<'routes.add'>['route']
/** A word and its value, where there is one. */
const pair = (word: string, value: unknown): string[] => (value === undefined ? [] : [word, String(value)])
const lifetime = (value: number | undefined) => (value === Number.POSITIVE_INFINITY ? 'forever' : value)

export function addressWords(cidr: string, options: AddressOptions = {}, link: string, isVeth: boolean): string[] {
  const { address, prefix, family } = parseCidr(cidr)
  const { peer, broadcast, label, scope, noDad = isVeth, noPrefixRoute, validLifetime, preferredLifetime = validLifetime, metric } = options
  return [
    ...(peer === undefined ? [cidr] : [address, 'peer', `${peer}/${prefix}`]),
    ...pair('broadcast', broadcast),
    ...['dev', link],
    ...pair('label', label),
    ...pair('scope', scope),
    ...pair('metric', metric),
    ...(family === 6 && noDad ? ['nodad'] : []),
    ...(noPrefixRoute ? ['noprefixroute'] : []),
    ...pair('valid_lft', lifetime(validLifetime)),
    ...pair('preferred_lft', lifetime(preferredLifetime)),
  ]
}

const metricWords: Readonly<Record<string, string>> = {
  rtoMin: 'rto_min',
  congestion: 'congctl',
  fastopenNoCookie: 'fastopen_no_cookie',
}
/** Seconds here, milliseconds with a unit there. */
const timed: readonly string[] = ['rtt', 'rttvar', 'rtoMin']

export function routeWords(route: Route, link: (ref: PlanLinkRef) => string): Said & { readonly ipv6: boolean } {
  const { to, family, via, src, from, metric, table, type, scope, protocol, tos, onlink, mtu, preference, nexthopId, expires } = route
  const first = via ?? src ?? from ?? route.nexthops?.find(hop => hop.via !== undefined)?.via
  const isIpv6 = to === 'default' ? (family ?? (String(first ?? '').includes(':') ? 6 : 4)) === 6 : to.includes(':')
  const gateway = (router: unknown) =>
    router === undefined ? [] : ['via', ...(!isIpv6 && String(router).includes(':') ? ['inet6'] : []), String(router)]
  const { lock = [], features, ...metrics } = route.metrics ?? {}
  const values: Readonly<Record<string, unknown>> = { ...(mtu !== undefined && { mtu }), ...metrics }
  const words = [
    ...(type === undefined || type === 'unicast' ? [] : [type]),
    to,
    ...(from === undefined ? [] : ['from', from]),
    ...gateway(via),
    ...(route.link === undefined ? [] : ['dev', link(route.link)]),
    ...pair('src', src),
    ...pair('metric', metric),
    ...pair('table', table),
    ...pair('scope', scope),
    ...pair('proto', protocol),
    ...pair('tos', tos),
    ...pair('pref', preference),
    ...pair('nhid', nexthopId),
    ...pair('expires', expires),
    ...Object.entries(values).flatMap(([name, value]) => [
      metricWords[name] ?? name,
      ...((lock as readonly string[]).includes(name) ? ['lock'] : []),
      timed.includes(name) ? `${(value as number) * 1000}ms` : String(typeof value === 'boolean' ? Number(value) : value),
    ]),
    ...(onlink && !route.nexthops ? ['onlink'] : []),
    ...(features ?? []).flatMap(feature => ['features', feature]),
    ...(route.nexthops ?? []).flatMap(hop => [
      'nexthop',
      ...gateway(hop.via),
      ...(hop.link === undefined ? [] : ['dev', link(hop.link)]),
      ...pair('weight', hop.weight),
      ...((hop.onlink ?? onlink) ? ['onlink'] : []),
    ]),
  ]
  return { words, unsaid: [], ipv6: isIpv6 && to === 'default' }
}

export function neighbourWords(entry: ActionOf<'neighbours.add'>['entry'], link: string, deleting: boolean): string[] {
  const { address, mac, state, proxy, router } = entry
  if (proxy) return ['proxy', address, 'dev', link]
  if (deleting) return [address, 'dev', link]
  return [address, ...pair('lladdr', mac), 'dev', link, ...pair('nud', state), ...(router ? ['router'] : [])]
}

export function ruleWords(rule: RuleSpec): Said & { readonly ipv6: boolean } {
  const { from, to, mark, mask, iif, oif, tos, ipProtocol, sourcePorts, destinationPorts, users, invert, family, type, table, l3mdev } =
    rule
  const range = (word: string, given: { start: number; end: number } | undefined) =>
    given === undefined
      ? []
      : [word, given.start === given.end && word !== 'uidrange' ? String(given.start) : `${given.start}-${given.end}`]
  const words = [
    ...(invert ? ['not'] : []),
    ...pair('priority', rule.priority),
    ...pair('from', from),
    ...pair('to', to),
    ...(mark === undefined ? [] : ['fwmark', `${mark}${mask === undefined ? '' : `/${mask}`}`]),
    ...pair('iif', iif),
    ...pair('oif', oif),
    ...pair('tos', tos),
    ...pair('ipproto', ipProtocol),
    ...range('sport', sourcePorts),
    ...range('dport', destinationPorts),
    ...range('uidrange', users),
    ...pair('suppress_prefixlength', rule.suppressPrefix),
    ...pair('suppress_ifgroup', rule.suppressGroup),
    ...(l3mdev ? ['l3mdev'] : []),
    ...pair('protocol', rule.protocol),
    ...(type === undefined || type === 'table' || type === 'goto' ? [] : [type]),
    ...pair('goto', rule.goto),
    ...(table === undefined || table === 0 ? [] : ['table', String(table)]),
  ]
  const said = from ?? to
  return { words, unsaid: [], ipv6: family === 6 && !said?.includes(':') }
}
