// Routing rules: what is added is what `ip rule` shows, and what it adds is what list() says.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Namespace, type Rule, type RuleSpec } from '../../lib/index.js'
import { useHost } from '../helpers/host.js'
import { attempt, ip, run } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'

const host = useHost()
let here: Namespace
const priority = 500

beforeAll(async () => {
  here = await Namespace.open({ name: host.name })
})
afterEach(async () => {
  for (const family of ['-4', '-6'])
    for (let code: unknown = 0; code === 0; )
      code = (await attempt(host.name, 'ip', [family, 'rule', 'delete', 'priority', String(priority)])).code
})
afterAll(async () => {
  await here?.close()
})

interface Shown {
  readonly priority: number
  readonly src?: string
  readonly srclen?: number
  readonly dst?: string
  readonly dstlen?: number
  readonly [field: string]: unknown
}
const tables: Record<string, number> = { local: 255, main: 254, default: 253 }
const number = (text: unknown) => (text === undefined ? undefined : Number(text))
const range = (start: unknown, end: unknown, one?: unknown) =>
  start === undefined
    ? one === undefined
      ? undefined
      : { start: Number(one), end: Number(one) }
    : { start: Number(start), end: Number(end) }
/** What `ip -j -d rule` says, in our words. */
function translated(rule: Shown): Record<string, unknown> {
  const side = (address?: string, length?: number) =>
    address === undefined || address === 'all' ? undefined : length === undefined ? address : `${address}/${length}`
  return defined({
    priority: rule.priority,
    from: side(rule.src, rule.srclen),
    to: side(rule.dst, rule.dstlen),
    table: rule.table === undefined ? undefined : (tables[rule.table as string] ?? Number(rule.table)),
    mark: number(rule.fwmark),
    mask: Number(rule.fwmask) === 0xffff_ffff ? undefined : number(rule.fwmask),
    iif: rule.iif,
    oif: rule.oif,
    tos: number(rule.tos),
    ipProtocol: rule.ipproto === undefined ? undefined : { tcp: 6, udp: 17 }[rule.ipproto as string],
    sourcePorts: range(rule.sport_start, rule.sport_end, rule.sport),
    destinationPorts: range(rule.dport_start, rule.dport_end, rule.dport),
    users: range(rule.uid_start, rule.uid_end),
    invert: 'not' in rule || undefined,
    goto: rule.goto,
    suppressPrefix: rule.suppress_prefixlen,
    suppressGroup: rule.suppress_ifgroup === undefined ? undefined : Number(rule.suppress_ifgroup),
    type: rule.action ?? ('nop' in rule ? 'nop' : rule.goto === undefined ? 'table' : 'goto'),
  })
}
const defined = (fields: Record<string, unknown>) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
const ours = ({ family: _, protocol: __, table, ...rule }: Rule) => defined({ ...rule, table: table || undefined })
const shown = (family: 4 | 6) => ip<Shown>(host.name, `-${family}`, 'rule', 'show')

test('the rules of a new namespace', async () => {
  for (const family of [4, 6] as const) expect((await here.rules.list({ family })).map(ours)).toEqual((await shown(family)).map(translated))
  expect((await here.rules.list()).map(({ family, priority, table }) => [family, priority, table])).toEqual([
    [4, 0, 255],
    [4, 32_766, 254],
    [4, 32_767, 253],
    [6, 0, 255],
    [6, 32_766, 254],
  ])
})

test.each<[string, RuleSpec]>([
  ['source', { from: '10.0.1.0/24', table: 100 }],
  ['destination', { to: '10.0.1.7', table: 'main' }],
  ['source 0/0', { from: '0.0.0.0/0', table: 100 }],
  ['IPv6', { from: 'fd00::/64', to: 'fd01::1', table: 100 }],
  ['a table above 255', { from: '10.0.1.0/24', table: 70_000 }],
  ['mark', { mark: 7, table: 100 }],
  ['mark and mask', { mark: 0x10, mask: 0xff, table: 100, family: 6 }],
  ['no mark at all', { mark: 0, table: 100 }],
  ['no mark in some bits', { mark: 0, mask: 0xff, table: 100, family: 6 }],
  ['links', { iif: 'lo', oif: 'not-there', table: 100 }],
  ['invert', { invert: true, from: '10.0.1.0/24', table: 100 }],
  ['type of service', { tos: 16, table: 100 }],
  ['protocol and ports', { ipProtocol: 6, sourcePorts: { start: 1, end: 1023 }, destinationPorts: { start: 80, end: 80 }, table: 100 }],
  // Only 0 is sure to exist in a user namespace.
  ['users', { users: { start: 0, end: 0 }, table: 100 }],
  ['blackhole', { from: '10.0.1.0/24', type: 'blackhole' }],
  ['unreachable', { from: 'fd00::/64', type: 'unreachable' }],
  ['prohibit', { from: '10.0.1.0/24', type: 'prohibit' }],
  ['nop', { from: '10.0.1.0/24', type: 'nop' }],
  ['goto', { from: '10.0.1.0/24', type: 'goto', goto: 32_766 }],
  ['suppress', { from: '10.0.1.0/24', table: 'main', suppressPrefix: 0, suppressGroup: 3 }],
])('added and deleted: %s', async (_, spec) => {
  const family = spec.family ?? (spec.from?.includes(':') ? 6 : 4)
  await here.rules.add({ ...spec, priority })
  const [entry] = (await shown(family)).filter(rule => rule.priority === priority)
  const [read] = (await here.rules.list({ family })).filter(rule => rule.priority === priority)
  expect(ours(read!)).toEqual(translated(entry!))
  expect(read).toMatchObject({ family, protocol: 'unspec', ...(spec.mark !== undefined && { mark: spec.mark }) })
  expect(await refusal(here.rules.add({ ...spec, priority }))).toMatchObject({
    code: 'EEXIST',
    operation: 'add rule',
    subject: String(priority),
    namespace: host.name,
  })
  await here.rules.delete(read!)
  expect((await shown(family)).some(rule => rule.priority === priority)).toBe(false)
})

