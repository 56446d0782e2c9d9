// What nftables refuses, and what is refused before it is asked: clear words, the caller's field, and nothing changed.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  Namespace,
  NetloomError,
  type NftRuleSpec,
  type NftStatement as Statement,
  type NftTransaction as Transaction,
} from '../../lib/index.js'
import { isKernel, needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { run } from '../helpers/readers.js'

const host = useHost()
let here: Namespace
const web = { family: 'inet', table: 'web' } as const
const long = 'x'.repeat(256)

beforeAll(async () => {
  here = await Namespace.open({ name: host.name })
})
beforeEach(async context => {
  await needs(context, 'tool:nft', 'nftables')
  await here.nftables.transaction(t => {
    t.tables.create({ family: 'inet', name: 'web' })
    t.tables.create({ family: 'arp', name: 'arp' })
    t.chains.create({ ...web, name: 'in', type: 'filter', hook: 'input', prio: 0 })
    t.chains.create({ ...web, name: 'a' })
    t.chains.create({ ...web, name: 'b' })
    t.chains.create({ family: 'arp', table: 'arp', name: 'a' })
    t.rules.add({ ...web, chain: 'in', expr: [{ jump: { target: 'a' } }] })
    t.rules.add({ ...web, chain: 'a', expr: [{ jump: { target: 'b' } }] })
    t.sets.create({ ...web, name: 'ranges', type: 'ipv4_addr', flags: 'interval', elem: ['10.0.0.0/24'] })
    t.sets.create({ ...web, name: 'full', type: 'ipv4_addr', size: 2, elem: ['10.0.0.1', '10.0.0.2'] })
    t.maps.create({ ...web, name: 'map', type: 'inet_service', map: 'ipv4_addr', elem: [[80, '10.0.0.1']] })
  })
})
afterEach(() => here.nftables.flush())
afterAll(async () => {
  await here?.close()
})

const rule = (chain: string, ...expr: Statement[]): NftRuleSpec => ({ ...web, chain, expr })
const saddr = { payload: { protocol: 'ip', field: 'saddr' } } as const
const wrong = (value: unknown) => value as never

/** Kernels before 5.19 do not say which element it is. */
const element = (index: number) => `elements[0]${isKernel('5.19') ? `.elem[${index}]` : ''}`
/** Between the two, some series of stable kernels say one and some the other. */
const circle = isKernel('6.11') ? 'EMLINK' : expect.stringMatching(/^(EMLINK|ELOOP)$/)
type Attempt = (t: Transaction) => void
test.each<[string, Attempt, string, string | undefined]>([
  ['a chain that is not there', t => t.rules.add(rule('nowhere', { accept: null })), 'ENOENT', 'rules[0].chain'],
  ['a table that is not there', t => t.chains.create({ family: 'ip', table: 'web', name: 'c' }), 'ENOENT', 'chains[0].table'],
  [
    'a jump to nowhere',
    t => t.rules.add(rule('in', { counter: null }, { jump: { target: 'nowhere' } })),
    'ENOENT',
    'rules[0].expr[1].jump',
  ],
  ['a jump to a base chain', t => t.rules.add(rule('a', { jump: { target: 'in' } })), 'EOPNOTSUPP', undefined],
  ['a circle of jumps', t => t.rules.add(rule('b', { jump: { target: 'a' } })), circle, undefined],
  ['a chain that jumps to itself', t => t.rules.add(rule('b', { goto: { target: 'b' } })), circle, undefined],
  ['a chain that is there already', t => t.chains.create({ ...web, name: 'a' }), 'EEXIST', 'chains[0].name'],
  ['a chain that is jumped to', t => t.chains.delete({ ...web, name: 'b' }), 'EBUSY', undefined],
  ['masquerade where there is no nat', t => t.rules.add(rule('in', { masquerade: null })), 'EOPNOTSUPP', undefined],
  ['an overlapping range', t => t.elements.add({ ...web, name: 'ranges', elem: ['10.1.0.0/24', '10.0.0.128/25'] }), 'EEXIST', element(1)],
  [
    'ranges that overlap one another',
    t => t.elements.add({ ...web, name: 'ranges', elem: ['10.1.0.0/16', '10.1.2.0/24'] }),
    'ERR_NETLOOM_INVALID_VALUE',
    'elements[0].elem[1]',
  ],
  ['a set that is full', t => t.elements.add({ ...web, name: 'full', elem: ['10.0.0.3'] }), 'ENFILE', element(0)],
  ['another value for a key', t => t.elements.add({ ...web, name: 'map', elem: [[80, '10.0.0.2']] }), 'EEXIST', element(0)],
  ['an element that is not there', t => t.elements.delete({ ...web, name: 'full', elem: ['10.0.0.9'] }), 'ENOENT', element(0)],
  [
    'a set that is not there',
    t => t.elements.add({ ...web, name: 'nowhere', elem: ['10.0.0.9'] }),
    'ERR_NETLOOM_MISSING_OPTION',
    'elements[0].name',
  ],
  [
    'a rule on a set that is not there',
    t => t.rules.add(rule('in', { match: { op: '==', left: saddr, right: '@nowhere' } })),
    'ERR_NETLOOM_UNKNOWN_NAME',
    undefined,
  ],
  [
    'a field that the family does not have',
    t => t.rules.add({ family: 'arp', table: 'arp', chain: 'a', expr: [{ match: { op: '==', left: saddr, right: '10.0.0.1' } }] }),
    'ERR_NETLOOM_INVALID_VALUE',
    undefined,
  ],
  [
    'a bad address',
    t => t.rules.add(rule('in', { match: { op: '==', left: saddr, right: '10.0.0.300' } })),
    'ERR_NETLOOM_INVALID_ADDRESS',
    undefined,
  ],
  ['no statement', t => t.rules.add(rule('in', wrong({ fly: null }))), 'ERR_NETLOOM_UNKNOWN_NAME', 'rules[0].expr[0].fly'],
  ['a table name that is too long', t => t.tables.create({ family: 'ip', name: long }), 'ERR_NETLOOM_INVALID_NAME', 'tables[0].name'],
  ['a chain name that is too long', t => t.chains.create({ ...web, name: long }), 'ERR_NETLOOM_INVALID_NAME', 'chains[0].name'],
  ['a set name that is too long', t => t.sets.create({ ...web, name: long, type: 'mark' }), 'ERR_NETLOOM_INVALID_NAME', 'sets[0].name'],
  [
    'a comment that is too long',
    t => t.rules.add({ ...rule('in', { accept: null }), comment: long }),
    'ERR_NETLOOM_INVALID_STRING',
    'rules[0].comment',
  ],
  ['an unknown family', t => t.tables.create({ family: wrong('ipx'), name: 'x' }), 'ERR_NETLOOM_UNKNOWN_NAME', 'tables[0].family'],
  [
    'an unknown option',
    t => t.chains.create(wrong({ ...web, name: 'x', priority: 0 })),
    'ERR_NETLOOM_UNKNOWN_OPTION',
    'chains[0].priority',
  ],
  ['a policy without a hook', t => t.chains.create({ ...web, name: 'x', policy: 'drop' }), 'ERR_NETLOOM_MISSING_OPTION', 'chains[0].hook'],
  ['a hook without a priority', t => t.chains.create({ ...web, name: 'x', hook: 'input' }), 'ERR_NETLOOM_MISSING_OPTION', 'chains[0].prio'],
  [
    'a priority of another hook',
    t => t.chains.create({ ...web, name: 'x', hook: 'input', prio: 'dstnat' }),
    'ERR_NETLOOM_INVALID_OPTION',
    'chains[0].prio',
  ],
  [
    'a hook that the family does not have',
    t => t.chains.create({ family: 'arp', table: 'arp', name: 'x', hook: 'prerouting', prio: 0 }),
    'ERR_NETLOOM_INVALID_OPTION',
    'chains[0].hook',
  ],
  [
    'an ingress chain without a device',
    t => t.chains.create({ ...web, name: 'x', hook: 'ingress', prio: 0 }),
    'ERR_NETLOOM_MISSING_OPTION',
    'chains[0].dev',
  ],
  ['an unknown type of key', t => t.sets.create({ ...web, name: 'x', type: 'ipv5_addr' }), 'ERR_NETLOOM_UNKNOWN_NAME', 'sets[0].type'],
  [
    'an element that is none',
    t => t.sets.create({ ...web, name: 'x', type: 'ipv4_addr', elem: ['fd00::1'] }),
    'ERR_NETLOOM_INVALID_ADDRESS',
    'sets[0].elem[0]',
  ],
  [
    'a range in a set without ranges',
    t => t.sets.create({ ...web, name: 'x', type: 'ipv4_addr', elem: ['10.0.0.0/8'] }),
    'ERR_NETLOOM_INVALID_VALUE',
    'sets[0].elem[0]',
  ],
  [
    'a map element without a value',
    t => t.elements.add({ ...web, name: 'map', elem: [80] }),
    'ERR_NETLOOM_INVALID_VALUE',
    'elements[0].elem[0]',
  ],
  ['a rule that is not there', t => t.rules.delete({ ...web, chain: 'in', handle: 99_999 }), 'ENOENT', 'rules[0].handle'],
  ['a place that is not there', t => t.rules.add(rule('in', { accept: null }), { after: 99_999 }), 'ENOENT', 'rules[0].after'],
])('%s', async (_, attempt, code, path) => {
  const before = await run(host.name, 'nft', '-a', 'list', 'ruleset')
  const work = here.nftables.transaction(t => {
    t.tables.create({ family: 'ip', name: 'first' })
    attempt(t)
    t.tables.create({ family: 'ip', name: 'last' })
  })
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  // The two tables are counted too.
  const shifted = path?.replace('tables[0]', 'tables[1]')
  expect(error).toMatchObject({ code, ...(shifted === undefined ? {} : { path: shifted }) })
  if (error instanceof NetloomError) expect(error.namespace).toBe(host.name)
  expect(await run(host.name, 'nft', '-a', 'list', 'ruleset')).toBe(before)
})

test('without the right to it', async context => {
  await needs(context, 'tool:setpriv')
  const script = `
    import { Namespace } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)}
    await Namespace.current().nftables.tables.create({ family: 'ip', name: 'x' }).catch(error => console.log(error.code, error.operation))`
  const words = ['--bounding-set', '-net_admin', '--inh-caps', '-net_admin', process.execPath, '--input-type=module', '-e', script]
  expect(await run(host.name, 'setpriv', ...words)).toBe('EPERM create table\n')
})

test('a rule goes behind one or before one', async () => {
  const first = await here.nftables.rules.add(rule('a', { accept: null }))
  const second = await here.nftables.rules.add(rule('a', { accept: null }))
  const place = { after: first.handle, before: second.handle }
  await expect(here.nftables.rules.add(rule('a', { drop: null }), place)).rejects.toMatchObject({
    code: 'ERR_NETLOOM_INVALID_OPTION',
    path: 'before',
  })
})

test('a transaction that is asked for later is refused, and nothing is done', async () => {
  const late = here.nftables.transaction(async t => {
    t.tables.create({ family: 'ip', name: 'early' })
  })
  await expect(late).rejects.toMatchObject({ code: 'ERR_NETLOOM_INVALID_OPTION', path: 'build' })
  expect(await here.nftables.tables.find({ family: 'ip', name: 'early' })).toBeUndefined()
})
