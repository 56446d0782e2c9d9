// How values of nftables' data types are written in JSON: as numbers, names, addresses, times; each ⇄ the integer on the wire.
import { argumentError, rangeError, shown } from '../../codec/errors.js'
import { formatIp, parseIpv4, parseIpv6, parseMac } from '../../codec/ip.js'

/** A value as JSON holds it; several for bitmasks. */
export type Scalar = string | number | boolean
export type Formatted = Scalar | Scalar[]
/** Interfaces by name and number, where a rule names one by its index. */
export interface InterfaceNames {
  indexOf?(name: string): number | undefined
  nameOf?(index: number): string | undefined
}
/** Both directions of one type: the wire's integer, of so many bits, and the value in JSON. */
export interface ValueCodec {
  parse(value: unknown, bits: number, names?: InterfaceNames): bigint
  format(wire: bigint, bits: number, names?: InterfaceNames): Formatted
  /** The quick way for the plainest form of a value: its bytes, the highest first. False for every other form, right or wrong. */
  put?(value: unknown, length: number, into: Uint8Array, at: number): boolean
}

export const numberOf = (bytes: Uint8Array): bigint => {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return value
}
/** The bytes of an integer, the highest first. */
export function bytesOf(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = length - 1, rest = value; i >= 0 && rest; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn)
  return bytes
}

/** Puts a number of at most 32 bits. */
function putNumber(value: unknown, length: number, into: Uint8Array, at: number): boolean {
  if (typeof value !== 'number' || length > 4 || !Number.isInteger(value) || value < 0 || value >= 2 ** (8 * length)) return false
  for (let i = length - 1, rest = value; i >= 0; i--, rest >>>= 8) into[at + i] = rest
  return true
}

const wrong = (value: unknown, what: string) => argumentError('ERR_NETLOOM_INVALID_VALUE', `${shown(value)} is not ${what}`)

function within(value: bigint, bits: number): bigint {
  if (value < 0n || (bits > 0 && value >> BigInt(bits)))
    throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${value} is out of range (0 to ${(1n << BigInt(bits)) - 1n})`)
  return value
}
/** 5, '5', '0x1f', true; undefined for anything else. */
function integer(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
  if (typeof value === 'bigint') return value
  if (typeof value === 'boolean') return value ? 1n : 0n
  return typeof value === 'string' && /^(?:\d+|0x[\da-f]+)$/i.test(value) ? BigInt(value) : undefined
}
/** Numbers that JSON cannot carry exactly are written in hexadecimal. */
const json = (value: bigint): Scalar => (value <= Number.MAX_SAFE_INTEGER ? Number(value) : `0x${value.toString(16)}`)

export const plain: ValueCodec = {
  parse(value, bits) {
    const number = integer(value)
    if (number === undefined) throw wrong(value, 'an integer')
    return within(number, bits)
  },
  format: json,
  put: putNumber,
}

/** Numbers with names; `show` says how a number without one, or any number, is read. */
export function named(names: Readonly<Record<string, number>>, what: string, show: (value: bigint) => Formatted = json): ValueCodec {
  const byNumber = new Map<number, string>()
  for (const [name, number] of Object.entries(names)) if (!byNumber.has(number)) byNumber.set(number, name)
  return {
    parse(value, bits) {
      if (typeof value === 'string' && Object.hasOwn(names, value)) return BigInt(names[value]!)
      const number = integer(value)
      if (number === undefined) throw wrong(value, `${what}; there are ${Object.keys(names).slice(0, 40).join(', ')}`)
      return within(number, bits)
    },
    format: wire => byNumber.get(Number(wire)) ?? show(wire),
  }
}

/** Names that are written but read as numbers. */
export const namedOnlyIn = (names: Readonly<Record<string, number>>, what: string): ValueCodec => ({
  ...named(names, what),
  format: json,
  put: putNumber,
})

/** The operands of `{ '|': [a, b] }`. */
const alternatives = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 1 ? (value as { '|'?: unknown })['|'] : undefined

/** Words of bits: one name, or several in an array, or joined by '|', as nft has them in sets. */
export function bitmask(names: Readonly<Record<string, number>>, what: string): ValueCodec {
  const one = named(names, what)
  return {
    parse(value, bits, interfaces) {
      const either = alternatives(value)
      if (Array.isArray(either)) return either.reduce((word: bigint, part) => word | this.parse(part, bits, interfaces), 0n)
      if (!Array.isArray(value)) return one.parse(value, bits)
      return value.reduce((word: bigint, part) => word | one.parse(part, bits), 0n)
    },
    format(wire) {
      const set: string[] = []
      let rest = wire
      for (const [name, bit] of Object.entries(names))
        if (rest & BigInt(bit)) {
          set.push(name)
          rest &= ~BigInt(bit)
        }
      return rest || !set.length ? json(wire) : set.length === 1 ? set[0]! : set
    },
  }
}

/** Connection labels: numbers of bits. */
export const bitNumbers: ValueCodec = {
  parse(value, bits) {
    const one = (part: unknown) => {
      const number = integer(part)
      if (number === undefined) throw wrong(part, 'the number of a label')
      if (number < 0n || number >= BigInt(bits))
        throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${number} is out of range (0 to ${bits - 1})`)
      return 1n << number
    }
    return Array.isArray(value) ? value.reduce((word: bigint, part) => word | one(part), 0n) : one(value)
  },
  format(wire, bits) {
    const set: number[] = []
    for (let bit = 0; bit < bits; bit++) if ((wire >> BigInt(bit)) & 1n) set.push(bit)
    return set.length === 1 ? set[0]! : set
  },
}

