// Chains of nftables that others have made and that drop a network's packets: told without being asked, cured, and as they were once the network is gone.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { Namespace, Networks } from '../../lib/index.js'
import { neighbour } from '../helpers/container-walk.js'
import { missing, needs } from '../helpers/features.js'
import { linkNames, useOpenHost } from '../helpers/links.js'
import { answer, reach } from '../helpers/reach.js'
import { attempt, run } from '../helpers/readers.js'

const host = useOpenHost()
let folder = ''
let networks: Networks
const made: Namespace[] = []
const warned: string[] = []
const listen = (warning: Error & { code?: string }) => {
  if (warning.code === 'NETLOOM_FORWARD_DROPPED') warned.push(warning.message)
}
beforeEach(async context => {
  await needs(context, 'nftables', 'bridge', 'veth', 'tool:nft')
  folder = await mkdtemp(join(tmpdir(), 'netloom-foreign-'))
  networks = await Networks.open({ stateDir: folder, host: host.namespace })
  made.push(await neighbour(host.namespace, host.named('outside')))
  process.on('warning', listen)
})
afterEach(async () => {
  process.off('warning', listen)
  warned.length = 0
  await host.namespace.links.delete('up0')
  for (const namespace of made.splice(0)) await namespace.delete()
  for (const network of await networks.list({ type: 'custom' })) await network.delete({ force: true })
  await networks.close()
  await rm(folder, { recursive: true })
  await run(host.name, 'nft', 'flush', 'ruleset')
})
afterAll(async () => expect(await linkNames(host.name)).toEqual([]))

async function container(suffix: string): Promise<Namespace> {
  const namespace = await Namespace.create(host.named(suffix), { loopback: true })
  made.push(namespace)
  return namespace
}
const load = async (text: string) => expect(await attempt(host.name, 'nft', ['-f', '-'], text)).toMatchObject({ code: 0 })
const rules = () => run(host.name, 'nft', '--stateless', 'list', 'ruleset')

test('a policy and a rule of two tables that drop are told, cured and left as they were', async () => {
  const [outside] = made as [Namespace]
  const theirs = `
    table inet guard { chain passing { type filter hook forward priority 10; policy drop; ct state established,related accept; }; }
    table ip wall {
      chain strangers { iifname != "up0" counter drop; };
      chain forward { type filter hook forward priority 0; tcp dport 7000 jump strangers; };
    }`
  await load(theirs)
  const before = await rules()
  const net = await networks.create({ name: 'blue', subnet: '10.80.0.0/24' })
  const bridge = `br-${net.id.slice(0, 12)}`
  await expect.poll(() => warned).toHaveLength(1)
  expect(warned[0]).toBe(
    `packets out, into endpoints of blue are dropped by policy drop of passing in the table inet guard of nftables: ACCEPT rules for ${bridge} in front of it, which network.cure() inserts, would let them through`,
  )
  const a = await container('a')
  await net.connect(a, { publish: [{ hostPort: 8080, containerPort: 7000 }] })
  await using _outside = await answer(outside, 7000)
  await using _a = await answer(a, 7000)
  const works = async () => [await reach(a, '192.0.2.2', 7000), await reach(outside, '192.0.2.1', 8080)]
  expect(await works()).toEqual(['nothing', 'nothing'])
  const guard = { family: 'inet', table: 'guard', chain: 'passing', text: 'policy drop' }
  expect(await net.warnings()).toMatchObject([
    { code: 'forward-dropped', network: 'blue', family: 4, direction: 'out', by: guard },
    { direction: 'in', by: guard },
  ])

  expect(await net.cure()).toEqual([])
  // The rule of the other table asks for a port, which no packet to the network as such has.
  expect(await works()).toEqual(['nothing', '192.0.2.2'])
  const cured = await rules()
  expect(cured.match(new RegExp(`iifname "${bridge}" accept comment "netloom ${net.id.slice(0, 12)}"`, 'g'))).toHaveLength(1)
  await run(host.name, 'nft', 'delete table ip wall')
  expect(await works()).toEqual(['192.0.2.1', '192.0.2.2'])
  expect(await net.cure()).toEqual([])

  await load(theirs.slice(theirs.indexOf('table ip wall')))
  await networks.create({ name: 'green', subnet: '10.81.0.0/24' })
  await (await networks.get('green')).delete()
  await net.delete({ force: true })
  expect(await rules()).toBe(before)
  expect(warned).toHaveLength(1)
})

test('a chain that comes later is told with the first connection of another process, and IPv6 has a cure of its own', async context => {
  await needs(context, 'ipv6')
  const [outside] = made as [Namespace]
  if ((await missing('bridge-netfilter')) === undefined) await host.namespace.sysctl.set('net.bridge.bridge-nf-call-ip6tables', 0)
  await networks.create({ name: 'blue', subnet: '10.80.0.0/24', ipv6: true })
  await load('table ip6 late { chain later { type filter hook forward priority 5; policy drop; }; }')
  const before = await rules()
  const a = await container('a')
  await using other = await Networks.open({ stateDir: folder, host: host.namespace })
  const net = await other.get('blue')
  await net.connect(a)
  await expect.poll(() => warned).toHaveLength(1)
  expect(warned[0]).toMatch(/^packets out, into endpoints of blue are dropped by policy drop of later in the table ip6 late of nftables/)
  await using _outside = await answer(outside, 7000)
  expect(await reach(a, '192.0.2.2', 7000)).toBe('192.0.2.1')
  expect(await reach(a, '2001:db8::2', 7000)).toBe('nothing')
  expect((await net.warnings()).map(({ family, direction }) => `${direction} ${family}`)).toEqual(['out 6', 'in 6'])
  expect(await net.cure()).toEqual([])
  expect(await reach(a, '2001:db8::2', 7000)).toBe('2001:db8::1')
  await net.delete({ force: true })
  expect((await rules()).replace(/table inet netloom \{.*?\n\}\n/s, '')).toBe(before.replace(/table inet netloom \{.*?\n\}\n/s, ''))
})

test('chains that let a network be are told of by nobody', async () => {
  await load('table inet quiet { chain passing { type filter hook forward priority 0; policy accept; iifname "lo" drop; }; }')
  const net = await networks.create({ name: 'blue', subnet: '10.80.0.0/24' })
  await net.connect(await container('a'))
  expect(await net.warnings()).toEqual([])
  await networks.close()
  expect(warned).toEqual([])
  networks = await Networks.open({ stateDir: folder, host: host.namespace })
})
