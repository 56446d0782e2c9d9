// Links of every kind, made by the library, seen by ip, bridge and brctl; and links made by ip, seen by the library.
import { afterEach, describe, expect, expectTypeOf, test } from 'vitest'
import type { Link, LinkCreate } from '../../lib/index.js'
import { type Feature, needs } from '../helpers/features.js'
import { clear, ipLink, linkNames, useOpenHost } from '../helpers/links.js'
import { brctlPorts, bridge, ip, run } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'

const host = useOpenHost()
const links = () => host.namespace.links

afterEach(async () => {
  await clear(host.namespace)
})

/** One of each; `below` is there to sit on. */
const kinds: [kind: string, spec: LinkCreate, feature: Feature, ip: object][] = [
  ['veth', { kind: 'veth', name: 'made' }, 'veth', { info_kind: 'veth' }],
  [
    'bridge',
    { kind: 'bridge', name: 'made', options: { ageingTime: 60 } },
    'bridge',
    { info_kind: 'bridge', info_data: { ageing_time: 6000 } },
  ],
  ['dummy', { kind: 'dummy', name: 'made' }, 'dummy', { info_kind: 'dummy' }],
  ['ifb', { kind: 'ifb', name: 'made' }, 'ifb', { info_kind: 'ifb' }],
  [
    'vxlan',
    { kind: 'vxlan', name: 'made', options: { id: 77, port: 4789 } },
    'vxlan',
    { info_kind: 'vxlan', info_data: { id: 77, port: 4789 } },
  ],
  [
    'vxlan on a link',
    { kind: 'vxlan', name: 'made', link: 'below', options: { id: 77, group: '239.1.1.1' } },
    'vxlan',
    { info_kind: 'vxlan', info_data: { id: 77, link: 'below', group: '239.1.1.1' } },
  ],
  [
    'macvlan',
    { kind: 'macvlan', name: 'made', link: 'below', options: { mode: 'bridge' } },
    'macvlan',
    { info_kind: 'macvlan', info_data: { mode: 'bridge' } },
  ],
  ['macvtap', { kind: 'macvtap', name: 'made', link: 'below' }, 'macvtap', { info_kind: 'macvtap', info_data: { mode: 'vepa' } }],
  [
    'ipvlan',
    { kind: 'ipvlan', name: 'made', link: 'below', options: { mode: 'l3', flags: ['private'] } },
    'ipvlan',
    { info_kind: 'ipvlan', info_data: { mode: 'l3' } },
  ],
  ['ipvtap', { kind: 'ipvtap', name: 'made', link: 'below' }, 'ipvtap', { info_kind: 'ipvtap', info_data: { mode: 'l3' } }],
  [
    'vlan',
    { kind: 'vlan', name: 'made', link: 'below', options: { id: 9 } },
    'vlan',
    { info_kind: 'vlan', info_data: { id: 9, protocol: '802.1Q' } },
  ],
  [
    'tun',
    { kind: 'tun', name: 'made', options: { type: 'tun' } },
    'tun',
    { info_kind: 'tun', info_data: { type: 'tun', pi: false, persist: true } },
  ],
  [
    'tap',
    { kind: 'tun', name: 'made', options: { type: 'tap' } },
    'tap',
    { info_kind: 'tun', info_data: { type: 'tap', pi: false, persist: true } },
  ],
  ['another kind', { kind: 'other:ifb', name: 'made' } as LinkCreate, 'ifb', { info_kind: 'ifb' }],
]

