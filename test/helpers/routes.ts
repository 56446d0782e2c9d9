// A host on two networks for the tests of routes, and routes as `ip -j -d route` shows them in the words of the public API.

import { afterAll, afterEach, beforeAll } from 'vitest'
import { Namespace } from '../../lib/index.js'
import { type Host, useHost } from './host.js'
import { attempt, ip } from './readers.js'

/** The number of a table that is empty before each test; main has the connected routes too. */
export const table = 4242

export interface RoutedHost extends Host {
  readonly here: Namespace
  /** ifindex of the link that has 10.0.1.1/24 and fd00:1::1/64. */
  readonly eth0: number
  /** ifindex of the link that has 10.0.2.1/24 and fd00:2::1/64; it is eth0's other end. */
  readonly end: number
}

/** Makes the host before the file's tests; after each of them the routes that it added are gone. Read its fields in tests only. */
export function useRoutedHost(): RoutedHost {
  const host = useHost()
  const made: { here?: Namespace; eth0: number; end: number } = { eth0: 0, end: 0 }
  beforeAll(async () => {
    const lines = [
      'link add eth0 type veth peer name end',
      ...['eth0', 'end'].flatMap(link => [`link set ${link} addrgenmode none`, `link set ${link} up`]),
      'address add 10.0.1.1/24 dev eth0',
      'address add 10.0.2.1/24 dev end',
      'address add fd00:1::1/64 dev eth0 nodad',
      'address add fd00:2::1/64 dev end nodad',
    ]
    const { code, stderr } = await attempt(host.name, 'ip', ['-batch', '-'], `${lines.join('\n')}\n`)
    if (code !== 0) throw new Error(stderr)
    made.here = await Namespace.open({ name: host.name })
    made.eth0 = (await made.here.links.get('eth0')).index
    made.end = (await made.here.links.get('end')).index
  })
  afterEach(async () => {
    const flushes = ['boot', 'static', 'zebra'].map(protocol => `route flush table main proto ${protocol}`)
    // A table that has never had a route cannot be flushed.
    for (const family of ['-4', '-6'])
      await attempt(host.name, 'ip', [family, '-force', '-batch', '-'], `${[`route flush table ${table}`, ...flushes].join('\n')}\n`)
  })
  afterAll(async () => {
    await made.here?.close()
    await attempt(host.name, 'ip', ['link', 'delete', 'eth0'])
  })
  return {
    ...host,
    get here() {
      if (!made.here) throw new Error('read before the tests have begun')
      return made.here
    },
    get eth0() {
      return made.eth0
    },
    get end() {
      return made.end
    },
  }
}

/** `ip -j -d route show`. */
export const shownRoutes = (host: Host, family: 4 | 6, of: number | string = table): Promise<ShownRoute[]> =>
  ip<ShownRoute>(host.name, `-${family}`, 'route', 'show', 'table', String(of))

interface Hop {
  readonly gateway?: string
  readonly via?: { readonly host: string }
  readonly dev?: string
  readonly weight: number
  readonly flags: string[]
}
export interface ShownRoute {
  readonly type: string
  readonly dst: string
  readonly gateway?: string
  readonly via?: { readonly host: string }
  readonly dev?: string
  readonly table?: string
  readonly protocol?: string
  readonly scope?: string
  readonly prefsrc?: string
  readonly metric?: number
  readonly tos?: string
  readonly pref?: string
  readonly flags: string[]
  readonly metrics?: Record<string, number | string>[]
  readonly nexthops?: Hop[]
}
/** What `ip -j -d` says, in our words; links by name. */
export function translatedRoute(route: ShownRoute, family: 4 | 6): Record<string, unknown> {
  const { type, dst, gateway, via, dev, protocol, scope, prefsrc, metric, tos, pref, flags, nexthops, metrics } = route
  const { mtu, ...others } = Object.assign({}, ...(metrics ?? [])) as Record<string, unknown>
  const onlink = (all: string[]) => all.includes('onlink') || undefined
  const state = (all: string[]) => all.filter(flag => flag !== 'onlink')
  return defined({
    to: dst,
    family,
    via: gateway ?? via?.host,
    link: dev,
    src: prefsrc,
    metric,
    type,
    scope: family === 4 ? scope : undefined,
    protocol,
    tos: tos === undefined ? undefined : Number(tos),
    onlink: onlink(flags),
    mtu,
    metrics: Object.keys(others).length ? others : undefined,
    preference: pref === 'medium' ? undefined : pref,
    nexthops: nexthops?.map(hop =>
      defined({ via: hop.gateway ?? hop.via?.host, link: hop.dev, weight: hop.weight, onlink: onlink(hop.flags), flags: state(hop.flags) }),
    ),
    flags: state(flags),
  })
}
export const defined = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
