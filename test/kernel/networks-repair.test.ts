// The firewall comes back when others flush it or take something out, all at once, and leaves alone what is not its folder's.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { Namespace, Networks } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { linkNames, useOpenHost } from '../helpers/links.js'
import { answer, reach } from '../helpers/reach.js'
import { nft, run } from '../helpers/readers.js'
import { settle } from '../lifecycle/ending.js'

const host = useOpenHost()
let folder = ''
const made: Namespace[] = []
const opened: Networks[] = []
beforeEach(context => needs(context, 'tool:nft', 'nftables'))
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'netloom-repair-'))
})
afterEach(async () => {
  for (const namespace of made.splice(0)) await namespace.delete()
  for (const networks of opened.splice(0)) {
    for (const network of await networks.list({ type: 'custom' })) await network.delete({ force: true })
    await networks.close()
  }
  await rm(folder, { recursive: true })
  expect((await nft(host.name, 'list', 'ruleset')).filter(entry => !('metainfo' in entry))).toEqual([])
})
afterAll(async () => expect(await linkNames(host.name)).toEqual([]))

async function open(name: string, serve = {}): Promise<Networks> {
  const networks = await Networks.open({ stateDir: join(folder, name), host: host.namespace, serve })
  opened.push(networks)
  return networks
}
async function container(suffix: string): Promise<Namespace> {
  const namespace = await Namespace.create(host.named(suffix), { loopback: true })
  made.push(namespace)
  return namespace
}
/** Everything, in some order: without handles, which are new each time, and without counts. */
const firewall = async () => {
  const entries = (await nft(host.name, 'list', 'ruleset')).filter(entry => !('metainfo' in entry))
  const plain = (_: string, value: unknown) => (Array.isArray(value) ? value.map(one => JSON.stringify(one)).sort() : value)
  return entries.map(entry => JSON.stringify(entry, plain).replace(/"handle":\d+,?/g, '')).sort()
}
const command = (...words: string[]) => run(host.name, 'nft', ...words)

const damages: Record<string, () => Promise<unknown>> = {
  'flush ruleset': () => command('flush', 'ruleset'),
  'delete table': () => command('delete', 'table', 'inet', 'netloom'),
  'a chain flushed': () => command('flush', 'chain', 'inet', 'netloom', 'forward'),
  'a published port taken out': () => command('delete element inet netloom any4 { tcp . 8080 : 10.110.0.2 . 80 }'),
  'a bridge taken out': async () => {
    const text = await command('list', 'set', 'inet', 'netloom', 'bridges')
    await command(`delete element inet netloom bridges { ${/"br-[0-9a-f]+"/.exec(text)?.[0]} }`)
  },
  'a set flushed': () => command('flush', 'set', 'inet', 'netloom', 'masquerade4'),
  'a rule in front': () => command('insert', 'rule', 'inet', 'netloom', 'forward', 'accept'),
}

test.each(Object.entries(damages))('%s: it comes back, and traffic with it', async (_, damage) => {
  const networks = await open('one', { repair: true })
  const web = await container('web')
  const net = await networks.create({ name: 'net', subnet: '10.110.0.0/24', ipv6: true })
  await net.connect(web, { publish: [{ hostPort: 8080, containerPort: 80 }] })
  await using _server = await answer(web, 80)
  const before = await firewall()
  for (let round = 0; round < 3; round++) {
    await damage()
    expect(await settle(firewall, before, 5_000)).toEqual(before)
  }
  expect(await reach(host.namespace, '10.110.0.1', 8080)).toBe('10.110.0.1')
  expect(await networks.repair()).toBe(false)
})

