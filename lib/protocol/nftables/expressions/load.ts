// Expressions that read something of the packet, its socket, route or connection into a register, and some that write it back (linux/netfilter/nf_tables.h).
import { bits, oneOf, string, u8, u32be } from '../../../codec/scalars.js'
import { attributes, by } from '../../../codec/table.js'

/** NFT_PAYLOAD_: where the offset counts from; `tunHeader` kernel ≥ 6.2. */
export const payloadBases = { llHeader: 0, networkHeader: 1, transportHeader: 2, innerHeader: 3, tunHeader: 4 } as const
/** NFT_PAYLOAD_CSUM_: the checksum to be put right when the packet is written. */
export const checksumTypes = { none: 0, inet: 1, sctp: 2 } as const
/** NFT_PAYLOAD_L4CSUM_, as numbers of bits: also the transport header's, of which addresses are part. */
export const checksumFlags = { pseudohdr: 0 } as const

/** Reads into `dreg`, or writes from `sreg`. Offset and length in bytes. */
export const payload = attributes('NFTA_PAYLOAD', {
  dreg: [1, u32be],
  base: [2, oneOf(u32be, payloadBases)],
  offset: [3, u32be],
  len: [4, u32be],
  sreg: [5, u32be],
  csumType: [6, oneOf(u32be, checksumTypes)],
  csumOffset: [7, u32be],
  csumFlags: [8, bits(u32be, checksumFlags)],
})

/** NFT_META_ */
export const metaKeys = {
  len: 0,
  protocol: 1,
  priority: 2,
  mark: 3,
  iif: 4,
  oif: 5,
  iifname: 6,
  oifname: 7,
  iiftype: 8,
  oiftype: 9,
  skuid: 10,
  skgid: 11,
  nftrace: 12,
  rtclassid: 13,
  secmark: 14,
  nfproto: 15,
  l4proto: 16,
  briIifname: 17,
  briOifname: 18,
  pkttype: 19,
  cpu: 20,
  iifgroup: 21,
  oifgroup: 22,
  cgroup: 23,
  prandom: 24,
  secpath: 25,
  iifkind: 26,
  oifkind: 27,
  briIifpvid: 28,
  briIifvproto: 29,
  timeNs: 30,
  timeDay: 31,
  timeHour: 32,
  sdif: 33,
  sdifname: 34,
  /** kernel ≥ 6.4 */
  briBroute: 35,
} as const
/** Reads into `dreg`, or sets from `sreg`. */
export const meta = attributes('NFTA_META', { dreg: [1, u32be], key: [2, oneOf(u32be, metaKeys)], sreg: [3, u32be] })

/** NFT_CT_ */
export const ctKeys = {
  state: 0,
  direction: 1,
  status: 2,
  mark: 3,
  secmark: 4,
  expiration: 5,
  helper: 6,
  l3protocol: 7,
  src: 8,
  dst: 9,
  protocol: 10,
  protoSrc: 11,
  protoDst: 12,
  labels: 13,
  pkts: 14,
  bytes: 15,
  avgpkt: 16,
  zone: 17,
  eventmask: 18,
  srcIp: 19,
  dstIp: 20,
  srcIp6: 21,
  dstIp6: 22,
  id: 23,
} as const
/** IP_CT_DIR_ */
export const ctDirections = { original: 0, reply: 1 } as const
export const ct = attributes('NFTA_CT', {
  dreg: [1, u32be],
  key: [2, oneOf(u32be, ctKeys)],
  direction: [3, oneOf(u8, ctDirections)],
  sreg: [4, u32be],
})

/** NFT_RT_ */
export const rtKeys = { classid: 0, nexthop4: 1, nexthop6: 2, tcpmss: 3, xfrm: 4 } as const
export const rt = attributes('NFTA_RT', { dreg: [1, u32be], key: [2, oneOf(u32be, rtKeys)] })

/** NFT_SOCKET_ */
export const socketKeys = { transparent: 0, mark: 1, wildcard: 2, cgroupv2: 3 } as const
export const socket = attributes('NFTA_SOCKET', {
  key: [1, oneOf(u32be, socketKeys)],
  dreg: [2, u32be],
  /** Of the control group's ancestors. */
  level: [3, u32be],
})

