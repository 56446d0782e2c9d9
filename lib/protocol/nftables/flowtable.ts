// NFT_MSG_NEWFLOWTABLE and its relatives: connections that bypass the rules once they are known (linux/netfilter/nf_tables.h).
import { bits, countBe, s32be, string, u32be } from '../../codec/scalars.js'
import { attributes, message } from '../../codec/table.js'
import { nfgenmsg } from '../netfilter.js'
import { devices } from './chain.js'

/** NFT_FLOWTABLE_, as numbers of bits. */
export const flowtableFlags = { hwOffload: 0, counter: 1 } as const

export const flowtableHook = attributes('NFTA_FLOWTABLE_HOOK', { num: [1, u32be], priority: [2, s32be], devs: [3, devices] })

export const flowtable = message(nfgenmsg, 'NFTA_FLOWTABLE', {
  table: [1, string],
  name: [2, string],
  hook: [3, flowtableHook],
  use: [4, u32be],
  handle: [5, countBe],
  flags: [7, bits(u32be, flowtableFlags)],
})
