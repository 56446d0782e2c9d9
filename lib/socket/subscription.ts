// A netlink socket that listens: notifications in the order the kernel sent them, and word of those that were lost.

import { NetloomError, systemError } from './error.js'
import { type Framed, messages } from './frame.js'
import { type NamespaceHandle, type NetlinkSocket, native, type Notifications as Received } from './native.js'

export interface Notification extends Framed {
  readonly view: DataView
  /** Which namespace it is about, by the number that ours has for it; undefined: ours. Only with `allNamespaces`. */
  readonly nsid: number | undefined
}
export interface Notifications {
  /** The kernel had more to say than the socket's buffer holds: what is known must be read anew. */
  readonly lost: boolean
  readonly messages: readonly Notification[]
}
export interface SubscriptionOptions {
  /** Bytes that the kernel may keep for a reader that is behind; about 2.3 kB a link event. Default: the addon's. */
  readonly receiveBuffer?: number | undefined
  /** Those of every namespace that ours has a number for too. */
  readonly allNamespaces?: boolean
}

/** Read at a time: what is not read yet waits in the kernel, where it is bounded. */
const chunk = 256 * 1024

export class Subscription {
  readonly #socket: NetlinkSocket
  #closed = false

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  static async open(
    namespace: NamespaceHandle,
    protocol: number,
    groups: readonly number[],
    options: SubscriptionOptions = {},
  ): Promise<Subscription> {
    const { receiveBuffer, allNamespaces = false } = options
    try {
      const settings = { groups: [...groups], allNamespaces, ...(receiveBuffer === undefined ? {} : { receiveBuffer }) }
      return new Subscription(await native().openNetlink(namespace, protocol, settings))
    } catch (error) {
      throw systemError(error, { operation: 'watch' })
    }
  }

  /** Waits until there is something. Rejects with ECANCELED when it is closed meanwhile. */
  next(): Promise<Notifications> {
    return this.#attempt(async () => toNotifications(await this.#socket.receive(chunk)))
  }

  /** The same, but takes nothing, and lets the process end. */
  readable(): Promise<void> {
    return this.#attempt(() => this.#socket.readable())
  }

  /** What is there now: nothing, perhaps. */
  now(): Promise<Notifications> {
    return this.#attempt(async () => toNotifications(await this.#socket.receiveNow(chunk)))
  }

  /** Twice is fine. */
  close(): void {
    this.#closed = true
    this.#socket.close()
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (this.#closed) throw new NetloomError('ECANCELED', { operation: 'watch', reason: 'the namespace has been closed' })
      throw systemError(error, { operation: 'watch' })
    }
  }
}

function toNotifications({ data, lost, origins }: Received): Notifications {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const found: Notification[] = []
  let origin = 0
  for (const message of messages(view)) {
    const start = message.from
    while (origin + 1 < origins.length && origins[origin + 1]![0] < start) origin++
    const nsid = origins[origin] && origins[origin]![0] < start ? origins[origin]![1] : undefined
    found.push({ ...message, view, nsid: nsid !== undefined && nsid >= 0 ? nsid : undefined })
  }
  return { lost, messages: found }
}
