// Long work on a plan lets others have the event loop now and then.
import { setImmediate } from 'node:timers/promises'
import { AbortError } from '../socket/error.js'

/** Milliseconds that the event loop is kept from others at a time. */
const slice = 4
/** Looks between two at the clock. */
const stride = 64

/** Asked at every step of some work, so that all of it together keeps to its slices. */
export class Pace {
  readonly #signal: AbortSignal | undefined
  #since = performance.now()
  #looks = 0

  constructor(signal?: AbortSignal) {
    this.#signal = signal
  }

  /** It is time to rest(). */
  get isDue(): boolean {
    return ++this.#looks % stride === 0 && performance.now() - this.#since > slice
  }

  /** Throws AbortError if the signal has come. */
  async rest(): Promise<void> {
    await setImmediate()
    if (this.#signal?.aborted) throw new AbortError('apply plan', this.#signal)
    this.#since = performance.now()
  }
}
