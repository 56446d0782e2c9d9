// Statements of nftables rules as plain data, in the schema of libnftables-json(5).
import type { Expression, SetExpression, Verdict } from './expression.js'
import type {
  AddressFamily,
  ByteUnit,
  LogFlag,
  LogLevel,
  MatchOperator,
  NatFlag,
  QueueFlag,
  RejectType,
  SynproxyFlag,
  TimeUnit,
} from './fields.js'

/** One step of a rule: each is tried in turn; a match that does not hold ends the rule. */
export type Statement =
  | Verdict
  | MatchStatement
  | CounterStatement
  | MangleStatement
  | QuotaStatement
  | LimitStatement
  | FwdStatement
  | DupStatement
  | NatStatement
  | RejectStatement
  | SetStatement
  | MapStatement
  | LogStatement
  | CtHelperStatement
  | CtTimeoutStatement
  | CtExpectationStatement
  | CtCountStatement
  | MeterStatement
  | QueueStatement
  | VmapStatement
  | XtStatement
  | NotrackStatement
  | TproxyStatement
  | SynproxyStatement
  | FlowStatement
  | LastStatement
  | SecmarkStatement
  | ResetStatement
  | UnknownStatement

/** Goes on if the left side compares so with the right one. */
export interface MatchStatement {
  readonly match: { readonly op: MatchOperator; readonly left: Expression; readonly right: Expression }
}
export interface CounterValue {
  readonly packets: number
  readonly bytes: number
}
/** Counts; a string is the name of a counter object, null a counter that begins with 0. */
export interface CounterStatement {
  readonly counter: CounterValue | Expression | null
}
/** Changes a part of the packet, a mark, or something of its connection. */
export interface MangleStatement {
  readonly mangle: { readonly key: Expression; readonly value: Expression }
}
export interface QuotaValue {
  readonly val: number
  /** 'bytes' by default. */
  readonly val_unit?: ByteUnit
  readonly used?: number
  readonly used_unit?: ByteUnit
  /** Holds when the quota is exceeded, not while it lasts. */
  readonly inv?: boolean
}
/** A quota, or the name of a quota object. */
export interface QuotaStatement {
  readonly quota: QuotaValue | Expression
}
export interface LimitValue {
  readonly rate: number
  /** 'packets' by default. */
  readonly rate_unit?: 'packets' | ByteUnit
  /** 'second' by default. */
  readonly per?: TimeUnit
  /** Packets (5 by default), or bytes as `burst_unit` says (0 by default). */
  readonly burst?: number
  readonly burst_unit?: ByteUnit
  /** Holds when the limit is exceeded, not while it is kept. */
  readonly inv?: boolean
}
/** A limit, or the name of a limit object. */
export interface LimitStatement {
  readonly limit: LimitValue | Expression
}
/** Sends the packet out of another device (family netdev). */
export interface FwdStatement {
  readonly fwd: { readonly dev: Expression; readonly family?: AddressFamily; readonly addr?: Expression }
}
/** Sends a copy. */
export interface DupStatement {
  readonly dup: { readonly addr: Expression; readonly dev?: Expression }
}

/** Flags are a string if there is one, a list if there are several. */
type Flags<F extends string> = F | readonly F[]
export interface NatValue {
  readonly addr?: Expression
  readonly family?: AddressFamily
  readonly port?: Expression
  readonly flags?: Flags<NatFlag>
  /** What a map gives: 'interval' for ranges, 'prefix' where prefixes replace prefixes. */
  readonly type_flags?: Flags<'interval' | 'prefix' | 'concat'>
}
export interface PortNatValue {
  readonly port?: Expression
  readonly flags?: Flags<NatFlag>
}
export type NatStatement =
  | { readonly snat: NatValue }
  | { readonly dnat: NatValue }
  | { readonly masquerade: PortNatValue | null }
  | { readonly redirect: PortNatValue | null }
export interface RejectStatement {
  readonly reject: { readonly type?: RejectType; readonly expr?: Expression } | null
}
/** Adds to a named set, or takes out of it, what the packet says; `stmt` is what each element gets. */
export interface SetStatement {
  readonly set: {
    readonly op: 'add' | 'update' | 'delete'
    readonly elem: Expression
    readonly set: string
    readonly stmt?: readonly Statement[]
  }
}
export interface MapStatement {
  readonly map: {
    readonly op: 'add' | 'update' | 'delete'
    readonly elem: Expression
    readonly data: Expression
    readonly map: string
    readonly stmt?: readonly Statement[]
  }
}
export interface LogValue {
  readonly prefix?: string
  readonly group?: number
  readonly snaplen?: number
  readonly 'queue-threshold'?: number
  /** 'warn' by default. */
  readonly level?: LogLevel
  readonly flags?: Flags<LogFlag>
}
export interface LogStatement {
  readonly log: LogValue | null
}
/** Names of `ct helper`, `ct timeout` and `ct expectation` objects, or maps that give them. */
export interface CtHelperStatement {
  readonly 'ct helper': Expression
}
export interface CtTimeoutStatement {
  readonly 'ct timeout': Expression
}
export interface CtExpectationStatement {
  readonly 'ct expectation': Expression
}
/** Holds while there are no more connections than that, with `inv` when there are more. */
export interface CtCountStatement {
  readonly 'ct count': { readonly val: number; readonly inv?: boolean }
}
/** The older form of a set that a rule fills: as nft prints sets which `meter` made. */
export interface MeterStatement {
  readonly meter: { readonly name?: string; readonly key: Expression; readonly stmt: Statement; readonly size?: number }
}
export interface QueueStatement {
  readonly queue: { readonly num?: Expression; readonly flags?: Flags<QueueFlag> } | null
}
/** The verdict that a map gives for a key. */
export interface VmapStatement {
  readonly vmap: { readonly key: Expression; readonly data: SetExpression | string }
}
/**
 * A match or target of iptables-nft that has no counterpart: readable and deletable, and kept byte for byte.
 * nft itself prints only the type and the name, and null before 1.0.7.
 */
export interface XtStatement {
  readonly xt: {
    readonly type: 'match' | 'target' | 'watcher'
    readonly name: string
    readonly revision?: number
    /** The extension's own structure, in hexadecimal digits. */
    readonly info?: string
  } | null
}
export interface NotrackStatement {
  readonly notrack: null
}
export interface TproxyStatement {
  readonly tproxy: { readonly family?: AddressFamily; readonly addr?: Expression; readonly port?: Expression }
}
/** Answers for the server until the handshake is done; a string is the name of a synproxy object. */
export interface SynproxyStatement {
  readonly synproxy: { readonly mss?: number; readonly wscale?: number; readonly flags?: Flags<SynproxyFlag> } | Expression | null
}
/** Hands the connection to a flowtable, named with '@'. */
export interface FlowStatement {
  readonly flow: { readonly op: 'add'; readonly flowtable: string }
}
/** Remembers when a packet came this far; `used` in milliseconds. */
export interface LastStatement {
  readonly last: { readonly used?: number } | null
}
export interface SecmarkStatement {
  readonly secmark: Expression
}
/** Takes a TCP option out of the packet. */
export interface ResetStatement {
  readonly reset: Expression
}
/** An expression of the kernel that this library has no words for: kept byte for byte. */
export interface UnknownStatement {
  readonly unknown: {
    /** The kernel's name for it. */
    readonly name: string
    /** Its attributes, in hexadecimal digits. */
    readonly data: string
  }
}