describe('create', () => {
  test.for(kinds)('%s', async ([, spec, feature, shown], context) => {
    await needs(context, 'veth', feature)
    const below = await links().create({ kind: 'veth', name: 'below', up: true, peer: { name: 'across', up: true } })
    const made = (await links().create(spec)) as Link
    const seen = await ipLink(host.name, 'made')
    expect(seen).toMatchObject({ ifindex: made.index, mtu: made.mtu, linkinfo: shown })
    expect(made).toMatchObject({ name: 'made', up: false, ...(made.mac && { mac: seen?.address }) })
    expect(made.kind).toBe(spec.kind.replace(/^other:/, ''))
    if ('link' in spec) expect(made).toMatchObject({ link: below.index })
    expect(await links().get(made)).toMatchObject({ name: 'made', kind: made.kind, index: made.index })
    expect(JSON.parse(JSON.stringify(made))).toEqual(made)
    await links().delete(made)
    expect(await linkNames(host.name)).toEqual(['across', 'below'])
  })

  test('every field that links have in common', async context => {
    await needs(context, 'veth')
    const made = await links().create({
      kind: 'veth',
      name: 'made',
      mac: '02:00:00:00:00:0A',
      mtu: 1400,
      up: true,
      alias: 'a cable, as “text”',
      altNames: ['another', 'an-alternative-name-of-more-than-15-bytes'],
      group: 77,
      txQueueLength: 321,
      txQueues: 3,
      rxQueues: 2,
      index: 4711,
      ipv6: 'static',
      peer: {
        name: 'other',
        mac: '02:00:00:00:00:0b',
        mtu: 1300,
        up: true,
        alias: 'far',
        altNames: ['afar'],
        group: 78,
        txQueueLength: 322,
        txQueues: 2,
        rxQueues: 3,
        index: 4712,
        ipv6: 'none',
      },
    })
    expect(made).toMatchObject({
      name: 'made',
      mac: '02:00:00:00:00:0a',
      mtu: 1400,
      up: true,
      carrier: true,
      alias: 'a cable, as “text”',
      altNames: ['another', 'an-alternative-name-of-more-than-15-bytes'],
      group: 77,
      txQueueLength: 321,
      txQueues: 3,
      rxQueues: 2,
      index: 4711,
      link: 4712,
      netnsImmutable: false,
      peer: {
        link: {
          name: 'other',
          mac: '02:00:00:00:00:0b',
          mtu: 1300,
          up: true,
          alias: 'far',
          altNames: ['afar'],
          group: 78,
          txQueueLength: 322,
          txQueues: 2,
          rxQueues: 3,
          index: 4712,
          link: 4711,
        },
      },
    })
    expect(await ipLink(host.name, 'made')).toMatchObject({
      address: '02:00:00:00:00:0a',
      mtu: 1400,
      ifalias: 'a cable, as “text”',
      altnames: ['another', 'an-alternative-name-of-more-than-15-bytes'],
      group: '77',
      txqlen: 321,
      num_tx_queues: 3,
      num_rx_queues: 2,
      ifindex: 4711,
      link: 'other',
      inet6_addr_gen_mode: 'none',
    })
    expect(await ipLink(host.name, 'other')).toMatchObject({
      address: '02:00:00:00:00:0b',
      mtu: 1300,
      ifalias: 'far',
      altnames: ['afar'],
      group: '78',
      txqlen: 322,
      num_tx_queues: 2,
      num_rx_queues: 3,
      ifindex: 4712,
    })
    expect((await run(host.name, 'sysctl', '-n', 'net.ipv6.conf.other.disable_ipv6')).trim()).toBe('1')
    expect(await ip(host.name, '-6', 'address', 'show', 'dev', 'made')).toEqual([])
    expect(await ip(host.name, '-6', 'address', 'show', 'dev', 'other')).toEqual([])
  })

  test('names that the kernel chooses are reported', async context => {
    await needs(context, 'veth', 'bridge', 'tap')
    const first = await links().create({ kind: 'veth' })
    const second = await links().create({ kind: 'veth', peer: {} })
    expect([first.peer.link.name, first.name, second.peer.link.name, second.name]).toEqual(['veth0', 'veth1', 'veth2', 'veth3'])
    const others = [
      await links().create({ kind: 'bridge' }),
      await links().create({ kind: 'tun', options: { type: 'tap' } }),
      await links().create({ kind: 'tun', options: { type: 'tun' } }),
    ]
    expect(others.map(({ name }) => name)).toEqual(['bridge0', 'tap0', 'tun0'])
    for (const { name, index } of [first, second, ...others]) expect(await ipLink(host.name, name)).toMatchObject({ ifindex: index })
  })

  test('the name that the kernel chooses for a vxlan is reported, with everything that comes after', async context => {
    await needs(context, 'vxlan')
    const named = await links().create({ kind: 'vxlan', alias: 'tunnel', altNames: ['first'], up: true, ipv6: 'none', options: { id: 42 } })
    const passed = await links().create({ kind: 'other:vxlan', options: new Uint8Array([8, 0, 1, 0, 43, 0, 0, 0]) })
    expect([named.name, passed.name]).toEqual(['vxlan0', 'vxlan1'])
    expect(await ipLink(host.name, 'vxlan0')).toMatchObject({ ifindex: named.index, ifalias: 'tunnel', altnames: ['first'] })
    expect(await links().list({ kind: 'vxlan' })).toHaveLength(2)
  })

  test('many at once', async context => {
    await needs(context, 'veth')
    const made = await Promise.all(Array.from({ length: 30 }, () => links().create({ kind: 'veth' })))
    const names = made.flatMap(({ name, peer }) => [name, peer.link.name])
    expect(new Set(names).size).toBe(60)
    expect(names.sort()).toEqual(await linkNames(host.name))
  })

  test('a bridge with its ports', async context => {
    await needs(context, 'veth', 'bridge', 'tap')
    const switched = await links().create({ kind: 'bridge', name: 'switch', up: true, options: { stp: true, priority: 4096 } })
    const port = await links().create({
      kind: 'veth',
      name: 'port',
      master: 'switch',
      up: true,
      port: { isolated: true, cost: 9 },
      peer: { name: 'far', up: true },
    })
    const far = await links().create({
      kind: 'veth',
      name: 'near',
      peer: { name: 'port2', master: switched, up: true, port: { hairpin: true } },
    })
    const tap = await links().create({
      kind: 'tun',
      name: 'port3',
      options: { type: 'tap' },
      master: switched.index,
      up: true,
      port: { learning: false },
    })
    expect(port).toMatchObject({ master: switched.index, port: { isolated: true, cost: 9, number: 1 } })
    expect(far.peer).toMatchObject({
      link: { master: switched.index, port: { hairpin: true, number: 2 } },
      master: { name: 'switch', kind: 'bridge' },
    })
    expect(tap).toMatchObject({ master: switched.index, port: { learning: false, number: 3 } })
    const ports = await bridge<{ ifname: string }>(host.name, 'link', 'show')
    expect(ports.map(({ ifname }) => ifname).sort()).toEqual(['port', 'port2', 'port3'])
    expect(ports.find(({ ifname }) => ifname === 'port')).toMatchObject({ master: 'switch', isolated: true, cost: 9 })
    expect(ports.find(({ ifname }) => ifname === 'port2')).toMatchObject({ master: 'switch', hairpin: true })
    expect(ports.find(({ ifname }) => ifname === 'port3')).toMatchObject({ master: 'switch', learning: false })
    expect((await links().list({ master: 'switch' })).map(({ name }) => name).sort()).toEqual(['port', 'port2', 'port3'])
  })

  test('a bridge says its identity as brctl does', async context => {
    await needs(context, 'bridge', 'veth', 'tool:brctl', 'own-sysfs')
    await links().create({ kind: 'bridge', name: 'switch', mac: '02:42:ac:11:00:02', up: true, options: { stp: true, priority: 0x1000 } })
    const port = await links().create({ kind: 'veth', name: 'port', master: 'switch' })
    const { options } = (await links().list({ kind: 'bridge' }))[0]!
    expect(options).toMatchObject({ bridgeId: '1000.0242ac110002', rootId: '1000.0242ac110002', stp: true })
    expect(port.port).toMatchObject({ bridgeId: '1000.0242ac110002', rootId: '1000.0242ac110002' })
    expect(await run(undefined, 'ip', 'netns', 'exec', host.name, 'brctl', 'show', 'switch')).toMatch(
      /switch\s+1000\.0242ac110002\s+yes\s+port/,
    )
    expect(await brctlPorts(host.name)).toMatchObject({ switch: ['port'] })
  })
})

