// What a watcher knows of one namespace, and how notifications change it.
import type { NamespaceInfo } from '../namespace/info.js'
import { address as addressTable } from '../protocol/address.js'
import { neighbour as neighbourTable } from '../protocol/neighbour.js'
import { requestFlags } from '../protocol/netlink.js'
import { route as routeTable } from '../protocol/route.js'
import { rtm } from '../protocol/rtnetlink.js'
import { AbortError } from '../socket/error.js'
import type { Notification } from '../socket/subscription.js'
import { type Address, isAddressFamily, toAddress } from './address-object.js'
import { addressVerbs } from './addresses.js'
import { type Link, linkReplies, toLink } from './link-object.js'
import { linkVerbs } from './links.js'
import { isNeighbour, type Neighbour, neighbourVerbs, toNeighbour } from './neighbours.js'
import { isRoute, type Route, toRoute } from './route-object.js'
import { routeVerbs } from './routes.js'
import type { Scope } from './scope.js'
import type { WatchEvent, WatchKind } from './watch-events.js'

type ObjectKind = Exclude<WatchKind, 'namespace'>
type Known = Link | Address | Route | Neighbour

/** By what an object is told from others of its kind. */
const identity: { readonly [K in ObjectKind]: (object: never) => string } = {
  link: ({ index }: Link) => String(index),
  address: ({ link, cidr, peer }: Address) => `${link} ${cidr} ${peer ?? ''}`,
  neighbour: ({ link, address, proxy }: Neighbour) => `${link} ${address} ${proxy ? 'proxy' : ''}`,
  route: ({ family, table, to, from, metric, tos, type, via, link, nexthops, src }: Route) =>
    JSON.stringify([family, table, to, from, metric, tos, type, via, link, nexthops?.map(hop => [hop.via, hop.link]), src]),
}

/** Gives a scope for as long as the work takes: a watcher of thousands of namespaces holds none of them open. */
export type Access = <T>(work: (scope: Scope) => Promise<T>) => Promise<T>

export class WatchState {
  readonly #access: Access
  readonly #info: NamespaceInfo
  readonly #kinds: readonly WatchKind[]
  /** What has been told, so that it can be taken back: of routes, and of a namespace that goes. */
  readonly #told = new Map<ObjectKind, Map<string, Known>>()

  constructor(access: Access, info: NamespaceInfo, kinds: readonly WatchKind[]) {
    this.#access = access
    this.#info = info
    this.#kinds = kinds
  }

  /** Reads the present state, through a scope that is at hand or one of its own. The events are to be told before others. */
  async read(signal: AbortSignal | undefined, at?: Scope): Promise<Iterable<WatchEvent>> {
    const kinds = this.#kinds.filter(kind => kind !== 'namespace')
    if (kinds.length === 0) return []
    const work = (scope: Scope) => Promise.all(kinds.map(kind => list(scope, kind, signal)))
    const lists = await (at ? work(at) : this.#access(work))
    return this.#setAll(kinds, lists, signal)
  }

  /** Turns notifications into events. */
  async *apply(messages: readonly Notification[], signal: AbortSignal | undefined): AsyncGenerator<WatchEvent> {
    let routesMayHaveGone = false
    for (const message of messages) {
      if (signal?.aborted) throw new AbortError('watch', signal)
      const change = this.#decode(message)
      if (!change) continue
      routesMayHaveGone ||= change.hidesRoutes
      const { kind, object, gone } = change
      if (!this.#kinds.includes(kind)) continue
      yield gone ? this.#delete(kind, object) : this.#set(kind, object)
    }
    if (routesMayHaveGone && this.#kinds.includes('route')) yield* this.#compareRoutes(signal)
  }

  /** All of it has gone, as when the namespace itself does. */
  *clear(): Generator<WatchEvent> {
    for (const [kind, objects] of this.#told) for (const object of [...objects.values()]) yield this.#delete(kind, object)
  }

  *#setAll(kinds: readonly ObjectKind[], lists: readonly (readonly Known[])[], signal: AbortSignal | undefined): Generator<WatchEvent> {
    for (const [i, kind] of kinds.entries())
      for (const object of lists[i]!) {
        if (signal?.aborted) throw new AbortError('watch', signal)
        yield this.#set(kind, object)
      }
  }

  #decode({
    type,
    view,
    from,
    to,
    flags,
  }: Notification): { kind: ObjectKind; object: Known; gone: boolean; hidesRoutes: boolean } | undefined {
    if (type === rtm.newLink || type === rtm.delLink) {
      const raw = linkReplies.plain.codec.read(view, from, to) as Parameters<typeof toLink>[0]
      // Those of family bridge tell of a port, not of a link's coming and going.
      if (raw.family !== 'unspec') return undefined
      const gone = type === rtm.delLink
      return { kind: 'link', object: toLink(raw), gone, hidesRoutes: gone || !raw.flags.up || !raw.carrier }
    }
    if (type === rtm.newAddr || type === rtm.delAddr) {
      const raw = addressTable.read(view, from, to) as Parameters<typeof toAddress>[0]
      return isAddressFamily(raw)
        ? { kind: 'address', object: toAddress(raw), gone: type === rtm.delAddr, hidesRoutes: type === rtm.delAddr }
        : undefined
    }
    if (type === rtm.newRoute || type === rtm.delRoute) {
      const raw = routeTable.read(view, from, to) as Parameters<typeof toRoute>[0]
      // A replaced route goes without a message of its own.
      return isRoute(raw)
        ? { kind: 'route', object: toRoute(raw), gone: type === rtm.delRoute, hidesRoutes: (flags & requestFlags.replace) !== 0 }
        : undefined
    }
    if (type === rtm.newNeigh || type === rtm.delNeigh) {
      const raw = neighbourTable.read(view, from, to) as Parameters<typeof toNeighbour>[0]
      return isNeighbour(raw) ? { kind: 'neighbour', object: toNeighbour(raw), gone: type === rtm.delNeigh, hidesRoutes: false } : undefined
    }
    return undefined
  }

  async *#compareRoutes(signal: AbortSignal | undefined): AsyncGenerator<WatchEvent> {
    const present = await this.#access(scope => list(scope, 'route', signal))
    const keys = new Set(present.map(route => identity.route(route as never)))
    const known = this.#told.get('route') ?? new Map<string, Known>()
    for (const [key, route] of [...known]) if (!keys.has(key)) yield this.#delete('route', route)
    for (const route of present) if (!known.has(identity.route(route as never))) yield this.#set('route', route)
  }

  #set(kind: ObjectKind, object: Known): WatchEvent {
    let objects = this.#told.get(kind)
    if (!objects) {
      objects = new Map()
      this.#told.set(kind, objects)
    }
    objects.set(identity[kind](object as never), object)
    return this.#event(kind, 'set', object)
  }

  #delete(kind: ObjectKind, object: Known): WatchEvent {
    this.#told.get(kind)?.delete(identity[kind](object as never))
    return this.#event(kind, 'delete', object)
  }

  #event(kind: ObjectKind, action: 'set' | 'delete', object: Known): WatchEvent {
    return { type: kind, action, namespace: this.#info, [kind]: object } as unknown as WatchEvent
  }
}

async function list(scope: Scope, kind: ObjectKind, signal: AbortSignal | undefined): Promise<readonly Known[]> {
  if (kind === 'link') return linkVerbs(scope).list(signal ? { signal } : {})
  if (kind === 'address') return addressVerbs(scope).list()
  if (kind === 'neighbour') return neighbourVerbs(scope).list()
  return routeVerbs(scope).list({ table: 'all' })
}
