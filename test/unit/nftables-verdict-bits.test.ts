// Bytes of which some bits are not known, held against all the bytes that they may be.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as bits from '../../lib/kernel/nftables/verdict-bits.js'

/** Few unknown bits, so that every value can be tried. */
const some = (length: number) =>
  fc
    .tuple(fc.uint8Array({ minLength: length, maxLength: length }), fc.uniqueArray(fc.nat(length * 8 - 1), { maxLength: 6 }))
    .map(([value, open]): bits.Bits => {
      const known = new Uint8Array(length).fill(0xff)
      for (const bit of open) known[bit >> 3]! &= ~(1 << (bit & 7))
      return { known, value: value.map((byte, i) => byte & known[i]!) }
    })
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

function* possible({ value, known }: bits.Bits): Generator<Uint8Array> {
  const open = [...known].flatMap((byte, i) => [0, 1, 2, 3, 4, 5, 6, 7].filter(bit => !((byte >> bit) & 1)).map(bit => [i, bit] as const))
  for (let choice = 0; choice < 2 ** open.length; choice++) {
    const out = value.slice()
    open.forEach(([i, bit], n) => {
      if ((choice >> n) & 1) out[i]! |= 1 << bit
    })
    yield out
  }
}
/** What is said of bits must be true of everything that they may be. */
const covers = ({ value, known }: bits.Bits, concrete: Uint8Array) => known.every((mask, i) => (concrete[i]! & mask) === value[i]!)
const holds: Record<string, (order: number) => boolean> = {
  eq: order => order === 0,
  neq: order => order !== 0,
  lt: order => order < 0,
  lte: order => order <= 0,
  gt: order => order > 0,
  gte: order => order >= 0,
}

test('comparisons say yes or no only if every possible value does', () => {
  fc.assert(
    fc.property(some(3), bytes(3), fc.constantFrom(...Object.keys(holds)), (one, other, op) => {
      const answers = new Set([...possible(one)].map(value => holds[op]!(Buffer.compare(value, other))))
      const answer = bits.compare(op, one, other)
      expect(answer === undefined || (answers.size === 1 && answers.has(answer))).toBe(true)
      // Nothing that could be known is left open.
      if (answers.size === 1) expect(answer).toBe([...answers][0])
    }),
  )
})

test('ranges say yes or no only if every possible value does', () => {
  fc.assert(
    fc.property(some(2), bytes(2), bytes(2), (one, a, b) => {
      const [low, high] = Buffer.compare(a, b) < 0 ? [a, b] : [b, a]
      const answers = new Set([...possible(one)].map(value => Buffer.compare(value, low) >= 0 && Buffer.compare(value, high) <= 0))
      const answer = bits.within(one, low, high)
      expect(answer === undefined || (answers.size === 1 && answers.has(answer))).toBe(true)
    }),
  )
})

test('arithmetic is right of every possible value', () => {
  fc.assert(
    fc.property(some(4), some(4), bytes(4), bytes(4), fc.nat(31), (a, b, mask, xor, by) => {
      const word = (value: Uint8Array) => new Uint32Array(value.slice().buffer)[0]!
      const shifts = { left: bits.shifted(a, true, by), right: bits.shifted(a, false, by) }
      for (const value of possible(a)) {
        expect(
          covers(
            bits.masked(a, mask, xor),
            value.map((byte, i) => (byte & mask[i]!) ^ xor[i]!),
          ),
        ).toBe(true)
        expect(covers(shifts.left, new Uint8Array(Uint32Array.of(word(value) << by).buffer))).toBe(true)
        expect(covers(shifts.right, new Uint8Array(Uint32Array.of(word(value) >>> by).buffer))).toBe(true)
        expect(covers(bits.swapped(a, 2), Uint8Array.of(value[1]!, value[0]!, value[3]!, value[2]!))).toBe(true)
        expect(covers(bits.either([a, b]), value)).toBe(true)
      }
      const [one, other] = [[...possible(a)].at(-1)!, [...possible(b)][0]!]
      expect(
        covers(
          bits.combined('and', a, b),
          one.map((byte, i) => byte & other[i]!),
        ),
      ).toBe(true)
      expect(
        covers(
          bits.combined('or', a, b),
          one.map((byte, i) => byte | other[i]!),
        ),
      ).toBe(true)
      expect(
        covers(
          bits.combined('xor', a, b),
          one.map((byte, i) => byte ^ other[i]!),
        ),
      ).toBe(true)
    }),
  )
})

test('a range of values is known as far as both ends agree', () => {
  const { value, known } = bits.between(Uint8Array.of(10, 0, 0, 4), Uint8Array.of(10, 0, 0, 7))
  expect([...value]).toEqual([10, 0, 0, 4])
  expect([...known]).toEqual([0xff, 0xff, 0xff, 0xfc])
  expect(bits.isKnown(bits.between(value, value))).toBe(true)
})

test('what lies behind the end is not known', () => {
  expect(bits.part(bits.knownBits(Uint8Array.of(1, 2)), 1, 2)).toEqual({ value: Uint8Array.of(2, 0), known: Uint8Array.of(0xff, 0) })
  expect(bits.replaced(bits.unknownBits(2), 4, bits.knownBits(Uint8Array.of(1)))).toEqual(bits.unknownBits(2))
})
