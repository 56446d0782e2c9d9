// Elements of sets and maps as JSON ⇄ as the kernel keeps them: intervals as two elements, ranges of concatenations with a second key.
import type { Decoded, Encodable } from '../../codec/codec.js'
import { argumentError, expectObject, shown } from '../../codec/errors.js'
import type { element } from '../../protocol/nftables/element.js'
import type { InterfaceNames } from './datatype-codecs.js'
import { byteLength, type Slot } from './datatypes.js'
import {
  at,
  type Bounds,
  decodeData,
  decodeVerdict,
  encodeData,
  encodeVerdict,
  joinParts,
  keyBounds,
  keyValue,
  splitParts,
  type WireData,
} from './element-values.js'
import type { ConcatExpression, ElemExpression, Expression, SetMember } from './expression.js'
import { decodeStateful, encodeStateful } from './stateful.js'
import { commentBytes, elementData, encodeUserdata, numberBytes, openInterval } from './userdata.js'

export type WireElement = Encodable<typeof element>
export type ReadElement = Decoded<typeof element>

/** What a set's elements are: the parts of the key, and for maps what a key leads to. */
export interface ElementForm {
  readonly key: readonly Slot[]
  readonly data?: readonly Slot[] | 'verdict' | 'object' | undefined
  /** NFT_SET_INTERVAL: prefixes, ranges and names with `*` are allowed. */
  readonly interval?: boolean
  /** Values of the map are ranges, of which each has both ends. */
  readonly dataInterval?: boolean | undefined
  readonly interfaces?: InterfaceNames | undefined
}
export interface EncodeOptions {
  /** Elements that touch or overlap become one: what nft does in sets without a name, and with `auto-merge`. */
  readonly merge?: boolean
  /** Says first that nothing below the first interval is in the set: for sets that are new. */
  readonly leading?: boolean
  /** Gives every interval an end of its own, so that it can be deleted by itself; otherwise one that the next follows at once has none, as nft has it. */
  readonly separate?: boolean
}
export interface Encoded {
  readonly element: WireElement
  /** The member that it is of. */
  readonly index: number
}
type Elem = ElemExpression['elem']
interface Entry {
  readonly bounds: readonly Bounds[]
  readonly rest: WireElement
  readonly index: number
}

/** In sets of intervals keys are compared from the first byte on, whatever their order elsewhere. */
const intervalSlots = (form: ElementForm): readonly Slot[] =>
  form.interval ? form.key.map(slot => ({ ...slot, order: 'big' as const })) : form.key

/** Elements as the kernel takes them. Throws TypeError or RangeError with a path that begins with '[index]'. */
export const encodeElements = (members: readonly SetMember[], form: ElementForm, options: EncodeOptions = {}): WireElement[] =>
  encodeMembers(members, form, options).map(({ element }) => element)

/** The same, and which member each is of. */
export function encodeMembers(members: readonly SetMember[], form: ElementForm, options: EncodeOptions = {}): Encoded[] {
  const slots = intervalSlots(form)
  const entries: Entry[] = []
  const wildcards: Encoded[] = []
  members.forEach((member, index) => {
    at(`[${index}]`, () => {
      const { key, rest } = dismantle(member, form)
      if (key === '*' && !slots[0]?.type.text) wildcards.push({ element: { flags: ['catchall'], ...rest }, index })
      else entries.push({ bounds: keyBounds(slots, key, form.interfaces), rest, index })
    })
  })
  const single = entries.find(entry => !form.interval && entry.bounds.some(one => one.low !== one.high))
  if (single) throw argumentError('ERR_NETLOOM_INVALID_VALUE', 'ranges and prefixes need a set of intervals', `[${single.index}]`)
  const written =
    form.interval && slots.length === 1
      ? intervals(slots[0]!, entries, options)
      : entries.map(entry => ({ element: whole(slots, entry, form), index: entry.index }))
  return [...written, ...wildcards]
}

