// Numbers, names for numbers, words of flags, text and bytes.
import { Buffer } from 'node:buffer'
import type { Codec } from './codec.js'
import { copyOf } from './compile.js'
import { argumentError, expectArray, expectObject, rangeError, shown } from './errors.js'
import { littleEndian as LE, type Writer } from './writer.js'

type Scalar<T> = Codec<T> & { readonly size: number }
const highWord = LE ? 4 : 0

/** The accessors of DataView, by which a number is read and written: 'Uint16' is getUint16 and setUint16. */
type Accessor = 'Uint8' | 'Int8' | 'Uint16' | 'Int16' | 'Uint32' | 'Int32'
type BigAccessor = 'BigUint64' | 'BigInt64'

function integer(accessor: Accessor, low: number, high: number, little = LE): Scalar<number> {
  const size = Number(/\d+/.exec(accessor)) / 8
  const get = `get${accessor}` as const
  const set = `set${accessor}` as const
  return {
    min: size,
    size,
    source: at => `view.${get}(${at}, ${little})`,
    read: (view, at) => view[get](at, little),
    write(writer, value) {
      checkInteger(value, low, high)
      const at = writer.reserve(size)
      writer.view[set](at, value, little)
    },
  }
}
function checkInteger(value: unknown, low: number, high: number): void {
  if (!Number.isInteger(value)) throw argumentError('ERR_NETLOOM_INVALID_NUMBER', `${shown(value)} is not an integer`)
  if ((value as number) < low || (value as number) > high)
    throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${value} is out of range (${low} to ${high})`)
}

export const u8 = integer('Uint8', 0, 0xff)
export const s8 = integer('Int8', -0x80, 0x7f)
export const u16 = integer('Uint16', 0, 0xffff)
export const s16 = integer('Int16', -0x8000, 0x7fff)
export const u32 = integer('Uint32', 0, 0xffff_ffff)
export const s32 = integer('Int32', -0x8000_0000, 0x7fff_ffff)
export const u16be = integer('Uint16', 0, 0xffff, false)
export const u32be = integer('Uint32', 0, 0xffff_ffff, false)
export const s32be = integer('Int32', -0x8000_0000, 0x7fff_ffff, false)
/** Little-endian whatever the host: for formats that fix their own byte order. */
export const u16le = integer('Uint16', 0, 0xffff, true)
export const u32le = integer('Uint32', 0, 0xffff_ffff, true)

/** A 64-bit counter as a number: exact up to 2^53 (9 PB of bytes), and JSON can carry it. */
export const count: Scalar<number> = {
  min: 8,
  size: 8,
  source: at => `view.getUint32(${at} + ${highWord}, ${LE}) * 0x100000000 + view.getUint32(${at} + ${4 - highWord}, ${LE})`,
  read: (view, at) => view.getUint32(at + highWord, LE) * 0x1_0000_0000 + view.getUint32(at + 4 - highWord, LE),
  write(writer, value) {
    checkInteger(value, 0, Number.MAX_SAFE_INTEGER)
    const at = writer.reserve(8)
    writer.view.setBigUint64(at, BigInt(value), LE)
  },
}

/** The same with the high byte first. */
export const countBe: Scalar<number> = {
  min: 8,
  size: 8,
  source: at => `view.getUint32(${at}) * 0x100000000 + view.getUint32(${at} + 4)`,
  read: (view, at) => view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4),
  write(writer, value) {
    checkInteger(value, 0, Number.MAX_SAFE_INTEGER)
    const at = writer.reserve(8)
    writer.view.setBigUint64(at, BigInt(value))
  },
}

function big(accessor: BigAccessor, low: bigint, high: bigint, little = LE): Scalar<bigint> {
  const get = `get${accessor}` as const
  const set = `set${accessor}` as const
  return {
    min: 8,
    size: 8,
    source: at => `view.${get}(${at}, ${little})`,
    read: (view, at) => view[get](at, little),
    write(writer, value) {
      if (typeof value !== 'bigint') throw argumentError('ERR_NETLOOM_INVALID_NUMBER', `${shown(value)} is not a bigint`)
      if (value < low || value > high) throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${value} is out of range (${low} to ${high})`)
      const at = writer.reserve(8)
      writer.view[set](at, value, little)
    },
  }
}
/** 64-bit identifiers; counters are `count`. */
export const u64 = big('BigUint64', 0n, 2n ** 64n - 1n)
export const s64 = big('BigInt64', -(2n ** 63n), 2n ** 63n - 1n)
export const u64be = big('BigUint64', 0n, 2n ** 64n - 1n, false)

/** The same bytes seen as another type. */
export function via<Wire, T, W extends Codec<Wire>, I = T>(
  base: W & Codec<Wire>,
  decode: (wire: Wire) => T,
  encode: (value: I) => Wire,
): Codec<T, I> & Pick<W, 'size'> {
  const { source: _, ...rest } = base
  return {
    ...rest,
    read: (view: DataView, at: number, end: number) => decode(base.read(view, at, end)),
    write: (w: Writer, v: I) => base.write(w, encode(v)),
  }
}

