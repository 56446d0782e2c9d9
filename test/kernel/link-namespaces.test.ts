// Links made straight in the namespaces they are for, in every combination of the two ends, and links moved from one to another.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Namespace } from '../../lib/index.js'
import { isKernel, needs } from '../helpers/features.js'
import { clear, ipLink, linkNames, useOpenHost } from '../helpers/links.js'
import { run, start } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'

const host = useOpenHost()
const links = () => host.namespace.links
let blue: Namespace
let green: Namespace

beforeEach(async () => {
  blue = await Namespace.create(host.named('blue'))
  green = await Namespace.create(host.named('green'))
})
afterEach(async () => {
  await Promise.all([blue.delete(), green.delete()])
  await clear(host.namespace)
})
const nameOf = (namespace: Namespace) => namespace.name ?? ''

describe('the two ends of a veth', () => {
  const places = ['here', 'blue', 'green'] as const
  type Place = (typeof places)[number]
  const at = (place: Place) => ({ here: host.namespace, blue, green })[place]
  const whereabouts = (place: Place) => ({ here: host.name, blue: nameOf(blue), green: nameOf(green) })[place]
  const cases = places.flatMap(main => places.map(peer => [main, peer] as [Place, Place]))

  test.for(cases)('%s and %s', async ([main, peer], context) => {
    await needs(context, 'veth')
    const made = await links().create({
      kind: 'veth',
      name: 'near',
      mtu: 1400,
      up: true,
      ...(main === 'here' ? {} : { namespace: at(main) }),
      peer: { name: 'far', up: true, mac: '02:00:00:00:00:01', alias: 'far end', ...(peer === 'here' ? {} : { namespace: at(peer) }) },
    })
    const near = await ipLink(whereabouts(main), 'near')
    const far = await ipLink(whereabouts(peer), 'far')
    expect(near).toMatchObject({ ifindex: made.index, mtu: 1400 })
    expect(near?.flags).toEqual(expect.arrayContaining(['UP', 'LOWER_UP']))
    expect(far).toMatchObject({ ifindex: made.peer.link.index, address: '02:00:00:00:00:01', ifalias: 'far end' })
    expect(far?.flags).toEqual(expect.arrayContaining(['UP', 'LOWER_UP']))
    expect(made).toMatchObject({ link: far?.ifindex, carrier: true, peer: { link: { link: near?.ifindex, carrier: true } } })
    expect(made.peer.namespace).toMatchObject({ inode: at(peer).inode, name: whereabouts(peer) })
    expect(made.linkNsid === undefined).toBe(main === peer)
    for (const place of places)
      expect(await linkNames(whereabouts(place))).toEqual([...(place === peer ? ['far'] : []), ...(place === main ? ['near'] : [])])
    await at(main).links.delete('near')
    expect(await linkNames(whereabouts(peer))).toEqual([])
  })

  test('names that the kernel chooses in each namespace', async context => {
    await needs(context, 'veth')
    const both = await links().create({ kind: 'veth', namespace: blue, peer: { namespace: green } })
    expect([both.name, both.peer.link.name]).toEqual(['veth0', 'veth0'])
    const here = await links().create({ kind: 'veth', peer: { namespace: green } })
    expect([here.name, here.peer.link.name]).toEqual(['veth0', 'veth1'])
    expect(await linkNames(nameOf(green))).toEqual(['veth0', 'veth1'])
  })

  test('bridges at both ends, each looked up where the end is', async context => {
    await needs(context, 'veth', 'bridge')
    const [first, second] = [
      await blue.links.create({ kind: 'bridge', name: 'br0', up: true }),
      await green.links.create({ kind: 'bridge', name: 'br0', index: 99, up: true }),
    ]
    const made = await links().create({
      kind: 'veth',
      name: 'a',
      namespace: blue,
      master: 'br0',
      port: { isolated: true },
      up: true,
      peer: { name: 'b', namespace: green, master: 'br0', port: { hairpin: true }, up: true },
    })
    expect(made).toMatchObject({
      master: first.index,
      port: { isolated: true },
      peer: { link: { master: second.index, port: { hairpin: true } }, master: { name: 'br0', index: 99 } },
    })
    expect(await ipLink(nameOf(blue), 'a')).toMatchObject({ master: 'br0', linkinfo: { info_slave_data: { isolated: true } } })
    expect(await ipLink(nameOf(green), 'b')).toMatchObject({ master: 'br0', linkinfo: { info_slave_data: { hairpin: true } } })
  })

  test('ipv6 policies, each in its own namespace', async context => {
    await needs(context, 'veth', 'ipv6')
    const policies = ['none', 'static', 'kernel'] as const
    for (const main of policies)
      for (const peer of policies) {
        const made = await links().create({
          kind: 'veth',
          name: 'a',
          namespace: blue,
          up: true,
          ipv6: main,
          peer: { name: 'b', namespace: green, up: true, ipv6: peer },
        })
        for (const [where, name, policy] of [[blue, 'a', main] as const, [green, 'b', peer] as const]) {
          const disabled = await run(nameOf(where), 'cat', `/proc/sys/net/ipv6/conf/${name}/disable_ipv6`)
          expect(disabled.trim(), `${main}, ${peer}`).toBe(policy === 'none' ? '1' : '0')
          const local = await run(nameOf(where), 'ip', '-6', '-o', 'address', 'show', 'dev', name)
          expect(local.includes('fe80::'), `${main}, ${peer}`).toBe(policy === 'kernel')
        }
        await blue.links.delete(made)
      }
  })

  test('a namespace by every way of naming it', async context => {
    await needs(context, 'veth')
    await using sleeper = await start(nameOf(blue), 'sleep', ['60'])
    const info = (await Namespace.list()).find(({ name }) => name === blue.name)!
    const ways = [blue, info, { name: nameOf(blue) }, { path: `/run/netns/${blue.name}` }, { pid: sleeper.pid }]
    for (const [i, namespace] of ways.entries()) {
      const made = await links().create({ kind: 'veth', name: `near${i}`, peer: { name: `far${i}`, namespace } })
      expect(made.peer.namespace.inode).toBe(blue.inode)
    }
    expect(await linkNames(nameOf(blue))).toEqual(ways.map((_, i) => `far${i}`))
  })

  test('an anonymous namespace', async context => {
    await needs(context, 'veth')
    await using anonymous = await Namespace.create()
    const made = await links().create({ kind: 'veth', name: 'near', peer: { name: 'far', namespace: anonymous } })
    expect(made.peer.namespace).toEqual({ device: anonymous.device, inode: anonymous.inode })
    expect((await anonymous.links.list()).map(({ name }) => name)).toEqual(['lo', 'far'])
  })
})

