// Tables, chains, sets, maps, elements and named objects of nftables: what is made is what nft lists, and list() says what nft made.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { Namespace, nftText, nft as nftWords } from '../../lib/index.js'
import { isKernel, needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { refusedElement } from '../helpers/nftables-rows.js'
import { attempt, nft, run } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'

const host = useHost()
let here: Namespace
const web = { family: 'inet', table: 'web' } as const

beforeAll(async () => {
  here = await Namespace.open({ name: host.name })
})
beforeEach(async context => {
  await needs(context, 'tool:nft', 'nftables')
  await here.nftables.tables.create({ family: 'inet', name: 'web' })
})
afterEach(async () => {
  await run(host.name, 'nft', 'flush', 'ruleset')
})
afterAll(async () => {
  await here?.close()
})

type Shown = Readonly<Record<string, Readonly<Record<string, unknown>>>>
/** The objects of one sort as nft lists them. */
const shown = async (sort: string) =>
  ((await nft(host.name, 'list', 'ruleset')) as Shown[]).flatMap(entry => (entry[sort] ? [entry[sort]] : []))

/** As nft 1.0.6 has it in JSON: without two of the flags, and with the types of a map's values in one string. */
const inJson = (set: object) => {
  const { flags = [], map, 'auto-merge': _, ...rest } = set as Readonly<Record<string, unknown>>
  const left = (flags as string[]).filter(flag => flag !== 'dynamic')
  return { ...rest, ...(left.length ? { flags: left } : {}), ...(map === undefined ? {} : { map: [map].flat().join(' . ') }) }
}
const byName = (entries: readonly object[]) =>
  [...entries].sort((a, b) => ('name' in a && 'name' in b ? String(a.name).localeCompare(String(b.name)) : 0))

test('a table, with its flags and comment', async () => {
  const { tables } = here.nftables
  const made = await tables.create({ family: 'ip6', name: 'six', flags: 'dormant', comment: 'tests' })
  expect(await run(host.name, 'nft', 'list', 'table', 'ip6', 'six')).toBe('table ip6 six {\n\tflags dormant\n\tcomment "tests"\n}\n')
  expect(made).toEqual({ family: 'ip6', name: 'six', handle: made.handle, flags: 'dormant', comment: 'tests' })
  expect(await tables.get({ family: 'ip6', name: 'six' })).toEqual(made)
  await tables.update(made, { dormant: false })
  expect(await tables.get(made)).toEqual({ family: 'ip6', name: 'six', handle: made.handle, comment: 'tests' })
  expect((await tables.list({ family: 'ip6' })).map(({ name }) => name)).toEqual(['six'])
  expect((await tables.list()).map(({ name }) => name)).toEqual(['web', 'six'])
  await tables.delete(made)
  expect(await tables.find(made)).toBeUndefined()
  expect(await refusal(tables.get(made))).toMatchObject({
    code: 'ENOENT',
    operation: 'get table',
    subject: 'ip6 six',
    namespace: host.name,
  })
  expect(await refusal(tables.delete(made))).toMatchObject({ code: 'ENOENT', operation: 'delete table', path: 'name' })
})

test('a table that has an owner belongs to the connection', async () => {
  const owner = await Namespace.open({ name: host.name })
  const made = owner.nftables.tables.create({ family: 'ip', name: 'mine', flags: ['owner'] })
  if (!isKernel('5.12')) {
    expect(await refusal(made)).toMatchObject({ code: 'EINVAL', hint: expect.stringContaining('Linux before 5.12') })
    return owner.close()
  }
  await made
  expect(await refusal(here.nftables.tables.delete({ family: 'ip', name: 'mine' }))).toMatchObject({ code: 'EPERM' })
  await owner.close()
  expect(await here.nftables.tables.list({ family: 'ip' })).toEqual([])
})

test('chains: base and regular, policy, another name', async () => {
  const { chains } = here.nftables
  const made = await chains.create({ ...web, name: 'in', type: 'filter', hook: 'input', prio: 'filter - 5', policy: 'drop' })
  await chains.create({ ...web, name: 'helper' })
  expect(await shown('chain')).toEqual([made, { ...web, name: 'helper', handle: expect.any(Number) }])
  expect(await chains.list({ table: 'web' })).toEqual(await shown('chain'))
  await chains.update(made, { policy: 'accept' })
  await chains.update({ ...web, name: 'helper' }, { name: 'other' })
  expect((await shown('chain')).map(({ name, policy }) => [name, policy])).toEqual([
    ['in', 'accept'],
    ['other', undefined],
  ])
  await run(host.name, 'nft', 'add', 'rule', 'inet', 'web', 'in', 'jump', 'other')
  expect(await refusal(chains.delete({ ...web, name: 'other' }))).toMatchObject({
    code: 'EBUSY',
    operation: 'delete chain',
    subject: 'inet web other',
  })
  await chains.flush(made)
  expect(await shown('rule')).toEqual([])
  await chains.delete({ ...web, name: 'other' })
  await chains.delete(made)
  expect(await chains.list()).toEqual([])
})

test('sets of every sort of key, as nft lists them', async () => {
  const { sets } = here.nftables
  const specs = [
    { name: 'addresses', type: 'ipv4_addr', elem: ['10.0.0.1', '10.0.0.2'] },
    { name: 'empty', type: 'ipv6_addr' },
    {
      name: 'ranges',
      type: 'ipv4_addr',
      flags: ['interval'],
      elem: [{ prefix: { addr: '10.0.0.0', len: 8 } }, { range: ['11.0.0.1', '11.0.0.9'] }, '255.255.255.255'],
    },
    { name: 'all', type: 'ipv4_addr', flags: ['interval'], elem: [{ prefix: { addr: '0.0.0.0', len: 0 } }] },
    { name: 'six', type: 'ipv6_addr', flags: ['interval'], elem: [{ prefix: { addr: 'fd00::', len: 8 } }, 'fe80::1'] },
    { name: 'ports', type: 'inet_service', elem: [22, 80, 443] },
    { name: 'pairs', type: ['ipv4_addr', 'inet_service'], elem: [{ concat: ['10.0.0.1', 80] }, { concat: ['10.0.0.2', 443] }] },
    {
      name: 'boxes',
      type: ['ipv4_addr', 'inet_service'],
      flags: ['interval'],
      elem: [{ concat: [{ prefix: { addr: '10.0.0.0', len: 24 } }, { range: [80, 90] }] }],
    },
    { name: 'macs', type: 'ether_addr', elem: ['02:42:ac:12:00:02'] },
    { name: 'marks', type: 'mark', elem: [1, 256] },
    { name: 'links', type: 'ifname', elem: ['eth0', 'veth-1'] },
    { name: 'timed', type: 'ipv4_addr', flags: ['timeout'], timeout: 3600, 'gc-interval': 10 },
    { name: 'filled', type: 'ipv4_addr', flags: ['dynamic'], size: 1000 },
    { name: 'said', type: 'ipv4_addr', elem: [{ elem: { val: '10.0.0.1', comment: 'the gateway' } }] },
    { name: 'small', type: 'ipv4_addr', policy: 'memory' },
  ] as const
  for (const spec of specs) await sets.create({ ...web, ...spec })
  const handle = expect.any(Number)
  const listed = byName(await shown('set'))
  expect(listed).toEqual(byName(specs.map(spec => inJson({ ...web, ...spec, handle }))))
  const read = byName(await sets.list({ elements: true }))
  expect(read).toEqual(byName(specs.map(spec => ({ ...web, ...spec, handle }))))
  expect(await run(host.name, 'nft', 'list', 'set', 'inet', 'web', 'filled')).toContain('flags dynamic')
})

test('maps to values, verdicts and objects', async () => {
  const { maps, chains, counters } = here.nftables
  await chains.create({ ...web, name: 'target' })
  await counters.create({ ...web, name: 'hits' })
  const specs = [
    { name: 'ports', type: 'inet_service', map: ['ipv4_addr', 'inet_service'], elem: [[8080, { concat: ['10.0.0.2', 80] }]] },
    {
      name: 'verdicts',
      type: 'ipv4_addr',
      map: 'verdict',
      elem: [
        ['10.0.0.1', { drop: null }],
        ['10.0.0.2', { jump: { target: 'target' } }],
        ...(isKernel('5.13') ? ([['*', { accept: null }]] as const) : []),
      ],
    },
    { name: 'byObject', type: 'ipv4_addr', map: 'counter', elem: [['10.0.0.1', 'hits']] },
    { name: 'rangesToMarks', type: 'inet_service', map: 'mark', flags: ['interval'], elem: [[{ range: [1, 1023] }, 7]] },
  ] as const
  for (const spec of specs) await maps.create({ ...web, ...spec })
  const handle = expect.any(Number)
  expect(await shown('map')).toEqual(specs.map(spec => inJson({ ...web, ...spec, handle })))
  expect(await maps.list({ elements: true })).toEqual(specs.map(spec => ({ ...web, ...spec, handle })))
})

test("kernels that lack the element '*' refuse it, and say so", async context => {
  if (isKernel('5.13')) context.skip("this kernel has the element '*'")
  const map = { ...web, name: 'verdicts', type: 'ipv4_addr', map: 'verdict', elem: [['*', { accept: null }]] } as const
  const hint = expect.stringContaining('Linux before 5.13')
  expect(await refusal(here.nftables.maps.create(map))).toMatchObject({ code: 'EINVAL', operation: 'create map', hint })
  await here.nftables.maps.create({ ...map, elem: [] })
  expect(await refusal(here.nftables.elements.add(map))).toMatchObject({ code: 'EINVAL', operation: 'add elements', hint })
})

test('elements are added, found and deleted one by one', async () => {
  const { sets, elements } = here.nftables
  const set = { ...web, name: 'ranges' }
  await sets.create({ ...set, type: 'ipv4_addr', flags: ['interval', 'timeout'], elem: ['10.0.0.0/24'] })
  await elements.add({
    ...set,
    elem: [{ elem: { val: '10.0.2.0/24', timeout: 60, comment: 'short' } }, { range: ['10.0.5.1', '10.0.5.7'] }],
  })
  expect(await elements.find(set, '10.0.5.3')).toEqual({ range: ['10.0.5.1', '10.0.5.7'] })
  expect(await elements.find(set, '10.0.2.9')).toMatchObject({
    elem: { val: { prefix: { addr: '10.0.2.0', len: 24 } }, timeout: 60, comment: 'short' },
  })
  expect(await elements.find(set, '10.0.9.9')).toBeUndefined()
  const overlap = elements.add({ ...set, elem: ['10.0.9.9', '10.0.5.5-10.0.5.9'] })
  expect(await refusal(overlap)).toMatchObject({ code: 'EEXIST', operation: 'add elements', ...refusedElement('elem[1]') })
  expect(await elements.find(set, '10.0.9.9')).toBeUndefined()
  await elements.delete({ ...set, elem: ['10.0.0.0/24', { range: ['10.0.5.1', '10.0.5.7'] }] })
  expect((await elements.list(set)).length).toBe(1)
  expect(await refusal(elements.delete({ ...set, elem: '10.0.0.0/24' }))).toMatchObject({ code: 'ENOENT', ...refusedElement('elem[0]') })
  await sets.flush(set)
  expect(await elements.list(set)).toEqual([])
})

test('elements that count, and sets whose elements all do', async () => {
  const { sets, elements } = here.nftables
  const set = { ...web, name: 'counted' }
  await sets.create({ ...set, type: 'ipv4_addr', flags: 'dynamic', stmt: [{ counter: null }], elem: ['10.0.0.1'] })
  await elements.add({ ...set, elem: { elem: { val: '10.0.0.2', counter: { packets: 3, bytes: 252 } } } })
  expect(await elements.list(set)).toEqual([
    { elem: { val: '10.0.0.1', counter: { packets: 0, bytes: 0 } } },
    { elem: { val: '10.0.0.2', counter: { packets: 3, bytes: 252 } } },
  ])
  expect((await shown('set'))[0]!.elem).toEqual(await elements.list(set))
})

test('ranges that touch are one where nft has them so', async () => {
  const { sets, elements } = here.nftables
  const set = { ...web, name: 'joined' }
  await sets.create({
    ...set,
    type: 'ipv4_addr',
    flags: ['interval'],
    'auto-merge': true,
    elem: ['10.0.0.0/25', '10.0.0.128/25', '10.0.0.64/26'],
  })
  expect(await elements.list(set)).toEqual([{ prefix: { addr: '10.0.0.0', len: 24 } }])
  expect(await sets.get(set)).toMatchObject({ 'auto-merge': true })
  expect(await run(host.name, 'nft', 'list', 'set', 'inet', 'web', 'joined')).toMatch(/auto-merge\s+elements = \{ 10\.0\.0\.0\/24 \}/)
})

test('counters, quotas and limits', async () => {
  const { counters, quotas, limits } = here.nftables
  const counter = { ...web, name: 'c', packets: 3, bytes: 252 }
  const quota = { ...web, name: 'q', bytes: 1000, used: 7, inv: true }
  const limit = { ...web, name: 'l', rate: 400, per: 'minute', burst: 5 } as const
  const bytes = { ...web, name: 'b', rate: 2, rate_unit: 'mbytes', per: 'second', burst: 10, burst_unit: 'kbytes' } as const
  const handle = expect.any(Number)
  expect(await counters.create(counter)).toEqual({ ...counter, handle })
  await quotas.create(quota)
  await limits.create(limit)
  await limits.create(bytes)
  expect(await shown('counter')).toEqual([{ ...counter, handle }])
  expect(await shown('quota')).toEqual([{ ...quota, handle }])
  expect(await shown('limit')).toMatchObject([
    { name: 'l', rate: 400, per: 'minute' },
    { name: 'b', rate: 2, rate_unit: 'mbytes', per: 'second' },
  ])
  expect(await quotas.list()).toEqual(await shown('quota'))
  expect(await limits.list({ family: 'inet', table: 'web' })).toEqual([limit, bytes].map(one => ({ ...one, handle })))
  expect(await counters.reset(counter)).toMatchObject({ packets: 3, bytes: 252 })
  expect(await counters.get(counter)).toMatchObject({ packets: 0, bytes: 0 })
  await counters.delete(counter)
  expect(await counters.find(counter)).toBeUndefined()
  expect(await refusal(counters.get(counter))).toMatchObject({ code: 'ENOENT', operation: 'get counter', subject: 'inet web c' })
})

test('what nft has made is read the same', async () => {
  const ruleset = `
    table ip t {
      counter c { packets 5 bytes 6 }
      set s { type ipv4_addr . inet_proto; elements = { 10.0.0.1 . tcp } }
      map m { type mark : verdict; flags interval; elements = { 0x10-0x20 : drop, 0x30 : goto g } }
      chain g { comment "regular"; }
      chain p { type nat hook prerouting priority dstnat; policy accept; }
    }`
  const { code, stderr } = await attempt(host.name, 'nft', ['-f', '-'], ruleset)
  expect([code, stderr]).toEqual([0, ''])
  const { sets, maps, chains, counters } = here.nftables
  const inTable = { family: 'ip', table: 't' } as const
  expect(await sets.list({ ...inTable, elements: true })).toEqual(await shown('set'))
  expect(await maps.list({ ...inTable, elements: true })).toEqual(await shown('map'))
  expect(await counters.list(inTable)).toEqual(await shown('counter'))
  expect((await chains.list(inTable)).map(({ comment: _, ...chain }) => chain)).toEqual(await shown('chain'))
})

test('maps whose values are ranges', async () => {
  const map = { ...web, name: 'nets', type: 'ipv4_addr', map: 'ipv4_addr', flags: ['interval'] } as const
  const elem = [
    [{ prefix: { addr: '10.0.0.0', len: 8 } }, { prefix: { addr: '10.1.0.0', len: 16 } }],
    [{ range: ['11.0.0.0', '11.0.0.5'] }, { range: ['1.1.1.1', '1.1.1.9'] }],
  ] as const
  await run(
    host.name,
    'nft',
    'add map inet web nets { type ipv4_addr : interval ipv4_addr; flags interval; elements = { 10.0.0.0/8 : 10.1.0.0/16, 11.0.0.0-11.0.0.5 : 1.1.1.1-1.1.1.9 }; }',
  )
  expect(await here.nftables.maps.list({ elements: true })).toMatchObject([{ map: 'ipv4_addr', elem }])
  const text = await run(host.name, 'nft', 'list', 'map', 'inet', 'web', 'nets')
  expect(nftText(await here.nftables.list())).toBe(text)
  await here.nftables.maps.delete(map)

  await here.nftables.maps.create({ ...map, elem })
  expect(await run(host.name, 'nft', 'list', 'map', 'inet', 'web', 'nets')).toBe(text)
  await here.nftables.elements.add({ ...map, elem: [['12.0.0.1', '5.5.5.5']] })
  expect(await here.nftables.elements.find(map, '12.0.0.1')).toEqual(['12.0.0.1', '5.5.5.5'])
})

test('values of several bits in sets', async () => {
  const set = { ...web, name: 'bits', type: 'tcp_flag' } as const
  await run(host.name, 'nft', 'add set inet web bits { type tcp_flag; elements = { syn, fin | syn | rst }; }')
  const [{ elem = [] } = {}] = await here.nftables.sets.list({ elements: true })
  expect([...elem].sort()).toEqual([{ '|': [{ '|': ['fin', 'syn'] }, 'rst'] }, 'syn'])
  expect(nftText(await here.nftables.list())).toContain('fin | syn | rst')
  await here.nftables.sets.flush(set)
  await here.nftables.elements.add({ ...set, elem })
  expect(await here.nftables.elements.list(set)).toEqual(elem)
})

test('what every element is to have stands in one line, as nft takes it', async () => {
  await here.nftables.sets.create({
    ...web,
    name: 'seen',
    type: 'ipv4_addr',
    flags: 'dynamic',
    size: 9,
    stmt: [{ counter: null }, { limit: { rate: 5, per: 'second' } }],
  })
  expect(nftText(await here.nftables.list())).toContain('\t\tcounter packets 0 bytes 0 limit rate 5/second\n')
})

test('what rules give to the elements that they make: several things, and the sets of meters', async () => {
  const at = { ...web, chain: 'c' } as const
  await run(
    host.name,
    'nft',
    'add set inet web seen { type ipv4_addr; flags dynamic; }; add chain inet web c; add rule inet web c meter hot size 128 { ip saddr timeout 5s limit rate 5/second }',
  )
  const each = [nftWords.counter(), nftWords.limit('5/second')]
  await here.nftables.rules.add({ ...at, ...nftWords.rule(nftWords.update('@seen', nftWords.ip.saddr, { each })) })
  const [meter, updating] = await here.nftables.rules.list(at)
  const saddr = { payload: { protocol: 'ip', field: 'saddr' } }
  const limit = { rate: 5, burst: 5, per: 'second' }
  expect(meter?.expr).toEqual([{ meter: { key: { elem: { val: saddr, timeout: 5 } }, stmt: { limit }, size: 128, name: 'hot' } }])
  expect(updating?.expr).toEqual([{ set: { op: 'update', elem: saddr, set: '@seen', stmt: [{ counter: null }, { limit }] } }])
  const text = await run(host.name, 'nft', 'list', 'chain', 'inet', 'web', 'c')
  for (const rule of [meter, updating]) expect(text).toContain(`\t${nftText(rule!)}\n`)
})
