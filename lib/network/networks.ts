// The public Networks: container networks as `docker network` has them, for any namespace, in a folder that processes share.
import { resolve } from 'node:path'
import { argumentError, shown } from '../codec/errors.js'
import { checkOptions, isAddress, isList, isObject, isOneOf } from '../kernel/arguments.js'
import { Namespace } from '../kernel/namespace.js'
import type { NamespaceSource } from '../namespace/source.js'
import { NetloomError } from '../socket/error.js'
import { AdoptedNetwork, adoptedNetworks, recordOf } from './adopted.js'
import { Core } from './core.js'
import { createNetwork } from './create.js'
import { Dns, type DnsOptions } from './dns.js'
import { dockerNetworks } from './docker-api.js'
import { drivers } from './driver-options.js'
import { Endpoint } from './endpoint.js'
import { tellForeign } from './foreign-tell.js'
import { Guard } from './guard.js'
import { keyOf } from './namespaces.js'
import { Network, removeNetwork } from './network.js'
import { type NetworkCreate, networkSpec } from './options.js'
import { type PacketWalk, type PacketWalkOptions, packetWalk } from './packet-walk.js'
import { isPredefined, predefined } from './predefined.js'
import type { NetworkRecord } from './records.js'
import { repairDevices, repairFirewall } from './repair.js'
import { State } from './state.js'

export interface NetworksOptions {
  /** Where networks and endpoints are written down; made if it is not there. All processes that share networks name the same. */
  readonly stateDir: string
  /** The namespace that the bridges are in; by default that of the calling thread. */
  readonly host?: Namespace
  /** What needs this process to stay. */
  readonly serve?: {
    /** Answers to names: of endpoints on the gateways' addresses of their networks, of all others by asking on. */
    readonly dns?: boolean | DnsOptions
    /** Keeps published ports bound, so that no program of the host takes one. */
    readonly holdPorts?: boolean
    /** Watches the firewall, and puts back what somebody else flushes or takes out. */
    readonly repair?: boolean
  }
}
/** What list() shows; several conditions must all hold, of several values of one any. */
export interface NetworkFilter {
  /** A part of the name, as `docker network ls` has it. */
  readonly name?: string | readonly string[]
  /** The beginning of the id. */
  readonly id?: string | readonly string[]
  readonly driver?: string | readonly string[]
  /** 'key' or 'key=value'. */
  readonly label?: string | readonly string[]
  /** 'builtin' are the predefined ones. */
  readonly type?: 'custom' | 'builtin'
  /** true: those with no endpoints, of which prune() removes the custom ones. */
  readonly dangling?: boolean
  readonly scope?: 'local'
}
/** What prune() removes: all conditions must hold. */
export interface PruneFilter extends Pick<NetworkFilter, 'label'> {
  /** Those made before that moment. */
  readonly until?: Date
}

const isText = (value: unknown) => {
  if (typeof value !== 'string') throw argumentError('ERR_NETLOOM_INVALID_STRING', `${shown(value)} is not a string`)
}
const isTexts = (value: unknown) => (Array.isArray(value) ? isList(isText)(value) : isText(value))
const isDriver = isOneOf([...drivers, 'none'])
const isDrivers = (value: unknown) => (Array.isArray(value) ? isList(isDriver)(value) : isDriver(value))
const isFlag = (value: unknown) => {
  if (typeof value !== 'boolean') throw argumentError('ERR_NETLOOM_INVALID_BOOLEAN', `${shown(value)} is not true or false`)
}
const isDate = (value: unknown) => {
  if (!(value instanceof Date) || Number.isNaN(value.getTime()))
    throw argumentError('ERR_NETLOOM_INVALID_OPTION', `${shown(value)} is not a Date`)
}
const isFolder = (value: unknown) => {
  if (typeof value !== 'string' || value === '' || value.includes('\0'))
    throw argumentError('ERR_NETLOOM_INVALID_STRING', `${shown(value)} is not the path of a folder`)
}
const isHost = (value: unknown) => {
  if (!(value instanceof Namespace)) throw argumentError('ERR_NETLOOM_INVALID_NAMESPACE', 'is not an open Namespace')
}

const isDns = (value: unknown) =>
  typeof value === 'boolean' ? undefined : checkOptions<DnsOptions>(value as DnsOptions, { upstream: isList(isAddress) })
const isServe = isObject<NonNullable<NetworksOptions['serve']>>({ dns: isDns, holdPorts: isFlag, repair: isFlag })

/** Networks for namespaces. Addresses, routes and bridges live in the kernel and stay when the program ends; close() frees descriptors only. */
export class Networks implements AsyncDisposable {
  readonly #core: Core
  readonly #dns: Dns | undefined
  readonly #guard: Guard | undefined
  #dockerSocket: string | undefined

