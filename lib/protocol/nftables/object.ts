// NFT_MSG_NEWOBJ and its relatives: named counters, quotas, limits and what conntrack is told (linux/netfilter/nf_tables.h).
import { bytes, countBe, kind, string, u8, u16be, u32, u32be } from '../../codec/scalars.js'
import { attributes, by, message } from '../../codec/table.js'
import { nfgenmsg } from '../netfilter.js'
import { synproxy } from './expressions/action.js'
import { connlimit, counter, limit, quota } from './expressions/stateful.js'

/** NFT_OBJECT_ */
export const objectTypes = {
  counter: 1,
  quota: 2,
  ctHelper: 3,
  limit: 4,
  connlimit: 5,
  tunnel: 6,
  ctTimeout: 7,
  secmark: 8,
  ctExpect: 9,
  synproxy: 10,
} as const

export const ctHelper = attributes('NFTA_CT_HELPER', { name: [1, string], l3proto: [2, u16be], l4proto: [3, u8] })

/** Seconds by state (linux/netfilter/nfnetlink_cttimeout.h). */
export const ctTimeoutTcp = attributes('CTA_TIMEOUT_TCP', {
  synSent: [1, u32be],
  synRecv: [2, u32be],
  established: [3, u32be],
  finWait: [4, u32be],
  closeWait: [5, u32be],
  lastAck: [6, u32be],
  timeWait: [7, u32be],
  close: [8, u32be],
  synSent2: [9, u32be],
  retrans: [10, u32be],
  unack: [11, u32be],
})
export const ctTimeoutUdp = attributes('CTA_TIMEOUT_UDP', { unreplied: [1, u32be], replied: [2, u32be] })
/** IPPROTO_ */
const timedProtocols = { tcp: 6, udp: 17 } as const
export const ctTimeout = attributes('NFTA_CT_TIMEOUT', {
  l3proto: [1, u16be],
  l4proto: [2, kind(u8, timedProtocols)],
  data: [3, by('l4proto', { tcp: ctTimeoutTcp, udp: ctTimeoutUdp })],
})

export const ctExpect = attributes('NFTA_CT_EXPECT', {
  l3proto: [1, u16be],
  l4proto: [2, u8],
  dport: [3, u16be],
  /** Milliseconds. */
  timeout: [4, u32],
  size: [5, u8],
})
export const secmark = attributes('NFTA_SECMARK', { ctx: [1, string] })

export const object = message(nfgenmsg, 'NFTA_OBJ', {
  table: [1, string],
  name: [2, string],
  type: [3, kind(u32be, objectTypes)],
  data: [4, by('type', { counter, quota, ctHelper, limit, connlimit, ctTimeout, secmark, ctExpect, synproxy })],
  /** Rules and elements that use it. */
  use: [5, u32be],
  handle: [6, countBe],
  userdata: [8, bytes],
})
