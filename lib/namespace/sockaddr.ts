// Socket addresses as the kernel takes and gives them: sockaddr_in and sockaddr_in6 (`netinet/in.h`).
import { endianness } from 'node:os'
import { formatIp } from '../codec/ip.js'

export const AF_INET = 2
export const AF_INET6 = 10

const little = endianness() === 'LE'

export interface SocketAddress {
  /** 4 or 16 bytes. */
  readonly ip: Uint8Array
  readonly port?: number
  /** Interface index that a link-local IPv6 address belongs to. */
  readonly scope?: number
}

/** The 16 bytes of a sockaddr_in or the 28 of a sockaddr_in6, by the length of the address. */
export function encodeSocketAddress({ ip, port = 0, scope = 0 }: SocketAddress): Uint8Array {
  const six = ip.length === 16
  const bytes = new Uint8Array(six ? 28 : 16)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, six ? AF_INET6 : AF_INET, little)
  view.setUint16(2, port)
  bytes.set(ip, six ? 8 : 4)
  if (six) view.setUint32(24, scope, little)
  return bytes
}

/** The address in a sockaddr as text; undefined for other families (AF_UNSPEC: the kernel doesn't say). */
export function socketAddressText(bytes: Uint8Array): string | undefined {
  if (bytes.length < 2) return undefined
  const family = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint16(0, little)
  if (family === AF_INET && bytes.length >= 8) return formatIp(bytes.subarray(4, 8))
  if (family === AF_INET6 && bytes.length >= 24) return formatIp(bytes.subarray(8, 24))
  return undefined
}
