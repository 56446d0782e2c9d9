// Transactions: recorded verbs that take effect all at once or not at all.
import { checkAt, checkOptions, isBoolean, isSignal, isUnsigned } from '../arguments.js'
import type { Scope } from '../scope.js'
import { changeVerbs } from './changes.js'
import { type Batch, type Change, commit } from './commit.js'
import type { Entry, Submit } from './entry.js'
import type { RulesetObject } from './objects.js'
import { World } from './world.js'

export interface TransactionOptions {
  /** Gives what was made, with the kernel's handles, as `nft -e` prints it. Costs the time of reading it. */
  readonly echo?: boolean
  /** The state of the rule set that this rests on, as list() gave it: in another one nothing is changed, and the error is ERESTART. */
  readonly generation?: number
  /** AbortError means that nothing has been changed; once the kernel has been given it, it is carried out. */
  readonly signal?: AbortSignal
}
/** The verbs of `nftables`, to be carried out together. */
export type Transaction = ReturnType<typeof changeVerbs<false>>

interface Recorded {
  readonly entry: Entry<unknown>
  /** Its place in the caller's transaction: 'rules[3]'. */
  readonly within: string
}

/** The verbs, and what has been recorded through them. */
function recorder(): { verbs: Transaction; recorded: Recorded[] } {
  const recorded: Recorded[] = []
  const counts = new Map<string, number>()
  const submit: Submit<false> = entry => {
    const index = counts.get(entry.group) ?? 0
    counts.set(entry.group, index + 1)
    recorded.push({ entry: entry as Entry<unknown>, within: `${entry.group}[${index}]` })
    return undefined
  }
  return { verbs: changeVerbs<false>(submit), recorded }
}

/** The changes of entries, and to which each belongs. */
async function prepare(world: World, recorded: readonly Recorded[], namespace: string | undefined) {
  const changes: Change[] = []
  const owners: number[] = []
  for (const [i, { entry, within }] of recorded.entries()) {
    const about = { operation: entry.operation, namespace, within }
    const prepared = await checkLater(within, () => entry.prepare(world, about))
    for (const one of prepared) {
      changes.push(one)
      owners.push(i)
    }
  }
  return { changes, owners }
}
/** Puts the place in front of the paths of argument errors, of what may be a promise. */
async function checkLater<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    return checkAt(path, () => {
      throw error
    })
  }
}

/** Carries out what `build` records: all of it or nothing. */
export async function transact(
  scope: Scope,
  build: (transaction: Transaction) => void,
  options: TransactionOptions = {},
): Promise<RulesetObject[]> {
  checkOptions<TransactionOptions>(options, { echo: isBoolean, generation: isUnsigned, signal: isSignal })
  const { verbs, recorded } = recorder()
  build(verbs)
  const { echo = false, generation, signal } = options
  let owners: readonly number[] = []
  const batch = async (): Promise<Batch> => {
    const prepared = await prepare(new World(scope, { echo, signal }), recorded, scope.label)
    owners = prepared.owners
    return { changes: prepared.changes, generation }
  }
  const made = await commit(scope, batch, { operation: 'change rule set', signal, fixed: generation !== undefined })
  const objects = recorded.map((): unknown[] => [])
  for (const [index, one] of made) objects[owners[index]!]!.push(...one)
  return recorded.flatMap(({ entry }, i) =>
    objects[i]!.length ? [{ [entry.group.slice(0, -1)]: entry.result(objects[i]!) } as unknown as RulesetObject] : [],
  )
}

/** A verb that is carried out at once: a transaction of one. */
export const atOnce =
  (scope: Scope): Submit<true> =>
  async entry => {
    const about = { operation: entry.operation, namespace: scope.label }
    const batch = async (): Promise<Batch> => ({ changes: await entry.prepare(new World(scope, { echo: true }), about) })
    const made = await commit(scope, batch, { operation: entry.operation })
    return entry.result([...made.values()].flat())
  }
