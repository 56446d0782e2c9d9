// serve.holdPorts: while this process lives, published ports are bound, so that no program of the host takes one, nor serves it once rules are gone.
import type { Namespace } from '../kernel/namespace.js'
import { scoped } from '../kernel/scope.js'
import { type FileLock, tryLockFile } from '../namespace/file-lock.js'
import { holdPort, type Port } from '../namespace/hold-port.js'
import { NetloomError } from '../socket/error.js'
import type { Descriptor } from '../socket/native.js'
import type { State } from './state.js'

/** A program has had it before, or it cannot be held: an address that is not there, a protocol that the kernel lacks. */
const passed = ['EADDRINUSE', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT', 'ESOCKTNOSUPPORT', 'EAFNOSUPPORT']

export class PortHolder {
  readonly #state: State
  readonly #host: Namespace
  readonly #held = new Map<string, Descriptor>()
  /** What somebody else has, or has no place yet: tried again with each look. */
  readonly #lacking = new Map<string, Port>()
  /** What this process itself has published, or ended, since it was looked at last. */
  #changes: { readonly port: Port; readonly published: boolean }[] = []
  /** Of which state of the folder #held tells. */
  #time: bigint | undefined
  #fresh = false
  /** One of several processes that serve a folder holds its ports. */
  #role: FileLock | undefined

  constructor(state: State, host: Namespace) {
    this.#state = state
    this.#host = host
    state.portChanged = (port, published) => this.#changes.push({ port, published })
  }

  /** Has anybody else changed something since? To be asked before follow(), under the same lock. */
  async prepare(): Promise<void> {
    this.#fresh = (await this.#state.portsTime()) === this.#time
  }

  /** Follows what this process has changed: it costs what changed, however many ports there are. */
  async follow(): Promise<void> {
    const changes = this.#changes.splice(0)
    if (!this.#role || changes.length === 0) return
    for (const { port, published } of changes) {
      if (published) await this.#hold(port)
      else this.#release(keyOf(port))
    }
    if (this.#fresh) this.#time = await this.#state.portsTime()
  }

  /** Is there something to be done that follow() does not do: others have changed something, or the process that held the ports has ended? */
  async isBehind(): Promise<boolean> {
    this.#role ??= await tryLockFile(this.#state.path('holder'))
    if (!this.#role) return false
    for (const port of [...this.#lacking.values()]) await this.#hold(port)
    return (await this.#state.portsTime()) !== this.#time
  }

  /** Holds what is published and not held, and lets go of what is not published any more. The lock must be held. */
  async look(): Promise<void> {
    this.#role ??= await tryLockFile(this.#state.path('holder'))
    if (!this.#role) return
    this.#changes = []
    const { ports, time } = await this.#state.publishedPorts()
    const wanted = new Set(ports.map(keyOf))
    for (const key of [...this.#held.keys(), ...this.#lacking.keys()]) if (!wanted.has(key)) this.#release(key)
    for (const port of ports) if (!this.#held.has(keyOf(port))) await this.#hold(port)
    this.#time = time
  }

  close(): void {
    this.#state.portChanged = undefined
    for (const key of this.#held.keys()) this.#release(key)
    this.#role?.release()
    this.#role = undefined
  }

  #release(key: string): void {
    this.#held.get(key)?.close()
    this.#held.delete(key)
    this.#lacking.delete(key)
  }

  async #hold(port: Port): Promise<void> {
    const key = keyOf(port)
    if (this.#held.has(key)) return
    try {
      this.#held.set(key, await holdPort(this.#host[scoped], port))
      this.#lacking.delete(key)
    } catch (error) {
      if (!(error instanceof NetloomError) || !passed.includes(error.code)) throw error
      this.#lacking.set(key, port)
    }
  }
}

const keyOf = ({ protocol, address, port }: Port): string => `${protocol} ${address} ${port}`
