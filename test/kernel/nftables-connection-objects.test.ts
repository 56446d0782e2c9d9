// Objects that tell connection tracking something, SYN proxies, security marks and flowtables: what is made is what nft lists, and the other way.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { Namespace } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
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
const shown = async () => ((await nft(host.name, 'list', 'ruleset')) as Shown[]).filter(entry => !('metainfo' in entry || 'table' in entry))

/** Each kind: its verbs, what is made of it, and as nft is told. */
const kinds = {
  'ct helper': {
    verbs: 'ctHelpers',
    object: { ...web, name: 'a', type: 'ftp', protocol: 'tcp', l3proto: 'ip' },
    text: 'ct helper inet web b { type "ftp" protocol tcp; l3proto ip; }',
  },
  'ct timeout': {
    verbs: 'ctTimeouts',
    object: { ...web, name: 'a', protocol: 'tcp', l3proto: 'inet', policy: { established: 120, close: 20 } },
    text: 'ct timeout inet web b { protocol tcp; l3proto inet; policy = { established: 120, close: 20 }; }',
  },
  'ct expectation': {
    verbs: 'ctExpectations',
    object: { ...web, name: 'a', protocol: 'udp', dport: 5432, timeout: 3_600_000, size: 12, l3proto: 'ip6' },
    text: 'ct expectation inet web b { protocol udp; dport 5432; timeout 1h; size 12; l3proto ip6; }',
  },
  synproxy: {
    verbs: 'synproxies',
    object: { ...web, name: 'a', mss: 1460, wscale: 7, flags: ['timestamp', 'sack-perm'] },
    text: 'synproxy inet web b { mss 1460; wscale 7; timestamp sack-perm; }',
  },
} as const

interface Verbs {
  create(object: object): Promise<unknown>
  delete(object: object): Promise<void>
  get(object: object): Promise<object>
  find(object: object): Promise<object | undefined>
  list(filter?: object): Promise<object[]>
}

test.each(Object.entries(kinds))('%s: made, listed, found and deleted', async (sort, { verbs: name, object, text }) => {
  const verbs = here.nftables[name] as unknown as Verbs
  const made = await verbs.create(object)
  expect(made).toEqual({ ...object, handle: expect.any(Number) })
  expect(await shown()).toEqual([{ [sort]: made }])
  await run(host.name, 'nft', `add ${text}`)
  expect(await verbs.list({ table: 'web' })).toEqual((await shown()).map(entry => entry[sort]))
  expect(await verbs.find({ ...web, name: 'b' })).toEqual({ ...object, name: 'b', handle: expect.any(Number) })
  const { nftables } = await here.nftables.list()
  expect(nftables.slice(1)).toEqual(await shown())
  await verbs.delete({ ...web, name: 'b' })
  expect(await verbs.get(object)).toEqual(made)
  expect(await refusal(verbs.create(object))).toMatchObject({ code: 'EEXIST', operation: `create ${sort}`, subject: 'inet web a' })
  await verbs.delete(object)
  expect(await verbs.find(object)).toBeUndefined()
  expect(await refusal(verbs.get(object))).toMatchObject({ code: 'ENOENT', operation: `get ${sort}` })
})

test('all of them in one transaction with the rules that name them, and by apply()', async () => {
  const desired = {
    nftables: [
      { table: { family: 'inet', name: 'web' } },
      ...Object.entries(kinds).map(([sort, { object }]) => ({ [sort]: object })),
      { chain: { ...web, name: 'c', type: 'filter', hook: 'prerouting', prio: 0, policy: 'accept' } },
      {
        rule: {
          ...web,
          chain: 'c',
          expr: [{ match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: 21 } }, { 'ct helper': 'a' }],
        },
      },
    ],
  }
  expect(await here.nftables.apply(desired as never)).toEqual({ changes: 6 })
  expect(await here.nftables.apply(desired as never)).toEqual({ changes: 0 })
  expect(await run(host.name, 'nft', 'list', 'chain', 'inet', 'web', 'c')).toContain('tcp dport 21 ct helper set "a"')
  const made = await here.nftables.transaction(
    t => {
      t.ctTimeouts.create({ ...web, name: 'z', protocol: 'udp', policy: { replied: 500 } })
    },
    { echo: true },
  )
  expect(made).toEqual([
    { 'ct timeout': { ...web, name: 'z', handle: expect.any(Number), protocol: 'udp', l3proto: 'inet', policy: { replied: 500 } } },
  ])
  await here.nftables.apply(desired as never)
  expect(await here.nftables.ctTimeouts.find({ ...web, name: 'z' })).toBeUndefined()
})

