// A link as callers see it, out of the kernel's description.
import type { Attributes, Decoded } from '../codec/codec.js'
import { constantOf, pick } from '../codec/table.js'
import { type LinkTable, link as linkTable } from '../protocol/link.js'
import { linkFlags } from '../protocol/link-base.js'
import { rtm } from '../protocol/rtnetlink.js'
import { isKind, isPlain, type Kind, type PlainKind, portRule, ruleOf } from './link-kinds.js'
import { fromWire, type OptionsRead, type Port } from './link-options.js'
import type { RawLink } from './scope.js'

export interface LinkCommon {
  readonly index: number
  readonly name: string
  readonly altNames: readonly string[]
  /** 'ether', 'loopback', 'none' … or a number (ARPHRD_, linux/if_arp.h). */
  readonly type: string
  readonly mac?: string
  readonly broadcast?: string
  /** Largest payload of a frame, in bytes. */
  readonly mtu: number
  /** Set up by the administrator (IFF_UP). */
  readonly up: boolean
  /** The other end, or the medium, is there. */
  readonly carrier: boolean
  /** 'up', 'down', 'unknown', 'lowerLayerDown' … (RFC 2863). */
  readonly operState: string
  /** The flags word by the kernel's names less IFF_: 'UP', 'BROADCAST', 'LOWER_UP' … */
  readonly flags: readonly string[]
  /** ifindex of the bridge that this is a port of. */
  readonly master?: number
  /** ifindex of the device below, or of a veth's peer; in another namespace when `linkNsid` is there. */
  readonly link?: number
  /** The number under which this namespace knows the one that `link` is in. */
  readonly linkNsid?: number
  readonly group: number
  readonly txQueueLength: number
  readonly txQueues: number
  readonly rxQueues: number
  readonly qdisc?: string
  /** The kernel refuses to move it to another namespace. */
  readonly netnsImmutable: boolean
  readonly alias?: string
  /** Counters since the link was made: from get() and find(), and from list() when asked for. */
  readonly statistics?: Readonly<Record<StatisticsField, number>>
  readonly port?: Port
}
type StatisticsField = keyof NonNullable<RawLink['stats64']>

/** A link: its kind says what `options` hold. Hardware and loopback have no kind. */
export type Link = LinkCommon &
  (
    | { [K in Kind]: K extends PlainKind ? { readonly kind: K } : { readonly kind: K; readonly options: OptionsRead<K> } }[Kind]
    | { readonly kind?: `other:${string}` | undefined; readonly options?: Uint8Array }
  )
export type LinkOf<K> = K extends `other:${string}`
  ? LinkCommon & { readonly kind: K; readonly options?: Uint8Array }
  : Extract<Link, { readonly kind: K }>

/** ARPHRD_*, linux/if_arp.h, in `ip`'s words. */
const hardwareTypes: Readonly<Record<number, string>> = {
  1: 'ether',
  768: 'ipip',
  769: 'tunnel6',
  772: 'loopback',
  776: 'sit',
  778: 'gre',
  823: 'gre6',
  65534: 'none',
}

/** What a Link is made of; all else that the kernel tells is passed over. */
const attributes = [
  'ifname',
  'propList',
  'address',
  'broadcast',
  'mtu',
  'carrier',
  'operstate',
  'group',
  'txqlen',
  'numTxQueues',
  'numRxQueues',
  'netnsImmutable',
  'linkinfo',
  'master',
  'link',
  'linkNetnsid',
  'qdisc',
  'ifalias',
] as const
type Picked<N extends keyof LinkTable['entries']> = Attributes<Pick<LinkTable['entries'], N>, LinkTable['headerFields']>
interface DescribedTable extends Picked<(typeof attributes)[number]> {}
interface CountedTable extends Picked<(typeof attributes)[number] | 'stats64'> {}
const described: DescribedTable = pick(linkTable, attributes)
const counted: CountedTable = pick(linkTable, [...attributes, 'stats64'])
/** The answers that toLink() takes. */
export const linkReplies = {
  plain: { type: rtm.newLink, codec: described },
  withStatistics: { type: rtm.newLink, codec: counted },
} as const
export type DescribedLink = Decoded<typeof described> & Pick<RawLink, 'stats64'>

type Mutable = { -readonly [K in keyof LinkCommon]?: LinkCommon[K] | undefined } & { kind?: string; options?: unknown }

/** A link as callers see it. Field by field, because lists of ten thousand are read with it. */
export function toLink(raw: DescribedLink, statistics = false): Link {
  const { linkinfo, flags } = raw
  const kind = linkinfo?.kind
  const rule = ruleOf(kind)
  const data = linkinfo?.data
  const own = rule.lowerAttribute && data ? (data as Readonly<Record<string, unknown>>)[rule.lowerAttribute] : undefined
  // The kernel gives a device without a lower one as its own.
  const below = own || (raw.link === raw.index && raw.linkNetnsid === undefined ? undefined : raw.link)
  const link: Mutable = {
    index: raw.index,
    name: raw.ifname ?? '',
    altNames: raw.propList ?? [],
    type: hardwareTypes[raw.type] ?? String(raw.type),
    mtu: raw.mtu ?? 0,
    up: flags.up === true,
    carrier: raw.carrier === true,
    operState: String(raw.operstate ?? 'unknown'),
    flags: flagNames(flags),
    group: raw.group ?? 0,
    txQueueLength: raw.txqlen ?? 0,
    txQueues: raw.numTxQueues ?? 0,
    rxQueues: raw.numRxQueues ?? 0,
    netnsImmutable: raw.netnsImmutable ?? (flags.loopback === true || rule.netnsImmutable === true),
  }
  if (kind !== undefined) link.kind = kind
  if (data instanceof Uint8Array) link.options = data
  else if (isKind(kind) && !isPlain(kind)) link.options = fromWire(rule, data ?? {})
  if (raw.address !== undefined) link.mac = raw.address
  if (raw.broadcast !== undefined) link.broadcast = raw.broadcast
  if (raw.master) link.master = raw.master
  if (below) link.link = below as number
  if (raw.linkNetnsid !== undefined) link.linkNsid = raw.linkNetnsid
  if (raw.qdisc !== undefined) link.qdisc = raw.qdisc
  if (raw.ifalias !== undefined) link.alias = raw.ifalias
  if (statistics && raw.stats64) link.statistics = raw.stats64
  if (linkinfo?.slaveKind === 'bridge') link.port = fromWire(portRule, linkinfo.slaveData ?? {}) as Port
  return link as Link
}

/** IFF_ names by those of the table. */
const flagWords = Object.fromEntries(Object.keys(linkFlags).map(name => [name, constantOf('', name).slice(1)]))

/** Written over the names of the table, so that the array is no longer than it has to be. */
function flagNames(flags: RawLink['flags']): string[] {
  const names = Object.keys(flags)
  for (const [i, name] of names.entries()) names[i] = flagWords[name] ?? name.toUpperCase()
  return names
}
