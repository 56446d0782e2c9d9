// The other end of a veth: the right device in the right namespace, however many look alike, checked with ip and ethtool.

import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { Namespace } from '../../lib/index.js'
import { deleteNamed } from '../../lib/namespace/lifecycle.js'
import { runBuilt } from '../helpers/built.js'
import { needs } from '../helpers/features.js'
import { clear, ipLink, linkNames, useOpenHost } from '../helpers/links.js'
import { patience } from '../helpers/patience.js'
import { ethtoolStatistics, ip, run, start } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'
import { descriptors } from '../helpers/state.js'

const host = useOpenHost()
const links = () => host.namespace.links
const made: Namespace[] = []

async function create(suffix: string): Promise<Namespace> {
  const namespace = await Namespace.create(host.named(suffix))
  made.push(namespace)
  return namespace
}
afterEach(async () => {
  await clear(host.namespace)
  await Promise.all(made.splice(0).map(namespace => namespace.delete()))
})

test('as ip and ethtool have it', async context => {
  await needs(context, 'veth', 'tool:ethtool')
  const blue = await create('blue')
  await run(host.name, 'ip', 'link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far', 'netns', blue.name ?? '')
  const peer = await links().peer('near')
  expect(peer).toMatchObject({ namespace: { name: blue.name, inode: blue.inode }, link: { name: 'far', kind: 'veth' } })
  expect(await ethtoolStatistics(host.name, 'near')).toMatchObject({ peer_ifindex: peer?.link.index })
  expect((await ipLink(blue.name, 'far'))?.ifindex).toBe(peer?.link.index)
  const near = await links().get('near')
  for (const ref of [near, near.index]) expect(await links().peer(ref)).toEqual(peer)
  expect(await blue.links.peer('far')).toMatchObject({ namespace: { name: host.name }, link: { name: 'near', index: near.index } })
  expect(JSON.parse(JSON.stringify(peer))).toEqual(peer)
})

test('what has no other end', async context => {
  await needs(context, 'veth', 'macvlan', 'bridge')
  await links().create({ kind: 'veth', name: 'below', peer: { name: 'across' } })
  await links().create({ kind: 'macvlan', name: 'above', link: 'below' })
  await links().create({ kind: 'bridge', name: 'switch' })
  for (const name of ['lo', 'above', 'switch']) expect(await links().peer(name)).toBeUndefined()
  expect(await refusal(links().peer('nonesuch'))).toMatchObject({ code: 'ENODEV', operation: 'find peer', subject: 'nonesuch' })
  await expect(links().peer('')).rejects.toMatchObject({ code: 'ERR_NETLOOM_INVALID_NAME' })
})

test('both ends in one namespace, and the bridge at the other', async context => {
  await needs(context, 'veth', 'bridge')
  await links().create({ kind: 'bridge', name: 'switch' })
  await links().create({ kind: 'veth', name: 'a', peer: { name: 'b', master: 'switch' } })
  expect(await links().peer('a')).toMatchObject({
    namespace: { name: host.name },
    link: { name: 'b' },
    master: { name: 'switch', kind: 'bridge' },
  })
  expect(await links().peer('b')).toMatchObject({ namespace: { name: host.name }, link: { name: 'a' } })
  expect(await links().peer('b')).not.toHaveProperty('master')
})

test('a chain of three namespaces, all with the same indexes', async context => {
  await needs(context, 'veth', 'bridge')
  const [left, middle, right] = [await create('left'), await create('middle'), await create('right')]
  await middle.links.create({ kind: 'bridge', name: 'switch', index: 20 })
  await left.links.create({ kind: 'veth', name: 'eth0', index: 7, peer: { name: 'l', namespace: middle, master: 'switch', index: 7 } })
  await right.links.create({ kind: 'veth', name: 'eth0', index: 7, peer: { name: 'r', namespace: middle, index: 8 } })
  const fresh = await Promise.all([left, middle, right].map(({ name = '' }) => Namespace.open({ name })))
  const [fromLeft, fromMiddle, fromRight] = fresh as [Namespace, Namespace, Namespace]
  expect(await fromLeft.links.peer('eth0')).toMatchObject({
    namespace: { name: middle.name },
    link: { name: 'l', index: 7 },
    master: { name: 'switch', index: 20 },
  })
  expect(await fromRight.links.peer('eth0')).toMatchObject({ namespace: { name: middle.name }, link: { name: 'r', index: 8 } })
  expect(await fromMiddle.links.peer('l')).toMatchObject({ namespace: { name: left.name }, link: { name: 'eth0', index: 7 } })
  expect(await fromMiddle.links.peer('r')).toMatchObject({ namespace: { name: right.name }, link: { name: 'eth0', index: 7 } })
  await Promise.all(fresh.map(namespace => namespace.close()))
})

