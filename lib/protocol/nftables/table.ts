// NFT_MSG_NEWTABLE and its relatives: what holds chains, sets and objects (linux/netfilter/nf_tables.h).
import { bits, bytes, countBe, string, u32be } from '../../codec/scalars.js'
import { message } from '../../codec/table.js'
import { nfgenmsg } from '../netfilter.js'

/** NFT_TABLE_F_, as numbers of bits. */
export const tableFlags = {
  /** Its chains see no packets. */
  dormant: 0,
  /** Belongs to the socket that made it, and goes with it. */
  owner: 1,
  /** Stays when its owner goes, kernel ≥ 6.9. */
  persist: 2,
} as const

export const table = message(nfgenmsg, 'NFTA_TABLE', {
  name: [1, string],
  flags: [2, bits(u32be, tableFlags)],
  /** Chains in it. */
  use: [3, u32be],
  handle: [4, countBe],
  userdata: [6, bytes],
  /** nl_pid of the owner. */
  owner: [7, u32be],
})
