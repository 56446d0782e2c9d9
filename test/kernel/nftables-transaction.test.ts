// Transactions of nftables: all or nothing, many at once, large ones, and those that come too late.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { Namespace, type NftRuleSpec as RuleSpec } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { refusedElement } from '../helpers/nftables-rows.js'
import { run } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'

const host = useHost()
let here: Namespace
const web = { family: 'inet', table: 'web' } as const
const set = { ...web, name: 'many' }
const port = (number: number): RuleSpec => ({
  ...web,
  chain: 'in',
  expr: [{ match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: number } }, { accept: null }],
})
const address = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`
const addresses = (count: number, from = 0) => Array.from({ length: count }, (_, i) => address(from + i))
const ruleset = () => run(host.name, 'nft', '-a', 'list', 'ruleset')

beforeAll(async () => {
  here = await Namespace.open({ name: host.name })
})
beforeEach(async context => {
  await needs(context, 'tool:nft', 'nftables')
  await here.nftables.transaction(t => {
    t.tables.create({ family: 'inet', name: 'web' })
    t.chains.create({ ...web, name: 'in', type: 'filter', hook: 'input', prio: 'filter' })
    t.sets.create({ ...set, type: 'ipv4_addr' })
  })
  await run(host.name, 'nft', 'add table ip foreign { chain c { type filter hook forward priority 0; counter drop; }; }')
})
afterEach(async () => {
  await here.nftables.flush()
  expect(await ruleset()).toBe('')
})
afterAll(async () => {
  await here?.close()
})

test('500 changes with a bad one among them change nothing', async () => {
  const before = await ruleset()
  const bad = here.nftables.transaction(t => {
    for (let i = 1; i <= 499; i++) {
      if (i === 250) t.rules.add({ ...port(1), chain: 'nowhere' })
      t.rules.add(port(i))
    }
    t.elements.add({ ...set, elem: addresses(100) })
    t.chains.delete({ family: 'ip', table: 'foreign', name: 'c' })
  })
  expect(await refusal(bad)).toMatchObject({
    code: 'ENOENT',
    operation: 'add rule',
    subject: 'inet web nowhere',
    namespace: host.name,
    path: 'rules[249].chain',
    attribute: 'NFTA_RULE_CHAIN',
  })
  expect(await ruleset()).toBe(before)
})

test('everything that is refused is told', async () => {
  const before = await ruleset()
  const error = await refusal(
    here.nftables.transaction(t => {
      t.tables.create({ family: 'inet', name: 'web' })
      t.rules.add(port(80))
      t.rules.add({ ...web, chain: 'in', expr: [{ counter: null }, { jump: { target: 'nowhere' } }] })
      t.chains.create({ ...web, name: 'x', type: 'nat', hook: 'forward', prio: 0 })
    }),
  )
  expect(error.errors?.map(({ code, path, subject }) => [code, path, subject])).toEqual([
    ['EEXIST', 'tables[0].name', 'inet web'],
    ['ENOENT', 'rules[1].expr[1].jump', 'inet web in'],
    ['EOPNOTSUPP', 'chains[0]', 'inet web x'],
  ])
  expect(error).toMatchObject({ code: 'EEXIST', path: 'tables[0].name', reason: expect.stringMatching(/and 2 more refusals/) })
  expect(await ruleset()).toBe(before)
})

test('what was made is told with its handles', async () => {
  const made = await here.nftables.transaction(
    t => {
      t.chains.create({ ...web, name: 'sub' })
      t.rules.add(port(80))
      t.elements.add({ ...set, elem: '10.0.0.1' })
      t.rules.insert(port(22))
    },
    { echo: true },
  )
  const handle = expect.any(Number)
  expect(made).toEqual([
    { chain: { ...web, name: 'sub', handle } },
    { rule: expect.objectContaining({ ...web, chain: 'in', handle }) },
    { rule: expect.objectContaining({ ...web, chain: 'in', handle }) },
  ])
  const listed = await run(host.name, 'nft', '-a', 'list', 'chain', 'inet', 'web', 'in')
  expect([...listed.matchAll(/dport (\d+) accept # handle (\d+)/g)].map(([, number, at]) => [number, Number(at)])).toEqual([
    ['22', (made[2] as { rule: { handle: number } }).rule.handle],
    ['80', (made[1] as { rule: { handle: number } }).rule.handle],
  ])
})

test('20 writers at once lose nothing', async () => {
  const writers = await Promise.all(Array.from({ length: 20 }, () => Namespace.open({ name: host.name })))
  const each = 10
  await Promise.all(
    writers.map(async (writer, w) => {
      for (let i = 0; i < each; i++)
        await writer.nftables.transaction(t => {
          t.rules.add(port(1 + w * each + i))
          t.elements.add({ ...set, elem: addresses(5, (w * each + i) * 5) })
        })
    }),
  )
  for (const writer of writers) await writer.close()
  const listed = await run(host.name, 'nft', 'list', 'chain', 'inet', 'web', 'in')
  const ports = [...listed.matchAll(/dport (\d+) accept/g)].map(([, number]) => Number(number))
  expect(ports.sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))
  expect(await here.nftables.elements.list(set)).toEqual(addresses(1000))
})

test('20 writers that each want a table of their own get it, and no other', async () => {
  const writers = await Promise.all(Array.from({ length: 20 }, () => Namespace.open({ name: host.name })))
  await Promise.all(
    writers.map((writer, i) =>
      writer.nftables.apply([
        { table: { family: 'ip', name: `own${i}` } },
        { set: { family: 'ip', table: `own${i}`, name: 's', type: 'ipv4_addr', elem: [address(i)] } },
      ]),
    ),
  )
  for (const writer of writers) await writer.close()
  const sets = await here.nftables.sets.list({ family: 'ip', elements: true })
  expect(sets.map(({ table, elem }) => [table, elem]).sort()).toEqual(writers.map((_, i) => [`own${i}`, [address(i)]]).sort())
  expect(await run(host.name, 'nft', 'list', 'table', 'ip', 'foreign')).toContain('counter packets 0 bytes 0 drop')
})

test('10,000 elements and 1,000 rules in one transaction', async () => {
  await here.nftables.transaction(t => {
    for (let i = 1; i <= 1_000; i++) t.rules.add(port(i))
    t.elements.add({ ...set, elem: addresses(10_000) })
  })
  const listed = await run(host.name, 'nft', 'list', 'table', 'inet', 'web')
  expect(listed.match(/dport \d+ accept/g)).toHaveLength(1_000)
  expect(new Set(listed.match(/\b10\.\d+\.\d+\.\d+\b/g)).size).toBe(10_000)
  expect(await here.nftables.elements.find(set, '10.0.39.15')).toBe('10.0.39.15')
  expect(await refusal(here.nftables.elements.create({ ...set, elem: [...addresses(9_000, 20_000), '10.0.39.15'] }))).toMatchObject({
    code: 'EEXIST',
    ...refusedElement('elem[9000]'),
  })
  expect(await here.nftables.elements.list(set)).toHaveLength(10_000)
  await here.nftables.elements.delete({ ...set, elem: addresses(10_000) })
  expect(await here.nftables.elements.list(set)).toEqual([])
})

test('what rests on a state of the rule set is refused in another', async () => {
  const { generation } = await here.nftables.list()
  await here.nftables.rules.add(port(80))
  const before = await ruleset()
  const late = here.nftables.transaction(t => t.rules.add(port(81)), { generation })
  expect(await refusal(late)).toMatchObject({ code: 'ERESTART', hint: expect.stringContaining('read it again') })
  expect(await ruleset()).toBe(before)
  const now = (await here.nftables.list()).generation
  await here.nftables.transaction(t => t.rules.add(port(81)), { generation: now })
  expect(await ruleset()).not.toBe(before)
})

test('a transaction that is cancelled in time changes nothing', async () => {
  const before = await ruleset()
  const signal = AbortSignal.abort(new Error('enough'))
  await expect(here.nftables.transaction(t => t.rules.add(port(80)), { signal })).rejects.toMatchObject({ name: 'AbortError' })
  await expect(here.nftables.apply([{ table: { family: 'inet', name: 'web' } }], { signal })).rejects.toMatchObject({ name: 'AbortError' })
  expect(await ruleset()).toBe(before)
})

test('an empty transaction is none', async () => {
  const { generation } = await here.nftables.list()
  expect(await here.nftables.transaction(() => undefined)).toEqual([])
  expect((await here.nftables.list()).generation).toBe(generation)
})