function whole(slots: readonly Slot[], { bounds, rest }: Entry, form: ElementForm): WireElement {
  const key = joinParts(
    slots,
    bounds.map(one => one.low),
  )
  if (!form.interval) return { key: { value: key }, ...rest }
  const keyEnd = joinParts(
    slots,
    bounds.map(one => one.high),
  )
  return { key: { value: key }, keyEnd: { value: keyEnd }, ...rest }
}

/** nft's mark of the interval that has no key behind it. */
const openEnd = encodeUserdata([[elementData.flags, numberBytes(openInterval)]])!

function intervals(slot: Slot, entries: readonly Entry[], { merge, leading, separate }: EncodeOptions): Encoded[] {
  const top = (1n << BigInt(8 * byteLength(slot))) - 1n
  const sorted = entries
    .map(({ bounds, rest, index }) => ({ low: bounds[0]!.low, high: bounds[0]!.high, rest, index }))
    .sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : a.index - b.index))
  const joined: typeof sorted = []
  for (const entry of sorted) {
    const last = joined.at(-1)
    if (last && merge && entry.low <= last.high + 1n) {
      if (entry.high > last.high) last.high = entry.high
    } else if (last && entry.low <= last.high)
      throw argumentError('ERR_NETLOOM_INVALID_VALUE', `overlaps the element at [${last.index}]`, `[${entry.index}]`)
    else joined.push(entry)
  }
  const key = (value: bigint): WireElement => ({ key: { value: joinParts([slot], [value]) } })
  const end = (value: bigint): WireElement => ({ flags: ['intervalEnd'], ...key(value) })
  const out: Encoded[] = leading && joined[0] && joined[0].low > 0n ? [{ element: end(0n), index: joined[0].index }] : []
  joined.forEach((entry, i) => {
    const { index } = entry
    const { userdata } = entry.rest
    const open = entry.high === top ? { userdata: userdata ? Buffer.concat([userdata, openEnd]) : openEnd } : {}
    out.push({ element: { ...key(entry.low), ...entry.rest, ...open }, index })
    if (entry.high < top && (separate || joined[i + 1]?.low !== entry.high + 1n)) out.push({ element: end(entry.high + 1n), index })
  })
  return out
}

/** The key of a member, and everything but its key as the kernel takes it. */
function dismantle(member: SetMember, form: ElementForm): { key: unknown; rest: WireElement } {
  const map = form.data !== undefined
  if (map && (!Array.isArray(member) || member.length !== 2))
    throw argumentError('ERR_NETLOOM_INVALID_VALUE', `${shown(member)} is not a pair of key and value`)
  const [key, value] = map ? (member as readonly [Expression, Expression]) : [member as Expression, undefined]
  const elem = typeof key === 'object' && key !== null && !Array.isArray(key) && 'elem' in key ? wholeElement(key.elem) : undefined
  return {
    key: elem ? elem.val : key,
    rest: { ...(map ? encodeValueOf(form, value) : {}), ...(elem ? encodeExtras(elem) : {}) },
  }
}
const wholeElement = (elem: unknown): Elem => {
  at('elem', () => expectObject(elem))
  return elem as Elem
}
function encodeValueOf(form: ElementForm, value: unknown): WireElement {
  if (form.data === 'object') {
    if (typeof value !== 'string') throw argumentError('ERR_NETLOOM_INVALID_VALUE', `${shown(value)} is not the name of an object`, '[1]')
    return { objref: value }
  }
  const data = at('[1]', (): WireData | undefined =>
    form.data === 'verdict'
      ? encodeVerdict(value)
      : { value: encodeData(form.data as readonly Slot[], value, form.interfaces, form.dataInterval) },
  )
  if (!data) throw argumentError('ERR_NETLOOM_INVALID_VALUE', `${shown(value)} is not a verdict`, '[1]')
  return { data }
}

/** NFTNL_UDATA_SET_ELEM_COMMENT, by which nft keeps an element's comment. */
const commentType = 0

function milliseconds(seconds: unknown): number {
  if (typeof seconds !== 'number' || !(seconds >= 0) || seconds > longestTimeout)
    throw argumentError('ERR_NETLOOM_INVALID_VALUE', `${shown(seconds)} is not a number of seconds (0 to ${longestTimeout})`)
  return Math.round(seconds * 1000)
}
const longestTimeout = 2 ** 42

