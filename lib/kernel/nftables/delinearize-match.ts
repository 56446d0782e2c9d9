// Comparisons and lookups on the way back to matches, prefixes, flags, ranges, sets and maps.
import { Buffer } from 'node:buffer'
import { byteLength, type Slot, slotOf } from './datatypes.js'
import {
  byteOf,
  type Entry,
  fullOf,
  type Held,
  held,
  hold,
  integerOf,
  isZero,
  type KnownSet,
  type ReadExpression,
  type State,
  say,
} from './delinearize-context.js'
import { masked, ownBits, type Worded, worded } from './delinearize-load.js'
import { firstOf } from './delinearize-payload.js'
import { valueFrom } from './element-values.js'
import { decodeElements, type ElementForm } from './elements.js'
import type { Expression, MapExpression, SetMember } from './expression.js'
import type { MatchOperator } from './fields.js'
import { inOrder } from './intervals.js'
import {
  etherTypeOf,
  icmpFieldTypes,
  type Layer,
  nextField,
  protocolOfEtherType,
  protocolOfNfproto,
  protocolOfTransport,
} from './payload-fields.js'
import type { Statement } from './statement.js'

const operators = { eq: '==', neq: '!=', lt: '<', lte: '<=', gt: '>', gte: '>=' } as const
type Compare = Extract<ReadExpression, { readonly name: 'cmp' }>
type RangeCompare = Extract<ReadExpression, { readonly name: 'range' }>
type Lookup = Extract<ReadExpression, { readonly name: 'lookup' }>

const matching = (op: MatchOperator, left: Expression, right: Expression): Statement => ({ match: { op, left, right } })

/** A comparison; gives how many of the next expressions belong to it too. */
export function compare(state: State, one: Compare, number: number): number | undefined {
  const { sreg, op = 'eq', data } = one.data ?? {}
  const value = data?.value
  const register = held(state, sreg)
  if (!register || typeof op === 'number' || !value || value.length === 0) return undefined
  const from = [...register.from, number]
  if (op === 'eq' && 'payload' in register.value && splits(state, register, value, from)) return 0
  const words = worded(state, register)
  if (!words) return undefined
  const next = state.expressions[number + 1]
  if (
    op === 'gte' &&
    next?.name === 'cmp' &&
    next.data?.op === 'lte' &&
    next.data.sreg === sreg &&
    next.data.data?.value?.length === value.length
  ) {
    const right = rangeOf(state, words, value, next.data.data.value, register.swapped)
    if (right === undefined) return undefined
    said(state, [...from, number + 1], matching('==', masked(words), right), words)
    return 1
  }
  const statement = comparison(state, words, operators[op], value, register.swapped)
  if (!statement) return undefined
  const entry = said(state, from, statement, words)
  if (op === 'eq') learn(state, entry, words, value)
  return 0
}

/** Fields that were loaded and compared at once, each for itself. */
function splits(state: State, register: Held, value: Uint8Array, from: readonly number[]): boolean {
  const { payload } = register.value as { readonly payload: { readonly base: never; readonly offset: number; readonly length: number } }
  if (register.mask || register.shifts || register.swapped || payload.length !== value.length) return false
  const first = firstOf(state, payload.base, payload.offset, payload.length)
  if (first === undefined || worded(state, register)?.field) return false
  for (let place = 0; place < payload.length; ) {
    const { base, offset, length } = payload
    const size = firstOf(state, base, offset + place, length - place) ?? length - place
    const part: Held = { from, value: { payload: { base, offset: offset + place, length: size } } }
    const words = worded(state, part)!
    const bytes = value.subarray(place, place + size)
    const entry = said(state, from, comparison(state, words, '==', bytes)!, words)
    learn(state, entry, words, bytes)
    place += size
  }
  return true
}

function said(state: State, from: readonly number[], statement: Statement, words: Worded): Entry {
  const [protocol, field] = words.field ?? []
  if ((protocol === 'icmp' || protocol === 'icmpv6') && field !== undefined && state.icmpType) {
    const types = icmpFieldTypes[protocol][field]
    // One type that must be is said by the field alone.
    const { entry } = state.icmpType
    if (entry && types?.length === 1 && state.icmpType.types[0] === types[0]) entry.dropped = true
  }
  return say(state, from, statement)
}