test('what is ended by oneself stays ended, and other tables stay as they are', async () => {
  const networks = await open('one', { repair: true })
  const web = await container('web')
  await command('add', 'table', 'ip', 'theirs')
  await command('add', 'chain', 'ip', 'theirs', 'c', '{ type filter hook input priority 0; }')
  await command('add', 'rule', 'ip', 'theirs', 'c', 'counter')
  const theirs = () => command('list', 'table', 'ip', 'theirs').then(text => text.replace(/packets \d+ bytes \d+/, ''))
  const before = await theirs()
  const net = await networks.create({ name: 'net', subnet: '10.111.0.0/24' })
  const endpoint = await net.connect(web, { publish: [{ hostPort: 8081, containerPort: 80 }] })
  const published = await firewall()
  await endpoint.publish({ hostPort: 8082, containerPort: 80 })
  await endpoint.unpublish({ hostPort: 8082, containerPort: 80 })
  await networks.repair()
  expect(await firewall()).toEqual(published)
  await command('delete', 'table', 'inet', 'netloom')
  await settle(firewall, published, 5_000)
  expect([await firewall(), await theirs()]).toEqual([published, before])
  await command('delete', 'table', 'ip', 'theirs')
})

test('two folders share the table: each puts back its own, and takes nothing from the other', async () => {
  const [one, other] = [await open('one', { repair: true }), await open('other')]
  const [web, db] = [await container('web'), await container('db')]
  await (await one.create({ name: 'net', subnet: '10.112.0.0/24' })).connect(web, { publish: [{ hostPort: 8083, containerPort: 80 }] })
  await (await other.create({ name: 'net', subnet: '10.113.0.0/24' })).connect(db, { publish: [{ hostPort: 8084, containerPort: 80 }] })
  const before = await firewall()
  await command('flush', 'chain', 'inet', 'netloom', 'published')
  expect(await settle(firewall, before, 5_000)).toEqual(before)
  await command('flush', 'ruleset')
  await expect.poll(async () => (await firewall()).some(entry => entry.includes('8083'))).toBe(true)
  expect(await firewall()).not.toEqual(before)
  // That one has nobody who watches.
  expect(await other.repair()).toBe(true)
  expect(await firewall()).toEqual(before)
  expect([await one.repair(), await other.repair()]).toEqual([false, false])
})

test('gc() puts it back too, and takes out the ports of namespaces that are gone', async () => {
  const networks = await open('one')
  const [web, db] = [await container('web'), await container('db')]
  const net = await networks.create({ name: 'net', subnet: '10.114.0.0/24' })
  await net.connect(web, { publish: [{ hostPort: 8085, containerPort: 80 }] })
  const before = await firewall()
  await net.connect(db, { name: 'db', publish: [{ hostPort: 8086, containerPort: 80 }] })
  expect(await firewall()).not.toEqual(before)
  await made.pop()?.delete()
  await settle(() => host.namespace.links.list({ kind: 'veth' }).then(({ length }) => length), 1, 10_000)
  expect(await networks.gc()).toEqual({ removed: ['db'] })
  expect(await firewall()).toEqual(before)
  await command('flush', 'ruleset')
  expect(await networks.gc()).toEqual({ removed: [] })
  expect(await firewall()).toEqual(before)
})

test('a bridge that somebody deleted comes back with all that was on it: by gc(), and when the next is connected', async () => {
  const networks = await open('one')
  const net = await networks.create({ name: 'net', subnet: '10.113.0.0/24', mtu: 1400 })
  const [a, b, c] = [await container('a'), await container('b'), await container('c')]
  await net.connect(a!)
  const { hostInterface = '' } = await net.connect(b!)
  const bridge = `br-${net.id.slice(0, 12)}`
  const works = async () => {
    for (const address of ['10.113.0.1', '10.113.0.2', '10.113.0.3'])
      expect((await b!.ping(address, { count: 1 })).received, address).toBe(1)
    expect(await run(host.name, 'ip', '-br', 'link', 'show', 'master', bridge)).toContain(hostInterface)
  }
  await works()
  await run(host.name, 'ip', 'link', 'delete', bridge)
  await networks.gc()
  await works()
  await run(host.name, 'ip', 'link', 'delete', bridge)
  const endpoint = await net.connect(c!, { aliases: ['twice', 'twice'] })
  expect((await endpoint.inspect()).Aliases).toEqual(['twice'])
  await works()
})
