// Every scalar codec: its bytes, its range, and what a wrong value is told.
import { describe, expect, test } from 'vitest'
import {
  bits,
  bool,
  boolean,
  bytes,
  count,
  countBe,
  flag,
  masked,
  oneOf,
  s8,
  s16,
  s32,
  s32be,
  s64,
  scaled,
  string,
  u8,
  u16,
  u16be,
  u16le,
  u32,
  u32be,
  u32le,
  u64,
  u64be,
} from '../../lib/codec/scalars.js'
import { littleEndian } from '../../lib/codec/writer.js'
import { decode, encodeHex, refusal, thrown } from './codec-helpers.js'

const numbers = { u8, s8, u16, s16, u32, s32, u16be, u32be, u16le, u32le, s32be, count, countBe }
/** Host order as little-endian text, so that the expectations read the same everywhere. */
const host = (hex: string) => (littleEndian ? hex : hex.match(/../g)!.reverse().join(''))
// Callers without types can pass anything.
const wrong = (value: unknown) => value as never

describe('numbers', () => {
  const cases = [
    ['u8', 0, 0xff, '00', 'ff'],
    ['s8', -0x80, 0x7f, '80', '7f'],
    ['u16', 0, 0xffff, '0000', 'ffff'],
    ['s16', -0x8000, 0x7fff, host('0080'), host('ff7f')],
    ['u32', 0, 0xffff_ffff, '00000000', 'ffffffff'],
    ['s32', -0x8000_0000, 0x7fff_ffff, host('00000080'), host('ffffff7f')],
    ['u16be', 0, 0xffff, '0000', 'ffff'],
    ['u32be', 0, 0xffff_ffff, '00000000', 'ffffffff'],
    ['u16le', 0, 0xffff, '0000', 'ffff'],
    ['u32le', 0, 0xffff_ffff, '00000000', 'ffffffff'],
    ['count', 0, Number.MAX_SAFE_INTEGER, '0000000000000000', host('ffffffffffff1f00')],
    ['s32be', -0x8000_0000, 0x7fff_ffff, '80000000', '7fffffff'],
    ['countBe', 0, Number.MAX_SAFE_INTEGER, '0000000000000000', '001fffffffffffff'],
  ] as const
  test.each(cases)('%s holds %d to %d and nothing else', (name, low, high, lowHex, highHex) => {
    const codec = numbers[name]
    expect([encodeHex(codec, low), encodeHex(codec, high)]).toEqual([lowHex, highHex])
    expect([decode(codec, lowHex), decode(codec, highHex)]).toEqual([low, high])
    for (const value of [low - 1, high + 1])
      expect(refusal(() => encodeHex(codec, value))).toEqual(['ERR_NETLOOM_OUT_OF_RANGE', undefined, 'RangeError'])
    for (const value of [1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null, true, 1n, {}, []])
      expect(refusal(() => encodeHex(codec, wrong(value)))).toEqual(['ERR_NETLOOM_INVALID_NUMBER', undefined, 'TypeError'])
  })

  test('byte order', () => {
    expect(encodeHex(u16, 0x0102)).toBe(host('0201'))
    expect(encodeHex(u32, 0x01020304)).toBe(host('04030201'))
    expect(encodeHex(u16be, 0x0102)).toBe('0102')
    expect(encodeHex(u32be, 0x01020304)).toBe('01020304')
    expect(encodeHex(u16le, 0x0102)).toBe('0201')
    expect(encodeHex(u32le, 0x01020304)).toBe('04030201')
    expect(encodeHex(count, 0x01020304050607)).toBe(host('0706050403020100'))
    expect(decode(count, host('0706050403020100'))).toBe(0x01020304050607)
  })

  test('64-bit identifiers are bigint', () => {
    const top = 2n ** 64n - 1n
    expect(encodeHex(u64, top)).toBe('ffffffffffffffff')
    expect(decode(u64, 'ffffffffffffffff')).toBe(top)
    expect(encodeHex(u64be, 1n)).toBe('0000000000000001')
    expect(decode(u64be, '0000000000000001')).toBe(1n)
    expect(encodeHex(s64, -1n)).toBe('ffffffffffffffff')
    expect(decode(s64, host('0000000000000080'))).toBe(-(2n ** 63n))
    expect(refusal(() => encodeHex(u64, top + 1n))).toEqual(['ERR_NETLOOM_OUT_OF_RANGE', undefined, 'RangeError'])
    expect(refusal(() => encodeHex(s64, 2n ** 63n))).toEqual(['ERR_NETLOOM_OUT_OF_RANGE', undefined, 'RangeError'])
    expect(refusal(() => encodeHex(u64, wrong(1)))).toEqual(['ERR_NETLOOM_INVALID_NUMBER', undefined, 'TypeError'])
  })

  test('the source of a reader gives what the reader gives', () => {
    const view = new DataView(new Uint8Array([0, 0xfe, 1, 0xdc, 3, 0xba, 5, 0x98, 7, 0]).buffer)
    const sourced = Object.entries({ ...numbers, u64, s64, u64be, bool, wide: boolean(u32), string, half: scaled(u32, 2) }).filter(
      ([, codec]) => 'source' in codec,
    )
    expect(sourced.map(([name]) => name)).toEqual([...Object.keys(numbers), 'u64', 's64', 'u64be', 'bool', 'wide'])
    for (const [name, codec] of sourced) {
      const scalar = codec as typeof u8
      const read = new Function('view', 'p', `return ${scalar.source!('p + 1')}`)
      expect(read(view, 0), name).toBe(scalar.read(view, 1, 1 + scalar.size))
    }
  })
})

