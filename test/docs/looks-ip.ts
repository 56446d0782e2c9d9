// The rows of `ip` that only look.
import type { Address, Link, LinkOf, NamespaceInfo, Neighbour, Route, Rule } from '../../lib/index.js'
import { type ShownRoute, translatedRoute } from '../helpers/routes.js'
import { defined, type Facts, type IpLink, json, type Look, nameOf, ourLink, sorted, text, theirLink } from './look.js'

const links = json<IpLink, Link[]>(
  entries => sorted(entries.map(theirLink)),
  (value, facts) => sorted(value.map(link => ourLink(link, facts))),
)
const oneLink = json<IpLink, Link>(
  entries => entries.map(theirLink),
  (value, facts) => [ourLink(value, facts)],
)

interface IpCounters {
  readonly stats64: Readonly<Record<'rx' | 'tx', Readonly<Record<string, number>>>>
}
const statistics = json<IpCounters, Link['statistics']>(
  ([entry]) => entry?.stats64,
  of => ({
    rx: {
      bytes: of?.rxBytes,
      packets: of?.rxPackets,
      errors: of?.rxErrors,
      dropped: of?.rxDropped,
      over_errors: of?.rxOverErrors,
      multicast: of?.multicast,
    },
    tx: {
      bytes: of?.txBytes,
      packets: of?.txPackets,
      errors: of?.txErrors,
      dropped: of?.txDropped,
      carrier_errors: of?.txCarrierErrors,
      collisions: of?.collisions,
    },
  }),
)
const bridges = json<IpLink, LinkOf<'bridge'>[]>(
  entries =>
    entries.map(({ ifname, linkinfo }) => {
      const { forward_delay, hello_time, max_age, ageing_time, stp_state, priority, bridge_id } = linkinfo?.info_data ?? {}
      return [ifname, forward_delay, hello_time, max_age, ageing_time, stp_state, priority, String(bridge_id)]
    }),
  value =>
    value.map(({ name, options: { forwardDelay, helloTime, maxAge, ageingTime, stp, priority, bridgeId } }) => {
      const times = [forwardDelay, helloTime, maxAge, ageingTime].map(seconds => seconds * 100)
      return [name, ...times, stp ? 1 : 0, priority, shortId(bridgeId)]
    }),
)
/** '8000.020000000003' → '8000.2:0:0:0:0:3' */
const shortId = (id: string) => {
  const [priority, mac = ''] = id.split('.')
  return `${priority}.${(mac.match(/../g) ?? []).map(byte => Number.parseInt(byte, 16).toString(16)).join(':')}`
}

interface IpAddresses {
  readonly ifname: string
  readonly addr_info: readonly ({ readonly local: string; readonly prefixlen: number } & Readonly<Record<string, unknown>>)[]
}
const addresses = json<IpAddresses, Address[]>(
  entries =>
    sorted(
      entries.flatMap(({ ifname, addr_info }) =>
        addr_info.map(entry =>
          defined({
            link: ifname,
            cidr: `${entry.local}/${entry.prefixlen}`,
            peer: entry.address,
            broadcast: entry.broadcast,
            scope: entry.scope,
            label: entry.label,
            flags: sorted(Object.keys(entry).filter(name => entry[name] === true)),
          }),
        ),
      ),
    ),
  (value, facts) =>
    sorted(
      value.map(({ link, cidr, peer, broadcast, scope, label, flags }) =>
        defined({ link: nameOf(link, facts), cidr, peer, broadcast, scope, label, flags: sorted(flags) }),
      ),
    ),
)

/** A table's name where it has one; the tools leave main out. */
const tables: Readonly<Record<number, string>> = { 254: 'main', 255: 'local' }
const familyOf = ({ dst, gateway, prefsrc }: ShownRoute) =>
  [dst, gateway, prefsrc].some(address => address?.includes(':')) ? (6 as const) : (4 as const)
const theirRoute = (route: ShownRoute, family: 4 | 6) => ({
  ...translatedRoute(route, family),
  table: route.table ?? 'main',
  ...(route.metrics && { metrics: undefined, mtu: undefined }),
})
const ourRoute = ({ table, link, nexthops, metrics: _, mtu: __, ...route }: Route, facts: Facts) =>
  defined({
    ...route,
    table: tables[table] ?? String(table),
    link: nameOf(link, facts),
    nexthops: nexthops?.map(hop => ({ ...hop, link: nameOf(hop.link, facts) })),
  })
