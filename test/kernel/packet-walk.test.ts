// The walk of a packet between containers, step by step, against what ip, bridge and ethtool say of the same things.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Namespace, Networks, type PacketWalkStep } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useOpenHost } from '../helpers/links.js'
import { bridge, ethtoolStatistics, ip } from '../helpers/readers.js'

const host = useOpenHost()
let folder = ''
let networks: Networks
const made: Namespace[] = []
beforeEach(async context => {
  await needs(context, 'bridge', 'veth', 'nftables')
  folder = await mkdtemp(join(tmpdir(), 'netloom-walk-'))
  networks = await Networks.open({ stateDir: folder, host: host.namespace })
})
afterEach(async () => {
  for (const namespace of made.splice(0)) await namespace.delete()
  for (const network of await networks.list({ type: 'custom' })) await network.delete({ force: true })
  await networks.close()
  await rm(folder, { recursive: true })
})

async function container(name: string): Promise<Namespace> {
  const namespace = await Namespace.create(host.named(name), { loopback: true })
  made.push(namespace)
  return namespace
}
const kindsOf = (steps: readonly PacketWalkStep[]) => steps.map(({ kind }) => kind).filter(kind => !kind.includes('firewall'))
const only = (steps: readonly PacketWalkStep[], kind: PacketWalkStep['kind']) => steps.filter(step => step.kind === kind)

test('on one network: route, ARP, veth, bridge, FDB, veth', async context => {
  await needs(context, 'tool:ip', 'tool:bridge', 'tool:ethtool')
  const [web, db] = [await container('web'), await container('db')]
  const net = await networks.create({ name: 'my-net', subnet: '172.28.0.0/16', ipRange: '172.28.5.0/24', gateway: '172.28.5.254' })
  const [a, b] = [await net.connect(web), await net.connect(db)]
  expect((await web.ping('172.28.5.1', { count: 1 })).received).toBe(1)
  const walk = await networks.packetWalk(a, b)
  expect(walk, String(walk)).toMatchObject({
    verdict: 'passes',
    from: { namespace: web.name, network: 'my-net', interface: 'eth0', address: '172.28.5.0', mac: a.mac },
    to: { namespace: db.name, network: 'my-net', interface: 'eth0', address: '172.28.5.1', mac: b.mac },
    causes: [],
  })
  const way = ['route', 'arp', 'veth', 'bridge', 'fdb', 'veth', 'delivery']
  expect(kindsOf(walk.there)).toEqual(way)
  expect(kindsOf(walk.back)).toEqual(way)

  const { there } = walk
  const [answer] = await ip<{ dst: string; dev: string; prefsrc: string }>(web.name, 'route', 'get', '172.28.5.1')
  const [entry] = await ip<{ dst: string }>(web.name, 'route', 'get', 'fibmatch', '172.28.5.1')
  expect(only(there, 'route')).toMatchObject([
    { namespace: web.name, link: answer!.dev, facts: { route: entry!.dst, address: answer!.prefsrc } },
  ])
  const [neighbour] = await ip<{ lladdr: string; state: string[] }>(web.name, 'neigh', 'show', '172.28.5.1')
  expect(only(there, 'arp')).toMatchObject([{ link: 'eth0', facts: { address: '172.28.5.1', mac: neighbour!.lladdr } }])
  const indexes = await Promise.all([ethtoolStatistics(web.name, 'eth0'), ethtoolStatistics(host.name, b.hostInterface!)])
  expect(
    only(there, 'veth').map(({ namespace, link, facts }) => [
      namespace,
      link,
      facts?.peer?.namespace,
      facts?.peer?.link,
      facts?.peer?.index,
    ]),
  ).toEqual([
    [web.name, 'eth0', host.name, a.hostInterface, indexes[0]!.peer_ifindex],
    [host.name, b.hostInterface, db.name, 'eth0', indexes[1]!.peer_ifindex],
  ])
  const [port] = await bridge<{ master: string; state: string }>(host.name, 'link', 'show', 'dev', a.hostInterface!)
  expect(only(there, 'bridge')).toMatchObject([
    { namespace: host.name, link: port!.master, facts: { port: a.hostInterface, state: port!.state } },
  ])
  const macs = await bridge<{ mac: string; ifname: string }>(host.name, 'fdb', 'show', 'br', port!.master)
  const known = macs.filter(({ mac }) => mac === b.mac).map(({ ifname }) => ifname)
  expect(known).toContain(b.hostInterface)
  expect(only(there, 'fdb')).toMatchObject([{ link: port!.master, facts: { mac: b.mac, port: b.hostInterface } }])
  expect(String(walk).split('\n')[0]).toBe(`${web.name} (172.28.5.0, my-net) → ${db.name} (172.28.5.1, my-net): passes`)
  expect(String(walk)).toMatch(/^ {2}fdb +\S+ br-\w+ +br-\w+ knows that 02:42:ac:1c:05:01 is behind /m)
})

