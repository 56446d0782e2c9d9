// Who reaches whom: endpoints of the same network, of another and of an internal one, the host, and the outside, each asked for with real sockets.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Namespace, NetloomError, Networks } from '../../lib/index.js'
import { missing, needs } from '../helpers/features.js'
import { useOpenHost } from '../helpers/links.js'
import { type Answering, answer, reach } from '../helpers/reach.js'

const host = useOpenHost()
/** Milliseconds for whom an answer is expected. */
const patient = 10_000
const sources = ['same', 'other', 'inner', 'host', 'outside'] as const
type Source = (typeof sources)[number]
/** What is asked for: address and port. */
type Target = readonly [address: string, port: number]
type Family = 4 | 6

const namespaces = {} as Record<Source | 'web', Namespace>
/** The address that each has itself, by family. */
const own = {} as Record<Source | 'web' | 'gateway', Record<Family, string>>
const uplink: Record<Family, string> = { 4: '192.0.2.1', 6: '2001:db8::1' }
const beyond: Record<Family, string> = { 4: '192.0.2.2', 6: '2001:db8::2' }
const servers: Answering[] = []
let networks: Networks
let folder = ''
let able = false

beforeEach(context => needs(context, 'tool:ip', 'tool:nft', 'nftables'))
beforeAll(async () => {
  able = (await missing('tool:ip')) === undefined && (await missing('nftables')) === undefined
  if (!able) return
  // Where br_netfilter is loaded, bridged frames would meet the firewall, whatever the bridge says.
  for (const family of ['ip', 'ip6']) {
    const key = `net.bridge.bridge-nf-call-${family}tables`
    await host.namespace.sysctl.set(key, 0).catch((error: unknown) => {
      if (!(error instanceof NetloomError) || error.code !== 'ENOENT') throw error
    })
  }
  folder = await mkdtemp(join(tmpdir(), 'netloom-matrix-'))
  networks = await Networks.open({ stateDir: folder, host: host.namespace })
  namespaces.host = host.namespace
  for (const name of ['web', 'same', 'other', 'inner', 'outside'] as const)
    namespaces[name] = await Namespace.create(host.named(name), { loopback: true })
  const { outside } = namespaces
  // A machine beside the host with routes to the networks behind it: only the firewall is in the way.
  await host.namespace.links.create({ kind: 'veth', name: 'up0', up: true, peer: { name: 'eth0', namespace: outside, up: true } })
  for (const family of [4, 6] as const)
    for (const [where, link, address] of [[host.namespace, 'up0', uplink[family]] as const, [outside, 'eth0', beyond[family]] as const])
      await where.addresses.add(link, `${address}/${family === 4 ? 24 : 64}`, family === 6 ? { noDad: true } : {})
  await outside.routes.add({ to: '10.0.0.0/8', via: uplink[4] })
  await outside.routes.add({ to: 'fd00::/8', via: uplink[6] })

  const blue = await networks.create({ name: 'blue', subnet: '10.120.0.0/24', ipv6: true })
  const green = await networks.create({ name: 'green', subnet: '10.121.0.0/24', ipv6: true })
  const closed = await networks.create({ name: 'closed', subnet: '10.122.0.0/24', ipv6: true, internal: true })
  const publish = (['tcp', 'udp'] as const).map(protocol => ({ hostPort: 8080, containerPort: 80, protocol }))
  for (const [name, network, options] of [
    ['web', blue, { publish }],
    ['same', blue, {}],
    ['other', green, {}],
    ['inner', closed, {}],
  ] as const) {
    const { addresses } = await network.connect(namespaces[name], options)
    const [ipv4 = '', ipv6 = ''] = addresses.map(address => address.split('/')[0] ?? '')
    own[name] = { 4: ipv4, 6: ipv6 }
  }
  const pools = (await blue.inspect()).IPAM.Config
  own.gateway = { 4: pools[0]?.Gateway ?? '', 6: pools[1]?.Gateway ?? '' }
  own.host = own.gateway
  own.outside = beyond
  // Even a default route that somebody adds inside leads nowhere.
  const inner = (await closed.inspect()).IPAM.Config
  for (const one of inner) await namespaces.inner.routes.add({ to: 'default', via: one.Gateway ?? '' })
  for (const protocol of ['tcp', 'udp'] as const) {
    for (const port of [80, 81]) servers.push(await answer(namespaces.web, port, protocol))
    for (const name of ['other', 'inner', 'outside', 'host'] as const) servers.push(await answer(namespaces[name], 7000, protocol))
  }
})
afterAll(async () => {
  if (!able) return
  for (const server of servers) await server[Symbol.asyncDispose]()
  for (const network of await networks.list({ type: 'custom' })) await network.delete({ force: true })
  await networks.close()
  await host.namespace.links.delete('up0')
  for (const [name, namespace] of Object.entries(namespaces)) if (name !== 'host') await namespace.delete()
  await rm(folder, { recursive: true })
})

