// Elements as the bytes of lists that fit into messages; those that are no more than keys and values are written without going through objects.
import type { Encodable } from '../../codec/codec.js'
import { inside } from '../../codec/errors.js'
import { viewOf, walk } from '../../codec/walk.js'
import { Writer } from '../../codec/writer.js'
import { elementList, element as elementTable } from '../../protocol/nftables/element.js'
import { byteLength, putValue, type Slot } from './datatypes.js'
import { type ElementForm, type Encoded, type EncodeOptions, encodeMembers } from './elements.js'
import type { SetMember } from './expression.js'

/** Elements one after the other, as they lie in the list. */
export interface Packed {
  readonly bytes: Uint8Array
  /** Where each of them ends. */
  readonly ends: readonly number[]
  /** The member that each is of. */
  readonly origins: readonly number[]
}
/** What fits into one list. */
export interface Part {
  readonly bytes: Uint8Array
  readonly origins: readonly number[]
}

/** A list of elements is one attribute, whose length has 16 bits. */
const longestList = 0xffff - 1024
const itemType = elementList.entries.elements[1].item[0]

/** Elements of any kind. */
export function packEncoded(list: readonly Encoded[]): Packed {
  const writer = new Writer(Math.max(list.length * 32, 64))
  const ends = list.map(({ element, index }) => {
    try {
      writer.attribute(itemType, elementTable, element as Encodable<typeof elementTable> as never)
    } catch (error) {
      throw inside(error, `[${index}]`)
    }
    return writer.at
  })
  return { bytes: writer.bytes.subarray(0, writer.at), ends, origins: list.map(({ index }) => index) }
}

/** Parts that each fit into one list. */
export function inMessages({ bytes, ends, origins }: Packed): Part[] {
  const parts: Part[] = []
  for (let from = 0, start = 0; from < ends.length; ) {
    let to = from + 1
    while (to < ends.length && ends[to]! - start <= longestList) to++
    const end = ends[to - 1]!
    parts.push({ bytes: bytes.subarray(start, end), origins: origins.slice(from, to) })
    from = to
    start = end
  }
  return parts
}

/** Keys, or pairs of key and value, all of them plain values of one size; undefined for anything else, which goes the long way. */
export function packPlain(members: readonly SetMember[], form: ElementForm, options: EncodeOptions): Packed | undefined {
  const { key, data } = form
  if (members.length < 2 || data === 'verdict' || data === 'object') return undefined
  if (!form.interval) return packSingle(members, key, data)
  const [slot] = key
  const plain = !data && !options.merge && options.separate === true && key.length === 1 && slot !== undefined && byteLength(slot) <= 4
  return plain ? packIntervals(members, slot) : undefined
}

/** An element that was written with values of zeros, and where these lie. */
function mould(element: Encoded['element']): { bytes: Uint8Array; key: number; data: number } {
  const writer = new Writer(128)
  writer.attribute(itemType, elementTable, element as never)
  const bytes = writer.copy()
  let [key, data] = [0, 0]
  for (const { path, from } of walk(elementList.entries.elements[1], viewOf(bytes))) {
    const place = path.slice(1).join('.')
    if (place === 'key.value') key = from
    else if (place === 'data.value') data = from
  }
  return { bytes, key, data }
}
const zeros = (slots: readonly Slot[]) => ({ value: new Uint8Array(placesOf(slots, 0).length) })

/** Where the parts of a key or value lie: each fills whole registers of four bytes, one alone only what it needs. */
function placesOf(slots: readonly Slot[], from: number): { places: readonly number[]; length: number } {
  let at = from
  const places = slots.map(slot => {
    const place = at
    at += slots.length === 1 ? byteLength(slot) : (byteLength(slot) + 3) & ~3
    return place
  })
  return { places, length: at - from }
}

/** Puts a value, or the parts of a concatenation; false if it is not plain. */
function put(slots: readonly Slot[], places: readonly number[], value: unknown, into: Uint8Array, at: number): boolean {
  if (slots.length === 1) return putValue(slots[0]!, value, into, at + places[0]!)
  const parts = (value as { readonly concat?: unknown } | null)?.concat
  if (!Array.isArray(parts) || parts.length !== slots.length || Object.keys(value as object).length !== 1) return false
  return parts.every((part, i) => putValue(slots[i]!, part, into, at + places[i]!))
}

function packSingle(members: readonly SetMember[], key: readonly Slot[], data: readonly Slot[] | undefined): Packed | undefined {
  const form = mould({ key: zeros(key), ...(data ? { data: zeros(data) } : {}) })
  const size = form.bytes.length
  const keys = placesOf(key, form.key).places
  const values = data && placesOf(data, form.data).places
  const bytes = new Uint8Array(size * members.length)
  for (let i = 0, at = 0; i < members.length; i++, at += size) {
    const member: unknown = members[i]
    const pair = data && Array.isArray(member) && member.length === 2
    if (data && !pair) return undefined
    bytes.set(form.bytes, at)
    if (!put(key, keys, pair ? member[0] : member, bytes, at)) return undefined
    if (pair && !put(data, values!, member[1], bytes, at)) return undefined
  }
  return { bytes, ends: members.map((_, i) => (i + 1) * size), origins: members.map((_, i) => i) }
}

/** As many members as an integer of 53 bits can tell apart beside a key of 32. */
const mostSorted = 2 ** 20

function packIntervals(members: readonly SetMember[], given: Slot): Packed | undefined {
  // In sets of intervals keys are compared from the first byte on.
  const slot: Slot = { ...given, order: 'big' }
  const length = byteLength(slot)
  const top = 2 ** (8 * length) - 1
  if (members.length > mostSorted) return undefined
  const sorted = sortedKeys(members, slot)
  if (!sorted || sorted.at(-1)!.value === top) return undefined
  const first = mould({ key: zeros([slot]) })
  const end = mould({ flags: ['intervalEnd'], key: zeros([slot]) })
  const bytes = new Uint8Array(members.length * (first.bytes.length + end.bytes.length))
  const ends: number[] = []
  const origins: number[] = []
  let at = 0
  let before = -1
  for (const { value, index } of sorted) {
    if (value === before) return undefined
    before = value
    for (const [form, number] of [
      [first, value],
      [end, value + 1],
    ] as const) {
      bytes.set(form.bytes, at)
      for (let i = length - 1, rest = number; i >= 0; i--, rest = Math.floor(rest / 256)) bytes[at + form.key + i] = rest
      at += form.bytes.length
      ends.push(at)
      origins.push(index)
    }
  }
  return { bytes, ends, origins }
}

/** The members' keys as numbers, in their order. */
function sortedKeys(members: readonly SetMember[], slot: Slot): { value: number; index: number }[] | undefined {
  const scratch = new Uint8Array(4)
  const view = viewOf(scratch)
  const at = 4 - byteLength(slot)
  const keys = new Float64Array(members.length)
  for (const [i, member] of members.entries()) {
    if (!putValue(slot, member, scratch, at)) return undefined
    keys[i] = view.getUint32(0) * mostSorted + i
  }
  keys.sort()
  return Array.from(keys, one => ({ value: Math.floor(one / mostSorted), index: one % mostSorted }))
}

/** Members as the bytes of a list. `spell` gives those that have short forms in full; errors have a path that begins with '[index]'. */
export const packMembers = (
  members: readonly SetMember[],
  form: ElementForm,
  options: EncodeOptions,
  spell: (member: SetMember) => SetMember,
): Packed => packPlain(members, form, options) ?? packEncoded(encodeMembers(members.map(spell), form, options))
