// Bytes of which some bits may not be known: parts of them, arithmetic with them, comparisons with three answers, and what is left where two ways meet.
import type { Answer } from '../verdict-answer.js'

export interface Bits {
  /** Zero where nothing is known. */
  readonly value: Uint8Array
  /** The bits that are known. */
  readonly known: Uint8Array
}

export const knownBits = (value: Uint8Array): Bits => ({ value, known: new Uint8Array(value.length).fill(0xff) })
export const unknownBits = (length: number): Bits => ({ value: new Uint8Array(length), known: new Uint8Array(length) })
/** Bytes, or nothing known of so many. */
export const bitsOf = (value: Uint8Array | undefined, length: number): Bits => (value ? knownBits(value) : unknownBits(length))
export const isKnown = ({ known }: Bits): boolean => known.every(byte => byte === 0xff)
export const knownValue = (bits: Bits | undefined): Uint8Array | undefined => (bits && isKnown(bits) ? bits.value : undefined)

/** So many bytes from there; of what lies behind the end nothing is known. */
export function part({ value, known }: Bits, offset: number, length: number): Bits {
  const out = unknownBits(length)
  out.value.set(value.subarray(offset, offset + length))
  out.known.set(known.subarray(offset, offset + length))
  return out
}
/** The same with other bytes at that place; what would lie behind the end is lost. */
export function replaced(bits: Bits, offset: number, by: Bits): Bits {
  const out = part(bits, 0, bits.value.length)
  const fits = Math.min(by.value.length, bits.value.length - offset)
  if (fits <= 0) return bits
  out.value.set(by.value.subarray(0, fits), offset)
  out.known.set(by.known.subarray(0, fits), offset)
  return out
}

/** The greatest value that they may have; the least is `value`. */
export const highest = ({ value, known }: Bits): Uint8Array => value.map((byte, i) => byte | (~known[i]! & 0xff))

function order(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < b.length; i++) {
    const difference = (a[i] ?? 0) - b[i]!
    if (difference !== 0) return difference
  }
  return 0
}
const isEqual = ({ value, known }: Bits, other: Uint8Array): Answer => {
  if (other.some((byte, i) => ((byte ^ value[i]!) & known[i]!) !== 0)) return false
  return isKnown({ value, known }) ? true : undefined
}
const isLess = (bits: Bits, other: Uint8Array, orEqual: number): Answer => {
  if (order(highest(bits), other) < orEqual) return true
  return order(bits.value, other) >= orEqual ? false : undefined
}
const inverted = (answer: Answer): Answer => (answer === undefined ? undefined : !answer)

/** As the kernel compares: byte by byte from the first, as many as `other` has. */
export function compare(op: string | number, bits: Bits, other: Uint8Array): Answer {
  const mine = part(bits, 0, other.length)
  switch (op) {
    case 'eq':
      return isEqual(mine, other)
    case 'neq':
      return inverted(isEqual(mine, other))
    case 'lt':
      return isLess(mine, other, 0)
    case 'lte':
      return isLess(mine, other, 1)
    case 'gt':
      return inverted(isLess(mine, other, 1))
    case 'gte':
      return inverted(isLess(mine, other, 0))
    default:
      return undefined
  }
}
/** Between two values, both included. */
export function within(bits: Bits, low: Uint8Array, high: Uint8Array): Answer {
  const [above, below] = [compare('gte', bits, low), compare('lte', bits, high)]
  if (above === false || below === false) return false
  return above && below
}

/** (bits & mask) ^ xor */
export function masked(bits: Bits, mask: Uint8Array, xor: Uint8Array): Bits {
  const known = mask.map((byte, i) => (~byte & 0xff) | bits.known[i]!)
  return { known, value: mask.map((byte, i) => ((bits.value[i]! & byte) ^ (xor[i] ?? 0)) & known[i]!) }
}
/** Bit by bit of two values. */
export function combined(op: 'and' | 'or' | 'xor', a: Bits, b: Bits): Bits {
  const out = unknownBits(a.value.length)
  for (let i = 0; i < out.value.length; i++) {
    const [av, ak, bv, bk] = [a.value[i]!, a.known[i]!, b.value[i] ?? 0, b.known[i] ?? 0]
    const decided = op === 'and' ? (ak & ~av) | (bk & ~bv) : op === 'or' ? av | bv : 0
    out.known[i] = (ak & bk) | decided
    out.value[i] = (op === 'and' ? av & bv : op === 'or' ? av | bv : av ^ bv) & out.known[i]!
  }
  return out
}

const words = (bytes: Uint8Array) => new Uint32Array(bytes.slice().buffer)
/** A shift of words of four bytes in the host's order, as the kernel does it: what a word loses the one before it, or behind it, takes. */
function shiftedBytes(bytes: Uint8Array, left: boolean, by: number, fill: number): Uint8Array {
  const padded = new Uint8Array((bytes.length + 3) & ~3)
  padded.set(bytes)
  const from = words(padded)
  const to = new Uint32Array(from.length)
  let carry = by === 0 ? 0 : left ? fill >>> (32 - by) : fill << (32 - by)
  for (let n = 0; n < from.length; n++) {
    const i = left ? from.length - 1 - n : n
    const word = from[i]!
    to[i] = (left ? word << by : word >>> by) | carry
    carry = by === 0 ? 0 : left ? word >>> (32 - by) : word << (32 - by)
  }
  return new Uint8Array(to.buffer).slice(0, bytes.length)
}
export const shifted = ({ value, known }: Bits, left: boolean, by: number): Bits => ({
  value: shiftedBytes(value, left, by, 0),
  known: shiftedBytes(known, left, by, 0xffff_ffff),
})

/** Each number of `size` bytes the other way round. */
export function swapped({ value, known }: Bits, size: number): Bits {
  const turn = (bytes: Uint8Array) => bytes.map((_, i) => bytes[i - (i % size) + size - 1 - (i % size)] ?? 0)
  return { value: turn(value), known: turn(known) }
}

/** What is known whichever of them it is. */
export function either(all: readonly Bits[]): Bits {
  const [first, ...others] = all
  if (!first) return unknownBits(0)
  const known = first.known.slice()
  for (const other of others)
    for (let i = 0; i < known.length; i++) known[i]! &= (other.known[i] ?? 0) & ~((other.value[i] ?? 0) ^ first.value[i]!)
  return { known, value: first.value.map((byte, i) => byte & known[i]!) }
}
/** What is known of a value from the one to the other: the bits before the first in which they differ. */
export function between(low: Uint8Array, high: Uint8Array): Bits {
  const known = new Uint8Array(low.length)
  for (let i = 0; i < low.length; i++) {
    const difference = low[i]! ^ (high[i] ?? 0)
    known[i] = difference === 0 ? 0xff : ~((1 << (32 - Math.clz32(difference))) - 1) & 0xff
    if (difference !== 0) break
  }
  return { known, value: low.map((byte, i) => byte & known[i]!) }
}