describe('other kinds straight in another namespace', () => {
  test('a bridge', async context => {
    await needs(context, 'bridge')
    const made = await links().create({ kind: 'bridge', namespace: blue, up: true })
    expect(made.name).toBe('bridge0')
    expect(await ipLink(nameOf(blue), 'bridge0')).toMatchObject({ ifindex: made.index })
    expect(await linkNames(host.name)).toEqual([])
  })
  test('tun and tap', async context => {
    await needs(context, 'tun', 'tap')
    const tap = await links().create({
      kind: 'tun',
      namespace: blue,
      mac: '02:00:00:00:00:05',
      mtu: 1300,
      group: 5,
      up: true,
      options: { type: 'tap' },
    })
    const tun = await links().create({
      kind: 'tun',
      name: 'mine',
      namespace: green,
      alias: 'x',
      altNames: ['y'],
      txQueueLength: 7,
      options: { type: 'tun' },
    })
    expect(await ipLink(nameOf(blue), tap.name)).toMatchObject({
      ifindex: tap.index,
      address: '02:00:00:00:00:05',
      mtu: 1300,
      group: '5',
      linkinfo: { info_data: { type: 'tap' } },
    })
    expect(await ipLink(nameOf(green), 'mine')).toMatchObject({
      ifindex: tun.index,
      ifalias: 'x',
      altnames: ['y'],
      txqlen: 7,
      linkinfo: { info_data: { type: 'tun' } },
    })
    expect(await linkNames(host.name)).toEqual([])
  })
  test('a device that sits on one of here', async context => {
    await needs(context, 'veth', 'macvlan', 'bridge')
    const below = await links().create({ kind: 'veth', name: 'below' })
    await blue.links.create({ kind: 'bridge', name: 'br0' })
    const named = await links().create({
      kind: 'macvlan',
      link: 'below',
      name: 'above',
      namespace: blue,
      master: 'br0',
      options: { mode: 'bridge' },
    })
    const unnamed = await links().create({ kind: 'macvlan', link: below.index, namespace: green, index: 50 })
    const neither = await links().create({ kind: 'macvlan', link: below, namespace: green })
    expect(named).toMatchObject({ name: 'above', link: below.index, linkNsid: expect.any(Number) })
    expect(unnamed).toMatchObject({ name: 'macvlan0', index: 50 })
    expect(await ipLink(nameOf(blue), 'above')).toMatchObject({
      ifindex: named.index,
      master: 'br0',
      linkinfo: { info_data: { mode: 'bridge' } },
    })
    expect(await ipLink(nameOf(green), neither.name)).toMatchObject({ ifindex: neither.index })
    expect(await linkNames(nameOf(green))).toEqual(['macvlan0', 'macvlan1'])
  })
})

