// Matches and targets of iptables inside nf_tables rules; their structures are kept as bytes (linux/netfilter/nf_tables_compat.h).
import { bytes, string, u32be } from '../../../codec/scalars.js'
import { attributes } from '../../../codec/table.js'

export const match = attributes('NFTA_MATCH', { name: [1, string], rev: [2, u32be], info: [3, bytes] })
export const target = attributes('NFTA_TARGET', { name: [1, string], rev: [2, u32be], info: [3, bytes] })
