// Attribute tables: from `name: [number, codec]` follow the encoder, the decoder, the static types and the names in errors and dumps.
import type {
  AnyCodec,
  Attributes,
  By,
  ByHeader,
  Child,
  Codec,
  Decoded,
  Encodable,
  Entries,
  Entry,
  Fields,
  UnknownAttribute,
} from './codec.js'
import { type Choose, compileTable, type Field, overrun, short, tooShort } from './compile.js'
import { argumentError, expectObject, forEach, inside, shown } from './errors.js'
import { bytes, string, u16 } from './scalars.js'
import type { Struct } from './struct.js'
import { attributeHeader, littleEndian, typeMask, type Writer } from './writer.js'

/** A table of attributes, `IFLA_` + the name in upper case being the kernel's constant. */
export const attributes = <const E extends Entries>(prefix: string, entries: E): Attributes<E> =>
  table(prefix, entries, undefined) as unknown as Attributes<E>

/** A fixed header and the attributes after it, as one flat object. */
export function message<H extends Fields, const E extends Entries>(header: Struct<H>, prefix: string, entries: E): Attributes<E, H> {
  for (const name in entries) if (name in header.fields) throw new Error(`"${name}" is both a member of the header and an attribute`)
  return table(prefix, entries, header as unknown as Struct<Fields>) as unknown as Attributes<E, H>
}

/** The same table with these attributes only: the others are passed over, which is quicker than reading them for nobody. */
export const pick = <E extends Entries, H extends Fields, const N extends keyof E & string>(
  { prefix, entries, header }: Attributes<E, H>,
  names: readonly N[],
): Attributes<Pick<E, N>, H> =>
  table(
    prefix,
    Object.fromEntries(names.map(name => [name, entries[name]!])),
    header as Struct<Fields> | undefined,
    true,
  ) as unknown as Attributes<Pick<E, N>, H>

/** An attribute whose form is chosen by a sibling attribute, or, with `otherwise`, by a member of the message's header. */
export function by<const Key extends string, const M extends Fields>(key: Key, choices: M): By<Key, M>
export function by<const M extends Fields, D extends AnyCodec>(key: string, choices: M, otherwise: D): ByHeader<M, D>
export function by(key: string, choices: Fields, otherwise?: AnyCodec): AnyCodec {
  return { ...bytes, nest: true, choices, ...(otherwise ? { headerKey: key, otherwise } : { key }) } as unknown as AnyCodec
}

/** An attribute that may occur several times: an array of its values. */
export const repeated = <C extends AnyCodec>(codec: C): Codec<Decoded<C>[], readonly Encodable<C>[]> & { readonly each: C } =>
  ({ ...codec, each: codec }) as unknown as Codec<Decoded<C>[], readonly Encodable<C>[]> & { readonly each: C }

export type ListOf<C extends AnyCodec> = Codec<Decoded<C>[], readonly Encodable<C>[]> & { readonly item: readonly [number, C] }

/** A nest that holds one attribute again and again (`IFLA_PROP_LIST`); `constant` is the kernel's name of the inner one. */
export function list<C extends AnyCodec>(type: number, codec: C, constant?: string): ListOf<C> {
  const label = constant ?? 'list'
  return {
    min: 0,
    nest: true,
    item: [type, codec],
    read(view, at, end) {
      const out: Decoded<C>[] = []
      for (const found of each(label, view, at, end)) {
        if (found.type !== type) continue
        const length = found.to - found.from
        if (length < codec.min) throw short(label, `[${out.length}]`, length, codec.min)
        out.push(codec.read(view, found.from, found.to) as Decoded<C>)
      }
      return out
    },
    write: (writer, values) => forEach(values, value => writer.attribute(type, codec as Codec<unknown, never>, value as never)),
    *children(view, at, end) {
      let i = 0
      for (const found of each(label, view, at, end))
        yield found.type === type
          ? { ...found, name: String(i++), constant: constant ?? `[${i - 1}]`, codec }
          : { ...found, name: undefined, constant: `#${found.type}`, codec: undefined }
    },
  }
}

