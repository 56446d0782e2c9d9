// What meta, ct, rt, socket and ipsec can be asked for: the kernel's key, and type, size and byte order of the answer.
import type { ByteOrder, DataTypeName } from './datatypes.js'
import type { CtKey, MetaKey, SocketKey } from './fields.js'

/** Size and order are the type's where nothing else is said. */
export interface LoadKey<Wire extends string = string> {
  readonly key: Wire
  readonly type: DataTypeName
  readonly bits?: number
  readonly order?: ByteOrder
}
const load = <const W extends string>(key: W, type: DataTypeName, bits?: number, order?: ByteOrder): LoadKey<W> => ({
  key,
  type,
  ...(bits === undefined ? {} : { bits }),
  ...(order === undefined ? {} : { order }),
})
const integer = <const W extends string>(key: W, bits: number, order: ByteOrder = 'host') => load(key, 'integer', bits, order)

export const metaLoads = {
  length: integer('len', 32),
  protocol: load('protocol', 'ether_type'),
  priority: load('priority', 'classid'),
  random: integer('prandom', 32, 'big'),
  mark: load('mark', 'mark'),
  iif: load('iif', 'iface_index'),
  iifname: load('iifname', 'ifname'),
  iiftype: load('iiftype', 'iface_type'),
  iifkind: load('iifkind', 'ifname'),
  iifgroup: load('iifgroup', 'devgroup'),
  oif: load('oif', 'iface_index'),
  oifname: load('oifname', 'ifname'),
  oiftype: load('oiftype', 'iface_type'),
  oifkind: load('oifkind', 'ifname'),
  oifgroup: load('oifgroup', 'devgroup'),
  skuid: load('skuid', 'uid'),
  skgid: load('skgid', 'gid'),
  nftrace: integer('nftrace', 8),
  rtclassid: load('rtclassid', 'realm'),
  ibrname: load('briIifname', 'ifname'),
  obrname: load('briOifname', 'ifname'),
  ibrpvid: integer('briIifpvid', 16),
  ibrvproto: load('briIifvproto', 'ether_type'),
  pkttype: load('pkttype', 'pkt_type'),
  cpu: integer('cpu', 32),
  cgroup: integer('cgroup', 32),
  nfproto: load('nfproto', 'nf_proto'),
  l4proto: load('l4proto', 'inet_proto', 8, 'host'),
  ipsec: load('secpath', 'boolean'),
  secmark: integer('secmark', 32),
  sdif: load('sdif', 'iface_index'),
  sdifname: load('sdifname', 'ifname'),
  time: load('timeNs', 'time_date'),
  day: load('timeDay', 'time_day'),
  hour: load('timeHour', 'time_hour'),
  broute: integer('briBroute', 8),
} as const satisfies { readonly [K in MetaKey]: LoadKey }

export const ctLoads = {
  state: load('state', 'ct_state'),
  direction: load('direction', 'ct_dir'),
  status: load('status', 'ct_status'),
  mark: load('mark', 'mark'),
  secmark: integer('secmark', 32),
  expiration: load('expiration', 'time', 32),
  helper: load('helper', 'string', 128),
  l3proto: load('l3protocol', 'nf_proto'),
  saddr: load('src', 'ipv4_addr'),
  daddr: load('dst', 'ipv4_addr'),
  protocol: load('protocol', 'inet_proto'),
  'proto-src': load('protoSrc', 'inet_service'),
  'proto-dst': load('protoDst', 'inet_service'),
  label: load('labels', 'ct_label'),
  packets: integer('pkts', 64),
  bytes: integer('bytes', 64),
  avgpkt: integer('avgpkt', 64),
  zone: integer('zone', 16),
  event: load('eventmask', 'ct_event'),
  'ip saddr': load('srcIp', 'ipv4_addr'),
  'ip daddr': load('dstIp', 'ipv4_addr'),
  'ip6 saddr': load('srcIp6', 'ipv6_addr'),
  'ip6 daddr': load('dstIp6', 'ipv6_addr'),
  id: integer('id', 32, 'big'),
} as const satisfies { readonly [K in Exclude<CtKey, 'count'>]: LoadKey }

/** By key, and by the address family where there are two. */
export const rtLoads = {
  classid: load('classid', 'realm'),
  'ip nexthop': load('nexthop4', 'ipv4_addr'),
  'ip6 nexthop': load('nexthop6', 'ipv6_addr'),
  mtu: integer('tcpmss', 16),
  ipsec: load('xfrm', 'boolean'),
} as const

export const socketLoads = {
  transparent: integer('transparent', 8),
  mark: load('mark', 'mark'),
  wildcard: integer('wildcard', 8),
  cgroupv2: load('cgroupv2', 'cgroupsv2'),
} as const satisfies { readonly [K in SocketKey]: LoadKey }

export const ipsecLoads = {
  'ip saddr': load('saddrIp4', 'ipv4_addr'),
  'ip daddr': load('daddrIp4', 'ipv4_addr'),
  'ip6 saddr': load('saddrIp6', 'ipv6_addr'),
  'ip6 daddr': load('daddrIp6', 'ipv6_addr'),
  spi: integer('spi', 32, 'big'),
  reqid: integer('reqid', 32),
} as const

export const fibLoads = {
  oif: load('oif', 'iface_index'),
  oifname: load('oifname', 'string', 128),
  type: load('addrtype', 'fib_addrtype'),
} as const
