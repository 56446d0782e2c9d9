// Carries a compiled plan out: a few namespaces at a time, their bridge ports in batches behind them, everything else in its order.
import { Writer } from '../codec/writer.js'
import { AbortError } from '../socket/error.js'
import type { Part, Phase, Program, Step } from './compile.js'
import { groupSize, runGroups, type Surroundings } from './execute-group.js'
import type { PortStep } from './execute-job.js'
import { Moulds } from './execute-moulds.js'
import { Run } from './execute-run.js'
import type { State } from './execute-state.js'
import { mostAhead } from './execute-stock.js'

/**
 * Namespaces being made at a time. The kernel does nearly all of it under one lock, so that a second one only fills the pauses in which this
 * program works, and more only wait (measured: no gain from 4 and 8, longer waits).
 */
export const inFlight = 2
/** Bridge ports set up together. */
export const portBatch = 64
/** When so many ports wait, no further namespaces are begun. */
const mostWaiting = 4 * portBatch
/**
 * The most descriptors that applying a plan holds at a time, whatever its size, besides one for each namespace without a name: in each
 * namespace being made itself, its socket, and a second namespace with one more for a link between the two, and one while it is opened;
 * for every namespace that is there itself and its sockets (`existing` times 4). With two threads also those namespaces that are made ahead, and those of two groups.
 */
export const descriptorBound = (existing: number, threads = 1): number =>
  inFlight * 6 + existing * 4 + (threads > 1 ? mostAhead + 2 * groupSize : 0)

export async function execute(state: State, program: Program): Promise<void> {
  for (const phase of program.phases) await new PhaseRun(state, phase).run()
}

class PhaseRun {
  readonly #state: State
  readonly #phase: Phase
  readonly #ports = new Map<number, PortQueue>()
  readonly #around: Surroundings
  #error: unknown
  #stopped = false

