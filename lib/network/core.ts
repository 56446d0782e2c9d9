// What networks, endpoints and the Networks that gave them share: the host namespace, the state folder, and changing both together.
import type { Namespace } from '../kernel/namespace.js'
import { NetloomError } from '../socket/error.js'
import { settingsOf } from './driver-options.js'
import { driverOf } from './drivers/drivers.js'
import { uncureForeign } from './foreign.js'
import { openRecorded } from './namespaces.js'
import { withdrawPorts } from './publish.js'
import type { EndpointRecord, NetworkRecord, StateRecord } from './records.js'
import type { State } from './state.js'
import { together } from './state-files.js'

export class Core {
  readonly host: Namespace
  readonly state: State
  /** Called before and after each change, and when it has ended, one that failed too, while the lock is held. */
  follower: { readonly before: () => Promise<void>; readonly after: () => Promise<void>; readonly ended: () => void } | undefined
  readonly #running = new Set<Promise<void>>()
  readonly #connected = new Set<string>()
  #closed = false

  constructor(host: Namespace, state: State) {
    this.host = host
    this.state = state
  }

  /** Runs work while nobody else changes anything, after what a killed process left half-done has been undone. */
  change<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.checkOpen()
    const locked = async () => {
      try {
        await this.follower?.before()
        const done = await work()
        await this.follower?.after()
        return done
      } finally {
        this.follower?.ended()
      }
    }
    return this.state.change(locked, record => this.#undo(record), signal)
  }

  checkOpen(): void {
    if (this.#closed) throw new NetloomError('EBADF', { operation: 'use networks', reason: 'they have been closed' })
  }
  /** Goes on with something that nobody has to wait for; close() does. */
  later(work: Promise<void>): void {
    const running = work
      .catch((error: unknown) => process.emitWarning(error instanceof Error ? error : String(error)))
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /** Does something with the first connection that this process makes to a network; nobody has to wait for it. */
  onFirst(network: string, work: () => Promise<void>): void {
    if (this.#connected.has(network)) return
    this.#connected.add(network)
    this.later(work())
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#running)
    await this.host.close()
  }

  /** The record as it is now. Throws ENOENT once the network has been removed. */
  async network({ id, spec }: Pick<NetworkRecord, 'id' | 'spec'>, operation: string): Promise<NetworkRecord> {
    const record = await this.state.network(id)
    if (record) return record
    throw new NetloomError('ENOENT', { operation, subject: spec.name, reason: 'the network has been removed' })
  }

  /** Makes sure that the network's device is there, with the endpoints on it that there are. The lock must be held. */
  ensure(network: NetworkRecord): Promise<void> {
    const present = () => this.state.endpoints(network.id)
    return driverOf[network.spec.driver].ensure(this.host, network, settingsOf(network), present)
  }

  /**
   * Removes endpoints of one network, whose records are retired already: their ports and interfaces, then what the folder says. Gives those whose namespaces are on other
   * networks too.
   */
  async drop(network: NetworkRecord, endpoints: readonly EndpointRecord[]): Promise<EndpointRecord[]> {
    const releasing = this.state.releaseEndpoints(endpoints)
    // The kernel takes its time (RCU) for an interface, of which neither the rules nor the claims need anything.
    await together(releasing, withdrawPorts(this.host, endpoints), driverOf[network.spec.driver].leave(this, endpoints))
    await this.state.forgetReleased(endpoints)
    return releasing
  }

  /** Removes the endpoints of a network whose namespaces are gone; gives their names. The lock must be held. */
  async sweep(network: NetworkRecord): Promise<EndpointRecord[]> {
    const endpoints = await this.state.endpoints(network.id)
    if (endpoints.length === 0) return []
    const gone = await this.#gone(network, endpoints)
    if (gone.length === 0) return []
    await this.state.retireEndpoints(gone)
    await this.drop(network, gone)
    return gone
  }

  /** A veth goes with the namespace at its other end. Without one the namespace itself has to be looked for. */
  async #gone(network: NetworkRecord, endpoints: readonly EndpointRecord[]): Promise<EndpointRecord[]> {
    if (driverOf[network.spec.driver].cables) {
      const macs = new Map((await this.host.links.list({ kind: 'veth' })).map(({ name, mac }) => [name, mac]))
      return endpoints.filter(({ hostInterface, hostMac }) => hostMac === undefined || macs.get(hostInterface ?? '') !== hostMac)
    }
    const gone: EndpointRecord[] = []
    for (const one of endpoints) {
      const namespace = await openRecorded(one.namespace)
      if (namespace) await namespace.close()
      else gone.push(one)
    }
    return gone
  }

  /** Undoes what a process was at when it was killed; the state forgets it afterwards. */
  async #undo(record: StateRecord): Promise<void> {
    if (record.kind === 'network') {
      if (await this.state.isCured(record.id)) await uncureForeign(this.host, record)
      return driverOf[record.spec.driver].remove(this.host, record)
    }
    await withdrawPorts(this.host, [record])
    const network = await this.state.network(record.network)
    if (network) await driverOf[network.spec.driver].leave(this, [record])
  }
}
