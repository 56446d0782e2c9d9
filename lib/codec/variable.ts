// Values whose form the payload itself tells: by a number in front, or by its length.
import type { AnyCodec, Codec, Decoded, Encodable } from './codec.js'
import { argumentError, expectObject, MalformedError, rangeError, shown } from './errors.js'
import { bytes, count, u32 } from './scalars.js'

type Forms = Readonly<Record<string, readonly [tag: number, codec: AnyCodec]>>
type OneOf<F extends Forms, Direction extends 'in' | 'out'> = {
  [K in keyof F]: { [P in K]: Direction extends 'out' ? Decoded<F[K][1]> : Encodable<F[K][1]> }
}[keyof F]

/** A number that names the form of what follows it: `tagged(u16, { inet: [2, ipv4], inet6: [10, ipv6] })` is `{ inet: '10.0.0.1' }` (`struct rtvia`). */
export function tagged<const F extends Forms>(
  tag: Codec<number> & { readonly size: number },
  forms: F,
): Codec<OneOf<F, 'out'> | { other: Uint8Array; tag: number }, OneOf<F, 'in'> | { other: Uint8Array; tag: number }> {
  const byTag = new Map(Object.entries(forms).map(([name, [number, codec]]) => [number, { name, codec }]))
  return {
    min: tag.size,
    read(view, at, end) {
      const number = tag.read(view, at, end)
      const form = byTag.get(number)
      const from = at + tag.size
      if (!form) return { other: bytes.read(view, from, end), tag: number }
      if (end - from < form.codec.min) throw new MalformedError(`${end - from} bytes where "${form.name}" takes ${form.codec.min}`)
      return { [form.name]: form.codec.read(view, from, end) } as OneOf<F, 'out'>
    },
    write(writer, value) {
      expectObject(value)
      if ('other' in value && 'tag' in value) {
        tag.write(writer, value.tag as number)
        bytes.write(writer, value.other as Uint8Array)
        return
      }
      const [name = '', ...more] = Object.keys(value)
      const form = Object.hasOwn(forms, name) ? forms[name] : undefined
      if (!form || more.length) throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `needs one of ${Object.keys(forms).join(', ')}`)
      tag.write(writer, form[0])
      ;(form[1] as Codec<unknown, unknown>).write(writer, (value as Readonly<Record<string, unknown>>)[name])
    },
  }
}

/** An unsigned number of 4 or, where it needs them, 8 bytes (NLA_UINT). */
export const uint: Codec<number> = {
  min: 4,
  read: (view, at, end) => (end - at >= 8 ? count : u32).read(view, at, end),
  write: (writer, value) => (value > 0xffff_ffff ? count : u32).write(writer, value),
}

/** A setting that is written as presence and reported as a byte. `false` is not sent. */
export const flagOrByte: Codec<boolean> & { readonly presence: true } = {
  min: 0,
  presence: true,
  read: (view, at, end) => end === at || view.getUint8(at) !== 0,
  write(_, value) {
    if (typeof value !== 'boolean') throw argumentError('ERR_NETLOOM_INVALID_BOOLEAN', `${shown(value)} is not true or false`)
  },
}

/** A value in a field of so many bytes: what is written is followed by zeros, and refused if it does not fit. */
export function fixed<Out, In>(codec: Codec<Out, In>, size: number): Codec<Out, In> & { readonly size: number } {
  return {
    min: codec.min || 1,
    size,
    read: (view, at) => codec.read(view, at, at + size),
    write(writer, value) {
      const start = writer.at
      codec.write(writer, value)
      if (writer.at - start > size) throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `is longer than ${size} bytes`)
      writer.zero(size - (writer.at - start))
    },
  }
}
