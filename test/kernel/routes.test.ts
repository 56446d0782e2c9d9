// Routes: what is added is what `ip route` shows, and what it adds is what list() says.
import { expect, test } from 'vitest'
import { type Namespace, type Route, type RouteSpec, routeFlags } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { attempt, run } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'
import { defined, shownRoutes, table, translatedRoute, useRoutedHost } from '../helpers/routes.js'

const host = useRoutedHost()
const six = (text: string | undefined) => text?.includes(':') === true
const familyOf = (spec: RouteSpec) =>
  six(spec.to) || (spec.to === 'default' && (six(spec.via) || six(spec.src) || spec.family === 6)) ? 6 : 4
const nameOf = (index: number | undefined) => (index === host.eth0 ? 'eth0' : index === host.end ? 'end' : index === 1 ? 'lo' : index)
function named(route: Route): Record<string, unknown> {
  const { table: _, link, nexthops, ...rest } = route
  return defined({ ...rest, link: nameOf(link), nexthops: nexthops?.map(hop => defined({ ...hop, link: nameOf(hop.link) })) })
}

const specs: [string, RouteSpec][] = [
  ['network on a link', { to: '10.9.0.0/16', link: 'eth0' }],
  ['network behind a router', { to: '10.9.0.0/16', via: '10.0.1.9' }],
  ['host', { to: '10.9.0.1', via: '10.0.1.9' }],
  ['host with its length', { to: '10.9.0.1/32', link: 'eth0' }],
  ['default', { to: 'default', via: '10.0.1.9' }],
  ['0.0.0.0/0', { to: '0.0.0.0/0', link: 'end' }],
  ['preferred source', { to: '10.9.0.0/16', via: '10.0.1.9', src: '10.0.2.1' }],
  ['metric', { to: '10.9.0.0/16', via: '10.0.1.9', metric: 4_000_000_000 }],
  ['protocol by name', { to: '10.9.0.0/16', via: '10.0.1.9', protocol: 'zebra' }],
  ['protocol by number', { to: '10.9.0.0/16', via: '10.0.1.9', protocol: 73 }],
  ['scope', { to: '10.9.0.0/16', link: 'eth0', scope: 'global' }],
  ['type of service', { to: '10.9.0.0/16', via: '10.0.1.9', tos: 16 }],
  ['onlink', { to: '10.9.0.0/16', via: '192.168.7.7', link: 'eth0', onlink: true }],
  ['mtu', { to: '10.9.0.0/16', via: '10.0.1.9', mtu: 1400 }],
  ['metrics', { to: '10.9.0.0/16', via: '10.0.1.9', metrics: { advmss: 1300, initcwnd: 20, window: 65_000, hoplimit: 7, reordering: 5 } }],
  ['blackhole', { to: '10.9.0.0/16', type: 'blackhole' }],
  ['unreachable', { to: '10.9.0.0/16', type: 'unreachable' }],
  ['prohibit', { to: '10.9.0.0/16', type: 'prohibit' }],
  ['throw', { to: '10.9.0.0/16', type: 'throw' }],
  ['local', { to: '10.9.0.7', link: 'eth0', type: 'local' }],
  ['broadcast', { to: '10.9.0.255', link: 'eth0', type: 'broadcast' }],
  ['an IPv6 router', { to: '10.9.0.0/16', via: 'fd00:1::9' }],
  ['multipath', { to: '10.9.0.0/16', nexthops: [{ via: '10.0.1.9' }, { via: '10.0.2.9', link: 'end', weight: 200 }] }],
  [
    'multipath over both families',
    {
      to: '10.9.0.0/16',
      nexthops: [
        { via: 'fd00:1::9', link: 'eth0' },
        { link: 'end', weight: 3 },
      ],
    },
  ],
  [
    'multipath onlink',
    {
      to: '10.9.0.0/16',
      onlink: true,
      nexthops: [
        { via: '192.168.7.7', link: 'eth0' },
        { via: '192.168.7.8', link: 'end' },
      ],
    },
  ],
  ['IPv6 network on a link', { to: 'fd09::/32', link: 'eth0' }],
  ['IPv6 network behind a router', { to: 'fd09::/32', via: 'fd00:1::9' }],
  ['IPv6 host', { to: 'fd09::1', via: 'fd00:1::9' }],
  ['IPv6 default', { to: 'default', via: 'fd00:1::9' }],
  ['IPv6 default by link', { to: 'default', family: 6, link: 'eth0' }],
  ['::/0', { to: '::/0', link: 'eth0' }],
  ['IPv6 source', { to: 'fd09::/32', via: 'fd00:1::9', src: 'fd00:2::1' }],
  ['IPv6 metric', { to: 'fd09::/32', via: 'fd00:1::9', metric: 77 }],
  ['IPv6 preference', { to: 'fd09::/32', via: 'fd00:1::9', preference: 'high' }],
  ['IPv6 mtu', { to: 'fd09::/32', via: 'fd00:1::9', mtu: 1300, metrics: { hoplimit: 9 } }],
  ['IPv6 onlink', { to: 'fd09::/32', via: 'fd77::1', link: 'eth0', onlink: true }],
  ['IPv6 blackhole', { to: 'fd09::/32', type: 'blackhole' }],
  ['IPv6 unreachable', { to: 'fd09::/32', type: 'unreachable' }],
  ['IPv6 prohibit', { to: 'fd09::/32', type: 'prohibit' }],
  [
    'IPv6 multipath',
    {
      to: 'fd09::/32',
      nexthops: [
        { via: 'fd00:1::9', weight: 2 },
        { via: 'fd00:2::9', link: 'end' },
      ],
    },
  ],
]

