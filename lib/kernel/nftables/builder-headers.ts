// Headers in the rule language: `ip.saddr('10.0.0.0/8')`, `tcp.dport(80)`, `icmp.type('echo-request')`.
import { address, type Field, type FlagsField, field, flagsField, ports } from './builder-field.js'
import type {
  arpOperationNames,
  dccpTypeNames,
  dscpNames,
  ecnNames,
  etherTypeNames,
  icmpCodeNames,
  icmpTypeNames,
  icmpv6CodeNames,
  icmpv6TypeNames,
  igmpTypeNames,
  protocolNames,
} from './datatype-names.js'
import type { Expression } from './expression.js'
import type {
  ExthdrFields,
  ExthdrName,
  IpOptionFields,
  IpOptionName,
  PayloadBase,
  PayloadProtocol,
  SctpChunkFields,
  SctpChunkName,
  TcpFlag,
  TcpOptionFields,
  TcpOptionName,
} from './fields.js'

type Names<T> = keyof T | number
export type ProtocolName = Names<typeof protocolNames>
export type EtherType = Names<typeof etherTypeNames>
/** A port, or several as '1024-65535'. */
export type Port = number | `${number}-${number}`
type Dscp = Names<typeof dscpNames>
type Ecn = Names<typeof ecnNames>

const named = (protocol: PayloadProtocol, name: string): Expression => ({ payload: { protocol, field: name } }) as Expression
const numbers = <P extends PayloadProtocol, const F extends string>(protocol: P, ...names: readonly F[]) =>
  Object.fromEntries(names.map(name => [camel(name), field<number>(named(protocol, name))])) as {
    readonly [N in F as Camel<N>]: Field<number>
  }
const of = <V>(protocol: PayloadProtocol, name: string) => field<V>(named(protocol, name))
const addressOf = (protocol: PayloadProtocol, name: string) => field<string>(named(protocol, name), { parse: address })
const portOf = (protocol: PayloadProtocol, name: string) => field<Port>(named(protocol, name), { parse: ports })
const bothPorts = (protocol: PayloadProtocol) => ({ sport: portOf(protocol, 'sport'), dport: portOf(protocol, 'dport') })

type Camel<N extends string> = N extends `${infer A}-${infer B}` ? `${A}${Capitalize<Camel<B>>}` : N
/** 'frag-off' is fragOff. */
export const camel = (name: string): string => name.replace(/[- ]([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/** A field of an option or extension header; without a field, whether it is there: compare with `exists` or `missing`. */
type Part<Fields> = {
  <N extends keyof Fields>(name: N): Field<boolean>
  <N extends keyof Fields>(name: N, field: Fields[N]): Field<number | string>
}
const part = <Fields>(kind: string) =>
  ((name: string, inner?: string) =>
    field<unknown>({ [kind]: inner === undefined ? { name } : { name, field: inner } } as unknown as Expression)) as unknown as Part<Fields>

export const ether = { saddr: of<string>('ether', 'saddr'), daddr: of<string>('ether', 'daddr'), type: of<EtherType>('ether', 'type') }
export const vlan = { ...numbers('vlan', 'id', 'dei', 'cfi', 'pcp'), type: of<EtherType>('vlan', 'type') }
export const arp = {
  ...numbers('arp', 'htype', 'hlen', 'plen'),
  ptype: of<EtherType>('arp', 'ptype'),
  operation: of<Names<typeof arpOperationNames>>('arp', 'operation'),
  saddr: { ether: of<string>('arp', 'saddr ether'), ip: addressOf('arp', 'saddr ip') },
  daddr: { ether: of<string>('arp', 'daddr ether'), ip: addressOf('arp', 'daddr ip') },
}
export const ip = {
  ...numbers('ip', 'version', 'hdrlength', 'length', 'id', 'frag-off', 'ttl', 'checksum'),
  saddr: addressOf('ip', 'saddr'),
  daddr: addressOf('ip', 'daddr'),
  protocol: of<ProtocolName>('ip', 'protocol'),
  dscp: of<Dscp>('ip', 'dscp'),
  ecn: of<Ecn>('ip', 'ecn'),
  option: part<IpOptionFields>('ip option') as Part<Pick<IpOptionFields, IpOptionName>>,
}
export const ip6 = {
  ...numbers('ip6', 'version', 'flowlabel', 'length', 'hoplimit'),
  saddr: addressOf('ip6', 'saddr'),
  daddr: addressOf('ip6', 'daddr'),
  nexthdr: of<ProtocolName>('ip6', 'nexthdr'),
  dscp: of<Dscp>('ip6', 'dscp'),
  ecn: of<Ecn>('ip6', 'ecn'),
}
export const icmp = {
  ...numbers('icmp', 'checksum', 'id', 'sequence', 'gateway', 'mtu'),
  type: of<Names<typeof icmpTypeNames>>('icmp', 'type'),
  code: of<Names<typeof icmpCodeNames>>('icmp', 'code'),
}
export const icmpv6 = {
  ...numbers('icmpv6', 'checksum', 'parameter-problem', 'mtu', 'id', 'sequence', 'max-delay'),
  type: of<Names<typeof icmpv6TypeNames>>('icmpv6', 'type'),
  code: of<Names<typeof icmpv6CodeNames>>('icmpv6', 'code'),
  taddr: addressOf('icmpv6', 'taddr'),
  daddr: addressOf('icmpv6', 'daddr'),
}
export const igmp = {
  ...numbers('igmp', 'mrt', 'checksum'),
  type: of<Names<typeof igmpTypeNames>>('igmp', 'type'),
  group: addressOf('igmp', 'group'),
}
export const udp = { ...bothPorts('udp'), ...numbers('udp', 'length', 'checksum') }
export const udplite = { ...bothPorts('udplite'), ...numbers('udplite', 'csumcov', 'checksum') }
export const tcp = {
  ...bothPorts('tcp'),
  ...numbers('tcp', 'sequence', 'ackseq', 'doff', 'reserved', 'window', 'checksum', 'urgptr'),
  flags: flagsField<TcpFlag>(named('tcp', 'flags')) as FlagsField<TcpFlag>,
  option: part<TcpOptionFields>('tcp option') as Part<Pick<TcpOptionFields, TcpOptionName>>,
}
export const sctp = {
  ...bothPorts('sctp'),
  ...numbers('sctp', 'vtag', 'checksum'),
  chunk: part<SctpChunkFields>('sctp chunk') as Part<Pick<SctpChunkFields, SctpChunkName>>,
}
export const dccp = { ...bothPorts('dccp'), type: of<Names<typeof dccpTypeNames>>('dccp', 'type') }
/** The transport header of whatever has ports. */
export const th = bothPorts('th')
export const ah = { ...numbers('ah', 'hdrlength', 'reserved', 'spi', 'sequence'), nexthdr: of<ProtocolName>('ah', 'nexthdr') }
export const esp = numbers('esp', 'spi', 'sequence')
export const comp = { ...numbers('comp', 'flags', 'cpi'), nexthdr: of<ProtocolName>('comp', 'nexthdr') }
/** IPv6 extension headers: `exthdr('frag')(exists)`, `exthdr('frag', 'id')(5)`. */
export const exthdr = part<ExthdrFields>('exthdr') as Part<Pick<ExthdrFields, ExthdrName>>
/** Any bits of the packet: `payload('nh', 96, 32)(0xc0a80001)`. Offset and length are in bits. */
export const payload = (base: PayloadBase, offset: number, length: number): Field<number | string> =>
  field({ payload: { base, offset, len: length } })
