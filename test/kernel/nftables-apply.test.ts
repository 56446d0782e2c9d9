// apply(): one table becomes what it shall be, by what differs only, and nothing else is touched.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { Namespace, type NftRulesetObject as RulesetObject } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { attempt, run } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'

const host = useHost()
let here: Namespace
const web = { family: 'inet', table: 'web' } as const

beforeAll(async () => {
  here = await Namespace.open({ name: host.name })
})
beforeEach(async context => {
  await needs(context, 'tool:nft', 'nftables')
  await run(host.name, 'nft', 'add table ip foreign { set s { type ipv4_addr; elements = { 10.0.0.1 }; }; chain c { counter drop; }; }')
})
afterEach(async () => {
  await here.nftables.flush()
})
afterAll(async () => {
  await here?.close()
})

const listed = () => run(host.name, 'nft', '-a', 'list', 'table', 'inet', 'web')
const foreign = () => run(host.name, 'nft', '-a', 'list', 'table', 'ip', 'foreign')
/** Rules with their handles, as nft lists them. */
const rules = async () => [...(await listed()).matchAll(/dport (\d+) .*# handle (\d+)/g)].map(([, port, handle]) => `${port} ${handle}`)

interface Wish {
  readonly ports?: readonly number[]
  readonly blocked?: readonly string[]
  readonly policy?: 'accept' | 'drop'
  readonly hook?: 'input' | 'forward'
  readonly type?: string
}
const wish = ({ ports = [], blocked = ['10.0.0.0/8'], policy = 'drop', hook = 'input', type = 'ipv4_addr' }: Wish): RulesetObject[] => [
  { table: { family: 'inet', name: 'web' } },
  { counter: { ...web, name: 'hits' } },
  { set: { ...web, name: 'blocked', type, flags: ['interval'], elem: [...blocked] } },
  { map: { ...web, name: 'verdicts', type: 'inet_service', map: 'verdict', elem: [[1, { jump: { target: 'sub' } }]] } },
  { chain: { ...web, name: 'main', type: 'filter', hook, prio: 0, policy } },
  { chain: { ...web, name: 'sub' } },
  ...ports.map(port => ({
    rule: {
      ...web,
      chain: 'main',
      expr: [
        { match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: port } },
        { counter: null },
        { accept: null },
      ],
    } as const,
  })),
  {
    rule: {
      ...web,
      chain: 'sub',
      comment: 'blocked',
      expr: [
        { match: { op: '==', left: { payload: { protocol: type === 'ipv4_addr' ? 'ip' : 'ip6', field: 'saddr' } }, right: '@blocked' } },
        { counter: 'hits' },
        { drop: null },
      ],
    },
  },
]

test('a second time there is nothing to do', async () => {
  const before = await foreign()
  expect((await here.nftables.apply(wish({ ports: [80, 443] }))).changes).toBeGreaterThan(0)
  const once = await listed()
  const { generation } = await here.nftables.list()
  expect(await here.nftables.apply({ nftables: wish({ ports: [80, 443] }) })).toEqual({ changes: 0 })
  expect((await here.nftables.list()).generation).toBe(generation)
  expect(await listed()).toBe(once)
  expect(await foreign()).toBe(before)
})

test('rules that stay keep their handles, whatever comes and goes around them', async () => {
  await here.nftables.apply(wish({ ports: [1, 2, 3, 4] }))
  const [one, , three] = await rules()
  await here.nftables.apply(wish({ ports: [9, 1, 5, 3, 6] }))
  const now = await rules()
  expect(now.map(line => line.split(' ')[0])).toEqual(['9', '1', '5', '3', '6'])
  expect([now[1], now[3]]).toEqual([one, three])
  expect(await here.nftables.apply(wish({ ports: [9, 1, 5, 3, 6] }))).toEqual({ changes: 0 })
})

test('rules that are the same many times over, and in another order', async () => {
  for (const ports of [[1, 1, 2], [2, 1, 1, 1], [1, 2, 1], [], [3, 2, 1], [1, 2, 3]]) {
    await here.nftables.apply(wish({ ports }))
    expect((await rules()).map(line => Number(line.split(' ')[0]))).toEqual(ports)
    expect(await here.nftables.apply(wish({ ports }))).toEqual({ changes: 0 })
  }
})

test('what is counted stays', async () => {
  await run(host.name, 'ip', 'link', 'set', 'lo', 'up')
  const policy = 'accept'
  await here.nftables.apply(wish({ ports: [7], policy }))
  // Nobody listens: what counts is that the packet came.
  const { code } = await attempt(host.name, 'bash', ['-c', 'exec 3<>/dev/tcp/127.0.0.1/7'])
  expect(code).not.toBe(0)
  const [counted] = /dport 7 counter packets [1-9]\d* .*/.exec(await listed()) ?? []
  expect(counted).toBeDefined()
  await here.nftables.apply(wish({ ports: [7, 8], policy, blocked: ['10.0.0.0/8', '192.0.2.1'] }))
  expect(await listed()).toContain(counted)
  expect((await rules()).map(line => line.split(' ')[0])).toEqual(['7', '8'])
})

test('elements: those that differ', async () => {
  await here.nftables.apply(wish({ blocked: ['10.0.0.0/8', '192.0.2.1', '198.51.100.0/24'] }))
  expect(await here.nftables.apply(wish({ blocked: ['198.51.100.0/24', '10.0.0.0/8', '203.0.113.7'] }))).toEqual({ changes: 2 })
  expect(await here.nftables.elements.list({ ...web, name: 'blocked' })).toEqual([
    { prefix: { addr: '10.0.0.0', len: 8 } },
    { prefix: { addr: '198.51.100.0', len: 24 } },
    '203.0.113.7',
  ])
})

test('elements of others stay where they may, also under a key that is named with another value', async () => {
  const keep = { elements: 'keep' } as const
  await here.nftables.apply(wish({ ports: [80], blocked: ['10.0.0.0/8'] }))
  await run(host.name, 'nft', 'add element inet web blocked { 192.0.2.1 }')
  await run(host.name, 'nft', 'add element inet web verdicts { 2 : drop }')
  await run(host.name, 'nft', 'delete element inet web verdicts { 1 : jump sub }; add element inet web verdicts { 1 : accept }')
  const before = await listed()
  expect(await here.nftables.apply(wish({ ports: [80], blocked: ['10.0.0.0/8'] }), keep)).toEqual({ changes: 0 })
  expect(await listed()).toBe(before)
  await here.nftables.apply(wish({ ports: [80], blocked: ['203.0.113.7'] }), keep)
  expect(await here.nftables.elements.list({ ...web, name: 'blocked' })).toHaveLength(3)
  await expect(here.nftables.apply(wish({}), { elements: 'some' as never })).rejects.toMatchObject({ path: 'elements' })
})

test('a policy is changed, a hook or a type is made anew with all that uses it', async () => {
  await here.nftables.apply(wish({ ports: [80] }))
  const before = await rules()
  expect(await here.nftables.apply(wish({ ports: [80], policy: 'accept' }))).toEqual({ changes: 1 })
  expect(await rules()).toEqual(before)
  await here.nftables.apply(wish({ ports: [80], hook: 'forward' }))
  expect(await listed()).toContain('type filter hook forward priority filter; policy drop;')
  await here.nftables.apply(wish({ ports: [80], hook: 'forward', type: 'ipv6_addr', blocked: ['fd00::/8'] }))
  expect(await listed()).toContain('ip6 saddr @blocked counter name "hits" drop comment "blocked"')
  const again = wish({ ports: [80], hook: 'forward', type: 'ipv6_addr', blocked: ['fd00::/8'] })
  expect(await here.nftables.apply(again)).toEqual({ changes: 0 })
})

test('what others have put into the table goes, what they have elsewhere stays', async () => {
  const before = await foreign()
  await here.nftables.apply(wish({ ports: [80] }))
  const clean = await listed()
  await run(host.name, 'nft', 'insert rule inet web main tcp dport 23 accept')
  await run(host.name, 'nft', 'add chain inet web extra; add rule inet web extra jump sub; add set inet web more { type mark; }')
  expect((await here.nftables.apply(wish({ ports: [80] }))).changes).toBeGreaterThan(0)
  expect(await listed()).toBe(clean)
  expect(await foreign()).toBe(before)
})

test('a table that cannot be so is left as it is', async () => {
  await here.nftables.apply(wish({ ports: [80] }))
  const before = [await listed(), await foreign()]
  const wrong = wish({ ports: [81], blocked: ['192.0.2.0/24'] })
  wrong.push({ rule: { ...web, chain: 'main', expr: [{ jump: { target: 'nowhere' } }] } })
  expect(await refusal(here.nftables.apply(wrong))).toMatchObject({ code: 'ENOENT', path: `[${wrong.length - 1}].rule.expr[0].jump` })
  expect([await listed(), await foreign()]).toEqual(before)
})

test.each<[string, unknown, string, string | undefined]>([
  ['nothing', [], 'ERR_NETLOOM_MISSING_OPTION', undefined],
  ['no list', 5, 'ERR_NETLOOM_INVALID_ARRAY', undefined],
  ['two tables', [...wish({}), { table: { family: 'ip', name: 'web' } }], 'ERR_NETLOOM_INVALID_OPTION', `[${wish({}).length}].table`],
  ['an unknown sort', [{ rules: {} }], 'ERR_NETLOOM_UNKNOWN_NAME', '[0]'],
  ['an unknown family', [{ table: { family: 'ipx', name: 'web' } }], 'ERR_NETLOOM_UNKNOWN_NAME', '[0].table.family'],
  ['a bad address', wish({ blocked: ['10.0.0.300'] }), 'ERR_NETLOOM_INVALID_ADDRESS', '[2].set.elem[0]'],
])('refused before anything is sent: %s', async (_, desired, code, path) => {
  await expect(here.nftables.apply(desired as RulesetObject[])).rejects.toMatchObject({ code, ...(path ? { path } : {}) })
})
