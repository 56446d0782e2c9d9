// The verbs on links of one namespace: create, get, find, list, update, move, delete, and the peer of a veth.
import { argumentError, shown } from '../codec/errors.js'
import type { NamespaceInfo } from '../namespace/info.js'
import { checkInterfaceName } from '../namespace/names.js'
import type { NamespaceSource } from '../namespace/source.js'
import { link as linkTable } from '../protocol/link.js'
import { rtm } from '../protocol/rtnetlink.js'
import { NetloomError } from '../socket/error.js'
import type { Context, Request } from '../socket/request.js'
import { type Check, checkOptions, isBoolean, isLink, isSignal, lacking } from './arguments.js'
import { blame } from './link-blame.js'
import { createLink } from './link-create.js'
import { indexAt } from './link-index.js'
import { changeIpv6 } from './link-ipv6.js'
import { isKind, isPlain, type Kind } from './link-kinds.js'
import { fieldOf, kindAttributes, type LinkMessage, plainAttributes, portAttributes } from './link-message.js'
import { moveLink } from './link-move.js'
import { type DescribedLink, type Link, type LinkOf, linkReplies, toLink } from './link-object.js'
import { checkChange, type LinkChange, type LinkCreate, type LinkCreateOf, type OtherKind } from './link-request.js'
import { iterateAll, listAll } from './listing.js'
import { type Peer, PeerFinder } from './peer.js'
import { type LinkRef, lookup, nameOf, type RawLink, type Scope, scopeFor, skipProtocolStatistics } from './scope.js'

export interface LinkFilter<K extends Kind | OtherKind = Kind | OtherKind> {
  readonly kind?: K
  /** Only ports of this bridge. */
  readonly master?: LinkRef
  /** Counters too. */
  readonly statistics?: boolean
  readonly signal?: AbortSignal
}
/** What create() gives: the link, and for a veth its other end. */
export type CreatedLink<K extends Kind | OtherKind> = LinkOf<K> & (K extends 'veth' ? { readonly peer: KnownPeer } : unknown)
type KnownPeer = Peer & { readonly namespace: NamespaceInfo }

type ListedLink<K extends Kind | OtherKind> = Kind | OtherKind extends K ? Link : LinkOf<K>

type OneByOne = ReturnType<typeof linkVerbs>
/** The verbs of namespace.links. What works on many at once is added by lib/plan, which rests on this layer. */
export interface LinkVerbs extends OneByOne {}

