// Processes that apply a plan, take it back and are killed meanwhile, at random moments: after gc() everything is as it was before.
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { Namespace, type Plan } from '../../lib/index.js'
import { recordsOf, whole } from '../helpers/crowds.js'
import { namedNamespaces } from '../helpers/state.js'
import { random, seed, settle } from './ending.js'
import { type Ending, type Fate, type Life, live, Tally } from './killing.js'

const program = fileURLToPath(new URL('victim.mjs', import.meta.url))
export const liveWith = (plan: Plan, ending?: Ending, threads = 1): Promise<Life> =>
  live([program], JSON.stringify({ threads, plan }), ending)

interface Victims {
  readonly what: string
  /** The name of the namespace in which it changes things. */
  readonly host: string
  /** Begins the names of those that it makes, and of no others. */
  readonly prefix: string
  readonly kills: number
  readonly plan: Plan
  /** Takes a complete plan away by other means; one that can't become complete has none. */
  takeAway?(): Promise<void>
}

/** Some are killed after they have said `applying`, every fourth while it takes the plan back; every other with two threads. */
export async function killAtRandom({ what, host, prefix, kills, plan, takeAway }: Victims): Promise<void> {
  const start = seed()
  const chance = random(start)
  const tally = new Tally(what, start)
  await Namespace.gc()
  const before = await whole(host)
  const size = plan.toJSON().namespaces.filter(one => 'make' in one).length
  const { said, errors, took } = await liveWith(plan)
  expect(errors).toBe('')
  expect(said.at(-1)).toBe(takeAway ? 'deleted' : 'refused EEXIST')
  expect(await settle(() => whole(host), before, 3000)).toEqual(before)
  for (let i = 0; i < kills; i++) {
    const after = takeAway && i % 4 === 3 ? 'applied' : 'applying'
    const delay = chance() * took(after)
    const moment = `kill ${i}, ${delay} ms after ${after}`
    const life = await liveWith(plan, { after, delay }, 1 + (i % 2))
    const begun = (await recordsOf(prefix)).length > 0
    expect((await Namespace.gc()).left, moment).toEqual([])
    const there = await namedNamespaces(prefix)
    // Complete, whether it had said so or not, and not yet being taken back: then it stays as it is.
    if (there.length > 0) {
      expect([begun, there.length], moment).toEqual([false, takeAway && size])
      await takeAway?.()
    }
    tally.add(fateOf(life, begun, there))
    expect(await settle(() => whole(host), before, 3000), moment).toEqual(before)
  }
  tally.tell()
  expect(tally.of('taken back by gc()')).toBeGreaterThan(kills / 4)
}

function fateOf({ said, signal }: Life, begun: boolean, there: readonly string[]): Fate {
  if (begun) return 'taken back by gc()'
  if (there.length > 0) return 'complete, left as it is'
  return signal === null || said.at(-1) === 'deleted' ? 'gone by itself' : 'nothing done yet'
}