test.each([
  [{ protocol: 'tcp', policy: { asleep: 5 } }, 'policy.asleep: there is no such option'],
  [{ protocol: 'tcp', policy: { close: -1 } }, 'policy.close: -1 is out of range (0 to 4294967295)'],
  [{ protocol: 'icmp', policy: {} }, 'protocol: "icmp" is none of tcp, udp'],
  [{ policy: {} }, 'protocol: a ct timeout needs it'],
])('timeouts that make no sense: %j', async (fields, words) => {
  const wrong = here.nftables.ctTimeouts.create({ ...web, name: 'a', ...fields } as never)
  await expect(wrong).rejects.toThrow(words)
})

test('a helper that the kernel does not have', async () => {
  const error = await refusal(here.nftables.ctHelpers.create({ ...web, name: 'a', type: 'nosuch', protocol: 'tcp', l3proto: 'ip' }))
  expect(error).toMatchObject({ code: 'ENOENT', operation: 'create ct helper', subject: 'inet web a' })
  expect(await shown()).toEqual([])
})

test('flowtables: made where the kernel has them, and refused with the reason where it has none', async () => {
  const spec = { ...web, name: 'fast', prio: 0, dev: 'lo' } as const
  const theirs = await attempt(host.name, 'nft', ['add flowtable inet web f { hook ingress priority 0; devices = { lo }; }'])
  if (theirs.code === 0) {
    await run(host.name, 'nft', 'delete flowtable inet web f')
    const made = await here.nftables.flowtables.create(spec)
    expect(await here.nftables.flowtables.list()).toEqual([made])
    expect(await here.nftables.flowtables.get(made)).toEqual(made)
    expect((await shown()).map(({ flowtable }) => flowtable)).toEqual([
      expect.objectContaining({ name: 'fast', hook: 'ingress', dev: 'lo' }),
    ])
    await here.nftables.flowtables.delete(made)
    expect(await here.nftables.flowtables.find(made)).toBeUndefined()
    return
  }
  const error = await refusal(here.nftables.flowtables.create(spec))
  expect(error).toMatchObject({ code: 'ENOENT', operation: 'create flowtable', subject: 'inet web fast' })
  expect(error.hint).toContain('CONFIG_NF_FLOW_TABLE')
  expect(await here.nftables.flowtables.list()).toEqual([])
  await here.nftables.chains.create({ ...web, name: 'f', type: 'filter', hook: 'forward', prio: 0 })
  const before = await run(host.name, 'nft', 'list', 'ruleset')
  const rule = await refusal(here.nftables.rules.add({ ...web, chain: 'f', expr: [{ flow: { op: 'add', flowtable: '@fast' } }] }))
  expect(rule).toMatchObject({ code: 'ENOENT', path: expect.stringContaining('expr') })
  expect(rule.hint).toContain('lacks the expression')
  expect(await run(host.name, 'nft', 'list', 'ruleset')).toBe(before)
})

test.each([
  [{}, 'dev: a flowtable is on devices'],
  [{ dev: 'a-name-that-is-too-long' }, 'dev: "a-name-that-is-too-long" is not a text of 1 to 15 bytes'],
  [{ dev: 'lo', prio: 'dstnat' }, 'prio: "dstnat" is no priority of family netdev'],
  [{ dev: 'lo', flags: ['fast'] }, 'flags: "fast" is none of offload, counter'],
])('flowtables that make no sense: %j', async (fields, words) => {
  await expect(here.nftables.flowtables.create({ ...web, name: 'f', ...fields } as never)).rejects.toThrow(words)
})
