// What every netfilter subsystem shares: the header of its messages, numbers of subsystems, batches and multicast groups (linux/netfilter/nfnetlink.h).
import { oneOf, u8, u16be, u32be } from '../codec/scalars.js'
import { struct } from '../codec/struct.js'
import { message } from '../codec/table.js'

/** NFPROTO_, linux/netfilter.h: AF_ where there is one. */
export const netfilterFamilies = { unspec: 0, inet: 1, ipv4: 2, arp: 3, netdev: 5, bridge: 7, ipv6: 10 } as const
/** The upper byte of a message's type, NFNL_SUBSYS_. */
export const netfilterSubsystems = {
  none: 0,
  ctnetlink: 1,
  ctnetlinkExp: 2,
  queue: 3,
  ulog: 4,
  osf: 5,
  ipset: 6,
  acct: 7,
  ctnetlinkTimeout: 8,
  cthelper: 9,
  nftables: 10,
  nftCompat: 11,
  hook: 12,
} as const
/** Multicast groups to subscribe to, NFNLGRP_. */
export const netfilterGroups = {
  conntrackNew: 1,
  conntrackUpdate: 2,
  conntrackDestroy: 3,
  conntrackExpNew: 4,
  conntrackExpUpdate: 5,
  conntrackExpDestroy: 6,
  nftables: 7,
  acctQuota: 8,
  nftrace: 9,
} as const
/** Around the messages that succeed or fail together, NFNL_MSG_. */
export const netfilterMessages = { batchBegin: 16, batchEnd: 17 } as const

/** NF_NAT_RANGE_, as numbers of bits (linux/netfilter/nf_nat.h). */
export const natFlags = {
  mapIps: 0,
  protoSpecified: 1,
  protoRandom: 2,
  persistent: 3,
  protoRandomFully: 4,
  protoOffset: 5,
  netmap: 6,
} as const

/** `resId` is the subsystem's number in a batch's begin and end, in answers the lower half of the generation. */
export const nfgenmsg = struct({ family: oneOf(u8, netfilterFamilies), version: u8, resId: u16be })

export const netfilterBatch = message(nfgenmsg, 'NFNL_BATCH', {
  /** Refuse with ERESTART if the rule set is another than this one by now. */
  genid: [1, u32be],
})
