// What every verb works in: one namespace, its connection, and the way from a link's name to its index.
import type { AnyCodec, Decoded } from '../codec/codec.js'
import { argumentError, shown } from '../codec/errors.js'
import type { NamespaceInfo, OpenNamespace } from '../namespace/info.js'
import { held, type NamespaceSource, openSource } from '../namespace/source.js'
import { link as linkTable } from '../protocol/link.js'
import { extFilter } from '../protocol/link-base.js'
import { NETLINK_NETFILTER, NETLINK_ROUTE } from '../protocol/netlink.js'
import { rtm } from '../protocol/rtnetlink.js'
import { Connection } from '../socket/connection.js'
import { NetloomError } from '../socket/error.js'
import type { Context, Reply } from '../socket/request.js'
import { wasClosed } from '../socket/unclosed.js'

/** A link by name, by index, or as the object that describes it. */
export type LinkRef = string | number | { readonly index: number }
export type RawLink = Decoded<typeof linkTable>
export const linkReply = { type: rtm.newLink, codec: linkTable }

/** ALTIFNAMSIZ less the final NUL, linux/if.h. */
const longestAltName = 127
/** Leaves out IPv6's counters, a quarter of a link's bytes, and from kernel 6.19 on the link's own, too. */
export const skipProtocolStatistics = extFilter.skipStats

/** Where a Namespace keeps its scope, for calls that are given one. */
export const scoped: unique symbol = Symbol('netloom.scoped')

export class Scope {
  readonly handle: OpenNamespace['handle']
  readonly info: NamespaceInfo
  readonly #connections = new Map<number, Promise<Connection>>()
  #closed = false
  readonly #closing = new Set<() => void>()

  constructor({ handle, info }: OpenNamespace) {
    this.handle = handle
    this.info = info
  }

  /** For error messages: the namespace's name, or its identity. */
  get label(): string | undefined {
    return this.info.name ?? this.info.path
  }

  /** The rtnetlink connection, opened on first use and shared from then on. */
  connection(): Promise<Connection> {
    return this.#connected(NETLINK_ROUTE)
  }

  /** The same for nftables and conntrack. */
  netfilter(): Promise<Connection> {
    return this.#connected(NETLINK_NETFILTER)
  }

  /** Throws EBADF once it is closed; `path` is the field by which the caller named it. */
  checkOpen(path?: string): void {
    if (!this.#closed) return
    const hint = 'open it again with Namespace.open()'
    throw new NetloomError('EBADF', { operation: 'use namespace', subject: this.label, path, reason: 'it has been closed', hint })
  }

  /** The kernel's description of a link; ENODEV if there is none. */
  getLink(ref: LinkRef, context: Partial<Context> = {}): Promise<RawLink> {
    return this.readLink(ref, linkReply, context)
  }

  /** As getLink(), of the kernel's description only what the reply's table reads. With its counters only if `statistics` says so. */
  async readLink<R extends AnyCodec>(
    ref: LinkRef,
    reply: Reply<R>,
    context: Partial<Context> = {},
    statistics = false,
  ): Promise<Decoded<R>> {
    const connection = await this.connection()
    const value = { ...(!statistics && { extMask: skipProtocolStatistics }), ...lookup(ref) }
    return connection.get(
      {
        type: rtm.getLink,
        codec: linkTable,
        value,
        context: { operation: 'get link', subject: nameOf(ref), namespace: this.label, ...context },
      },
      reply,
    )
  }

  /** The index of a link; costs a request only when it is given by name. */
  async indexOf(ref: LinkRef, context: Partial<Context> = {}): Promise<number> {
    const key = lookup(ref)
    if ('index' in key) return key.index
    const hints = { ...context.hints, ENODEV: `there is no link ${nameOf(ref)} in ${this.label ?? 'this namespace'}` }
    return (await this.getLink(ref, { ...context, hints })).index
  }

  /** Calls back when the namespace is closed; what it gives takes that back. */
  onClose(callback: () => void): () => void {
    this.#closing.add(callback)
    return () => void this.#closing.delete(callback)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    wasClosed(this)
    for (const callback of this.#closing) callback()
    // A connection that could not be opened has nothing to close, and whoever asked for it has had the error.
    for (const opened of this.#connections.values())
      opened.then(
        connection => connection.close(),
        () => undefined,
      )
    this.handle.close()
  }

  #connected(protocol: number): Promise<Connection> {
    this.checkOpen()
    const known = this.#connections.get(protocol)
    if (known) return known
    const opened = Connection.open(this.handle, protocol).catch(error => {
      this.#connections.delete(protocol)
      throw error
    })
    this.#connections.set(protocol, opened)
    return opened
  }
}

/** The scope that a caller means by a namespace; `release` frees what had to be opened for it. */
export async function scopeFor(here: Scope, source: NamespaceSource | undefined, path: string): Promise<{ scope: Scope; release(): void }> {
  const release = () => undefined
  if (source === undefined) return { scope: here, release }
  if (typeof source === 'object' && source !== null && scoped in source) {
    const scope = source[scoped] as Scope
    scope.checkOpen(path)
    return { scope, release }
  }
  const opened = await openSource(source, path).catch((error: unknown) => {
    if (!(error instanceof NetloomError) || error.path !== undefined) throw error
    throw new NetloomError(error.errno ?? error.code, { ...error, path, cause: error.cause })
  })
  const { handle } = opened
  if (handle.inode === here.handle.inode && handle.device === here.handle.device) {
    handle.close()
    return { scope: here, release }
  }
  const scope = new Scope(opened)
  return { scope, release: () => scope.close() }
}

/** A scope's namespace as the verbs take one. */
export function sourceOf(scope: Scope): NamespaceSource {
  const { device, inode } = scope.handle
  return { device, inode, [held]: scope.handle, [scoped]: scope } as NamespaceSource
}

/** How a link is named in a request; names longer than IFNAMSIZ allows can only be alternative ones. */
export function lookup(ref: LinkRef): { index: number } | { ifname: string } | { altIfname: string } {
  const value = typeof ref === 'object' && ref !== null ? ref.index : ref
  if (typeof value === 'string') {
    const length = Buffer.byteLength(value)
    if (length === 0 || length > longestAltName || value.includes('\0'))
      throw argumentError(
        'ERR_NETLOOM_INVALID_NAME',
        `${shown(value)} cannot name an interface: names have 1 to 15 bytes, alternative names up to ${longestAltName}`,
      )
    return length > 15 ? { altIfname: value } : { ifname: value }
  }
  if (Number.isInteger(value) && value > 0 && value <= 0x7fff_ffff) return { index: value }
  throw argumentError(
    'ERR_NETLOOM_INVALID_LINK',
    `${shown(value === undefined ? ref : value)} is not a link: give its name, its index or its object`,
  )
}

/** A link as text, for messages. */
export const nameOf = (ref: LinkRef): string => (typeof ref === 'string' ? ref : `link ${typeof ref === 'number' ? ref : ref?.index}`)
