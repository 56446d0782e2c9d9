// NFT_MSG_TRACE: what a rule or a policy has done with a packet that is traced (linux/netfilter/nf_tables.h).
import { bytes, countBe, oneOf, string, u16be, u32be } from '../../codec/scalars.js'
import { message } from '../../codec/table.js'
import { netfilterFamilies, nfgenmsg } from '../netfilter.js'
import { chainPolicies } from './chain.js'
import { verdict } from './messages.js'

/** NFT_TRACETYPE_ */
export const traceTypes = { policy: 1, return: 2, rule: 3 } as const

export const trace = message(nfgenmsg, 'NFTA_TRACE', {
  table: [1, string],
  chain: [2, string],
  ruleHandle: [3, countBe],
  type: [4, oneOf(u32be, traceTypes)],
  verdict: [5, verdict],
  /** The same for all that one packet meets, and not unique for ever. */
  id: [6, u32be],
  /** Headers, or their beginnings; told once for each chain at a hook. */
  llHeader: [7, bytes],
  networkHeader: [8, bytes],
  transportHeader: [9, bytes],
  iif: [10, u32be],
  /** ARPHRD_ */
  iiftype: [11, u16be],
  oif: [12, u32be],
  oiftype: [13, u16be],
  mark: [14, u32be],
  nfproto: [15, oneOf(u32be, netfilterFamilies)],
  policy: [16, oneOf(u32be, chainPolicies)],
})