export const truth: ValueCodec = {
  parse(value) {
    if (value === 'exists') return 1n
    if (value === 'missing') return 0n
    const number = integer(value)
    if (number !== 0n && number !== 1n) throw wrong(value, 'true or false')
    return number
  },
  format: wire => (wire > 1n ? json(wire) : wire === 1n),
}

const address = (parse: (text: string) => Uint8Array | undefined, length: number, what: string): ValueCodec => ({
  parse(value) {
    const bytes = typeof value === 'string' ? parse(value) : undefined
    if (!bytes) throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${shown(value)} is not ${what}`)
    return numberOf(bytes)
  },
  format: wire => formatIp(bytesOf(wire, length)),
  put(value, room, into, at) {
    const bytes = typeof value === 'string' && room === length ? parse(value) : undefined
    if (!bytes) return false
    for (let i = 0; i < length; i++) into[at + i] = bytes[i]!
    return true
  },
})
export const ipv4Value = address(parseIpv4, 4, 'an IPv4 address')
export const ipv6Value = address(parseIpv6, 16, 'an IPv6 address')
export const macValue: ValueCodec = {
  parse: (value, bits) => numberOf(parseMac(value as string, bits / 8 || undefined)),
  format: (wire, bits) => Array.from(bytesOf(wire, bits / 8 || 6), byte => byte.toString(16).padStart(2, '0')).join(':'),
}

/** Text in so many bytes, the rest zero. A `*` at the end of an interface's name is not part of it: see `wildcardOf`. */
export const text: ValueCodec = {
  parse(value, bits) {
    if (typeof value !== 'string') throw wrong(value, 'a text')
    const bytes = new TextEncoder().encode(value)
    if (bytes.includes(0)) throw argumentError('ERR_NETLOOM_INVALID_STRING', 'a zero byte cannot be part of a name')
    if (bytes.length >= bits / 8)
      throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${shown(value)} has ${bytes.length} bytes; at most ${bits / 8 - 1} fit`)
    const padded = new Uint8Array(bits / 8)
    padded.set(bytes)
    return numberOf(padded)
  },
  format(wire, bits) {
    const bytes = bytesOf(wire, bits / 8)
    const end = bytes.indexOf(0)
    return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
  },
}

