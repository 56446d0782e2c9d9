// Changes of the rule set as they happen, beside what `nft -j monitor` prints of the same.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { Namespace, type NftMonitorEvent, type NftRulesetObject } from '../../lib/index.js'
import { isKernel, needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { attempt, run, start } from '../helpers/readers.js'

const host = useHost()
let here: Namespace
beforeEach(context => needs(context, 'tool:nft', 'nftables'))
beforeAll(async () => {
  here = await Namespace.open({ name: host.name })
})
afterEach(() => here.nftables.flush())
afterAll(async () => {
  await here?.close()
})

const nft = (...commands: string[]) => run(host.name, 'nft', commands.join('; '))
const made = [
  'add table inet web',
  'add set inet web friends { type ipv4_addr; flags interval; }',
  'add map inet web ports { type inet_service : verdict; }',
  'add counter inet web hits',
  'add chain inet web input { type filter hook input priority 0; policy drop; }',
  'add chain inet web sub',
  'add rule inet web input tcp dport { 22, 80-90 } counter name hits accept comment "open"',
  'add rule inet web input tcp dport vmap @ports',
]
/** What happens until as many states as that have been complete. */
async function until(events: AsyncIterator<NftMonitorEvent>, states: number): Promise<NftMonitorEvent[]> {
  const all: NftMonitorEvent[] = []
  while (all.filter(({ type }) => type === 'generation').length < states) all.push((await events.next()).value!)
  return all
}
const kindOf = (object: object) => Object.keys(object)[0]
const shown = (events: readonly NftMonitorEvent[]) =>
  events.flatMap(event => (event.type === 'change' ? [{ [event.action]: event.object }] : []))

test('what nft makes is told as nft itself tells it', async () => {
  await using theirs = await start(host.name, 'nft', ['-j', 'monitor'])
  await using events = here.nftables.monitor()
  expect((await events.next()).value).toMatchObject({ type: 'ready' })
  // nft does not say when it listens: it does when it tells of a table.
  let tables = 0
  const listening = theirs.lines.next()
  let heard = false
  void listening.then(() => {
    heard = true
  })
  while (!heard) await nft(`add table ip probe${tables++}`)
  await nft(...made)
  await nft('insert rule inet web input ip saddr @friends accept')
  await nft('add element inet web friends { 10.0.0.0/8, 192.0.2.1 }')
  await nft('add element inet web ports { 80 : jump sub }')
  await nft('add table ip last')
  const ours = shown(await until(events, tables + 5)).slice(tables)
  const lines: unknown[] = []
  const web = (entry: object) => JSON.stringify(entry).includes('"web"')
  for (let line = ''; !line.includes('"last"'); ) {
    line = (await theirs.lines.next()).value ?? ''
    lines.push(JSON.parse(line))
  }
  const comparable = (entry: object) =>
    JSON.parse(JSON.stringify(entry), (key, value) => (key === 'elem' && value?.set ? value.set : value)) as unknown
  expect(ours.filter(web).map(comparable)).toEqual((lines as object[]).filter(web).map(comparable))
  expect(ours.filter(web)).toHaveLength(made.length + 4)
})

test('what goes is told with all that it was, and every transaction with who made it', async () => {
  await nft(...made)
  const before = await here.nftables.list()
  await using events = here.nftables.monitor()
  expect((await events.next()).value).toEqual({ type: 'ready', generation: before.generation })
  await nft('flush chain inet web input')
  await nft('delete table inet web')
  const all = await until(events, 2)
  const gone = all.flatMap(event => (event.type === 'change' ? [event.object] : []))
  const rules = before.nftables.filter(object => 'rule' in object)
  expect(gone.filter(object => 'rule' in object)).toEqual(rules)
  expect(all.filter(event => event.type === 'change' && event.action !== 'delete')).toEqual([])
  const sets = (objects: readonly NftRulesetObject[]) => objects.filter(object => ['set', 'map'].includes(kindOf(object) ?? ''))
  expect(sets(gone)).toEqual(sets(before.nftables))
  expect(gone.at(-1)).toMatchObject({ table: { family: 'inet', name: 'web' } })
  const generations = all.flatMap(event => (event.type === 'generation' ? [event] : []))
  expect(generations.map(({ generation }) => generation)).toEqual([before.generation + 1, before.generation + 2])
  expect(generations[0]?.process).toEqual({ pid: expect.any(Number), name: 'nft' })
})

test('a reader that is too slow is told that changes were lost, and what list() gives then is complete', async () => {
  await using events = here.nftables.monitor({ receiveBuffer: 4096 })
  await events.next()
  for (let i = 0; i < 100; i++) await here.nftables.tables.create({ family: 'ip', name: `t${i}` })
  let event: NftMonitorEvent | undefined
  for (let seen = 0; event?.type !== 'lost'; seen++) {
    expect(seen).toBeLessThan(200)
    event = (await events.next()).value!
  }
  expect(await here.nftables.tables.list()).toHaveLength(100)
  const { generation } = await here.nftables.list()
  // What the kernel had kept is told first; all of it is in the list.
  await nft(...made)
  let state: number | undefined
  const rest: NftMonitorEvent[] = []
  while (state !== generation + 1) {
    rest.push((await events.next()).value!)
    const last = rest.at(-1)!
    if (last.type === 'generation') state = last.generation
  }
  expect(shown(rest)).toContainEqual({ [isKernel('5.15') ? 'add' : 'insert']: { rule: expect.objectContaining({ comment: 'open' }) } })
})

test('a monitor ends by the signal, by leaving, and with its namespace', async () => {
  const controller = new AbortController()
  const aborted = here.nftables.monitor({ signal: controller.signal })
  await aborted.next()
  const waiting = aborted.next()
  controller.abort()
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  const other = await Namespace.open({ name: host.name })
  const left = other.nftables.monitor()
  await left.next()
  const pending = left.next()
  await other.close()
  await expect(pending).rejects.toMatchObject({ code: 'ECANCELED' })
  const returned = here.nftables.monitor()
  await returned.next()
  const nothing = returned.next()
  await returned.return()
  expect(await nothing).toEqual({ done: true, value: undefined })
  expect(() => here.nftables.monitor({ receiveBuffer: 0 })).toThrow(expect.objectContaining({ path: 'receiveBuffer' }))
  expect((await attempt(host.name, 'nft', ['list', 'ruleset'])).stdout).toBe('')
})
