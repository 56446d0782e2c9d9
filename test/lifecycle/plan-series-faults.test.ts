// The fault table of plans that add entries by the thousand: an error at each step, aborts and SIGKILL at random moments, also where one of them is refused.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Namespace, NetloomError } from '../../lib/index.js'
import { takeAway, unfurnish, whole } from '../helpers/crowds.js'
import { Faults, type Manner } from '../helpers/injected.js'
import { useOpenHost } from '../helpers/links.js'
import { patience } from '../helpers/patience.js'
import { furnishForSeries, removeSeries, series } from '../helpers/series.js'
import { random, seed, settle } from './ending.js'
import { all, kills, row, useAlone } from './killing.js'
import { killAtRandom } from './plan-victims.js'

useAlone()
const host = useOpenHost()
/** Namespaces beside them: plan-fault-table.test.ts has hundreds. */
const few = 4
const prefix = (letter: string) => host.named(letter)
const start = seed()
const chance = random(start)
const manners: readonly Manner[] = ['refused', 'half', 'lost']
let before: unknown

const settled = () => settle(() => whole(host.name), before, 3000)
beforeAll(async () => {
  await furnishForSeries(host.name)
  // Whatever is only made once is there from now on.
  await (await series(host.namespace, few, prefix('s')).apply()).delete({ drain: true })
  before = await whole(host.name)
})
afterAll(() => unfurnish(host.name))

interface Kind {
  readonly what: string
  /** One of the routes is there already. */
  readonly refused: boolean
  readonly onError: 'rollback' | 'continue'
}
const kinds: readonly Kind[] = [
  { what: 'all can be added', refused: false, onError: 'rollback' },
  { what: 'one in the middle is refused', refused: true, onError: 'rollback' },
  { what: 'one in the middle is refused, the others stay', refused: true, onError: 'continue' },
]

/** Applies; takes back what is there then. Faults are for applying and its undo. */
async function attempt({ refused, onError }: Kind, faults: Faults, which: (call: string, number: number) => Manner | undefined) {
  faults.arm(which)
  const plan = series(host.namespace, few, prefix('s'), refused)
  const applied = await plan.apply({ onError }).then(
    result => ({ result, error: undefined }),
    (error: unknown) => ({ result: undefined, error: error as NetloomError }),
  )
  const calls = [...faults.calls]
  faults.disarm()
  await applied.result?.delete({ drain: true })
  const codes = applied.result?.failed.map(({ error }) => (error as NetloomError).code) ?? []
  return { calls, error: applied.error, codes: [...new Set(codes)].sort() }
}

test.for(kinds)(`an error at ${all ? 'each step' : 'some steps'}: $what`, { timeout: patience(3_600_000) }, async kind => {
  using faults = new Faults()
  const { calls, error, codes } = await attempt(kind, faults, () => undefined)
  expect([error?.code, codes]).toEqual(
    kind.refused ? (kind.onError === 'continue' ? [undefined, ['EEXIST']] : ['EEXIST', []]) : [undefined, []],
  )
  expect(await settled()).toEqual(before)
  const counts = { undone: 0, 'undone by gc()': 0, 'done but for what failed': 0, 'done all the same': 0 }
  for (const [step, manner] of chosen(calls)) {
    const what = `step ${step} of ${calls.length}, ${calls[step]} ${manner}`
    const { calls: made, error, codes } = await attempt(kind, faults, (_, number) => (number === step ? manner : undefined))
    // The number of calls differs a little: links are set up as they come.
    if (made.length <= step) continue
    if (error) {
      expect(error, what).toBeInstanceOf(NetloomError)
      expect(error.code, what).toMatch(kind.refused ? /^(ENOMEM|ENOBUFS|EEXIST)$/ : /^(ENOMEM|ENOBUFS)$/)
      // Only if what failed was the undo.
      if (error.leftovers) expect([error.code, kind.refused], what).toEqual(['EEXIST', true])
      if (error.leftovers) expect((await Namespace.gc()).left, what).toEqual([])
      counts[error.leftovers ? 'undone by gc()' : 'undone']++
    } else {
      const more = codes.filter(code => code !== 'EEXIST')
      if (more.length) expect(kind.onError, what).toBe('continue')
      counts[more.length ? 'done but for what failed' : 'done all the same']++
    }
    expect(await settled(), what).toEqual(before)
  }
  row([
    `an error at each step of a plan with series (${kind.what})`,
    ...Object.entries(counts).map(([how, many]) => `${many} ${how}`),
    `seed ${start}`,
  ])
})

/** Each step in each manner, or some of them. */
function chosen(calls: readonly string[]): (readonly [step: number, manner: Manner])[] {
  const several = (step: number): readonly Manner[] => (['exchange', 'perform'].includes(calls[step]!) ? manners : ['refused'])
  if (all) return calls.flatMap((_, step) => several(step).map(manner => [step, manner] as const))
  const some = Array.from({ length: 5 }, () => Math.floor(chance() * calls.length))
  return some.map(step => [step, several(step)[Math.floor(chance() * several(step).length)]!])
}

test(`aborts at ${all ? 50 : 4} random moments`, { timeout: patience(3_600_000) }, async () => {
  const began = performance.now()
  await (await series(host.namespace, few, prefix('s')).apply()).delete({ drain: true })
  const took = (performance.now() - began) / 2
  const counts = { aborted: 0, 'done before': 0 }
  for (let i = 0; i < (all ? 50 : 4); i++) {
    const stop = new AbortController()
    const delay = chance() * took
    const timer = setTimeout(() => stop.abort(new Error('enough')), delay)
    const plan = series(host.namespace, few, prefix('s'))
    const error = await plan.apply({ signal: stop.signal }).then(
      result => result.delete({ drain: true }),
      (reason: unknown) => reason,
    )
    clearTimeout(timer)
    if (error) expect(error).toMatchObject({ name: 'AbortError', cause: { message: 'enough' } })
    counts[error ? 'aborted' : 'done before']++
    expect(await settled(), `abort after ${delay} ms`).toEqual(before)
  }
  row(['aborts of a plan with series', ...Object.entries(counts).map(([how, many]) => `${many} ${how}`), `seed ${start}`])
})

const there = () => ({ name: host.name })
const common = () => ({ host: host.name, prefix: prefix('k'), kills })
const complete = async () => {
  await removeSeries(host.name)
  await takeAway(host.name, prefix('k'))
}

test(`${kills} processes that add entries in series are killed`, { timeout: patience(3_600_000) }, () =>
  killAtRandom({
    what: 'applying a plan with series of 4,500 routes and 1,300 addresses, and taking it back',
    ...{ ...common(), plan: series(there(), few, prefix('k')), takeAway: complete },
  }),
)

test(`${kills} processes are killed that undo series in which one was refused`, { timeout: patience(3_600_000) }, () =>
  killAtRandom({
    what: 'a plan with series of which the kernel refuses one, and its undo',
    ...{ ...common(), plan: series(there(), few, prefix('k'), true) },
  }),
)
