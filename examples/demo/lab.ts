// What the demo makes, so that all of it is removed again, however the demo ends.
import { setMaxListeners } from 'node:events'
import { Namespace, type NamespaceCreateOptions, type NamespaceSource, type Plan, type PlanResult } from 'netloom'
import { Phases } from './phases.js'
import { progress, wipe } from './show.js'

/** Namespaces that are worked on at a time. */
const atOnce = 16
/** A bar is worth its while from here on, and a plan. */
export const many = 40

export class Lab {
  readonly signal: AbortSignal
  readonly #made: Namespace[] = []
  readonly #opened: Namespace[] = []
  readonly #results: { readonly result: PlanResult; readonly size: number }[] = []

  constructor(signal: AbortSignal) {
    this.signal = signal
    // That many pings listen to it at a time.
    setMaxListeners(2 * atOnce, signal)
  }

  /** What is still there. */
  get size(): number {
    return this.#results.reduce((sum, { size }) => sum + size, this.#made.length)
  }

  /** A namespace that remove() will remove: everything else that the demo makes is in one of them, and goes with it. */
  async namespace(name?: string, options?: NamespaceCreateOptions): Promise<Namespace> {
    this.signal.throwIfAborted()
    const namespace = await Namespace.create(name, options)
    this.#made.push(namespace)
    return namespace
  }

  /** Carries out a plan that makes so many namespaces, and shows how far it is; remove() takes all of it back. */
  async apply(plan: Plan, size: number): Promise<{ readonly result: PlanResult; readonly phases: Phases }> {
    const phases = new Phases()
    const result = await plan.apply({ onProgress: phases.tell, signal: this.signal }).finally(wipe)
    this.#results.push({ result, size })
    return { result, phases }
  }

  /** A namespace that a plan has made: open until remove(). */
  async open(source: NamespaceSource): Promise<Namespace> {
    const namespace = await Namespace.open(source)
    this.#opened.push(namespace)
    return namespace
  }

  /** Does something for each item, some at a time, and shows how far it is. Stops at the first failure, and when the user has had enough. */
  each<T, R>(label: string, items: readonly T[], work: (item: T, index: number) => Promise<R>, width = atOnce): Promise<R[]> {
    const unlessAborted = (item: T, index: number) => {
      this.signal.throwIfAborted()
      return work(item, index)
    }
    return inParallel(label, items, unlessAborted, width)
  }

  /** Removes everything, also when the user has had enough. Tells what it could not remove. */
  async remove(): Promise<void> {
    const failures: unknown[] = []
    await Promise.all(this.#opened.splice(0).map(namespace => namespace.close()))
    for (const { result } of this.#results.splice(0)) {
      const deleting = result.delete({ drain: true, onProgress: new Phases().tell })
      await deleting.catch(error => failures.push(error)).finally(wipe)
    }
    const remove = (namespace: Namespace) => namespace.delete().catch(error => failures.push(error))
    await inParallel('removing', this.#made.splice(0).reverse(), remove, atOnce)
    if (failures.length > 0)
      throw new AggregateError(failures, `${failures.length} namespaces could not be removed: ${failures.join('; ')}`)
  }
}

async function inParallel<T, R>(
  label: string,
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>,
  width: number,
): Promise<R[]> {
  const results: R[] = []
  const rest = items.entries()
  let failed = false
  let done = 0
  const worker = async () => {
    try {
      for (const [index, item] of rest) {
        if (failed) return
        results[index] = await work(item, index)
        done++
        if (items.length >= many) progress(label, done, items.length)
      }
    } catch (error) {
      failed = true
      throw error
    }
  }
  // All of them are waited for: nothing may be made after the clean-up has begun.
  const ends = await Promise.allSettled(Array.from({ length: width }, worker))
  const failure = ends.find(end => end.status === 'rejected')
  if (failure) {
    wipe()
    throw failure.reason
  }
  return results
}
