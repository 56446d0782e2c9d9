// What an nftables rule set consists of, as plain data in the schema of libnftables-json(5): tables, chains, rules, sets, counters and their like.
import type { Expression, SetMember } from './expression.js'
import type {
  AddressFamily,
  ByteUnit,
  ChainType,
  Family,
  Hook,
  Policy,
  SetFlag,
  SetPolicy,
  SynproxyFlag,
  TableFlag,
  TimeUnit,
} from './fields.js'
import type { Statement } from './statement.js'

interface InTable {
  readonly family: Family
  readonly table: string
}
/** Everything but rules has a name within its table; the kernel gives the handle. */
interface Named extends InTable {
  readonly name: string
  readonly handle?: number
  readonly comment?: string
}

export interface TableObject {
  readonly family: Family
  readonly name: string
  readonly handle?: number
  readonly flags?: TableFlag | readonly TableFlag[]
  readonly comment?: string
}
/** A base chain has type, hook and priority; a chain without them is jumped to. */
export interface ChainObject extends Named {
  readonly type?: ChainType
  readonly hook?: Hook
  /** Lower is earlier. */
  readonly prio?: number
  /** Devices of a chain at ingress or egress. */
  readonly dev?: string | readonly string[]
  readonly policy?: Policy
}
export interface RuleObject extends InTable {
  readonly chain: string
  readonly handle?: number
  readonly comment?: string
  readonly expr: readonly Statement[]
}
/** The type of a key by name ('ipv4_addr'), of a concatenation as a list, or by an expression that has it (`{ typeof: … }`, nft ≥ 1.1.1 in JSON). */
export type SetKeyType = string | readonly string[] | { readonly typeof: Expression }
export interface SetObject extends Named {
  readonly type: SetKeyType
  readonly policy?: SetPolicy
  readonly flags?: SetFlag | readonly SetFlag[]
  /** Seconds that an element stays. */
  readonly timeout?: number
  /** Seconds. */
  readonly 'gc-interval'?: number
  /** How many elements fit. */
  readonly size?: number
  readonly 'auto-merge'?: boolean
  /** What every new element gets: a counter, a limit, a quota … */
  readonly stmt?: readonly Statement[]
  readonly elem?: readonly SetMember[]
}
/** A set whose elements lead to a value: of a type by name, 'verdict' included, or of a kind of object. */
export interface MapObject extends SetObject {
  readonly map: SetKeyType
}
export interface ElementObject extends InTable {
  /** Of the set or map. */
  readonly name: string
  readonly elem: SetMember | readonly SetMember[]
}
export interface FlowtableObject extends Named {
  readonly hook?: 'ingress'
  readonly prio?: number
  readonly dev?: string | readonly string[]
  readonly flags?: 'offload' | 'counter' | readonly ('offload' | 'counter')[]
}
export interface CounterObject extends Named {
  readonly packets?: number
  readonly bytes?: number
}
export interface QuotaObject extends Named {
  readonly bytes: number
  readonly used?: number
  readonly inv?: boolean
}
export interface LimitObject extends Named {
  readonly rate: number
  readonly per?: TimeUnit
  readonly rate_unit?: 'packets' | ByteUnit
  readonly burst?: number
  readonly burst_unit?: ByteUnit
  readonly inv?: boolean
}
/** Protocols whose connections can be told apart, by name or number. */
export type ConnectionProtocol = 'tcp' | 'udp' | 'udplite' | 'dccp' | 'sctp' | 'gre' | 'icmp' | 'icmpv6' | 'ipv6-icmp' | 'generic' | number
/** Where a kind of connection can live; 'inet' is both. */
type ConnectionFamily = AddressFamily | 'inet'
export interface CtHelperObject extends Named {
  /** The kernel's helper: 'ftp', 'tftp', 'sip' … */
  readonly type: string
  readonly protocol: ConnectionProtocol
  readonly l3proto?: ConnectionFamily
}
export interface CtTimeoutObject extends Named {
  readonly protocol: ConnectionProtocol
  readonly l3proto?: ConnectionFamily
  /** Seconds by state ('established', 'syn_sent', 'replied' …). */
  readonly policy: Readonly<Record<string, number>> | null
}
export interface CtExpectationObject extends Named {
  readonly protocol: ConnectionProtocol
  readonly l3proto?: ConnectionFamily
  readonly dport: number
  /** Milliseconds. */
  readonly timeout: number
  readonly size: number
}
export interface SecmarkObject extends Named {
  readonly context: string
}
export interface SynproxyObject extends Named {
  readonly mss: number
  readonly wscale: number
  readonly flags?: SynproxyFlag | readonly SynproxyFlag[]
}
export interface MetainfoObject {
  readonly version?: string
  readonly release_name?: string
  readonly json_schema_version?: number
}

/** What objects are called in a rule set, and what they are. */
export interface RulesetObjects {
  metainfo: MetainfoObject
  table: TableObject
  chain: ChainObject
  rule: RuleObject
  set: SetObject
  map: MapObject
  element: ElementObject
  flowtable: FlowtableObject
  counter: CounterObject
  quota: QuotaObject
  limit: LimitObject
  'ct helper': CtHelperObject
  'ct timeout': CtTimeoutObject
  'ct expectation': CtExpectationObject
  secmark: SecmarkObject
  synproxy: SynproxyObject
}
/** One entry of a rule set: `{ table: … }`, `{ rule: … }`. */
export type RulesetObject = { [K in keyof RulesetObjects]: { readonly [P in K]: RulesetObjects[K] } }[keyof RulesetObjects]
/** A whole rule set, as `nft -j list ruleset` prints it. */
export interface Ruleset {
  readonly nftables: readonly RulesetObject[]
}
