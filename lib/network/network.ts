// The public Network: connecting namespaces to it, and what is on it.
import { argumentError } from '../codec/errors.js'
import { checkAt, checkOptions, conflict, isBoolean, isFunction, isList, isSignal } from '../kernel/arguments.js'
import { checkSource, type NamespaceSource } from '../namespace/source.js'
import type { ApplyOptions } from '../plan/result.js'
import { AbortError, NetloomError } from '../socket/error.js'
import { topologyDot } from '../topology/dot.js'
import { topologyMermaid } from '../topology/mermaid.js'
import type { Topology } from '../topology/topology.js'
import { announce } from './announce.js'
import { connectAll, type Request } from './connect.js'
import { type ConnectOptions, readConnect } from './connect-options.js'
import type { Core } from './core.js'
import { disconnectAll, endpointsIn } from './disconnect.js'
import { driverOf } from './drivers/drivers.js'
import { Endpoint } from './endpoint.js'
import { cureForeign, foreignWarnings, type NetworkWarning, uncureForeign } from './foreign.js'
import { tellForeign } from './foreign-tell.js'
import { inspectNetwork, type NetworkInspect } from './inspect.js'
import { networkTopology } from './picture.js'
import { isPredefined } from './predefined.js'
import type { EndpointRecord, NetworkRecord } from './records.js'

/** One of many namespaces to connect: where it is, or that with options of its own. */
export type ConnectSource = NamespaceSource | ({ readonly namespace: NamespaceSource } & ConnectOptions)
export interface ConnectManyOptions extends Pick<ApplyOptions, 'signal'> {
  /** Called after each part that is connected. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
}

const isSources = (value: unknown) => checkAt('sources', () => isList(() => undefined)(value))

/** Namespaces that are held open at a time. */
const chunk = 256
/** So many are taken back soon if there is no room for them. */
const few = 8

/** A network that namespaces are connected to. `await using` removes what create() gave; what was looked up stays. */
export class Network implements AsyncDisposable {
  readonly id: string
  readonly name: string
  readonly driver: string
  /** Whose it is: 'docker' for those that adopt() shows. */
  readonly origin: 'netloom' | 'docker' = 'netloom'
  readonly #core: Core
  readonly #record: NetworkRecord
  readonly #owned: boolean

  /** @internal */
  constructor(core: Core, record: NetworkRecord, owned: boolean) {
    this.#core = core
    this.#record = record
    this.#owned = owned
    this.id = record.id
    this.name = record.spec.name
    this.driver = record.spec.driver
  }