test.each(specs)('added and deleted: %s', async (_, spec) => {
  const family = familyOf(spec)
  await host.here.routes.add({ ...spec, table })
  const [entry, ...others] = await shownRoutes(host, family)
  expect(others).toEqual([])
  const [read, ...more] = await host.here.routes.list({ table })
  expect(more).toEqual([])
  expect(read?.table).toBe(table)
  expect(named(read!)).toEqual(translatedRoute(entry!, family))

  expect(await refusal(host.here.routes.add({ ...spec, table }))).toMatchObject({
    code: 'EEXIST',
    operation: 'add route',
    subject: spec.to,
    namespace: host.name,
  })
  // What was read is a description too.
  await host.here.routes.delete(read!)
  expect(await shownRoutes(host, family)).toEqual([])
  await host.here.routes.add(read!)
  expect((await host.here.routes.list({ table }))[0]).toEqual(read)
  await host.here.routes.delete({
    to: spec.to,
    table,
    family,
    ...(spec.type === undefined ? {} : { type: spec.type }),
    ...(spec.tos === undefined ? {} : { tos: spec.tos }),
  })
  expect(await host.here.routes.list({ table })).toEqual([])
})

test('the same defaults as ip: table, scope, protocol, type', async () => {
  await host.here.routes.add({ to: '10.9.0.0/16', link: 'eth0' })
  await host.here.routes.add({ to: '10.10.0.0/16', via: '10.0.1.9' })
  await host.here.routes.add({ to: '10.11.0.1', link: 'eth0', type: 'local' })
  await run(host.name, 'ip', 'route', 'add', '10.19.0.0/16', 'dev', 'eth0')
  await run(host.name, 'ip', 'route', 'add', '10.20.0.0/16', 'via', '10.0.1.9')
  await run(host.name, 'ip', 'route', 'add', 'local', '10.21.0.1', 'dev', 'eth0')
  const routes = (await host.here.routes.list({ table: 'all', family: 4 })).filter(route => route.protocol === 'boot')
  const form = (to: string) => ({ ...routes.find(route => route.to === to), to: undefined })
  expect(form('10.9.0.0/16')).toEqual(form('10.19.0.0/16'))
  expect(form('10.10.0.0/16')).toEqual(form('10.20.0.0/16'))
  expect(form('10.11.0.1')).toEqual(form('10.21.0.1'))
  expect(form('10.11.0.1')).toMatchObject({ table: 255, scope: 'host', type: 'local' })
  await host.here.routes.delete({ to: '10.11.0.1', type: 'local' })
  await host.here.routes.delete({ to: '10.21.0.1', type: 'local' })
})

