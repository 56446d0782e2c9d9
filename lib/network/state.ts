// The state folder: what several processes know about networks and endpoints, whole at any moment at which one of them may be killed.
import { rmSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { lockFile } from '../namespace/file-lock.js'
import { type Entry, removeEntries } from '../namespace/remove-entries.js'
import { NetloomError, systemError } from '../socket/error.js'
import { checkId, type EndpointRecord, type NetworkRecord, type StateRecord } from './records.js'
import {
  claim,
  each,
  ifThere,
  makeFolder,
  namesIn,
  note,
  noted,
  ownerOf,
  readJson,
  syncFolder,
  together,
  unclaim,
  writeWhole,
} from './state-files.js'
import { type Claim, claimFor, PublishedPorts } from './state-ports.js'

/**
 * The folder's form:
 *
 *     lock                          held by whoever changes anything
 *     holder                        held by the process that holds published ports
 *     boot                          of which boot of which host namespace the rest tells
 *     pending/<id>.json             what is being made or removed: found under the lock, it is of a process that was killed
 *     names/<name>                → id of the network
 *     networks/<id>/network.json
 *     networks/<id>/endpoints/<id>.json
 *     networks/<id>/addresses/<ip>→ id of the endpoint
 *     networks/<id>/names/<name>  → id of the endpoint
 *     networks/<id>/last/<ip>     → the address of a pool that was given last
 *     networks/<id>/cured         → 'yes' once rules of other firewalls may have been added for it
 *     ports/<tcp-80-4>            → id of the endpoint that it leads to from all addresses of the host, or else a folder:
 *     ports/<tcp-80-4>/<host ip>  → id of the endpoint that it leads to from this one
 *     namespaces/<key>/<id>       → id of the network of that endpoint
 *     held                          of which state of ports/ the process that holds them has let go of the rest
 *
 * The arrows are symbolic links, which the kernel makes in one step and refuses to make twice: no address can be given to two.
 */
const form = '2'
/** TMPFS_MAGIC of linux/magic.h. */
const tmpfs = 0x0102_1994

export class State {
  readonly folder: string
  readonly ports: PublishedPorts
  /** Networks by id, as their files were with that number and time: each connection asks for one. */
  readonly #known = new Map<string, { readonly mark: string; readonly record: NetworkRecord }>()

  /** No disk keeps a call on it waiting. */
  readonly #isInMemory: boolean

  private constructor(folder: string, isInMemory: boolean) {
    this.folder = folder
    this.#isInMemory = isInMemory
    this.ports = new PublishedPorts(join(folder, 'ports'))
  }

  /**
   * Opens the folder, made if it is not there. `restarted`: the machine was started anew since, so that of the networks only their records are left.
   *
   * Errors: EBUSY the folder belongs to another host namespace, or to another version; ENOTDIR, EACCES, EROFS it cannot be made or used.
   */
  static async open(folder: string, host: string): Promise<{ state: State; restarted: boolean }> {
    let isInMemory: boolean
    try {
      await makeFolder(folder)
      isInMemory = (await statfs(folder)).type === tmpfs
      // Made once and never removed: whoever waits for one has it open.
      for (const name of ['lock', 'holder']) await (await open(join(folder, name), 'a', 0o600)).close()
    } catch (error) {
      throw systemError(error, {
        operation: 'open networks',
        subject: folder,
        path: 'stateDir',
        hint: 'a folder is needed in which files can be made',
      })
    }
    const state = new State(folder, isInMemory)
    const lock = await lockFile(join(folder, 'lock'))
    try {
      return { state, restarted: await state.#enter(host) }
    } finally {
      lock.release()
    }
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts)
  }

  /** Runs work while nobody else changes anything. `recover` is given what a killed process left half-done. */
  async change<T>(work: () => Promise<T>, recover: (record: StateRecord) => Promise<void>, signal?: AbortSignal): Promise<T> {
    const lock = await lockFile(this.path('lock'), signal)
    try {
      for (const record of await this.#left()) {
        await recover(record)
        await this.forget(record)
      }
      return await work()
    } finally {
      lock.release()
    }
  }

  /** Writes down what is about to be made, before anything of it is there. */
  async intend(records: readonly StateRecord[]): Promise<void> {
    await each(records, record => writeWhole(this.#pending(record.id), JSON.stringify(record)))
  }

  /** Claims the endpoints' names and addresses. Throws before anything is claimed twice; forget() then gives back what was claimed. */
  async claimEndpoints(records: readonly EndpointRecord[]): Promise<void> {
    await each(records, async record => {
      const claims = this.#claims(record).map(claim => this.#claim(record, [claim]))
      await together(...claims, this.#claimPlace(record), this.ports.claim(record, record.ports ?? []))
    })
  }

  /** Replaces what is known of an endpoint, and claims the ports that it has more. Its other claims stay. */
  async updateEndpoint(before: EndpointRecord, record: EndpointRecord): Promise<void> {
    const { ports } = this
    const paths = ({ ports: all = [] }: EndpointRecord) => new Set(all.map(port => ports.claimOf(port)))
    const [had, has] = [paths(before), paths(record)]
    await ports.claim(
      record,
      (record.ports ?? []).filter(port => !had.has(ports.claimOf(port))),
    )
    await writeWhole(this.#endpoint(record), JSON.stringify(record))
    await ports.unclaim(
      before,
      (before.ports ?? []).filter(port => !has.has(ports.claimOf(port))),
    )
  }

  async commitEndpoints(records: readonly EndpointRecord[]): Promise<void> {
    await each(records, record => rename(this.#pending(record.id), this.#endpoint(record)))
  }

  /** Says that an endpoint is about to be removed; from here on it counts as half-done. */
  async retireEndpoints(records: readonly EndpointRecord[]): Promise<void> {
    await each(records, async record => void (await ifThere(rename(this.#endpoint(record), this.#pending(record.id)))))
  }

  async commitNetwork(record: NetworkRecord): Promise<void> {
    const folder = this.path('networks', record.id)
    for (const part of ['endpoints', 'addresses', 'names', 'last']) await mkdir(join(folder, part), { recursive: true, mode: 0o700 })
    await writeWhole(join(folder, 'network.json'), JSON.stringify(record), { durable: true })
    const name = this.path('names', record.spec.name)
    if (!(await claim(name, record.id)))
      throw new NetloomError('EEXIST', { operation: 'create network', subject: record.spec.name, reason: `${name} exists` })
    await syncFolder(this.path('networks'))
    await unlink(this.#pending(record.id))
  }

  /** Removes all that the folder says about a network or an endpoint, what is pending last. */
  async forget(record: StateRecord): Promise<void> {
    if (record.kind !== 'network') {
      await this.releaseEndpoints([record])
      return this.forgetReleased([record])
    }
    await unclaim(this.path('names', record.spec.name), record.id)
    await rm(this.path('networks', checkId(record.id)), { recursive: true, force: true })
    await ifThere(unlink(this.#pending(record.id)))
  }

  /**
   * Gives back what endpoints claim, but for ports. What is pending stays: nobody is given any of it before the lock is free, nor then unless the rest is undone.
   * Gives those whose namespaces are on other networks too.
   */
  async releaseEndpoints(records: readonly EndpointRecord[]): Promise<EndpointRecord[]> {
    const entries: Entry[] = []
    // Other endpoints of the namespace keep its folder.
    const folders = records.map(record => {
      entries.push(...this.#claims(record), this.#place(record), [this.#endpoint(record)])
      return entries.push([`${this.path('namespaces', record.namespace.key)}/`]) - 1
    })
    const removed = await removeEntries(entries)
    return records.filter((_, i) => !removed[folders[i]!])
  }

  /** Removes the rest of what the folder says of endpoints, what is pending last. */
  async forgetReleased(records: readonly EndpointRecord[]): Promise<void> {
    for (const record of records) await this.ports.unclaim(record, record.ports ?? [])
    const pending = records.map(({ id }) => this.#pending(id))
    // One such call takes less of the event loop's time than handing it to a thread, which on a busy machine comes to it late.
    if (pending.length === 1 && this.#isInMemory) rmSync(pending[0]!, { force: true })
    else await removeEntries(pending.map(path => [path]))
  }

  async network(id: string): Promise<NetworkRecord | undefined> {
    const path = this.path('networks', checkId(id), 'network.json')
    const file = await ifThere(stat(path, { bigint: true }))
    const mark = file && `${file.ino} ${file.ctimeNs}`
    const known = this.#known.get(id)
    if (mark !== undefined && known?.mark === mark) return known.record
    const record = mark === undefined ? undefined : await readJson<NetworkRecord>(path)
    if (record && mark !== undefined) this.#known.set(id, { mark, record })
    else this.#known.delete(id)
    return record
  }

  async findNetworkByName(name: string): Promise<NetworkRecord | undefined> {
    const id = /^[a-zA-Z0-9]/.test(name) && !name.includes('/') ? await ownerOf(this.path('names', name)) : undefined
    return id === undefined ? undefined : this.network(id)
  }

  /** By name, id, or the beginning of an id that only one has. */
  async findNetwork(nameOrId: string): Promise<NetworkRecord | undefined> {
    const named = await this.findNetworkByName(nameOrId)
    if (named) return named
    if (!/^[0-9a-f]{1,64}$/.test(nameOrId)) return undefined
    const ids = (await namesIn(this.path('networks'))).filter(name => name.startsWith(nameOrId))
    if (ids.length > 1)
      throw new NetloomError('ENOTUNIQ', {
        operation: 'find network',
        subject: nameOrId,
        reason: `the ids of ${ids.length} networks begin with it`,
        hint: 'say more of the id, or the name',
      })
    return ids[0] === undefined ? undefined : this.network(ids[0])
  }

  async networks(): Promise<NetworkRecord[]> {
    return this.#all<NetworkRecord>(this.path('networks'), name => join(name, 'network.json'))
  }

  endpoints(network: string): Promise<EndpointRecord[]> {
    return this.#all(this.path('networks', checkId(network), 'endpoints'), name => name)
  }

  endpoint(network: string, id: string): Promise<EndpointRecord | undefined> {
    return readJson(this.path('networks', checkId(network), 'endpoints', `${checkId(id)}.json`))
  }

  async countEndpoints(network: string): Promise<number> {
    return (await namesIn(this.path('networks', checkId(network), 'endpoints'))).length
  }

  /** Everything that a namespace is connected to. */
  async endpointsOf(key: string): Promise<EndpointRecord[]> {
    const folder = this.path('namespaces', key)
    const found = await Promise.all(
      (await namesIn(folder)).map(async id => {
        const network = await ownerOf(join(folder, id))
        return network === undefined ? undefined : this.endpoint(network, id)
      }),
    )
    return found.filter(one => one !== undefined)
  }

  /** Says that rules are about to be put into the firewalls of others, for which they have to be looked through when the network is removed. */
  noteCure(network: string): Promise<void> {
    return note(this.#cured(network), 'yes')
  }
  async isCured(network: string): Promise<boolean> {
    return (await noted(this.#cured(network))) !== undefined
  }
  #cured(network: string): string {
    return this.path('networks', checkId(network), 'cured')
  }

  addressPath(network: string, address: string): string {
    return this.path('networks', checkId(network), 'addresses', address)
  }
  /** The id of the endpoint that has a name in a network. */
  ownerOfName(network: string, name: string): Promise<string | undefined> {
    return ownerOf(this.#name(network, name))
  }

  /** Where the endpoint is found by its namespace. */
  async #claimPlace(record: EndpointRecord): Promise<void> {
    await mkdir(this.path('namespaces', record.namespace.key), { recursive: true, mode: 0o700 })
    await this.#claim(record, [this.#place(record)])
  }
  #place({ id, network, namespace }: EndpointRecord): Claim {
    return [this.path('namespaces', namespace.key, id), network]
  }

  #claims(record: EndpointRecord): Claim[] {
    const { id, network, addresses, name } = record
    const claims: [string, string][] = addresses.map(({ address }) => [this.addressPath(network, address), id])
    if (name !== undefined) claims.push([this.#name(network, name), id])
    return claims
  }

  async #claim(record: EndpointRecord, claims: readonly Claim[]): Promise<void> {
    for (const one of claims) await claimFor(record, one)
  }
  #name(network: string, name: string): string {
    return this.path('networks', checkId(network), 'names', name)
  }
  #pending(id: string): string {
    return this.path('pending', `${checkId(id)}.json`)
  }
  #endpoint({ network, id }: EndpointRecord): string {
    return this.path('networks', checkId(network), 'endpoints', `${checkId(id)}.json`)
  }

  async #all<T>(folder: string, file: (name: string) => string): Promise<T[]> {
    const records: (T | undefined)[] = []
    const names = await namesIn(folder)
    await each(names, async (name, index) => {
      records[index] = await readJson<T>(join(folder, file(name)))
    })
    return records.filter(record => record !== undefined)
  }

  async #enter(host: string): Promise<boolean> {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
    const now = { form, boot, host }
    const before = await readJson<typeof now>(this.path('boot'))
    if (before && before.form !== form) throw this.#foreign(`its form is ${before.form}, and this version knows ${form}`)
    if (before?.boot === boot && before.host !== host) throw this.#foreign('it belongs to another host namespace')
    for (const part of ['pending', 'names', 'networks', 'namespaces', 'ports'])
      await mkdir(this.path(part), { recursive: true, mode: 0o700 })
    if (before?.boot === boot) return false
    await this.#dropEndpoints()
    await writeWhole(this.path('boot'), JSON.stringify(now), { durable: true })
    return before !== undefined
  }

  /** What a killed process was at: under the lock nobody is at anything. */
  async #left(): Promise<StateRecord[]> {
    const names = await readdir(this.path('pending'))
    if (names.length === 0) return []
    for (const name of names) if (name.endsWith('~')) await rm(this.path('pending', name), { force: true })
    return this.#all<StateRecord>(this.path('pending'), name => name)
  }

  /** Namespaces and links do not outlive the machine; networks do, those that were complete. */
  async #dropEndpoints(): Promise<void> {
    for (const record of await this.#left()) if (record.kind === 'network') await this.forget(record)
    for (const part of ['pending', 'namespaces', 'names', 'ports']) await this.#empty(this.path(part))
    for (const id of await namesIn(this.path('networks')))
      for (const part of ['endpoints', 'addresses', 'names', 'last']) await this.#empty(this.path('networks', id, part))
    for (const { id, spec } of await this.networks()) await claim(this.path('names', spec.name), id)
  }

  async #empty(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true, mode: 0o700 })
  }

  #foreign(reason: string): NetloomError {
    const hint = 'name another folder, or remove this one when nothing of it is in use'
    return new NetloomError('EBUSY', { operation: 'open state', subject: this.folder, reason, hint })
  }
}
