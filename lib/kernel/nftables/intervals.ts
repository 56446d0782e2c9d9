// The order of elements by their keys, and short ways of writing prefixes and ranges.
import { littleEndian } from '../../codec/writer.js'
import type { Slot } from './datatypes.js'
import type { ReadElement } from './elements.js'
import type { Expression, SetMember } from './expression.js'
import { paddedLength } from './set-form.js'

/** By number, part by part; keys of the host's order have their highest byte at the end. */
function compareKeys(slots: readonly Slot[], a: Uint8Array, b: Uint8Array): number {
  let at = 0
  for (const slot of slots) {
    const end = slots.length === 1 ? a.length : at + paddedLength(slot)
    const backwards = slot.order === 'host' && littleEndian && !slot.type.text
    for (let i = at; i < end; i++) {
      const place = backwards ? at + end - 1 - i : i
      const difference = a[place]! - b[place]!
      if (difference !== 0) return difference
    }
    at = end
  }
  return 0
}

const none = new Uint8Array()
/** As nft lists them, whatever order the kernel keeps them in. */
export const inOrder = (elements: readonly ReadElement[], slots: readonly Slot[]): ReadElement[] =>
  [...elements].sort((a, b) => compareKeys(slots, a.key?.value ?? none, b.key?.value ?? none))

function spelledValue(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const [, addr, length] = /^([\d.]+|[\da-f:.]*:[\da-f:.]*)\/(\d+)$/i.exec(value) ?? []
  if (addr !== undefined) return { prefix: { addr, len: Number(length) } }
  const [, low, high] = /^([\d.]+|[\da-f:.]*:[\da-f:.]*)-([\d.]+|[\da-f:.]*:[\da-f:.]*)$/i.exec(value) ?? []
  if (low !== undefined) return { range: [low, high] }
  return value
}
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function spelledKey(key: unknown): unknown {
  if (!isObject(key)) return spelledValue(key)
  if (isObject(key.elem)) return { elem: { ...key.elem, val: spelledKey(key.elem.val) } }
  return Array.isArray(key.concat) ? { concat: key.concat.map(spelledValue) } : key
}
/** '10.0.0.0/8' and '80-90' as the prefix and the range that they are; MAC addresses and names stay what they are. */
export const spelled = (member: SetMember, pair: boolean): SetMember =>
  (pair && Array.isArray(member) ? [spelledKey(member[0]), spelledValue(member[1])] : spelledKey(member)) as Expression