describe('get, find and list', () => {
  test('what ip made', async context => {
    await needs(context, 'veth', 'bridge')
    await run(
      host.name,
      'ip',
      'link',
      'add',
      'theirs',
      'address',
      '02:00:00:00:00:01',
      'mtu',
      '1450',
      'type',
      'veth',
      'peer',
      'name',
      'other',
    )
    await run(host.name, 'ip', 'link', 'property', 'add', 'dev', 'theirs', 'altname', 'an-alternative-name-of-theirs')
    const { ifindex } = (await ipLink(host.name, 'theirs'))!
    for (const ref of ['theirs', ifindex, { index: ifindex }, 'an-alternative-name-of-theirs'])
      expect(await links().get(ref)).toMatchObject({ name: 'theirs', index: ifindex, mtu: 1450, mac: '02:00:00:00:00:01', kind: 'veth' })
    expect(await links().find('theirs')).toMatchObject({ index: ifindex })
    expect((await links().list()).map(({ name }) => name).sort()).toEqual(['lo', ...(await linkNames(host.name))].sort())
  })

  test('lo has no kind and stays where it is', async () => {
    const lo = await links().get('lo')
    expect(lo).toMatchObject({ index: 1, name: 'lo', type: 'loopback', up: true, netnsImmutable: true, mtu: 65536 })
    expect(lo.kind).toBeUndefined()
  })

  test('counters where they are asked for', async context => {
    await needs(context, 'veth')
    const lo = await links().get('lo')
    const [listed] = await links().list({ statistics: true })
    expect(lo.statistics).toMatchObject({ rxPackets: expect.any(Number), txBytes: expect.any(Number) })
    expect(listed?.statistics).toEqual(lo.statistics)
    expect((await links().list())[0]?.statistics).toBeUndefined()
  })

  test('list by kind and by bridge', async context => {
    await needs(context, 'veth', 'bridge', 'ifb')
    await links().create({ kind: 'bridge', name: 'switch' })
    await links().create({ kind: 'bridge', name: 'switch2' })
    await links().create({ kind: 'veth', name: 'port', master: 'switch', peer: { name: 'end' } })
    await links().create({ kind: 'ifb', name: 'fork', master: 'switch2' })
    const names = async (filter: Parameters<ReturnType<typeof links>['list']>[0]) =>
      (await links().list(filter)).map(({ name }) => name).sort()
    expect(await names({ kind: 'bridge' })).toEqual(['switch', 'switch2'])
    expect(await names({ kind: 'veth' })).toEqual(['end', 'port'])
    expect(await names({ master: 'switch' })).toEqual(['port'])
    expect(await names({ master: 'switch2', kind: 'ifb' })).toEqual(['fork'])
    expect(await names({ master: 'switch2', kind: 'veth' })).toEqual([])
    expect(await names({ kind: 'dummy' })).toEqual([])
    expect(await names({ kind: 'other:nonesuch' })).toEqual([])
    expect(await refusal(links().list({ master: 'nonesuch' }))).toMatchObject({ code: 'ENODEV', path: 'master' })
    for (const bridgeLink of await links().list({ kind: 'bridge' })) expectTypeOf(bridgeLink.options.stp).toEqualTypeOf<boolean>()
  })

  test('what there is not', async () => {
    expect(await links().find('nonesuch')).toBeUndefined()
    expect(await links().find(999_999)).toBeUndefined()
    expect(await links().find('an-alternative-name-that-nobody-has')).toBeUndefined()
    const error = await refusal(links().get('nonesuch'))
    expect(error).toMatchObject({
      code: 'ENODEV',
      operation: 'get link',
      subject: 'nonesuch',
      namespace: host.name,
      hint: expect.stringContaining('list'),
    })
  })

  test('a cancelled list', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(links().list({ signal })).rejects.toMatchObject({ name: 'AbortError', cause: signal.reason })
    expect(await links().list()).toHaveLength(1)
  })
})
