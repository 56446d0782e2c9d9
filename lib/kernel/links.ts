// The verbs on links of one namespace: create, get, find, list, update, move, delete, and the peer of a veth.
import type { Encodable } from '../codec/codec.js'
import { checkInterfaceName } from '../namespace/names.js'
import type { NamespaceSource } from '../namespace/source.js'
import { setSysctl } from '../namespace/sysctl.js'
import { link as linkTable } from '../protocol/link.js'
import { rtm } from '../protocol/rtnetlink.js'
import { NetloomError } from '../socket/error.js'
import type { Context, Request } from '../socket/request.js'
import { createLink } from './link-create.js'
import type { Kind } from './link-kinds.js'
import { type Link, type LinkOf, toLink } from './link-object.js'
import {
  changeFields,
  checkFields,
  fieldOf,
  kindAttributes,
  type LinkChange,
  type LinkCreate,
  type LinkCreateOf,
  type OtherKind,
  plainAttributes,
  portAttributes,
} from './link-request.js'
import { type Peer, PeerFinder } from './peer.js'
import { type LinkRef, linkReply, lookup, nameOf, type RawLink, type Scope, scopeFor, skipProtocolStatistics } from './scope.js'

type LinkMessage = Encodable<typeof linkTable>
export interface LinkFilter<K extends string = string> {
  readonly kind?: K
  /** Only ports of this bridge. */
  readonly master?: LinkRef
  /** Counters too. */
  readonly statistics?: boolean
  readonly signal?: AbortSignal
}
/** What create() gives: the link, and for a veth its other end. */
export type CreatedLink<K extends Kind | OtherKind> = LinkOf<K> & (K extends 'veth' ? { readonly peer: Peer } : unknown)

export type LinkVerbs = ReturnType<typeof linkVerbs>

