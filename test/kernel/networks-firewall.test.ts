// The firewall of container networks: who reaches whom, asked with real sockets, and what nft says is there.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { Namespace, Networks } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { linkNames, useOpenHost } from '../helpers/links.js'
import { answer, reach } from '../helpers/reach.js'
import { nft, run } from '../helpers/readers.js'

const host = useOpenHost()
let folder = ''
let networks: Networks
const made: Namespace[] = []
beforeEach(context => needs(context, 'tool:nft', 'nftables'))
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'netloom-firewall-'))
  networks = await Networks.open({ stateDir: folder, host: host.namespace })
})
afterEach(async () => {
  for (const namespace of made.splice(0)) await namespace.delete()
  for (const network of await networks.list({ type: 'custom' })) await network.delete({ force: true })
  await networks.close()
  await rm(folder, { recursive: true })
  expect(await ruleset()).toEqual([])
})
afterAll(async () => expect(await linkNames(host.name)).toEqual([]))

const ruleset = async () => (await nft(host.name, 'list', 'ruleset')).filter(entry => !('metainfo' in entry))
async function container(suffix: string): Promise<Namespace> {
  const namespace = await Namespace.create(host.named(suffix), { loopback: true })
  made.push(namespace)
  return namespace
}
/** A machine beside the host, with routes to the networks behind it: only the firewall is in the way. */
async function neighbour(): Promise<Namespace> {
  const outside = await container('outside')
  await host.namespace.links.create({ kind: 'veth', name: 'up0', up: true, peer: { name: 'eth0', namespace: outside, up: true } })
  for (const [where, link, last] of [[host.namespace, 'up0', 1] as const, [outside, 'eth0', 2] as const]) {
    await where.addresses.add(link, `192.0.2.${last}/24`)
    await where.addresses.add(link, `2001:db8::${last}/64`, { noDad: true })
  }
  await outside.routes.add({ to: '10.0.0.0/8', via: '192.0.2.1' })
  await outside.routes.add({ to: 'fd00::/8', via: '2001:db8::1' })
  return outside
}
const sixth = (addresses: readonly string[]) => addresses[1]?.split('/')[0] ?? ''
const fourth = (addresses: readonly string[]) => addresses[0]?.split('/')[0] ?? ''

test('the same network, another one, the host and the outside', async () => {
  const outside = await neighbour()
  const [a, b, c] = [await container('a'), await container('b'), await container('c')]
  const blue = await networks.create({ name: 'blue', subnet: '10.80.0.0/24', ipv6: true })
  const green = await networks.create({ name: 'green', subnet: '10.81.0.0/24', ipv6: true })
  const ea = await blue.connect(a)
  const eb = await blue.connect(b)
  const ec = await green.connect(c)
  for (const protocol of ['tcp', 'udp'] as const) {
    await using _b = await answer(b, 7000, protocol)
    await using _c = await answer(c, 7000, protocol)
    await using _h = await answer(host.namespace, 7000, protocol)
    await using _o = await answer(outside, 7000, protocol)
    const rows = (from: Namespace, targets: Record<string, string>) =>
      Promise.all(Object.entries(targets).map(async ([name, address]) => `${name} ${await reach(from, address, 7000, protocol)}`))
    expect(
      await rows(a, { same: fourth(eb.addresses), other: fourth(ec.addresses), host: '10.80.0.1', outside: '192.0.2.2' }),
      protocol,
    ).toEqual(['same 10.80.0.2', 'other nothing', 'host 10.80.0.2', 'outside 192.0.2.1'])
    expect(await rows(a, { same: sixth(eb.addresses), other: sixth(ec.addresses), outside: '2001:db8::2' }), protocol).toEqual([
      `same ${sixth(ea.addresses)}`,
      'other nothing',
      'outside 2001:db8::1',
    ])
    expect(await rows(outside, { four: fourth(eb.addresses), six: sixth(eb.addresses) }), protocol).toEqual(['four nothing', 'six nothing'])
    expect(await rows(host.namespace, { four: fourth(eb.addresses), six: sixth(eb.addresses) }), protocol).toEqual([
      'four 10.80.0.1',
      `six ${sixth(eb.addresses).replace(/3$/, '1')}`,
    ])
  }
  await host.namespace.links.delete('up0')
})

