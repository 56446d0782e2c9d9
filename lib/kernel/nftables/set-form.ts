// The form of a set: the types of its keys and values, its flags, and what of that the kernel and nft are told.
import type { Decoded, Encodable } from '../../codec/codec.js'
import { argumentError, shown } from '../../codec/errors.js'
import type { objectTypes } from '../../protocol/nftables/object.js'
import type { set as setTable } from '../../protocol/nftables/set.js'
import { verdictDataType } from '../../protocol/nftables/set.js'
import { checkAt, lacking } from '../arguments.js'
import { byteLength, dataTypes, type Slot, slotOf, typeNumber, typesOfName, typesOfNumber } from './datatypes.js'
import type { SetKeyType } from './objects.js'
import { decodeUserdata, numberBytes, numberIn, setData, type Userdata } from './userdata.js'

/** What a map's keys lead to. */
export type DataForm = { readonly slots: readonly Slot[] } | { readonly verdict: true } | { readonly object: keyof typeof objectTypes }
export interface SetForm {
  /** The parts of a key: one, or those of a concatenation. */
  readonly key: readonly Slot[]
  readonly data?: DataForm | undefined
  readonly interval: boolean
  readonly timeout: boolean
  /** Values of the map may be ranges. */
  readonly dataInterval?: boolean
  /** Elements that touch or overlap are to be one. */
  readonly autoMerge?: boolean
  /** By which the batch that makes the set means it. */
  readonly id?: number | undefined
}

/** Each part of a concatenation fills registers of four bytes. */
export const paddedLength = (slot: Slot) => (byteLength(slot) + 3) & ~3
/** Bytes of a key or value of these parts. */
export const lengthOf = (slots: readonly Slot[]): number =>
  slots.length === 1 ? byteLength(slots[0]!) : slots.reduce((sum, slot) => sum + paddedLength(slot), 0)

/** Bytes of a map's value; of a range, its ends one behind the other. */
const dataLengthOf = (slots: readonly Slot[], range = false) => lengthOf(slots) + (range ? (lengthOf(slots) + 3) & ~3 : 0)

/** The names that nft's JSON has for kinds of objects. */
const objectNames = {
  counter: 'counter',
  quota: 'quota',
  limit: 'limit',
  'ct helper': 'ctHelper',
  'ct timeout': 'ctTimeout',
  'ct expectation': 'ctExpect',
  secmark: 'secmark',
  synproxy: 'synproxy',
} as const satisfies Record<string, keyof typeof objectTypes>
const objectTitles = new Map<string, string>(Object.entries(objectNames).map(([title, name]) => [name, title]))

/** The slots of a type by name, or of the types of a concatenation. */
export function slotsOf(type: SetKeyType, path: string): Slot[] {
  if (typeof type === 'object' && type !== null && 'typeof' in type)
    throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'give the type by name: the kernel does not know expressions here', path)
  const types = checkAt(path, () => typesOfName(type as string | readonly string[]))
  return types.map(one => {
    if (one.bits === 0)
      throw argumentError('ERR_NETLOOM_INVALID_OPTION', `${one.name} has no size of its own: it cannot be the type of a set`, path)
    return slotOf(one)
  })
}

export function dataFormOf(map: SetKeyType | undefined): DataForm | undefined {
  if (map === undefined) return undefined
  if (map === 'verdict') return { verdict: true }
  if (typeof map === 'string' && Object.hasOwn(objectNames, map)) return { object: objectNames[map as keyof typeof objectNames] }
  return { slots: slotsOf(map, 'map') }
}