/** What the server sees: the asker's own address, the gateway's, the host's towards the outside; or that there is no way. */
type Sees = 'own' | 'gateway' | 'uplink' | 'nothing' | 'refused'
const rows: readonly (readonly [what: string, target: (family: Family) => Target, sees: Partial<Record<Source, Sees>>])[] = [
  [
    'its published port directly',
    family => [own.web[family], 80],
    { same: 'own', other: 'nothing', inner: 'nothing', host: 'gateway', outside: 'nothing' },
  ],
  [
    'a port that it does not publish',
    family => [own.web[family], 81],
    { same: 'own', other: 'nothing', inner: 'nothing', host: 'gateway', outside: 'nothing' },
  ],
  [
    "the published port of the host's address",
    family => [uplink[family], 8080],
    { same: 'gateway', other: 'own', inner: 'nothing', host: 'uplink', outside: 'own' },
  ],
  [
    "the published port of its gateway's address",
    family => [own.gateway[family], 8080],
    { same: 'gateway', other: 'own', inner: 'nothing', host: 'gateway', outside: 'own' },
  ],
  [
    'a port of the host that nobody publishes',
    family => [uplink[family], 8081],
    { same: 'refused', other: 'refused', inner: 'refused', host: 'refused', outside: 'refused' },
  ],
  ["the host's own server", family => [uplink[family], 7000], { same: 'own', other: 'own', inner: 'own', outside: 'own' }],
  ['the outside', family => [beyond[family], 7000], { same: 'uplink', other: 'uplink', inner: 'nothing', host: 'uplink' }],
  ['an endpoint of another network', family => [own.other[family], 7000], { same: 'nothing', inner: 'nothing', outside: 'nothing' }],
  ['an endpoint of an internal network', family => [own.inner[family], 7000], { same: 'nothing', other: 'nothing', outside: 'nothing' }],
]

test.each(
  rows.flatMap(([what, target, sees]) =>
    ([4, 6] as const).flatMap(family => (['tcp', 'udp'] as const).map(protocol => ({ what, target, sees, family, protocol }))),
  ),
)('$what: IPv$family, $protocol', async ({ target, sees, family, protocol }) => {
  const [address, port] = target(family)
  const asked = await Promise.all(
    Object.entries(sees).map(async ([name, expected]) => {
      const answered = !['nothing', 'refused'].includes(expected)
      return [name, await reach(namespaces[name as Source], address, port, protocol, answered ? patient : undefined)]
    }),
  )
  const words = Object.entries(sees).map(([name, expected]) => {
    if (expected === 'own') return [name, own[name as Source][family]]
    if (expected === 'gateway') return [name, own.gateway[family]]
    // A datagram socket that is not connected hears nothing of a refusal.
    return [name, expected === 'uplink' ? uplink[family] : protocol === 'udp' && expected === 'refused' ? 'nothing' : expected]
  })
  expect(Object.fromEntries(asked)).toEqual(Object.fromEntries(words))
})
