// Numbers, names for numbers, words of flags, text and bytes.
import { Buffer } from 'node:buffer'
import type { Codec } from './codec.js'
import { argumentError, rangeError } from './errors.js'
import { littleEndian as LE, type Writer } from './writer.js'

type Scalar<T> = Codec<T> & { readonly size: number }

function integer(
  size: number,
  low: number,
  high: number,
  read: (view: DataView, at: number) => number,
  set: (view: DataView, at: number, value: number) => void,
): Scalar<number> {
  return {
    min: size,
    size,
    read,
    write(writer, value) {
      if (!Number.isInteger(value)) throw argumentError('ERR_NETLOOM_INVALID_NUMBER', `${shown(value)} is not an integer`)
      if (value < low || value > high) throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${value} is out of range (${low} to ${high})`)
      const at = writer.reserve(size)
      set(writer.view, at, value)
    },
  }
}
const shown = (value: unknown) => (typeof value === 'string' ? JSON.stringify(value) : String(value))

export const u8 = integer(
  1,
  0,
  0xff,
  (v, at) => v.getUint8(at),
  (v, at, n) => v.setUint8(at, n),
)
export const s8 = integer(
  1,
  -0x80,
  0x7f,
  (v, at) => v.getInt8(at),
  (v, at, n) => v.setInt8(at, n),
)
export const u16 = integer(
  2,
  0,
  0xffff,
  (v, at) => v.getUint16(at, LE),
  (v, at, n) => v.setUint16(at, n, LE),
)
export const s16 = integer(
  2,
  -0x8000,
  0x7fff,
  (v, at) => v.getInt16(at, LE),
  (v, at, n) => v.setInt16(at, n, LE),
)
export const u32 = integer(
  4,
  0,
  0xffff_ffff,
  (v, at) => v.getUint32(at, LE),
  (v, at, n) => v.setUint32(at, n, LE),
)
export const s32 = integer(
  4,
  -0x8000_0000,
  0x7fff_ffff,
  (v, at) => v.getInt32(at, LE),
  (v, at, n) => v.setInt32(at, n, LE),
)
export const u16be = integer(
  2,
  0,
  0xffff,
  (v, at) => v.getUint16(at),
  (v, at, n) => v.setUint16(at, n),
)
export const u32be = integer(
  4,
  0,
  0xffff_ffff,
  (v, at) => v.getUint32(at),
  (v, at, n) => v.setUint32(at, n),
)
/** Little-endian whatever the host: for formats that fix their own byte order. */
export const u16le = integer(
  2,
  0,
  0xffff,
  (v, at) => v.getUint16(at, true),
  (v, at, n) => v.setUint16(at, n, true),
)
export const u32le = integer(
  4,
  0,
  0xffff_ffff,
  (v, at) => v.getUint32(at, true),
  (v, at, n) => v.setUint32(at, n, true),
)

/** A 64-bit counter as a number: exact up to 2^53 (9 PB of bytes), and JSON can carry it. */
export const count: Scalar<number> = integer(
  8,
  0,
  Number.MAX_SAFE_INTEGER,
  (v, at) => v.getUint32(LE ? at + 4 : at, LE) * 0x1_0000_0000 + v.getUint32(LE ? at : at + 4, LE),
  (v, at, n) => v.setBigUint64(at, BigInt(n), LE),
)

function big(
  low: bigint,
  high: bigint,
  read: (view: DataView, at: number) => bigint,
  set: (view: DataView, at: number, value: bigint) => void,
): Scalar<bigint> {
  return {
    min: 8,
    size: 8,
    read,
    write(writer, value) {
      if (typeof value !== 'bigint') throw argumentError('ERR_NETLOOM_INVALID_NUMBER', `${shown(value)} is not a bigint`)
      if (value < low || value > high) throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${value} is out of range (${low} to ${high})`)
      const at = writer.reserve(8)
      set(writer.view, at, value)
    },
  }
}
/** 64-bit identifiers; counters are `count`. */
export const u64 = big(
  0n,
  2n ** 64n - 1n,
  (v, at) => v.getBigUint64(at, LE),
  (v, at, n) => v.setBigUint64(at, n, LE),
)
export const s64 = big(
  -(2n ** 63n),
  2n ** 63n - 1n,
  (v, at) => v.getBigInt64(at, LE),
  (v, at, n) => v.setBigInt64(at, n, LE),
)
export const u64be = big(
  0n,
  2n ** 64n - 1n,
  (v, at) => v.getBigUint64(at),
  (v, at, n) => v.setBigUint64(at, n),
)

