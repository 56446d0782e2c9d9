// C structs and arrays: values at fixed places.
import type { AnyCodec, Child, Codec, Fields, Members } from './codec.js'
import { compileStruct } from './compile.js'
import { inside } from './errors.js'
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
  const read = compileStruct(named, size)
  return {
    min: 0,
    size,
    fields,
    members,
    read: read as (view: DataView, at: number, end: number) => Members<F, 'out'>,
    write(writer: Writer, value: Partial<Members<F, 'in'>>) {
      const values = value as Readonly<Record<string, never>>
      for (const { name, codec } of members) {
        const given = values[name]
        if (given === undefined) writer.zero(codec.size!)
        else
          try {
            codec.write(writer, given)
          } catch (error) {
            throw inside(error, name)
          }
      }
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
export function array<Out, In>(codec: Codec<Out, In> & { readonly size?: number }): Codec<Out[], readonly In[]> {
  const step = codec.size
  if (!step) throw new Error('an array needs members of a fixed size')
  return {
    min: 0,
    read(view, at, end) {
      const out: Out[] = []
      for (let p = at; p + step <= end; p += step) out.push(codec.read(view, p, p + step))
      return out
    },
    write(writer, values) {
      values.forEach((value, i) => {
        try {
          codec.write(writer, value)
        } catch (error) {
          throw inside(error, `[${i}]`)
        }
      })
    },
    *children(_view, at, end): Iterable<Child> {
      for (let p = at, i = 0; p + step <= end; p += step, i++)
        yield { name: String(i), constant: `[${i}]`, codec: codec as AnyCodec, start: p, from: p, to: p + step }
    },
  }
}