/** NFT_FIB_RESULT_ */
export const fibResults = { unspec: 0, oif: 1, oifname: 2, addrtype: 3 } as const
/** NFTA_FIB_F_, as numbers of bits. */
export const fibFlags = { saddr: 0, daddr: 1, mark: 2, iif: 3, oif: 4, present: 5 } as const
export const fib = attributes('NFTA_FIB', {
  dreg: [1, u32be],
  result: [2, oneOf(u32be, fibResults)],
  flags: [3, bits(u32be, fibFlags)],
})

/** NFT_EXTHDR_OP_ */
export const exthdrOps = { ipv6: 0, tcpopt: 1, ipv4: 2, sctp: 3, dccp: 4 } as const
/** NFT_EXTHDR_F_, as numbers of bits. */
export const exthdrFlags = { present: 0 } as const
/** Reads into `dreg`, writes from `sreg`, or without either takes a TCP option out of the packet. */
export const exthdr = attributes('NFTA_EXTHDR', {
  dreg: [1, u32be],
  type: [2, u8],
  offset: [3, u32be],
  len: [4, u32be],
  flags: [5, bits(u32be, exthdrFlags)],
  op: [6, oneOf(u32be, exthdrOps)],
  sreg: [7, u32be],
})

/** NFT_NG_ */
export const numgenTypes = { incremental: 0, random: 1 } as const
export const numgen = attributes('NFTA_NG', {
  dreg: [1, u32be],
  modulus: [2, u32be],
  type: [3, oneOf(u32be, numgenTypes)],
  offset: [4, u32be],
})

/** NFT_HASH_ */
export const hashTypes = { jenkins: 0, sym: 1 } as const
export const hash = attributes('NFTA_HASH', {
  sreg: [1, u32be],
  dreg: [2, u32be],
  len: [3, u32be],
  modulus: [4, u32be],
  seed: [5, u32be],
  offset: [6, u32be],
  type: [7, oneOf(u32be, hashTypes)],
})

/** NFT_OSF_F_, as numbers of bits. */
export const osfFlags = { version: 0 } as const
/** The system that sent a SYN, by its fingerprint. */
export const osf = attributes('NFTA_OSF', { dreg: [1, u32be], ttl: [2, u8], flags: [3, bits(u32be, osfFlags)] })

/** NFT_XFRM_KEY_ */
export const xfrmKeys = { unspec: 0, daddrIp4: 1, daddrIp6: 2, saddrIp4: 3, saddrIp6: 4, reqid: 5, spi: 6 } as const
/** XFRM_POLICY_ */
export const xfrmDirections = { in: 0, out: 1, fwd: 2 } as const
export const xfrm = attributes('NFTA_XFRM', {
  dreg: [1, u32be],
  key: [2, oneOf(u32be, xfrmKeys)],
  dir: [3, oneOf(u8, xfrmDirections)],
  /** Which of the transformations, the outermost being 0. */
  spnum: [4, u32be],
})

/** NFT_TUNNEL_ */
export const tunnelKeys = { path: 0, id: 1 } as const
/** NFT_TUNNEL_MODE_ */
export const tunnelModes = { none: 0, rx: 1, tx: 2 } as const
export const tunnel = attributes('NFTA_TUNNEL', {
  key: [1, oneOf(u32be, tunnelKeys)],
  dreg: [2, u32be],
  mode: [3, oneOf(u32be, tunnelModes)],
})

/** NFT_INNER_: what lies before the inner packet, as numbers of bits. */
export const innerFlags = { hdrsize: 0, ll: 1, nh: 2, th: 3 } as const
/** NFT_INNER_: kinds of tunnels. */
export const innerTypes = { unspec: 0, vxlan: 1, geneve: 2 } as const
const innerExpression = attributes('NFTA_EXPR', { name: [1, string], data: [2, by('name', { payload, meta })] })
/** Reads from the packet inside a tunnel; kernel ≥ 6.2. */
export const inner = attributes('NFTA_INNER', {
  num: [1, u32be],
  type: [2, oneOf(u32be, innerTypes)],
  flags: [3, bits(u32be, innerFlags)],
  hdrsize: [4, u32be],
  expr: [5, innerExpression],
})
