// Structs and arrays: places, padding, and structs of kernels older or newer than the table.
import { describe, expect, test } from 'vitest'
import { ipv4, mac6 } from '../../lib/codec/address.js'
import { bits, masked, oneOf, string, u8, u16be, u32be } from '../../lib/codec/scalars.js'
import { array, pad, struct } from '../../lib/codec/struct.js'
import { decode, encodeHex, refusal } from './codec-helpers.js'

const wrong = (value: unknown) => value as never

describe('struct', () => {
  const point = struct({ kind: u8, _pad: pad(1), port: u16be, address: ipv4 })

  test('values at their places, padding written as zero', () => {
    expect(point.size).toBe(8)
    expect(encodeHex(point, { address: '10.0.0.1', kind: 1, port: 80 })).toBe('010000500a000001')
    expect(decode(point, '01ff00500a000001')).toEqual({ kind: 1, port: 80, address: '10.0.0.1' })
  })
  test('missing members are zero', () => {
    expect(encodeHex(point, {})).toBe('0000000000000000')
    expect(encodeHex(point, { port: 80, kind: undefined })).toBe('0000005000000000')
  })
  test('an older kernel sends less: what it does not have is left out', () => {
    expect(decode(point, '0100005000')).toEqual({ kind: 1, port: 80 })
    expect(decode(point, '010000')).toEqual({ kind: 1 })
    expect(decode(point, '')).toEqual({})
    for (let length = 0; length <= 8; length++) expect(() => decode(point, '01'.repeat(length))).not.toThrow()
  })
  test('a newer kernel sends more: what the table does not have is left alone', () => {
    expect(decode(point, '010000500a000001deadbeef')).toEqual({ kind: 1, port: 80, address: '10.0.0.1' })
  })
  test('trailing padding that is missing does no harm', () => {
    const padded = struct({ a: u8, _pad: pad(3) })
    expect(decode(padded, '0500')).toEqual({ a: 5 })
  })
  test('in a struct', () => {
    const outer = struct({ first: point, flags: masked(u32be, { up: 0 }), mac: mac6 })
    expect(outer.size).toBe(22)
    const value = { first: { kind: 1, port: 80, address: '10.0.0.1' }, flags: { up: true }, mac: '02:00:00:00:00:01' }
    expect(encodeHex(outer, value)).toBe('010000500a0000010000000100000001020000000001')
    expect(decode(outer, encodeHex(outer, value))).toEqual(value)
    expect(refusal(() => encodeHex(outer, { first: { port: -1 } }))).toEqual(['ERR_NETLOOM_OUT_OF_RANGE', 'first.port', 'RangeError'])
  })
  test('wrong members are refused', () => {
    expect(refusal(() => encodeHex(point, { port: 65536 }))).toEqual(['ERR_NETLOOM_OUT_OF_RANGE', 'port', 'RangeError'])
    expect(refusal(() => encodeHex(point, wrong({ port: null })))).toEqual(['ERR_NETLOOM_INVALID_NUMBER', 'port', 'TypeError'])
    for (const value of [{ prot: 1 }, { _pad: 0 }])
      expect(refusal(() => encodeHex(point, wrong(value)))).toEqual(['ERR_NETLOOM_UNKNOWN_MEMBER', undefined, 'TypeError'])
    for (const value of [null, 1, 'text', []])
      expect(refusal(() => encodeHex(point, wrong(value)))).toEqual(['ERR_NETLOOM_INVALID_OBJECT', undefined, 'TypeError'])
  })
  test('misplaced members are refused when it is declared', () => {
    expect(() => struct({ a: u8, b: u16be })).toThrow('struct member "b" is misaligned at 1')
    expect(() => struct({ a: u16be, b: u32be })).toThrow('misaligned at 2')
    expect(() => struct({ a: u8, b: oneOf(u16be, { x: 1 }) })).toThrow('misaligned')
    expect(() => struct({ a: u8, b: bits(u32be, { x: 1 }) })).toThrow('misaligned')
    expect(() => struct({ a: u8, b: ipv4 })).toThrow('misaligned')
    expect(() => struct({ name: string })).toThrow('struct member "name" has no fixed size')
  })
})

describe('array', () => {
  test('values back to back', () => {
    expect(encodeHex(array(u16be), [1, 2])).toBe('00010002')
    expect(decode(array(u16be), '00010002')).toEqual([1, 2])
    expect([encodeHex(array(u16be), []), decode(array(u16be), '')]).toEqual(['', []])
  })
  test('a rest that is too short for a value is left alone', () => {
    expect(decode(array(u32be), '000000010000')).toEqual([1])
  })
  test('of structs', () => {
    const range = array(struct({ low: u16be, high: u16be }))
    expect(encodeHex(range, [{ low: 1, high: 2 }, { high: 3 }])).toBe('0001000200000003')
    expect(decode(range, '0001000200000003')).toEqual([
      { low: 1, high: 2 },
      { low: 0, high: 3 },
    ])
    expect(refusal(() => encodeHex(range, [{}, { low: -1 }]))).toEqual(['ERR_NETLOOM_OUT_OF_RANGE', '[1].low', 'RangeError'])
  })
  test('only of values with a size, only from arrays', () => {
    expect(() => array(wrong(string))).toThrow('fixed size')
    for (const value of [null, 1, 'text', { 0: 1 }])
      expect(refusal(() => encodeHex(array(u16be), wrong(value)))).toEqual(['ERR_NETLOOM_INVALID_ARRAY', undefined, 'TypeError'])
  })
})
