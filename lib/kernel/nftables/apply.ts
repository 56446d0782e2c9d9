// apply(): makes one table what it shall be, by the least that has to change, in one transaction.
import { checkOptions, isOneOf, isSignal } from '../arguments.js'
import type { Scope } from '../scope.js'
import { commit } from './commit.js'
import { gather } from './desired.js'
import { difference } from './difference.js'
import { publicFamily } from './family.js'
import type { Ruleset, RulesetObject } from './objects.js'
import { prepare, Recorder } from './record.js'
import { formOf } from './set-form.js'
import { readSnapshot } from './snapshot.js'
import { World } from './world.js'

export interface ApplyOptions {
  /** AbortError means that nothing has been changed. */
  readonly signal?: AbortSignal
  /**
   * 'exact' (by default): elements that are not named go. 'keep': they stay, and so does one whose key is named with another value: for a table
   * whose sets several programs fill.
   */
  readonly elements?: 'exact' | 'keep'
}
export interface Applied {
  /** How many things were added, changed or removed; 0 if the table was so already. */
  readonly changes: number
}

/** Others may write at the same time: what they change is read anew, and the difference taken again. */
export async function apply(scope: Scope, desired: Ruleset | readonly RulesetObject[], options: ApplyOptions = {}): Promise<Applied> {
  checkOptions<ApplyOptions>(options, { signal: isSignal, elements: isOneOf(['exact', 'keep']) })
  const { signal, elements = 'exact' } = options
  const gathered = gather(desired)
  const { family, name } = gathered.ref
  const operation = 'apply table'
  let changes = 0
  await commit(
    scope,
    async () => {
      const snapshot = await readSnapshot(scope, { family, table: name, ...(signal ? { signal } : {}) }, operation)
      const recorder = new Recorder()
      difference(gathered, snapshot, recorder, { keep: elements === 'keep' })
      const world = new World(scope, { echo: false, signal })
      for (const { raw } of snapshot.sets) world.declare(publicFamily(raw.family), name, raw.name ?? '', formOf(raw))
      changes = recorder.recorded.length
      return { changes: (await prepare(world, recorder.recorded)).changes, generation: snapshot.generation }
    },
    { operation, signal },
  )
  return { changes }
}
