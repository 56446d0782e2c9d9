// A link as callers see it, out of the kernel's description.
import { constantOf } from '../codec/table.js'
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

export function toLink(raw: RawLink, statistics = false): Link {
  const { linkinfo } = raw
  const kind = linkinfo?.kind
  const rule = ruleOf(kind)
  const data = linkinfo?.data
  const options = data instanceof Uint8Array ? data : isKind(kind) && !isPlain(kind) ? fromWire(rule, data ?? {}) : undefined
  const port = linkinfo?.slaveKind === 'bridge' ? fromWire(portRule, linkinfo.slaveData ?? {}) : undefined
  const own = rule.lowerAttribute && data ? (data as Readonly<Record<string, unknown>>)[rule.lowerAttribute] : undefined
  return {
    index: raw.index,
    name: raw.ifname ?? '',
    altNames: raw.propList ?? [],
    type: hardwareTypes[raw.type] ?? String(raw.type),
    mtu: raw.mtu ?? 0,
    up: raw.flags.up === true,
    carrier: raw.carrier === true,
    operState: String(raw.operstate ?? 'unknown'),
    flags: Object.keys(raw.flags).map(flag => constantOf('', flag).slice(1)),
    group: raw.group ?? 0,
    txQueueLength: raw.txqlen ?? 0,
    txQueues: raw.numTxQueues ?? 0,
    rxQueues: raw.numRxQueues ?? 0,
    netnsImmutable: raw.netnsImmutable ?? (raw.flags.loopback === true || rule.netnsImmutable === true),
    ...present({
      kind,
      options,
      mac: raw.address,
      broadcast: raw.broadcast,
      master: raw.master || undefined,
      // The kernel gives a device without a lower one as its own.
      link: own || (raw.link === raw.index && raw.linkNetnsid === undefined ? undefined : raw.link || undefined),
      linkNsid: raw.linkNetnsid,
      qdisc: raw.qdisc,
      alias: raw.ifalias,
      statistics: statistics ? raw.stats64 : undefined,
      port,
    }),
  } as Link
}

const present = (fields: Record<string, unknown>) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
