// A real-life rule: where it is from, what it lives in, and how nft prints it.
import type { BuiltRule } from '../../../lib/kernel/nftables/builders.js'
import type { ChainType, Family, Hook, Policy } from '../../../lib/kernel/nftables/fields.js'

export interface RuleRow {
  /** The project, and the chain or page by name. */
  readonly origin: string
  readonly family: Family
  readonly table: string
  readonly chain: string
  /** Left out for a chain that is jumped to. */
  readonly base?: { readonly type: ChainType; readonly hook: Hook; readonly prio: number; readonly policy?: Policy; readonly dev?: string }
  /** Chains that the rule or its maps jump to. */
  readonly chains?: readonly string[]
  /** Sets, maps, counters and the like, as they stand in a table; a semicolon stands for a new line. */
  readonly objects?: readonly string[]
  /** What not every kernel has. */
  readonly needs?: 'nft:queue' | 'nft:flowtable'
  /** As `nft list ruleset` of nft 1.0.6 prints it, with a comment at its end. */
  readonly text: string
  /** The same in the rule language. */
  readonly rule: BuiltRule
}
