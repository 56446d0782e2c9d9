// Transactions: recorded verbs that take effect all at once or not at all.
import { argumentError } from '../../codec/errors.js'
import { checkAt, checkOptions, isBoolean, isFunction, isSignal, isUnsigned } from '../arguments.js'
import type { Scope } from '../scope.js'
import { type Batch, commit } from './commit.js'
import type { Submit } from './entry.js'
import type { RulesetObject } from './objects.js'
import { prepare, Recorder, type Transaction } from './record.js'
import { World } from './world.js'

export interface TransactionOptions {
  /** Gives what was made, with the kernel's handles, as `nft -e` prints it. Costs the time of reading it. */
  readonly echo?: boolean
  /** The state of the rule set that this rests on, as list() gave it: in another one nothing is changed, and the error is ERESTART. */
  readonly generation?: number
  /** AbortError means that nothing has been changed; once the kernel has been given it, it is carried out. */
  readonly signal?: AbortSignal
}
/** Carries out what `build` records: all of it or nothing. */
export async function transact(
  scope: Scope,
  build: (transaction: Transaction) => void,
  options: TransactionOptions = {},
): Promise<RulesetObject[]> {
  checkAt('build', () => isFunction(build))
  checkOptions<TransactionOptions>(options, { echo: isBoolean, generation: isUnsigned, signal: isSignal })
  const { verbs, recorded } = new Recorder()
  const returned: unknown = build(verbs)
  if (returned instanceof Promise)
    throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'must not be async: what it asks for after an await would come too late', 'build')
  const { echo = false, generation, signal } = options
  let owners: readonly number[] = []
  const batch = async (): Promise<Batch> => {
    const prepared = await prepare(new World(scope, { echo, signal }), recorded)
    owners = prepared.owners
    return { changes: prepared.changes, generation }
  }
  const made = await commit(scope, batch, { operation: 'change rule set', signal, fixed: generation !== undefined })
  const objects = recorded.map((): unknown[] => [])
  for (const [index, one] of made) objects[owners[index]!]!.push(...one)
  return recorded.flatMap(({ entry }, i) =>
    objects[i]!.length ? [{ [entry.sort ?? entry.group.slice(0, -1)]: entry.result(objects[i]!) } as unknown as RulesetObject] : [],
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
