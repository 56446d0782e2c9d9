// C structs and arrays: values at fixed places.
import type { AnyCodec, Child, Codec, Fields, Members } from './codec.js'
import { compileArray, compileStruct } from './compile.js'
import { argumentError, expectObject, forEach, inside, shown } from './errors.js'
import type { Writer } from './writer.js'

/** Bytes that mean nothing: written as zero, not read. Name such a member `_…`. */
export const pad = (size: number): Codec<undefined, undefined> & { readonly size: number } => ({
  min: size,
  size,
  read: () => undefined,
  write: writer => writer.zero(size),
})

export interface Member {
  readonly name: string
  readonly at: number
  readonly codec: AnyCodec
}
export interface Struct<F extends Fields> extends Codec<Members<F, 'out'>, Partial<Members<F, 'in'>>> {
  readonly size: number
  readonly fields: F
  readonly members: readonly Member[]
  /** As `write`, of an object that holds more than the members. */
  writeMembers(writer: Writer, value: object): void
}

/** A C struct. Members missing from a value are zero; a member off its natural alignment is refused here, when it is declared. */
export function struct<const F extends Fields>(fields: F): Struct<F> {
  let size = 0
  const members: Member[] = []
  for (const [name, codec] of Object.entries(fields)) {
    const length = codec.size
    if (!length) throw new Error(`struct member "${name}" has no fixed size`)
    if (size % Math.min(codec.min, 8, length) && !name.startsWith('_') && [2, 4, 8].includes(codec.min))
      throw new Error(`struct member "${name}" is misaligned at ${size}`)
    members.push({ name, at: size, codec })
    size += length
  }
  const named = members.filter(member => !member.name.startsWith('_'))
  const names = new Set(named.map(member => member.name))
  const read = compileStruct(named, size)
  const writeMembers = (writer: Writer, value: object) => {
    for (const { name, codec } of members) {
      const given = (value as Readonly<Record<string, never>>)[name]
      if (given === undefined) {
        writer.zero(codec.size!)
        continue
      }
      try {
        codec.write(writer, given)
      } catch (error) {
        throw inside(error, name)
      }
    }
  }
  return {
    min: 0,
    size,
    fields,
    members,
    read: read as (view: DataView, at: number, end: number) => Members<F, 'out'>,
    writeMembers,
    write(writer: Writer, value: Partial<Members<F, 'in'>>) {
      expectObject(value)
      for (const name in value) if (!names.has(name)) throw argumentError('ERR_NETLOOM_UNKNOWN_MEMBER', `there is no member ${shown(name)}`)
      writeMembers(writer, value)
    },
    *children(_view, at, end) {
      for (const { name, at: offset, codec } of named) {
        const from = at + offset
        if (from + codec.size! <= end) yield { name, constant: name, codec, start: from, from, to: from + codec.size! }
      }
    },
  }
}

/** Values of one size back to back in one payload. */
export function array<Out, In>(codec: Codec<Out, In> & { readonly size: number }): Codec<Out[], readonly In[]> {
  const step = codec.size
  if (!step) throw new Error('an array needs members of a fixed size')
  return {
    min: 0,
    read: compileArray(codec as AnyCodec, step) as (view: DataView, at: number, end: number) => Out[],
    write: (writer, values) => forEach(values, value => codec.write(writer, value)),
    *children(_view, at, end): Iterable<Child> {
      for (let p = at, i = 0; p + step <= end; p += step, i++)
        yield { name: String(i), constant: `[${i}]`, codec: codec as AnyCodec, start: p, from: p, to: p + step }
    },
  }
}
