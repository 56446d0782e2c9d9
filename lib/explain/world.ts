// The namespaces that a packet may meet: opened as they are needed, each asked once for what it has, closed together.
import type { Address } from '../kernel/address-object.js'
import type { FdbEntry } from '../kernel/fdb.js'
import type { Link } from '../kernel/link-object.js'
import { Namespace } from '../kernel/namespace.js'
import type { Neighbour } from '../kernel/neighbours.js'
import type { Route } from '../kernel/route-object.js'
import { formatIdentity, type NamespaceInfo } from '../namespace/info.js'
import type { NamespaceSource } from '../namespace/source.js'
import { NetloomError } from '../socket/error.js'

/** A link and the namespace that it is in. */
export interface End {
  readonly place: Place
  readonly link: Link
}

/** One namespace as it was when it was first asked. */
export class Place {
  readonly namespace: Namespace
  /** How it can be opened again, once this object's descriptor is closed. */
  readonly source: NamespaceSource
  readonly key: string
  /** What texts call it. */
  readonly label: string
  readonly #known = new Map<string, Promise<unknown>>()

  constructor(namespace: Namespace, source: NamespaceSource, current: boolean) {
    this.namespace = namespace
    this.source = source
    this.key = keyOf(namespace)
    this.label = namespace.name ?? (current ? 'this namespace' : (namespace.path ?? formatIdentity(namespace.inode)))
  }

  links(): Promise<Link[]> {
    return this.once('links', () => this.namespace.links.list())
  }
  /** A link by its index. What vanished since is an error: what was read no longer fits together. */
  async link(index: number): Promise<Link> {
    const found = (await this.links()).find(link => link.index === index)
    return found ?? this.once(`link ${index}`, () => this.namespace.links.get(index))
  }
  /** Those that a packet can be sent to from elsewhere, of usable scope. */
  async addresses(family: 4 | 6): Promise<Address[]> {
    const all = await this.once('addresses', () => this.namespace.addresses.list())
    return all.filter(address => address.family === family && address.scope !== 'host')
  }
  routes(family: 4 | 6): Promise<Route[]> {
    return this.once(`routes ${family}`, () => this.namespace.routes.list({ family }))
  }
  neighbours(): Promise<Neighbour[]> {
    return this.once('neighbours', () => this.namespace.neighbours.list())
  }
  macs(bridge: Link): Promise<FdbEntry[]> {
    return this.once(`macs ${bridge.index}`, () => this.namespace.fdb.list({ bridge }))
  }
  /** A setting as a number; undefined where there is none of that name. */
  sysctl(key: string): Promise<number | undefined> {
    return this.once(`sysctl ${key}`, async () => {
      try {
        return Number(await this.namespace.sysctl.get(key))
      } catch (error) {
        if (error instanceof NetloomError && error.code === 'ENOENT') return undefined
        throw error
      }
    })
  }
  /** Whatever else is read only once. */
  once<T>(what: string, read: () => Promise<T>): Promise<T> {
    const known = this.#known.get(what) as Promise<T> | undefined
    if (known) return known
    const reading = read()
    this.#known.set(what, reading)
    return reading
  }

  info(): NamespaceInfo {
    return this.namespace.toJSON()
  }
}

export const keyOf = ({ device, inode }: Pick<NamespaceInfo, 'device' | 'inode'>): string => `${device}:${inode}`
/** Two ends are the same link. */
export const sameEnd = (a: End, b: End): boolean => a.place === b.place && a.link.index === b.link.index
export const endText = ({ place, link }: End): string => `${link.name} of ${place.label}`

/** What may happen to a namespace between being listed and being opened. */
const gone = ['ENOENT', 'ESRCH', 'ESTALE', 'EINVAL']

export class World implements AsyncDisposable {
  readonly #places = new Map<string, Place>()
  readonly #peers = new Map<string, Promise<End | undefined>>()
  readonly #current = Namespace.current()
  /** Where else to look, once it is known; those are opened only when what is needed is not found nearer. */
  #others: readonly NamespaceSource[] | undefined

  constructor(others?: Iterable<NamespaceSource>) {
    this.#others = others && [...others]
  }

  /** The place of a namespace, opened unless it is known. */
  async enter(source: NamespaceSource): Promise<Place> {
    const namespace = await Namespace.open(source)
    const known = this.#places.get(keyOf(namespace))
    if (known) {
      await namespace.close()
      return known
    }
    const place = new Place(namespace, source, keyOf(namespace) === keyOf(this.#current))
    this.#places.set(place.key, place)
    return place
  }

  /** The places that are open already. */
  known(): Place[] {
    return [...this.#places.values()]
  }

  /** Every place that there is to look in. */
  async all(): Promise<Place[]> {
    const others = this.#others ?? [this.#current, ...(await Namespace.list())]
    this.#others = []
    for (const source of others) {
      try {
        await this.enter(source)
      } catch (error) {
        if (!(error instanceof NetloomError && gone.includes(error.code))) throw error
      }
    }
    return this.known()
  }

  /** The other end of a cable; undefined for what is no veth, and where nobody can tell in which namespace that end is. */
  peerOf(end: End): Promise<End | undefined> {
    const key = `${end.place.key} ${end.link.index}`
    const known = this.#peers.get(key)
    if (known) return known
    const finding = this.#findPeer(end)
    this.#peers.set(key, finding)
    return finding
  }

  async #findPeer({ place, link }: End): Promise<End | undefined> {
    if (link.kind !== 'veth') return undefined
    const peer = await place.namespace.links.peer(link)
    if (peer?.namespace === undefined) return undefined
    const there = await this.enter(peer.namespace)
    return { place: there, link: await there.link(peer.link.index) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.known().map(({ namespace }) => namespace.close()))
  }
}
