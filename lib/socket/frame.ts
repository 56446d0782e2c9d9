// Netlink framing: the header in front of every message, and what an acknowledgement says.
import type { AnyCodec } from '../codec/codec.js'
import { isArgumentError, relabel } from '../codec/errors.js'
import { littleEndian as LE, type Writer } from '../codec/writer.js'
import { type AnyRequest, pathWithin } from './request.js'

/** NLMSG_HDRLEN, linux/netlink.h. */
export const headerLength = 16

export interface Framed {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  /** Where the payload starts and ends. */
  readonly from: number
  readonly to: number
}

/** Writes one message; returns where it starts. */
export function frame(writer: Writer, type: number, flags: number, sequence: number, codec: AnyCodec, value: unknown): number {
  const start = writer.reserve(headerLength)
  codec.write(writer, value as never)
  writer.pad()
  const { view } = writer
  view.setUint32(start, writer.at - start, LE)
  view.setUint16(start + 4, type, LE)
  view.setUint16(start + 6, flags, LE)
  view.setUint32(start + 8, sequence, LE)
  view.setUint32(start + 12, 0, LE)
  return start
}

/** Writes a request; an argument that does not fit is reported under the caller's name for it. Returns where it starts. */
export function encode(writer: Writer, { type, codec, value, context }: AnyRequest, flags: number, sequence: number): number {
  try {
    return frame(writer, type, flags, sequence, codec, value)
  } catch (error) {
    if (!isArgumentError(error)) throw error
    const { path } = error
    const { field, within } = context
    throw relabel(error, pathWithin(within, path === undefined || !field ? path : (field(path.split(/[.[\]]+/).filter(Boolean)) ?? path)))
  }
}

/** Gives messages other sequence numbers: one more each. */
export function renumber(bytes: Uint8Array, first: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let sequence = first
  for (let at = 0; at < bytes.length; at += (view.getUint32(at, LE) + 3) & ~3) view.setUint32(at + 8, sequence++, LE)
  return sequence
}

/** The messages of a buffer; stops at the first that is cut short, which the addon never delivers. */
export function* messages(view: DataView): Generator<Framed> {
  for (let at = 0; at + headerLength <= view.byteLength; ) {
    const length = view.getUint32(at, LE)
    if (length < headerLength || at + length > view.byteLength) return
    yield {
      type: view.getUint16(at + 4, LE),
      flags: view.getUint16(at + 6, LE),
      sequence: view.getUint32(at + 8, LE),
      from: at + headerLength,
      to: at + length,
    }
    at += (length + 3) & ~3
  }
}