/** What a filter has said already the tool does not say again. */
const routes = (family?: 4 | 6, filter: Partial<ShownRoute> = {}) =>
  json<ShownRoute, Route[]>(
    entries => sorted(entries.map(route => defined(theirRoute({ ...filter, ...route }, family ?? familyOf(route))))),
    (value, facts) => sorted(value.map(route => ourRoute(route, facts))),
  )
const lookup = json<ShownRoute & { readonly from?: string; readonly iif?: string }, Route>(
  ([route]) => route && defined({ to: route.dst, via: route.gateway, link: route.dev, src: route.prefsrc }),
  ({ to, via, link, src }, facts) => defined({ to, via, link: nameOf(link, facts), src }),
)

interface IpRule {
  readonly priority: number
  readonly src: string
  readonly srclen?: number
  readonly table: string
}
const ruleTables: Readonly<Record<number, string>> = { ...tables, 253: 'default' }
const rules = json<IpRule, Rule[]>(
  entries => entries.map(({ priority, src, srclen, table }) => [priority, srclen === undefined ? src : `${src}/${srclen}`, table]),
  value => value.map(({ priority, from = 'all', table }) => [priority, from, ruleTables[table] ?? String(table)]),
)

interface IpNeighbour {
  readonly dst: string
  readonly dev: string
  readonly lladdr?: string
  readonly state?: readonly string[]
}
const neighbours = json<IpNeighbour, Neighbour[]>(
  entries => sorted(entries.map(({ dst, dev, lladdr, state }) => [dst, dev, lladdr ?? '', state?.[0]?.toLowerCase() ?? 'none'])),
  (value, facts) => sorted(value.map(({ address, link, mac = '', state }) => [address, nameOf(link, facts), mac, state])),
)

/** Other tests have namespaces of their own at the same time. */
const known = ['box', 'blue']
const trimmed = text<string>(
  printed => printed.trim(),
  value => value,
)
/** The columns that stand still: which interfaces there are. */
const interfaces = (printed: string) => sorted([...printed.matchAll(/^ *(\w+):/gm)].map(([, name]) => name))

export const ipLooks: Readonly<Record<string, Look>> = {
  'ip netns list': text<NamespaceInfo[]>(
    printed => sorted(printed.split('\n').flatMap(line => line.split(' ')[0] ?? '')).filter(name => known.includes(name)),
    value => value.map(({ name = '' }) => name).filter(name => known.includes(name)),
  ),
  'ip netns exec blue cat /proc/net/dev': text<{ stdout: string }>(interfaces, ({ stdout }) => interfaces(stdout)),
  'ip netns exec blue ls /sys/class/net': text<{ stdout: string }>(
    printed => printed,
    ({ stdout }) => stdout,
  ),
  'ip netns identify $pid': trimmed,
  'ip netns pids blue': text<number[]>(
    printed => sorted(printed.trim().split('\n').map(Number)),
    value => sorted(value),
  ),
  'ip netns list-id': text<number>(
    printed => Number(/nsid (\d+) .*name: blue\)/.exec(printed)?.[1]),
    value => value,
  ),
  'readlink /proc/self/ns/net': trimmed,
  'readlink /proc/$pid/ns/net': trimmed,
  'ip link show': links,
  'ip link show dev eth0': oneLink,
  'ip -s link show dev eth0': statistics,
  'ip -d link show type bridge': bridges,
  'ip link show master br0': links,
  'ip -n blue link show': links,
  'ip address show': addresses,
  'ip -4 address show dev eth0': addresses,
  'ip route show': routes(4),
  'ip -6 route show': routes(6),
  'ip route show table local': routes(4, { table: 'local' }),
  'ip route show table all': routes(),
  'ip route show proto zebra': routes(4, { protocol: 'zebra' }),
  'ip route show dev br0': routes(4, { dev: 'br0' }),
  'ip route get 10.9.1.1': lookup,
  'ip route get 10.9.1.1 from 10.0.1.2 iif br0': lookup,
  'ip route get fibmatch 10.9.1.1': lookup,
  'ip rule show': rules,
  'ip neighbour show': neighbours,
  'ip neighbour show proxy': neighbours,
}
