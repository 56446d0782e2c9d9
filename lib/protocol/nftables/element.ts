// NFT_MSG_NEWSETELEM and its relatives: elements of sets and maps (linux/netfilter/nf_tables.h).
import type { Attributes } from '../../codec/codec.js'
import { bits, bytes, countBe, string, u32be } from '../../codec/scalars.js'
import { attributes, type ListOf, list, message } from '../../codec/table.js'
import { written } from '../../codec/written.js'
import { nfgenmsg } from '../netfilter.js'
import { expression, expressions } from './expression.js'
import { data } from './messages.js'

/** NFT_SET_ELEM_, as numbers of bits. */
export const elementFlags = {
  /** The first key that is no longer in the interval that began before. */
  intervalEnd: 0,
  /** Stands for all keys that are not there. */
  catchall: 1,
} as const

const elementEntries = {
  key: [1, data],
  data: [2, data],
  flags: [3, bits(u32be, elementFlags)],
  /** Milliseconds. */
  timeout: [4, countBe],
  /** Milliseconds that are left. */
  expiration: [5, countBe],
  userdata: [6, bytes],
  expr: [7, expression],
  /** Name of the object that it stands for. */
  objref: [9, string],
  /** The last key of a range, in sets of concatenated keys. */
  keyEnd: [10, data],
  expressions: [11, expressions],
} as const
export interface ElementTable extends Attributes<typeof elementEntries> {}
export interface ElementList extends ListOf<ElementTable> {}
export const element: ElementTable = attributes('NFTA_SET_ELEM', elementEntries)

const elements: ElementList = list(1, element, 'NFTA_LIST_ELEM')
const listFields = {
  table: [1, string],
  set: [2, string],
  /** The set, if it is of the same batch. */
  setId: [4, u32be],
} as const
export const elementList = message(nfgenmsg, 'NFTA_SET_ELEM_LIST', { ...listFields, elements: [3, elements] })
/** The same with elements that have been written already. */
export const packedElementList = message(nfgenmsg, 'NFTA_SET_ELEM_LIST', { ...listFields, elements: [3, written(elements)] })
