// NFT_MSG_NEWRULE and its relatives (linux/netfilter/nf_tables.h).
import { bytes, countBe, string, u32be } from '../../codec/scalars.js'
import { attributes, message } from '../../codec/table.js'
import { nfgenmsg } from '../netfilter.js'
import { expressions } from './expression.js'

/** For matches and targets of iptables: what the rule says about the protocol. */
export const ruleCompat = attributes('NFTA_RULE_COMPAT', { proto: [1, u32be], flags: [2, u32be] })

export const rule = message(nfgenmsg, 'NFTA_RULE', {
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
})
