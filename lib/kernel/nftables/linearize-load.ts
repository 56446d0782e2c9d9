// Expressions that are computed from a packet: what they need, what they give, and how they get into a register.
import { rangeError, shown } from '../../codec/errors.js'
import type { exthdrOps, payloadBases } from '../../protocol/nftables/expressions/load.js'
import { type ByteOrder, byteLength, dataTypes, type Slot, slotOf } from './datatypes.js'
import { at } from './element-values.js'
import type { PayloadProtocol } from './fields.js'
import { type Context, cmpEqual, entryOf, invalid, isObject, listOf, own, register, require, slotBytes } from './linearize-context.js'
import { addSet } from './linearize-set.js'
import { ctLoads, fibLoads, ipsecLoads, type LoadKey, metaLoads, rtLoads, socketLoads } from './load-keys.js'
import { extensionHeaders, ipOptions, type OptionHeader, sctpChunks, tcpOptions } from './option-fields.js'
import { type HeaderField, icmpFieldTypes, protocols } from './payload-fields.js'
import { only } from './stateful.js'

/** Something that can be loaded. Masks and values are integers in the place that the slot's shift gives them. */
export interface Source {
  readonly slot: Slot
  /** Which bits are left, and which are turned over then; all and none where undefined. */
  readonly mask?: bigint
  readonly xor?: bigint
  /** The mask is not the rule's own but follows from how it compares: nft leaves the kind of operation out then. */
  readonly implied?: boolean
  /** Shifts after that. */
  readonly shifts?: readonly { readonly op: 'lshift' | 'rshift'; readonly by: number }[]
  /** Matches that must stand before it. */
  prepare(): void
  load(dreg: number, byte: number): void
  /** A part of a header, which may be loaded in part. */
  readonly payload?: {
    readonly base: keyof typeof payloadBases
    readonly offset: number
    readonly field?: readonly [PayloadProtocol, string]
  }
}

const full = (slot: Slot) => (1n << BigInt(8 * byteLength(slot))) - 1n

/** Loads a source into the register at that byte; `order` asks for another byte order than the source has. */
export function load(ctx: Context, source: Source, byte: number, order?: ByteOrder): void {
  const { slot, mask = full(slot), xor = 0n } = source
  const length = byteLength(slot)
  const dreg = register(byte, length)
  source.load(dreg, byte)
  if (mask !== full(slot) || xor !== 0n || source.xor !== undefined)
    ctx.out.push({
      name: 'bitwise',
      data: {
        sreg: dreg,
        dreg,
        ...(source.implied ? {} : { op: 'maskXor' as const }),
        len: length,
        mask: { value: slotBytes(slot, mask, length) },
        xor: { value: slotBytes(slot, xor, length) },
      },
    })
  for (const { op, by } of source.shifts ?? []) shift(ctx, dreg, length, op, by)
  if (order && !slot.type.text && slot.order !== order) byteorder(ctx, dreg, length, order === 'big' ? 'hton' : 'ntoh')
}
export function shift(ctx: Context, reg: number, len: number, op: 'lshift' | 'rshift', by: number): void {
  const value = slotBytes({ type: dataTypes.mark, bits: 32, order: 'host' }, BigInt(by), 4)
  ctx.out.push({ name: 'bitwise', data: { sreg: reg, dreg: reg, op, len, data: { value } } })
}
export function byteorder(ctx: Context, reg: number, len: number, op: 'hton' | 'ntoh'): void {
  if (len > 1) ctx.out.push({ name: 'byteorder', data: { sreg: reg, dreg: reg, op, len, size: len === 2 ? 2 : len === 8 ? 8 : 4 } })
}