  constructor(state: State, phase: Phase) {
    this.#state = state
    this.#phase = phase
    this.#around = {
      moulds: new Moulds(state),
      look: () => this.#look(),
      ports: (place, steps) => {
        for (const step of steps) this.#queue(place).add(step)
      },
      known: place => name => this.#ports.get(place)?.known(name),
    }
  }

  async run(): Promise<void> {
    const { early, rounds, late } = this.#phase
    const { progress } = this.#state
    progress.enter('prepare')
    await this.#existing(early)
    progress.enter('namespaces')
    for (const round of rounds) {
      await this.#round(round)
      // A further round may rest on what the ports carry.
      await this.#settle()
    }
    progress.enter('host')
    await this.#existing(late)
  }

  /** Steps in namespaces that are there: neighbours of the same namespace go together. */
  async #existing(all: readonly { readonly in: number; readonly step: Step }[]): Promise<void> {
    for (let from = 0; from < all.length; ) {
      const { in: place } = all[from]!
      let to = from
      while (to < all.length && to - from < stepsPerLook && all[to]!.in === place) to++
      this.#look()
      const run = new Run(this.#state, place, this.#state.existing.get(place)!)
      await run.steps(all.slice(from, to).map(({ step }) => step))
      from = to
    }
  }

  async #round(parts: readonly Part[]): Promise<void> {
    try {
      for (let at = 0; at < parts.length && !this.#stopped; ) {
        at += await runGroups(this.#state, parts, at, this.#around)
        const to = this.#exactUntil(parts, at)
        if (at === to) continue
        await this.#exactly(parts.slice(at, to))
        await this.#settlePorts()
        at = to
      }
    } catch (error) {
      this.#stop(error)
    }
  }

  /** The parts from there on that groups cannot do; at least one, since what the first asks of the kernel may be all that was missing. */
  #exactUntil(parts: readonly Part[], from: number): number {
    if (from >= parts.length || this.#state.base === undefined) return Math.min(from + 1, parts.length)
    const writer = new Writer()
    let to = from + 1
    for (; to < parts.length; to++) {
      const { namespace } = parts[to]!
      const mark = this.#state.indexMark(namespace)
      const fits = this.#around.moulds.job(parts[to]!, writer) !== undefined
      this.#state.resetIndexes(namespace, mark)
      if (fits) break
    }
    return to
  }

  async #exactly(parts: readonly Part[]): Promise<void> {
    let next = 0
    // Ports are set up in the order of their namespaces, whichever is ready first: a bridge numbers them as they come.
    const ready: (Part | undefined)[] = []
    let handed = 0
    const worker = async () => {
      while (next < parts.length && !this.#stopped) {
        const number = next++
        const part = parts[number]!
        try {
          this.#look()
          await this.#part(part)
          ready[number] = part
          for (; ready[handed]; handed++) {
            for (const { in: place, step } of ready[handed]!.ports) this.#queue(place).add(step as PortStep)
            ready[handed] = undefined
          }
          for (const queue of this.#ports.values()) await queue.room()
        } catch (error) {
          this.#stop(error)
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(inFlight, parts.length) }, worker))
  }

  async #part(part: Part): Promise<void> {
    const { data } = this.#state
    if (!part.make && part.steps.length === 0) return
    let scope: Awaited<ReturnType<State['make']>>
    try {
      scope = part.make ? await this.#state.make(part.namespace) : await this.#state.open(part.namespace)
    } catch (error) {
      if (part.make) this.#state.failNamespace(part.namespace, error)
      for (const { item } of part.steps) this.#state.fail(item, error)
      return
    }
    try {
      const run = new Run(this.#state, part.namespace, scope)
      const planned = data.namespaces[part.namespace]!
      if (part.make && 'make' in planned && planned.make.loopback) run.loopback()
      await run.steps(part.steps)
      if (part.make) this.#state.progress.add()
    } finally {
      scope.close()
    }
  }

  #queue(place: number): PortQueue {
    let queue = this.#ports.get(place)
    if (!queue) {
      const run = new Run(this.#state, place, this.#state.existing.get(place)!)
      queue = new PortQueue(run, error => this.#stop(error))
      this.#ports.set(place, queue)
    }
    return queue
  }

  /** What is under way comes to its end, so that it is known what there is to undo. */
  async #settle(): Promise<void> {
    await this.#settlePorts()
    if (this.#stopped) throw this.#error
    await this.#state.find()
  }

  async #settlePorts(): Promise<void> {
    for (const queue of this.#ports.values()) await queue.end(this.#stopped)
  }

  #stop(error: unknown): void {
    if (!this.#stopped) this.#error = error
    this.#stopped = true
  }

  #look(): void {
    const { signal, progress } = this.#state
    progress.check()
    if (signal?.aborted) throw new AbortError('apply plan', signal)
  }
}

/** Steps in a namespace that is there between two looks at the signal. */
const stepsPerLook = 4096

/** Ports of one namespace: batches one after the other, while the next ones come in. */
class PortQueue {
  readonly #run: Run
  readonly #failed: (error: unknown) => void
  #waiting: PortStep[] = []
  #unfinished = 0
  #last: Promise<void> = Promise.resolve()

  constructor(run: Run, failed: (error: unknown) => void) {
    this.#run = run
    this.#failed = failed
  }

  known(name: string): number | undefined {
    return this.#run.known(name)
  }

  add(step: PortStep): void {
    this.#waiting.push(step)
    if (this.#waiting.length >= portBatch) this.#flush()
  }

  async room(): Promise<void> {
    if (this.#unfinished >= mostWaiting) await this.#last
  }

  end(dropped: boolean): Promise<void> {
    if (dropped) this.#waiting = []
    this.#flush()
    return this.#last
  }

  #flush(): void {
    const batch = this.#waiting
    if (batch.length === 0) return
    this.#waiting = []
    this.#unfinished += batch.length
    this.#last = this.#last
      .then(() => this.#run.ports(batch))
      .catch(this.#failed)
      .finally(() => {
        this.#unfinished -= batch.length
      })
  }
}
