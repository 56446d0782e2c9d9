// Fields of packet headers: where they lie, how many bits they have and what type; and how one protocol follows from another.
import type { DataTypeName } from './datatypes.js'
import type { Family, PayloadFields, PayloadProtocol } from './fields.js'

export type Layer = 'll' | 'nh' | 'th'
/** The first bit from the start of the header, the number of bits, the type of the value. */
export type HeaderField = readonly [offset: number, bits: number, type: DataTypeName]
export interface Protocol {
  readonly layer: Layer
  /** Bits before the header that belong to its layer: a VLAN tag comes behind the addresses. */
  readonly start?: number
  readonly fields: Readonly<Record<string, HeaderField>>
  /** Where the checksum is that must be put right when a field changes, in bytes, and its kind. */
  readonly checksum?: readonly [offset: number, kind: 'inet' | 'sctp']
  /** Fields that the transport header's checksum covers too. */
  readonly pseudo?: readonly string[]
}

const port: DataTypeName = 'inet_service'
const ports = { sport: [0, 16, port], dport: [16, 16, port] } as const
const icmpLike = (type: DataTypeName, code: DataTypeName) =>
  ({ type: [0, 8, type], code: [8, 8, code], checksum: [16, 16, 'integer'] }) as const

export const protocols: {
  readonly [P in PayloadProtocol]: Protocol & { readonly fields: { readonly [F in PayloadFields[P]]: HeaderField } }
} = {
  ether: { layer: 'll', fields: { daddr: [0, 48, 'ether_addr'], saddr: [48, 48, 'ether_addr'], type: [96, 16, 'ether_type'] } },
  vlan: {
    layer: 'll',
    start: 112,
    fields: {
      pcp: [0, 3, 'integer'],
      dei: [3, 1, 'integer'],
      cfi: [3, 1, 'integer'],
      id: [4, 12, 'integer'],
      type: [16, 16, 'ether_type'],
    },
  },
  arp: {
    layer: 'nh',
    fields: {
      htype: [0, 16, 'integer'],
      ptype: [16, 16, 'ether_type'],
      hlen: [32, 8, 'integer'],
      plen: [40, 8, 'integer'],
      operation: [48, 16, 'arp_op'],
      'saddr ether': [64, 48, 'ether_addr'],
      'saddr ip': [112, 32, 'ipv4_addr'],
      'daddr ether': [144, 48, 'ether_addr'],
      'daddr ip': [192, 32, 'ipv4_addr'],
    },
  },
  ip: {
    layer: 'nh',
    checksum: [10, 'inet'],
    pseudo: ['saddr', 'daddr', 'protocol', 'length'],
    fields: {
      version: [0, 4, 'integer'],
      hdrlength: [4, 4, 'integer'],
      dscp: [8, 6, 'dscp'],
      ecn: [14, 2, 'ecn'],
      length: [16, 16, 'integer'],
      id: [32, 16, 'integer'],
      'frag-off': [48, 16, 'integer'],
      ttl: [64, 8, 'integer'],
      protocol: [72, 8, 'inet_proto'],
      checksum: [80, 16, 'integer'],
      saddr: [96, 32, 'ipv4_addr'],
      daddr: [128, 32, 'ipv4_addr'],
    },
  },
  ip6: {
    layer: 'nh',
    pseudo: ['saddr', 'daddr', 'nexthdr', 'length'],
    fields: {
      version: [0, 4, 'integer'],
      dscp: [4, 6, 'dscp'],
      ecn: [10, 2, 'ecn'],
      flowlabel: [12, 20, 'integer'],
      length: [32, 16, 'integer'],
      nexthdr: [48, 8, 'inet_proto'],
      hoplimit: [56, 8, 'integer'],
      saddr: [64, 128, 'ipv6_addr'],
      daddr: [192, 128, 'ipv6_addr'],
    },
  },
  icmp: {
    layer: 'th',
    checksum: [2, 'inet'],
    fields: {
      ...icmpLike('icmp_type', 'icmp_code'),
      id: [32, 16, 'integer'],
      sequence: [48, 16, 'integer'],
      gateway: [32, 32, 'integer'],
      mtu: [48, 16, 'integer'],
    },
  },
  icmpv6: {
    layer: 'th',
    checksum: [2, 'inet'],
    fields: {
      ...icmpLike('icmpv6_type', 'icmpv6_code'),
      'parameter-problem': [32, 32, 'integer'],
      mtu: [32, 32, 'integer'],
      id: [32, 16, 'integer'],
      sequence: [48, 16, 'integer'],
      'max-delay': [32, 16, 'integer'],
      taddr: [64, 128, 'ipv6_addr'],
      daddr: [192, 128, 'ipv6_addr'],
    },
  },
  igmp: {
    layer: 'th',
    checksum: [2, 'inet'],
    fields: { type: [0, 8, 'igmp_type'], mrt: [8, 8, 'integer'], checksum: [16, 16, 'integer'], group: [32, 32, 'integer'] },
  },
  udp: { layer: 'th', checksum: [6, 'inet'], fields: { ...ports, length: [32, 16, 'integer'], checksum: [48, 16, 'integer'] } },
  udplite: { layer: 'th', fields: { ...ports, csumcov: [32, 16, 'integer'], checksum: [48, 16, 'integer'] } },
  tcp: {
    layer: 'th',
    checksum: [16, 'inet'],
    fields: {
      ...ports,
      sequence: [32, 32, 'integer'],
      ackseq: [64, 32, 'integer'],
      doff: [96, 4, 'integer'],
      reserved: [100, 4, 'integer'],
      flags: [104, 8, 'tcp_flag'],
      window: [112, 16, 'integer'],
      checksum: [128, 16, 'integer'],
      urgptr: [144, 16, 'integer'],
    },
  },
  dccp: { layer: 'th', fields: { ...ports, type: [67, 4, 'dccp_pkttype'] } },
  sctp: { layer: 'th', checksum: [8, 'sctp'], fields: { ...ports, vtag: [32, 32, 'integer'], checksum: [64, 32, 'integer'] } },
  th: { layer: 'th', fields: { ...ports } },
  ah: {
    layer: 'th',
    fields: {
      nexthdr: [0, 8, 'inet_proto'],
      hdrlength: [8, 8, 'integer'],
      reserved: [16, 16, 'integer'],
      spi: [32, 32, 'integer'],
      sequence: [64, 32, 'integer'],
    },
  },
  esp: { layer: 'th', fields: { spi: [0, 32, 'integer'], sequence: [32, 32, 'integer'] } },
  comp: { layer: 'th', fields: { nexthdr: [0, 8, 'inet_proto'], flags: [8, 8, 'bitmask'], cpi: [16, 16, 'integer'] } },
}