describe('a namespace without a name', () => {
  test('known through a process', async context => {
    await needs(context, 'veth')
    await using sleeper = await start(undefined, 'unshare', ['--net', 'sh', '-c', 'echo ready; exec sleep 60'])
    await sleeper.lines.next()
    await run(host.name, 'ip', 'link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far', 'netns', String(sleeper.pid))
    const { inode } = await Namespace.identify({ pid: sleeper.pid })
    for (let i = 0; i < 2; i++) {
      const peer = await links().peer('near')
      expect(peer).toMatchObject({ namespace: { inode, pids: [sleeper.pid] }, link: { name: 'far' } })
      expect(peer?.namespace).not.toHaveProperty('name')
    }
    const opened = await Namespace.open((await links().peer('near'))!.namespace!)
    expect(await opened.links.get('far')).toMatchObject({ name: 'far' })
    await opened.close()
  })
  test('known through another process, when the first has ended', async context => {
    await needs(context, 'veth')
    const first = await start(undefined, 'unshare', ['--net', 'sh', '-c', 'echo ready; exec sleep 60'])
    await first.lines.next()
    await using second = await start({ pid: first.pid }, 'sleep', ['60'])
    await run(host.name, 'ip', 'link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far', 'netns', String(first.pid))
    expect((await links().peer('near'))?.namespace?.pids).toEqual([first.pid, second.pid])
    await first.stop()
    expect((await links().peer('near'))?.namespace).toMatchObject({ pids: expect.arrayContaining([second.pid]) })
    const fresh = await Namespace.open({ name: host.name })
    expect((await fresh.links.peer('near'))?.namespace?.pids).toEqual([second.pid])
    await fresh.close()
  })
  test('known by a descriptor only', async context => {
    await needs(context, 'veth')
    await using anonymous = await Namespace.create()
    await links().create({ kind: 'veth', name: 'near', peer: { name: 'far', namespace: anonymous } })
    const peer = await links().peer('near')
    expect(peer).toMatchObject({ link: { name: 'far' } })
    expect(peer?.namespace).toBeUndefined()
    // A name that it gets later is found.
    const inside = anonymous.spawn('sleep', ['60'], { stdio: 'ignore' })
    await once(inside, 'spawn')
    await run(undefined, 'ip', 'netns', 'attach', host.named('late'), String(inside.pid))
    inside.kill()
    await once(inside, 'exit')
    expect(await links().peer('near')).toMatchObject({ namespace: { name: host.named('late'), inode: anonymous.inode } })
    await run(undefined, 'ip', 'netns', 'delete', host.named('late'))
  })
})

describe('what changes between two calls', () => {
  const near = async (namespace: Namespace, name = 'near') => links().create({ kind: 'veth', name, peer: { name: 'far', namespace } })
  const gone = (name: string) => expect.poll(() => linkNames(host.name), { timeout: patience(10_000) }).not.toContain(name)

  test('the namespace is deleted', async context => {
    await needs(context, 'veth')
    const blue = await create('blue')
    await near(blue)
    expect((await links().peer('near'))?.namespace?.name).toBe(blue.name)
    await blue.delete()
    await gone('near')
    expect(await refusal(links().peer('near'))).toMatchObject({ code: 'ENODEV' })
  })
  test('its number is given to another one', async context => {
    await needs(context, 'veth')
    for (const second of ['green', 'blue']) {
      const blue = await create('blue')
      const { linkNsid } = await near(blue)
      expect((await links().peer('near'))?.namespace).toMatchObject({ name: blue.name, inode: blue.inode })
      await blue.delete()
      await gone('near')
      // The kernel gives the lowest number that is free, as soon as the old namespace is quite gone.
      const other = await create(second)
      await expect
        .poll(async () => {
          const again = await near(other)
          if (again.linkNsid === linkNsid) return true
          await links().delete('near')
          return false
        })
        .toBe(true)
      expect((await links().peer('near'))?.namespace).toMatchObject({ name: other.name, inode: other.inode })
      await other.delete()
      await gone('near')
    }
  })
  test('the namespace gets another name', async context => {
    await needs(context, 'veth')
    const blue = await create('blue')
    await near(blue)
    expect((await links().peer('near'))?.namespace?.name).toBe(blue.name)
    const renamed = host.named('renamed')
    await using inside = await start(blue.name, 'sleep', ['60'])
    await run(undefined, 'ip', 'netns', 'attach', renamed, String(inside.pid))
    await run(undefined, 'ip', 'netns', 'delete', blue.name ?? '')
    expect(await links().peer('near')).toMatchObject({ namespace: { name: renamed, inode: blue.inode } })
    await run(undefined, 'ip', 'netns', 'delete', renamed)
  })
  test('the other end is moved', async context => {
    await needs(context, 'veth')
    const [blue, green] = [await create('blue'), await create('green')]
    await near(blue)
    const moving = (async () => {
      for (let i = 0; i < 20; i++) await (i % 2 ? green : blue).links.move('far', i % 2 ? blue : green)
    })()
    const seen = new Set<string | undefined>()
    for (let i = 0; i < 20; i++) {
      const peer = await links()
        .peer('near')
        .catch((error: { code: string }) => ({ code: error.code }))
      if ('code' in peer!) expect(peer.code).toBe('EAGAIN')
      else seen.add(peer?.namespace?.name)
    }
    await moving
    for (const name of seen) expect([blue.name, green.name]).toContain(name)
    expect(await links().peer('near')).toMatchObject({ namespace: { name: blue.name }, link: { name: 'far' } })
  })
})

