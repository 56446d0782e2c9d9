// Tells how far a plan is, often enough for a bar and seldom enough not to cost anything.
import type { ApplyOptions, Progress } from './result.js'

/** Milliseconds between two calls. */
const interval = 16

/** Never throws itself: wherever it is told, there is something half done. Those who tell it look for a failure where they can stop. */
export class ProgressReporter {
  #tell: ApplyOptions['onProgress']
  #phase: Progress['phase'] = 'prepare'
  #last = Number.NEGATIVE_INFINITY
  #failure: { readonly error: unknown } | undefined
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
    this.#say(now)
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
    this.#say(performance.now())
  }

  /** Throws what the callback has thrown; it is not called again after that. */
  check(): void {
    if (this.#failure) throw this.#failure.error
  }

  #say(now: number): void {
    this.#last = now
    try {
      this.#tell?.({ phase: this.#phase, done: this.done, total: this.total })
    } catch (error) {
      this.#failure = { error }
      this.#tell = undefined
    }
  }
}
