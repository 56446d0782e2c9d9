// links.createMany(): thousands of links in few exchanges, read back by ip, all or nothing whatever is in their way.
import { afterEach, expect, test } from 'vitest'
import { type LinkCreate, Namespace, type PlanProgress } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { clear, type IpLink, linkNames, useOpenHost } from '../helpers/links.js'
import { ip, run } from '../helpers/readers.js'

const host = useOpenHost()
afterEach(() => clear(host.namespace))

const links = () => ip<IpLink>(host.name, 'link', 'show')
const hex = (number: number) => `${(number >> 8).toString(16).padStart(2, '0')}:${(number & 255).toString(16).padStart(2, '0')}`
const pair = (i: number): LinkCreate => ({
  kind: 'veth',
  name: `a${i}`,
  mac: `02:0a:00:00:${hex(i)}`,
  mtu: 1400,
  up: i % 2 === 0,
  alias: `pair ${i}`,
  peer: { name: `b${i}`, mac: `02:0b:00:00:${hex(i)}`, up: i % 3 === 0 },
})

test('two thousand cables, each as it was said', async () => {
  const count = 2000
  const told: PlanProgress[] = []
  const result = await host.namespace.links.createMany(
    Array.from({ length: count }, (_, i) => pair(i)),
    { onProgress: progress => told.push(progress) },
  )
  expect(result.done).toBe(count)
  expect(told.at(-1)).toMatchObject({ done: count, total: count })
  const found = new Map((await links()).map(link => [link.ifname, link]))
  const seen = Array.from({ length: count }, (_, i) => {
    const [a, b] = [found.get(`a${i}`), found.get(`b${i}`)]
    const isUp = (link?: IpLink) => link?.flags.includes('UP')
    return [a?.address, a?.mtu, isUp(a), a?.ifalias, a?.link, b?.address, isUp(b), b?.link, a?.inet6_addr_gen_mode]
  })
  const said = Array.from({ length: count }, (_, i) => {
    const end = (side: string) => `02:0${side}:00:00:${hex(i)}`
    return [end('a'), 1400, i % 2 === 0, `pair ${i}`, `b${i}`, end('b'), i % 3 === 0, `a${i}`, 'none']
  })
  expect(seen).toEqual(said)
  await result.delete()
  expect(await linkNames(host.name)).toEqual([])
})

test.each([0, 1, 255, 256, 700])('link %i is in the way: all others are taken back, it stays', async number => {
  await run(host.name, 'ip', 'link', 'add', `b${number}`, 'type', 'bridge')
  const before = await links()
  const making = host.namespace.links.createMany(Array.from({ length: 701 }, (_, i) => pair(i)))
  await expect(making).rejects.toMatchObject({ code: 'EEXIST', path: `links[${number}].peer.name`, operation: 'create link' })
  expect(await links()).toEqual(before)
})

test('what can be made is made on request, and foreign links of the same names are not touched', async () => {
  for (const name of ['a3', 'b5']) await run(host.name, 'ip', 'link', 'add', name, 'type', 'bridge')
  const foreign = (await links()).filter(link => ['a3', 'b5'].includes(link.ifname))
  const specs = Array.from({ length: 8 }, (_, i) => pair(i))
  const result = await host.namespace.links.createMany(specs, { onError: 'continue' })
  expect(result.failed.map(({ path, error }) => [path, (error as { code?: string }).code])).toEqual([
    ['links[3].name', 'EEXIST'],
    ['links[5].peer.name', 'EEXIST'],
  ])
  expect((await links()).filter(link => ['a3', 'b5'].includes(link.ifname))).toEqual(foreign)
  expect(await linkNames(host.name)).toEqual(['a0', 'a1', 'a2', 'a3', 'a4', 'a6', 'a7', 'b0', 'b1', 'b2', 'b4', 'b5', 'b6', 'b7'])
  await result.delete()
  expect(await linkNames(host.name)).toEqual(['a3', 'b5'])
})

test('links may rest on those before them, by whichever name', async context => {
  await needs(context, 'bridge', 'macvlan')
  const result = await host.namespace.links.createMany([
    { kind: 'bridge', name: 'hub0', up: true, altNames: ['the-hub-by-its-longer-name'] },
    { kind: 'veth', name: 'p0', master: 'hub0', up: true, peer: { name: 'q0', up: true, master: 'the-hub-by-its-longer-name' } },
    { kind: 'veth', name: 'p1', peer: { name: 'q1', altNames: ['the-last-end-by-its-longer-name'] } },
    { kind: 'macvlan', name: 'mac1', link: 'the-last-end-by-its-longer-name' },
    { kind: 'macvlan', name: 'mac0', link: 'p1', options: { mode: 'private' } },
    { kind: 'veth' },
  ])
  const found = new Map((await links()).map(link => [link.ifname, link]))
  expect(found.get('p0')).toMatchObject({ master: 'hub0', flags: expect.arrayContaining(['UP', 'LOWER_UP']) })
  expect(found.get('q0')).toMatchObject({ master: 'hub0' })
  expect(found.get('mac0')).toMatchObject({ link: 'p1', linkinfo: { info_data: { mode: 'private' } } })
  expect(found.get('mac1')).toMatchObject({ link: 'q1' })
  expect([...found.values()].filter(link => link.linkinfo?.info_kind === 'veth')).toHaveLength(6)
  await result.delete()
  expect(await linkNames(host.name)).toEqual([])
})

test('a namespace that is gone keeps nothing from being taken back', async () => {
  const inside = await Namespace.create(host.named('gone'))
  const specs = Array.from({ length: 5 }, (_, i): LinkCreate => {
    return i % 2 ? pair(i) : { ...pair(i), kind: 'veth', peer: { name: `b${i}`, namespace: inside } }
  })
  const here = await host.namespace.links.createMany(specs)
  const there = await inside.links.createMany([{ kind: 'bridge', name: 'hub0' }])
  await inside.delete()
  await here.delete({ drain: true })
  await there.delete()
  expect(await linkNames(host.name)).toEqual([])
})

test('wrong specs are refused before anything is made, with the place in the list', async () => {
  const specs = [pair(0), { kind: 'veth', name: 'a-name-that-is-too-long' }] as LinkCreate[]
  await expect(host.namespace.links.createMany(specs)).rejects.toMatchObject({
    code: 'ERR_NETLOOM_INVALID_NAME',
    path: 'links[1].name',
  })
  await expect(host.namespace.links.createMany([pair(0), pair(1), pair(0)])).rejects.toMatchObject({ code: 'ERR_NETLOOM_INVALID_PLAN' })
  expect(await linkNames(host.name)).toEqual([])
})
