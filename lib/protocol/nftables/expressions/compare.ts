// Expressions that compute with registers and compare them: cmp, range, bitwise, byteorder, lookup, immediate (linux/netfilter/nf_tables.h).
import { bits, oneOf, string, u32be } from '../../../codec/scalars.js'
import { attributes } from '../../../codec/table.js'
import { data } from '../messages.js'

/** NFT_REG_: the verdict, four registers of 16 bytes, and the same memory as sixteen of 4 bytes (`reg3200` + n). */
export const registers = { verdict: 0, '1': 1, '2': 2, '3': 3, '4': 4 } as const
/** NFT_REG32_00: the first register of 4 bytes. */
export const smallRegister = 8
/** Bytes that all registers together hold. */
export const registerBytes = 64

/** NFT_CMP_ */
export const cmpOps = { eq: 0, neq: 1, lt: 2, lte: 3, gt: 4, gte: 5 } as const
/** NFT_RANGE_ */
export const rangeOps = { eq: 0, neq: 1 } as const
/** NFT_BITWISE_; and, or, xor of two registers: kernel ≥ 6.13. */
export const bitwiseOps = { maskXor: 0, lshift: 1, rshift: 2, and: 3, or: 4, xor: 5 } as const
/** NFT_BYTEORDER_ */
export const byteorderOps = { ntoh: 0, hton: 1 } as const
/** NFT_LOOKUP_F_, as numbers of bits. */
export const lookupFlags = { inv: 0 } as const

export const cmp = attributes('NFTA_CMP', { sreg: [1, u32be], op: [2, oneOf(u32be, cmpOps)], data: [3, data] })

export const range = attributes('NFTA_RANGE', { sreg: [1, u32be], op: [2, oneOf(u32be, rangeOps)], fromData: [3, data], toData: [4, data] })

/** dreg = (sreg & mask) ^ xor, or a shift by `data` bits. */
export const bitwise = attributes('NFTA_BITWISE', {
  sreg: [1, u32be],
  dreg: [2, u32be],
  len: [3, u32be],
  mask: [4, data],
  xor: [5, data],
  op: [6, oneOf(u32be, bitwiseOps)],
  data: [7, data],
  /** The second operand of and, or, xor; kernel ≥ 6.13. */
  sreg2: [8, u32be],
})

export const byteorder = attributes('NFTA_BYTEORDER', {
  sreg: [1, u32be],
  dreg: [2, u32be],
  op: [3, oneOf(u32be, byteorderOps)],
  /** Bytes in all. */
  len: [4, u32be],
  /** Bytes of each number: 2, 4 or 8. */
  size: [5, u32be],
})

export const lookup = attributes('NFTA_LOOKUP', {
  set: [1, string],
  sreg: [2, u32be],
  /** Where a map's value goes; 0 is the verdict. */
  dreg: [3, u32be],
  /** The set, if it is of the same batch. */
  setId: [4, u32be],
  flags: [5, bits(u32be, lookupFlags)],
})

export const immediate = attributes('NFTA_IMMEDIATE', { dreg: [1, u32be], data: [2, data] })
