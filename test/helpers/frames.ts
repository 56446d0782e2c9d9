// Ethernet frames with any header that a test wants, and the socket that sends them from inside a namespace.
import { parseIp, parseMac } from '../../lib/codec/ip.js'
import type { NftablesPacket } from '../../lib/index.js'
import { protocolNumber } from '../../lib/kernel/ip-protocols.js'
import { tcpFlagNames } from '../../lib/kernel/nftables/datatype-names.js'
import { internetChecksum } from '../../lib/namespace/icmp.js'
import { openSource } from '../../lib/namespace/source.js'
import { native } from '../../lib/socket/native.js'

const number16 = (value: number) => [value >> 8, value & 0xff]
const join = (...parts: (readonly number[] | Uint8Array)[]) => Uint8Array.from(parts.flatMap(part => [...part]))

/** The packet as bytes, with right checksums; four bytes of data. Both MAC addresses must be given. */
export function frameOf(packet: NftablesPacket): Uint8Array {
  const { from, to, sourceMac = '', destinationMac = '', vlan } = packet
  const [source, target] = [parseIp(from), parseIp(to)]
  const four = source.length === 4
  const link = join(parseMac(destinationMac, 6), parseMac(sourceMac, 6), vlan === undefined ? [] : [0x81, 0, ...number16(vlan)])
  if (packet.arp) {
    const head = [0, 1, 8, 0, 6, 4, 0, packet.arp === 'request' ? 1 : 2]
    return join(link, [8, 6], head, parseMac(sourceMac, 6), source, new Uint8Array(6), target)
  }
  const protocol = protocolNumber(packet.protocol ?? 'udp')
  const transport = transportOf(packet, protocol, source, target)
  const { ttl = 64, dscp = 0 } = packet
  if (!four) {
    const head = [0x60 | (dscp >> 2), (dscp & 3) << 6, 0, 0, ...number16(transport.length), protocol, ttl]
    return join(link, [0x86, 0xdd], head, source, target, transport)
  }
  const head = join([0x45, dscp << 2, ...number16(20 + transport.length), 0, 1, 0x40, 0, ttl, protocol, 0, 0], source, target)
  head.set(number16(internetChecksum(head)), 10)
  return join(link, [8, 0], head, transport)
}

const [icmp, tcp, udp, icmp6] = [1, 6, 17, 58]
const data = [0x6e, 0x65, 0x74, 0x6c]
function transportOf(packet: NftablesPacket, protocol: number, source: Uint8Array, target: Uint8Array): Uint8Array {
  const { sourcePort = 0, destinationPort = 0, icmpType = 0, icmpCode = 0, tcpFlags = ['syn'] } = packet
  const ports = [...number16(sourcePort), ...number16(destinationPort)]
  const flags = tcpFlags.reduce((sum, name) => sum | tcpFlagNames[name], 0)
  const [bytes, place] =
    protocol === icmp || protocol === icmp6
      ? [join([icmpType, icmpCode, 0, 0, 0, 7, 0, 1], data), 2]
      : protocol === tcp
        ? [join(ports, [0, 0, 0, 9, 0, 0, 0, 0, 0x50, flags, 0x20, 0, 0, 0, 0, 0], data), 16]
        : protocol === udp
          ? [join(ports, number16(12), [0, 0], data), 6]
          : [join(ports, data), undefined]
  if (place === undefined) return bytes
  // ICMP is the one whose checksum leaves the addresses out.
  const pseudo = protocol === icmp ? [] : join(source, target, [0, 0, ...number16(bytes.length), 0, 0, 0, protocol])
  bytes.set(number16(internetChecksum(join(pseudo, bytes))), place)
  return bytes
}

export interface Sender extends AsyncDisposable {
  send(frame: Uint8Array): Promise<void>
}
/** Sends frames by a link of a named namespace. */
export async function sender(namespace: string, index: number): Promise<Sender> {
  const where = await openSource({ name: namespace })
  const [AF_PACKET, SOCK_RAW] = [17, 3]
  const socket = await native().openPacket(where.handle, AF_PACKET, SOCK_RAW, 0, [])
  const address = new Uint8Array(20)
  new Uint16Array(address.buffer, 0, 1)[0] = AF_PACKET
  new Int32Array(address.buffer, 4, 1)[0] = index
  return {
    async send(frame) {
      await socket.send(frame, address)
    },
    async [Symbol.asyncDispose]() {
      socket.close()
      where.handle.close()
    },
  }
}