/** The same bytes seen as another type. */
export function via<Wire, T, W extends Codec<Wire>, I = T>(
  base: W & Codec<Wire>,
  decode: (wire: Wire) => T,
  encode: (value: I) => Wire,
): Codec<T, I> & Pick<W, 'size'> {
  return {
    ...base,
    read: (view: DataView, at: number, end: number) => decode(base.read(view, at, end)),
    write: (w: Writer, v: I) => base.write(w, encode(v)),
  }
}

function truth(value: unknown): number {
  if (typeof value !== 'boolean') throw argumentError('ERR_NETLOOM_INVALID_BOOLEAN', `${shown(value)} is not true or false`)
  return value ? 1 : 0
}
/** A word of any width that means yes or no. */
export const boolean = (base: Scalar<number>) => via(base, (n: number) => n !== 0, truth as (value: boolean) => number)
export const bool = boolean(u8)

/** Present or absent: the attribute has no payload. `false` is not sent. */
export const flag: Codec<boolean> & { readonly presence: true } = {
  min: 0,
  presence: true,
  read: () => true,
  write(_, value) {
    truth(value)
  },
}

/** A number counted in fractions: `scaled(u32, 100)` is 1/100 s on the wire and seconds in the value. */
export function scaled(base: Scalar<number>, perUnit: number): Scalar<number> {
  return via(
    base,
    (wire: number) => wire / perUnit,
    (value: number) => {
      if (typeof value !== 'number' || Number.isNaN(value))
        throw argumentError('ERR_NETLOOM_INVALID_NUMBER', `${shown(value)} is not a number`)
      return Math.round(value * perUnit)
    },
  ) as Scalar<number>
}

/** Names for numbers. A number without a name stays a number, so nothing is lost on newer kernels. */
export function oneOf<const N extends Readonly<Record<string, number>>>(
  base: Scalar<number>,
  names: N,
): Codec<(keyof N & string) | number> & { readonly size: number; readonly names: N } {
  const byValue = new Map(Object.entries(names).map(([name, value]) => [value, name as keyof N & string]))
  const codec = via(
    base,
    (wire: number): (keyof N & string) | number => byValue.get(wire) ?? wire,
    (value: (keyof N & string) | number) => {
      if (typeof value === 'number') return value
      if (Object.hasOwn(names, value)) return names[value]!
      throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `${shown(value)} is none of ${Object.keys(names).join(', ')}`)
    },
  )
  return { ...codec, size: base.size, names }
}

type Bits = Readonly<Record<string, number>>
const bitError = (name: string, bits: Bits) =>
  argumentError('ERR_NETLOOM_UNKNOWN_FLAG', `no flag ${shown(name)}; there are ${Object.keys(bits).join(', ')}`)

