// The messages of steps out of those of others like them: thousands of namespaces and routes differ in names, MACs and addresses only.
import { networkOf, parseIpv4, parseMac } from '../codec/ip.js'
import type { Writer } from '../codec/writer.js'
import type { JobStep } from '../socket/native.js'
import type { Step } from './compile.js'
import { creates, endsOf } from './compile-link.js'
import type { Item } from './items.js'
import { alike, type Pair } from './like.js'

/** Says steps as the steps of a job; undefined if that cannot be done. */
export type Say = (itemOf: (number: number) => Item) => readonly JobStep[] | undefined

/** A value: of which step's item, which field, and where it is in the bytes of which step of the job; undefined if it has to be the same. */
interface Slot {
  readonly step: number
  readonly field: Field
  readonly like: string
  readonly places: readonly (readonly [part: number, at: number])[] | undefined
}
interface Field {
  /** Which end of a link it names. */
  readonly names?: 0 | 1
  get(item: Item): unknown
  set(item: Item, value: string): Item
  readonly form: Form
}
/** How a value becomes bytes. */
interface Form {
  /** Another value whose first byte differs. */
  other(value: string): string | undefined
  /** Undefined for one that does not have as many, or would change more than these bytes. */
  bytes(value: string, like: string): Uint8Array | undefined
}

const encoder = new TextEncoder()
const ascii = /^[\x20-\x7e]+$/
const text: Form = {
  other: value => (ascii.test(value) ? value.replaceAll(/./g, character => (character === 'x' ? 'y' : 'x')) : undefined),
  bytes: (value, like) => (value.length === like.length && ascii.test(value) ? encoder.encode(value) : undefined),
}
const hex = (byte: number) => byte.toString(16).padStart(2, '0')
const mac: Form = {
  other: value => Array.from(parseMac(value), byte => hex(byte ^ 0x54)).join(':'),
  bytes: (value, like) => (value.length === like.length ? parseMac(value) : undefined),
}
const withoutPrefix = (cidr: string) => (cidr.includes('/') ? cidr.slice(0, cidr.indexOf('/')) : cidr)
const ipv4: Form = {
  other(value) {
    const address = withoutPrefix(value)
    const bytes = parseIpv4(address)
    return bytes && Array.from(bytes, byte => byte ^ 0x55).join('.') + value.slice(address.length)
  },
  bytes(value, like) {
    const address = withoutPrefix(value)
    const prefix = value.slice(address.length)
    return prefix === like.slice(withoutPrefix(like).length) ? parseIpv4(address) : undefined
  },
}

/** As it is, but that nothing may be beyond the prefix. */
const ipv4Network: Form = {
  other(value) {
    const address = withoutPrefix(value)
    const bytes = parseIpv4(address)
    const prefix = address === value ? 32 : Number(value.slice(address.length + 1))
    if (!bytes || prefix === 0) return undefined
    return (
      networkOf(
        bytes.map(byte => byte ^ 0xff),
        prefix,
      ).join('.') + value.slice(address.length)
    )
  },
  bytes: ipv4.bytes,
}

type Spec = Record<string, unknown> & { readonly peer?: Record<string, unknown> }
const ofSpec = (name: string, form: Form): Field => ({
  get: item => (creates(item) ? (item.spec as Spec)[name] : undefined),
  set: (item, value) => ({ ...item, spec: { ...(item as { readonly spec: Spec }).spec, [name]: value } }) as Item,
  form,
})
const ofPeer = (name: string, form: Form): Field => ({
  get: item => (creates(item) ? (item.spec as Spec).peer?.[name] : undefined),
  set(item, value) {
    const { spec } = item as { readonly spec: Spec }
    return { ...item, spec: { ...spec, peer: { ...spec.peer, [name]: value } } } as Item
  },
  form,
})
const cidr: Field = {
  get: item => ('cidr' in item ? item.cidr : undefined),
  set: (item, value) => ({ ...item, cidr: value }) as Item,
  form: ipv4,
}
const to: Field = {
  get: item => ('route' in item ? item.route.to : undefined),
  set: (item, value) => ({ ...item, route: { ...(item as { readonly route: object }).route, to: value } }) as Item,
  form: ipv4Network,
}
/** What may differ between items that are alike; like.ts leaves the same out. */
const fields: readonly Field[] = [
  { ...ofSpec('name', text), names: 0 },
  ofSpec('mac', mac),
  { ...ofPeer('name', text), names: 1 },
  ofPeer('mac', mac),
  cidr,
  to,
]

