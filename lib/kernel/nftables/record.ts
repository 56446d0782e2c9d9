// Verbs that are recorded, and the changes that they come to when they are carried out.
import { checkAt } from '../arguments.js'
import { changeVerbs } from './changes.js'
import type { Change } from './commit.js'
import type { Entry, Submit } from './entry.js'
import type { World } from './world.js'

/** The verbs of `nftables`, to be carried out together. */
export type Transaction = ReturnType<typeof changeVerbs<false>>

export interface Recorded {
  readonly entry: Entry<unknown>
  /** Its place in what the caller gave: 'rules[3]'. */
  readonly within: string
}

/** The verbs, and what has been recorded through them. `placed` says where in the caller's object the next ones stand; otherwise they are counted. */
export class Recorder {
  readonly recorded: Recorded[] = []
  placed: string | undefined
  readonly #counts = new Map<string, number>()

  readonly submit: Submit<false> = entry => {
    const index = this.#counts.get(entry.group) ?? 0
    this.#counts.set(entry.group, index + 1)
    this.recorded.push({ entry: entry as Entry<unknown>, within: this.placed ?? `${entry.group}[${index}]` })
    return undefined
  }
  readonly verbs: Transaction = changeVerbs<false>(this.submit)
}

/** The changes of entries, and to which of them each belongs. */
export async function prepare(world: World, recorded: readonly Recorded[]): Promise<{ changes: Change[]; owners: number[] }> {
  const changes: Change[] = []
  const owners: number[] = []
  for (let i = 0; i < recorded.length; i++) {
    const { entry, within } = recorded[i]!
    const about = { operation: entry.operation, namespace: world.scope.label, within }
    const given = checkAt(within, () => entry.prepare(world, about))
    // Most need nothing to be looked up: waiting for each of a thousand would cost more than they do.
    for (const one of given instanceof Promise ? await checkLater(within, given) : given) {
      changes.push(one)
      owners.push(i)
    }
  }
  return { changes, owners }
}

/** Puts the place in front of the paths of argument errors. */
async function checkLater<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    return checkAt(path, () => {
      throw error
    })
  }
}
