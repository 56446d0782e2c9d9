// NFT_MSG_NEWCHAIN and its relatives: lists of rules, and where packets enter them (linux/netfilter/nf_tables.h).
import { bits, bytes, countBe, oneOf, s32be, string, u32be } from '../../codec/scalars.js'
import { attributes, list, message } from '../../codec/table.js'
import { nfgenmsg } from '../netfilter.js'
import { counter } from './expressions/stateful.js'

/** NF_INET_, linux/netfilter.h; of ip, ip6, inet and bridge. */
export const inetHooks = { preRouting: 0, localIn: 1, forward: 2, localOut: 3, postRouting: 4, ingress: 5 } as const
/** NF_ARP_, linux/netfilter_arp.h. */
export const arpHooks = { in: 0, out: 1, forward: 2 } as const
/** NF_NETDEV_, linux/netfilter.h. */
export const netdevHooks = { ingress: 0, egress: 1 } as const
/** NFT_CHAIN_, as numbers of bits. */
export const chainFlags = { base: 0, hwOffload: 1, binding: 2 } as const
/** What becomes of a packet that no rule of a base chain has decided about, NF_. */
export const chainPolicies = { drop: 0, accept: 1 } as const

export const devices = list(1, string, 'NFTA_DEVICE_NAME')

export const chainHook = attributes('NFTA_HOOK', {
  hooknum: [1, u32be],
  /** Chains of a hook see a packet in this order, the lowest first. */
  priority: [2, s32be],
  dev: [3, string],
  devs: [4, devices],
})

export const chain = message(nfgenmsg, 'NFTA_CHAIN', {
  table: [1, string],
  handle: [2, countBe],
  name: [3, string],
  hook: [4, chainHook],
  policy: [5, oneOf(u32be, chainPolicies)],
  /** Rules in it, and jumps to it. */
  use: [6, u32be],
  /** 'filter', 'nat' or 'route'. */
  type: [7, string],
  counters: [8, counter],
  flags: [10, bits(u32be, chainFlags)],
  /** By which other messages of the same batch mean it. */
  id: [11, u32be],
  userdata: [12, bytes],
})
