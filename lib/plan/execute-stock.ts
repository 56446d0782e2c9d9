// Namespaces without a name that a second thread makes ahead of the first, which names and furnishes them. They end with this process, and when they are closed.
import { createNamespaces } from '../namespace/jobs.js'
import type { NamespaceHandle } from '../socket/native.js'

/** Made by one call, and so many wait at most: bounds the descriptors. */
const portion = 32
export const mostAhead = 2 * portion

export class Stock {
  readonly #ready: NamespaceHandle[] = []
  /** How many more are to be made. */
  #wanted: number
  #making: Promise<void> | undefined
  #isClosed = false

  /** Begins to make them; `wanted` in all. */
  constructor(wanted: number) {
    this.#wanted = wanted
    this.#fill()
  }

  /** One that nobody has; undefined if none is ready, and the caller makes his own. */
  take(): NamespaceHandle | undefined {
    return this.#ready.shift()
  }

  /** To be called when some have been taken, or made by the caller himself: those are `own`. */
  next(own: number): void {
    this.#wanted = Math.max(0, this.#wanted - own)
    this.#fill()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#making
    for (const handle of this.#ready.splice(0)) handle.close()
  }

  #fill(): void {
    const count = Math.min(portion, this.#wanted)
    if (this.#making || this.#isClosed || count === 0 || this.#ready.length > mostAhead - portion) return
    this.#wanted -= count
    this.#making = createNamespaces(count)
      .then(
        made => {
          this.#ready.push(...made)
          // What the kernel refuses, it refuses to whoever makes his own, too.
          if (made.length < count) this.#wanted = 0
        },
        () => {
          this.#wanted = 0
        },
      )
      .then(() => {
        this.#making = undefined
        this.#fill()
      })
  }
}
