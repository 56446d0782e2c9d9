// The fault table of plans: an error at each step, aborts at random moments, errors of the undo itself. Everything ends as it was before.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Namespace, NetloomError, type PlanResult } from '../../lib/index.js'
import { crowd, furnish, unfurnish, whole } from '../helpers/crowds.js'
import { Faults, type Manner } from '../helpers/injected.js'
import { useOpenHost } from '../helpers/links.js'
import { patience } from '../helpers/patience.js'
import { random, seed, settle } from './ending.js'
import { all, row, useAlone } from './killing.js'

useAlone()
const host = useOpenHost()
const count = 200
const plan = () => crowd(host.namespace, count, host.named('f'))
const start = seed()
const chance = random(start)
const manners: readonly Manner[] = ['refused', 'half', 'lost']
let faults: Faults
let before: unknown

beforeAll(async () => {
  await furnish(host.name)
  // Whatever is only made once is there from now on.
  await (await plan().apply()).delete({ drain: true })
  before = await settled(await whole(host.name))
  faults = new Faults()
})
afterAll(async () => {
  faults?.[Symbol.dispose]()
  await unfurnish(host.name)
})

const settled = (wanted: unknown) => settle(() => whole(host.name), wanted, 3000)
/** The error of applying a plan; what was applied all the same is taken back. */
const outcome = (applying: Promise<PlanResult>) =>
  applying.then(
    async result => {
      faults.disarm()
      await result.delete({ drain: true })
    },
    (error: unknown) => error,
  )
/** The calls that applying makes when nothing fails. */
async function steps(): Promise<string[]> {
  faults.arm(() => undefined)
  const result = await plan().apply()
  const calls = [...faults.calls]
  faults.disarm()
  await result.delete({ drain: true })
  expect(await settled(before)).toEqual(before)
  return calls
}

test(`an error at ${all ? 'each step' : 'some steps'} of a plan of ${count}`, { timeout: patience(3_600_000) }, async () => {
  const calls = await steps()
  const firsts = [...new Set(calls)].map(call => calls.indexOf(call))
  const sample = Array.from({ length: 6 }, () => Math.floor(chance() * calls.length))
  const chosen = all ? calls.flatMap((_, i) => [i, i, i]) : [...new Set([...firsts, ...sample, calls.length - 1])]
  let undone = 0
  for (const [i, step] of chosen.entries()) {
    const several = ['exchange', 'perform'].includes(calls[step]!)
    const manner = several ? manners[all ? i % 3 : Math.floor(chance() * 3)]! : 'refused'
    if (all && !several && i % 3 > 0) continue
    const what = `step ${step} of ${calls.length}, ${calls[step]} ${manner}`
    faults.arm((_, number) => (number === step ? manner : undefined))
    const error = await outcome(plan().apply())
    const met = faults.calls.length > step
    faults.disarm()
    // The number of calls differs a little: links are set up as they come.
    if (!met) continue
    expect(error, what).toBeInstanceOf(NetloomError)
    expect(error, what).toMatchObject({ code: expect.stringMatching(/^(ENOMEM|ENOBUFS)$/) })
    expect((error as NetloomError).leftovers, what).toBeUndefined()
    expect(await settled(before), what).toEqual(before)
    undone++
  }
  row([`an error at each of ${calls.length} steps of a plan of ${count} namespaces`, `${undone} undone`, `seed ${start}`])
})

test(`aborts at ${all ? 50 : 5} random moments`, { timeout: patience(3_600_000) }, async () => {
  const began = performance.now()
  await (await plan().apply()).delete({ drain: true })
  const took = (performance.now() - began) / 2
  let aborted = 0
  for (let i = 0; i < (all ? 50 : 5); i++) {
    const stop = new AbortController()
    const delay = chance() * took
    const timer = setTimeout(() => stop.abort(new Error('enough')), delay)
    const error = await outcome(plan().apply({ signal: stop.signal }))
    clearTimeout(timer)
    if (error !== undefined) expect(error).toMatchObject({ name: 'AbortError', cause: { message: 'enough' } })
    expect(await settled(before), `abort after ${delay} ms`).toEqual(before)
    aborted += error === undefined ? 0 : 1
  }
  row([`${all ? 50 : 5} aborts of a plan of ${count} namespaces`, `${aborted} undone`, 'the others came too late', `seed ${start}`])
})

test('an abort at each boundary between two calls of a small plan', async () => {
  const small = () => crowd(host.namespace, 2, host.named('f'))
  faults.arm(() => undefined)
  await (await small().apply()).delete({ drain: true })
  const total = faults.calls.length
  for (let step = 0; step < total; step += all ? 1 : 11) {
    const stop = new AbortController()
    faults.arm((_, number) => void (number === step && stop.abort()))
    const error = await outcome(small().apply({ signal: stop.signal }))
    faults.disarm()
    // After the last look at the signal it is too late.
    if (error !== undefined) expect(error, `step ${step}`).toMatchObject({ name: 'AbortError' })
    else expect(step).toBeGreaterThan(total / 2)
    expect(await settled(before), `step ${step}`).toEqual(before)
  }
})

test('errors of the undo are told together, and gc() finishes it', async () => {
  const total = (await steps()).length
  for (const failing of ['exchange', 'removeNamespaces', 'writeSysctl', 'unlucky', 'unlucky']) {
    const late = Math.floor(total * (0.6 + chance() * 0.3))
    let number = 0
    faults.arm(call => {
      number++
      if (number < late) return undefined
      if (number === late) return 'refused'
      return call === failing || (failing === 'unlucky' && chance() < 0.5) ? 'refused' : undefined
    })
    const error = await outcome(plan().apply())
    faults.disarm()
    expect(error).toMatchObject({ code: 'ENOMEM' })
    const { leftovers } = error as NetloomError
    if (failing !== 'unlucky') expect(leftovers?.length, failing).toBeGreaterThan(0)
    const { removed, left } = await Namespace.gc()
    expect(left).toEqual([])
    if (leftovers) expect(removed.length, failing).toBeGreaterThan(0)
    expect(await settled(before), failing).toEqual(before)
  }
})