const format = (state: State, slot: Slot, value: bigint): Expression => valueFrom(slot, { low: value, high: value }, state.interfaces)

function comparison(state: State, words: Worded, op: MatchOperator, bytes: Uint8Array, swapped = false): Statement | undefined {
  const { slot, expr } = words
  const length = byteLength(slot)
  const equality = op === '==' || op === '!='
  if (words.exists) return equality && bytes.length === length ? matching(op, expr, !isZero(bytes)) : undefined
  if (words.loaded !== undefined) return equality && bytes.length === words.loaded ? prefixed(state, words, op, bytes) : undefined
  if (slot.type.text && bytes.length < length) {
    if (!equality || words.mask !== undefined || bytes.includes(0)) return undefined
    return matching(op, expr, `${Buffer.from(bytes).toString()}*`)
  }
  if (bytes.length !== length) return undefined
  const value = integerOf(slot, bytes, swapped)
  if (slot.bytes !== undefined && value & ~ownBits(slot)) return undefined
  const { mask, xor = 0n } = words
  if (mask !== undefined && xor === 0n && equality) {
    if (slot.type.bitmask && value === 0n && mask !== 0n) return matching(op === '!=' ? 'in' : '!', expr, format(state, slot, mask))
    const free = fullOf(slot) & ~mask
    const address = slot.type.name === 'ipv4_addr' || slot.type.name === 'ipv6_addr'
    if (address && (free & (free + 1n)) === 0n && (value & free) === 0n) {
      const len = slot.bits - (free === 0n ? 0 : free.toString(2).length)
      return matching(op, expr, { prefix: { addr: format(state, slot, value), len } })
    }
  }
  return matching(op, masked(words), format(state, slot, value))
}
/** The first bytes of an address. */
function prefixed(state: State, { slot, expr, loaded = 0 }: Worded, op: MatchOperator, bytes: Uint8Array): Statement {
  const whole = new Uint8Array(byteLength(slot))
  whole.set(bytes)
  return matching(op, expr, { prefix: { addr: format(state, slot, integerOf(slot, whole)), len: 8 * loaded } })
}

function rangeOf(state: State, { slot }: Worded, from: Uint8Array, to: Uint8Array, swapped = false): Expression | undefined {
  if (from.length !== byteLength(slot) || to.length !== from.length) return undefined
  const [low, high] = [integerOf(slot, from, swapped), integerOf(slot, to, swapped)]
  if (low > high || (slot.bytes !== undefined && (low | high) & ~ownBits(slot))) return undefined
  return { range: [format(state, slot, low), format(state, slot, high)] }
}
export function range(state: State, one: RangeCompare, number: number): boolean {
  const { sreg, op, fromData, toData } = one.data ?? {}
  const register = held(state, sreg)
  const words = worded(state, register)
  if (!register || !words || !fromData?.value || !toData?.value || (op !== 'eq' && op !== 'neq')) return false
  const right = rangeOf(state, words, fromData.value, toData.value, register.swapped)
  if (right === undefined) return false
  said(state, [...register.from, number], matching(operators[op], masked(words), right), words)
  return true
}

/** What a match that holds says about the packet's protocols. */
function learn(state: State, entry: Entry, { expr, slot, mask, field }: Worded, bytes: Uint8Array): void {
  if (mask !== undefined || bytes.length !== byteLength(slot)) return
  const value = Number(integerOf(slot, bytes) >> BigInt(slot.shift ?? 0))
  const is = (layer: Layer, protocol: ReturnType<typeof protocolOfTransport.get>, header: boolean) => {
    if (!protocol) return
    const before = state.known[layer]
    if (!before || layer !== 'nh') state.known[layer] = protocol
    // A rule that contradicts itself needs all of its matches to be read so again.
    const agrees = !before || before === protocol || (before === 'ether' && protocol === 'vlan')
    state.dependencies[layer] = agrees ? { entry, protocol, header } : undefined
  }
  const key = typeof expr === 'object' && 'meta' in expr ? expr.meta.key : undefined
  if (key === 'l4proto') is('th', protocolOfTransport.get(value), false)
  if (key === 'nfproto' && state.family === 'inet') is('nh', protocolOfNfproto.get(value), false)
  if (key === 'iiftype' && value === 1 && !state.known.ll) is('ll', 'ether', false)
  if (key === 'protocol' && state.family !== 'inet') {
    const protocol = protocolOfEtherType.get(value)
    is(protocol === 'vlan' ? 'll' : 'nh', protocol, false)
  }
  if (!field) return
  if ((field[0] === 'icmp' || field[0] === 'icmpv6') && field[1] === 'type') state.icmpType = { entry, types: [value] }
  const [name, above] = nextField[field[0]] ?? []
  if (name !== field[1]) return
  const protocol = above!.get(value)
  const layer = protocol === 'vlan' ? 'll' : field[0] === 'ip' || field[0] === 'ip6' ? 'th' : 'nh'
  is(layer, protocol, layer === 'th')
  // The match that is added for a tag asks for the plain kind of it.
  if (protocol === 'vlan' && value !== etherTypeOf.vlan) state.dependencies.ll = undefined
}