describe('yes and no', () => {
  test('a byte or a word', () => {
    expect([encodeHex(bool, true), encodeHex(bool, false)]).toEqual(['01', '00'])
    expect([decode(bool, '00'), decode(bool, '01'), decode(bool, '02')]).toEqual([false, true, true])
    expect(encodeHex(boolean(u32), true)).toBe(host('01000000'))
    expect(decode(boolean(u32), host('00010000'))).toBe(true)
  })
  test.each([1, 0, 'true', null, undefined, {}])('%s is neither', value => {
    expect(refusal(() => encodeHex(bool, wrong(value)))).toEqual(['ERR_NETLOOM_INVALID_BOOLEAN', undefined, 'TypeError'])
    expect(refusal(() => encodeHex(flag, wrong(value)))).toEqual(['ERR_NETLOOM_INVALID_BOOLEAN', undefined, 'TypeError'])
  })
  test('presence needs no payload and reads whatever there is', () => {
    expect(encodeHex(flag, true)).toBe('')
    expect([decode(flag, ''), decode(flag, '00')]).toEqual([true, true])
  })
})

describe('fractions', () => {
  const seconds = scaled(u32, 100)
  test('are rounded to the unit on the wire', () => {
    expect(encodeHex(seconds, 1.5)).toBe(host('96000000'))
    expect(encodeHex(seconds, 0.014)).toBe(host('01000000'))
    expect(decode(seconds, host('96000000'))).toBe(1.5)
  })
  test('are refused in the units of the caller, and not rounded to nothing', () => {
    const message = (value: number) => {
      try {
        return encodeHex(seconds, value)
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(message(-1)).toBe('-1 is out of range (0, or 0.01 to 42949672.95)')
    expect(message(42949673)).toBe('42949673 is out of range (0, or 0.01 to 42949672.95)')
    expect(message(0.001)).toBe('0.001 is out of range (0, or 0.01 to 42949672.95)')
    expect(message(0)).toBe(host('00000000'))
  })
  test('have the range of the wire', () => {
    expect(refusal(() => encodeHex(seconds, 42949673))).toEqual(['ERR_NETLOOM_OUT_OF_RANGE', undefined, 'RangeError'])
    expect(refusal(() => encodeHex(seconds, -0.01))).toEqual(['ERR_NETLOOM_OUT_OF_RANGE', undefined, 'RangeError'])
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '1', null])
      expect(refusal(() => encodeHex(seconds, wrong(value)))[0]).toBe('ERR_NETLOOM_INVALID_NUMBER')
  })
})

describe('names for numbers', () => {
  const state = oneOf(u8, { disabled: 0, learning: 2 })
  test('a name for each known number, the number itself for others', () => {
    expect([decode(state, '00'), decode(state, '02'), decode(state, '07')]).toEqual(['disabled', 'learning', 7])
    expect([encodeHex(state, 'learning'), encodeHex(state, 2), encodeHex(state, 7)]).toEqual(['02', '02', '07'])
    expect(state.size).toBe(1)
  })
  test.each(['learn', '', 'toString', '__proto__', null, true, {}])('%s is no name', value => {
    expect(refusal(() => encodeHex(state, wrong(value)))).toEqual(['ERR_NETLOOM_UNKNOWN_NAME', undefined, 'TypeError'])
  })
  test('the error lists the names', () => {
    expect(thrown(() => encodeHex(state, wrong('learn'))).message).toBe('"learn" is none of disabled, learning')
  })
  test('a number has the range of the wire', () => {
    expect(refusal(() => encodeHex(state, 256))[0]).toBe('ERR_NETLOOM_OUT_OF_RANGE')
  })
})