type TypeFields = Pick<Encodable<typeof setTable>, 'keyType' | 'keyLen' | 'dataType' | 'dataLen' | 'objType'>
/** What the kernel is told about the types. */
export function typeFields({ key, data, dataInterval }: SetForm): TypeFields {
  const keyFields = { keyType: typeNumber(key.map(({ type }) => type)), keyLen: lengthOf(key) }
  if (!data) return keyFields
  if ('verdict' in data) return { ...keyFields, dataType: verdictDataType, dataLen: 0 }
  if ('object' in data) return { ...keyFields, objType: data.object }
  return { ...keyFields, dataType: typeNumber(data.slots.map(({ type }) => type)), dataLen: dataLengthOf(data.slots, dataInterval) }
}

const orders = { none: 0, host: 1, big: 2 } as const
const orderOf = (slots: readonly Slot[]) => (slots.length === 1 ? orders[slots[0]!.order] : orders.none)
/** How nft says that the parts of a key are known by the type's number: typeof of a concatenation, and nothing about its parts. */
const concatenated = Uint8Array.of(0, 4, 13, 0, 0, 0, 1, 0)

/** What nft keeps about the types, to print a set as it was written. */
export function typeUserdata({ key, data, autoMerge, dataInterval }: SetForm): Userdata {
  const entries: [number, Uint8Array][] = [[setData.keyByteorder, numberBytes(orderOf(key))]]
  const values = data && 'slots' in data ? data.slots : undefined
  if (data && !('object' in data)) entries.push([setData.dataByteorder, numberBytes(values ? orderOf(values) : orders.none)])
  if (autoMerge) entries.push([setData.mergeElements, numberBytes(1)])
  if (key.length > 1) entries.push([setData.keyTypeof, concatenated])
  if (values && values.length > 1) entries.push([setData.dataTypeof, concatenated])
  if (data && !('object' in data)) entries.push([setData.dataInterval, numberBytes(dataInterval ? 1 : 0)])
  return entries
}

/** The slots of a number of types; a type that is none of ours is an integer of that length. */
function slotsOfNumber(number: number, length: number, order: number | undefined): Slot[] {
  const types = typesOfNumber(number)
  if (types && types.length > 1) return types.map(type => slotOf(type))
  const [type] = types ?? []
  if (type && type.bits > 0 && byteLength(slotOf(type)) === length) return [slotOf(type)]
  return [slotOf(type ?? dataTypes.integer, length * 8, order === orders.host ? 'host' : (type?.order ?? 'big'))]
}

/** The form of a set that the kernel has. */
export function formOf(raw: Decoded<typeof setTable>): SetForm {
  const { flags = [], keyType = 0, keyLen = 0, dataType, dataLen = 0, objType } = raw
  const userdata = decodeUserdata(raw.userdata)
  const order = (which: number) => numberIn(userdata.get(which))
  const dataInterval = order(setData.dataInterval) === 1
  const data = (): DataForm | undefined => {
    if (typeof objType === 'string') return { object: objType }
    if (!flags.includes('map') || dataType === undefined) return undefined
    if (dataType === verdictDataType) return { verdict: true }
    return { slots: slotsOfNumber(dataType, dataInterval ? dataLen / 2 : dataLen, order(setData.dataByteorder)) }
  }
  return {
    key: slotsOfNumber(keyType, keyLen, order(setData.keyByteorder)),
    data: data(),
    interval: flags.includes('interval'),
    timeout: flags.includes('timeout'),
    dataInterval,
    autoMerge: order(setData.mergeElements) === 1,
  }
}

const nameOfSlots = (slots: readonly Slot[]): string | string[] =>
  slots.length === 1 ? slots[0]!.type.name : slots.map(({ type }) => type.name)
export const keyTypeName = ({ key }: SetForm) => nameOfSlots(key)
export function dataTypeName({ data }: SetForm): string | string[] | undefined {
  if (!data) return undefined
  if ('verdict' in data) return 'verdict'
  if ('object' in data) return objectTitles.get(data.object) ?? data.object
  return nameOfSlots(data.slots)
}

export const needForm = (form: SetForm | undefined, name: string): SetForm => {
  if (form) return form
  throw lacking('name', `there is no set ${shown(name)}`)
}