/** Entries that carry their own length in the first member of their header, with attributes of their own (`struct rtnexthop`). */
export function entries<H extends Fields, const E extends Entries>(
  header: Struct<H>,
  prefix: string,
  fields: E,
): Codec<Decoded<Attributes<E, H>>[], readonly Encodable<Attributes<E, H>>[]> & { readonly entry: Attributes<E, H> } {
  const entry = message(header, prefix, fields)
  const lengthOf = (view: DataView, at: number, end: number) => {
    const length = view.getUint16(at, littleEndian)
    if (length < header.size || at + length > end) throw overrun(prefix, length, at)
    return length
  }
  return {
    min: 0,
    entry,
    read(view, at, end) {
      const out: Decoded<Attributes<E, H>>[] = []
      for (let p = at; p + header.size <= end; ) {
        const length = lengthOf(view, p, end)
        out.push(entry.read(view, p, p + length) as Decoded<Attributes<E, H>>)
        p += (length + 3) & ~3
      }
      return out
    },
    write: (writer, values) =>
      forEach(values, value => {
        const start = writer.at
        entry.write(writer, value as never)
        const end = writer.at
        writer.at = start
        u16.write(writer, end - start)
        writer.at = end
      }),
    *children(view, at, end) {
      let i = 0
      for (let p = at; p + header.size <= end; i++) {
        const length = lengthOf(view, p, end)
        yield { name: String(i), constant: `[${i}]`, codec: entry, start: p, from: p, to: p + length }
        p += (length + 3) & ~3
      }
    },
  }
}

/** The attributes of a container, one after the other. */
export function* each(
  prefix: string,
  view: DataView,
  at: number,
  end: number,
): Generator<{ type: number; start: number; from: number; to: number }> {
  for (let p = at; p + attributeHeader <= end; ) {
    const length = view.getUint16(p, littleEndian)
    if (length < attributeHeader || p + length > end) throw overrun(prefix, length, p)
    yield { type: view.getUint16(p + 2, littleEndian) & typeMask, start: p, from: p + attributeHeader, to: p + length }
    p += (length + 3) & ~3
  }
}

/** 'netNsFd' → 'IFLA_NET_NS_FD'. */
export const constantOf = (prefix: string, name: string) => `${prefix}_${name.replace(/[A-Z]/g, c => `_${c}`).toUpperCase()}`

const isBy = (codec: AnyCodec): codec is By<string, Fields> => 'key' in codec && 'choices' in codec
const isByHeader = (codec: AnyCodec): codec is ByHeader<Fields, AnyCodec> => 'headerKey' in codec
const mayChoose = (codec: AnyCodec | undefined) => codec === string || (codec !== undefined && 'kind' in codec)
type Siblings = Readonly<Record<string, unknown>>

function chooser(prefix: string, codec: AnyCodec, entries: Entries): Choose | undefined {
  if (isByHeader(codec)) return siblings => own(codec.choices, siblings[codec.headerKey]) ?? codec.otherwise
  if (!isBy(codec)) return undefined
  const key = entries[codec.key]!
  return (siblings, view, from = 0, end = 0) =>
    own(codec.choices, siblings[codec.key] ?? (view && ahead(prefix, key, view, from, end))) ?? bytes
}
/** The kernel takes attributes in any order, so the one that chooses may come after the one that is chosen. */
function ahead(prefix: string, [type, codec]: Entry, view: DataView, from: number, end: number): unknown {
  for (const found of each(prefix, view, from, end))
    if (found.type === type && found.to - found.from >= codec.min) return codec.read(view, found.from, found.to)
  return undefined
}
const own = (choices: Fields, name: unknown) => (typeof name === 'string' && Object.hasOwn(choices, name) ? choices[name] : undefined)

/** Mistakes in a table, found when it is declared. */
function check(prefix: string, entries: Entries, header: Struct<Fields> | undefined): void {
  const names = new Map<number, string>()
  for (const [name, [type, codec]] of Object.entries(entries)) {
    const fail = (what: string) => new Error(`${prefix}: "${name}" ${what}`)
    if (name === 'unknown') throw fail('is where attributes without an entry are kept')
    if (!Number.isInteger(type) || type < 0 || type > typeMask) throw fail(`cannot have the number ${type}`)
    if (names.has(type)) throw fail(`has the same number as "${names.get(type)}"`)
    names.set(type, name)
    if (isBy(codec) && !mayChoose(entries[codec.key]?.[1])) throw fail(`is chosen by "${codec.key}", which is not a string of this table`)
    if (isByHeader(codec) && !(codec.headerKey in (header?.fields ?? {})))
      throw fail(`is chosen by "${codec.headerKey}", which the header lacks`)
  }
}

