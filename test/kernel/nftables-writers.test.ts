// Twenty processes that change one rule set at once: nothing of anybody is lost, and what belongs to somebody else stays as it is.
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { Namespace } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { attempt, run } from '../helpers/readers.js'

const host = useHost()
let here: Namespace
const web = { family: 'inet', table: 'web' } as const
const writers = Array.from({ length: 20 }, (_, i) => i)
const writer = fileURLToPath(new URL('nftables-writer.mjs', import.meta.url))
/** Tables of others, of every family, with something of each kind in them. */
const foreign = `
  table ip foreign {
    comment "not ours";
    counter seen { packets 7 bytes 700 }
    set s { type ipv4_addr; flags interval; auto-merge; elements = { 10.0.0.0/8 comment "theirs", 192.0.2.1 } }
    map m { type inet_service : ipv4_addr; elements = { 80 : 10.0.0.1 } }
    chain c { type filter hook forward priority 0; policy drop; ip saddr @s counter name seen accept comment "why"; }
    chain own0 { tcp dport { 22, 80-90 } accept; }
  }
  table ip6 web { chain in { type filter hook input priority 0; tcp dport 1000 accept; }; }
  table bridge web { chain in { type filter hook input priority 0; meta l4proto tcp accept; }; }
  table arp web { chain in { type filter hook input priority 0; arp operation request accept; }; }
`
const foreignTables = ['ip foreign', 'ip6 web', 'bridge web', 'arp web']
const theirs = async () => Promise.all(foreignTables.map(table => run(host.name, 'nft', '-a', `list table ${table}`)))

beforeAll(async () => {
  here = await Namespace.open({ name: host.name })
})
beforeEach(async context => {
  await needs(context, 'tool:nft', 'nftables')
  const { code, stderr } = await attempt(host.name, 'nft', ['-f', '-'], foreign)
  expect([code, stderr]).toEqual([0, ''])
  await here.nftables.transaction(t => {
    t.tables.create({ family: 'inet', name: 'web' })
    t.chains.create({ ...web, name: 'in', type: 'filter', hook: 'input', prio: 'filter' })
    t.sets.create({ ...web, name: 'many', type: 'ipv4_addr' })
  })
})
afterEach(() => here.nftables.flush())
afterAll(async () => {
  await here?.close()
})

async function expectAll(): Promise<void> {
  const listed = await run(host.name, 'nft', 'list', 'chain', 'inet', 'web', 'in')
  const ports = [...listed.matchAll(/dport (\d+) accept/g)].map(([, port]) => Number(port)).sort((a, b) => a - b)
  expect(ports).toEqual(writers.flatMap(number => [0, 1, 2, 3, 4].map(i => 1001 + number * 20 + 2 * i)))
  const elements = (await here.nftables.elements.list({ ...web, name: 'many' })) as string[]
  expect([...elements].sort()).toEqual(writers.flatMap(number => [0, 1, 2, 3, 4].map(i => `10.${number}.${i}.1`)).sort())
  const { nftables } = await here.nftables.list({ family: 'ip' })
  for (const number of writers) {
    const own = nftables
      .flatMap(object => Object.values(object) as Readonly<Record<string, unknown>>[])
      .filter(one => one.table === `own${number}`)
    expect(own.map(({ name, elem }) => [name, elem])).toEqual([
      ['s', ['192.0.2.4']],
      ['c4', undefined],
    ])
  }
}

test('20 processes that add and delete in one table, and apply tables of their own', async () => {
  const before = await theirs()
  const ended = await Promise.all(writers.map(number => attempt(host.name, process.execPath, [writer, String(number)])))
  expect(ended).toEqual(ended.map(() => ({ code: 0, stdout: expect.stringMatching(/^\d+\n$/), stderr: '' })))
  await expectAll()
  expect(await theirs()).toEqual(before)
})