test('internal, without masquerading, with a chosen source, and closed', async () => {
  const outside = await neighbour()
  await host.namespace.addresses.add('up0', '192.0.2.9/24')
  await using _o = await answer(outside, 7000)
  const inner = await networks.create({ name: 'inner', subnet: '10.82.0.0/24', internal: true })
  const plain = await networks.create({ name: 'plain', subnet: '10.83.0.0/24', masquerade: false })
  const chosen = await networks.create({ name: 'chosen', subnet: '10.84.0.0/24', hostIpv4: '192.0.2.9' })
  const closed = await networks.create({ name: 'closed', subnet: '10.85.0.0/24', icc: false })
  const [a, b, c, d, e, f] = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(container))
  await inner.connect(a!)
  expect((await inner.connect(b!)).gateway).toBeUndefined()
  await using _b = await answer(b!, 7000)
  expect([await reach(a!, '10.82.0.3', 7000), await reach(a!, '192.0.2.2', 7000)]).toEqual(['10.82.0.2', 'ENETUNREACH'])
  // Nor by a route that somebody adds inside.
  await a!.routes.add({ to: 'default', via: '10.82.0.1' })
  expect(await reach(a!, '192.0.2.2', 7000)).toBe('nothing')
  await using _a = await answer(a!, 7000)
  expect(await reach(outside, '10.82.0.2', 7000)).toBe('nothing')

  await plain.connect(c!)
  await chosen.connect(d!)
  expect([await reach(c!, '192.0.2.2', 7000), await reach(d!, '192.0.2.2', 7000)]).toEqual(['10.83.0.2', '192.0.2.9'])

  await closed.connect(e!)
  await closed.connect(f!)
  await using _f = await answer(f!, 7000)
  expect(await reach(e!, '10.85.0.3', 7000)).toMatch(/nothing|EHOSTUNREACH/)
  expect(await reach(e!, '192.0.2.2', 7000)).toBe('192.0.2.1')
  // Nor by way of the gateway.
  await e!.neighbours.replace({
    link: 'eth0',
    address: '10.85.0.3',
    mac: (await host.namespace.links.get(`br-${closed.id.slice(0, 12)}`)).mac!,
  })
  expect(await reach(e!, '10.85.0.3', 7000)).toBe('nothing')
  await host.namespace.links.delete('up0')
})

test('the number of rules is the same for one network and for ten', async () => {
  const rules = async () => (await ruleset()).filter(entry => 'rule' in entry).length
  await networks.create({ name: 'n0' })
  const before = await rules()
  for (let i = 1; i < 10; i++) await networks.create({ name: `n${i}`, ipv6: true, icc: i % 2 === 0 })
  expect(await rules()).toBe(before)
  expect(await run(host.name, 'nft', 'list', 'set', 'inet', 'netloom', 'bridges')).toMatch(/br-/)
  for (const network of await networks.list({ type: 'custom' })) await network.delete()
  expect(await ruleset()).toEqual([])
})

test("other tables of the namespace stay as they are, and a network's elements go with it", async () => {
  await run(host.name, 'nft', 'add', 'table', 'inet', 'theirs')
  const before = await ruleset()
  const blue = await networks.create({ name: 'blue', subnet: '10.86.0.0/24' })
  const only = await ruleset()
  const green = await networks.create({ name: 'green', subnet: '10.87.0.0/24', internal: true })
  await green.delete()
  expect(await ruleset()).toEqual(only)
  await blue.delete()
  expect(await ruleset()).toEqual(before)
  await run(host.name, 'nft', 'delete', 'table', 'inet', 'theirs')
})
