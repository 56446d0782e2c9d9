// IPCTNL_MSG_CT_NEW and its relatives: what the kernel remembers of connections (linux/netfilter/nfnetlink_conntrack.h). Numbers are big-endian.
import { ipv4, ipv6 } from '../codec/address.js'
import { bits, bytes, countBe, oneOf, s32be, string, u8, u16be, u32, u32be, u64be } from '../codec/scalars.js'
import { struct } from '../codec/struct.js'
import { attributes, message } from '../codec/table.js'
import { nfgenmsg } from './netfilter.js'

/** IPCTNL_MSG_CT_, in the subsystem of ctnetlink. */
export const conntrackMessages = {
  new: 0x100,
  get: 0x101,
  delete: 0x102,
  /** As get, and sets the counters of what it gives to zero. */
  getCtrzero: 0x103,
  getStatsCpu: 0x104,
  getStats: 0x105,
  getDying: 0x106,
  getUnconfirmed: 0x107,
} as const
/** IPCTNL_MSG_EXP_: connections that are expected because of others. */
export const expectMessages = { new: 0x200, get: 0x201, delete: 0x202, getStatsCpu: 0x203 } as const

/** IPS_, as numbers of bits. */
export const conntrackStatus = {
  expected: 0,
  seenReply: 1,
  assured: 2,
  confirmed: 3,
  srcNat: 4,
  dstNat: 5,
  seqAdjust: 6,
  srcNatDone: 7,
  dstNatDone: 8,
  dying: 9,
  fixedTimeout: 10,
  template: 11,
  untracked: 12,
  helper: 13,
  offload: 14,
  hwOffload: 15,
} as const
/** TCP_CONNTRACK_ */
export const tcpStates = {
  none: 0,
  synSent: 1,
  synRecv: 2,
  established: 3,
  finWait: 4,
  closeWait: 5,
  lastAck: 6,
  timeWait: 7,
  close: 8,
  synSent2: 9,
} as const
/** SCTP_CONNTRACK_ */
export const sctpStates = {
  none: 0,
  closed: 1,
  cookieWait: 2,
  cookieEchoed: 3,
  established: 4,
  shutdownSent: 5,
  shutdownRecd: 6,
  shutdownAckSent: 7,
  heartbeatSent: 8,
  heartbeatAcked: 9,
} as const
/** IP_CT_TCP_FLAG_, as numbers of bits. */
export const tcpFlags = {
  windowScale: 0,
  sackPerm: 1,
  closeInit: 2,
  beLiberal: 3,
  dataUnacknowledged: 4,
  maxackSet: 5,
  expChallengeAck: 6,
  simultaneousOpen: 7,
} as const
/** NF_CT_EXPECT_, as numbers of bits. */
export const expectFlags = { permanent: 0, inactive: 1, userspace: 2 } as const

const status = bits(u32be, conntrackStatus)

export const tupleIp = attributes('CTA_IP', { v4Src: [1, ipv4], v4Dst: [2, ipv4], v6Src: [3, ipv6], v6Dst: [4, ipv6] })
export const tupleProto = attributes('CTA_PROTO', {
  num: [1, u8],
  /** For GRE: the keys. */
  srcPort: [2, u16be],
  dstPort: [3, u16be],
  icmpId: [4, u16be],
  icmpType: [5, u8],
  icmpCode: [6, u8],
  icmpv6Id: [7, u16be],
  icmpv6Type: [8, u8],
  icmpv6Code: [9, u8],
})
/** Packets of one direction. */
export const tuple = attributes('CTA_TUPLE', { ip: [1, tupleIp], proto: [2, tupleProto], zone: [3, u16be] })

export const nfCtTcpFlags = struct({ flags: bits(u8, tcpFlags), mask: bits(u8, tcpFlags) })
const protoinfo = attributes('CTA_PROTOINFO', {
  tcp: [
    1,
    attributes('CTA_PROTOINFO_TCP', {
      state: [1, oneOf(u8, tcpStates)],
      wscaleOriginal: [2, u8],
      wscaleReply: [3, u8],
      flagsOriginal: [4, nfCtTcpFlags],
      flagsReply: [5, nfCtTcpFlags],
    }),
  ],
  dccp: [2, attributes('CTA_PROTOINFO_DCCP', { state: [1, u8], role: [2, u8], handshakeSeq: [3, u64be] })],
  sctp: [3, attributes('CTA_PROTOINFO_SCTP', { state: [1, oneOf(u8, sctpStates)], vtagOriginal: [2, u32be], vtagReply: [3, u32be] })],
})
const counters = attributes('CTA_COUNTERS', { packets: [1, countBe], bytes: [2, countBe] })
const nat = attributes('CTA_NAT', {
  v4Minip: [1, ipv4],
  v4Maxip: [2, ipv4],
  proto: [3, attributes('CTA_PROTONAT', { portMin: [1, u16be], portMax: [2, u16be] })],
  v6Minip: [4, ipv6],
  v6Maxip: [5, ipv6],
})
/** Where and by how much TCP's sequence numbers are moved. */
const seqadj = attributes('CTA_SEQADJ', { correctionPos: [1, u32be], offsetBefore: [2, s32be], offsetAfter: [3, s32be] })

