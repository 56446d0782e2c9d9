// The iterator that every watch gives: other than a bare generator it can be left while it waits, aborted while nobody waits, and forgotten.
import { onAbort } from '../socket/abort.js'
import { AbortError, NetloomError } from '../socket/error.js'
import { expectClose } from '../socket/unclosed.js'

/** What a watch has opened. It ends once: with its generator, by the signal, or because nobody can ask for events any more. */
export class WatchHold {
  readonly #signal: AbortSignal | undefined
  #close: (() => void) | undefined
  #deaf: (() => void) | undefined
  #ended = false

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal
  }

  get ended(): boolean {
    return this.#ended
  }

  /** What the end has to close. */
  opened(close: () => void): void {
    this.#close = close
    if (this.#signal) this.#deaf = onAbort(this.#signal, () => this.end())
    if (this.#ended || this.#signal?.aborted) this.end()
  }

  /** False if there was nothing to close any more. */
  end(): boolean {
    this.#ended = true
    const close = this.#close
    this.#close = undefined
    this.#deaf?.()
    this.#deaf = undefined
    close?.()
    return close !== undefined
  }
}

/** For a generator's catch: closing what it waits for is how it is ended, so that error says who ended it, and nothing to a reader who has left. */
export function throwUnlessLeft(error: unknown, signal: AbortSignal | undefined, hold: WatchHold): void {
  const closed = error instanceof NetloomError && error.code === 'ECANCELED'
  if (closed && signal?.aborted) throw new AbortError('watch', signal)
  if (!closed || !hold.ended) throw error
}

/**
 * A generator that waits is held by what it waits for. This is what its caller holds instead, and nothing leads here from there: so that it can be
 * told when the caller has let go of it, even of a next() that was never answered.
 */
export class WatchIterator<E> implements AsyncGenerator<E, void> {
  readonly #events: AsyncGenerator<E, void>
  readonly #hold: WatchHold

  constructor(events: AsyncGenerator<E, void>, hold: WatchHold, what: string) {
    this.#events = events
    this.#hold = hold
    expectClose(this, { what, advice: 'leave its loop, call return(), or declare it with await using', free: () => hold.end() })
  }

  next(): Promise<IteratorResult<E, void>> {
    return this.#events.next()
  }

  /** Ends the watch, and with it a next() that waits. */
  return(): Promise<IteratorResult<E, void>> {
    this.#hold.end()
    return this.#events.return()
  }

  throw(error: unknown): Promise<IteratorResult<E, void>> {
    this.#hold.end()
    return this.#events.throw(error)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}
