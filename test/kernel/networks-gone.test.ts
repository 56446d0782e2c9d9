// Namespaces that end while they are connected: of processes, of names, on networks with a cable and without.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { Networks } from '../../lib/index.js'
import { isKernel, needs } from '../helpers/features.js'
import { linkNames, useOpenHost } from '../helpers/links.js'
import { nft, type Running, start } from '../helpers/readers.js'
import { settle } from '../lifecycle/ending.js'

const host = useOpenHost()
let folder = ''
let networks: Networks
beforeEach(context => needs(context, 'tool:nft', 'nftables'))
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'netloom-gone-'))
  networks = await Networks.open({ stateDir: folder, host: host.namespace })
})
afterEach(async () => {
  for (const network of await networks.list({ type: 'custom' })) await network.delete({ force: true })
  await networks.close()
  // What a test that failed has left, so that another try begins as the first did.
  for (const { name } of await host.namespace.links.list()) if (['wire', 'netloom0'].includes(name)) await host.namespace.links.delete(name)
  expect([await readdir(join(folder, 'ports')), await readdir(join(folder, 'namespaces'))]).toEqual([[], []])
  await rm(folder, { recursive: true })
})
afterAll(async () => expect(await linkNames(host.name)).toEqual([]))

/** A process in a network namespace that nothing else holds. */
async function container(): Promise<Running> {
  const child = await start(undefined, 'unshare', ['-n', 'sh', '-c', 'echo ready; exec cat'])
  await child.lines.next()
  return child
}
const cables = async () => (await linkNames(host.name)).filter(name => name.startsWith('veth'))
const ports = async () => JSON.stringify(await nft(host.name, 'list', 'map', 'inet', 'netloom', 'any4')).includes('8087')

test('a process that is killed gives back its address, name and port, as soon as somebody asks or with gc()', async () => {
  const net = await networks.create({ name: 'small', subnet: '10.130.0.0/30' })
  const options = { name: 'web', publish: [{ hostPort: 8087, containerPort: 80 }] }
  const first = await container()
  expect((await net.connect({ pid: first.pid }, options)).addresses).toEqual(['10.130.0.2/30'])
  expect(await ports()).toBe(true)
  await first.stop('SIGKILL')
  expect(await settle(cables, [], 10_000)).toEqual([])
  const second = await container()
  expect((await net.connect({ pid: second.pid }, options)).addresses).toEqual(['10.130.0.2/30'])
  await second.stop('SIGKILL')
  expect(await settle(cables, [], 10_000)).toEqual([])
  expect(await networks.gc()).toEqual({ removed: ['web'] })
  expect([await ports(), await readdir(join(folder, 'networks', net.id, 'addresses')), await net.endpoints()]).toEqual([false, [], []])
})

test('on networks without a cable the namespace itself is looked for', async context => {
  await needs(context, 'macvlan')
  await host.namespace.links.create({ kind: 'veth', name: 'wire', up: true, peer: { name: 'wire-end', up: true } })
  const lan = await networks.create({ name: 'lan', driver: 'macvlan', parent: 'wire', subnet: '10.131.0.0/30' })
  const [none, standard] = [await networks.get('none'), await networks.get('bridge')]
  const [one, alone, stays] = [await container(), await container(), await container()]
  await lan.connect({ pid: one.pid }, { name: 'one' })
  await none.connect({ pid: alone.pid }, { name: 'alone' })
  await standard.connect({ pid: stays.pid }, { name: 'stays' })
  expect(await networks.gc()).toEqual({ removed: [] })
  await one.stop('SIGKILL')
  await alone.stop('SIGKILL')
  expect((await networks.gc()).removed.sort()).toEqual(['alone', 'one'])
  const next = await container()
  expect((await lan.connect({ pid: next.pid })).addresses).toEqual(['10.131.0.2/30'])
  await lan.delete({ force: true })
  await next.stop()
  await standard.disconnect({ pid: stays.pid })
  await stays.stop()
  await host.namespace.links.delete('wire')
  await host.namespace.links.delete('netloom0')
})

test('the address of a namespace that has just gone is given again though the kernel still has the interface', async context => {
  await needs(context, 'macvlan')
  await host.namespace.links.create({ kind: 'veth', name: 'wire', up: true, peer: { name: 'wire-end', up: true } })
  const lan = await networks.create({ name: 'lan', driver: 'macvlan', parent: 'wire', subnet: '10.131.0.0/30' })
  const others = await Promise.all(Array.from({ length: 30 }, container))
  const [one, next, foreign] = [await container(), await container(), await container()]
  const { mac } = await lan.connect({ pid: one.pid })
  // The kernel takes namespaces down one after the other, and this one's turn comes late.
  await Promise.all([...others, one].map(process => process.stop('SIGKILL')))
  const again = await lan.connect({ pid: next.pid }, { name: 'next' })
  expect([again.mac, again.addresses]).toEqual([mac, ['10.131.0.2/30']])

  const wide = await networks.create({ name: 'wide', driver: 'macvlan', parent: 'wire', subnet: '10.132.0.0/24' })
  const taken = { code: 'EADDRINUSE', operation: 'connect', subject: 'wide' }
  await expect(wide.connect({ pid: foreign.pid }, { mac })).rejects.toMatchObject({
    ...taken,
    reason: `endpoint next of network lan has ${mac}`,
  })
  const both = await Promise.all([container(), container()])
  await expect(wide.connectMany(both.map(({ pid }) => ({ namespace: { pid }, mac: '02:00:00:00:00:07' })))).rejects.toMatchObject({
    ...taken,
    reason: 'two of these endpoints would have 02:00:00:00:00:07',
  })
  await host.namespace.links.create({
    kind: 'macvlan',
    name: 'else',
    link: 'wire',
    mac: '02:00:00:00:00:08',
    up: true,
    options: { mode: 'bridge' },
  })
  await expect(wide.connect({ pid: foreign.pid }, { mac: '02:00:00:00:00:08' })).rejects.toMatchObject({
    ...taken,
    reason: "an interface on wire that is no endpoint's has 02:00:00:00:00:08",
  })
  expect([await wide.endpoints(), await host.namespace.links.find('eth0')]).toEqual([[], undefined])
  await host.namespace.links.delete('else')
  await lan.disconnect({ pid: next.pid })
  for (const process of [next, foreign, ...both]) await process.stop()
  await host.namespace.links.delete('wire')
})

test('a namespace that a process still holds is not gone, and one of the same number is another', async () => {
  const net = await networks.create({ name: 'net', subnet: '10.132.0.0/24' })
  const first = await container()
  const endpoint = await net.connect({ pid: first.pid }, { name: 'web' })
  const held = await start({ pid: first.pid }, 'cat')
  await first.stop('SIGKILL')
  expect(await networks.gc()).toEqual({ removed: [] })
  expect((await networks.endpoints({ pid: held.pid })).map(({ id }) => id)).toEqual([endpoint.id])
  await held.stop('SIGKILL')
  expect(await settle(cables, [], 10_000)).toEqual([])
  // The kernel gives inodes again at once: whoever gets it is not on the network, where there are cookies to tell.
  const others = await Promise.all(Array.from({ length: 4 }, container))
  if (isKernel('5.14')) for (const { pid } of others) expect(await networks.endpoints({ pid })).toEqual([])
  expect(await networks.gc()).toEqual({ removed: ['web'] })
  for (const other of others) await other.stop()
})
