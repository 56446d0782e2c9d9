// The headers of a traced packet, as far as the kernel has told them: addresses, protocol, ports, lengths.
import { ipv4, ipv6, mac } from '../../codec/address.js'
import { viewOf } from '../../codec/walk.js'
import { protocolName } from '../ip-protocols.js'

/** What a traced packet is; what its headers do not say, or were not told of, is left out. */
export interface TracePacket {
  /** Link-layer addresses, on Ethernet. */
  readonly etherSource?: string
  readonly etherDestination?: string
  /** The number of the network layer's protocol, 0x0800 is IPv4. */
  readonly etherType?: number
  readonly source?: string
  readonly destination?: string
  /** 'tcp', 'udp', 'icmp' …, or a number as text. */
  readonly protocol?: string
  /** TTL or hop limit. */
  readonly ttl?: number
  /** Bytes of the packet with its IPv4 header, or behind its IPv6 header. */
  readonly length?: number
  readonly sourcePort?: number
  readonly destinationPort?: number
  /** Bytes of a UDP datagram with its header. */
  readonly udpLength?: number
  /** ICMP and ICMPv6. */
  readonly icmpType?: number
  readonly icmpCode?: number
}
export interface TraceHeaders {
  readonly llHeader?: Uint8Array | undefined
  readonly networkHeader?: Uint8Array | undefined
  readonly transportHeader?: Uint8Array | undefined
}

const arphrdEther = 1
const withPorts = ['tcp', 'udp', 'udplite', 'dccp', 'sctp']

/** Undefined if no header was told. `linkType` is ARPHRD_ of the link; the loopback has Ethernet's header too, without addresses that mean anything. */
export function readPacket(headers: TraceHeaders, linkType: number | undefined): TracePacket | undefined {
  const { llHeader, networkHeader, transportHeader } = headers
  if (!llHeader && !networkHeader && !transportHeader) return undefined
  const network = readNetwork(networkHeader)
  return { ...readLink(llHeader, linkType), ...network, ...readTransport(transportHeader, network.protocol) }
}

function readLink(header: Uint8Array | undefined, linkType: number | undefined): TracePacket {
  if (!header || header.length < 14 || linkType !== arphrdEther) return {}
  const view = viewOf(header)
  return { etherDestination: mac.read(view, 0, 6), etherSource: mac.read(view, 6, 12), etherType: view.getUint16(12) }
}

function readNetwork(header: Uint8Array | undefined): TracePacket {
  const version = header?.[0] === undefined ? 0 : header[0] >> 4
  if (!header) return {}
  const view = viewOf(header)
  if (version === 4 && header.length >= 20)
    return {
      source: ipv4.read(view, 12, 16),
      destination: ipv4.read(view, 16, 20),
      protocol: protocolName(view.getUint8(9)),
      ttl: view.getUint8(8),
      length: view.getUint16(2),
    }
  if (version === 6 && header.length >= 40)
    return {
      source: ipv6.read(view, 8, 24),
      destination: ipv6.read(view, 24, 40),
      protocol: protocolName(view.getUint8(6)),
      ttl: view.getUint8(7),
      length: view.getUint16(4),
    }
  return {}
}

function readTransport(header: Uint8Array | undefined, protocol: string | undefined): TracePacket {
  if (!header || header.length < 4 || protocol === undefined) return {}
  const view = viewOf(header)
  if (protocol === 'icmp' || protocol === 'icmpv6') return { icmpType: view.getUint8(0), icmpCode: view.getUint8(1) }
  if (!withPorts.includes(protocol)) return {}
  const ports = { sourcePort: view.getUint16(0), destinationPort: view.getUint16(2) }
  return protocol === 'udp' && header.length >= 6 ? { ...ports, udpLength: view.getUint16(4) } : ports
}
