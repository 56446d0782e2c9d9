// Taking a port without serving it: what is bound is nobody else's, and whoever knocks is refused as if nobody were there.
import { parseIp } from '../codec/ip.js'
import { type Descriptor, native, type SocketOption } from '../socket/native.js'
import { checkOpen, failure } from './failure.js'
import { labelOf, type OpenNamespace } from './info.js'
import { AF_INET, AF_INET6, encodeSocketAddress } from './sockaddr.js'

export interface Port {
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  /** '0.0.0.0' and '::' are all addresses of their family. */
  readonly address: string
  readonly port: number
}

/** `sys/socket.h`, `netinet/in.h` */
const kinds = { tcp: [1, 6], udp: [2, 17], sctp: [1, 132] } as const
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_RCVBUF = 8
const SO_BINDTODEVICE = 25
const SO_RCVBUF_LEAST = 0
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
const int = (value: number) => new Uint8Array(new Int32Array([value]).buffer)

/**
 * Binds the port, and never listens. With `look` only servers are in the way, not what is left of connections that have ended: for asking
 * whether somebody has it. A datagram socket is tied to lo and takes next to nothing: it keeps the port for all devices, and hears none of them.
 *
 * Errors: EADDRINUSE somebody has it, EADDRNOTAVAIL no link has the address, EPROTONOSUPPORT the kernel lacks the protocol.
 */
export async function holdPort(where: OpenNamespace, { protocol, address, port }: Port, { look = false } = {}): Promise<Descriptor> {
  const attempt = { operation: 'hold port', subject: `${address}:${port}/${protocol}`, namespace: labelOf(where.info) }
  checkOpen(where, attempt)
  const ip = parseIp(address)
  const [type, number] = kinds[protocol]
  const options: SocketOption[] = []
  if (ip.length === 16) options.push([IPPROTO_IPV6, IPV6_V6ONLY, int(1)])
  if (protocol === 'udp') options.push([SOL_SOCKET, SO_BINDTODEVICE, Buffer.from('lo\0')], [SOL_SOCKET, SO_RCVBUF, int(SO_RCVBUF_LEAST)])
  else if (look) options.push([SOL_SOCKET, SO_REUSEADDR, int(1)])
  try {
    return await native().openDescriptor(
      where.handle,
      ip.length === 16 ? AF_INET6 : AF_INET,
      type,
      number,
      options,
      encodeSocketAddress({ ip, port }),
    )
  } catch (error) {
    throw failure(error, attempt, { EADDRINUSE: { hint: 'another socket of the namespace has that port' } })
  }
}
