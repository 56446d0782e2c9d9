// Matches: how the two sides of a comparison become a load, perhaps a mask or another byte order, and a comparison or a lookup.

import { byteLength, putValue, type Slot } from './datatypes.js'
import { at, type Bounds, boundsOf, prefixOf, wildcardOf } from './element-values.js'
import type { SetMember } from './expression.js'
import type { PayloadProtocol } from './fields.js'
import { type Context, invalid, isObject, isScalar, own, register, slotBytes } from './linearize-context.js'
import { constantOf, load, loadAll, type Source, sourcesOf, unshifted } from './linearize-load.js'
import { addSet, checkKey, namedSet, needsInterval, onlyKey, setMembers } from './linearize-set.js'
import { nextField, protocolOfEtherType, protocolOfNfproto, protocolOfTransport } from './payload-fields.js'
import { only } from './stateful.js'

const comparisons = { '==': 'eq', '!=': 'neq', '<': 'lt', '>': 'gt', '<=': 'lte', '>=': 'gte', in: 'in', '!': 'none' } as const
type Comparison = (typeof comparisons)[keyof typeof comparisons]

/** `{ match: { op, left, right } }`. */
export function match(ctx: Context, value: unknown) {
  only(value, ['op', 'left', 'right'])
  const { op: operator, left, right } = value as { op?: unknown; left?: unknown; right?: unknown }
  const op = own(comparisons, operator ?? '==', 'op')
  const sources = at('left', () => sourcesOf(ctx, left, typeof right === 'boolean'))
  for (const source of sources) at('left', () => source.prepare())
  const members = setMembers(right)
  if (members || namedSet(ctx, right)) {
    if (op !== 'eq' && op !== 'neq' && op !== 'in') throw invalid("sets are compared with '==' or '!='", 'op')
    const single = members && sources.length === 1 ? onlyKey(members) : undefined
    if (single === undefined) return at('right', () => lookup(ctx, sources, op, members, right, left))
    at('right', () => compare(ctx, sources[0]!, op, single, left))
    return
  }
  if (sources.length > 1) throw invalid("a concatenation is compared with a set: { set: […] } or '@name'", 'right')
  const slot = at('right', () => compare(ctx, sources[0]!, op, right, left))
  if (slot && isScalar(right)) ctx.holes.push({ field: 'right', expression: ctx.out.length - 1, encode: constantIn(slot, ctx) })
}
/** The bytes of constants of a slot. */
const constantIn =
  (slot: Slot, { interfaces }: Context) =>
  (value: unknown) => {
    const bytes = new Uint8Array(byteLength(slot))
    if (putValue(slot, value, bytes, 0)) return bytes
    if (!isScalar(value) || wildcardOf(slot, value) !== undefined) return undefined
    return slotBytes(slot, boundsOf(slot, value, interfaces).low, bytes.length)
  }

function lookup(
  ctx: Context,
  given: readonly Source[],
  op: Comparison,
  members: readonly SetMember[] | undefined,
  right: unknown,
  left: unknown,
): void {
  const flags = op === 'neq' ? { flags: ['inv' as const] } : {}
  const named = namedSet(ctx, right)
  const sources = named && given.length === 1 ? [unshifted(given[0]!)] : given
  const slots = sources.map(source => source.slot)
  if (named) checkKey(slots, named.types)
  const interval = named ? named.types.interval : needsInterval({ key: slots }, members!)
  const name = named ? named.name : at('set', () => addSet(ctx, { key: slots }, members!))
  loadAll(ctx, sources, 0, interval ? 'big' : undefined)
  ctx.out.push({ name: 'lookup', data: { sreg: 1, ...name, ...flags } })
  if (isIcmpType(left)) ctx.icmpType = true
  if (isTransportKey(left)) ctx.transport = true
}

const isIcmpType = (left: unknown) =>
  isObject(left) && isObject(left.payload) && left.payload.field === 'type' && String(left.payload.protocol).startsWith('icmp')
const isTransportKey = (left: unknown) =>
  isObject(left) &&
  ((isObject(left.meta) && left.meta.key === 'l4proto') ||
    (isObject(left.payload) && (left.payload.field === 'protocol' || left.payload.field === 'nexthdr')))

/** Gives the slot of the constant, if nothing but its own bytes depends on which it is. */
function compare(ctx: Context, source: Source, given: Comparison, right: unknown, left: unknown): Slot | undefined {
  const { slot } = source
  if (Array.isArray(right) || given === 'none' || (given === 'in' && slot.type.bitmask)) return alone(flags(ctx, source, given, right))
  const op = given === 'in' ? 'eq' : given
  if (isObject(right) && ('range' in right || 'prefix' in right)) return alone(interval(ctx, source, op, right))
  const wildcard = wildcardOf(slot, right)
  if (wildcard !== undefined) return alone(partial(ctx, source, op, new TextEncoder().encode(wildcard)))
  const constant = isObject(right) ? constantOf(slot, right, ctx) : boundsOf(slot, right, ctx.interfaces).low >> BigInt(slot.shift ?? 0)
  const ordered = op !== 'eq' && op !== 'neq'
  load(ctx, source, 0, ordered ? 'big' : undefined)
  const compared: Slot = ordered ? { ...slot, order: 'big' } : slot
  cmp(ctx, compared, op, constant << BigInt(slot.shift ?? 0))
  const tells = op === 'eq' && source.xor === undefined && !source.shifts
  if (tells) learn(ctx, left, Number(constant))
  return tells && tellsProtocol(left) ? undefined : compared
}
const alone = (_: unknown): undefined => undefined
const cmp = (ctx: Context, slot: Slot, op: Exclude<Comparison, 'in' | 'none'>, value: bigint) =>
  ctx.out.push({ name: 'cmp', data: { sreg: 1, op, data: { value: slotBytes(slot, value, byteLength(slot)) } } })

