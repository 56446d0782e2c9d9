// Expressions of nftables rules as plain data, in the schema of libnftables-json(5).
import type {
  AddressFamily,
  BinaryOperator,
  CtDirection,
  CtKey,
  ExthdrFields,
  FibFlag,
  FibResult,
  IpOptionFields,
  IpsecKey,
  MetaKey,
  PayloadBase,
  PayloadFields,
  RtKey,
  SctpChunkFields,
  SocketKey,
  TcpOptionFields,
} from './fields.js'
import type { CounterValue, LimitValue, QuotaValue } from './statement.js'

/**
 * A value, or what is computed from a packet. A string that starts with '@' names a set, '*' is the wildcard; an array is a list, as of flags.
 */
export type Expression =
  | string
  | number
  | boolean
  | readonly Expression[]
  | ConcatExpression
  | SetExpression
  | MapExpression
  | PrefixExpression
  | RangeExpression
  | PayloadExpression
  | ExthdrExpression
  | TcpOptionExpression
  | IpOptionExpression
  | SctpChunkExpression
  | DccpOptionExpression
  | MetaExpression
  | RtExpression
  | CtExpression
  | NumgenExpression
  | JhashExpression
  | SymhashExpression
  | FibExpression
  | BinaryExpression
  | ElemExpression
  | SocketExpression
  | OsfExpression
  | IpsecExpression
  | Verdict

/** Several values as one key: `ip saddr . tcp dport`. */
export interface ConcatExpression {
  readonly concat: readonly Expression[]
}
/** A set without a name; of pairs, the mappings of a map. */
export interface SetExpression {
  readonly set: readonly SetMember[]
}
/** An element, or the key and value of a mapping. */
export type SetMember = Expression | readonly [Expression, Expression]
/** What a map gives for a key. */
export interface MapExpression {
  readonly map: { readonly key: Expression; readonly data: SetExpression | string }
}
export interface PrefixExpression {
  readonly prefix: { readonly addr: Expression; readonly len: number }
}
export interface RangeExpression {
  readonly range: readonly [Expression, Expression]
}

type FieldOf<Protocols> = { [P in keyof Protocols]: { readonly protocol: P; readonly field: Protocols[P] } }[keyof Protocols]
type PartOf<Headers> = { [N in keyof Headers]: { readonly name: N; readonly field?: Headers[N] } }[keyof Headers]

/** A header field by name. */
export type PayloadField = FieldOf<PayloadFields>
/** Bits of the packet by their place, in bits. */
export interface PayloadRaw {
  readonly base: PayloadBase
  readonly offset: number
  readonly len: number
}
/** A part of the packet: `{ protocol, field }` by name, `{ base, offset, len }` by its place. */
export interface PayloadExpression {
  readonly payload: PayloadField | PayloadRaw
}
/** A field of an IPv6 extension header; without one, whether the header is there. */
export interface ExthdrExpression {
  readonly exthdr: PartOf<ExthdrFields> & { readonly offset?: number }
}
/** A field of a TCP option; without one, whether the option is there; by numbers, any part of any option. */
export interface TcpOptionExpression {
  readonly 'tcp option': PartOf<TcpOptionFields> | { readonly base: number; readonly offset: number; readonly len: number }
}
/** A field of an IPv4 option; without one, whether the option is there. */
export interface IpOptionExpression {
  readonly 'ip option': PartOf<IpOptionFields>
}
/** A field of an SCTP chunk; without one, whether the chunk is there. */
export interface SctpChunkExpression {
  readonly 'sctp chunk': PartOf<SctpChunkFields>
}
/** Whether a DCCP option is there. */
export interface DccpOptionExpression {
  readonly 'dccp option': { readonly type: number }
}
export interface MetaExpression {
  readonly meta: { readonly key: MetaKey }
}
export interface RtExpression {
  readonly rt: { readonly key: RtKey; readonly family?: AddressFamily }
}
export interface CtExpression {
  readonly ct: { readonly key: CtKey; readonly dir?: CtDirection; readonly family?: AddressFamily }
}
export interface NumgenExpression {
  readonly numgen: { readonly mode: 'inc' | 'random'; readonly mod: number; readonly offset?: number }
}
export interface JhashExpression {
  readonly jhash: { readonly mod: number; readonly offset?: number; readonly seed?: number; readonly expr: Expression }
}
export interface SymhashExpression {
  readonly symhash: { readonly mod: number; readonly offset?: number }
}
/** What the routing table says about an address of the packet. */
export interface FibExpression {
  readonly fib: { readonly result: FibResult; readonly flags: FibFlag | readonly FibFlag[] }
}
type Binary = { [O in BinaryOperator]: { readonly [P in O]: readonly [Expression, Expression, ...Expression[]] } }
export type BinaryExpression = Binary[BinaryOperator]
/** An element with more than a value: times in seconds, a comment, what it counts. */
export interface ElemExpression {
  readonly elem: {
    readonly val: Expression
    readonly timeout?: number
    readonly expires?: number
    readonly comment?: string
    readonly counter?: CounterValue | null
    readonly quota?: QuotaValue
    readonly limit?: LimitValue
    readonly 'ct count'?: { readonly val: number; readonly inv?: boolean }
    readonly last?: { readonly used?: number } | null
  }
}
export interface SocketExpression {
  readonly socket: { readonly key: SocketKey; readonly level?: number }
}
export interface OsfExpression {
  readonly osf: { readonly key: 'name' | 'version'; readonly ttl?: 'loose' | 'skip' }
}
export interface IpsecExpression {
  readonly ipsec: { readonly key: IpsecKey; readonly dir: 'in' | 'out'; readonly family?: AddressFamily; readonly spnum?: number }
}

export type AcceptVerdict = { readonly accept: null }
export type DropVerdict = { readonly drop: null }
export type ContinueVerdict = { readonly continue: null }
export type ReturnVerdict = { readonly return: null }
export type JumpVerdict = { readonly jump: { readonly target: string } }
export type GotoVerdict = { readonly goto: { readonly target: string } }
/** What becomes of a packet; also the value of a verdict map. */
export type Verdict = AcceptVerdict | DropVerdict | ContinueVerdict | ReturnVerdict | JumpVerdict | GotoVerdict
