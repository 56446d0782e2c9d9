// Values as keys and data of elements: single values, prefixes, ranges and concatenations ⇄ bytes, and verdicts.
import type { Decoded, Encodable } from '../../codec/codec.js'
import { argumentError, expectObject, inside, rangeError, shown } from '../../codec/errors.js'
import type { data } from '../../protocol/nftables/messages.js'
import type { InterfaceNames } from './datatype-codecs.js'
import { byteLength, fromBytes, type Slot, toBytes } from './datatypes.js'
import type { Expression, Verdict } from './expression.js'

export type WireData = Encodable<typeof data>
export type ReadData = Decoded<typeof data>
/** Lowest and highest integer that a value stands for. */
export interface Bounds {
  readonly low: bigint
  readonly high: bigint
}

const has = <K extends string>(value: unknown, key: K): value is { readonly [P in K]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, key)
const invalid = (detail: string, path?: string) => argumentError('ERR_NETLOOM_INVALID_VALUE', detail, path)

/** Runs what may throw an argument error and puts a step in front of its path. */
export function at<T>(step: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw inside(error, step)
  }
}

/** One value, a prefix, a range, or a name with `*` at its end, as the integers from `low` to `high`. */
export function boundsOf(slot: Slot, value: unknown, names?: InterfaceNames): Bounds {
  const shift = BigInt(slot.shift ?? 0)
  const parse = (one: unknown) => slot.type.value.parse(one, slot.bits, names) << shift
  if (has(value, 'range')) {
    const ends = value.range
    if (!Array.isArray(ends) || ends.length !== 2) throw invalid('a range is an array of two values', 'range')
    const [low, high] = ends.map((end, i) => at(`range[${i}]`, () => parse(end))) as [bigint, bigint]
    if (low > high) throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', 'the first value of a range is at most the second', 'range')
    return { low, high }
  }
  if (has(value, 'prefix')) {
    const { addr, len } = prefixOf(value.prefix, slot.bits)
    const host = (1n << BigInt(slot.bits - len)) - 1n
    const low = (at('prefix.addr', () => parse(addr)) >> shift) & ~host
    return { low: low << shift, high: (low | host) << shift }
  }
  const wildcard = wildcardOf(slot, value)
  if (wildcard !== undefined) {
    const low = parse(wildcard)
    return { low, high: low | ((1n << BigInt(slot.bits - 8 * Buffer.byteLength(wildcard))) - 1n) }
  }
  const single = parse(slot.type.text && typeof value === 'string' ? value.replace(/\\\*$/, '*') : value)
  return { low: single, high: single }
}

