// Sets and maps that belong to one rule: their description for the kernel and their elements.
import { argumentError, shown } from '../../codec/errors.js'
import { objectTypes } from '../../protocol/nftables/object.js'
import { verdictDataType } from '../../protocol/nftables/set.js'
import { byteLength, type DataType, dataTypes, type Slot, slotOf, typeNumber } from './datatypes.js'
import { encodeData, keyLength } from './element-values.js'
import { type ElementForm, encodeElements } from './elements.js'
import type { SetMember } from './expression.js'
import { type Context, invalid, isObject, type ObjectType, type SetTypes, type WireSet } from './linearize-context.js'

/** How a lookup names a set. */
export interface SetName {
  readonly set: string
  readonly setId?: number
}

/** A set of the table, by '@name'; undefined for anything that is no such name. */
export function namedSet(ctx: Context, value: unknown): { name: SetName; types: SetTypes } | undefined {
  if (typeof value !== 'string' || !value.startsWith('@')) return undefined
  const name = value.slice(1)
  const types = ctx.sets?.(name)
  if (!types) throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `there is no set or map ${shown(name)} in the table`)
  return { name: { set: name }, types }
}

/** A named set must be for keys of that type: the kernel compares nothing but lengths. */
export function checkKey(slots: readonly Slot[], types: SetTypes): void {
  const lengths = (list: readonly Slot[]) => list.map(byteLength).join(' . ')
  const wanted = types.key.map((type, i) => slotOf(type, type.bits || slots[i]?.bits))
  const names = (list: readonly { readonly type: DataType }[]) => list.map(({ type }) => type.name).join(' . ')
  if (slots.length !== wanted.length || lengths(slots) !== lengths(wanted))
    throw invalid(`is a set of ${names(wanted)}, and the left side is ${names(slots)}`)
}

const members = (value: unknown): readonly SetMember[] | undefined =>
  isObject(value) && Array.isArray(value.set) ? (value.set as readonly SetMember[]) : undefined
/** The members of `{ set: […] }`; undefined for anything else. */
export const setMembers = members

/** Does a member need a set of intervals? */
export function needsInterval(form: ElementForm, list: readonly SetMember[]): boolean {
  const map = form.data !== undefined
  return list.some(member => {
    const first: unknown = map && Array.isArray(member) ? member[0] : member
    const key = isObject(first) && isObject(first.elem) ? first.elem.val : first
    if (key === '*') return false
    return rangesIn(key, form.key)
  })
}
function rangesIn(key: unknown, slots: readonly Slot[]): boolean {
  if (isObject(key) && Array.isArray(key.concat)) return key.concat.some((part, i) => slots[i] !== undefined && rangesIn(part, [slots[i]]))
  if (isObject(key)) return 'range' in key || 'prefix' in key
  return typeof key === 'string' && slots[0]?.type.text === true && key.endsWith('*') && !key.endsWith('\\*')
}

// NFTNL_UDATA_SET_: by these nft knows in which byte order numbers without a type of their own are, and that a map's values are ranges.
const userdata = { keyByteorder: 0, dataByteorder: 1, dataInterval: 6 } as const
const byteorders = { invalid: 0, host: 1, big: 2 } as const
const note = (type: keyof typeof userdata, value: number): Uint8Array => {
  const bytes = new Uint8Array([userdata[type], 4, 0, 0, 0, 0])
  new DataView(bytes.buffer).setUint32(2, value, true)
  return bytes
}
const orderOf = (slots: readonly Slot[]) => (slots.length > 1 ? 'invalid' : slots[0]!.order)

/** Adds a set without a name; gives how a lookup names it. */
export function addSet(
  ctx: Context,
  given: Omit<ElementForm, 'interval' | 'interfaces'>,
  list: readonly SetMember[],
  object?: ObjectType,
): SetName {
  const form: ElementForm = { ...given, interfaces: ctx.interfaces, interval: needsInterval(given, list) }
  if (list.length === 0) throw invalid('needs an element')
  const elements = encodeElements(list, form, { leading: true, merge: form.data === undefined })
  const id = ctx.nextSetId()
  const { key, data, interval } = form
  const map = data !== undefined
  const name = object ? '__objmap%d' : map ? '__map%d' : '__set%d'
  const dataSlots = Array.isArray(data) ? (data as readonly Slot[]) : undefined
  const values = dataSlots ? encodeData(dataSlots, (list[0] as readonly [unknown, unknown])[1], ctx.interfaces).length : 0
  const ranges = dataSlots !== undefined && values > keyLength(dataSlots)
  const size = { size: elements.length }
  const set: WireSet = {
    name,
    flags: [
      'anonymous',
      'constant',
      ...(interval ? ['interval' as const] : []),
      ...(map && !object ? ['map' as const] : []),
      ...(object ? ['object' as const] : []),
      ...(elements.some(one => one.timeout !== undefined) ? ['timeout' as const] : []),
      ...(interval && key.length > 1 ? ['concat' as const] : []),
    ],
    keyType: typeNumber(key.map(slot => slot.type)),
    keyLen: keyLength(key),
    ...(data === 'verdict' ? { dataType: verdictDataType, dataLen: 0 } : {}),
    ...(dataSlots ? { dataType: typeNumber(dataSlots.map(slot => slot.type)), dataLen: values } : {}),
    ...(object ? { objType: object } : {}),
    id,
    desc: interval && key.length > 1 ? { ...size, concat: key.map(slot => ({ len: byteLength(slot) })) } : size,
    userdata: Buffer.concat([
      note('keyByteorder', byteorders[interval && key.length === 1 && key[0]!.order === 'host' ? 'host' : orderOf(key)]),
      ...(dataSlots ? [note('dataByteorder', byteorders[orderOf(dataSlots)])] : []),
      ...(ranges ? [note('dataInterval', 1)] : []),
    ]),
  }
  ctx.anonymous.push({ id, set, elements })
  return { set: name, setId: id }
}

/** A single member that is no more than a key, as nft writes it without a set. */
export function onlyKey(list: readonly SetMember[]): unknown {
  const [one] = list
  const plain = list.length === 1 && one !== '*' && !(isObject(one) && ('elem' in one || 'concat' in one))
  return plain ? one : undefined
}

/** The type of what an expression's right side must be, for maps whose values are of that slot. */
export const addressSlot = (family: 'ip' | 'ip6'): Slot => slotOf(family === 'ip' ? dataTypes.ipv4_addr : dataTypes.ipv6_addr)
export const portSlot = slotOf(dataTypes.inet_service)
export const objectNumber = (type: ObjectType): number => objectTypes[type]
