// Loads on the way back: what an expression has put into a register, and that as an expression of the rule language.
import type { exthdrOps } from '../../protocol/nftables/expressions/load.js'
import { byteLength, dataTypes, type Slot, slotOf } from './datatypes.js'
import { fullOf, type Held, held, hold, integerOf, isZero, type ReadExpression, type State, use } from './delinearize-context.js'
import { fieldsAt } from './delinearize-payload.js'
import { decodeData } from './element-values.js'
import type { Expression } from './expression.js'
import type { PayloadBase, PayloadProtocol } from './fields.js'
import { span } from './linearize-load.js'
import { ctLoads, fibLoads, ipsecLoads, type LoadKey, metaLoads, rtLoads, socketLoads } from './load-keys.js'
import { extensionHeaders, ipOptions, type OptionHeader, sctpChunks, tcpOptions } from './option-fields.js'
import { networkOf, protocols } from './payload-fields.js'

const keyed = ({ type, bits, order }: LoadKey): Slot => slotOf(dataTypes[type], bits, order)
const byKey = (loads: Readonly<Record<string, LoadKey>>) =>
  new Map(Object.entries(loads).map(([name, load]) => [load.key, [name, load] as const]))
const metaByKey = byKey(metaLoads)
const ctByKey = byKey(ctLoads)
const rtByKey = byKey(rtLoads)
const socketByKey = byKey(socketLoads)
const ipsecByKey = byKey(ipsecLoads)
const fibByKey = byKey(fibLoads)

type Value = Held['value']
type Reads = Extract<Value, { readonly expr: Expression }>
const plain = (expr: unknown, slot: Slot, more: Partial<Reads> = {}): Value => ({ expr: expr as Expression, slot, ...more })
const integer32 = slotOf(dataTypes.integer, 32, 'host')

/** What the expression loads, and into which register; undefined if it is no load, or one that has no words here. */
export function loaded(state: State, one: ReadExpression): { readonly dreg: number | undefined; readonly value: Value } | undefined {
  const value = read(state, one)
  return value && { dreg: (one.data as { readonly dreg?: number }).dreg, value }
}
function read(state: State, one: ReadExpression): Value | undefined {
  switch (one.name) {
    case 'payload': {
      const { base, offset, len } = one.data ?? {}
      if (typeof base !== 'string' || base === 'tunHeader' || offset === undefined || !len || len > 64) return undefined
      return { payload: { base, offset, length: len } }
    }
    case 'meta': {
      const [key, load] = metaByKey.get(String(one.data?.key)) ?? []
      return load && plain({ meta: { key } }, keyed(load))
    }
    case 'ct':
      return ctRead(state, one.data ?? {})
    case 'rt': {
      const [key, load] = rtByKey.get(String(one.data?.key)) ?? []
      if (!load) return undefined
      const [family, name] = key!.endsWith(' nexthop') ? key!.split(' ') : [undefined, key]
      return plain({ rt: { key: name, ...(family ? { family } : {}) } }, keyed(load))
    }
    case 'socket': {
      const [key, load] = socketByKey.get(String(one.data?.key)) ?? []
      return load && plain({ socket: { key, ...(key === 'cgroupv2' ? { level: one.data?.level ?? 0 } : {}) } }, keyed(load))
    }
    case 'fib': {
      const [result, load] = fibByKey.get(String(one.data?.result)) ?? []
      const flags = one.data?.flags ?? []
      if (!load || flags.some(flag => flag.startsWith('bit'))) return undefined
      const exists = flags.includes('present')
      const expr = { fib: { result, flags: flags.filter(flag => flag !== 'present') } }
      return plain(expr, exists ? slotOf(dataTypes.boolean, 32) : keyed(load), exists ? { exists } : {})
    }
    case 'exthdr':
      return headerRead(one.data ?? {})
    case 'numgen': {
      const { modulus = 0, type, offset = 0 } = one.data ?? {}
      const mode = type === 'incremental' ? 'inc' : type === 'random' ? 'random' : undefined
      return mode && plain({ numgen: { mode, mod: modulus, offset } }, integer32)
    }
    case 'hash':
      return hashRead(state, one.data ?? {})
    case 'osf': {
      const { ttl = 0, flags = [] } = one.data ?? {}
      if (ttl > 2) return undefined
      const how = ttl === 0 ? {} : { ttl: ttl === 1 ? 'loose' : 'skip' }
      return plain({ osf: { key: flags.includes('version') ? 'version' : 'name', ...how } }, slotOf(dataTypes.string, 128))
    }
    case 'xfrm': {
      const [name, load] = ipsecByKey.get(String(one.data?.key)) ?? []
      const dir = one.data?.dir
      if (!load || (dir !== 'in' && dir !== 'out')) return undefined
      const [family, key] = name!.includes(' ') ? name!.split(' ') : [undefined, name]
      return plain({ ipsec: { key, ...(family ? { family } : {}), dir, spnum: one.data?.spnum ?? 0 } }, keyed(load))
    }
    default:
      return undefined
  }
}

