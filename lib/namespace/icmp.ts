// ICMP messages as bytes (RFC 792, RFC 4443): echo requests to send, echo replies and quoted requests to recognise.

/** Which of the two protocols: ICMP (4) or ICMPv6 (6). */
export type Family = 4 | 6

export interface Echo {
  /** Identifier of the sender, 16 bits. A ping socket replaces it by its own. */
  readonly identifier: number
  /** Sequence number, 16 bits. */
  readonly sequence: number
  readonly payload: Uint8Array
}

/** Message types (`linux/icmp.h`, `linux/icmpv6.h`). */
const ECHO_REQUEST: Readonly<Record<Family, number>> = { 4: 8, 6: 128 }
const ECHO_REPLY: Readonly<Record<Family, number>> = { 4: 0, 6: 129 }
const HEADER = 8

/** The bytes of an echo request. The checksum of ICMPv6 covers addresses that only the kernel knows: it is left 0 for the kernel to fill in. */
export function encodeEchoRequest(family: Family, echo: Echo): Uint8Array {
  const bytes = new Uint8Array(HEADER + echo.payload.length)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, ECHO_REQUEST[family])
  view.setUint16(4, echo.identifier)
  view.setUint16(6, echo.sequence)
  bytes.set(echo.payload, HEADER)
  if (family === 4) view.setUint16(2, internetChecksum(bytes))
  return bytes
}

/** The echo reply in these bytes; undefined when they hold anything else, or damaged ones. */
export const decodeEchoReply = (family: Family, bytes: Uint8Array): Echo | undefined => decode(family, ECHO_REPLY[family], bytes, true)

/**
 * The echo request of which an ICMP error quotes the beginning; undefined when it is anything else.
 * The quote may end early (8 bytes are all that RFC 792 asks for), so neither checksum nor length can be checked.
 */
export const decodeQuotedRequest = (family: Family, bytes: Uint8Array): Echo | undefined =>
  decode(family, ECHO_REQUEST[family], bytes, false)

function decode(family: Family, type: number, bytes: Uint8Array, whole: boolean): Echo | undefined {
  if (bytes.length < HEADER || bytes[0] !== type || bytes[1] !== 0) return undefined
  if (whole && family === 4 && internetChecksum(bytes) !== 0) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return { identifier: view.getUint16(4), sequence: view.getUint16(6), payload: bytes.subarray(HEADER) }
}

/** What follows the IPv4 header, and the header's TTL: raw ICMP sockets deliver both. undefined when the header is damaged. */
export function stripIpv4Header(bytes: Uint8Array): { ttl: number; payload: Uint8Array } | undefined {
  const first = bytes[0] ?? 0
  const length = (first & 0x0f) * 4
  if (first >> 4 !== 4 || length < 20 || bytes.length < length) return undefined
  return { ttl: bytes[8]!, payload: bytes.subarray(length) }
}

/** The ones' complement of the ones' complement sum of 16-bit words (RFC 1071); 0 over bytes that contain their right checksum. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0
  for (let i = 0; i + 1 < bytes.length; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!
  if (bytes.length % 2 === 1) sum += bytes[bytes.length - 1]! << 8
  // At most 65,535 bytes: the sum stays below 2 ** 31, so two folds are enough.
  sum = (sum >>> 16) + (sum & 0xffff)
  sum = (sum >>> 16) + (sum & 0xffff)
  return ~sum & 0xffff
}

const REASONS_4: Readonly<Record<string, string>> = {
  '3/0': 'network unreachable',
  '3/1': 'host unreachable',
  '3/2': 'protocol unreachable',
  '3/3': 'port unreachable',
  '3/4': 'fragmentation needed, but forbidden',
  '3/5': 'source route failed',
  '3/6': 'network unknown',
  '3/7': 'host unknown',
  '3/9': 'network administratively prohibited',
  '3/10': 'host administratively prohibited',
  '3/11': 'network unreachable for this type of service',
  '3/12': 'host unreachable for this type of service',
  '3/13': 'packet filtered',
  '3/14': 'host precedence violation',
  '3/15': 'precedence cut off',
  '11/0': 'time to live exceeded in transit',
  '11/1': 'fragment reassembly time exceeded',
}
const REASONS_6: Readonly<Record<string, string>> = {
  '1/0': 'no route to destination',
  '1/1': 'administratively prohibited',
  '1/2': 'beyond scope of source address',
  '1/3': 'address unreachable',
  '1/4': 'port unreachable',
  '1/5': 'source address failed ingress or egress policy',
  '1/6': 'reject route to destination',
  '2/0': 'packet too big',
  '3/0': 'hop limit exceeded in transit',
  '3/1': 'fragment reassembly time exceeded',
}

/** The meaning of an ICMP error in words. */
export function describeIcmpError(family: Family, type: number, code: number): string {
  const known = (family === 4 ? REASONS_4 : REASONS_6)[`${type}/${code}`]
  if (known) return known
  return type === (family === 4 ? 12 : 4) ? 'parameter problem' : `ICMP error of type ${type}, code ${code}`
}