/** Numbers by which the link layer names network protocols. */
export const etherTypeOf: Readonly<Partial<Record<PayloadProtocol, number>>> = { ip: 0x0800, ip6: 0x86dd, arp: 0x0806, vlan: 0x8100 }
/** Numbers by which netfilter names them. */
export const nfprotoOf: Readonly<Partial<Record<PayloadProtocol, number>>> = { ip: 2, ip6: 10 }
/** Numbers of transport protocols. */
export const transportOf: Readonly<Partial<Record<PayloadProtocol, number>>> = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  dccp: 33,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  comp: 108,
  sctp: 132,
  udplite: 136,
}
/** Transport protocols that belong to one network protocol. */
export const networkOf: Readonly<Partial<Record<PayloadProtocol, 'ip' | 'ip6'>>> = { icmp: 'ip', icmpv6: 'ip6' }

const inverse = (numbers: Readonly<Partial<Record<PayloadProtocol, number>>>): ReadonlyMap<number, PayloadProtocol> =>
  new Map(Object.entries(numbers).map(([name, number]) => [number, name as PayloadProtocol]))
export const protocolOfEtherType = new Map([...inverse(etherTypeOf), [0x88a8, 'vlan' as const]])
export const protocolOfNfproto = inverse(nfprotoOf)
export const protocolOfTransport = inverse(transportOf)

/** The field that names the protocol above, and by which numbers. */
export const nextField: Readonly<Partial<Record<PayloadProtocol, readonly [field: string, above: ReadonlyMap<number, PayloadProtocol>]>>> =
  {
    ether: ['type', protocolOfEtherType],
    vlan: ['type', protocolOfEtherType],
    arp: ['ptype', new Map()],
    ip: ['protocol', protocolOfTransport],
    ip6: ['nexthdr', protocolOfTransport],
  }

/** What is known of a packet because of the family of the table. */
export const familyProtocols: Readonly<Record<Family, Partial<Record<Layer, PayloadProtocol>>>> = {
  ip: { nh: 'ip' },
  ip6: { nh: 'ip6' },
  inet: {},
  arp: { nh: 'arp' },
  bridge: { ll: 'ether' },
  netdev: {},
}

/** Fields that some ICMP types have only: the types in whose messages they are. */
export const icmpFieldTypes: Readonly<Record<'icmp' | 'icmpv6', Readonly<Partial<Record<string, readonly number[]>>>>> = {
  icmp: { id: [8, 0], sequence: [8, 0], gateway: [5], mtu: [3] },
  icmpv6: {
    'parameter-problem': [4],
    mtu: [2],
    id: [128, 129],
    sequence: [128, 129],
    'max-delay': [130],
    taddr: [135, 136, 137],
    daddr: [137],
  },
}