const keyed = ({ type, bits, order }: LoadKey): Slot => slotOf(dataTypes[type], bits, order)
const nothing = () => undefined
const whole = (value: unknown, path: string, most = 0xffff_ffff): number => {
  if (!Number.isInteger(value)) throw invalid(`${shown(value)} is not an integer`, path)
  if ((value as number) < 0 || (value as number) > most)
    throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${value} is out of range (0 to ${most})`, path)
  return value as number
}
type Part = Readonly<Record<string, unknown>>

/** The bytes that a field of bits touches: the first, how many, and what is left and right of it. */
export function span(offset: number, bits: number): { first: number; length: number; shift: number; mask: bigint } {
  const first = Math.floor(offset / 8)
  const length = Math.ceil((offset + bits) / 8) - first
  const right = (first + length) * 8 - offset - bits
  return { first, length, shift: right, mask: ((1n << BigInt(bits)) - 1n) << BigInt(right) }
}
/** A slot for those bits; whole bytes have no mask. */
function bitField([offset, bits, type]: HeaderField): { slot: Slot; mask?: bigint; first: number; length: number } {
  const { first, length, shift: right, mask } = span(offset, bits)
  if (bits % 8 === 0 && offset % 8 === 0) return { slot: slotOf(dataTypes[type], bits, 'big'), first, length }
  // The bits to the left count as part of the slot's bytes, so that its length is right.
  return { slot: { type: dataTypes[type], bits, order: 'big', shift: right, bytes: length }, mask, first, length }
}

const bases = { ll: 'llHeader', nh: 'networkHeader', th: 'transportHeader', ih: 'innerHeader' } as const

function payload(ctx: Context, part: Part): Source {
  if (part.base !== undefined) {
    only(part, ['base', 'offset', 'len'])
    const base = own(bases, part.base, 'base')
    const len = whole(part.len, 'len', 512)
    if (len === 0) throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', 'is at least 1', 'len')
    return packetPart(ctx, base, nothing, [whole(part.offset, 'offset'), len, 'integer'])
  }
  only(part, ['protocol', 'field'])
  const protocol = own(protocols, part.protocol, 'protocol')
  const name = part.protocol as PayloadProtocol
  const [offset, bits, type] = own<HeaderField>(protocol.fields, part.field, 'field')
  const field = part.field as string
  const prepare = () => {
    require(ctx, name)
    if (name === 'icmp' || name === 'icmpv6') requireIcmpType(ctx, name, field)
  }
  return packetPart(ctx, bases[protocol.layer], prepare, [(protocol.start ?? 0) + offset, bits, type], [name, field])
}
function packetPart(
  ctx: Context,
  base: keyof typeof payloadBases,
  prepare: () => void,
  field: HeaderField,
  named?: readonly [PayloadProtocol, string],
): Source {
  const { slot, mask, first, length } = bitField(field)
  return {
    slot,
    ...(mask === undefined ? {} : { mask }),
    prepare,
    load: dreg => ctx.out.push({ name: 'payload', data: { dreg, base, offset: first, len: length } }),
    payload: { base, offset: first, ...(named ? { field: named } : {}) },
  }
}

/** Fields that only some ICMP messages have: which they are is asked before, unless the rule did. */
function requireIcmpType(ctx: Context, protocol: 'icmp' | 'icmpv6', field: string): void {
  const types = icmpFieldTypes[protocol][field]
  if (!types || ctx.icmpType) return
  ctx.icmpType = true
  ctx.out.push({ name: 'payload', data: { dreg: 1, base: 'transportHeader', offset: 0, len: 1 } })
  if (types.length === 1) cmpEqual(ctx, 1, Uint8Array.from(types))
  else ctx.out.push({ name: 'lookup', data: { sreg: 1, ...addSet(ctx, { key: [slotOf(dataTypes[`${protocol}_type`])] }, types) } })
}

/** Sources whose expression has only a key. */
function simple(ctx: Context, name: 'meta' | 'rt', key: LoadKey): Source {
  return { slot: keyed(key), prepare: nothing, load: dreg => ctx.out.push({ name, data: { key: key.key, dreg } } as never) }
}

function ct(ctx: Context, part: Part): Source {
  only(part, ['key', 'dir', 'family'])
  const name = part.family !== undefined && (part.key === 'saddr' || part.key === 'daddr') ? `${String(part.family)} ${part.key}` : part.key
  const key: LoadKey = own<LoadKey>(ctLoads, name, 'key')
  const direction = part.dir === undefined ? undefined : own({ original: 'original', reply: 'reply' } as const, part.dir, 'dir')
  const version6 = (name === 'saddr' || name === 'daddr') && ctx.known.nh === 'ip6'
  const slot = version6 ? slotOf(dataTypes.ipv6_addr) : keyed(key)
  return {
    slot,
    prepare: nothing,
    load: dreg => ctx.out.push({ name: 'ct', data: { key: key.key, dreg, ...(direction === undefined ? {} : { direction }) } as never }),
  }
}

function rt(ctx: Context, part: Part): Source {
  only(part, ['key', 'family'])
  const family = part.family ?? (ctx.known.nh === 'ip' || ctx.known.nh === 'ip6' ? ctx.known.nh : undefined)
  if (part.key === 'nexthop' && family === undefined) throw invalid("needs a family: 'ip' or 'ip6'", 'family')
  return simple(ctx, 'rt', own<LoadKey>(rtLoads, part.key === 'nexthop' ? `${String(family)} nexthop` : part.key, 'key'))
}

function socket(ctx: Context, part: Part): Source {
  only(part, ['key', 'level'])
  const key = own<LoadKey>(socketLoads, part.key, 'key')
  const level = whole(part.level ?? 0, 'level')
  return {
    slot: keyed(key),
    prepare: nothing,
    load: dreg => ctx.out.push({ name: 'socket', data: { key: key.key, dreg, level } as never }),
  }
}

function fib(ctx: Context, part: Part, exists: boolean): Source {
  only(part, ['result', 'flags'])
  const key = own<LoadKey>(fibLoads, part.result, 'result')
  const flags = listOf(part.flags).map((flag, i) =>
    own({ saddr: 'saddr', daddr: 'daddr', mark: 'mark', iif: 'iif', oif: 'oif' } as const, flag, `flags[${i}]`),
  )
  if (flags.includes('saddr') === flags.includes('daddr')) throw invalid("needs one of 'saddr' and 'daddr'", 'flags')
  return {
    slot: exists ? slotOf(dataTypes.boolean, 32) : keyed(key),
    prepare: nothing,
    load: dreg => ctx.out.push({ name: 'fib', data: { flags: exists ? [...flags, 'present'] : flags, result: key.key, dreg } as never }),
  }
}

/** Fields of extension headers, options and chunks; without a field, whether the header is there. */
function headerPart(ctx: Context, op: keyof typeof exthdrOps, headers: Readonly<Record<string, OptionHeader>>, part: Part): Source {
  const raw = op === 'tcpopt' && part.base !== undefined
  only(part, raw ? ['base', 'offset', 'len'] : ['name', 'field', 'offset'])
  const { type, fields } = raw ? { type: whole(part.base, 'base', 255), fields: {} } : own(headers, part.name, 'name')
  const network = op === 'ipv6' ? 'ip6' : op === 'ipv4' ? 'ip' : undefined
  const prepare = network ? () => require(ctx, network) : nothing
  if (!raw && part.field === undefined)
    return {
      slot: slotOf(dataTypes.boolean),
      prepare,
      load: dreg => ctx.out.push({ name: 'exthdr', data: { dreg, type, offset: 0, len: 1, op, flags: ['present'] } }),
    }
  const place: HeaderField = raw
    ? [whole(part.offset, 'offset'), whole(part.len, 'len', 512), 'integer']
    : own<HeaderField>(fields, part.field, 'field')
  const { slot, mask, first, length } = bitField(place)
  return {
    slot,
    ...(mask === undefined ? {} : { mask }),
    prepare,
    load: dreg => ctx.out.push({ name: 'exthdr', data: { dreg, type, offset: first, len: length, op, flags: [] } }),
  }
}

function numgen(ctx: Context, part: Part): Source {
  only(part, ['mode', 'mod', 'offset'])
  const type = own({ inc: 'incremental', random: 'random' } as const, part.mode, 'mode')
  const data = { modulus: whole(part.mod, 'mod'), type, offset: whole(part.offset ?? 0, 'offset') }
  return {
    slot: slotOf(dataTypes.integer, 32, 'host'),
    prepare: nothing,
    load: dreg => ctx.out.push({ name: 'numgen', data: { dreg, ...data } }),
  }
}

function hash(ctx: Context, part: Part, symmetric: boolean): Source {
  only(part, symmetric ? ['mod', 'offset'] : ['mod', 'offset', 'seed', 'expr'])
  const modulus = whole(part.mod, 'mod')
  const offset = whole(part.offset ?? 0, 'offset')
  const slot = slotOf(dataTypes.integer, 32, 'host')
  if (symmetric)
    return { slot, prepare: nothing, load: dreg => ctx.out.push({ name: 'hash', data: { dreg, modulus, offset, type: 'sym' } }) }
  const sources = at('expr', () => sourcesOf(ctx, part.expr))
  const seed = part.seed === undefined ? {} : { seed: whole(part.seed, 'seed') }
  return {
    slot,
    prepare: () => {
      for (const source of sources) source.prepare()
    },
    load: (dreg, byte) => {
      const from = byte + 16
      const len = loadAll(ctx, sources, from)
      ctx.out.push({ name: 'hash', data: { sreg: register(from, len), dreg, len, modulus, ...seed, offset, type: 'jenkins' } })
    },
  }
}

function osf(ctx: Context, part: Part): Source {
  only(part, ['key', 'ttl'])
  const flags = own({ name: undefined, version: ['version'] as const }, part.key, 'key')
  const ttl = part.ttl === undefined ? 0 : own({ loose: 1, skip: 2 }, part.ttl, 'ttl')
  return {
    slot: slotOf(dataTypes.string, 128),
    prepare: nothing,
    load: dreg => ctx.out.push({ name: 'osf', data: { dreg, ttl, ...(flags ? { flags } : {}) } }),
  }
}

function ipsec(ctx: Context, part: Part): Source {
  only(part, ['key', 'dir', 'family', 'spnum'])
  const addressed = part.key === 'saddr' || part.key === 'daddr'
  const key = own<LoadKey>(ipsecLoads, addressed ? `${String(part.family ?? 'ip')} ${part.key}` : part.key, 'key')
  const dir = own({ in: 'in', out: 'out' } as const, part.dir, 'dir')
  const spnum = whole(part.spnum ?? 0, 'spnum')
  return {
    slot: keyed(key),
    prepare: nothing,
    load: dreg => ctx.out.push({ name: 'xfrm', data: { key: key.key, dir, spnum, dreg } as never }),
  }
}

const binary = ['&', '|', '^', '<<', '>>'] as const
type Operator = (typeof binary)[number]

/** Masks are put together, so that `x & 0xff | 0x100` is one expression of the kernel. */
function operation(ctx: Context, op: Operator, operands: unknown): Source {
  if (!Array.isArray(operands) || operands.length < 2) throw invalid('needs a list of two operands')
  const [first, ...rest] = operands as unknown[]
  let source = at('[0]', () => sourceOf(ctx, first))
  rest.forEach((operand, i) => {
    at(`[${i + 1}]`, () => {
      source = applied(source, op, operand)
    })
  })
  return source
}
function applied(source: Source, op: Operator, operand: unknown): Source {
  const { slot } = source
  // nft shows so that a field was moved to the end of its byte.
  if (op === '>>' && slot.shift !== undefined && slot.shift > 0 && operand === slot.shift && !source.shifts) return unshifted(source)
  if (op === '<<' || op === '>>')
    return {
      ...source,
      shifts: [...(source.shifts ?? []), { op: op === '<<' ? 'lshift' : 'rshift', by: whole(operand, '', 8 * byteLength(slot) - 1) }],
    }
  if (source.shifts) throw invalid('what was shifted cannot be masked')
  const value = constantOf(slot, operand) << BigInt(slot.shift ?? 0)
  const { mask = full(slot), xor = 0n } = source
  if (op === '&') return { ...source, mask: mask & value, ...(source.xor === undefined ? {} : { xor: xor & value }) }
  if (op === '|') return { ...source, mask: mask & ~value & full(slot), xor: (xor & ~value & full(slot)) | value }
  return { ...source, mask, xor: xor ^ value }
}
/** A constant: a value, several as in flags, or values that are or-ed: `{ '|': ['syn', 'ack'] }`. */
export function constantOf(slot: Slot, value: unknown, ctx?: Context): bigint {
  if (isObject(value) && Array.isArray(value['|'])) return value['|'].reduce((all: bigint, one) => all | constantOf(slot, one, ctx), 0n)
  return slot.type.value.parse(value, slot.bits, ctx?.interfaces)
}

/** Anything but a constant as something that can be loaded. `exists`: only whether there is such a thing. */
export function sourceOf(ctx: Context, expr: unknown, exists = false): Source {
  const [kind, value] = entryOf(expr)
  return at(kind, () => {
    if ((binary as readonly string[]).includes(kind)) return operation(ctx, kind as Operator, value)
    if (!isObject(value)) throw invalid(`${shown(value)} is not an object`)
    switch (kind) {
      case 'payload':
        return payload(ctx, value)
      case 'meta':
        only(value, ['key'])
        return simple(ctx, 'meta', own<LoadKey>(metaLoads, value.key, 'key'))
      case 'ct':
        return ct(ctx, value)
      case 'rt':
        return rt(ctx, value)
      case 'socket':
        return socket(ctx, value)
      case 'fib':
        return fib(ctx, value, exists)
      case 'exthdr':
        return headerPart(ctx, 'ipv6', extensionHeaders, value)
      case 'tcp option':
        return headerPart(ctx, 'tcpopt', tcpOptions, value)
      case 'ip option':
        return headerPart(ctx, 'ipv4', ipOptions, value)
      case 'sctp chunk':
        return headerPart(ctx, 'sctp', sctpChunks, value)
      case 'dccp option': {
        only(value, ['type'])
        const type = whole(value.type, 'type', 255)
        return headerPart(ctx, 'dccp', { one: { type, fields: {} } }, { name: 'one' })
      }
      case 'numgen':
        return numgen(ctx, value)
      case 'jhash':
        return hash(ctx, value, false)
      case 'symhash':
        return hash(ctx, value, true)
      case 'osf':
        return osf(ctx, value)
      case 'ipsec':
        return ipsec(ctx, value)
      default:
        throw invalid(`${shown(kind)} is nothing that a packet can be asked for`)
    }
  })
}

/** The parts of a concatenation, or the one source. */
export function sourcesOf(ctx: Context, expr: unknown, exists = false): Source[] {
  if (!isObject(expr) || !('concat' in expr)) return [sourceOf(ctx, expr, exists)]
  const parts = expr.concat
  if (!Array.isArray(parts) || parts.length < 2) throw invalid('needs a list of two or more', 'concat')
  // In a key each part is a whole number, wherever in its byte it lies.
  return parts.map((part, i) => at(`concat[${i}]`, () => unshifted(sourceOf(ctx, part))))
}
export function unshifted(source: Source): Source {
  const { shift: by, ...slot } = source.slot
  return by ? { ...source, slot, shifts: [...(source.shifts ?? []), { op: 'rshift', by }] } : source
}

/** Loads sources side by side, each from a register of 4 bytes on; gives the bytes that they take. */
export function loadAll(ctx: Context, sources: readonly Source[], byte: number, order?: ByteOrder): number {
  let place = 0
  for (const source of sources) {
    load(ctx, source, byte + place, order)
    place += (byteLength(source.slot) + 3) & ~3
  }
  return sources.length === 1 ? byteLength(sources[0]!.slot) : place
}