function truth(value: unknown): number {
  if (typeof value !== 'boolean') throw argumentError('ERR_NETLOOM_INVALID_BOOLEAN', `${shown(value)} is not true or false`)
  return value ? 1 : 0
}
/** A word of any width that means yes or no. */
export const boolean = (base: Scalar<number>): Scalar<boolean> => ({
  ...via(base, (n: number) => n !== 0, truth as (value: boolean) => number),
  ...(base.source && { source: (at: string) => `${base.source?.(at)} !== 0` }),
})
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
  const largest = Math.min(2 ** (8 * base.size) - 1, Number.MAX_SAFE_INTEGER)
  return via(
    base,
    (wire: number) => wire / perUnit,
    (value: number) => {
      if (typeof value !== 'number' || Number.isNaN(value))
        throw argumentError('ERR_NETLOOM_INVALID_NUMBER', `${shown(value)} is not a number`)
      const wire = Math.round(value * perUnit)
      // In the caller's units; and what is no more than nothing in the kernel's is often another word there: off.
      if (Number.isFinite(value) && (value < 0 || wire > largest || (wire === 0 && value > 0)))
        throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${value} is out of range (0, or ${1 / perUnit} to ${largest / perUnit})`)
      return wire
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

/** Names for numbers that `by` chooses a form by; a number without a name is its digits. */
export function kind<const N extends Readonly<Record<string, number>>>(
  base: Scalar<number>,
  names: N,
): Codec<string> & { readonly size: number; readonly names: N; readonly kind: true } {
  const byValue = new Map(Object.entries(names).map(([name, value]) => [value, name]))
  const codec = via(
    base,
    (wire: number): string => byValue.get(wire) ?? String(wire),
    (value: string) => {
      if (Object.hasOwn(names, value)) return names[value]!
      if (/^\d+$/.test(value)) return Number(value)
      throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `${shown(value)} is none of ${Object.keys(names).join(', ')}`)
    },
  )
  return { ...codec, size: base.size, names, kind: true }
}

type Bits = Readonly<Record<string, number>>
/** A bit without a name. */
type Bit = `bit${number}`

/** Names of the 32 bits of a word, and the bit of a name. */
function naming(bits: Bits): { nameOf: readonly string[]; bitOf: (name: string) => number } {
  const nameOf = Array.from({ length: 32 }, (_, bit) => `bit${bit}`)
  const byName = new Map(nameOf.map((name, bit) => [name, bit]))
  for (const [name, bit] of Object.entries(bits)) {
    if (!(bit in nameOf)) throw new Error(`flag "${name}": there is no bit ${bit}`)
    nameOf[bit] = name
    byName.set(name, bit)
  }
  return {
    nameOf,
    bitOf(name) {
      const bit = byName.get(name)
      if (bit !== undefined) return bit
      throw argumentError('ERR_NETLOOM_UNKNOWN_FLAG', `no flag ${shown(name)}; there are ${Object.keys(bits).join(', ')}`)
    },
  }
}

/** A word of named bits as the list of those that are set; a bit without a name reads as 'bit7'. */
export function bits<const N extends Bits>(
  base: Scalar<number>,
  names: N,
): Codec<((keyof N & string) | Bit)[], readonly ((keyof N & string) | Bit)[]> & { readonly size: number; readonly bits: N } {
  const { nameOf, bitOf } = naming(names)
  return {
    min: base.min,
    size: base.size,
    bits: names,
    read(view, at, end) {
      const set: string[] = []
      for (let bit = 0, rest = base.read(view, at, end); rest !== 0; bit++, rest >>>= 1) if (rest & 1) set.push(nameOf[bit]!)
      return set as ((keyof N & string) | Bit)[]
    },
    write(writer, value) {
      expectArray(value)
      let word = 0
      for (const name of value) word |= 1 << bitOf(name)
      base.write(writer, word >>> 0)
    },
  }
}

/** A word of named bits and its mask: `{ up: true, arp: false }` sets one, clears one and leaves the others alone. */
export function masked<const N extends Bits>(
  base: Scalar<number>,
  names: N,
): Codec<{ [K in keyof N | Bit]?: boolean }> & { readonly size: number; readonly bits: N } {
  const { nameOf, bitOf } = naming(names)
  return {
    min: base.min,
    size: base.size * 2,
    bits: names,
    read(view, at, end) {
      const out: Record<string, boolean> = {}
      for (let bit = 0, rest = base.read(view, at, end); rest !== 0; bit++, rest >>>= 1) if (rest & 1) out[nameOf[bit]!] = true
      return out as { [K in keyof N | Bit]?: boolean }
    },
    write(writer, value: Readonly<Record<string, boolean | undefined>>) {
      expectObject(value)
      let word = 0
      let mask = 0
      for (const name in value) {
        const set = value[name]
        if (set === undefined) continue
        const bit = 1 << bitOf(name)
        mask |= bit
        if (truth(set)) word |= bit
      }
      base.write(writer, word >>> 0)
      base.write(writer, mask >>> 0)
    },
  }
}

export const bytes: Codec<Uint8Array> = {
  min: 0,
  read: copyOf,
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
const zeroByte = () => argumentError('ERR_NETLOOM_INVALID_STRING', 'a zero byte cannot be part of a name')
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
      if (c === 0) throw zeroByte()
      if (c > 0x7f) {
        const encoded = Buffer.from(value, 'utf8')
        if (encoded.includes(0)) throw zeroByte()
        if (encoded.toString('utf8') !== value) throw argumentError('ERR_NETLOOM_INVALID_STRING', 'half a surrogate pair is not text')
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