export function prefixOf(prefix: unknown, bits: number): { addr: unknown; len: number } {
  at('prefix', () => expectObject(prefix))
  const { addr, len } = prefix as { addr?: unknown; len?: unknown }
  if (!Number.isInteger(len) || (len as number) < 0 || (len as number) > bits)
    throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${shown(len)} is out of range (0 to ${bits})`, 'prefix.len')
  return { addr, len: len as number }
}

/** 'eth*' → 'eth': all names that begin so. A `\` before the `*` makes it a part of the name. */
export const wildcardOf = (slot: Slot, value: unknown): string | undefined =>
  slot.type.text && typeof value === 'string' && value.endsWith('*') && !value.endsWith('\\*') ? value.slice(0, -1) : undefined

/** The reverse of `boundsOf`: a value, a prefix where addresses make one, or a range. */
export function valueFrom(slot: Slot, { low, high }: Bounds, names?: InterfaceNames): Expression {
  const shift = BigInt(slot.shift ?? 0)
  const format = (wire: bigint) => slot.type.value.format(wire >> shift, slot.bits, names)
  if (low === high) {
    const value = format(low)
    return slot.type.text && typeof value === 'string' && value.endsWith('*') ? `${value.slice(0, -1)}\\*` : value
  }
  const spread = high - low
  if ((spread & (spread + 1n)) === 0n && (low & spread) === 0n) {
    const free = spread.toString(2).length
    if (slot.type.text && free % 8 === 0) return `${String(format(low))}*`
    if (slot.type.name === 'ipv4_addr' || slot.type.name === 'ipv6_addr') return { prefix: { addr: format(low), len: slot.bits - free } }
  }
  return { range: [format(low), format(high)] }
}

const orderOf = (slot: Slot) => (slot.type.text ? 'big' : slot.order)
const padded = (length: number) => (length + 3) & ~3

/** Bytes of a key: of several parts, each fills whole registers of 4 bytes. */
export const keyLength = (slots: readonly Slot[]): number =>
  slots.length === 1 ? byteLength(slots[0]!) : slots.reduce((sum, slot) => sum + padded(byteLength(slot)), 0)

export function joinParts(slots: readonly Slot[], parts: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(keyLength(slots))
  let place = 0
  slots.forEach((slot, i) => {
    bytes.set(toBytes(parts[i]!, byteLength(slot), orderOf(slot)), place)
    place += padded(byteLength(slot))
  })
  return bytes
}
/** Shorter bytes than the slots need read as if zeros followed. */
export function splitParts(slots: readonly Slot[], bytes: Uint8Array): bigint[] {
  let place = 0
  return slots.map(slot => {
    const part = new Uint8Array(byteLength(slot))
    part.set(bytes.subarray(place, place + part.length))
    place += padded(part.length)
    return fromBytes(part, orderOf(slot))
  })
}

/** The bounds of every part of a key. */
export function keyBounds(slots: readonly Slot[], value: unknown, names?: InterfaceNames): Bounds[] {
  if (slots.length === 1) return [boundsOf(slots[0]!, value, names)]
  if (!has(value, 'concat') || !Array.isArray(value.concat) || value.concat.length !== slots.length)
    throw invalid(`must be { concat: [${slots.map(slot => slot.type.name).join(', ')}] }`)
  const parts = value.concat
  return slots.map((slot, i) => at(`concat[${i}]`, () => boundsOf(slot, parts[i], names)))
}
export const keyValue = (slots: readonly Slot[], bounds: readonly Bounds[], names?: InterfaceNames): Expression =>
  slots.length === 1 ? valueFrom(slots[0]!, bounds[0]!, names) : { concat: slots.map((slot, i) => valueFrom(slot, bounds[i]!, names)) }

/** What a map gives, as bytes; of ranges and prefixes, and with `ranges` of all, the first and the last value, one behind the other. */
export function encodeData(slots: readonly Slot[], value: unknown, names?: InterfaceNames, ranges = false): Uint8Array {
  const bounds = keyBounds(slots, value, names)
  const low = joinParts(
    slots,
    bounds.map(one => one.low),
  )
  if (!ranges && bounds.every(one => one.low === one.high)) return low
  const high = joinParts(
    slots,
    bounds.map(one => one.high),
  )
  const bytes = new Uint8Array(padded(low.length) + high.length)
  bytes.set(low)
  bytes.set(high, padded(low.length))
  return bytes
}
export function decodeData(slots: readonly Slot[], bytes: Uint8Array, names?: InterfaceNames): Expression {
  const low = splitParts(slots, bytes)
  const length = padded(keyLength(slots))
  const high = bytes.length > length ? splitParts(slots, bytes.subarray(length)) : low
  const bounds = slots.map((_, i) => ({ low: low[i]!, high: high[i]! }))
  return keyValue(slots, bounds, names)
}

const simple = ['accept', 'drop', 'continue', 'return'] as const
/** A verdict as the kernel takes it; undefined for a statement that is none. */
export function encodeVerdict(statement: unknown): WireData | undefined {
  for (const code of simple) if (has(statement, code)) return { verdict: { code } }
  for (const code of ['jump', 'goto'] as const)
    if (has(statement, code)) {
      const target = has(statement[code], 'target') ? (statement[code].target as unknown) : undefined
      if (typeof target !== 'string' || !target) throw invalid(`${shown(target)} is not the name of a chain`, `${code}.target`)
      return { verdict: { code, chain: target } }
    }
  return undefined
}
export function decodeVerdict(verdict: ReadData['verdict']): Verdict | undefined {
  const { code, chain } = verdict ?? {}
  for (const name of simple) if (code === name) return { [name]: null } as unknown as Verdict
  if (code === 'jump' && chain !== undefined) return { jump: { target: chain } }
  return code === 'goto' && chain !== undefined ? { goto: { target: chain } } : undefined
}