test('on different networks: to the gateway, and there the firewall drops it', async () => {
  const [web, db] = [await container('web'), await container('db')]
  const [front, back] = [await networks.create({ name: 'front' }), await networks.create({ name: 'back' })]
  const [a, b] = [await front.connect(web), await back.connect(db)]
  const address = b.addresses[0]!.split('/')[0]!
  expect((await web.ping(address, { count: 1, timeout: 0.4 })).received).toBe(0)
  const walk = await networks.packetWalk(a, b)
  expect(walk.verdict).toBe('dropped')
  expect(walk.from.network).toBe('front')
  expect(walk.to.network).toBe('back')
  expect(walk.causes.map(({ kind, where }) => [kind, where.name])).toEqual(walk.causes.map(() => ['firewall', host.name]))
  expect(kindsOf(walk.there).slice(0, 6)).toEqual(['route', 'arp', 'veth', 'bridge', 'fdb', 'route'])
  expect(only(walk.there, 'route')[0]!.facts).toMatchObject({ route: 'default', via: a.gateway })
  // On both networks at once there is a way.
  const both = await back.connect(web)
  const near = await networks.packetWalk(web, b)
  expect([near.verdict, near.from.network]).toEqual(['passes', expect.stringMatching(/front|back/)])
  expect((await web.ping(address, { count: 1 })).received).toBe(1)
  expect((await networks.packetWalk(both, b)).verdict).toBe('passes')
})

test('to the outside: masqueraded, and back again', async () => {
  const web = await container('web')
  const outside = await container('outside')
  await host.namespace.links.create({ kind: 'veth', name: 'wan0', up: true, peer: { namespace: outside, name: 'eth0', up: true } })
  await host.namespace.addresses.add('wan0', '192.0.2.1/24')
  await outside.addresses.add('eth0', '192.0.2.9/24')
  const net = await networks.create({ name: 'my-net' })
  const endpoint = await net.connect(web)
  expect((await web.ping('192.0.2.9', { count: 1 })).received).toBe(1)
  const walk = await networks.packetWalk(endpoint, '192.0.2.9')
  expect(walk).toMatchObject({ verdict: 'passes', to: { address: '192.0.2.9' } })
  expect(walk.there.filter(({ kind }) => kind === 'translation').map(({ text }) => text)).toEqual([
    `${host.name} translates it: from 192.0.2.1 to 192.0.2.9`,
  ])
  expect(walk.there.at(-1)).toMatchObject({ kind: 'delivery', namespace: outside.name })
  expect(walk.back.at(-1)).toMatchObject({ kind: 'delivery', namespace: web.name })
  expect((await networks.packetWalk(endpoint, '198.51.100.1')).causes).toMatchObject([{ kind: 'no-route', where: { name: host.name } }])
  await host.namespace.links.delete('wan0')
})

test('to an address of an endpoint, and to a published port', async () => {
  const [web, db] = [await container('web'), await container('db')]
  const net = await networks.create({ name: 'my-net' })
  await net.connect(web, { publish: [{ hostPort: 8080, containerPort: 80 }] })
  await net.connect(db)
  const outside = await container('outside')
  await host.namespace.links.create({ kind: 'veth', name: 'wan0', up: true, peer: { namespace: outside, name: 'eth0', up: true } })
  await host.namespace.addresses.add('wan0', '192.0.2.1/24')
  await outside.addresses.add('eth0', '192.0.2.9/24')
  const ways = [
    [db, '172.18.0.2', 80],
    [db, '172.18.0.1', 8080],
    [outside, '192.0.2.1', 8080],
  ] as const
  for (const [from, address, port] of ways) {
    const walk = await networks.packetWalk(from, address, { proto: 'tcp', port })
    expect([walk.verdict, walk.causes]).toEqual(['passes', []])
    expect(walk.there.at(-1)).toMatchObject({ kind: 'delivery', namespace: web.name })
  }
  await host.namespace.links.delete('wan0')
})

test('from a namespace without a name', async () => {
  await using nameless = await Namespace.create()
  const db = await container('db')
  const net = await networks.create({ name: 'my-net' })
  await using _nameless = await net.connect(nameless)
  await net.connect(db)
  const walk = await networks.packetWalk(nameless, db)
  expect(walk.from.namespace).toBe(walk.there[0]?.namespace)
  expect(String(walk)).toMatch(/^net:\[\d+\] \(172\.18\.0\.2, my-net\) → /)
})

test('what cannot be walked', async () => {
  const [web, db] = [await container('web'), await container('db')]
  const net = await networks.create({ name: 'my-net' })
  const [a, b] = [await net.connect(web), await net.connect(db)]
  await expect(networks.packetWalk(undefined as never, b)).rejects.toMatchObject({ path: 'from' })
  await expect(networks.packetWalk(a, { name: 'no\0body' })).rejects.toMatchObject({ path: 'to.name' })
  await expect(networks.packetWalk(a, b, { family: 6 })).rejects.toMatchObject({ path: 'options.family' })
  await b.disconnect()
  await expect(networks.packetWalk(a, b)).rejects.toMatchObject({ code: 'ENOENT', path: 'to' })
})
