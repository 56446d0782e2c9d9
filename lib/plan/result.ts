// What applying a plan gives: what was done, what was not, where the namespaces are, and how to take it all back.
import { argumentError, shown } from '../codec/errors.js'
import type { NamespaceInfo, OpenNamespace } from '../namespace/info.js'
import { NetloomError } from '../socket/error.js'
import type { NamespaceRef } from './items.js'
import { checkDeleting } from './options.js'
import { origin, type PlannedNamespace } from './record.js'

/** How far a plan is. */
export interface Progress {
  /** 'prepare', 'namespaces' (with all that is in them), 'host' (what is done in namespaces that are there), 'undo'. */
  readonly phase: 'prepare' | 'namespaces' | 'host' | 'undo'
  /** Of `total` things to do in the whole plan; while undoing: of those to take back. */
  readonly done: number
  readonly total: number
}
export interface ApplyOptions {
  /**
   * Called at most every few milliseconds, and once at the end of each phase. What it throws is an error of the plan: what was done is taken
   * back, under 'continue' too, and it is not called again.
   */
  readonly onProgress?: (progress: Progress) => void
  /** Stops at the next boundary and takes back what was done. */
  readonly signal?: AbortSignal
  /** 'rollback' (the default): all or nothing. 'continue': as much as can be done; `failed` has the rest. */
  readonly onError?: 'rollback' | 'continue'
  /**
   * Threads that ask the kernel for something at a time, 1 or 2. With 2, one makes the namespaces while the other furnishes them: on a machine with a processor to spare
   * a large plan takes up to a fifth less time, and a fifth to a third more processor time, since each waits for locks of the kernel that the other holds. Default 1.
   */
  readonly threads?: 1 | 2
}
export interface DeleteOptions {
  /** Wait until the kernel has removed the devices, not only the names. */
  readonly drain?: boolean
  /** Stops at the next boundary with an AbortError that has `leftovers`; what is left can be deleted with another call. */
  readonly signal?: AbortSignal
  /** Called at most every few milliseconds, and at the end. What it throws is thrown when everything has been taken back. */
  readonly onProgress?: ApplyOptions['onProgress']
}
/** One thing that could not be done, under 'continue'. */
export interface Failure {
  /** As the plan calls it, with the field that was refused if that is known: 'links[3].options.id'. */
  readonly path: string
  readonly error: Error
}

/** What a result takes back, and how. */
export interface Reversal {
  undo(options: DeleteOptions): Promise<void>
  /** Leaves a namespace without a name to the caller, whose descriptor it is from then on; undefined for others. */
  release(namespace: number): OpenNamespace | undefined
}

/** What an applied plan has made. `await using` deletes it. Holds descriptors only of namespaces without a name. */
export class PlanResult implements AsyncDisposable {
  /** How many things were done: namespaces made, and items. */
  readonly done: number
  /** What could not be done; empty unless the plan was applied with onError: 'continue'. */
  readonly failed: readonly Failure[]
  readonly #namespaces: readonly (NamespaceInfo | undefined)[]
  readonly #names: ReadonlyMap<string, number>
  readonly #reversal: Reversal
  readonly #plan: symbol

  /** @internal */
  constructor(
    done: number,
    failed: readonly Failure[],
    namespaces: readonly (NamespaceInfo | undefined)[],
    reversal: Reversal,
    plan: symbol,
  ) {
    this.done = done
    this.failed = failed
    this.#namespaces = namespaces
    this.#names = new Map(namespaces.flatMap((info, number) => (info?.name === undefined ? [] : [[info.name, number] as const])))
    this.#reversal = reversal
    this.#plan = plan
  }

  /**
   * The namespace that the plan meant, by what plan.namespace() gave or by name; Namespace.open() takes it, one without a name too until delete().
   * Throws ENOENT if it was not made.
   */
  namespace(planned: NamespaceRef | string): NamespaceInfo {
    const number = typeof planned === 'string' ? this.#names.get(planned) : this.#numberOf(planned)
    const info = number === undefined ? undefined : this.#namespaces[number]
    if (info) return info
    const subject = typeof planned === 'string' ? planned : `namespace ${planned.number} of the plan`
    throw new NetloomError('ENOENT', { operation: 'find namespace', subject, reason: 'the plan has made no such namespace' })
  }

  /**
   * Takes back everything that the plan did, and nothing else. Returns when the names are gone; with `drain`, when the kernel has removed the
   * devices too. Calling it twice is fine.
   *
   * Errors: that of the first thing that could not be taken back, with all of them in `leftovers`; another call tries these again.
   */
  async delete(options: DeleteOptions = {}): Promise<void> {
    checkDeleting(options)
    await this.#reversal.undo(options)
  }

  #numberOf(planned: NamespaceRef): number {
    if (typeof planned !== 'object' || planned === null || planned.planned !== 'namespace')
      throw argumentError('ERR_NETLOOM_INVALID_NAMESPACE', `${shown(planned)} is neither a namespace of the plan nor a name`, 'planned')
    if (origin in planned && (planned as PlannedNamespace)[origin].recorder.identity !== this.#plan)
      throw argumentError('ERR_NETLOOM_OTHER_PLAN', 'is not a namespace of this plan', 'planned')
    return planned.number
  }

  /** @internal Gives away a namespace without a name: the result forgets it. */
  release({ number }: NamespaceRef): OpenNamespace | undefined {
    return this.#reversal.release(number)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.delete()
  }
}