test('every table: MAIN, LOCAL and all together are what ip shows', async () => {
  const tables = { main: 'main', local: 'local', all: 'all' } as const
  for (const [ours, theirs] of Object.entries(tables) as ['main' | 'local' | 'all', string][])
    for (const family of [4, 6] as const) {
      const read = (await host.here.routes.list({ table: ours, family })).map(named)
      const expected = (await shownRoutes(host, family, theirs)).map(route => translatedRoute(route, family))
      const order = (a: object, b: object) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
      expect(read.sort(order)).toEqual(expected.sort(order))
      expect(read.length).toBeGreaterThan(0)
    }
})

test('list chooses by table, family, link, protocol and type; a table without routes is empty', async () => {
  await host.here.routes.add({ to: '10.9.0.0/16', via: '10.0.1.9', protocol: 'static' })
  await host.here.routes.add({ to: '10.10.0.0/16', nexthops: [{ via: '10.0.1.9' }, { via: '10.0.2.9' }], protocol: 'zebra' })
  await host.here.routes.add({ to: 'fd09::/32', via: 'fd00:2::9', protocol: 'static' })
  await host.here.routes.add({ to: '10.11.0.0/16', type: 'blackhole', protocol: 'static' })
  const to = async (filter: Parameters<Namespace['routes']['list']>[0]) => (await host.here.routes.list(filter)).map(route => route.to)
  expect(await to({ protocol: 'static' })).toEqual(['10.9.0.0/16', '10.11.0.0/16', 'fd09::/32'])
  expect(await to({ protocol: 11 })).toEqual(['10.10.0.0/16'])
  expect(await to({ link: 'end', family: 4 })).toEqual(['10.0.2.0/24', '10.10.0.0/16'])
  expect(await to({ link: 'end', family: 6, protocol: 'static' })).toEqual(['fd09::/32'])
  expect(await to({ type: 'blackhole' })).toEqual(['10.11.0.0/16'])
  expect(await to({ table: 31_337 })).toEqual([])
  expect(await to({ table: 31_337, family: 4 })).toEqual([])
  expect(await refusal(host.here.routes.list({ link: 'nobody' }))).toMatchObject({ code: 'ENODEV', path: 'link' })
})

test('iterate gives the same, one by one, and may be left early', async () => {
  const lines = Array.from({ length: 3000 }, (_, i) => `route add 10.${100 + (i >> 8)}.${i & 255}.0/24 via 10.0.1.9 table ${table}`)
  const { code, stderr } = await attempt(host.name, 'ip', ['-batch', '-'], `${lines.join('\n')}\n`)
  expect([code, stderr]).toEqual([0, ''])
  const all: Route[] = []
  for await (const route of host.here.routes.iterate({ table })) all.push(route)
  expect(all).toHaveLength(3000)
  expect(all).toEqual(await host.here.routes.list({ table }))
  let seen = 0
  for await (const _ of host.here.routes.iterate({ table })) if (++seen === 10) break
  expect(seen).toBe(10)
  for await (const route of host.here.routes.iterate({ table: 31_337 })) expect(route).toBeUndefined()
  expect(await host.here.routes.list({ table, family: 6 })).toEqual([])
})

test('replace puts one in place of another', async () => {
  await host.here.routes.replace({ to: '10.9.0.0/16', via: '10.0.1.9', table })
  await host.here.routes.replace({ to: '10.9.0.0/16', via: '10.0.2.9', table })
  await host.here.routes.replace({ to: 'fd09::/32', via: 'fd00:1::9', table })
  await host.here.routes.replace({ to: 'fd09::/32', via: 'fd00:2::9', table })
  expect((await host.here.routes.list({ table })).map(({ to, via }) => [to, via])).toEqual([
    ['10.9.0.0/16', '10.0.2.9'],
    ['fd09::/32', 'fd00:2::9'],
  ])
})

