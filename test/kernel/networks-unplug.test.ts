// Disconnecting by the end inside: whatever has become of that end, both ends are gone, and what is somebody else's stays.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { type Endpoint, Namespace, Networks } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { linkNames, useOpenHost } from '../helpers/links.js'
import { ip, run, start } from '../helpers/readers.js'

const host = useOpenHost()
let folder = ''
let networks: Networks
const made: Namespace[] = []
beforeEach(context => needs(context, 'tool:ip', 'nftables'))
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'netloom-unplug-'))
  networks = await Networks.open({ stateDir: folder, host: host.namespace })
})
afterEach(async () => {
  for (const network of await networks.list({ type: 'custom' })) await network.delete({ force: true })
  await networks.close()
  for (const one of made.splice(0)) await one.delete()
  expect([await readdir(join(folder, 'pending')), await readdir(join(folder, 'namespaces'))]).toEqual([[], []])
  await rm(folder, { recursive: true })
})
afterAll(async () => expect(await linkNames(host.name)).toEqual([]))

async function namespace(name: string): Promise<Namespace & { readonly name: string }> {
  const one = await Namespace.create(`${host.name}-${name}`, { loopback: true })
  made.push(one)
  return one as Namespace & { readonly name: string }
}
const connect = async (guest: Namespace): Promise<Endpoint> =>
  (await networks.create({ name: 'net', subnet: '10.141.0.0/24' })).connect(guest)
const cables = async () => (await linkNames(host.name)).filter(name => name.startsWith('veth'))

test('both ends, the address and the claims are gone when it returns', async () => {
  const guest = await namespace('guest')
  const net = await networks.create({ name: 'net', subnet: '10.141.0.0/24' })
  for (let round = 0; round < 20; round++) {
    const endpoint = await net.connect(guest)
    expect([endpoint.addresses, await linkNames(guest.name)]).toEqual([[`10.141.0.${2 + round}/24`], ['eth0']])
    await net.disconnect(guest)
    expect([await linkNames(guest.name), await cables()]).toEqual([[], []])
    const kept = await Promise.all(['endpoints', 'addresses'].map(part => readdir(join(folder, 'networks', net.id, part))))
    expect([kept, await readdir(join(folder, 'pending')), await readdir(join(folder, 'namespaces'))]).toEqual([[[], []], [], []])
  }
})

test('the end was moved to another namespace, and its number belongs to a link of somebody else there was before', async () => {
  const [guest, other] = [await namespace('guest'), await namespace('other')]
  const endpoint = await connect(guest)
  const [{ ifindex }] = (await ip<{ ifindex: number }>(guest.name, 'link', 'show', 'eth0')) as [{ ifindex: number }]
  await run(guest.name, 'ip', 'link', 'set', 'eth0', 'netns', other.name)
  await run(guest.name, 'ip', 'link', 'add', 'eth0', 'index', `${ifindex}`, 'type', 'bridge')
  await endpoint.disconnect()
  expect([await linkNames(guest.name), await linkNames(other.name), await cables()]).toEqual([['eth0'], [], []])
})

test('the end was renamed', async () => {
  const guest = await namespace('guest')
  const endpoint = await connect(guest)
  await run(guest.name, 'ip', 'link', 'set', 'eth0', 'name', 'lan0')
  await endpoint.disconnect()
  expect([await linkNames(guest.name), await cables()]).toEqual([[], []])
})

test('nothing leads to the namespace any more, in which a process goes on', async () => {
  const guest = await namespace('guest')
  const endpoint = await connect(guest)
  await using inside = await start(guest.name, 'sh', ['-c', 'echo ready; exec cat'])
  await inside.lines.next()
  await guest.delete()
  expect(await cables()).toHaveLength(1)
  await endpoint.disconnect()
  expect(await cables()).toEqual([])
})

test('another namespace has got its name', async () => {
  const guest = await namespace('guest')
  const endpoint = await connect(guest)
  await using inside = await start(guest.name, 'sh', ['-c', 'echo ready; exec cat'])
  await inside.lines.next()
  await guest.delete()
  const next = await namespace('guest')
  await run(next.name, 'ip', 'link', 'add', 'eth0', 'type', 'bridge')
  await endpoint.disconnect()
  expect([await linkNames(next.name), await cables()]).toEqual([['eth0'], []])
})

test('a namespace that has been disconnected ends as soon as it is deleted', async () => {
  const guest = await namespace('guest')
  const endpoint = await connect(guest)
  await endpoint.disconnect()
  await Namespace.deleteMany([guest], { drain: true })
  expect(await cables()).toEqual([])
})
