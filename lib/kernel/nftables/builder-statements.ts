// Statements in the rule language: what is done with a packet, and what is counted, limited and remembered on the way.
import { type AnyField, address, type Computed, ports, type RangeOf, type SetName, toExpression } from './builder-field.js'
import type { Port } from './builder-headers.js'
import type { icmpCodeNames, icmpv6CodeNames, icmpxCodeNames } from './datatype-names.js'
import type { Expression, PrefixExpression } from './expression.js'
import type { AddressFamily, ByteUnit, LogFlag, LogLevel, NatFlag, QueueFlag, TimeUnit } from './fields.js'
import type * as S from './statement.js'

export const accept = { accept: null } as const
export const drop = { drop: null } as const
export const continueVerdict = { continue: null } as const
export const returnVerdict = { return: null } as const
export const notrack = { notrack: null } as const
/** Goes through another chain, and comes back. */
export const jump = (target: string) => ({ jump: { target } }) as const
/** Goes on in another chain. */
export const goto = (target: string) => ({ goto: { target } }) as const

const defined = <T extends object>(value: T) =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> }
const orNull = <T extends object>(value: T): T | null => (Object.keys(value).length > 0 ? value : null)
const list = <T>(flags: T | readonly T[] | undefined) => {
  const all = flags === undefined ? [] : ([flags].flat() as T[])
  return all.length === 0 ? undefined : all.length === 1 ? (all[0] as T) : all
}
/** The name of an object of the table, or a map that leads to one. */
type Reference = string | Computed
const named = (name: Reference): Expression => (typeof name === 'string' ? name : toExpression(name))

/** Counts packets and bytes, from 0 or from what is given (null: as nft says it of elements that are yet to come); `counter.named('x')` counts with an object of the table. */
export const counter = Object.assign(
  (start: S.CounterValue | null = { packets: 0, bytes: 0 }): S.CounterStatement => ({ counter: start }),
  {
    named: (name: Reference): S.CounterStatement => ({ counter: named(name) }),
  },
)

type Bytes = `${number} ${ByteUnit}`
const bytes = (text: Bytes) => {
  const [count, unit] = text.split(' ')
  return [Number(count), unit as ByteUnit] as const
}
/** Holds while no more bytes than that came by, or with `over` when more did: `quota('500 mbytes', { over: true })`. */
export const quota = Object.assign(
  (amount: Bytes, { over = false, used }: { over?: boolean; used?: Bytes } = {}): S.QuotaStatement => {
    const [val, val_unit] = bytes(amount)
    const spent = used === undefined ? {} : { used: bytes(used)[0], used_unit: bytes(used)[1] }
    return { quota: { val, val_unit, ...(over ? { inv: true } : {}), ...spent } }
  },
  { named: (name: Reference): S.QuotaStatement => ({ quota: named(name) }) },
)

type Rate = `${number}/${TimeUnit}` | `${number} ${ByteUnit}/${TimeUnit}`
export interface LimitOptions {
  /** Packets that may come at once (5 by default), or bytes as '9000 kbytes'. */
  readonly burst?: number | Bytes
  /** Holds when more come, not while fewer do. */
  readonly over?: boolean
}
/** Holds while packets come no faster: `limit('25/second', { burst: 50 })`, `limit('10 mbytes/second')`. */
export const limit = Object.assign(
  (rate: Rate, { burst, over = false }: LimitOptions = {}): S.LimitStatement => {
    const [amount = '', per] = rate.split('/') as [string, TimeUnit]
    const inverse = over ? { inv: true } : {}
    if (!amount.includes(' ')) {
      const packets = typeof burst === 'string' ? bytes(burst)[0] : (burst ?? 5)
      return { limit: { rate: Number(amount), burst: packets, per, ...inverse } }
    }
    const [count, unit] = bytes(amount as Bytes)
    const more =
      burst === undefined
        ? {}
        : typeof burst === 'number'
          ? { burst, burst_unit: 'bytes' as const }
          : { burst: bytes(burst)[0], burst_unit: bytes(burst)[1] }
    return { limit: { rate: count, ...more, per, rate_unit: unit, ...inverse } }
  },
  { named: (name: Reference): S.LimitStatement => ({ limit: named(name) }) },
)

export interface LogOptions {
  readonly prefix?: string
  /** Who listens, by the number of the group; the kernel's log otherwise. */
  readonly group?: number
  readonly snaplen?: number
  readonly queueThreshold?: number
  readonly level?: LogLevel
  readonly flags?: LogFlag | readonly LogFlag[]
}
export const log = ({ prefix, group, snaplen, queueThreshold, level, flags }: LogOptions = {}): S.LogStatement => ({
  log: orNull(defined({ prefix, group, snaplen, 'queue-threshold': queueThreshold, level, flags: list(flags) })),
})

export interface RejectCodes {
  icmp: keyof typeof icmpCodeNames
  icmpv6: keyof typeof icmpv6CodeNames
  icmpx: keyof typeof icmpxCodeNames
}
/** Drops and says so: `reject('tcp reset')`, `reject('icmpx', 'admin-prohibited')`, or as the family does it. */
export function reject<T extends keyof RejectCodes>(type?: 'tcp reset' | T, code?: RejectCodes[T]): S.RejectStatement {
  if (type === undefined) return { reject: null }
  return { reject: code === undefined ? { type } : { type, expr: code } }
}