test('a rule that fits in part is left alone', async () => {
  await here.rules.add({ from: '10.0.1.0/24', table: 100, priority })
  for (const wrong of [{ from: '10.0.2.0/24' }, { priority: 501 }, { from: '10.0.1.0/24', table: 101 }, { mark: 3 }])
    expect(await refusal(here.rules.delete(wrong))).toMatchObject({ code: 'ENOENT', operation: 'delete rule' })
  await here.rules.delete({ from: '10.0.1.0/24' })
  await run(host.name, 'ip', 'rule', 'add', 'from', '10.0.1.0/24', 'table', '100', 'priority', String(priority), 'protocol', 'static')
  expect((await here.rules.list({ family: 4 })).find(rule => rule.priority === priority)).toMatchObject({ protocol: 'static', table: 100 })
})

test('a rule that ip has added is there already', async () => {
  await run(host.name, 'ip', 'rule', 'add', 'from', '10.0.1.0/24', 'table', '100', 'priority', String(priority))
  expect(await refusal(here.rules.add({ from: '10.0.1.0/24', table: 100, priority }))).toMatchObject({ code: 'EEXIST' })
  await here.rules.add({ from: '10.0.1.0/24', table: 100, priority, protocol: 'static' })
  const mine = (await here.rules.list({ family: 4 })).filter(rule => rule.priority === priority)
  expect(mine.map(({ protocol }) => protocol)).toEqual(['unspec', 'static'])
  for (const rule of mine) await here.rules.delete(rule)
})

test('a rule cannot go back', async () => {
  const back = here.rules.add({ from: '10.0.1.0/24', type: 'goto', goto: 5, priority })
  expect(await refusal(back)).toMatchObject({ code: 'EINVAL', path: 'goto', subject: String(priority) })
})

test.each<[string, unknown, string, string]>([
  ['a malformed prefix', { from: '10.0.1.0/33', table: 5 }, 'ERR_NETLOOM_INVALID_ADDRESS', 'from'],
  ['bits beyond the prefix', { to: '10.0.1.7/24', table: 5 }, 'ERR_NETLOOM_INVALID_ADDRESS', 'to'],
  ['mixed families', { from: '10.0.1.0/24', to: 'fd00::1', table: 5 }, 'ERR_NETLOOM_INVALID_ADDRESS', 'to'],
  ['a misspelt option', { fwmark: 5, table: 5 }, 'ERR_NETLOOM_UNKNOWN_OPTION', 'fwmark'],
  ['a mask without a mark', { mask: 5, table: 5 }, 'ERR_NETLOOM_INVALID_OPTION', 'mask'],
  ['goto nowhere', { type: 'goto' }, 'ERR_NETLOOM_MISSING_OPTION', 'goto'],
  ['a table for a blackhole', { type: 'blackhole', table: 5 }, 'ERR_NETLOOM_INVALID_OPTION', 'table'],
  ['half a range', { users: { start: 5 }, table: 5 }, 'ERR_NETLOOM_INVALID_OPTION', 'users'],
  ['a range backwards', { sourcePorts: { start: 5, end: 4 }, table: 5 }, 'ERR_NETLOOM_INVALID_OPTION', 'sourcePorts'],
])('refused before anything is sent: %s', async (_, spec, code, path) => {
  await expect(here.rules.add(spec as RuleSpec)).rejects.toMatchObject({ code, path })
})

test('nothing is deleted by a description of nothing', async () => {
  for (const spec of [{}, { family: 6 } as const, { type: 'table' } as const])
    await expect(here.rules.delete(spec)).rejects.toMatchObject({ code: 'ERR_NETLOOM_MISSING_OPTION', path: 'priority' })
  expect(await here.rules.list()).toHaveLength(5)
})
