// serve.holdPorts: while this process lives, published ports are bound, so that no program of the host takes one, nor serves it once rules are gone.
import { readFile, writeFile } from 'node:fs/promises'
import type { Namespace } from '../kernel/namespace.js'
import { scoped } from '../kernel/scope.js'
import { type FileLock, tryLockFile } from '../namespace/file-lock.js'
import { holdPort, type Port } from '../namespace/hold-port.js'
import { NetloomError } from '../socket/error.js'
import type { Descriptor } from '../socket/native.js'
import type { State } from './state.js'
import { ifThere } from './state-files.js'

/** A program has had it before, or it cannot be held: an address that is not there, a protocol that the kernel lacks. */
const passed = ['EADDRINUSE', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT', 'ESOCKTNOSUPPORT', 'EAFNOSUPPORT']

/** Where the process that holds the ports says how far it has come. */
const told = 'held'

/** True while another process holds ports that may have been given back by now. */
export async function isHolderBehind(state: State): Promise<boolean> {
  const role = await tryLockFile(state.path('holder'))
  role?.release()
  return !role && (await ifThere(readFile(state.path(told), 'utf8'))) !== String(await state.ports.time())
}

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
  /** The state of the folder whose ports, and no others, are held at most. */
  #told = ''
  /** Moves on with everything that this process changes. */
  #turn = 0
  /** This process is changing something: what is noticed meanwhile is its own doing, for which all ports need not be read. */
  #changing = false
  /** One of several processes that serve a folder holds its ports. */
  #role: FileLock | undefined

  constructor(state: State, host: Namespace) {
    this.#state = state
    this.#host = host
    state.ports.changed = (port, published) => this.#changes.push({ port, published })
  }

  /** Has anybody else changed something since? To be asked before follow(), under the same lock. */
  async prepare(): Promise<void> {
    this.#turn++
    this.#changing = true
    this.#fresh = (await this.#state.ports.time()) === this.#time
    if (!this.#fresh) await this.#letGo()
  }

  /** Lets go of what others have given back. Takes no lock: whoever wants such a port next has it, and waits. */
  async letGo(): Promise<void> {
    if (!this.#changing) await this.#letGo()
  }

  async #letGo(): Promise<void> {
    if (!this.#role || String(await this.#state.ports.time()) === this.#told) return
    const turn = this.#turn
    const { ports, time } = await this.#state.ports.all()
    // Read while this process itself changed something, of which it may know nothing.
    if (turn !== this.#turn) return
    this.#keepOnly(ports)
    await this.#tell(time)
  }

  /** Follows what this process has changed: it costs what changed, however many ports there are. */
  async follow(): Promise<void> {
    const changes = this.#changes.splice(0)
    this.#turn++
    if (this.#role && changes.length > 0) await this.#take(changes)
  }

  /** To be said after each change, one that failed too. */
  ended(): void {
    this.#changing = false
  }

  async #take(changes: readonly { readonly port: Port; readonly published: boolean }[]): Promise<void> {
    for (const { port, published } of changes) {
      if (published) await this.#hold(port)
      else this.#release(keyOf(port))
    }
    if (!this.#fresh) return
    this.#time = await this.#state.ports.time()
    await this.#tell(this.#time)
  }

  /** Is there something to be done that follow() does not do: others have changed something, or the process that held the ports has ended? */
  async isBehind(): Promise<boolean> {
    this.#role ??= await tryLockFile(this.#state.path('holder'))
    if (!this.#role) return false
    for (const port of [...this.#lacking.values()]) await this.#hold(port)
    return (await this.#state.ports.time()) !== this.#time
  }

  /** Holds what is published and not held, and lets go of what is not published any more. The lock must be held. */
  async look(): Promise<void> {
    this.#role ??= await tryLockFile(this.#state.path('holder'))
    if (!this.#role) return
    this.#changes = []
    this.#turn++
    const { ports, time } = await this.#state.ports.all()
    this.#keepOnly(ports)
    for (const port of ports) if (!this.#held.has(keyOf(port))) await this.#hold(port)
    this.#time = time
    await this.#tell(time)
  }

  close(): void {
    this.#state.ports.changed = undefined
    for (const key of this.#held.keys()) this.#release(key)
    this.#role?.release()
    this.#role = undefined
  }

  #keepOnly(ports: readonly Port[]): void {
    const wanted = new Set(ports.map(keyOf))
    for (const key of [...this.#held.keys(), ...this.#lacking.keys()]) if (!wanted.has(key)) this.#release(key)
  }

  async #tell(time: bigint | undefined): Promise<void> {
    this.#told = String(time)
    await writeFile(this.#state.path(told), this.#told, { mode: 0o600 })
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
