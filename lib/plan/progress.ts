// Tells how far a plan is, often enough for a bar and seldom enough not to cost anything.
import type { ApplyOptions, Progress } from './result.js'

/** Milliseconds between two calls. */
const interval = 16

export class ProgressReporter {
  readonly #tell: ApplyOptions['onProgress']
  #phase: Progress['phase'] = 'prepare'
  #last = Number.NEGATIVE_INFINITY
  done = 0
  total: number

  constructor(tell: ApplyOptions['onProgress'], total: number) {
    this.#tell = tell
    this.total = total
  }

  add(count = 1): void {
    this.done += count
    if (!this.#tell) return
    const now = performance.now()
    if (now - this.#last < interval) return
    this.#last = now
    this.#tell({ phase: this.#phase, done: this.done, total: this.total })
  }

  /** The phase before is told once more with what it came to. */
  enter(phase: Progress['phase']): void {
    if (phase !== this.#phase) this.flush()
    this.#phase = phase
  }

  restart(phase: Progress['phase'], total: number): void {
    this.enter(phase)
    this.done = 0
    this.total = total
  }

  flush(): void {
    this.#last = performance.now()
    this.#tell?.({ phase: this.#phase, done: this.done, total: this.total })
  }
}
