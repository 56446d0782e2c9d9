// What wakes a watch of many namespaces: names that may have changed, and notifications that wait to be taken.
import type { DirectoryWatch } from '../namespace/directory-watch.js'
import { orAborted } from '../socket/error.js'
import type { Subscription } from '../socket/subscription.js'

export interface Mail {
  names?: ReadonlySet<string> | 'all'
  readable?: boolean
}

/** Waits for two sources at once, and asks neither again before what came has been taken. */
export class Mailbox {
  readonly #directory: DirectoryWatch
  readonly #subscription: Subscription
  #mail: Mail = {}
  #error: { readonly cause: unknown } | undefined
  #wake: (() => void) | undefined
  #awaitsNames = false
  #awaitsNotifications = false

  constructor(subscription: Subscription, directory: DirectoryWatch) {
    this.#subscription = subscription
    this.#directory = directory
  }

  async next(signal: AbortSignal | undefined): Promise<Mail> {
    for (;;) {
      if (this.#error) throw this.#error.cause
      const mail = this.#mail
      this.#mail = {}
      this.#ask()
      if (mail.names || mail.readable) return mail
      const arrival = new Promise<void>(resolve => {
        this.#wake = resolve
      })
      if (this.#error || this.#mail.names || this.#mail.readable) continue
      // The process lives for as long as somebody waits here, and not because something might still come.
      this.#directory.ref()
      try {
        await orAborted(arrival, 'watch', signal)
      } finally {
        this.#directory.unref()
      }
    }
  }

  close(): void {
    this.#subscription.close()
    this.#directory.close()
  }

  #ask(): void {
    const arrived = (mail: Mail) => {
      Object.assign(this.#mail, mail)
      this.#wake?.()
    }
    const failed = (cause: unknown) => {
      this.#error = { cause }
      this.#wake?.()
    }
    if (!this.#awaitsNames) {
      this.#awaitsNames = true
      this.#directory.next().then(names => {
        this.#awaitsNames = false
        arrived({ names })
      }, failed)
    }
    if (!this.#awaitsNotifications) {
      this.#awaitsNotifications = true
      this.#subscription.readable().then(() => {
        this.#awaitsNotifications = false
        arrived({ readable: true })
      }, failed)
    }
  }
}
