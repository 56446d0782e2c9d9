// Values that are set or used: constants into registers, what maps give, and the fields that rules change.
import { byteLength, type Slot } from './datatypes.js'
import { at, boundsOf, encodeData } from './element-values.js'
import { type Context, entryOf, invalid, isObject, register, slotBytes } from './linearize-context.js'
import { byteorder, constantOf, load, loadAll, type Source, sourceOf, sourcesOf } from './linearize-load.js'
import { addSet, checkKey, namedSet, needsInterval, setMembers } from './linearize-set.js'
import { protocols } from './payload-fields.js'
import { only } from './stateful.js'

export const immediate = (ctx: Context, byte: number, value: Uint8Array) =>
  ctx.out.push({ name: 'immediate', data: { dreg: register(byte, value.length), data: { value } } })

export const isConstant = (value: unknown): boolean => !isObject(value) || 'range' in value || 'prefix' in value || '|' in value
const isMap = (value: unknown): value is { readonly map: Readonly<Record<string, unknown>> } => isObject(value) && isObject(value.map)

/** What a map gives, into the register at that byte. `data` says what its values are; gives their length. */
export function mapInto(ctx: Context, map: unknown, data: readonly Slot[], byte: number): void {
  only(map, ['key', 'data'])
  const { key, data: table } = map as { key?: unknown; data?: unknown }
  const sources = at('key', () => sourcesOf(ctx, key))
  for (const source of sources) at('key', () => source.prepare())
  const slots = sources.map(source => source.slot)
  const members = setMembers(table)
  const named = members ? undefined : at('data', () => namedSet(ctx, table))
  if (!members && !named) throw invalid("needs { set: [[key, value], …] } or the name of a map, '@name'", 'data')
  if (named) at('data', () => checkKey(slots, named.types))
  const name = named ? named.name : at('data.set', () => addSet(ctx, { key: slots, data }, members!))
  const interval = named ? named.types.interval : needsInterval({ key: slots, data }, members!)
  loadAll(ctx, sources, byte, interval ? 'big' : undefined)
  const sreg = register(byte, 4)
  ctx.out.push({ name: 'lookup', data: { sreg, dreg: sreg, ...name } })
}

/** Any value for a place of that slot, into the register at that byte. */
export function valueInto(ctx: Context, slot: Slot, value: unknown, byte: number) {
  if (isMap(value)) return at('map', () => mapInto(ctx, value.map, [slot], byte))
  if (!isObject(value) || '|' in value) {
    if (!isObject(value) || (Array.isArray(value['|']) && value['|'].every(one => !isObject(one))))
      return immediate(ctx, byte, slotBytes(slot, constantOf(slot, value, ctx), byteLength(slot)))
  }
  const source = sourceOf(ctx, value)
  source.prepare()
  if (byteLength(source.slot) !== byteLength(slot))
    throw invalid(`a value of ${byteLength(source.slot)} bytes does not fit where ${byteLength(slot)} are needed`)
  load(ctx, source, byte)
  if (source.slot.order !== slot.order && !slot.type.text)
    byteorder(ctx, register(byte, 4), byteLength(slot), slot.order === 'big' ? 'hton' : 'ntoh')
}

/** The first and the last of a range or prefix, each into a register of its own; of one value only that. Gives the registers. */
export function rangeInto(ctx: Context, slot: Slot, value: unknown, byte: number): number[] {
  if (!isObject(value) || !('range' in value || 'prefix' in value)) {
    valueInto(ctx, slot, value, byte)
    return [register(byte, 4)]
  }
  const { low, high } = boundsOf(slot, value, ctx.interfaces)
  const ends = low === high ? [low] : [low, high]
  return ends.map((end, i) => {
    const place = byte + 16 * i * Math.ceil(byteLength(slot) / 16)
    immediate(ctx, place, slotBytes(slot, end, byteLength(slot)))
    return register(place, 4)
  })
}

/** `{ mangle: { key, value } }`. */
export function mangle(ctx: Context, statement: unknown) {
  only(statement, ['key', 'value'])
  const { key, value } = statement as { key?: unknown; value?: unknown }
  const [kind, part] = at('key', () => entryOf(key))
  const source = at('key', () => sourceOf(ctx, key))
  at('key', () => source.prepare())
  switch (kind) {
    case 'meta':
    case 'ct': {
      at('value', () => valueInto(ctx, source.slot, value, 0))
      const read = wireOf(ctx, source)
      const { dreg: _, ...rest } = read.data as { readonly dreg: number }
      ctx.out.push({ name: kind, data: { ...rest, sreg: 1 } } as never)
      return
    }
    case 'payload':
      return payloadSet(ctx, source, value)
    case 'exthdr':
    case 'tcp option': {
      if (source.mask !== undefined || (isObject(part) && part.field === undefined && part.base === undefined))
        throw invalid('cannot be set', 'key')
      at('value', () => valueInto(ctx, source.slot, value, 0))
      const { dreg: _, flags: __, ...rest } = wireOf(ctx, source).data as { readonly dreg: number; readonly flags: unknown }
      ctx.out.push({ name: 'exthdr', data: { sreg: 1, ...rest } } as never)
      return
    }
    default:
      throw invalid(`${kind} cannot be set`, 'key')
  }
}
/** The expression by which a source is loaded, without its being part of the rule. */
function wireOf(ctx: Context, source: Source) {
  source.load(1, 0)
  return ctx.out.pop()!
}

function payloadSet(ctx: Context, source: Source, value: unknown) {
  const { slot } = source
  const { base, offset, field } = source.payload!
  const [protocol, name] = field ?? []
  const { checksum, pseudo } = protocol ? protocols[protocol] : {}
  const length = byteLength(slot)
  // Checksums are kept of words of 16 bits, so only such can be written.
  const before = checksum ? offset % 2 : 0
  const after = checksum ? (before + length) % 2 : 0
  const words = before + length + after
  const write = () => {
    const csum = checksum ? { csumType: checksum[1], csumOffset: checksum[0] } : {}
    const flags = name !== undefined && pseudo?.includes(name) ? { csumFlags: ['pseudohdr' as const] } : {}
    ctx.out.push({ name: 'payload', data: { sreg: 1, base, offset: offset - before, len: words, ...csum, ...flags } })
  }
  if (words === length && source.mask === undefined) {
    at('value', () => valueInto(ctx, slot, value, 0))
    return write()
  }
  if (!isConstant(value)) throw invalid('must be a constant: the field shares its bytes with others', 'value')
  const shift = BigInt((slot.shift ?? 0) + 8 * after)
  const constant = at('value', () => constantOf(slot, value, ctx)) << shift
  const own = (source.mask ?? (1n << BigInt(8 * length)) - 1n) << BigInt(8 * after)
  const whole: Slot = { ...slot, bytes: words }
  const bytes = (bits: bigint) => ({ value: slotBytes(whole, bits, words) })
  ctx.out.push({ name: 'payload', data: { dreg: 1, base, offset: offset - before, len: words } })
  const mask = bytes(((1n << BigInt(8 * words)) - 1n) & ~own)
  ctx.out.push({ name: 'bitwise', data: { sreg: 1, dreg: 1, op: 'maskXor', len: words, mask, xor: bytes(constant) } })
  write()
}

/** A concatenated value, as bytes that lie side by side. */
export const concatInto = (ctx: Context, slots: readonly Slot[], value: unknown, byte: number) =>
  immediate(ctx, byte, encodeData(slots, value, ctx.interfaces))