export function linkVerbs(scope: Scope) {
  const peers = new PeerFinder(scope)

  const context = (operation: string, ref: LinkRef, more: Partial<Context> = {}): Context => ({
    operation,
    subject: nameOf(ref),
    namespace: scope.label,
    hints: missing,
    ...more,
  })
  const message = (value: LinkMessage, about: Context, type: number = rtm.newLink): Request<typeof linkTable> => ({
    type,
    codec: linkTable,
    value,
    context: about,
  })

  async function listing<K extends Kind | OtherKind>(filter: LinkFilter<K>) {
    checkOptions(filter, { kind: isKnown, master: isLink, statistics: isBoolean, signal: isSignal })
    const { kind, master, statistics = false, signal } = filter
    const about: Context = { operation: 'list links', namespace: scope.label, hints: missing }
    const bridge = master === undefined ? undefined : await indexAt(scope, master, about, 'master')
    const value = {
      ...(!statistics && { extMask: skipProtocolStatistics }),
      ...(bridge === undefined ? {} : { master: bridge }),
      ...(kind === undefined ? {} : { linkinfo: { kind } }),
    } as LinkMessage
    return {
      requests: [{ ...message(value, about, rtm.getLink), signal }],
      reply: statistics ? linkReplies.withStatistics : linkReplies.plain,
      // A kind that the kernel has not loaded filters nothing there, so the answer is looked through once more.
      choose: (raw: DescribedLink) =>
        (kind === undefined || raw.linkinfo?.kind === kind) && (bridge === undefined || raw.master === bridge)
          ? (toLink(raw, statistics) as ListedLink<K>)
          : undefined,
    }
  }

  return {
    /**
     * Makes a link, all of it or nothing. Gives it as the kernel then describes it; a veth with its `peer`.
     *
     * Errors: EEXIST the name is taken; EOPNOTSUPP this kernel has no such kind; ENODEV no such master or lower device; EXFULL the bridge has
     * 1,023 ports; EPERM without CAP_NET_ADMIN; with `path` for the option that the kernel refused.
     */
    create<const K extends Kind | OtherKind>(spec: { readonly kind: K } & LinkCreateOf<K>): Promise<CreatedLink<K>> {
      return createLink(scope, spec as LinkCreate, async ({ link, peer }) => {
        const created: Link = toLink(link)
        if (!peer) return created as CreatedLink<K>
        await peers.learn(link, peer.scope)
        const both: Link = Object.assign(created, { peer: await peers.describe(toLink(peer.link), peer.scope) })
        return both as CreatedLink<K>
      })
    },

    /** The link of that name or index; throws ENODEV. With its counters. */
    async get(link: LinkRef): Promise<Link> {
      return toLink(await scope.readLink(link, linkReplies.withStatistics, { hints: missing }, true), true)
    },

    /** The link of that name or index, or undefined. */
    async find(link: LinkRef): Promise<Link | undefined> {
      try {
        return toLink(await scope.readLink(link, linkReplies.withStatistics, {}, true), true)
      } catch (error) {
        if (error instanceof NetloomError && error.code === 'ENODEV') return undefined
        throw error
      }
    },

    /** All links, or those of a kind or a bridge; the kernel does the choosing. */
    async list<const K extends Kind | OtherKind = Kind | OtherKind>(filter: LinkFilter<K> = {}): Promise<ListedLink<K>[]> {
      return listAll(scope, await listing(filter))
    },

    /** As list(), one by one and in bounded memory: the kernel waits for the reader. Links that come and go meanwhile may be missed. */
    iterate<const K extends Kind | OtherKind = Kind | OtherKind>(filter: LinkFilter<K> = {}): AsyncIterableIterator<ListedLink<K>, void> {
      return iterateAll(scope, () => listing(filter))
    },

    /** Changes what is given, and that only. Not atomic: after an error the fields before the refused one may have changed. */
    async update(link: LinkRef, change: LinkChange): Promise<void> {
      checkChange(change)
      const { master, options, port, altNames, ipv6, up } = change
      const about = context('update link', link, {
        hints: {
          ...missing,
          EEXIST: 'a link of that name or alternative name is there already',
          EXFULL: 'a bridge has at most 1,023 ports: use another bridge',
          ENETDOWN:
            port?.state === undefined
              ? 'the device that it sits on is down: it has to be up first'
              : 'the state of a port can be set only while it is up and has a carrier',
          ...(change.name !== undefined && { EBUSY: 'Linux before 6.2 renames a link only while it is down: set up: false first' }),
          ...(port && { ERANGE: 'the cost of a port is 1 to 65535, its priority 0 to 63' }),
          ...(port && { EOPNOTSUPP: 'only a port of a bridge has such settings: give its master too' }),
        },
      })
      const needed = options !== undefined || altNames !== undefined || ipv6 !== undefined
      const raw: Pick<RawLink, 'index'> & Partial<RawLink> = needed
        ? await scope.getLink(link, about)
        : { index: await scope.indexOf(link, about) }
      const { index } = raw
      const kind = raw.linkinfo?.kind
      const here = { ...about, field: fieldOf(kind) }
      const plain: LinkMessage = {
        ...plainAttributes(change),
        ...(master === undefined ? {} : { master: master === null ? 0 : await indexAt(scope, master, here, 'master') }),
        ...(up === undefined ? {} : { flags: { up } }),
        ...(options === undefined ? {} : { linkinfo: kindAttributes({ kind: kindWithOptions(kind), options }) }),
      }
      const requests = [
        ...(Object.keys(plain).length ? [message({ ...plain, index }, here)] : []),
        ...(port && Object.keys(port).length ? [message({ index, linkinfo: portAttributes(port, 'port') }, here)] : []),
        ...altNameChanges(raw, altNames).map(({ type, names }) => message({ index, propList: names }, here, type)),
      ]
      // Before the link comes up.
      if (ipv6 !== undefined) await changeIpv6(scope, raw as RawLink, ipv6, here)
      const connection = await scope.connection()
      try {
        for (const request of requests) await connection.request(request)
      } catch (error) {
        throw await blame(error, [{ scope, fields: change, path: '', index }])
      }
    },

    /**
     * Moves a link to another namespace, where it is down and has no addresses; `name` gives it another name there.
     *
     * Errors: EINVAL for links that belong to their namespace, as `lo` and bridges do (`netnsImmutable`); EEXIST the name is taken there.
     */
    async move(link: LinkRef, to: NamespaceSource, options: { readonly name?: string } = {}): Promise<void> {
      checkOptions(options, { name: value => void checkInterfaceName(value) }, 'options')
      if (to === undefined) throw lacking('to', 'where it is to go must be said')
      const target = await scopeFor(scope, to, 'to')
      try {
        await moveLink(scope, link, target.scope, options.name)
      } finally {
        target.release()
      }
    },

    /** Removes a link; of a veth both ends. Throws ENODEV if there is none. */
    async delete(link: LinkRef): Promise<void> {
      const connection = await scope.connection()
      const hints = { ...missing, EOPNOTSUPP: 'lo, and the devices that modules put into each namespace (tunl0, sit0 …), go with it only' }
      await connection.request(message(lookup(link), context('delete link', link, { hints }), rtm.delLink))
    },

    /** The other end of a veth, in whatever namespace it is; undefined for links that have none. */
    peer(link: LinkRef): Promise<Peer | undefined> {
      return peers.find(link)
    },
  }
}

const missing = { ENODEV: 'links.list() says which links there are' }
const isKnown: Check = kind => {
  if (!isKind(kind) && !(typeof kind === 'string' && /^other:./.test(kind)))
    throw argumentError('ERR_NETLOOM_UNKNOWN_KIND', `${shown(kind)} is not a kind that netloom knows; links of others are 'other:…'`)
}

function kindWithOptions(kind: string | undefined): string {
  if (kind !== undefined && !isPlain(kind)) return kind
  const which = kind === undefined ? 'a link without a kind, as lo and hardware,' : `a ${kind}`
  throw argumentError('ERR_NETLOOM_INVALID_OPTION', `${which} has no options of its own`, 'options')
}

/** The messages that make the alternative names of a link those that are wanted. */
function altNameChanges(raw: Partial<RawLink>, wanted: readonly string[] | undefined): { type: number; names: string[] }[] {
  if (!wanted) return []
  const present = raw.propList ?? []
  const gone = present.filter(name => !wanted.includes(name))
  const added = wanted.filter((name, i) => !present.includes(name) && wanted.indexOf(name) === i)
  // When one of the new names is refused, those by which the link is known are still there.
  return [
    { type: rtm.newLinkprop, names: added },
    { type: rtm.delLinkprop, names: gone },
  ].filter(({ names }) => names.length > 0)
}
