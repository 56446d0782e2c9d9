// serve.holdPorts: while this process lives, published ports are bound, so that no program of the host takes one, nor serves it once rules are gone.
import type { Namespace } from '../kernel/namespace.js'
import { scoped } from '../kernel/scope.js'
import { holdPort, type Port } from '../namespace/hold-port.js'
import { NetloomError } from '../socket/error.js'
import type { Descriptor } from '../socket/native.js'
import type { State } from './state.js'

/** Another process holds it, or it cannot be held: an address that is not there, a protocol that the kernel lacks. */
const passed = ['EADDRINUSE', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT', 'ESOCKTNOSUPPORT', 'EAFNOSUPPORT']

export class PortHolder {
  readonly #state: State
  readonly #host: Namespace
  readonly #held = new Map<string, Descriptor>()

  constructor(state: State, host: Namespace) {
    this.#state = state
    this.#host = host
  }

  /** Holds what is published and not held, and lets go of what is not published any more. */
  async look(): Promise<void> {
    const ports = new Map((await this.#state.publishedPorts()).map(port => [`${port.protocol} ${port.address} ${port.port}`, port]))
    for (const [key, held] of this.#held)
      if (!ports.has(key)) {
        held.close()
        this.#held.delete(key)
      }
    for (const [key, port] of ports) if (!this.#held.has(key)) await this.#hold(key, port)
  }

  close(): void {
    for (const held of this.#held.values()) held.close()
    this.#held.clear()
  }

  async #hold(key: string, port: Port): Promise<void> {
    try {
      this.#held.set(key, await holdPort(this.#host[scoped], port))
    } catch (error) {
      if (!(error instanceof NetloomError) || !passed.includes(error.code)) throw error
    }
  }
}