function encodeExtras(elem: Elem): WireElement {
  const out: { -readonly [K in keyof WireElement]: WireElement[K] } = {}
  if (elem.timeout !== undefined) out.timeout = at('elem.timeout', () => milliseconds(elem.timeout))
  if (elem.expires !== undefined) out.expiration = at('elem.expires', () => milliseconds(elem.expires))
  if (elem.comment !== undefined) out.userdata = encodeUserdata([[commentType, commentBytes(elem.comment, 'elem.comment')]])!
  const expressions = encodeStateful(elem)
  if (expressions.length === 1) out.expr = expressions[0]!
  else if (expressions.length) out.expressions = expressions
  return out
}
function commentOf(userdata: Uint8Array | undefined): string | undefined {
  for (let place = 0; userdata && place + 2 <= userdata.length; place += 2 + userdata[place + 1]!)
    if (userdata[place] === commentType)
      return Buffer.from(userdata.subarray(place + 2, place + 2 + userdata[place + 1]!))
        .toString()
        .replace(/\0.*$/s, '')
  return undefined
}

/** Elements as JSON, intervals in ascending order, others as they came. */
export function decodeElements(elements: readonly ReadElement[], form: ElementForm): SetMember[] {
  const slots = intervalSlots(form)
  const plain = elements.filter(one => !one.flags?.includes('catchall'))
  const wildcards = elements.filter(one => one.flags?.includes('catchall'))
  const out: SetMember[] = []
  if (form.interval && slots.length === 1) {
    const slot = slots[0]!
    const top = (1n << BigInt(8 * byteLength(slot))) - 1n
    const sorted = plain
      .map(one => ({
        one,
        low: splitParts(slots, one.key?.value ?? new Uint8Array())[0]!,
        end: one.flags?.includes('intervalEnd') ?? false,
      }))
      .sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : Number(b.end) - Number(a.end)))
    sorted.forEach(({ one, low, end }, i) => {
      const next = sorted[i + 1]
      if (!end) out.push(member(one, keyValue(slots, [{ low, high: next ? next.low - 1n : top }], form.interfaces), form))
    })
  } else
    for (const one of plain) {
      const low = splitParts(slots, one.key?.value ?? new Uint8Array())
      const high = one.keyEnd?.value ? splitParts(slots, one.keyEnd.value) : low
      const bounds = slots.map((_, i) => ({ low: low[i]!, high: high[i]! }))
      out.push(member(one, keyValue(slots, bounds, form.interfaces), form))
    }
  for (const one of wildcards) out.push(member(one, '*', form))
  return out
}

const isConcat = (value: Expression): value is ConcatExpression => typeof value === 'object' && !Array.isArray(value) && 'concat' in value
/** Bits of one value, which within a set are not a list: `syn | ack`. */
function joined(value: Expression): Expression {
  if (Array.isArray(value)) {
    const [first = 0, ...more] = value as readonly Expression[]
    return more.reduce((left, right) => ({ '|': [left, right] }) as Expression, first)
  }
  return isConcat(value) ? { concat: value.concat.map(joined) } : value
}

function member(one: ReadElement, keyValue: Expression, form: ElementForm): SetMember {
  const key = joined(keyValue)
  const comment = commentOf(one.userdata)
  const extras = {
    ...(one.timeout === undefined ? {} : { timeout: one.timeout / 1000 }),
    ...(one.expiration === undefined ? {} : { expires: one.expiration / 1000 }),
    ...(comment === undefined ? {} : { comment }),
    ...decodeStateful(one.expressions ?? (one.expr ? [one.expr] : [])),
  }
  const left: Expression = Object.keys(extras).length ? { elem: { val: key, ...extras } } : key
  if (form.data === undefined) return left
  if (form.data === 'object') return [left, one.objref ?? '']
  if (form.data === 'verdict') return [left, decodeVerdict(one.data?.verdict) ?? '']
  return [left, joined(decodeData(form.data, one.data?.value ?? new Uint8Array(), form.interfaces))]
}
