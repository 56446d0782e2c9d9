// Types of nf_tables messages, and what more than one of their tables has in them (linux/netfilter/nf_tables.h).
import type { Attributes } from '../../codec/codec.js'
import { bytes, oneOf, s32be, string, u32be } from '../../codec/scalars.js'
import { attributes } from '../../codec/table.js'

/** NFT_MSG_ in the subsystem of nf_tables; DESTROY is a DEL of what need not be there, kernel ≥ 6.3. */
export const nftablesMessages = {
  newTable: 0xa00,
  getTable: 0xa01,
  delTable: 0xa02,
  newChain: 0xa03,
  getChain: 0xa04,
  delChain: 0xa05,
  newRule: 0xa06,
  getRule: 0xa07,
  delRule: 0xa08,
  newSet: 0xa09,
  getSet: 0xa0a,
  delSet: 0xa0b,
  newSetElem: 0xa0c,
  getSetElem: 0xa0d,
  delSetElem: 0xa0e,
  newGen: 0xa0f,
  getGen: 0xa10,
  trace: 0xa11,
  newObj: 0xa12,
  getObj: 0xa13,
  delObj: 0xa14,
  getObjReset: 0xa15,
  newFlowtable: 0xa16,
  getFlowtable: 0xa17,
  delFlowtable: 0xa18,
  getRuleReset: 0xa19,
  destroyTable: 0xa1a,
  destroyChain: 0xa1b,
  destroyRule: 0xa1c,
  destroySet: 0xa1d,
  destroySetElem: 0xa1e,
  destroyObj: 0xa1f,
  destroyFlowtable: 0xa20,
  getSetElemReset: 0xa21,
} as const

/** What becomes of a packet: NF_ and NFT_. */
export const verdictCodes = {
  drop: 0,
  accept: 1,
  stolen: 2,
  queue: 3,
  repeat: 4,
  continue: -1,
  break: -2,
  jump: -3,
  goto: -4,
  return: -5,
} as const

export const verdict = attributes('NFTA_VERDICT', {
  code: [1, oneOf(s32be, verdictCodes)],
  /** Where jump and goto lead. */
  chain: [2, string],
  /** The same for a chain of the same batch, by the number given there. */
  chainId: [3, u32be],
})
const dataEntries = { value: [1, bytes], verdict: [2, verdict] } as const
export interface DataTable extends Attributes<typeof dataEntries> {}
/** A value as it lies in a register, or a verdict. */
export const data: DataTable = attributes('NFTA_DATA', dataEntries)
