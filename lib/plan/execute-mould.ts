// The messages of steps out of those of others like them: thousands of namespaces and routes differ in names, MACs and addresses only.
import { networkOf, parseIpv4, parseMac, readIpv4, readMac } from '../codec/ip.js'
import type { Writer } from '../codec/writer.js'
import type { JobStep } from '../socket/native.js'
import type { Step } from './compile.js'
import { creates, endsOf } from './compile-link.js'
import type { Item, PlanData } from './items.js'
import { type Exemplar, exemplarOf, isLike, type Pair } from './like.js'

/** Says steps as the steps of a job; undefined if that cannot be done. */
export type Say = (itemOf: (number: number) => Item) => readonly JobStep[] | undefined

/** A value: of which step's item, which field, and where it is in the bytes of which step of the job; undefined if it has to be the same. */
interface Slot {
  readonly step: number
  readonly field: Field
  readonly like: string
  readonly places: readonly Place[] | undefined
}
interface Place {
  readonly part: number
  readonly at: number
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
  size(value: string): number
  /** False for one that does not have as many, or would change more than these bytes; they are of no use then. */
  write(value: string, like: string, out: Uint8Array, at: number): boolean
}

const ascii = /^[\x20-\x7e]+$/
const text: Form = {
  other: value => (ascii.test(value) ? value.replaceAll(/./g, character => (character === 'x' ? 'y' : 'x')) : undefined),
  size: value => value.length,
  write(value, like, out, at) {
    if (value.length !== like.length) return false
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code < 0x20 || code > 0x7e) return false
      out[at + i] = code
    }
    return true
  },
}
const hex = (byte: number) => byte.toString(16).padStart(2, '0')
const mac: Form = {
  other: value => Array.from(parseMac(value), byte => hex(byte ^ 0x54)).join(':'),
  size: value => (value.length + 1) / 3,
  write: (value, like, out, at) => value.length === like.length && readMac(value, out, at),
}
const prefixAt = (cidr: string) => (cidr.includes('/') ? cidr.indexOf('/') : cidr.length)
const withoutPrefix = (cidr: string) => cidr.slice(0, prefixAt(cidr))
const ipv4: Form = {
  other(value) {
    const address = withoutPrefix(value)
    const bytes = parseIpv4(address)
    return bytes && Array.from(bytes, byte => byte ^ 0x55).join('.') + value.slice(address.length)
  },
  size: () => 4,
  write(value, like, out, at) {
    const end = prefixAt(value)
    const likeEnd = prefixAt(like)
    if (value.length - end !== like.length - likeEnd) return false
    for (let i = 0; end + i < value.length; i++) if (value.charCodeAt(end + i) !== like.charCodeAt(likeEnd + i)) return false
    return readIpv4(value, 0, end, out, at)
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
  size: ipv4.size,
  write: ipv4.write,
}

function bytesOf({ size, write }: Form, value: string, like: string): Uint8Array | undefined {
  const out = new Uint8Array(size(like))
  return write(value, like, out, 0) ? out : undefined
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
  readonly #exemplars: readonly Exemplar[]
  readonly #namespace: number
  readonly #parts: readonly JobStep[]
  readonly #slots: readonly Slot[]

  private constructor(
    steps: readonly Step[],
    exemplars: readonly Exemplar[],
    namespace: number,
    parts: readonly JobStep[],
    slots: readonly Slot[],
  ) {
    this.#steps = steps
    this.#exemplars = exemplars
    this.#namespace = namespace
    this.#parts = parts
    this.#slots = slots
  }

  /** Finds out where the values are by saying others in their place: if that changes anything else, they have to be the same. */
  static make(steps: readonly Step[], { items: all, patterns }: PlanData, namespace: number, say: Say): Mould | undefined {
    const itemOf = (number: number) => all[number]!
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
        const from = bytesOf(field.form, like, like)
        const into = other === undefined ? undefined : bytesOf(field.form, other, like)
        const isMeant = named && field.names !== undefined && endsOf(item)[field.names]?.in === namespace
        const said =
          other === undefined || isMeant ? undefined : say(number => (number === steps[i]!.item ? field.set(item, other) : itemOf(number)))
        slots.push({ step: i, field, like, places: said && from && into ? differences(parts, said, from, into) : undefined })
      }
    }
    const exemplars = steps.map(({ item }, i) => exemplarOf(items[i]!, patterns?.[item]))
    return new Mould(steps, exemplars, namespace, parts, slots)
  }

  /** The steps of the job for other steps, in `writer`; undefined unless they are alike. */
  fill(steps: readonly Step[], data: PlanData, namespace: number, writer: Writer): JobStep[] | undefined {
    if (!this.#isLike(steps, data, namespace)) return undefined
    const start = writer.at
    const views = this.#parts.map(part => (part instanceof Uint8Array ? copied(part, writer) : part))
    for (let i = 0; i < this.#slots.length; i++) {
      const slot = this.#slots[i]!
      if (!put(slot, data.items[steps[slot.step]!.item]!, views)) {
        writer.at = start
        return undefined
      }
    }
    return views
  }

  #isLike(steps: readonly Step[], { items, patterns }: PlanData, namespace: number): boolean {
    const own = this.#steps
    if (steps.length !== own.length) return false
    const pair: Pair = { steps, namespace, ownSteps: own, ownNamespace: this.#namespace }
    for (let i = 0; i < own.length; i++) {
      const a = steps[i]!
      const b = own[i]!
      if (a.does !== b.does || (a.does === 'finish' && a.peer !== (b as typeof a).peer)) return false
      // What is made is finished right afterwards.
      if (i > 0 && b.item === own[i - 1]!.item) {
        if (a.item !== steps[i - 1]!.item) return false
      } else if (!isLike(items[a.item]!, patterns?.[a.item], this.#exemplars[i]!, pair)) return false
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
  if (!places) return false
  for (let i = 0; i < places.length; i++) {
    const { part, at } = places[i]!
    if (!field.form.write(value, like, views[part] as Uint8Array, at)) return false
  }
  return places.length > 0 || bytesOf(field.form, value, like) !== undefined
}

/** Where the first has these bytes and the second those; undefined if they differ in any other way. */
function differences(a: readonly JobStep[], b: readonly JobStep[], from: Uint8Array, into: Uint8Array): Place[] | undefined {
  if (a.length !== b.length) return undefined
  const places: Place[] = []
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
      places.push({ part: i, at })
      at += from.length - 1
    }
  }
  return places
}