/** What of the tuples counts in a filter: bits of the kernel's own header (net/netfilter/nf_conntrack_netlink.c), in the host's byte order. */
const filterFlags = bits(u32, {
  ipSrc: 0,
  ipDst: 1,
  tupleZone: 2,
  protoNum: 3,
  protoSrcPort: 4,
  protoDstPort: 5,
  protoIcmpType: 6,
  protoIcmpCode: 7,
  protoIcmpId: 8,
  protoIcmpv6Type: 9,
  protoIcmpv6Code: 10,
  protoIcmpv6Id: 11,
})

export const conntrack = message(nfgenmsg, 'CTA', {
  tupleOrig: [1, tuple],
  tupleReply: [2, tuple],
  status: [3, status],
  protoinfo: [4, protoinfo],
  help: [5, attributes('CTA_HELP', { name: [1, string], info: [2, bytes] })],
  natSrc: [6, nat],
  /** Seconds that are left. */
  timeout: [7, u32be],
  mark: [8, u32be],
  countersOrig: [9, counters],
  countersReply: [10, counters],
  /** References. */
  use: [11, u32be],
  id: [12, u32be],
  natDst: [13, nat],
  /** The connection because of which this one was expected. */
  tupleMaster: [14, tuple],
  seqAdjOrig: [15, seqadj],
  seqAdjReply: [16, seqadj],
  secmark: [17, u32be],
  zone: [18, u16be],
  secctx: [19, attributes('CTA_SECCTX', { name: [1, string] })],
  /** Nanoseconds since 1970; with net.netfilter.nf_conntrack_timestamp. */
  timestamp: [20, attributes('CTA_TIMESTAMP', { start: [1, u64be], stop: [2, u64be] })],
  markMask: [21, u32be],
  /** 128 bits. */
  labels: [22, bytes],
  labelsMask: [23, bytes],
  synproxy: [24, attributes('CTA_SYNPROXY', { isn: [1, u32be], its: [2, u32be], tsoff: [3, u32be] })],
  /** In lists since kernel 5.8, in deletions since 6.8. */
  filter: [25, attributes('CTA_FILTER', { origFlags: [1, filterFlags], replyFlags: [2, filterFlags] })],
  /** kernel ≥ 5.17 */
  statusMask: [26, status],
  /** Nanoseconds since 1970, of a notification; kernel ≥ 6.14. */
  timestampEvent: [27, u64be],
})

export const expectation = message(nfgenmsg, 'CTA_EXPECT', {
  /** The connection that makes it expected. */
  master: [1, tuple],
  tuple: [2, tuple],
  mask: [3, tuple],
  timeout: [4, u32be],
  id: [5, u32be],
  helpName: [6, string],
  zone: [7, u16be],
  flags: [8, bits(u32be, expectFlags)],
  class: [9, u32be],
  nat: [10, attributes('CTA_EXPECT_NAT', { dir: [1, u32be], tuple: [2, tuple] })],
  fn: [11, string],
})

/** Of one processor, whose number is the header's `resId`. Those the kernel no longer counts are not here. */
export const conntrackStatsCpu = message(nfgenmsg, 'CTA_STATS', {
  found: [2, u32be],
  invalid: [4, u32be],
  insert: [8, u32be],
  insertFailed: [9, u32be],
  drop: [10, u32be],
  earlyDrop: [11, u32be],
  error: [12, u32be],
  searchRestart: [13, u32be],
  clashResolve: [14, u32be],
  chainToolong: [15, u32be],
})
export const conntrackStats = message(nfgenmsg, 'CTA_STATS_GLOBAL', { entries: [1, u32be], maxEntries: [2, u32be] })
export const expectStatsCpu = message(nfgenmsg, 'CTA_STATS_EXP', { new: [1, u32be], create: [2, u32be], delete: [3, u32be] })
