// Addresses on the wire: IPv4, IPv6, either by length, and link-layer addresses of any length.
import type { Codec } from './codec.js'
import { argumentError, MalformedError, shown } from './errors.js'
import { formatIpv6, parseIp, parseIpv4, parseIpv6, parseMac } from './ip.js'
import type { Writer } from './writer.js'

const put = (writer: Writer, bytes: Uint8Array) => {
  const at = writer.reserve(bytes.length)
  writer.bytes.set(bytes, at)
}
const readIpv4 = (view: DataView, at: number) =>
  `${view.getUint8(at)}.${view.getUint8(at + 1)}.${view.getUint8(at + 2)}.${view.getUint8(at + 3)}`

export const ipv4: Codec<string> & { readonly size: number } = {
  min: 4,
  size: 4,
  read: readIpv4,
  write(writer, value) {
    const bytes = parseIpv4(value)
    if (!bytes) throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${shown(value)} is not an IPv4 address`)
    put(writer, bytes)
  },
}
export const ipv6: Codec<string> & { readonly size: number } = {
  min: 16,
  size: 16,
  read: (view, at) => formatIpv6(view, at),
  write(writer, value) {
    const bytes = parseIpv6(value)
    if (!bytes) throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${shown(value)} is not an IPv6 address`)
    put(writer, bytes)
  },
}
/** 4 or 16 bytes: the length says which family it is. */
export const ip: Codec<string> = {
  min: 4,
  read(view, at, end) {
    if (end - at === 4) return readIpv4(view, at)
    if (end - at === 16) return formatIpv6(view, at)
    throw new MalformedError(`${end - at} bytes are neither an IPv4 nor an IPv6 address`)
  },
  write: (writer, value) => put(writer, parseIp(value)),
}

const hex = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))
const colonHex = hex.map(digits => `:${digits}`)
const digit = (four: number) => (four < 10 ? 48 : 87) + four
/** In one piece: put together from pairs it would keep all of its intermediate forms alive. */
function ethernet(view: DataView, at: number): string {
  const high = view.getUint16(at)
  const middle = view.getUint16(at + 2)
  const low = view.getUint16(at + 4)
  return String.fromCharCode(
    digit(high >>> 12),
    digit((high >>> 8) & 15),
    58,
    digit((high >>> 4) & 15),
    digit(high & 15),
    58,
    digit(middle >>> 12),
    digit((middle >>> 8) & 15),
    58,
    digit((middle >>> 4) & 15),
    digit(middle & 15),
    58,
    digit(low >>> 12),
    digit((low >>> 8) & 15),
    58,
    digit((low >>> 4) & 15),
    digit(low & 15),
  )
}
/** A link-layer address as pairs of hexadecimal digits: six bytes on Ethernet, other lengths elsewhere. */
export const mac: Codec<string> = {
  min: 0,
  read(view, at, end) {
    if (end === at) return ''
    if (end - at === 6) return ethernet(view, at)
    let text = hex[view.getUint8(at)]!
    for (let i = at + 1; i < end; i++) text += colonHex[view.getUint8(i)]!
    return text
  },
  write: (writer, value) => put(writer, parseMac(value)),
}
/** A link-layer address as a member of a struct: always six bytes. */
export const mac6: Codec<string> & { readonly size: number } = {
  min: 6,
  size: 6,
  read: (view, at) => mac.read(view, at, at + 6),
  write: (writer, value) => put(writer, parseMac(value, 6)),
}
