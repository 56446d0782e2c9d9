// Names of what a packet, its socket, route and connection can be asked for in nftables: the closed sets of libnftables-json(5).

/** Families of tables. */
export type Family = 'ip' | 'ip6' | 'inet' | 'arp' | 'bridge' | 'netdev'
/** Families of addresses, where a statement must say which it means. */
export type AddressFamily = 'ip' | 'ip6'

/** Header fields by protocol: what `{ payload: { protocol, field } }` can name. */
export interface PayloadFields {
  ether: 'daddr' | 'saddr' | 'type'
  vlan: 'id' | 'dei' | 'cfi' | 'pcp' | 'type'
  arp: 'htype' | 'ptype' | 'hlen' | 'plen' | 'operation' | 'saddr ether' | 'daddr ether' | 'saddr ip' | 'daddr ip'
  ip: 'version' | 'hdrlength' | 'dscp' | 'ecn' | 'length' | 'id' | 'frag-off' | 'ttl' | 'protocol' | 'checksum' | 'saddr' | 'daddr'
  icmp: 'type' | 'code' | 'checksum' | 'id' | 'sequence' | 'gateway' | 'mtu'
  igmp: 'type' | 'mrt' | 'checksum' | 'group'
  ip6: 'version' | 'dscp' | 'ecn' | 'flowlabel' | 'length' | 'nexthdr' | 'hoplimit' | 'saddr' | 'daddr'
  icmpv6: 'type' | 'code' | 'checksum' | 'parameter-problem' | 'mtu' | 'id' | 'sequence' | 'max-delay' | 'taddr' | 'daddr'
  udp: 'sport' | 'dport' | 'length' | 'checksum'
  udplite: 'sport' | 'dport' | 'csumcov' | 'checksum'
  tcp: 'sport' | 'dport' | 'sequence' | 'ackseq' | 'doff' | 'reserved' | 'flags' | 'window' | 'checksum' | 'urgptr'
  dccp: 'sport' | 'dport' | 'type'
  sctp: 'sport' | 'dport' | 'vtag' | 'checksum'
  /** Whatever has ports: the transport header of TCP, UDP, SCTP, DCCP. */
  th: 'sport' | 'dport'
  ah: 'nexthdr' | 'hdrlength' | 'reserved' | 'spi' | 'sequence'
  esp: 'spi' | 'sequence'
  comp: 'nexthdr' | 'flags' | 'cpi'
}
export type PayloadProtocol = keyof PayloadFields
/** Where raw payload starts to count: link layer, network, transport and inner header. */
export type PayloadBase = 'll' | 'nh' | 'th' | 'ih'

/** Fields of IPv6 extension headers. */
export interface ExthdrFields {
  hbh: 'nexthdr' | 'hdrlength'
  rt: 'nexthdr' | 'hdrlength' | 'type' | 'seg-left'
  rt0: `addr[${number}]`
  rt2: 'addr'
  srh: 'last-entry' | 'flags' | 'tag' | `sid[${number}]`
  frag: 'nexthdr' | 'reserved' | 'frag-off' | 'reserved2' | 'more-fragments' | 'id'
  dst: 'nexthdr' | 'hdrlength'
  mh: 'nexthdr' | 'hdrlength' | 'type' | 'reserved' | 'checksum'
}
export type ExthdrName = keyof ExthdrFields

/** Fields of TCP options. */
export interface TcpOptionFields {
  eol: 'kind'
  nop: 'kind'
  maxseg: 'kind' | 'length' | 'size'
  window: 'kind' | 'length' | 'count'
  'sack-perm': 'kind' | 'length'
  sack: 'kind' | 'length' | 'left' | 'right'
  sack0: 'kind' | 'length' | 'left' | 'right'
  sack1: 'left' | 'right'
  sack2: 'left' | 'right'
  sack3: 'left' | 'right'
  timestamp: 'kind' | 'length' | 'tsval' | 'tsecr'
  md5sig: 'kind' | 'length'
  mptcp: 'kind' | 'length' | 'subtype'
  fastopen: 'kind' | 'length'
}
export type TcpOptionName = keyof TcpOptionFields

/** Fields of IPv4 options. */
export interface IpOptionFields {
  lsrr: 'type' | 'length' | 'ptr' | 'addr'
  rr: 'type' | 'length' | 'ptr' | 'addr'
  ssrr: 'type' | 'length' | 'ptr' | 'addr'
  ra: 'type' | 'length' | 'value'
}
export type IpOptionName = keyof IpOptionFields

