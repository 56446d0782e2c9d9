// Who is at the other end of a veth: which device in which namespace, also when both ends have the same index and there are thousands.

import { type NamespaceInfo, sameNamespace } from '../namespace/info.js'
import { listNamespaces } from '../namespace/list.js'
import { openSource } from '../namespace/source.js'
import { link as linkTable } from '../protocol/link.js'
import { rtm } from '../protocol/rtnetlink.js'
import { NetloomError } from '../socket/error.js'
import type { Context } from '../socket/request.js'
import { type Link, toLink } from './link-object.js'
import { nsidsOf } from './nsid.js'
import { type LinkRef, linkReply, nameOf, type RawLink, type Scope, skipProtocolStatistics } from './scope.js'

/** The other end of a veth. */
export interface Peer {
  /** Where it is; undefined when nothing but a descriptor of another process holds that namespace. */
  readonly namespace: NamespaceInfo | undefined
  readonly link: Link
  /** The bridge that it is plugged into. */
  readonly master?: Link
}

const kindsWithPeer = ['veth', 'netkit', 'vxcan']
/** Namespaces that a search holds open at a time. */
const openAtOnce = 64
const gone = (error: unknown) => error instanceof NetloomError && ['ENOENT', 'ESTALE', 'ESRCH', 'EACCES', 'EINVAL'].includes(error.code)

export class PeerFinder {
  readonly #scope: Scope
  /** The namespaces that ours knows by number. A number can be given again, so every hit is asked after. */
  readonly #known = new Map<number, NamespaceInfo>()
  #searching: Promise<void> | undefined

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async find(ref: LinkRef): Promise<Peer | undefined> {
    // Reading the link makes the kernel give the other namespace a number, if it has none yet.
    const link = await this.#scope.getLink(ref, { operation: 'find peer' })
    const { linkNetnsid: nsid, link: index } = link
    if (!kindsWithPeer.includes(link.linkinfo?.kind ?? '') || !index) return undefined
    if (nsid === undefined)
      return this.describe(this.#scope.info, toLink(await this.#scope.getLink(index, this.#context(ref))), this.#scope)
    const other = await this.#read(index, nsid, ref)
    const namespace = await this.#namespaceOf(nsid)
    const master = other.master ? toLink(await this.#read(other.master, nsid, ref)) : undefined
    return { namespace, link: toLink(other), ...(master && { master }) }
  }

  /** A peer whose namespace is at hand. */
  async describe(namespace: NamespaceInfo, link: Link, scope: Scope): Promise<Peer> {
    const master = link.master === undefined ? undefined : toLink(await scope.getLink(link.master, { operation: 'find peer' }))
    return { namespace, link, ...(master && { master }) }
  }

  #context(ref: LinkRef): Context {
    return { operation: 'find peer', subject: nameOf(ref), namespace: this.#scope.label }
  }

  /** A link of the namespace with that number, through our own socket. */
  async #read(index: number, targetNetnsid: number, ref: LinkRef): Promise<RawLink> {
    const connection = await this.#scope.connection()
    const value = { index, targetNetnsid, extMask: skipProtocolStatistics }
    return connection.get({ type: rtm.getLink, codec: linkTable, value, context: this.#context(ref) }, linkReply)
  }

  async #namespaceOf(nsid: number): Promise<NamespaceInfo | undefined> {
    const hit = this.#known.get(nsid)
    if (hit && (await this.#has(hit, nsid))) return hit
    this.#known.delete(nsid)
    // A search that began before this link's number was given may have missed it: then one more.
    const joined = this.#searching
    await this.#search()
    if (joined && !this.#known.has(nsid)) await this.#search()
    return this.#known.get(nsid)
  }

  /** Is this still the namespace with that number? */
  async #has(info: NamespaceInfo, nsid: number): Promise<boolean> {
    try {
      const { handle } = await openSource(info)
      try {
        const [answer] = await nsidsOf(this.#scope, [handle.fd])
        return answer === nsid
      } finally {
        handle.close()
      }
    } catch (error) {
      if (gone(error)) return false
      throw error
    }
  }

  #search(): Promise<void> {
    this.#searching ??= this.#searchAll().finally(() => {
      this.#searching = undefined
    })
    return this.#searching
  }

  /** Finds the numbers of all namespaces that a name or a process tells of. */
  async #searchAll(): Promise<void> {
    const connection = await this.#scope.connection()
    // Every link that is read gets its peer's namespace a number: so that one search serves all of them.
    await connection.dump(
      {
        type: rtm.getLink,
        codec: linkTable,
        value: { extMask: skipProtocolStatistics },
        context: { operation: 'find peer', namespace: this.#scope.label },
      },
      linkReply,
    )
    const candidates = (await listNamespaces({ processes: true })).filter(info => !sameNamespace(info, this.#scope.info))
    for (let i = 0; i < candidates.length; i += openAtOnce) await this.#note(candidates.slice(i, i + openAtOnce))
  }

  async #note(candidates: readonly NamespaceInfo[]): Promise<void> {
    const opened = await Promise.all(
      candidates.map(info => openSource(info).catch((error: unknown) => (gone(error) ? undefined : Promise.reject(error)))),
    )
    const held = opened.filter(one => one !== undefined)
    try {
      const numbers = await nsidsOf(
        this.#scope,
        held.map(({ handle }) => handle.fd),
      )
      numbers.forEach((nsid, i) => {
        if (nsid !== undefined) this.#known.set(nsid, held[i]!.info)
      })
    } finally {
      for (const { handle } of held) handle.close()
    }
  }
}