function ctRead(state: State, { key, direction }: { readonly key?: unknown; readonly direction?: unknown }): Value | undefined {
  const [name, load] = ctByKey.get(String(key)) ?? []
  if (!load || typeof direction === 'number') return undefined
  const version6 = (name === 'saddr' || name === 'daddr') && state.known.nh === 'ip6'
  return plain(
    { ct: { key: name, ...(direction === undefined ? {} : { dir: direction }) } },
    version6 ? slotOf(dataTypes.ipv6_addr) : keyed(load),
  )
}

const headerKinds = {
  ipv6: ['exthdr', extensionHeaders, 'ip6'],
  tcpopt: ['tcp option', tcpOptions, undefined],
  ipv4: ['ip option', ipOptions, 'ip'],
  sctp: ['sctp chunk', sctpChunks, undefined],
} as const
interface HeaderData {
  readonly op?: number | keyof typeof exthdrOps
  readonly type?: number
  readonly offset?: number
  readonly len?: number
  readonly flags?: readonly string[]
}
/** An IPv6 header's kind has several names by what its routing type is: those of the plain ones come first. */
function headerRead({ op = 'ipv6', type = 0, offset = 0, len = 0, flags = [] }: HeaderData): Value | undefined {
  if (op === 'dccp') return flags.includes('present') ? plain({ 'dccp option': { type } }, slotOf(dataTypes.boolean)) : undefined
  if (typeof op === 'number' || flags.some(flag => flag !== 'present')) return undefined
  const [kind, headers, network] = headerKinds[op]
  const more = network ? { network } : {}
  const candidates = Object.entries(headers as Readonly<Record<string, OptionHeader>>).filter(([, header]) => header.type === type)
  if (flags.includes('present')) {
    const [name] = candidates[0] ?? []
    return name === undefined || offset !== 0 ? undefined : plain({ [kind]: { name } }, slotOf(dataTypes.boolean), more)
  }
  const parts: { expr: Expression; slot: Slot }[] = []
  for (const [name, { fields }] of candidates)
    for (const [field, [start, bits, typeName]] of Object.entries(fields)) {
      const { first, length, shift } = span(start, bits)
      if (first !== offset || length !== len) continue
      const whole = bits % 8 === 0 && start % 8 === 0
      const expr = { [kind]: { name, field } } as unknown as Expression
      if (whole) return plain(expr, slotOf(dataTypes[typeName], bits, 'big'), more)
      parts.push({ expr, slot: { type: dataTypes[typeName], bits, order: 'big', shift, bytes: length } })
    }
  if (parts[0]) return plain(parts[0].expr, parts[0].slot, { ...more, fields: parts })
  if (op !== 'tcpopt' || len === 0 || len > 64) return undefined
  return plain({ 'tcp option': { base: type, offset: offset * 8, len: len * 8 } }, slotOf(dataTypes.integer, len * 8, 'big'))
}

