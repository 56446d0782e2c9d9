// NFT_MSG_NEWGEN: which state the rule set is in, and who brought it there (linux/netfilter/nf_tables.h).
import { string, u32be } from '../../codec/scalars.js'
import { message } from '../../codec/table.js'
import { nfgenmsg } from '../netfilter.js'

export const generation = message(nfgenmsg, 'NFTA_GEN', {
  /** Grows with every batch that was carried out; 0 is left out when it wraps. */
  id: [1, u32be],
  procPid: [2, u32be],
  procName: [3, string],
})