/** Words of bits: `in` asks for one of them, `==` for exactly these. */
function flags(ctx: Context, source: Source, op: Comparison, right: unknown) {
  const { slot } = source
  const value = constantOf(slot, right, ctx) << BigInt(slot.shift ?? 0)
  if (op === 'eq' || op === 'neq') {
    load(ctx, source, 0)
    return cmp(ctx, slot, op, value)
  }
  if (op !== 'in' && op !== 'none') throw invalid(`bits are compared with 'in', '==' or '!='`)
  load(ctx, { ...source, mask: (source.mask ?? value) & value, implied: true }, 0)
  cmp(ctx, slot, op === 'in' ? 'neq' : 'eq', 0n)
}

function interval(ctx: Context, source: Source, op: Exclude<Comparison, 'in' | 'none'>, right: Readonly<Record<string, unknown>>) {
  if (op !== 'eq' && op !== 'neq') throw invalid("ranges and prefixes are compared with '==' or '!='")
  const { slot } = source
  const bounds = boundsOf(slot, right, ctx.interfaces)
  if ('prefix' in right) return prefix(ctx, source, op, bounds, prefixOf(right.prefix, slot.bits).len)
  const big: Slot = { ...slot, order: 'big' }
  const bytes = (value: bigint) => ({ value: slotBytes(big, value, byteLength(slot)) })
  load(ctx, source, 0, 'big')
  if (op === 'neq') {
    ctx.out.push({ name: 'range', data: { sreg: 1, op: 'neq', fromData: bytes(bounds.low), toData: bytes(bounds.high) } })
    return
  }
  cmp(ctx, big, 'gte', bounds.low)
  cmp(ctx, big, 'lte', bounds.high)
}

function prefix(ctx: Context, source: Source, op: 'eq' | 'neq', { low, high }: Bounds, length: number) {
  const { slot } = source
  if (low !== high && length > 0 && length % 8 === 0 && source.payload && slot.shift === undefined) {
    // As many bytes as the prefix has are enough.
    const some: Slot = { ...slot, bytes: length / 8 }
    ctx.out.push({
      name: 'payload',
      data: { dreg: register(0, length / 8), base: source.payload.base, offset: source.payload.offset, len: length / 8 },
    })
    return cmp(ctx, some, op, low >> BigInt(slot.bits - length))
  }
  const all = (1n << BigInt(8 * byteLength(slot))) - 1n
  load(
    ctx,
    low === high
      ? source
      : { ...source, mask: (source.mask ?? all) & all & ~(low ^ high), xor: source.xor ?? 0n, implied: source.mask === undefined },
    0,
  )
  cmp(ctx, slot, op, low)
}

/** The first bytes of a text. */
function partial(ctx: Context, source: Source, op: Exclude<Comparison, 'in' | 'none'>, value: Uint8Array): void {
  if (op !== 'eq' && op !== 'neq') throw invalid("names are compared with '==' or '!='")
  if (value.length === 0) throw invalid('a name that ends with * needs something before')
  load(ctx, source, 0)
  ctx.out.push({ name: 'cmp', data: { sreg: 1, op, data: { value } } })
}

/** What a match says about the protocols of packets that pass it. */
function learn(ctx: Context, left: unknown, value: number): void {
  if (!isObject(left)) return
  const { meta, payload } = left
  if (isTransportKey(left)) ctx.transport = true
  if (isIcmpType(left)) ctx.icmpType = true
  if (isObject(meta)) {
    const byType = meta.key === 'protocol' && ctx.family !== 'inet'
    const network = meta.key === 'nfproto' ? protocolOfNfproto : byType ? protocolOfEtherType : undefined
    if (meta.key === 'l4proto') known(ctx, 'th', protocolOfTransport.get(value))
    if (meta.key === 'iiftype' && value === 1 && !ctx.known.ll) ctx.known.ll = 'ether'
    if (network) known(ctx, network.get(value) === 'vlan' ? 'll' : 'nh', network.get(value))
  } else if (isObject(payload)) {
    const next = nextField[payload.protocol as PayloadProtocol]
    if (!next || next[0] !== payload.field) return
    const above = next[1].get(value)
    if (above) known(ctx, above === 'vlan' ? 'll' : payload.protocol === 'ip' || payload.protocol === 'ip6' ? 'th' : 'nh', above)
  }
}
/** Whether what follows may depend on the value that this was compared with. */
function tellsProtocol(left: unknown): boolean {
  if (!isObject(left)) return false
  const { meta, payload } = left
  if (isObject(meta)) return ['protocol', 'nfproto', 'l4proto', 'iiftype'].includes(String(meta.key))
  return isObject(payload) && nextField[payload.protocol as PayloadProtocol]?.[0] === payload.field
}
function known(ctx: Context, layer: 'll' | 'nh' | 'th', protocol: PayloadProtocol | undefined): void {
  if (protocol && (!ctx.known[layer] || layer !== 'nh')) ctx.known[layer] = protocol
}