describe('move', () => {
  test('and back, under another name', async context => {
    await needs(context, 'veth')
    const { mac } = await links().create({
      kind: 'veth',
      name: 'a',
      up: true,
      alias: 'keeps',
      altNames: ['keeps-too'],
      group: 5,
      peer: { name: 'b', up: true },
    })
    await links().move('a', blue)
    expect(await linkNames(host.name)).toEqual(['b'])
    const there = await ipLink(nameOf(blue), 'a')
    expect(there).toMatchObject({ address: mac, ifalias: 'keeps', altnames: ['keeps-too'], group: '5' })
    expect(there?.flags).not.toContain('UP')
    // Old kernels forget to look for alternative names where the link has come to.
    await blue.links.move(isKernel('5.15') ? 'keeps-too' : 'a', green, { name: 'renamed' })
    expect(await linkNames(nameOf(blue))).toEqual([])
    await green.links.move('renamed', { name: host.name }, { name: 'a' })
    expect(await linkNames(host.name)).toEqual(['a', 'b'])
    expect(await links().peer('a')).toMatchObject({ namespace: { name: host.name }, link: { name: 'b' } })
  })
  test('by the name of a namespace, a process or a path', async context => {
    await needs(context, 'veth')
    await using sleeper = await start(nameOf(green), 'sleep', ['60'])
    await links().create({ kind: 'veth', name: 'a', peer: { name: 'b' } })
    await links().move('a', { name: nameOf(blue) })
    await blue.links.move('a', { pid: sleeper.pid })
    await green.links.move('a', { path: host.path })
    expect(await linkNames(host.name)).toEqual(['a', 'b'])
  })
  test('of a port takes it off its bridge', async context => {
    await needs(context, 'veth', 'bridge')
    await links().create({ kind: 'bridge', name: 'br0' })
    await links().create({ kind: 'veth', name: 'a', master: 'br0' })
    await links().move('a', blue)
    expect(await blue.links.get('a')).not.toHaveProperty('master')
    expect(await links().list({ master: 'br0' })).toHaveLength(0)
  })
  test('to a name that is taken', async context => {
    await needs(context, 'veth')
    await links().create({ kind: 'veth', name: 'a', peer: { name: 'taken', namespace: blue } })
    await links().create({ kind: 'veth', name: 'taken', peer: { name: 'other' } })
    expect(await refusal(links().move('taken', blue))).toMatchObject({
      code: 'EEXIST',
      operation: 'move link',
      hint: expect.stringContaining('another name'),
    })
    expect(await refusal(links().move('a', blue, { name: 'taken' }))).toMatchObject({ code: 'EEXIST' })
    expect(await linkNames(host.name)).toEqual(['a', 'other', 'taken'])
    // Somebody is faster, between the look and the move.
    const outcomes = await Promise.allSettled([links().move('a', blue, { name: 'same' }), links().move('other', blue, { name: 'same' })])
    const refused = outcomes.filter(outcome => outcome.status === 'rejected')
    expect(refused).toMatchObject([{ reason: { code: 'EEXIST', path: 'options.name' } }])
    expect([...(await linkNames(host.name)), ...(await linkNames(nameOf(blue)))].sort()).toEqual([
      outcomes[0]?.status === 'rejected' ? 'a' : 'other',
      'same',
      'taken',
      'taken',
    ])
    await links().move('taken', blue, { name: 'free' })
    expect(await linkNames(nameOf(blue))).toEqual(['free', 'same', 'taken'])
  })
  test('of what cannot be moved', async context => {
    await needs(context, 'bridge')
    await links().create({ kind: 'bridge', name: 'br0' })
    for (const name of ['lo', 'br0']) {
      expect((await links().get(name)).netnsImmutable).toBe(true)
      expect(await refusal(links().move(name, blue))).toMatchObject({
        code: 'EINVAL',
        subject: name,
        hint: expect.stringContaining('cannot leave their namespace'),
      })
    }
    expect(await linkNames(host.name)).toEqual(['br0'])
    expect(await linkNames(nameOf(blue))).toEqual([])
  })
  test('to where there is nothing', async context => {
    await needs(context, 'veth')
    await links().create({ kind: 'veth', name: 'a', peer: { name: 'b' } })
    expect(await refusal(links().move('a', { name: host.named('nonesuch') }))).toMatchObject({ code: 'ENOENT', path: 'to' })
    expect(await refusal(links().move('nonesuch', blue))).toMatchObject({ code: 'ENODEV' })
    await green.close()
    expect(await refusal(links().move('a', green))).toMatchObject({ code: 'EBADF', path: 'to' })
    await expect(links().move('a', blue, { name: '../up' })).rejects.toMatchObject({
      code: 'ERR_NETLOOM_INVALID_NAME',
      path: 'options.name',
    })
    await expect(links().move('a', blue, { as: 'x' } as object)).rejects.toMatchObject({
      code: 'ERR_NETLOOM_UNKNOWN_OPTION',
      path: 'options.as',
    })
    expect(await linkNames(host.name)).toEqual(['a', 'b'])
    green = await Namespace.open({ name: nameOf(green) })
  })
})
