// Long lists: 10,000 links and 100,000 routes, whole and one by one. A million takes longer to make than a test should: `npm run bench -- read` iterates it.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Link, Namespace } from '../../lib/index.js'
import * as netlink from '../../lib/netlink.js'
import { makeLinks, makeRoutes } from '../../scripts/bench/peers/world.mjs'
import { useHost } from '../helpers/host.js'
import { patience } from '../helpers/patience.js'
import { run } from '../helpers/readers.js'
import { descriptors } from '../helpers/state.js'

const pairs = 5_000
const routes = 100_000
/**
 * Bytes: a slice and its objects, the one that is being fetched meanwhile, and what the runtime keeps of its own after a collection, up to 3.3 MB all together. All the
 * routes would be ten times as much.
 */
const mostHeld = 8 * 2 ** 20
/** Milliseconds between two turns of the event loop, on average: many times what is aimed at, since the machine has other things to do. */
const longestTurn = patience(50)
const timeout = 120_000

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const host = useHost()
let linked: Namespace
let routed: Namespace

beforeAll(async () => {
  linked = await Namespace.create(host.named('linked'))
  routed = await Namespace.create(host.named('routed'), { loopback: true })
  await makeLinks(netlink, linked, pairs)
  await makeRoutes(netlink, routed, routes)
}, timeout)
afterAll(async () => {
  await linked?.delete()
  await routed?.delete()
}, timeout)

/** The longest that a timer had to wait on average while that ran. */
async function turnOf(work: () => Promise<unknown>): Promise<number> {
  let turns = 1
  const turn = () => {
    turns++
    timer = setTimeout(turn)
  }
  let timer = setTimeout(turn)
  const start = performance.now()
  await work()
  clearTimeout(timer)
  return (performance.now() - start) / turns
}

function held(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const socketsOpen = async () => (await descriptors()).socket ?? 0

test('10,000 links, listed and one by one, are those that ip shows', { timeout }, async () => {
  let listed: Link[] = []
  const turn = await turnOf(async () => {
    listed = await linked.links.list()
  })
  expect(turn).toBeLessThan(longestTurn)
  const names = Array.from({ length: pairs }, (_, i) => [`a${i}`, `b${i}`]).flat()
  expect(listed.map(link => link.name).sort()).toEqual(['lo', ...names].sort())

  const iterated: Link[] = []
  for await (const link of linked.links.iterate()) iterated.push(link)
  expect(iterated).toEqual(listed)
  const shown = await run(linked.name, 'ip', '-o', 'link', 'show')
  const shownIndexes = [...shown.matchAll(/^(\d+): /gm)].map(([, index]) => Number(index))
  expect(listed.map(link => link.index)).toEqual(shownIndexes)
})

test('counters are read only for who asks for them', async () => {
  const [plain] = await linked.links.list()
  const [counted] = await linked.links.list({ statistics: true })
  expect(plain).not.toHaveProperty('statistics')
  expect(counted).toMatchObject({ ...plain, statistics: { rxPackets: 0, txBytes: 0 } })
  for await (const link of linked.links.iterate({ statistics: true, kind: 'veth' })) {
    expect(link).toMatchObject({ kind: 'veth', statistics: { txPackets: expect.any(Number) } })
    break
  }
})

test('100,000 routes one by one: all of them, in bounded memory, and the event loop turns', { timeout }, async () => {
  for await (const _ of routed.routes.iterate({ family: 4 })) break
  const before = held()
  const hosts = new Set<number>()
  let most = 0
  const turn = await turnOf(async () => {
    for await (const { to } of routed.routes.iterate({ family: 4 })) {
      const [first, second, third, fourth] = to.split('.').map(Number)
      if (first === 20) hosts.add(second! * 65_536 + third! * 256 + fourth!)
    }
  })
  expect(hosts).toEqual(new Set(Array.from({ length: routes }, (_, i) => i)))
  hosts.clear()
  expect(turn).toBeLessThan(longestTurn)

  let count = 0
  for await (const _ of routed.routes.iterate({ family: 4 })) if (++count % 10_000 === 0) most = Math.max(most, held() - before)
  expect(count).toBe(routes)
  expect(most).toBeLessThan(mostHeld)
})

test('a loop that is left early gives its socket back', { timeout }, async () => {
  const before = await socketsOpen()
  let count = 0
  for await (const _ of routed.routes.iterate()) {
    if (++count === 10) expect(await socketsOpen()).toBeGreaterThanOrEqual(before)
    if (count === 20_000) break
  }
  await expect.poll(socketsOpen).toBeLessThanOrEqual(before)
  expect(count).toBe(20_000)
})

test.each([1, 5_000])('aborted after %i routes: the loop ends with an AbortError, the socket is closed', { timeout }, async stop => {
  const before = await socketsOpen()
  const controller = new AbortController()
  let count = 0
  const loop = async () => {
    for await (const _ of routed.routes.iterate({ signal: controller.signal })) if (++count === stop) controller.abort(new Error('enough'))
  }
  await expect(loop()).rejects.toMatchObject({ name: 'AbortError', cause: { message: 'enough' } })
  // What had been fetched already still comes.
  expect(count).toBeLessThan(routes)
  await expect.poll(socketsOpen).toBeLessThanOrEqual(before)
  await expect(routed.routes.list({ signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' })
})

test('a namespace that is closed while it is read ends the loop', { timeout }, async () => {
  const before = await socketsOpen()
  const other = await Namespace.open({ name: host.named('routed') })
  const loop = async () => {
    let count = 0
    for await (const _ of other.routes.iterate()) if (++count === 3_000) await other.close()
  }
  await expect(loop()).rejects.toMatchObject({ code: 'ECANCELED' })
  await expect.poll(socketsOpen).toBeLessThanOrEqual(before)
})

test('two readers at once read the same', { timeout }, async () => {
  const count = async () => {
    let seen = 0
    for await (const _ of routed.routes.iterate({ family: 4 })) seen++
    return seen
  }
  expect(await Promise.all([count(), count(), count()])).toEqual([routes, routes, routes])
})

test('addresses and neighbours one by one, and wrong arguments when the first is asked for', async () => {
  const all = async <T>(list: AsyncIterable<T>) => {
    const found: T[] = []
    for await (const one of list) found.push(one)
    return found
  }
  expect(await all(routed.addresses.iterate({ family: 4 }))).toEqual(await routed.addresses.list({ family: 4 }))
  await linked.neighbours.add({ address: '10.0.0.9', link: 'a0', mac: '02:00:00:00:00:09' })
  expect(await all(linked.neighbours.iterate())).toEqual(await linked.neighbours.list())
  expect(await all(linked.neighbours.iterate({ link: 'a0' }))).toContainEqual(expect.objectContaining({ address: '10.0.0.9' }))
  await expect(routed.addresses.iterate({ family: 5 as 4 }).next()).rejects.toThrow(TypeError)
  await expect(routed.links.iterate({ signal: 5 as never }).next()).rejects.toMatchObject({ path: 'signal' })
})