interface HashData {
  readonly sreg?: number
  readonly len?: number
  readonly modulus?: number
  readonly seed?: number
  readonly offset?: number
  readonly type?: unknown
}
function hashRead(state: State, { sreg, len = 0, modulus = 0, seed, offset = 0, type }: HashData): Value | undefined {
  const shifted = offset ? { offset } : {}
  if (type === 'sym') return plain({ symhash: { mod: modulus, ...shifted } }, integer32)
  if (type !== 'jenkins') return undefined
  const parts = partsAt(state, sreg, len)
  if (!parts) return undefined
  const exprs = parts.map(part => part.expr)
  const expr = exprs.length === 1 ? exprs[0] : { concat: exprs }
  return plain({ jhash: { mod: modulus, ...(seed === undefined ? {} : { seed }), ...shifted, expr } }, integer32)
}
/** The expressions whose registers a hash has read, so that they count as told with it. */
export function alsoFrom(state: State, one: ReadExpression): readonly number[] {
  if (one.name !== 'hash' || one.data?.sreg === undefined) return []
  const from: number[] = []
  let byte = (one.data.sreg <= 4 ? (one.data.sreg - 1) * 16 : (one.data.sreg - 8) * 4) || 0
  for (const end = byte + (one.data.len ?? 0); byte < end; byte += 4) from.push(...(state.registers.get(byte)?.from ?? []))
  return from
}

const baseNames: Readonly<Record<string, PayloadBase>> = { llHeader: 'll', networkHeader: 'nh', transportHeader: 'th', innerHeader: 'ih' }

/** A register's value in words: what it is of, and the slot of the values that it is compared with. */
export interface Worded {
  readonly expr: Expression
  readonly slot: Slot
  /** What is left of the mask when the field has taken its own. */
  readonly mask?: bigint
  readonly xor?: bigint
  readonly field?: readonly [PayloadProtocol, string]
  readonly exists?: boolean
  /** How many bytes of the field were loaded, where that is not all. */
  readonly loaded?: number
}

/** The value of a register; `telling`: it is part of what is said now, so that protocols are known by it. */
export function worded(state: State, value: Held | undefined): Worded | undefined {
  if (!value || 'constant' in value.value || 'map' in value.value) return undefined
  const base = 'payload' in value.value ? payloadWorded(state, value) : exprWorded(state, value)
  if (!base) return undefined
  return (value.shifts ?? []).length ? shifted(base, value.shifts!) : base
}
/** The bits of its bytes that a field has. */
export const ownBits = (slot: Slot): bigint => ((1n << BigInt(slot.bits)) - 1n) << BigInt(slot.shift ?? 0)

function exprWorded(state: State, { value, mask, xor, swapped }: Held): Worded | undefined {
  const { network, exists, fields } = value as Reads
  let { expr, slot } = value as Reads
  const bits = mask && integerOf(slot, mask, swapped)
  if (fields) {
    // A field of some bits that is loaded without its mask is no field.
    const own = fields.find(one => ownBits(one.slot) === bits)
    if (!own || (xor && !isZero(xor))) return undefined
    ;({ expr, slot } = own)
  }
  if (network) use(state, network, 'nh')
  const left = fields ? {} : { ...(bits === undefined ? {} : { mask: bits }), ...(xor ? { xor: integerOf(slot, xor, swapped) } : {}) }
  return { expr, slot, ...left, ...(exists ? { exists } : {}) }
}
function payloadWorded(state: State, { value, mask, xor }: Held): Worded | undefined {
  const { payload } = value as { readonly payload: { readonly base: string; readonly offset: number; readonly length: number } }
  const bits = mask && integerOf(slotOf(dataTypes.integer, payload.length * 8, 'big'), mask)
  const found = fieldsAt(state, payload.base, payload.offset, payload.length, bits)
  if (found && !(found.taken && xor && !isZero(xor))) {
    const { protocol, field, slot, taken } = found
    // nft lists the tag's kind before its type.
    if (protocol !== 'vlan' || field !== 'type') use(state, protocol, protocols[protocol].layer, networkOf[protocol])
    if (protocol === 'vlan') use(state, 'ether', 'll')
    const rest = taken ? {} : { ...(bits === undefined ? {} : { mask: bits }), ...(xor ? { xor: integerOf(slot, xor) } : {}) }
    const part = payload.length < byteLength(slot) ? { loaded: payload.length } : {}
    return { expr: { payload: { protocol, field } } as Expression, slot, field: [protocol, field], ...rest, ...part }
  }
  const slot = slotOf(dataTypes.integer, payload.length * 8, 'big')
  const expr = { payload: { base: baseNames[payload.base]!, offset: payload.offset * 8, len: payload.length * 8 } }
  return { expr, slot, ...(bits === undefined ? {} : { mask: bits }), ...(xor ? { xor: integerOf(slot, xor) } : {}) }
}
function shifted(base: Worded, shifts: NonNullable<Held['shifts']>): Worded | undefined {
  const [first, ...more] = shifts
  if (base.slot.shift && first?.op === '>>' && first.by === base.slot.shift && more.length === 0) {
    const { shift: _, ...slot } = base.slot
    return { ...base, slot }
  }
  let { expr } = { expr: masked(base) }
  for (const { op, by } of shifts) expr = { [op]: [expr, by] } as unknown as Expression
  return { expr, slot: base.slot }
}