test('delete takes the one that fits, and says when none does', async () => {
  await host.here.routes.add({ to: '10.9.0.0/16', via: '10.0.1.9', metric: 5, table })
  await host.here.routes.add({ to: '10.9.0.0/16', via: '10.0.1.9', metric: 6, table })
  for (const wrong of [{ metric: 7 }, { via: '10.0.1.8' }, { type: 'blackhole' }, { protocol: 'static' }] as const)
    expect(await refusal(host.here.routes.delete({ to: '10.9.0.0/16', table, ...wrong }))).toMatchObject({
      code: 'ESRCH',
      operation: 'delete route',
    })
  await host.here.routes.delete({ to: '10.9.0.0/16', table, metric: 6 })
  expect((await host.here.routes.list({ table })).map(({ metric }) => metric)).toEqual([5])
})

test('what list gives can be deleted, also what leads to a nexthop object', async context => {
  await needs(context, 'nexthop')
  const batch = ['nexthop add id 5 via 10.0.1.7 dev eth0', 'nexthop add id 6 group 5', 'nexthop add id 7 blackhole']
  for (const line of batch) await run(host.name, 'ip', ...line.split(' '))
  for (const id of [5, 6, 7]) await run(host.name, 'ip', 'route', 'add', `10.${id}.0.0/16`, 'nhid', String(id), 'table', String(table))
  const found = await host.here.routes.list({ table })
  expect(found.map(({ nexthopId, type }) => [nexthopId, type])).toEqual([
    [5, 'unicast'],
    [6, 'unicast'],
    [7, 'blackhole'],
  ])
  for (const route of found) await host.here.routes.delete(route)
  expect(await host.here.routes.list({ table })).toEqual([])
})

test('flags are those of netstat -rn and route -n', async () => {
  const specs: RouteSpec[] = [
    { to: 'default', via: '10.0.1.9' },
    { to: '10.9.0.0/16', link: 'eth0' },
    { to: '10.9.1.0/24', via: '10.0.1.9' },
    { to: '10.9.1.1', via: '10.0.1.9' },
    { to: '10.9.1.2', link: 'eth0' },
    { to: '10.10.0.0/16', type: 'unreachable' },
    { to: '10.10.0.1', type: 'prohibit' },
    { to: '10.11.0.0/16', type: 'blackhole' },
    { to: '10.12.0.0/16', type: 'throw' },
    { to: '10.13.0.0/16', nexthops: [{ via: '10.0.1.9' }, { via: '10.0.2.9' }] },
    { to: 'default', via: 'fd00:1::9' },
    { to: 'fd09::/32', link: 'eth0' },
    { to: 'fd09::1', via: 'fd00:1::9' },
    { to: 'fd0a::/32', type: 'unreachable' },
    { to: 'fd0b::/32', type: 'blackhole' },
  ]
  for (const spec of specs) await host.here.routes.add(spec)
  const routes = await host.here.routes.list({ table: 'all' })
  const flagsOf = (family: 4 | 6, tables: number[]) =>
    Object.fromEntries(
      routes.filter(route => route.family === family && tables.includes(route.table)).map(route => [route.to, routeFlags(route)]),
    )
  const rows = async (program: string, ...args: string[]) =>
    (await run(host.name, program, ...args))
      .split('\n')
      .map(line => line.trim().split(/\s+/))
      .filter(words => /^[\da-f:.]+(\/\d+)?$/.test(words[0] ?? ''))
  const bits = (mask: string) => mask.split('.').reduce((sum, octet) => sum + Number(octet).toString(2).replaceAll('0', '').length, 0)
  for (const [program, args] of [
    ['netstat', ['-rn']],
    ['route', ['-n']],
  ] as const) {
    const theirs = (await rows(program, ...args)).map(([to = '', , mask = '', flags]) => {
      const length = bits(mask)
      return [length === 0 ? 'default' : length === 32 ? to : `${to}/${length}`, flags]
    })
    expect(flagsOf(4, [254])).toEqual(Object.fromEntries(theirs))
  }
  const theirs6 = (await rows('netstat', '-6', '-r', '-n'))
    // Last, the entry that the kernel falls back to; it is in no table.
    .filter(words => !(words[0] === '::/0' && words[2] === '!n'))
    .map(([to = '', , flags]) => [to === '::/0' ? 'default' : to.replace(/\/128$/, ''), flags])
  expect(flagsOf(6, [254, 255])).toEqual(Object.fromEntries(theirs6))
})
