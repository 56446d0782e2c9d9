// NFT_MSG_NEWRULE and its relatives (linux/netfilter/nf_tables.h).
import type { Attributes, Codec, Decoded, Encodable } from '../../codec/codec.js'
import { bytes, countBe, string, u32be } from '../../codec/scalars.js'
import { attributes, message } from '../../codec/table.js'
import { nfgenmsg } from '../netfilter.js'
import { expressions } from './expression.js'

/** For matches and targets of iptables: what the rule says about the protocol. */
export const ruleCompat = attributes('NFTA_RULE_COMPAT', { proto: [1, u32be], flags: [2, u32be] })

const ruleEntries = {
  table: [1, string],
  chain: [2, string],
  handle: [3, countBe],
  expressions: [4, expressions],
  compat: [5, ruleCompat],
  /** In a request: behind or, without NLM_F_APPEND, before the rule of this handle. In an answer: the handle of the rule before. */
  position: [6, countBe],
  userdata: [7, bytes],
  /** By which another message of the same batch means it. */
  id: [9, u32be],
  /** As `position`, of a rule of the same batch. */
  positionId: [10, u32be],
  /** The chain, if it is of the same batch. */
  chainId: [11, u32be],
} as const
export interface RuleTable extends Attributes<typeof ruleEntries, typeof nfgenmsg.fields> {}
export const rule: RuleTable = message(nfgenmsg, 'NFTA_RULE', ruleEntries)

/** What stands beside the expressions. */
export const ruleBeside = attributes('NFTA_RULE', {
  handle: rule.entries.handle,
  position: rule.entries.position,
  userdata: rule.entries.userdata,
})
/** Table, chain and expressions as another rule wrote them, with other bytes in some places. */
export interface CastRule {
  readonly mould: { readonly bytes: Uint8Array; readonly places: readonly number[] }
  readonly values: readonly Uint8Array[]
  readonly beside: Encodable<typeof ruleBeside>
}
/** A rule that is made from another one's bytes; it reads as any other. */
export const castRule: Codec<Decoded<typeof rule>, CastRule> = {
  ...(rule as unknown as Codec<Decoded<typeof rule>, never>),
  write(writer, { mould, values, beside }) {
    const at = writer.reserve(mould.bytes.length)
    writer.bytes.set(mould.bytes, at)
    for (let i = 0; i < values.length; i++) writer.bytes.set(values[i]!, at + mould.places[i]!)
    ;(ruleBeside as unknown as Codec<unknown, typeof beside>).write(writer, beside)
  },
}
