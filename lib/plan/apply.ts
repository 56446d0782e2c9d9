// Applying a plan: compiled, carried out, and on any error taken back as if it had never been.
import type { Namespace } from '../kernel/namespace.js'
import { Scope } from '../kernel/scope.js'
import { openCurrent } from '../namespace/current.js'
import type { NamespaceInfo, OpenNamespace } from '../namespace/info.js'
import { openSource } from '../namespace/source.js'
import { AbortError } from '../socket/error.js'
import { compile } from './compile.js'
import { execute } from './execute.js'
import { leaving } from './execute-error.js'
import { State } from './execute-state.js'
import type { PlanData } from './items.js'
import { ProgressReporter } from './progress.js'
import { type ApplyOptions, type DeleteOptions, PlanResult, type Reversal } from './result.js'
import { type Holdings, undo, undoOrThrow } from './undo.js'

/**
 * Applies a plan that has been checked. `sources` has the namespaces that are there, by number. Rejects after everything has been undone, or
 * with `onError: 'continue'` reports what failed.
 */
export async function applyPlan(data: PlanData, sources: ReadonlyMap<number, Namespace>, options: ApplyOptions = {}): Promise<PlanResult> {
  const { signal, onProgress } = options
  if (signal?.aborted) throw new AbortError('apply plan', signal)
  const program = compile(data)
  const progress = new ProgressReporter(onProgress, program.total)
  const existing = new Map<number, Scope>()
  try {
    // Opened anew, so that the plan can go on when the caller closes his.
    for (const [number, namespace] of sources) existing.set(number, new Scope(await openSource(namespace)))
    const state = new State(data, program, existing, { progress, continues: options.onError === 'continue', signal })
    const holdings = holdingsOf(state, number => state.use(number).then(({ scope }) => scope))
    try {
      await execute(state, program)
      if (signal?.aborted) throw new AbortError('apply plan', signal)
    } catch (error) {
      const { leftovers, errors } = await undo(holdings, { drain: true, progress })
      throw leaving(error, leftovers, errors)
    }
    progress.flush()
    return resultOf(state, sources)
  } finally {
    for (const scope of existing.values()) scope.close()
  }
}

const holdingsOf = (state: State, scope: Holdings['scope']): Holdings => ({
  data: state.data,
  done: state.done,
  namespaces: state.namespaces,
  scope,
})

function resultOf(state: State, sources: ReadonlyMap<number, Namespace>): PlanResult {
  const { data, progress, failures } = state
  const infos = data.namespaces.map((_, number) => state.namespaces[number]?.info ?? infoOf(sources.get(number)))
  const ways = new Map([...sources].map(([number, namespace]) => [number, wayTo(data, number, namespace)]))
  const reversal = new PlanReversal(
    holdingsOf(state, () => Promise.reject(new Error('no delete is running'))),
    ways,
  )
  return new PlanResult(progress.total - failures.length, failures, infos, reversal)
}

const infoOf = (namespace: Namespace | undefined): NamespaceInfo | undefined => namespace?.toJSON()

/** How a namespace that was there is found again later, without holding it until then. */
function wayTo(data: PlanData, number: number, namespace: Namespace): () => Promise<Scope> {
  const { use } = data.namespaces[number] as { readonly use: object }
  const info = namespace.toJSON()
  return async () => new Scope('current' in use ? openCurrent() : await openSource(info))
}

/** Takes back what the plan did, as often as it is asked until nothing is left. */
class PlanReversal implements Reversal {
  readonly #holdings: Holdings
  readonly #ways: ReadonlyMap<number, () => Promise<Scope>>
  #running: Promise<void> = Promise.resolve()

  constructor(holdings: Holdings, ways: ReadonlyMap<number, () => Promise<Scope>>) {
    this.#holdings = holdings
    this.#ways = ways
  }

  /** One after the other: the second of two has nothing left to do. */
  undo({ drain = false, signal }: DeleteOptions): Promise<void> {
    const run = () => this.#undo({ drain, signal })
    const running = this.#running.then(run, run)
    this.#running = running
    // Only whoever asked for it hears of its failure.
    running.catch(() => undefined)
    return running
  }

  release(number: number): OpenNamespace | undefined {
    const made = this.#holdings.namespaces[number]
    if (!made?.handle) return undefined
    this.#holdings.namespaces[number] = undefined
    return { handle: made.handle, info: made.info }
  }

  async #undo(options: { readonly drain: boolean; readonly signal: AbortSignal | undefined }): Promise<void> {
    if (options.signal?.aborted) throw new AbortError('delete plan', options.signal)
    const opened = new Map<number, Promise<Scope>>()
    const holdings = this.#holdings
    const open = (number: number): Promise<Scope> => {
      const info = holdings.namespaces[number]?.info
      const way = this.#ways.get(number) ?? (async () => new Scope(await openSource(info!)))
      const opening = opened.get(number) ?? way()
      opened.set(number, opening)
      return opening
    }
    const remaining: Holdings = Object.assign(Object.create(null) as object, { ...holdings, scope: open })
    try {
      await undoOrThrow(remaining, options)
    } finally {
      holdings.done = remaining.done
      for (const scope of opened.values()) (await scope).close()
    }
  }
}
