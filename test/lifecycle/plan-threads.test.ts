// Plans with two threads, of which one makes namespaces ahead of the other: the same as with one, whatever fails and whenever it is stopped.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type NetloomError, Plan, type PlanResult } from '../../lib/index.js'
import { crowd, furnish, unfurnish, whole } from '../helpers/crowds.js'
import { Faults } from '../helpers/injected.js'
import { useOpenHost } from '../helpers/links.js'
import { run } from '../helpers/readers.js'
import { namedNamespaces } from '../helpers/state.js'
import { random, seed, settle } from './ending.js'
import { row, useAlone } from './killing.js'

useAlone()
const host = useOpenHost()
/** Several groups, and more than are made ahead. */
const count = 150
const plan = () => crowd(host.namespace, count, host.named('t'))
const start = seed()
const chance = random(start)
let before: unknown
const settled = (wanted: unknown) => settle(() => whole(host.name), wanted, 3000)
const threads = 2

beforeAll(async () => {
  await furnish(host.name)
  await (await plan().apply()).delete({ drain: true })
  before = await settled(await whole(host.name))
})
afterAll(() => unfurnish(host.name))

/** What ip sees in some of the namespaces, and of all ports. */
async function seen(): Promise<unknown> {
  const inside = [0, 3, 4, 35, 36, 99, count - 1].map(i => `${host.named('t')}${i}`)
  const all = await Promise.all(
    inside.flatMap(name => [
      run(name, 'ip', '-o', 'link').then(text => text.replaceAll(/ether \S+|@if\d+|link-netns\w* \S+/g, '')),
      run(name, 'ip', '-o', '-4', 'address'),
      run(name, 'ip', 'route'),
    ]),
  )
  const ports = await run(host.name, 'bridge', 'link')
  return [all, [...ports.matchAll(/ (c\d+)@.*(master \S+ state \S+)/g)].map(([, name, rest]) => `${name} ${rest}`)]
}

test('the same is there as with one thread, and the same is left', async () => {
  const one = await plan().apply({ threads: 1 })
  const wanted = await settle(seen, await seen(), 1000)
  const names = await namedNamespaces(host.named('t'))
  await one.delete({ drain: true })
  const two = await plan().apply({ threads })
  expect(await settle(seen, wanted, 3000)).toEqual(wanted)
  expect([await namedNamespaces(host.named('t')), two.failed]).toEqual([names, []])
  await two.delete({ drain: true })
  expect(await settled(before)).toEqual(before)
})

/** The error of applying; what was applied is taken back. */
const outcome = (applying: Promise<PlanResult>, faults?: Faults) =>
  applying.then(
    async result => {
      faults?.disarm()
      await result.delete({ drain: true })
    },
    (error: unknown) => error as NetloomError,
  )

test('an error at some steps; where no namespaces can be made ahead each makes its own', async () => {
  using faults = new Faults()
  faults.arm(() => undefined)
  await (await plan().apply({ threads })).delete({ drain: true })
  const calls = [...faults.calls]
  const ahead = calls.flatMap((call, i) => (call === 'createNamespaces' ? [i] : []))
  const groups = calls.flatMap((call, i) => (call === 'perform' ? [i] : []))
  expect([ahead.length > 0, groups.length > 3]).toEqual([true, true])
  const manners = ['refused', 'half', 'lost'] as const
  const others = Array.from({ length: 4 }, () => Math.floor(chance() * groups.at(-1)!))
  for (const [i, step] of [...ahead, ...groups, ...others].entries()) {
    const call = calls[step]!
    const manner = call === 'perform' || call === 'exchange' ? manners[i % 3]! : 'refused'
    let met: string | undefined
    faults.arm((name, number) => {
      if (number !== step) return undefined
      met = name
      return name === 'perform' || name === 'exchange' ? manner : 'refused'
    })
    const error = await outcome(plan().apply({ threads }), faults)
    faults.disarm()
    const what = `step ${step}, ${met} ${manner}`
    // The calls of two threads come in an order of their own.
    if (met === 'createNamespaces') expect(error, what).toBeUndefined()
    else if (met !== undefined) expect(error, what).toMatchObject({ code: expect.stringMatching(/^(ENOMEM|ENOBUFS)$/) })
    expect(error?.leftovers, what).toBeUndefined()
    expect(await settled(before), what).toEqual(before)
  }
  row([
    `an error at ${ahead.length + groups.length + others.length} steps of a plan of ${count} with two threads`,
    'all ended as before',
    `seed ${start}`,
  ])
})

test('what can be done is done', async () => {
  const name = `${host.named('t')}70`
  await run(undefined, 'ip', 'netns', 'add', name)
  const result = await plan().apply({ threads, onError: 'continue' })
  expect(new Set(result.failed.map(({ path }) => path.replace(/\[.*/, '')))).toEqual(
    new Set(['namespaces', 'links', 'addresses', 'routes']),
  )
  expect(await namedNamespaces(host.named('t'))).toHaveLength(count + 1)
  await result.delete({ drain: true })
  expect(await namedNamespaces(host.named('t'))).toEqual([name])
  await run(undefined, 'ip', 'netns', 'delete', name)
  expect(await settled(before)).toEqual(before)
})

test('aborts at random moments', async () => {
  const began = performance.now()
  await (await plan().apply({ threads })).delete({ drain: true })
  const took = (performance.now() - began) / 2
  for (let i = 0; i < 5; i++) {
    const stop = new AbortController()
    const delay = chance() * took
    const timer = setTimeout(() => stop.abort(), delay)
    const error = await outcome(plan().apply({ threads, signal: stop.signal }))
    clearTimeout(timer)
    if (error !== undefined) expect(error).toMatchObject({ name: 'AbortError' })
    expect(await settled(before), `abort after ${delay} ms`).toEqual(before)
  }
})

test.each([0, 3, 1.5, '2', null])('there is one or there are two, not %j', async wrong => {
  await expect(new Plan().apply({ threads: wrong as never })).rejects.toMatchObject({
    code: expect.stringMatching(/^ERR_NETLOOM_/),
    path: 'threads',
  })
})