/** An address, a prefix or a range as text, or what a map gives. */
type Target = string | RangeOf<string> | PrefixExpression | Computed
type PortTarget = Port | RangeOf<number> | Computed
export interface PortNatOptions {
  readonly port?: PortTarget
  readonly flags?: NatFlag | readonly NatFlag[]
}
export interface NatOptions extends PortNatOptions {
  /** '10.0.0.2', '10.0.0.2-10.0.0.9', or `tcp.dport.map(…)`. */
  readonly to?: Target
  /** Must be said in tables of family inet. */
  readonly family?: AddressFamily
  /** Replaces a prefix by another, and keeps the rest of the address. */
  readonly prefix?: boolean
}
const nat = ({ to, family, port, flags, prefix = false }: NatOptions): S.NatValue =>
  defined({
    family,
    addr: to === undefined ? undefined : toExpression(to, address),
    port: port === undefined ? undefined : toExpression(port, ports),
    flags: list([...(prefix ? ['netmap' as const] : []), ...([flags ?? []].flat() as NatFlag[])]),
    type_flags: prefix ? ('prefix' as const) : undefined,
  }) as S.NatValue
const portNat = (options: PortNatOptions): S.PortNatValue | null => orNull(nat(options))

export const snat = (options: NatOptions): S.NatStatement => ({ snat: nat(options) })
/** `dnat({ to: '10.0.0.2', port: 8080 })` */
export const dnat = (options: NatOptions): S.NatStatement => ({ dnat: nat(options) })
export const masquerade = (options: PortNatOptions = {}): S.NatStatement => ({ masquerade: portNat(options) })
export const redirect = (options: PortNatOptions = {}): S.NatStatement => ({ redirect: portNat(options) })
export const tproxy = ({ family, to, port }: Pick<NatOptions, 'family' | 'to' | 'port'>): S.TproxyStatement => ({
  tproxy: nat(defined({ family, to, port })),
})

export interface SynproxyOptions {
  readonly mss?: number
  readonly wscale?: number
  readonly timestamp?: boolean
  readonly sackPerm?: boolean
}
export const synproxy = Object.assign(
  ({ mss, wscale, timestamp, sackPerm }: SynproxyOptions = {}): S.SynproxyStatement => {
    const flags = [...(timestamp ? (['timestamp'] as const) : []), ...(sackPerm ? (['sack-perm'] as const) : [])]
    return { synproxy: orNull(defined({ mss, wscale, flags: flags.length > 0 ? flags : undefined })) }
  },
  { named: (name: Reference): S.SynproxyStatement => ({ synproxy: named(name) }) },
)

/** Hands the packet to a program that listens at the queue, or at one of a range of queues. */
export const queue = ({
  to,
  flags,
}: {
  to?: number | RangeOf<number> | Computed
  flags?: QueueFlag | readonly QueueFlag[]
} = {}): S.QueueStatement => ({
  queue: orNull(defined({ num: to === undefined ? undefined : toExpression(to), flags: list(flags) })),
})
/** Sends a copy: to an address, or in family netdev out of a device. */
export const dup = (to: Target, device?: string | Computed): S.DupStatement => ({
  dup: defined({ addr: toExpression(to), dev: device === undefined ? undefined : toExpression(device) }) as S.DupStatement['dup'],
})
/** Sends the packet itself out of a device, in family netdev; with an address, to that neighbour. */
export const fwd = (device: string | Computed, { family, addr }: { family?: AddressFamily; addr?: Target } = {}): S.FwdStatement => ({
  fwd: defined({ dev: toExpression(device), family, addr: addr === undefined ? undefined : toExpression(addr) }) as S.FwdStatement['fwd'],
})

export interface FillOptions {
  /** Seconds that the element stays. */
  readonly timeout?: number
  /** What each element gets: a limit, a counter, ct.count(…). */
  readonly each?: S.Statement | readonly S.Statement[]
  /** What the element leads to, if the name is a map's. */
  readonly data?: AnyField | string | number
}
const fill =
  (op: 'add' | 'update' | 'delete') =>
  (name: SetName, key: AnyField, { timeout, each, data }: FillOptions = {}): S.SetStatement | S.MapStatement => {
    const elem: Expression = timeout === undefined ? key.expression : { elem: { val: key.expression, timeout } }
    const stmt = each === undefined ? {} : { stmt: [each].flat() as S.Statement[] }
    return data === undefined
      ? { set: { op, elem, set: name, ...stmt } }
      : { map: { op, elem, data: toExpression(data), map: name, ...stmt } }
  }
/** Puts what the packet says into a set: `add('@seen', ip.saddr, { timeout: 60 })`. */
export const add = fill('add')
/** Puts it in, or begins its time anew. */
export const update = fill('update')
/** Takes it out. */
export const remove = fill('delete')
/** A set that a rule makes for itself, as older rule sets have it. */
export const meter = (
  name: string,
  key: AnyField,
  each: S.Statement,
  { size, timeout }: { size?: number; timeout?: number } = {},
): S.MeterStatement => {
  const elem: Expression = timeout === undefined ? key.expression : { elem: { val: key.expression, timeout } }
  return { meter: defined({ key: elem, stmt: each, size, name }) as S.MeterStatement['meter'] }
}
/** Hands the connection to a flowtable. */
export const flow = (flowtable: SetName): S.FlowStatement => ({ flow: { op: 'add', flowtable } })
/** Remembers when the last packet came by. */
export const last = (): S.LastStatement => ({ last: null })
/** Takes a TCP option out of the packet. */
export const reset = (option: AnyField): S.ResetStatement => ({ reset: option.expression })