/** The expression with what is left of its mask. */
export function masked({ expr, slot, mask, xor = 0n }: Worded): Expression {
  if (mask === undefined) return expr
  const full = fullOf(slot)
  const value = (bits: bigint) => slot.type.value.format(bits >> BigInt(slot.shift ?? 0), slot.bits) as Expression
  const and = (bits: bigint) => ({ '&': [expr, value(bits)] }) as unknown as Expression
  if (xor === 0n) return and(mask)
  if (mask === full) return { '^': [expr, value(xor)] }
  if ((mask & xor) === 0n) return (mask | xor) === full ? { '|': [expr, value(xor)] } : { '|': [and(mask | xor), value(xor)] }
  return { '^': [and(mask), value(xor)] }
}

/** The values side by side in registers that fill so many bytes. */
export function partsAt(state: State, register: number | undefined, length: number): Worded[] | undefined {
  const parts: Worded[] = []
  let byte = register === undefined ? -1 : register <= 4 ? (register - 1) * 16 : (register - 8) * 4
  const end = byte + length
  while (byte >= 0 && byte < end) {
    const part = worded(state, state.registers.get(byte))
    if (!part) return undefined
    parts.push(part)
    byte += (byteLength(part.slot) + 3) & ~3
  }
  return parts.length ? parts : undefined
}

/** A register's value as something that is set or used: a constant of the slot, a map, or what is computed. */
export function valueIn(state: State, register: number | undefined, slot: Slot): Expression | undefined {
  const one = held(state, register)
  if (!one) return undefined
  if ('map' in one.value) {
    const { map, slots, as } = one.value
    // Integers have no order of their own: what they are put into says it.
    return slots.length === 1 && slots[0]!.type.name === 'integer' && slots[0]!.order !== slot.order ? as([slot]) : map
  }
  if (!('constant' in one.value)) {
    const words = worded(state, one)
    return words && byteLength(words.slot) === byteLength(slot) ? masked(words) : undefined
  }
  return one.value.constant.length === byteLength(slot) ? decodeData([slot], one.value.constant, state.interfaces) : undefined
}

/** bitwise and byteorder: the same value, changed. */
export function changed(state: State, one: ReadExpression, number: number): boolean {
  if (one.name !== 'bitwise' && one.name !== 'byteorder') return false
  const before = held(state, one.data?.sreg)
  if (!before || 'map' in before.value || 'constant' in before.value) return false
  const from = [...before.from, number]
  if (one.name === 'byteorder') return hold(state, one.data?.dreg, { ...before, from, swapped: !before.swapped })
  const { op = 'maskXor', mask, xor, data } = one.data ?? {}
  if (op === 'lshift' || op === 'rshift') {
    if (data?.value?.length !== 4) return false
    const by = Number(integerOf(slotOf(dataTypes.mark), data.value))
    return hold(state, one.data?.dreg, { ...before, from, shifts: [...(before.shifts ?? []), { op: op === 'lshift' ? '<<' : '>>', by }] })
  }
  if (op !== 'maskXor' || !mask?.value || !xor?.value || before.mask || before.shifts) return false
  return hold(state, one.data?.dreg, { ...before, from, mask: mask.value, xor: xor.value })
}