export function linkVerbs(scope: Scope) {
  const peers = new PeerFinder(scope)

  const context = (operation: string, ref: LinkRef, more: Partial<Context> = {}): Context => ({
    operation,
    subject: nameOf(ref),
    namespace: scope.label,
    hints: { ENODEV: 'links.list() says which links there are' },
    ...more,
  })
  const message = (value: LinkMessage, about: Context, type: number = rtm.newLink): Request<typeof linkTable> => ({
    type,
    codec: linkTable,
    value,
    context: about,
  })

  return {
    /**
     * Makes a link, all of it or nothing. Gives it as the kernel then describes it; a veth with its `peer`.
     *
     * Errors: EEXIST the name is taken; EOPNOTSUPP this kernel has no such kind; ENODEV no such master or lower device; EXFULL the bridge has
     * 1,023 ports; EPERM without CAP_NET_ADMIN; with `path` for the option that the kernel refused.
     */
    create<const K extends Kind | OtherKind>(spec: { readonly kind: K } & LinkCreateOf<K>): Promise<CreatedLink<K>> {
      return createLink(scope, spec as LinkCreate, async ({ link, peer }) => {
        const created = toLink(link)
        return (
          peer ? { ...created, peer: await peers.describe(peer.scope.info, toLink(peer.link), peer.scope) } : created
        ) as CreatedLink<K>
      })
    },

    /** The link of that name or index; throws ENODEV. With its counters. */
    async get(link: LinkRef): Promise<Link> {
      return toLink(await scope.getLink(link, { hints: { ENODEV: 'links.list() says which links there are' } }), true)
    },

    /** The link of that name or index, or undefined. */
    async find(link: LinkRef): Promise<Link | undefined> {
      try {
        return toLink(await scope.getLink(link), true)
      } catch (error) {
        if (error instanceof NetloomError && error.code === 'ENODEV') return undefined
        throw error
      }
    },

    /** All links, or those of a kind or a bridge; the kernel does the choosing. */
    async list<K extends string = string>(filter: LinkFilter<K> = {}): Promise<(string extends K ? Link : LinkOf<K>)[]> {
      const { kind, master, statistics, signal } = filter
      const bridge = master === undefined ? undefined : await scope.indexOf(master, { operation: 'list links', at: 'master' })
      const value = {
        extMask: skipProtocolStatistics,
        ...(bridge === undefined ? {} : { master: bridge }),
        ...(kind === undefined ? {} : { linkinfo: { kind } }),
      } as LinkMessage
      const connection = await scope.connection()
      const request = { ...message(value, { operation: 'list links', namespace: scope.label }, rtm.getLink), signal }
      const links = await connection.dump(request, linkReply)
      // A kind that the kernel has not loaded filters nothing there, so the answer is looked through once more.
      const wanted = links.filter(
        raw => (kind === undefined || raw.linkinfo?.kind === kind) && (bridge === undefined || raw.master === bridge),
      )
      return wanted.map(raw => toLink(raw, statistics)) as (string extends K ? Link : LinkOf<K>)[]
    },

    /** Changes what is given, and that only. Not atomic: after an error the fields before the refused one may have changed. */
    async update(link: LinkRef, change: LinkChange): Promise<void> {
      checkFields(change, '', changeFields)
      const { master, options, port, altNames, ipv6, up } = change
      const about = context('update link', link)
      const needed = options !== undefined || altNames !== undefined || ipv6 !== undefined
      const raw: Pick<RawLink, 'index'> & Partial<RawLink> = needed
        ? await scope.getLink(link, about)
        : { index: await scope.indexOf(link, about) }
      const kind = raw.linkinfo?.kind
      const here = { ...about, field: fieldOf(kind) }
      const { index } = raw
      const plain: LinkMessage = {
        ...plainAttributes(change),
        ...(master === undefined ? {} : { master: master === null ? 0 : await scope.indexOf(master, { ...about, at: 'master' }) }),
        ...(up === undefined ? {} : { flags: { up } }),
        ...(options === undefined ? {} : { linkinfo: kindAttributes({ kind: kind ?? 'other:', options }) }),
      }
      if (ipv6 !== undefined) await setIpv6(raw as RawLink, ipv6, here)
      const requests = [
        ...(Object.keys(plain).length ? [message({ ...plain, index }, here)] : []),
        ...(port && Object.keys(port).length ? [message({ index, linkinfo: portAttributes(port) }, here)] : []),
        ...altNameChanges(raw, altNames).map(({ type, names }) => message({ index, propList: names }, here, type)),
      ]
      const connection = await scope.connection()
      for (const request of requests) await connection.request(request)
    },

    /**
     * Moves a link to another namespace, where it is down and has no addresses; `name` gives it another name there.
     *
     * Errors: EINVAL for links that belong to their namespace, as `lo` and bridges do (`netnsImmutable`); EEXIST the name is taken there.
     */
    async move(link: LinkRef, to: NamespaceSource, options: { readonly name?: string } = {}): Promise<void> {
      if (options.name !== undefined) checkInterfaceName(options.name, 'name')
      const target = await scopeFor(scope, to, 'to')
      try {
        const about = context('move link', link, {
          field: path => (path[0] === 'ifname' ? 'name' : 'to'),
          hints: {
            EINVAL: 'links like lo and bridges cannot leave their namespace (netnsImmutable): make one there',
            EEXIST: 'a link of that name is there already: give another name',
          },
        })
        const index = await scope.indexOf(link, about)
        const value = { index, netNsFd: target.scope.handle.fd, ...(options.name === undefined ? {} : { ifname: options.name }) }
        const connection = await scope.connection()
        await connection.request(message(value, about))
      } finally {
        target.release()
      }
    },

    /** Removes a link; of a veth both ends. Throws ENODEV if there is none. */
    async delete(link: LinkRef): Promise<void> {
      const connection = await scope.connection()
      await connection.request(message(lookup(link), context('delete link', link), rtm.delLink))
    },

    /** The other end of a veth, in whatever namespace it is; undefined for links that have none. */
    peer(link: LinkRef): Promise<Peer | undefined> {
      return peers.find(link)
    },
  }

  async function setIpv6(raw: RawLink, policy: NonNullable<LinkChange['ipv6']>, about: Context): Promise<void> {
    await setSysctl(scope, `net/ipv6/conf/${raw.ifname}/disable_ipv6`, policy === 'none' ? 1 : 0)
    if (policy === 'none') return
    const connection = await scope.connection()
    await connection.request(
      message({ index: raw.index, afSpec: { inet6: { addrGenMode: policy === 'static' ? 'none' : 'eui64' } } }, about),
    )
  }
}

/** The messages that make the alternative names of a link those that are wanted. */
function altNameChanges(raw: Partial<RawLink>, wanted: readonly string[] | undefined): { type: number; names: string[] }[] {
  if (!wanted) return []
  const present = raw.propList ?? []
  const gone = present.filter(name => !wanted.includes(name))
  const added = wanted.filter(name => !present.includes(name))
  return [
    { type: rtm.delLinkprop, names: gone },
    { type: rtm.newLinkprop, names: added },
  ].filter(({ names }) => names.length > 0)
}
