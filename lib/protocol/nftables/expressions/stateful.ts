// Expressions that keep something between packets, and the named objects of the same form: counters, quotas, limits (linux/netfilter/nf_tables.h).
import { bits, countBe, oneOf, u32be } from '../../../codec/scalars.js'
import { attributes } from '../../../codec/table.js'

/** NFT_QUOTA_F_, as numbers of bits. */
export const quotaFlags = { inv: 0, depleted: 1 } as const
/** NFT_LIMIT_ */
export const limitTypes = { pkts: 0, pktBytes: 1 } as const
/** NFT_LIMIT_F_, as numbers of bits. */
export const limitFlags = { inv: 0 } as const
/** NFT_CONNLIMIT_F_, as numbers of bits. */
export const connlimitFlags = { inv: 0 } as const

export const counter = attributes('NFTA_COUNTER', { bytes: [1, countBe], packets: [2, countBe] })

export const quota = attributes('NFTA_QUOTA', {
  bytes: [1, countBe],
  flags: [2, bits(u32be, quotaFlags)],
  consumed: [4, countBe],
})

export const limit = attributes('NFTA_LIMIT', {
  rate: [1, countBe],
  /** Seconds that the rate is for. */
  unit: [2, countBe],
  burst: [3, u32be],
  type: [4, oneOf(u32be, limitTypes)],
  flags: [5, bits(u32be, limitFlags)],
})

export const connlimit = attributes('NFTA_CONNLIMIT', { count: [1, u32be], flags: [2, bits(u32be, connlimitFlags)] })

export const last = attributes('NFTA_LAST', {
  /** Whether a packet has come at all. */
  set: [1, u32be],
  msecs: [2, countBe],
})
