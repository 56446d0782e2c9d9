// What a watcher tells, and which multicast groups the kernel tells it by.
import type { NamespaceInfo } from '../namespace/info.js'
import { rtnetlinkGroups } from '../protocol/rtnetlink.js'
import type { Address } from './address-object.js'
import type { Link } from './link-object.js'
import type { Neighbour } from './neighbours.js'
import type { Route } from './route-object.js'

/** What can be watched, with what its events carry under the same name. */
export interface Watched {
  link: Link
  address: Address
  route: Route
  neighbour: Neighbour
  namespace: NamespaceInfo
}
export type WatchKind = keyof Watched
/**
 * 'reset': forget what you know; the present state follows as 'set' events, then 'ready', then changes as they happen. It comes at the start, and
 * again whenever the kernel had to drop events because they were not read in time.
 */
export type WatchEvent<K extends WatchKind = WatchKind> =
  | { readonly type: 'reset' }
  | { readonly type: 'ready' }
  | {
      [P in K]: { readonly type: P; readonly action: 'set' | 'delete'; readonly namespace: NamespaceInfo } & {
        readonly [Q in P]: Watched[Q]
      }
    }[K]

export interface WatchOptions {
  readonly signal?: AbortSignal | undefined
  /** Watch this namespace, and all that have a name under /run/netns, as they come and go. */
  readonly namespaces?: 'all' | undefined
  /** Bytes that the kernel may keep for a reader that is behind, before events are lost and all is read anew. */
  readonly receiveBuffer?: number | undefined
}

const groups = {
  link: [rtnetlinkGroups.link],
  address: [rtnetlinkGroups.ipv4Ifaddr, rtnetlinkGroups.ipv6Ifaddr],
  // Routes go without a word when their device goes down or their source address is removed.
  route: [rtnetlinkGroups.ipv4Route, rtnetlinkGroups.ipv6Route, rtnetlinkGroups.link, rtnetlinkGroups.ipv4Ifaddr],
  neighbour: [rtnetlinkGroups.neigh],
  namespace: [],
} satisfies Record<WatchKind, number[]>
export const watchKinds = Object.keys(groups) as WatchKind[]

/** The multicast groups that tell of the kinds. */
export const groupsOf = (kinds: readonly WatchKind[]): number[] => [...new Set(kinds.flatMap(kind => groups[kind]))]
