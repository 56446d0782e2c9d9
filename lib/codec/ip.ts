// Addresses as text: strict parsing of IPv4, IPv6 (RFC 4291), prefixes and MACs, and the one way of writing them (RFC 5952).
import { argumentError, shown } from './errors.js'

const code = 'ERR_NETLOOM_INVALID_ADDRESS'

/** 4, 6, or 0 when the text is neither. */
export const ipFamily = (text: string): 0 | 4 | 6 => (parseIpv4(text) ? 4 : parseIpv6(text) ? 6 : 0)

/** Four decimal numbers without leading zeros; undefined for anything else. */
export function parseIpv4(text: string): Uint8Array | undefined {
  const out = new Uint8Array(4)
  return typeof text === 'string' && readIpv4(text, 0, text.length, out, 0) ? out : undefined
}

/** Writes the four bytes of the part of a text that is an address; false for anything else, with some of them written. */
export function readIpv4(text: string, from: number, end: number, out: Uint8Array, to: number): boolean {
  let part = 0
  let value = -1
  for (let i = from; i <= end; i++) {
    const c = i < end ? text.charCodeAt(i) : 46
    if (c === 46) {
      if (value < 0 || part > 3) return false
      out[to + part++] = value
      value = -1
    } else {
      if (c < 48 || c > 57 || value === 0) return false
      value = value < 0 ? c - 48 : value * 10 + c - 48
      if (value > 255) return false
    }
  }
  return part === 4
}

/** Eight groups, `::` once for at least one group of zeros, an IPv4 tail; no zone. undefined for anything else. */
export function parseIpv6(text: string): Uint8Array | undefined {
  if (typeof text !== 'string' || text.length < 2 || text.length > 45) return undefined
  const out = new Uint8Array(16)
  let at = 0
  let gap = -1
  let i = 0
  if (text.charCodeAt(0) === 58) {
    if (text.charCodeAt(1) !== 58) return undefined
    gap = 0
    i = 2
  }
  while (i < text.length) {
    if (at >= 16) return undefined
    let end = i
    let value = 0
    while (end < text.length && end - i < 5) {
      const digit = hexDigit(text.charCodeAt(end))
      if (digit < 0) break
      value = value * 16 + digit
      end++
    }
    const next = end < text.length ? text.charCodeAt(end) : -1
    if (next === 46) {
      if (at > 12 || !readIpv4(text, i, text.length, out, at)) return undefined
      at += 4
      i = text.length
      break
    }
    if (end === i || end - i > 4) return undefined
    out[at++] = value >> 8
    out[at++] = value & 0xff
    if (next === -1) {
      i = end
      break
    }
    if (next !== 58) return undefined
    i = end + 1
    if (i === text.length) return undefined
    if (text.charCodeAt(i) === 58) {
      if (gap >= 0) return undefined
      gap = at
      i++
    }
  }
  if (gap < 0) return at === 16 ? out : undefined
  if (at > 14) return undefined
  out.copyWithin(16 - (at - gap), gap, at)
  out.fill(0, gap, 16 - (at - gap))
  return out
}

function hexDigit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48
  const lower = c | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/** The 4 or 16 bytes of an address; throws ERR_NETLOOM_INVALID_ADDRESS. */
export function parseIp(text: string): Uint8Array {
  const parsed = parseIpv4(text) ?? parseIpv6(text)
  if (!parsed) throw argumentError(code, `${shown(text)} is not an IPv4 or IPv6 address`)
  return parsed
}

/** The text of 4 or 16 bytes, IPv6 as RFC 5952 says. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`
  if (bytes.length !== 16) throw argumentError(code, `${bytes.length} bytes are neither an IPv4 nor an IPv6 address`)
  return formatIpv6(new DataView(bytes.buffer, bytes.byteOffset, 16), 0)
}

export function formatIpv6(view: DataView, at: number): string {
  let best = -1
  let length = 1
  for (let i = 0; i < 8; ) {
    let run = 0
    while (i + run < 8 && view.getUint16(at + 2 * (i + run)) === 0) run++
    if (run > length) {
      best = i
      length = run
    }
    i += run + 1
  }
  if (best === 0 && length === 5 && view.getUint16(at + 10) === 0xffff)
    return `::ffff:${view.getUint8(at + 12)}.${view.getUint8(at + 13)}.${view.getUint8(at + 14)}.${view.getUint8(at + 15)}`
  let text = ''
  for (let i = 0; i < 8; i++) {
    if (i === best) {
      text += '::'
      i += length - 1
    } else text += (text && !text.endsWith(':') ? ':' : '') + view.getUint16(at + 2 * i).toString(16)
  }
  return text
}

export interface Cidr {
  readonly address: string
  readonly prefix: number
  readonly family: 4 | 6
  readonly bytes: Uint8Array
}

/** '10.0.1.2/24'; without a prefix length the whole address counts (/32, /128). Throws ERR_NETLOOM_INVALID_ADDRESS. */
export function parseCidr(text: string): Cidr {
  if (typeof text !== 'string') throw argumentError(code, `${shown(text)} is not an address like 10.0.1.2/24`)
  const slash = text.indexOf('/')
  const address = slash < 0 ? text : text.slice(0, slash)
  const bytes = parseIp(address)
  const family = bytes.length === 4 ? 4 : 6
  const all = bytes.length * 8
  const digits = slash < 0 ? String(all) : text.slice(slash + 1)
  if (!/^(?:0|[1-9]\d{0,2})$/.test(digits)) throw argumentError(code, `${shown(text)}: ${shown(digits)} is not a prefix length`)
  const prefix = Number(digits)
  if (prefix > all) throw argumentError(code, `${shown(text)}: the prefix length of an IPv${family} address is at most ${all}`)
  return { address: formatIp(bytes), prefix, family, bytes }
}

/** The address with all host bits zero. */
export function networkOf(bytes: Uint8Array, prefix: number): Uint8Array {
  return bytes.map((byte, i) => (i * 8 >= prefix ? 0 : prefix - i * 8 >= 8 ? byte : byte & (0xff << (8 - (prefix - i * 8)))))
}

/** The address with all host bits one: of an IPv4 subnet its broadcast address. */
export function lastOf(bytes: Uint8Array, prefix: number): Uint8Array {
  return bytes.map((byte, i) => (i * 8 >= prefix ? 0xff : prefix - i * 8 >= 8 ? byte : byte | (0xff >> (prefix - i * 8))))
}

const macForm = /^[0-9a-f]{2}(?::[0-9a-f]{2})*$/i
/** The bytes of '02:42:ac:11:00:02'; throws ERR_NETLOOM_INVALID_MAC. An Ethernet address has six. */
export function parseMac(text: string, length?: number): Uint8Array {
  if (typeof text !== 'string' || !macForm.test(text) || text.length > 95 || (length !== undefined && text.length !== length * 3 - 1))
    throw argumentError('ERR_NETLOOM_INVALID_MAC', `${shown(text)} is not a MAC address like 02:42:ac:11:00:02`)
  const out = new Uint8Array((text.length + 1) / 3)
  readMac(text, out, 0)
  return out
}

/** Writes the bytes of a text that is pairs of digits with one character in between; false for anything else. */
export function readMac(text: string, out: Uint8Array, to: number): boolean {
  for (let i = 0; i < text.length; i += 3) {
    const high = hexDigit(text.charCodeAt(i))
    const low = hexDigit(text.charCodeAt(i + 1))
    if (high < 0 || low < 0 || (i + 2 < text.length && text.charCodeAt(i + 2) !== 58)) return false
    out[to++] = high * 16 + low
  }
  return true
}
