// NFT_MSG_NEWSET and its relatives: sets and maps (linux/netfilter/nf_tables.h).
import type { Attributes } from '../../codec/codec.js'
import { bits, bytes, countBe, oneOf, string, u32be } from '../../codec/scalars.js'
import { attributes, list, message } from '../../codec/table.js'
import { nfgenmsg } from '../netfilter.js'
import { expression, expressions } from './expression.js'
import { objectTypes } from './object.js'

/** NFT_SET_, as numbers of bits. */
export const setFlags = {
  anonymous: 0,
  constant: 1,
  interval: 2,
  map: 3,
  timeout: 4,
  /** Rules may add elements to it. */
  eval: 5,
  object: 6,
  concat: 7,
  /** Its elements have expressions. */
  expr: 8,
} as const
/** NFT_SET_POL_ */
export const setPolicies = { performance: 0, memory: 1 } as const
/** NFT_DATA_VERDICT as the type of a map's data. */
export const verdictDataType = 0xffff_ff00

export const setField = attributes('NFTA_SET_FIELD', { len: [1, u32be] })
export const setDescription = attributes('NFTA_SET_DESC', {
  /** Most elements that it may have. */
  size: [1, u32be],
  /** Lengths of the parts of a concatenated key. */
  concat: [2, list(1, setField, 'NFTA_LIST_ELEM')],
})

const setEntries = {
  table: [1, string],
  name: [2, string],
  flags: [3, bits(u32be, setFlags)],
  /** A number that means something to the tools only. */
  keyType: [4, u32be],
  keyLen: [5, u32be],
  dataType: [6, u32be],
  dataLen: [7, u32be],
  policy: [8, oneOf(u32be, setPolicies)],
  desc: [9, setDescription],
  /** By which other messages of the same batch mean it. */
  id: [10, u32be],
  /** Milliseconds. */
  timeout: [11, countBe],
  /** Milliseconds. */
  gcInterval: [12, u32be],
  userdata: [13, bytes],
  objType: [15, oneOf(u32be, objectTypes)],
  handle: [16, countBe],
  /** What every element has: one expression … */
  expr: [17, expression],
  /** … or several, kernel ≥ 5.11. */
  expressions: [18, expressions],
  /** How the kernel keeps it; kernel ≥ 6.15. */
  type: [19, string],
  /** Elements; kernel ≥ 6.15. */
  count: [20, u32be],
} as const
export interface SetTable extends Attributes<typeof setEntries, typeof nfgenmsg.fields> {}
export const set: SetTable = message(nfgenmsg, 'NFTA_SET', setEntries)
