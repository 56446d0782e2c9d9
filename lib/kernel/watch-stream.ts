// Notifications of many namespaces in the order in which the kernel made them, and whose they are: the kernel gives the number of a namespace that
// has gone to the next one at once, while notifications of the old one are still waiting to be read.
import type { Decoded } from '../codec/codec.js'
import { nsid as nsidTable } from '../protocol/nsid.js'
import { rtm } from '../protocol/rtnetlink.js'
import type { Notification, Subscription } from '../socket/subscription.js'

/** Changes of one namespace (ours, without a number), or word that a number means another namespace from here on, or none. */
export type Passage = { readonly nsid: number | undefined; readonly messages: readonly Notification[] } | { readonly released: number }

/** What may wait here while the state of namespaces is being read; if it is more, it is overtaken by reading all of it anew. */
const mostBytes = 16 << 20

export class WatchStream {
  readonly #subscription: Subscription
  #queue: Notification[] = []
  #head = 0
  #bytes = 0
  /** Of the numbers that were released somewhere in the queue, the last such message, and what shall happen after it. */
  readonly #releases = new Map<number, Notification>()
  readonly #after = new Map<Notification, (() => void)[]>()
  #lost = false

  constructor(subscription: Subscription) {
    this.#subscription = subscription
  }

  /** The kernel, or this, had to drop some: all has to be read anew. */
  get lost(): boolean {
    return this.#lost
  }

  /** Forgets what it has: the state that is read now is newer. */
  begin(): void {
    this.#drop()
    this.#lost = false
  }

  /** Takes some of what is there; false if there was nothing. */
  async take(): Promise<boolean> {
    const { lost, messages } = await this.#subscription.now()
    if (lost) this.#lost = true
    if (this.#lost) this.#drop()
    else for (const message of messages) this.#append(message)
    return lost || messages.length > 0
  }

  /** Takes all that the kernel had to say until now, unless something was lost and all of it will be read anew. */
  async takeAll(): Promise<void> {
    while (!this.#lost && (await this.take()));
  }

  /**
   * Calls back at the place in the stream from which on the number means its present namespace. That one must have been held open since it was asked
   * for its number, so that it cannot have lost it, and takeAll() must have been called since.
   */
  fromHere(nsid: number, callback: () => void): void {
    const release = this.#releases.get(nsid)
    const after = release && this.#after.get(release)
    if (after) after.push(callback)
    else if (release) this.#after.set(release, [callback])
    else callback()
  }

  /** What waits, and what comes to it meanwhile. Runs of one namespace, so that much is looked at once for many changes. */
  *passages(): Generator<Passage> {
    while (this.#head < this.#queue.length) {
      const first = this.#shift()
      const released = releasedBy(first)
      if (released !== undefined) {
        if (this.#releases.get(released) === first) this.#releases.delete(released)
        yield { released }
        for (const callback of this.#after.get(first) ?? []) callback()
        this.#after.delete(first)
        continue
      }
      const messages = [first]
      for (let next = this.#queue[this.#head]; next && next.nsid === first.nsid && !isNsidMessage(next); next = this.#queue[this.#head])
        messages.push(this.#shift())
      yield { nsid: first.nsid, messages }
    }
    this.#drop()
  }

  #append(message: Notification): void {
    this.#bytes += message.to - message.from
    if (this.#bytes > mostBytes) {
      this.#lost = true
      this.#drop()
      return
    }
    this.#queue.push(message)
    const released = releasedBy(message)
    if (released !== undefined) this.#releases.set(released, message)
  }

  #shift(): Notification {
    const message = this.#queue[this.#head++]!
    this.#bytes -= message.to - message.from
    return message
  }

  #drop(): void {
    this.#queue = []
    this.#head = 0
    this.#bytes = 0
    this.#releases.clear()
    this.#after.clear()
  }
}

const isNsidMessage = ({ type }: Notification) => type === rtm.newNsid || type === rtm.delNsid

/** The number that this says is free again; those of other namespaces' own numbers are no concern of ours. */
function releasedBy(message: Notification): number | undefined {
  if (message.type !== rtm.delNsid || message.nsid !== undefined) return undefined
  return (nsidTable.read(message.view, message.from, message.to) as Decoded<typeof nsidTable>).nsid
}