/** Links by name, which what has another name would not be. */
const namesLinks = (item: Item): boolean =>
  ('link' in item && typeof item.link === 'string' && item.link !== 'lo') ||
  ('route' in item && [item.route, ...(item.route.nexthops ?? [])].some(({ link }) => typeof link === 'string')) ||
  ('entry' in item && typeof item.entry.link === 'string') ||
  (creates(item) && [item.spec.link, item.spec.master, item.spec.peer?.master].some(ref => typeof ref === 'string'))

export class Mould {
  readonly #steps: readonly Step[]
  readonly #items: readonly Item[]
  readonly #namespace: number
  readonly #parts: readonly JobStep[]
  readonly #slots: readonly Slot[]

  private constructor(
    steps: readonly Step[],
    items: readonly Item[],
    namespace: number,
    parts: readonly JobStep[],
    slots: readonly Slot[],
  ) {
    this.#steps = steps
    this.#items = items
    this.#namespace = namespace
    this.#parts = parts
    this.#slots = slots
  }

  /** Finds out where the values are by saying others in their place: if that changes anything else, they have to be the same. */
  static make(steps: readonly Step[], itemOf: (number: number) => Item, namespace: number, say: Say): Mould | undefined {
    const parts = say(itemOf)?.map(part => (part instanceof Uint8Array ? part.slice() : part))
    if (!parts) return undefined
    const items = steps.map(({ item }) => itemOf(item))
    const named = items.some(namesLinks)
    const slots: Slot[] = []
    for (const [i, item] of items.entries()) {
      // Each item once: what is made is finished in a step of its own.
      if (items.indexOf(item) < i) continue
      for (const field of fields) {
        const like = field.get(item)
        if (typeof like !== 'string') continue
        const other = field.form.other(like)
        const from = field.form.bytes(like, like)
        const into = other === undefined ? undefined : field.form.bytes(other, like)
        const isMeant = named && field.names !== undefined && endsOf(item)[field.names]?.in === namespace
        const said =
          other === undefined || isMeant ? undefined : say(number => (number === steps[i]!.item ? field.set(item, other) : itemOf(number)))
        slots.push({ step: i, field, like, places: said && from && into ? differences(parts, said, from, into) : undefined })
      }
    }
    return new Mould(steps, items, namespace, parts, slots)
  }

  /** The steps of the job for other steps, in `writer`; undefined unless they are alike. */
  fill(steps: readonly Step[], itemOf: readonly Item[], namespace: number, writer: Writer): JobStep[] | undefined {
    if (!this.#isLike(steps, itemOf, namespace)) return undefined
    const start = writer.at
    const views = this.#parts.map(part => (part instanceof Uint8Array ? copied(part, writer) : part))
    for (const slot of this.#slots)
      if (!put(slot, itemOf[steps[slot.step]!.item]!, views)) {
        writer.at = start
        return undefined
      }
    return views
  }

  #isLike(steps: readonly Step[], itemOf: readonly Item[], namespace: number): boolean {
    const own = this.#steps
    if (steps.length !== own.length) return false
    const pair: Pair = { steps, namespace, ownSteps: own, ownNamespace: this.#namespace }
    for (let i = 0; i < own.length; i++) {
      const [a, b] = [steps[i]!, own[i]!]
      if (a.does !== b.does || (a.does === 'finish' && a.peer !== (b as typeof a).peer)) return false
      if (!alike(itemOf[a.item]!, this.#items[i]!, pair)) return false
    }
    return true
  }
}

function copied(part: Uint8Array, writer: Writer): Uint8Array {
  const at = writer.reserve(part.length)
  writer.bytes.set(part, at)
  return writer.bytes.subarray(at, at + part.length)
}

/** Puts the item's value where that of the mould was; false if it does not fit. */
function put({ field, like, places }: Slot, item: Item, views: readonly JobStep[]): boolean {
  const value = field.get(item) as string
  if (value === like) return true
  const bytes = places && field.form.bytes(value, like)
  if (!bytes) return false
  for (const [part, at] of places) (views[part] as Uint8Array).set(bytes, at)
  return true
}

/** Where the first has these bytes and the second those; undefined if they differ in any other way. */
function differences(
  a: readonly JobStep[],
  b: readonly JobStep[],
  from: Uint8Array,
  into: Uint8Array,
): (readonly [part: number, at: number])[] | undefined {
  if (a.length !== b.length) return undefined
  const places: [number, number][] = []
  for (const [i, one] of a.entries()) {
    const other = b[i]!
    if (!(one instanceof Uint8Array) || !(other instanceof Uint8Array)) {
      if (String(one) !== String(other)) return undefined
      continue
    }
    if (one.length !== other.length) return undefined
    for (let at = 0; at < one.length; at++) {
      if (one[at] === other[at]) continue
      for (let k = 0; k < from.length; k++) if (one[at + k] !== from[k] || other[at + k] !== into[k]) return undefined
      places.push([i, at])
      at += from.length - 1
    }
  }
  return places
}