describe('with less than root', () => {
  const program = `
const here = Namespace.current()
const told = await here.links.peer('near').then(({ namespace, link }) => ({ name: namespace?.name, link: link.name }), ({ code, hint, operation }) => ({ code, hint, operation }))
console.log(JSON.stringify(told))`
  const look = async (without: string) => {
    const before = ['setpriv', `--inh-caps=${without}`, `--bounding-set=${without}`]
    return (await runBuilt({ index: ['Namespace'] }, program, { before, where: host.name })).json
  }

  test('what may not be looked at from outside is looked at from inside', async context => {
    await needs(context, 'veth', 'tool:setpriv')
    const blue = await create('blue')
    await links().create({ kind: 'veth', name: 'near', peer: { name: 'far', namespace: blue } })
    expect(await look('-net_admin')).toEqual({ name: blue.name, link: 'far' })
  })
  test('the error says which right is missing', async context => {
    await needs(context, 'veth', 'tool:setpriv')
    const blue = await create('blue')
    await links().create({ kind: 'veth', name: 'near', peer: { name: 'far', namespace: blue } })
    expect(await look('-net_admin,-sys_admin')).toMatchObject({
      code: expect.stringMatching(/^E(ACCES|PERM)$/),
      operation: 'find peer',
      hint: expect.stringMatching(/root/),
    })
  })
})

test('1,000 namespaces whose inner ends all have the same index', { timeout: patience(180_000) }, async context => {
  await needs(context, 'veth', 'tool:ethtool')
  const count = 1000
  const names = Array.from({ length: count }, (_, i) => host.named(`n${i}`))
  // Neither the order of making nor that of numbers tells which is where.
  const nameBehind = (i: number) => names[(i * 377 + 11) % count] ?? ''
  const before = await descriptors()
  const indexes = new Set<number>()
  try {
    for (const name of names) await (await Namespace.create(name)).close()
    for (let i = 0; i < count; i++) {
      const made = await links().create({ kind: 'veth', name: `v${i}`, peer: { name: 'eth0', namespace: { name: nameBehind(i) } } })
      indexes.add(made.peer.link.index)
    }
    // All the same: 2, where the kernel puts nothing but lo into a new namespace.
    const [index] = indexes
    expect(indexes.size).toBe(1)
    const fresh = await Namespace.open({ name: host.name })
    const peers = await Promise.all(Array.from({ length: count }, (_, i) => fresh.links.peer(`v${i}`)))
    // What create() told is another way to the same answers.
    const learned = []
    for (let i = 0; i < count; i++) learned.push(await links().peer(`v${i}`))
    expect(learned).toEqual(peers)
    const inodes = new Map((await Namespace.list()).map(({ name, inode }) => [name, inode]))
    for (const [i, peer] of peers.entries()) {
      expect(peer).toMatchObject({ namespace: { name: nameBehind(i), inode: inodes.get(nameBehind(i)) }, link: { name: 'eth0', index } })
    }
    // ip's own way: the number of the namespace by link, the name by number.
    const numbers = await ip<{ id?: number; name: string }>(host.name, 'netns', 'list')
    const nameOf = new Map(numbers.map(({ id, name }) => [id, name]))
    const shown = await ip<{ ifname: string; link_index: number; link_netnsid: number }>(host.name, 'link', 'show', 'type', 'veth')
    expect(shown).toHaveLength(count)
    for (const { ifname, link_index, link_netnsid } of shown)
      expect([link_index, nameOf.get(link_netnsid)]).toEqual([index, nameBehind(Number(ifname.slice(1)))])
    for (let i = 0; i < count; i += 97) {
      expect(await ethtoolStatistics(host.name, `v${i}`)).toMatchObject({ peer_ifindex: index })
      expect((await ipLink(nameBehind(i), 'eth0'))?.address).toBe(peers[i]?.link.mac)
    }
    await fresh.close()
    expect((await descriptors()).net).toBe(before.net)
  } finally {
    await Promise.all(names.map(name => deleteNamed(name)))
    await expect.poll(() => linkNames(host.name), { timeout: patience(60_000), interval: 500 }).toEqual([])
  }
})