function table(prefix: string, entries: Entries, header: Struct<Fields> | undefined, partial = false): AnyCodec {
  check(prefix, entries, header)
  const kinds = new Map<string, ReadonlySet<string>>()
  for (const [, codec] of Object.values(entries)) if (isBy(codec)) kinds.set(codec.key, new Set(Object.keys(codec.choices)))
  const fields = new Map<string, Field & { readonly inner: AnyCodec; readonly presence: boolean }>()
  const byType = new Map<number, Field>()
  for (const [name, [type, codec]] of Object.entries(entries)) {
    const each = (codec as { each?: AnyCodec }).each
    const field = {
      name,
      type,
      codec: each ?? codec,
      inner: each ?? codec,
      repeated: each !== undefined,
      kinds: kinds.get(name),
      choose: chooser(prefix, codec, entries),
      presence: 'presence' in codec,
    }
    fields.set(name, field)
    byType.set(type, field)
  }
  const headerNames = new Set(header ? Object.keys(header.fields) : [])

  const writeField = (writer: Writer, name: string, value: unknown, siblings: Siblings) => {
    const field = fields.get(name)
    if (!field) {
      if (name !== 'unknown') throw argumentError('ERR_NETLOOM_UNKNOWN_ATTRIBUTE', `${prefix} has no attribute "${name}"`)
      forEach(value as readonly UnknownAttribute[], attribute => {
        expectObject(attribute)
        const { type, data } = attribute
        if (!Number.isInteger(type) || type < 0 || type > typeMask)
          throw argumentError('ERR_NETLOOM_OUT_OF_RANGE', `${shown(type)} is not an attribute number (0 to ${typeMask})`, 'type')
        writer.attribute(type, bytes, data)
      })
      return
    }
    const codec = (field.choose ? field.choose(siblings) : field.codec) as Codec<unknown, unknown>
    if (field.repeated) forEach(value as readonly unknown[], one => writer.attribute(field.type, codec, one))
    else if (field.kinds) writer.attribute(field.type, codec, withoutOther(value))
    else if (!field.presence || value !== false) writer.attribute(field.type, codec, value)
  }

  const codec = {
    min: header?.size ?? 0,
    nest: true,
    prefix,
    entries,
    headerFields: header?.fields ?? {},
    header,
    read: compileTable({ prefix, header, fields: [...fields.values()], partial }),
    write(writer: Writer, value: Siblings) {
      expectObject(value)
      if (header) {
        header.writeMembers(writer, value)
        writer.pad()
      }
      for (const name in value) {
        const given = value[name]
        if (given === undefined || headerNames.has(name)) continue
        try {
          writeField(writer, name, given, value)
        } catch (error) {
          throw inside(error, name)
        }
      }
    },
    *children(view: DataView, at: number, end: number): Generator<Child> {
      if (header && end - at < header.size) throw tooShort(prefix, end - at, header.size)
      const siblings = (header ? header.read(view, at, at + header.size) : {}) as Record<string, unknown>
      for (const { type, start, from, to } of each(prefix, view, at + (header ? (header.size + 3) & ~3 : 0), end)) {
        const field = byType.get(type)
        if (!field) {
          yield { name: undefined, constant: `${prefix}_#${type}`, codec: undefined, start, from, to }
          continue
        }
        if (field.kinds && to - from >= field.codec.min) siblings[field.name] = field.codec.read(view, from, to)
        yield {
          name: field.name,
          constant: constantOf(prefix, field.name),
          codec: field.choose ? field.choose(siblings, view, start, end) : field.codec,
          start,
          from,
          to,
        }
      }
    },
  }
  return codec as unknown as AnyCodec
}

const withoutOther = (kind: unknown) => (typeof kind === 'string' && kind.startsWith('other:') ? kind.slice(6) : (kind as string))
