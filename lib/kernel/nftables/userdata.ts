// What nft keeps beside an object for itself: comments, and what it needs to print a set as it was written (libnftnl's udata: type, length, bytes).
import { Buffer } from 'node:buffer'
import { argumentError, shown } from '../../codec/errors.js'
import { littleEndian } from '../../codec/writer.js'

/** Of tables, chains, rules, objects and elements; sets have more. */
export const comment = 0
export const setData = {
  keyByteorder: 0,
  dataByteorder: 1,
  mergeElements: 2,
  keyTypeof: 3,
  dataTypeof: 4,
  expr: 5,
  dataInterval: 6,
  comment: 7,
} as const
export const elementData = { comment: 0, flags: 1 } as const
/** The interval has no end: what is above it is not in the set on its own. */
export const openInterval = 1

/** What one attribute can be; what the kernel keeps has 256 bytes. */
const longestComment = 128

export type Userdata = readonly (readonly [type: number, value: Uint8Array])[]

/** A comment as nft takes them; `path` is the field it stands in. */
export function commentBytes(text: string, path = 'comment'): Uint8Array {
  if (typeof text !== 'string' || text.includes('\0') || Buffer.byteLength(text) >= longestComment)
    throw argumentError('ERR_NETLOOM_INVALID_STRING', `${shown(text)} is not a text of at most ${longestComment - 1} bytes`, path)
  return Buffer.from(`${text}\0`)
}
/** A number in the host's order. */
export function numberBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, littleEndian)
  return bytes
}

export function encodeUserdata(entries: Userdata): Uint8Array | undefined {
  return entries.length === 0 ? undefined : Buffer.concat(entries.flatMap(([type, value]) => [Uint8Array.of(type, value.length), value]))
}
/** The bytes for an object that has a comment, or nothing, for one that has none. */
export const commentData = (text: string | undefined): Uint8Array | undefined =>
  text === undefined ? undefined : encodeUserdata([[comment, commentBytes(text)]])

/** The entries by type; bytes that are not such entries belong to another program, and are nobody's here. */
export function decodeUserdata(bytes: Uint8Array | undefined): ReadonlyMap<number, Uint8Array> {
  const entries = new Map<number, Uint8Array>()
  if (!bytes) return entries
  for (let at = 0; at < bytes.length; ) {
    const length = bytes[at + 1]
    if (length === undefined || at + 2 + length > bytes.length) return new Map()
    entries.set(bytes[at]!, bytes.subarray(at + 2, at + 2 + length))
    at += 2 + length
  }
  return entries
}
/** Text of an entry. */
export function textOf(bytes: Uint8Array | undefined): string | undefined {
  if (!bytes) return undefined
  const end = bytes.indexOf(0)
  return Buffer.from(bytes.subarray(0, end < 0 ? bytes.length : end)).toString()
}
export const commentOf = (bytes: Uint8Array | undefined): string | undefined => textOf(decodeUserdata(bytes).get(comment))
/** Number of an entry. */
export const numberIn = (bytes: Uint8Array | undefined): number | undefined =>
  bytes?.length === 4 ? new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, littleEndian) : undefined