describe('lists of flags', () => {
  const flags = bits(u32, { up: 0, loopback: 3, top: 31 })
  test('unknown bits have a name too', () => {
    expect(decode(flags, host('09000080'))).toEqual(['up', 'loopback', 'top'])
    expect(decode(flags, host('82000000'))).toEqual(['bit1', 'bit7'])
    expect(encodeHex(flags, ['bit7', 'bit1', 'top'])).toBe(host('82000080'))
    expect(encodeHex(flags, ['bit3'])).toBe(host('08000000'))
    expect(encodeHex(flags, [])).toBe('00000000')
  })
  test.each(['upp', 'bit32', 'bit03', 'bit', 'bit-1', 'constructor', 1, null])('%s is no flag', name => {
    expect(refusal(() => encodeHex(flags, [wrong(name)]))).toEqual(['ERR_NETLOOM_UNKNOWN_FLAG', undefined, 'TypeError'])
  })
  test.each(['up', { up: true }, null, 1])('%o is no list', value => {
    expect(refusal(() => encodeHex(flags, wrong(value)))).toEqual(['ERR_NETLOOM_INVALID_ARRAY', undefined, 'TypeError'])
  })
  test('a bit outside the word is refused', () => {
    expect(refusal(() => encodeHex(bits(u8, { low: 0 }), ['bit8']))[0]).toBe('ERR_NETLOOM_OUT_OF_RANGE')
    expect(() => bits(u32, { over: 32 })).toThrow('there is no bit 32')
  })
  test('the error lists the flags', () => {
    expect(thrown(() => encodeHex(flags, [wrong('upp')])).message).toBe('no flag "upp"; there are up, loopback, top')
  })
})

describe('flags and mask', () => {
  const flags = masked(u32, { up: 0, noarp: 7 })
  test('a word of values and a word of what is meant', () => {
    expect(encodeHex(flags, { up: true, noarp: false })).toBe(host('01000000') + host('81000000'))
    expect(encodeHex(flags, { up: undefined })).toBe('0000000000000000')
    expect(encodeHex(flags, { bit31: true })).toBe(host('00000080').repeat(2))
    expect(flags.size).toBe(8)
  })
  test('those that are set are read, unknown ones too', () => {
    expect(decode(flags, `${host('03000080')}00000000`)).toEqual({ up: true, bit1: true, bit31: true })
  })
  test.each([
    ['upp', true],
    ['toString', true],
    ['bit32', true],
  ])('no flag %s', (name, value) => {
    expect(refusal(() => encodeHex(flags, wrong({ [name]: value })))[0]).toBe('ERR_NETLOOM_UNKNOWN_FLAG')
  })
  test('values are true or false', () => {
    expect(refusal(() => encodeHex(flags, wrong({ up: 1 })))[0]).toBe('ERR_NETLOOM_INVALID_BOOLEAN')
    for (const value of [null, 1, 'up', ['up']]) expect(refusal(() => encodeHex(flags, wrong(value)))[0]).toBe('ERR_NETLOOM_INVALID_OBJECT')
  })
})

describe('text', () => {
  test('ends with a zero byte, which is not read', () => {
    expect(encodeHex(string, 'eth0')).toBe('6574683000')
    expect(encodeHex(string, '')).toBe('00')
    expect([decode(string, '6574683000'), decode(string, '65746830'), decode(string, '65740068'), decode(string, '')]).toEqual([
      'eth0',
      'eth0',
      'et',
      '',
    ])
  })
  test('is UTF-8', () => {
    for (const text of ['ü', 'a→b', '😀', 'x'.repeat(300), `${'x'.repeat(300)}ü`]) {
      expect(encodeHex(string, text)).toBe(`${Buffer.from(text).toString('hex')}00`)
      expect(decode(string, encodeHex(string, text))).toBe(text)
    }
    expect(decode(string, 'c3bc00c3bc')).toBe('ü')
    expect(decode(string, 'ff41')).toBe('\ufffdA')
  })
  test.each(['\0', 'a\0b', 'ü\0', '\ud800', 'a\udc00'])('%j cannot be sent', text => {
    expect(refusal(() => encodeHex(string, text))).toEqual(['ERR_NETLOOM_INVALID_STRING', undefined, 'TypeError'])
  })
  test.each([1, null, {}, ['a'], new Uint8Array(1)])('%o is no text', value => {
    expect(refusal(() => encodeHex(string, wrong(value)))).toEqual(['ERR_NETLOOM_INVALID_STRING', undefined, 'TypeError'])
  })
})

describe('bytes', () => {
  test('are copied in both directions', () => {
    const source = new Uint8Array([1, 2, 3])
    expect(encodeHex(bytes, source)).toBe('010203')
    expect(encodeHex(bytes, Buffer.from([1, 2, 3]).subarray(1))).toBe('0203')
    const buffer = new Uint8Array(8).fill(7)
    const read = bytes.read(new DataView(buffer.buffer), 2, 5)
    buffer.fill(0)
    expect(read).toEqual(new Uint8Array([7, 7, 7]))
    expect(read.buffer.byteLength).toBe(3)
  })
  test.each(['010203', [1, 2], null, new ArrayBuffer(2), new DataView(new ArrayBuffer(2))])('%o is refused', value => {
    expect(refusal(() => encodeHex(bytes, wrong(value)))).toEqual(['ERR_NETLOOM_INVALID_BYTES', undefined, 'TypeError'])
  })
})