/** The set's elements in words, or its name with '@'. */
export function setExpression(
  name: string,
  known: KnownSet | undefined,
  parts: readonly Worded[],
  state: State,
  values: readonly Slot[] | undefined = dataSlots(known),
): { readonly data: string | { readonly set: readonly SetMember[] } } {
  if (!known?.elements) return { data: `@${name}` }
  const form: ElementForm = {
    key: parts.map(part => part.slot),
    interval: known.interval ?? false,
    interfaces: state.interfaces,
    ...(known.data === undefined ? {} : { data: typeof known.data === 'string' ? known.data : values! }),
  }
  return { data: { set: decodeElements(inOrder(known.elements, form.key), form) } }
}
export function dataSlots(known: KnownSet | undefined): Slot[] | undefined {
  if (!known || !Array.isArray(known.data)) return undefined
  return (known.data as readonly Slot['type'][]).map(type => slotOf(type, type.bits || 8 * (known.dataLength ?? 4)))
}
/** The parts of a key, which lie side by side from that register on. */
export function keyParts(
  state: State,
  register: number | undefined,
  known: KnownSet | undefined,
): { parts: Worded[]; from: number[] } | undefined {
  const byte = byteOf(register)
  if (byte === undefined) return undefined
  const wanted = known?.key.length ?? 1
  const parts: Worded[] = []
  const from: number[] = []
  for (let place = byte; parts.length < wanted; ) {
    const one = state.registers.get(place)
    const part = worded(state, one)
    if (!one || !part || part.loaded !== undefined) return undefined
    parts.push(part)
    from.push(...one.from)
    place += (byteLength(part.slot) + 3) & ~3
  }
  return { parts, from }
}
export const keyOf = (parts: readonly Worded[]): Expression => {
  const exprs = parts.map(masked)
  return exprs.length === 1 ? exprs[0]! : { concat: exprs }
}

/** A lookup: a match with a set, a verdict map, or a map's value in a register. */
export function lookup(state: State, one: Lookup, number: number): boolean {
  const { set: name, sreg, dreg, flags = [] } = one.data ?? {}
  if (name === undefined || flags.some(flag => flag !== 'inv')) return false
  const known = state.sets?.(name)
  const key = keyParts(state, sreg, known)
  if (!key) return false
  const from = [...key.from, number]
  const left = keyOf(key.parts)
  const { data } = setExpression(name, known, key.parts, state)
  if (dreg === undefined) {
    said(state, from, matching(flags.includes('inv') ? '!=' : '==', left, data as Expression), key.parts[0]!)
    return true
  }
  if (flags.length) return false
  const map = { key: left, data } as MapExpression['map']
  if (dreg === 0) {
    say(state, from, { vmap: map })
    return true
  }
  const slots = dataSlots(known)
  if (!slots) return false
  const as = (values: readonly Slot[]) =>
    ({ map: { key: left, data: setExpression(name, known, key.parts, state, values).data } }) as MapExpression
  return hold(state, dreg, { from, value: { map: { map }, slots, ranges: hasRanges(known!, slots), as } })
}
/** Are a map's values two values in a row? */
function hasRanges(known: KnownSet, slots: readonly Slot[]): boolean {
  const one = slots.length === 1 ? byteLength(slots[0]!) : slots.reduce((sum, slot) => sum + ((byteLength(slot) + 3) & ~3), 0)
  return (known.elements ?? []).some(element => (element.data?.value?.length ?? 0) > one) || (known.dataLength ?? 0) > one
}