  private constructor(core: Core, dns: Dns | undefined, guard: Guard | undefined) {
    this.#core = core
    this.#dns = dns
    this.#guard = guard
  }

  /**
   * Opens the folder and what it tells of; several processes may do so at once. Networks that were there before the machine was started anew
   * are there again.
   *
   * Errors: EBUSY the folder belongs to another host namespace or another version; EACCES; ERR_NETLOOM_… for wrong options.
   */
  static async open(options: NetworksOptions): Promise<Networks> {
    checkOptions<NetworksOptions>(options, { stateDir: isFolder, host: isHost, serve: isServe })
    if (options.stateDir === undefined)
      throw argumentError('ERR_NETLOOM_MISSING_OPTION', 'networks need a folder for their state', 'stateDir')
    // Held on its own, so that it stays open when the caller closes his.
    const host = await Namespace.open(options.host ?? Namespace.current())
    const undo: (() => Promise<void>)[] = [() => host.close()]
    try {
      const { state } = await State.open(resolve(options.stateDir), keyOf(host))
      const core = new Core(host, state)
      await core.change(async () => {
        for (const spec of predefined()) if (!(await state.findNetworkByName(spec.name))) await createNetwork(core, spec, { ensure: false })
      })
      const { dns, holdPorts = false, repair = false } = options.serve ?? {}
      const served = dns ? new Dns(core, dns === true ? {} : dns) : undefined
      if (served) undo.unshift(() => served.close())
      await served?.start()
      const guard = holdPorts || repair ? new Guard(core, { holdPorts, repair }) : undefined
      if (guard) undo.unshift(() => guard.close())
      await guard?.start()
      return new Networks(core, served, guard)
    } catch (error) {
      for (const close of undo) await close()
      throw error
    }
  }

  /**
   * Makes a network; a subnet that is not named is chosen so that it overlaps no other network and no route of the machine. Where a firewall of others would
   * drop its packets the process warns, with the code NETLOOM_FORWARD_DROPPED, once for each rule or policy that does; warnings() and cure() go on from there.
   *
   * Errors: EEXIST there is a network of that name, or a link of the bridge's; EADDRNOTAVAIL no default subnet is left; TypeError and RangeError
   * for what cannot be, with the option's path: ERR_NETLOOM_SUBNET_OVERLAP, _SUBNET_TOO_SMALL, _OUTSIDE_SUBNET, _ADDRESS_RESERVED and others.
   */
  async create(options: NetworkCreate): Promise<Network> {
    const spec = networkSpec(options)
    if (spec.driver === 'host' || spec.driver === 'null')
      throw argumentError('ERR_NETLOOM_INVALID_OPTION', `there is one network of the driver ${spec.driver}, which is predefined`, 'driver')
    const core = this.#core
    const record = await core.change(() => createNetwork(core, spec, { ensure: true }))
    await this.#dns?.look()
    core.later(tellForeign(core.host, record))
    return new Network(core, record, true)
  }

  /** A network by name, id or the beginning of its id. Throws ENOENT, and ENOTUNIQ if several ids begin so. */
  async get(nameOrId: string): Promise<Network> {
    const found = await this.find(nameOrId)
    if (found) return found
    throw new NetloomError('ENOENT', { operation: 'get network', subject: nameOrId, reason: 'there is no such network' })
  }