type SctpCommon = 'type' | 'flags' | 'length'
type SctpInit = SctpCommon | 'init-tag' | 'a-rwnd' | 'num-outbound-streams' | 'num-inbound-streams' | 'initial-tsn'
/** Fields of SCTP chunks. */
export interface SctpChunkFields {
  data: SctpCommon | 'tsn' | 'stream' | 'ssn' | 'ppid'
  init: SctpInit
  'init-ack': SctpInit
  sack: SctpCommon | 'cum-tsn-ack' | 'a-rwnd' | 'num-gap-ack-blocks' | 'num-dup-tsns'
  heartbeat: SctpCommon
  'heartbeat-ack': SctpCommon
  abort: SctpCommon
  shutdown: SctpCommon | 'cum-tsn-ack'
  'shutdown-ack': SctpCommon
  error: SctpCommon
  'cookie-echo': SctpCommon
  'cookie-ack': SctpCommon
  ecne: SctpCommon | 'lowest-tsn'
  cwr: SctpCommon | 'lowest-tsn'
  'shutdown-complete': SctpCommon
  'asconf-ack': SctpCommon | 'seqno'
  'forward-tsn': SctpCommon | 'new-cum-tsn'
  asconf: SctpCommon | 'seqno'
}
export type SctpChunkName = keyof SctpChunkFields

/** What is known about a packet besides its bytes. */
export type MetaKey =
  | 'length'
  | 'protocol'
  | 'priority'
  | 'random'
  | 'mark'
  | 'iif'
  | 'iifname'
  | 'iiftype'
  | 'iifkind'
  | 'iifgroup'
  | 'oif'
  | 'oifname'
  | 'oiftype'
  | 'oifkind'
  | 'oifgroup'
  | 'skuid'
  | 'skgid'
  | 'nftrace'
  | 'rtclassid'
  | 'ibrname'
  | 'obrname'
  | 'ibrpvid'
  | 'ibrvproto'
  | 'pkttype'
  | 'cpu'
  | 'cgroup'
  | 'nfproto'
  | 'l4proto'
  /** Whether the packet came through, or goes into, IPsec. */
  | 'ipsec'
  | 'secmark'
  | 'sdif'
  | 'sdifname'
  | 'time'
  | 'day'
  | 'hour'
  | 'broute'

/** What is known about a packet's connection; some differ by direction. */
export type CtKey =
  | 'state'
  | 'direction'
  | 'status'
  | 'mark'
  | 'expiration'
  | 'helper'
  | 'label'
  | 'event'
  | 'secmark'
  | 'id'
  | 'count'
  | 'l3proto'
  | 'protocol'
  | 'saddr'
  | 'daddr'
  | 'ip saddr'
  | 'ip daddr'
  | 'ip6 saddr'
  | 'ip6 daddr'
  | 'proto-src'
  | 'proto-dst'
  | 'bytes'
  | 'packets'
  | 'avgpkt'
  | 'zone'
export type CtDirection = 'original' | 'reply'

export type RtKey = 'classid' | 'nexthop' | 'mtu' | 'ipsec'
export type SocketKey = 'transparent' | 'mark' | 'wildcard' | 'cgroupv2'
export type IpsecKey = 'saddr' | 'daddr' | 'spi' | 'reqid'
export type FibResult = 'oif' | 'oifname' | 'type'
export type FibFlag = 'saddr' | 'daddr' | 'mark' | 'iif' | 'oif'

export type CtState = 'invalid' | 'new' | 'established' | 'related' | 'untracked'
export type CtStatus = 'expected' | 'seen-reply' | 'assured' | 'confirmed' | 'snat' | 'dnat' | 'dying'
export type TcpFlag = 'fin' | 'syn' | 'rst' | 'psh' | 'ack' | 'urg' | 'ecn' | 'cwr'

/** How a match compares; 'in' holds if one of the bits named at the right is set at the left, '!' if none of them is. */
export type MatchOperator = '==' | '!=' | '<' | '>' | '<=' | '>=' | 'in' | '!'
export type BinaryOperator = '|' | '^' | '&' | '<<' | '>>'

/** 'netmap' replaces a prefix by a prefix. */
export type NatFlag = 'random' | 'fully-random' | 'persistent' | 'netmap'
export type QueueFlag = 'bypass' | 'fanout'
export type LogLevel = 'emerg' | 'alert' | 'crit' | 'err' | 'warn' | 'notice' | 'info' | 'debug' | 'audit'
export type LogFlag = 'tcp sequence' | 'tcp options' | 'ip options' | 'skuid' | 'ether' | 'all'
export type SynproxyFlag = 'timestamp' | 'sack-perm'
export type RejectType = 'tcp reset' | 'icmpx' | 'icmp' | 'icmpv6'
export type TimeUnit = 'second' | 'minute' | 'hour' | 'day' | 'week'
export type ByteUnit = 'bytes' | 'kbytes' | 'mbytes'

/** Types of a base chain. */
export type ChainType = 'filter' | 'nat' | 'route'
export type Hook = 'ingress' | 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting' | 'egress'
export type Policy = 'accept' | 'drop'
export type SetPolicy = 'performance' | 'memory'
export type SetFlag = 'constant' | 'interval' | 'timeout' | 'dynamic'
export type TableFlag = 'dormant' | 'owner' | 'persist'