/** Major and minor number in hexadecimal, as tc writes them: '1:2'. */
export const trafficClass: ValueCodec = {
  parse(value, bits) {
    if (value === 'none') return 0n
    if (value === 'root') return 0xffff_ffffn
    const parts = typeof value === 'string' ? /^([\da-f]{0,4}):([\da-f]{0,4})$/i.exec(value) : null
    if (parts) return (BigInt(`0x${parts[1] || 0}`) << 16n) | BigInt(`0x${parts[2] || 0}`)
    const number = integer(value)
    if (number === undefined) throw wrong(value, "a traffic class like '1:2'")
    return within(number, bits)
  },
  format(wire) {
    if (wire === 0n) return 'none'
    if (wire === 0xffff_ffffn) return 'root'
    return `${(wire >> 16n).toString(16)}:${(wire & 0xffffn).toString(16)}`
  },
}

/** An interface by its index: its name where it has one. */
export const interfaceIndex: ValueCodec = {
  parse(value, bits, names) {
    const number = integer(value)
    if (number !== undefined) return within(number, bits)
    if (typeof value !== 'string') throw wrong(value, 'the name or the index of an interface')
    const index = names?.indexOf?.(value)
    if (index === undefined) throw argumentError('ERR_NETLOOM_INVALID_VALUE', `there is no interface ${shown(value)}`)
    return BigInt(index)
  },
  format: (wire, _, names) => names?.nameOf?.(Number(wire)) ?? String(wire),
}

/** Milliseconds on the wire, seconds in JSON. */
export const milliseconds: ValueCodec = {
  parse(value, bits) {
    const seconds = typeof value === 'string' ? Number(value) : value
    if (typeof seconds !== 'number' || !Number.isFinite(seconds)) throw wrong(value, 'a number of seconds')
    return within(BigInt(Math.round(seconds * 1000)), bits)
  },
  format: wire => Number(wire) / 1000,
}

const two = (n: number) => String(n).padStart(2, '0')
const dateForm = /^(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d)(?::(\d\d))?)?$/
/** A point in time: nanoseconds since 1970 on the wire, local time in JSON. Numbers are seconds since 1970. */
export const date: ValueCodec = {
  parse(value, bits) {
    const number = integer(value)
    if (number !== undefined) return within(number * 1_000_000_000n, bits)
    const parts = typeof value === 'string' ? dateForm.exec(value) : null
    if (!parts) throw wrong(value, "a time like '2030-01-31 12:00:00'")
    const [year, month, day, hour = 0, minute = 0, second = 0] = parts.slice(1).map(part => Number(part ?? 0))
    return BigInt(new Date(year!, month! - 1, day!, hour, minute, second).getTime()) * 1_000_000n
  },
  format(wire) {
    const at = new Date(Number(wire / 1_000_000n))
    if (wire % 1_000_000_000n || Number.isNaN(at.getTime())) return `0x${wire.toString(16)}`
    const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
    return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  },
}

const dayLength = 86_400
/** A time of day: seconds since midnight UTC on the wire, local time in JSON. */
export const timeOfDay: ValueCodec = {
  parse(value, bits) {
    const number = integer(value)
    if (number !== undefined) return within(number, bits)
    const parts = typeof value === 'string' ? /^([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?$/.exec(value) : null
    if (!parts) throw wrong(value, "a time of day like '12:30'")
    const local = Number(parts[1]) * 3600 + Number(parts[2]) * 60 + Number(parts[3] ?? 0)
    return BigInt((local + new Date().getTimezoneOffset() * 60 + dayLength) % dayLength)
  },
  format(wire) {
    if (wire >= BigInt(dayLength)) return json(wire)
    const local = (Number(wire) - new Date().getTimezoneOffset() * 60 + dayLength) % dayLength
    const seconds = local % 60
    return `${two(Math.floor(local / 3600))}:${two(Math.floor(local / 60) % 60)}${seconds ? `:${two(seconds)}` : ''}`
  },
}

/** Routing realms and the like: names are a matter of the system's files, so numbers as text. */
export const numericText: ValueCodec = { parse: plain.parse, format: wire => String(wire) }