/** A word of named bits as the list of those that are set; a bit without a name reads as 'bit7'. */
export function bits<const N extends Bits>(
  base: Scalar<number>,
  names: N,
): Codec<((keyof N & string) | `bit${number}`)[], readonly ((keyof N & string) | `bit${number}`)[]> & {
  readonly size: number
  readonly bits: N
} {
  const byBit: (keyof N & string)[] = []
  for (const [name, bit] of Object.entries(names)) byBit[bit] = name as keyof N & string
  return {
    min: base.min,
    size: base.size,
    bits: names,
    read(view, at, end) {
      const word = base.read(view, at, end)
      const set: ((keyof N & string) | `bit${number}`)[] = []
      for (let bit = 0, rest = word; rest !== 0; bit++, rest >>>= 1) if (rest & 1) set.push(byBit[bit] ?? `bit${bit}`)
      return set
    },
    write(writer, value) {
      let word = 0
      for (const name of value) {
        const bit = names[name] ?? (/^bit(?:[12]?\d|3[01])$/.test(name) ? Number(name.slice(3)) : undefined)
        if (bit === undefined) throw bitError(name, names)
        word |= 1 << bit
      }
      base.write(writer, word >>> 0)
    },
  }
}

/** A word of named bits and its mask: `{ up: true, arp: false }` sets one, clears one and leaves the others alone. */
export function masked<const N extends Bits>(
  base: Scalar<number>,
  names: N,
): Codec<{ [K in keyof N]?: boolean }> & { readonly size: number; readonly bits: N } {
  const list = Object.entries(names).map(([name, bit]) => [name, 1 << bit] as const)
  return {
    min: base.min,
    size: base.size * 2,
    bits: names,
    read(view, at, end) {
      const word = base.read(view, at, end)
      const out: Record<string, boolean> = {}
      for (const [name, bit] of list) if (word & bit) out[name] = true
      return out as { [K in keyof N]?: boolean }
    },
    write(writer, value) {
      let word = 0
      let mask = 0
      for (const name in value) {
        const set = value[name]
        if (set === undefined) continue
        const bit = names[name]
        if (bit === undefined) throw bitError(name, names)
        mask |= 1 << bit
        if (truth(set)) word |= 1 << bit
      }
      base.write(writer, word >>> 0)
      base.write(writer, mask >>> 0)
    },
  }
}

export const bytes: Codec<Uint8Array> = {
  min: 0,
  read: (view, at, end) => new Uint8Array(view.buffer, view.byteOffset + at, end - at).slice(),
  write(writer, value) {
    if (!(value instanceof Uint8Array)) throw argumentError('ERR_NETLOOM_INVALID_BYTES', `${shown(value)} is not a Uint8Array`)
    const at = writer.reserve(value.length)
    writer.bytes.set(value, at)
  },
}

const text = (view: DataView, at: number, end: number): string => {
  let s = ''
  for (let i = at; i < end; i++) {
    const c = view.getUint8(i)
    if (c === 0) return s
    if (c > 0x7f) {
      const all = Buffer.from(view.buffer, view.byteOffset + at, end - at)
      const zero = all.indexOf(0)
      return all.toString('utf8', 0, zero < 0 ? all.length : zero)
    }
    s += String.fromCharCode(c)
  }
  return s
}
/** UTF-8 text that ends with a zero byte, which is written and not read. */
export const string: Codec<string> = {
  min: 0,
  read: text,
  write(writer, value) {
    if (typeof value !== 'string') throw argumentError('ERR_NETLOOM_INVALID_STRING', `${shown(value)} is not a string`)
    const start = writer.at
    let at = writer.reserve(value.length + 1)
    for (let i = 0; i < value.length; i++) {
      const c = value.charCodeAt(i)
      if (c === 0) throw argumentError('ERR_NETLOOM_INVALID_STRING', 'a zero byte cannot be part of a name')
      if (c > 0x7f) {
        const encoded = Buffer.from(value, 'utf8')
        if (encoded.includes(0)) throw argumentError('ERR_NETLOOM_INVALID_STRING', 'a zero byte cannot be part of a name')
        writer.at = start
        at = writer.reserve(encoded.length + 1)
        writer.bytes.set(encoded, at)
        writer.bytes[at + encoded.length] = 0
        return
      }
      writer.bytes[at++] = c
    }
    writer.bytes[at] = 0
  },
}