  /**
   * Connects a namespace: an interface with an address of each family that the network has, and the default route unless another network of the
   * namespace has it. All of it or nothing.
   *
   * Errors: EEXIST it is connected already, or the name or the interface is taken; EADDRINUSE, EADDRNOTAVAIL the address, or all of them; EXFULL a
   * bridge has at most 1,023 ports; ESRCH, ENOENT no such namespace; TypeError and RangeError for what cannot be, with the option's path.
   */
  async connect(source: NamespaceSource, options: ConnectOptions = {}): Promise<Endpoint> {
    checkSource(source, 'source')
    const [record] = await this.#connect([{ source, options: readConnect(options), path: '' }])
    return new Endpoint(this.#core, record as EndpointRecord, true)
  }

  /** Connects many, all or none; thousands too. Errors as connect(), with the path of the one that was refused. */
  async connectMany(sources: readonly ConnectSource[], options: ConnectManyOptions = {}): Promise<Endpoint[]> {
    isSources(sources)
    checkOptions<ConnectManyOptions>(options, { signal: isSignal, onProgress: isFunction })
    const requests = sources.map((given, i) => requestOf(given, `sources[${i}]`))
    const records = await this.#connect(requests, options)
    return records.map(record => new Endpoint(this.#core, record, true))
  }

  /** Takes a namespace off the network. Errors: ENOENT it is not on it. */
  async disconnect(source: NamespaceSource): Promise<void> {
    await this.disconnectMany([source])
  }

  /** Takes many off the network, all of which must be on it. */
  async disconnectMany(sources: readonly NamespaceSource[]): Promise<void> {
    isSources(sources)
    const paths = sources.map((_, i) => `sources[${i}]`)
    for (const [i, source] of sources.entries()) checkSource(source, paths[i])
    await this.#core.change(async () => {
      const record = await this.#core.network(this.#record, 'disconnect')
      await disconnectAll(this.#core, record, await endpointsIn(this.#core, record, sources, paths))
    })
  }

  /** What is connected now. */
  async endpoints(): Promise<Endpoint[]> {
    this.#core.checkOpen()
    return (await this.#core.state.endpoints(this.id)).map(record => new Endpoint(this.#core, record, false))
  }

  /** As `docker network inspect` has it. */
  async inspect(): Promise<NetworkInspect> {
    this.#core.checkOpen()
    const record = await this.#core.network(this.#record, 'inspect')
    return inspectNetwork(record, await this.#core.state.endpoints(this.id))
  }

  /**
   * What keeps it from working and is not its own: a policy DROP of FORWARD, as Docker leaves it, in iptables-legacy, iptables-nft and chains of nftables. Looks
   * at the rules as they are now. The process warns by itself when a network is made or first connected to.
   */
  async warnings(): Promise<NetworkWarning[]> {
    this.#core.checkOpen()
    return foreignWarnings(this.#core.host, await this.#core.network(this.#record, 'inspect'))
  }

  /**
   * Cures what warnings() tells: ACCEPT rules for the network's bridge in front of FORWARD, or of a chain of nftables, wherever packets are dropped, until the network is
   * removed. Its endpoints then reach what the other rules would keep from them, Docker's containers too. Gives the warnings that remain.
   */
  async cure(): Promise<NetworkWarning[]> {
    const core = this.#core
    return core.change(async () => {
      const record = await core.network(this.#record, 'cure network')
      await core.state.noteCure(record.id)
      return cureForeign(core.host, record)
    })
  }

  /** The network as a Mermaid flowchart: its bridge, cables and endpoints as they are in the kernel now. */
  async toMermaid(): Promise<string> {
    return topologyMermaid(await this.#topology())
  }

  /** The same as an undirected graph in DOT, Graphviz's language. */
  async toDot(): Promise<string> {
    return topologyDot(await this.#topology())
  }

  async #topology(): Promise<Topology> {
    const core = this.#core
    core.checkOpen()
    return networkTopology(core.host, await core.network(this.#record, 'draw network'), await core.state.endpoints(this.id))
  }

  /**
   * Removes the network. Doing it twice is fine.
   *
   * Errors: EBUSY namespaces are connected to it, or it is the configuration of others; with `force` they are disconnected, and it is removed. EPERM it is
   * predefined.
   */
  async delete(options: { readonly force?: boolean } = {}): Promise<void> {
    checkOptions<typeof options>(options, { force: isBoolean })
    const { force = false } = options
    const core = this.#core
    await core.change(async () => {
      const record = await core.state.network(this.id)
      if (record) await removeNetwork(core, record, force)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#owned) await this.delete({ force: true })
  }

  async #connect(requests: readonly Request[], { signal, onProgress }: ConnectManyOptions = {}): Promise<EndpointRecord[]> {
    const core = this.#core
    if (this.#record.spec.configOnly)
      throw conflict('configOnly', `${this.name} is a configuration for other networks; nothing can be connected to it`)
    const options = signal ? { signal } : {}
    const records = await core.change(async () => {
      const done: EndpointRecord[] = []
      // The kernel counts the ports of a bridge too: reading the folder before each single one would take the longer, the more there are.
      if (requests.length > few) await this.#roomMade(() => checkRoom(core, this.#record, requests.length))
      try {
        for (let from = 0; from < requests.length; from += chunk) {
          if (signal?.aborted) throw new AbortError('connect', signal)
          const part = requests.slice(from, from + chunk)
          done.push(...(await this.#roomMade(() => connectAll(core, this.#record, part, options))))
          onProgress?.({ done: done.length, total: requests.length })
        }
      } catch (error) {
        if (done.length) await disconnectAll(core, this.#record, done)
        if (error instanceof NetloomError && error.code === 'EXFULL') await checkRoom(core, this.#record, requests.length)
        throw error
      }
      return done
    }, signal)
    if (driverOf[this.#record.spec.driver].cables) core.later(announce(core.host, records))
    core.onFirst(this.id, () => tellForeign(core.host, this.#record))
    return records
  }

  /** What endpoints of namespaces that are gone still have is free to take. */
  async #roomMade<T>(connect: () => Promise<T>): Promise<T> {
    try {
      return await connect()
    } catch (error) {
      if (!(error instanceof NetloomError) || !['EADDRINUSE', 'EADDRNOTAVAIL', 'EEXIST', 'EXFULL'].includes(error.code)) throw error
      if ((await this.#core.sweep(this.#record)).length === 0) throw error
      return connect()
    }
  }
}

/** Before anything is made; what others have plugged into the bridge only the kernel counts. */
async function checkRoom({ state }: Core, { id, spec }: NetworkRecord, more: number): Promise<void> {
  const { most } = driverOf[spec.driver]
  if (most === undefined) return
  const present = await state.countEndpoints(id)
  if (present + more <= most) return
  throw new NetloomError('EXFULL', {
    ...{
      operation: 'connect',
      subject: spec.name,
      reason: `its bridge takes ${most} endpoints: it has ${present}, and ${more} are to come`,
    },
    hint: 'make another network for them',
  })
}

function requestOf(given: ConnectSource, path: string): Request {
  if (typeof given !== 'object' || given === null)
    throw argumentError('ERR_NETLOOM_INVALID_NAMESPACE', 'does not say which namespace', path)
  if (!('namespace' in given)) {
    checkSource(given, path)
    return { source: given, options: {}, path }
  }
  const { namespace, ...options } = given
  checkSource(namespace, `${path}.namespace`)
  return { source: namespace, options: readConnect(options, `${path}.`), path }
}

/** Removes a network, with its endpoints if `force` is said. The lock must be held. */
export async function removeNetwork(core: Core, record: NetworkRecord, force: boolean): Promise<void> {
  const { name, driver } = record.spec
  const refuse = (code: string, reason: string, hint?: string) =>
    new NetloomError(code, { operation: 'remove network', subject: name, reason, hint })
  if (isPredefined(name)) throw refuse('EPERM', 'it is predefined', 'bridge, host and none are always there')
  const users = record.spec.configOnly && !force ? (await core.state.networks()).filter(({ spec }) => spec.configFrom === name) : []
  if (users.length > 0) throw refuse('EBUSY', `it is the configuration of ${users.map(({ spec }) => spec.name).join(', ')}`)
  if (!force) await core.sweep(record)
  const endpoints = await core.state.endpoints(record.id)
  if (endpoints.length && !force) {
    const whose = endpoints.slice(0, 3).map(one => one.name ?? one.namespace.name ?? one.id.slice(0, 12))
    throw refuse('EBUSY', `${endpoints.length} endpoints are on it (${whose.join(', ')} …)`, 'disconnect them, or say force: true')
  }
  if (endpoints.length) await disconnectAll(core, record, endpoints)
  await core.state.intend([record])
  if (await core.state.isCured(record.id)) await uncureForeign(core.host, record)
  await driverOf[driver].remove(core.host, record)
  await core.state.forget(record)
}
