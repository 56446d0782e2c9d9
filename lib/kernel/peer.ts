// Who is at the other end of a veth: which device in which namespace, also when both ends have the same index and there are thousands.

import type { NamespaceInfo } from '../namespace/info.js'
import { openSource } from '../namespace/source.js'
import { link as linkTable } from '../protocol/link.js'
import { rtm } from '../protocol/rtnetlink.js'
import { NetloomError } from '../socket/error.js'
import type { Context } from '../socket/request.js'
import { type Link, toLink } from './link-object.js'
import { NsidMap } from './nsid-map.js'
import { type LinkRef, linkReply, nameOf, type RawLink, Scope, skipProtocolStatistics } from './scope.js'

/** The other end of a veth. */
export interface Peer {
  /** Where it is; undefined when nothing but a descriptor somewhere holds that namespace. */
  readonly namespace: NamespaceInfo | undefined
  readonly link: Link
  /** The bridge that it is plugged into. */
  readonly master?: Link
}

const kindsWithPeer = ['veth', 'other:netkit', 'other:vxcan']
/** How often a pair that is being moved about is looked at again. */
const attempts = 4

export class PeerFinder {
  readonly #scope: Scope
  readonly #namespaces: NsidMap

  constructor(scope: Scope) {
    this.#scope = scope
    this.#namespaces = new NsidMap(scope)
  }

  /** What create() knows already need not be searched for. */
  async learn({ linkNetnsid }: RawLink, { info, handle }: Scope): Promise<void> {
    if (linkNetnsid === undefined) return
    await this.#namespaces.prepare()
    this.#namespaces.learn(linkNetnsid, info, handle.cookie)
  }

  async find(ref: LinkRef): Promise<Peer | undefined> {
    const context = { operation: 'find peer', subject: nameOf(ref), namespace: this.#scope.label }
    for (let attempt = 1; ; attempt++) {
      // Reading the link makes the kernel give the other namespace a number, if it has none yet.
      const link = await this.#scope.getLink(ref, { ...context, hints: { ENODEV: 'links.list() says which links there are' } })
      if (!kindsWithPeer.includes(link.linkinfo?.kind ?? '') || !link.link) return undefined
      try {
        const peer = await this.#other(link, link.link, context)
        // What has the number now is the other end only if it says so too.
        if (peer.link.link === link.index) return peer
        if (attempt === attempts) throw new NetloomError('EAGAIN', { ...context, reason: 'the other end is being moved' })
      } catch (error) {
        // Moved or deleted since: then the first step says so.
        if (attempt === attempts || !(error instanceof NetloomError) || !['ENODEV', 'EINVAL'].includes(error.code)) throw error
      }
    }
  }

  /** A peer whose namespace is at hand. */
  async describe(link: Link, scope: Scope): Promise<Peer & { readonly namespace: NamespaceInfo }> {
    const master = link.master === undefined ? undefined : toLink(await scope.getLink(link.master, { operation: 'find peer' }))
    return { namespace: scope.info, link, ...(master && { master }) }
  }

  async #other({ linkNetnsid: nsid }: RawLink, index: number, context: Context): Promise<Peer> {
    if (nsid === undefined) return this.describe(toLink(await this.#scope.getLink(index, context)), this.#scope)
    const finding = this.#namespaces.find(nsid)
    // Both are under way at once, so the second may fail while the first is awaited.
    finding.catch(() => undefined)
    const raw = await this.#read(index, nsid, context)
    const link = toLink(raw)
    const master = raw.master ? toLink(await this.#read(raw.master, nsid, context)) : undefined
    return { namespace: await finding, link, ...(master && { master }) }
  }

  /** A link of the namespace with that number: through our own socket, or where that is refused from inside. */
  async #read(index: number, targetNetnsid: number, context: Context): Promise<RawLink> {
    const connection = await this.#scope.connection()
    const value = { index, targetNetnsid, extMask: skipProtocolStatistics }
    try {
      return await connection.get({ type: rtm.getLink, codec: linkTable, value, context }, linkReply)
    } catch (error) {
      if (!(error instanceof NetloomError) || !['EACCES', 'EPERM', 'EOPNOTSUPP'].includes(error.code)) throw error
      return this.#readInside(index, targetNetnsid, context, error)
    }
  }

  /** Entering needs other rights than looking in from outside. */
  async #readInside(index: number, nsid: number, context: Context, refusal: NetloomError): Promise<RawLink> {
    const info = await this.#namespaces.find(nsid)
    if (!info) throw refusal
    const inside = new Scope(await openSource(info))
    try {
      return await inside.getLink(index, context)
    } catch (error) {
      if (error instanceof NetloomError && error.code === 'EPERM') throw refusal
      throw error
    } finally {
      inside.close()
    }
  }
}