  async find(nameOrId: string): Promise<Network | undefined> {
    this.#core.checkOpen()
    isText(nameOrId)
    const record = await this.#core.state.findNetwork(nameOrId)
    if (record) return new Network(this.#core, record, false)
    return (await this.#adopted()).find(({ id, name }) => name === nameOrId || id === nameOrId)
  }

  /**
   * From now on list(), get() and find() show Docker's networks too, with `origin: 'docker'` and Docker's own inspect(), and refuse to change
   * them. They are asked for anew each time, by GET requests alone; of two of one name get() gives ours. Gives those that there are now.
   *
   * Errors: ENOENT, ECONNREFUSED, EACCES no daemon answers at the socket.
   */
  async adopt(options: { readonly dockerSocket?: string } = {}): Promise<Network[]> {
    this.#core.checkOpen()
    checkOptions<typeof options>(options, { dockerSocket: isFolder })
    const { dockerSocket = '/var/run/docker.sock' } = options
    const found = await adoptedNetworks(this.#core, dockerSocket)
    this.#dockerSocket = dockerSocket
    return found
  }
  async #adopted(): Promise<Network[]> {
    return this.#dockerSocket === undefined ? [] : adoptedNetworks(this.#core, this.#dockerSocket)
  }

  /** The networks, by name, the predefined ones included. */
  async list(filter: NetworkFilter = {}): Promise<Network[]> {
    checkOptions<NetworkFilter>(filter, {
      ...{ name: isTexts, id: isTexts, label: isTexts, type: isOneOf(['custom', 'builtin']), dangling: isFlag, scope: isOneOf(['local']) },
      driver: isDrivers,
    })
    this.#core.checkOpen()
    const found: Network[] = []
    for (const record of await this.#core.state.networks())
      if (
        matches(record, filter) &&
        (filter.dangling === undefined || filter.dangling === ((await this.#core.state.countEndpoints(record.id)) === 0))
      )
        found.push(new Network(this.#core, record, false))
    for (const seen of this.#dockerSocket === undefined ? [] : await dockerNetworks(this.#dockerSocket)) {
      const isFree = Object.keys(seen.Containers ?? {}).length === 0
      if (matches(recordOf(seen), filter) && (filter.dangling === undefined || filter.dangling === isFree))
        found.push(new AdoptedNetwork(this.#core, seen))
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Everything that a namespace is connected to. */
  async endpoints(source: NamespaceSource): Promise<Endpoint[]> {
    this.#core.checkOpen()
    const namespace = await Namespace.open(source)
    try {
      return (await this.#core.state.endpointsOf(keyOf(namespace))).map(record => new Endpoint(this.#core, record, false))
    } finally {
      await namespace.close()
    }
  }

  /**
   * The way of a packet from one endpoint to another and back, as it is now: routes, ARP, cables, bridges and their MAC tables, firewalls. Ends may be
   * endpoints, or namespaces, on the same network or on different ones; the receiver an address too. Nothing is sent and nothing is changed.
   *
   * Errors: ENOENT the endpoint, or the namespace, is gone; those of explain().
   */
  async packetWalk(
    from: Endpoint | NamespaceSource,
    to: Endpoint | NamespaceSource | string,
    options: PacketWalkOptions = {},
  ): Promise<PacketWalk> {
    this.#core.checkOpen()
    return packetWalk(this.#core, from, to, options)
  }

  /** Removes the networks that nothing is connected to and that the filter names; not the predefined ones, nor configurations. */
  async prune(filter: PruneFilter = {}): Promise<{ deleted: string[] }> {
    checkOptions<PruneFilter>(filter, { label: isTexts, until: isDate })
    const core = this.#core
    const { until, ...rest } = filter
    return core.change(async () => {
      const deleted: string[] = []
      for (const record of await core.state.networks()) {
        if (isPredefined(record.spec.name) || record.spec.configOnly || !matches(record, rest)) continue
        if (until !== undefined && new Date(record.created) >= until) continue
        await core.sweep(record)
        if ((await core.state.countEndpoints(record.id)) > 0) continue
        await removeNetwork(core, record, false)
        deleted.push(record.spec.name)
      }
      return { deleted: deleted.sort() }
    })
  }

  /**
   * Brings kernel and folder together: endpoints whose namespaces are gone are forgotten, their addresses free, and what killed processes left
   * half-done is undone; a bridge that somebody deleted comes back with its endpoints on it, and what the firewall lacks is put back.
   * Touches nothing of anybody else's. Gives the names, or ids, of the endpoints.
   */
  async gc(): Promise<{ removed: string[] }> {
    const core = this.#core
    return core.change(async () => {
      const removed: string[] = []
      for (const record of await core.state.networks())
        removed.push(...(await core.sweep(record)).map(one => one.name ?? one.namespace.name ?? one.id))
      const failed = await repairDevices(core)
      await repairFirewall(core)
      if (failed.length > 0) throw failed.length === 1 ? failed[0] : new AggregateError(failed, 'devices of networks cannot be made again')
      return { removed }
    })
  }

  /** Puts the firewall back if somebody has flushed it, and says whether that was so. `serve: { repair: true }` does it by itself. */
  async repair(): Promise<boolean> {
    return this.#core.change(() => repairFirewall(this.#core))
  }

  /** Frees descriptors; everything stays as it is. Doing it twice is fine. */
  async close(): Promise<void> {
    await this.#dns?.close()
    await this.#guard?.close()
    await this.#core.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

function matches({ id, spec }: NetworkRecord, filter: NetworkFilter): boolean {
  const any = (given: string | readonly string[] | undefined, test: (text: string) => boolean) =>
    given === undefined || (typeof given === 'string' ? test(given) : given.some(test))
  const builtin = isPredefined(spec.name)
  return (
    any(filter.name, part => spec.name.includes(part)) &&
    any(filter.id, start => id.startsWith(start)) &&
    any(filter.driver, driver => spec.driver === (driver === 'none' ? 'null' : driver)) &&
    any(filter.label, label => {
      const [key = '', ...value] = label.split('=')
      return Object.hasOwn(spec.labels, key) && (value.length === 0 || spec.labels[key] === value.join('='))
    }) &&
    (filter.type === undefined || (filter.type === 'builtin') === builtin)
  )
}
