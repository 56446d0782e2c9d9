// Values whose form the payload tells.
import { describe, expect, test } from 'vitest'
import { ipv4, ipv6 } from '../../lib/codec/address.js'
import type { Codec } from '../../lib/codec/codec.js'
import { u8, u16be } from '../../lib/codec/scalars.js'
import { attributes } from '../../lib/codec/table.js'
import { flagOrByte, tagged, uint } from '../../lib/codec/variable.js'
import { viewOf } from '../../lib/codec/walk.js'
import { Writer } from '../../lib/codec/writer.js'

const written = <In>(codec: Codec<unknown, In>, value: In) => {
  const writer = new Writer()
  codec.write(writer, value)
  return writer.copy()
}
const readBack = <Out>(codec: Codec<Out, never>, bytes: Uint8Array) => codec.read(viewOf(bytes), 0, bytes.length)

describe('tagged', () => {
  const via = tagged(u16be, { inet: [2, ipv4], inet6: [10, ipv6] })
  test('the tag chooses the form, both ways', () => {
    expect([...written(via, { inet: '10.0.0.1' })]).toEqual([0, 2, 10, 0, 0, 1])
    for (const value of [{ inet: '10.0.0.1' }, { inet6: '2001:db8::1' }, { other: Uint8Array.of(1, 2, 3), tag: 7 }])
      expect(readBack(via, written(via, value))).toEqual(value)
  })
  test('a form cut short is malformed', () => {
    expect(() => readBack(via, Uint8Array.of(0, 2, 10, 0))).toThrow('2 bytes where "inet" takes 4')
  })
  test('none, two or unknown forms are refused', () => {
    for (const value of [{}, { inet: '10.0.0.1', inet6: '::1' }, { unix: '/run/x' }])
      expect(() => written(via, value as never)).toThrow(expect.objectContaining({ code: 'ERR_NETLOOM_UNKNOWN_NAME' }))
    for (const value of [null, 1, []])
      expect(() => written(via, value as never)).toThrow(expect.objectContaining({ code: 'ERR_NETLOOM_INVALID_OBJECT' }))
  })
  test('a form that no table knows survives', () => {
    const value = { other: Uint8Array.of(0xab), tag: 9 }
    expect(readBack(via, written(via, value))).toEqual(value)
  })
})

test('uint takes eight bytes only when it needs them', () => {
  for (const [value, size] of [
    [0, 4],
    [0xffff_ffff, 4],
    [0x1_0000_0000, 8],
    [Number.MAX_SAFE_INTEGER, 8],
  ] as const) {
    const bytes = written(uint, value)
    expect(bytes.length).toBe(size)
    expect(readBack(uint, bytes)).toBe(value)
  }
  expect(() => written(uint, -1)).toThrow(RangeError)
})

test('flagOrByte is written as presence and read as either', () => {
  const table = attributes('X', { on: [1, flagOrByte], n: [2, u8] })
  expect(written(table as never, { on: true, n: 1 } as never).length).toBe(12)
  expect(written(table as never, { on: false, n: 1 } as never).length).toBe(8)
  expect(readBack(flagOrByte, Uint8Array.of())).toBe(true)
  expect(readBack(flagOrByte, Uint8Array.of(0))).toBe(false)
  expect(readBack(flagOrByte, Uint8Array.of(1))).toBe(true)
})
