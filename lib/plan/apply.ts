// Applying a plan: compiled, carried out, and on any error taken back as if it had never been.
import type { Namespace } from '../kernel/namespace.js'
import { Scope } from '../kernel/scope.js'
import { openCurrent } from '../namespace/current.js'
import type { NamespaceInfo, OpenNamespace } from '../namespace/info.js'
import { held, openSource } from '../namespace/source.js'
import { AbortError } from '../socket/error.js'
import type { NamespaceHandle } from '../socket/native.js'
import { compile } from './compile.js'
import { devicesGone } from './drain.js'
import { execute } from './execute.js'
import { leaving } from './execute-error.js'
import { State, type Used } from './execute-state.js'
import { type Existing, Intent } from './intent.js'
import type { PlanData } from './items.js'
import type { Pace } from './pace.js'
import { ProgressReporter } from './progress.js'
import { type ApplyOptions, type DeleteOptions, PlanResult, type Reversal } from './result.js'
import { type Holdings, notesOf, type UndoOptions, undo, undoOrThrow } from './undo.js'
import { findUnheard } from './unheard.js'

/**
 * Applies a plan that has been checked. `sources` has the namespaces that are there, by number. Rejects after everything has been undone, or
 * with `onError: 'continue'` reports what failed.
 */
export async function applyPlan(
  data: PlanData,
  sources: ReadonlyMap<number, Namespace>,
  pace: Pace,
  options: ApplyOptions,
  plan: symbol,
): Promise<PlanResult> {
  const { signal, onProgress, threads = 1, onError } = options
  if (signal?.aborted) throw new AbortError('apply plan', signal)
  const program = await compile(data, pace)
  const progress = new ProgressReporter(onProgress, program.total)
  const existing = new Map<number, Scope>()
  try {
    // Opened anew, so that the plan can go on when the caller closes his.
    for (const [number, namespace] of sources) existing.set(number, new Scope(await openSource(namespace)))
    const intent = await Intent.begin(data, existing, pace)
    const { mark, journal } = intent
    const state = new State(intent.data, program, existing, { progress, continues: onError === 'continue', threads, signal, mark, journal })
    try {
      await execute(state, program)
      progress.flush()
      progress.check()
      if (signal?.aborted) throw new AbortError('apply plan', signal)
      await intent.commit(state)
    } catch (error) {
      throw await takenBack(error, state, intent)
    }
    return resultOf(state, sources, intent.mark, plan)
  } finally {
    for (const scope of existing.values()) scope.close()
  }
}

/** The error that the caller gets when everything has been undone. */
async function takenBack(error: unknown, state: State, intent: Intent): Promise<unknown> {
  const opened: Used[] = []
  const holdings = holdingsOf(state, async number => {
    const used = await state.use(number)
    opened.push(used)
    return used.scope
  })
  const made = state.namespaces.some(Boolean)
  // Unless they are known, they still go with their namespaces, only later.
  const unknown = await state.find().then(
    () => [],
    (reason: unknown) => [reason],
  )
  const unheard = await findUnheard(state, intent.marksLinks ? intent.group : undefined)
  let complete = false
  try {
    const { leftovers, errors } = await undo(holdings, { drain: true, progress: state.progress, group: intent.group })
    leftovers.push(...unheard.leftovers)
    errors.push(...unknown, ...unheard.errors)
    // Devices whose making nobody heard of go with their namespaces.
    if (made) await devicesGone()
    complete = leftovers.length === 0
    return leaving(error, leftovers, errors)
  } finally {
    for (const used of opened) used.close()
    await (complete ? intent.end() : intent.leave())
  }
}

const holdingsOf = (state: State, scope: Holdings['scope']): Holdings => ({
  data: state.data,
  done: state.done,
  namespaces: state.namespaces,
  scope,
})

function resultOf(state: State, sources: ReadonlyMap<number, Namespace>, mark: string, plan: symbol): PlanResult {
  const { data, progress, failures } = state
  const infos = data.namespaces.map((_, number) => reachable(state.namespaces[number]) ?? infoOf(sources.get(number)))
  const ways = new Map([...sources].map(([number, namespace]) => [number, wayTo(data, number, namespace)]))
  const reversal = new PlanReversal(holdingsOf(state, notDeleting), ways, {
    mark,
    existing: new Map([...state.existing].map(([number, { handle }]) => [number, { handle: identityOf(handle) }])),
  })
  return new PlanResult(progress.total - failures.length, failures, infos, reversal, plan)
}

/** To one without a name nothing leads but its descriptor. Not enumerable: equality, JSON and structuredClone see plain data. */
const reachable = (made: State['namespaces'][number]): NamespaceInfo | undefined =>
  made?.handle ? Object.defineProperty(made.info, held, { value: made.handle }) : made?.info

/** Not written where the state is in sight: a result would hold it by that. */
const notDeleting = () => Promise.reject(new Error('no delete is running'))

const infoOf = (namespace: Namespace | undefined): NamespaceInfo | undefined => namespace?.toJSON()

const identityOf = ({ device, inode, cookie }: NamespaceHandle) => ({ device, inode, cookie })

/** What tells others what is ours. */
interface Marks {
  readonly mark: string
  readonly existing: Existing
}

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
  readonly #marks: Marks
  #running: Promise<void> = Promise.resolve()

  constructor(holdings: Holdings, ways: ReadonlyMap<number, () => Promise<Scope>>, marks: Marks) {
    this.#holdings = holdings
    this.#ways = ways
    this.#marks = marks
  }

  /** One after the other: the second of two has nothing left to do. */
  undo({ drain = false, signal, onProgress }: DeleteOptions): Promise<void> {
    const run = () => this.#undo({ drain, signal, progress: new ProgressReporter(onProgress, 0) })
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

  async #undo(options: UndoOptions): Promise<void> {
    if (options.signal?.aborted) throw new AbortError('delete plan', options.signal)
    const holdings = this.#holdings
    const { mark, existing } = this.#marks
    const names = holdings.namespaces.map(one => one?.info.name ?? null)
    if (holdings.done.length === 0 && holdings.namespaces.every(one => one === undefined)) return
    const intent = await Intent.beginUndo(holdings.data, mark, existing, names, notesOf(holdings))
    try {
      await this.#takeBack(holdings, options)
    } finally {
      // Whatever is left is still the caller's.
      await intent.end()
    }
    options.progress?.check()
  }

  async #takeBack(holdings: Holdings, options: UndoOptions): Promise<void> {
    const opened = new Map<number, Promise<Scope>>()
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
      // Whoever asked for one that could not be opened has had the error.
      for (const scope of await Promise.allSettled(opened.values())) if (scope.status === 'fulfilled') scope.value.close()
    }
  }
}
