// Bytes as hexadecimal text in both directions, and the error that a call throws.
import type { AnyCodec, Codec, Decoded, Encodable } from '../../lib/codec/codec.js'
import { type ArgumentError, isArgumentError } from '../../lib/codec/errors.js'
import { viewOf } from '../../lib/codec/walk.js'
import { Writer } from '../../lib/codec/writer.js'

export const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
export const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex.replace(/\s/g, ''), 'hex'))

export function encode<C extends AnyCodec>(codec: C, value: Encodable<C>): Uint8Array {
  const writer = new Writer(16)
  ;(codec as Codec<unknown, never>).write(writer, value as never)
  return writer.copy()
}
export const encodeHex = <C extends AnyCodec>(codec: C, value: Encodable<C>) => hexOf(encode(codec, value))

/** Reads the bytes from the middle of a larger buffer: whoever reads past the end sees 0xee instead of failing. */
export function decode<C extends AnyCodec>(codec: C, bytes: Uint8Array | string): Decoded<C> {
  const payload = typeof bytes === 'string' ? bytesOf(bytes) : bytes
  const surrounded = new Uint8Array(payload.length + 64).fill(0xee)
  surrounded.set(payload, 32)
  return codec.read(viewOf(surrounded), 32, 32 + payload.length) as Decoded<C>
}

/** What a wrong argument is told: [code, path, class]. */
export function refusal(call: () => unknown): [code: string, path: string | undefined, error: string] {
  const error = thrown(call)
  return [error.code, error.path, error.constructor.name]
}
export function thrown(call: () => unknown): ArgumentError {
  try {
    call()
  } catch (error) {
    if (isArgumentError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
