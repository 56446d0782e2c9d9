// Attributes whose form a sibling or a member of the header chooses.
import { describe, expect, test } from 'vitest'
import { ipv4 } from '../../lib/codec/address.js'
import { MalformedError } from '../../lib/codec/errors.js'
import { bytes, kind, oneOf, string, u8, u16be, u32be } from '../../lib/codec/scalars.js'
import { pad, struct } from '../../lib/codec/struct.js'
import { attributes, by, message } from '../../lib/codec/table.js'
import { littleEndian } from '../../lib/codec/writer.js'
import { decode, encode, encodeHex, refusal } from './codec-helpers.js'

const wrong = (value: unknown) => value as never
const vxlan = attributes('IFLA_VXLAN', { id: [1, u32be], group: [2, ipv4] })
const bridge = attributes('IFLA_BR', { priority: [6, u16be] })
const port = attributes('IFLA_BRPORT', { state: [1, u8] })
const info = attributes('IFLA_INFO', {
  kind: [1, string],
  data: [2, by('kind', { vxlan, bridge, number: u32be })],
  slaveKind: [4, string],
  slaveData: [5, by('slaveKind', { bridge: port, vxlan: u8 })],
})

describe('by a number that has names', () => {
  const object = attributes('NFTA_OBJ', { type: [3, kind(u32be, { counter: 1, quota: 2 })], data: [4, by('type', { counter: bridge })] })
  test('the name chooses the form', () => {
    const value = { type: 'counter', data: { priority: 7 } } as const
    expect(decode(object, encode(object, value))).toEqual(value)
  })
  test('a name without a form, and a number without a name, keep their bytes', () => {
    for (const type of ['other:quota', 'other:17'] as const) {
      const value = { type, data: new Uint8Array([1, 2, 3, 4]) }
      expect(decode(object, encode(object, value))).toEqual(value)
    }
  })
  test('the data may come before the number', () => {
    const value = { data: { priority: 7 }, type: 'counter' } as const
    expect(decode(object, encode(object, value))).toEqual(value)
  })
  test('what is neither is refused', () => {
    expect(refusal(() => encode(object, { type: 'other:tunnel' }))).toEqual(['ERR_NETLOOM_UNKNOWN_NAME', 'type', 'TypeError'])
  })
})

describe.runIf(littleEndian)('by a sibling', () => {
  test('two choices in one nest, each by its own', () => {
    const value = { kind: 'vxlan', data: { id: 7, group: '10.0.0.1' }, slaveKind: 'bridge', slaveData: { state: 3 } } as const
    expect(decode(info, encode(info, value))).toEqual(value)
    expect(decode(info, encode(info, { slaveKind: 'vxlan', slaveData: 3, kind: 'bridge', data: { priority: 1 } }))).toEqual({
      slaveKind: 'vxlan',
      slaveData: 3,
      kind: 'bridge',
      data: { priority: 1 },
    })
  })
  test('the flag for nests follows the chosen form', () => {
    expect(encodeHex(info, { kind: 'bridge', data: {} })).toBe('0b00010062726964676500' + '00' + '04000280')
    expect(encodeHex(info, { kind: 'number', data: 1 })).toMatch(/0800020000000001$/)
    expect(encodeHex(info, { kind: 'other:gre', data: new Uint8Array([1]) })).toMatch(/0500020001000000$/)
  })
  test('a kind without a form keeps its bytes', () => {
    const value = { kind: 'other:openvswitch', data: new Uint8Array([1, 2, 3]), slaveKind: 'other:bond' } as const
    expect(decode(info, encode(info, value))).toEqual(value)
    expect(encodeHex(info, { kind: 'other:gre' })).toBe('0800010067726500')
    expect(decode(info, '0800010067726500')).toEqual({ kind: 'other:gre' })
  })
  test.each(['toString', '__proto__', 'constructor', ''])('a kind called %j is one without a form', kind => {
    const value = { kind: `other:${kind}`, data: new Uint8Array([9]) } as const
    expect(decode(info, encode(info, value))).toEqual(value)
  })
  test('the data may come before the kind', () => {
    const value = { data: { id: 7 }, slaveData: { state: 1 }, slaveKind: 'bridge', kind: 'vxlan' } as const
    expect(encodeHex(info, value)).toMatch(/^0c00028008000100/)
    expect(decode(info, encode(info, value))).toEqual(value)
    const other = { data: new Uint8Array([1, 2, 3, 4]), kind: 'other:gre' } as const
    expect(decode(info, encode(info, other))).toEqual(other)
  })
  test('data without a kind stay bytes', () => {
    expect(decode(info, '0c0002800800010000000007')).toEqual({ data: new Uint8Array([8, 0, 1, 0, 0, 0, 0, 7]) })
    expect(refusal(() => encode(info, wrong({ data: { id: 7 } })))).toEqual(['ERR_NETLOOM_INVALID_BYTES', 'data', 'TypeError'])
  })
  test('data that are too short for the chosen form are refused', () => {
    expect(() => decode(info, '0b0001006e756d62657200000700020000000100')).toThrow('IFLA_INFO data: 3 bytes where 4 are needed')
    // In front of its kind too, and with an attribute behind it that is cut.
    expect(() => decode(info, '07000200000001000b0001006e756d6265720000')).toThrow(MalformedError)
    expect(() => decode(info, '0800020000000001ff0001006e756d6265720000')).toThrow(MalformedError)
  })
  test('wrong data are refused under their name', () => {
    expect(refusal(() => encode(info, { kind: 'vxlan', data: { id: -1 } }))).toEqual(['ERR_NETLOOM_OUT_OF_RANGE', 'data.id', 'RangeError'])
    expect(refusal(() => encode(info, wrong({ kind: 'bridge', data: { id: 1 } })))).toEqual([
      'ERR_NETLOOM_UNKNOWN_ATTRIBUTE',
      'data.id',
      'TypeError',
    ])
    expect(refusal(() => encode(info, wrong({ kind: 3 })))).toEqual(['ERR_NETLOOM_INVALID_STRING', 'kind', 'TypeError'])
    for (const data of [null, 7, 'id', []])
      expect(refusal(() => encode(info, wrong({ kind: 'vxlan', data })))).toEqual(['ERR_NETLOOM_INVALID_OBJECT', 'data', 'TypeError'])
  })
  test('what chooses must be a string of the same table', () => {
    expect(() => attributes('X', { data: [2, by('kind', { vxlan })] })).toThrow('"data" is chosen by "kind"')
    expect(() => attributes('X', { kind: [1, u8], data: [2, by('kind', { vxlan })] })).toThrow('not a string of this table')
  })
})

describe.runIf(littleEndian)('by a member of the header', () => {
  const header = struct({ family: oneOf(u8, { unspec: 0, bridge: 7 }), _pad: pad(3) })
  const spec = attributes('IFLA_BRIDGE', { mode: [1, u16be] })
  const link = message(header, 'IFLA', {
    afSpec: [26, by('family', { bridge: spec }, bytes)],
    protinfo: [12, by('family', { bridge: port }, u32be)],
  })

  test('each member its form, all others the general one', () => {
    for (const value of [
      { family: 'bridge', afSpec: { mode: 1 }, protinfo: { state: 2 } },
      { family: 'unspec', afSpec: new Uint8Array([1, 2]), protinfo: 9 },
      { family: 99, afSpec: new Uint8Array([1, 2]) },
    ])
      expect(decode(link, encode(link, value as never))).toEqual(value)
    expect(encodeHex(link, { family: 'bridge', afSpec: wrong({ mode: 1 }) })).toBe('07000000' + '0c001a8006000100' + '00010000')
  })
  test('without the member the general one', () => {
    expect(encodeHex(link, { afSpec: wrong(new Uint8Array([1])) })).toBe('00000000' + '05001a0001000000')
  })
  test('data that are too short are refused', () => {
    expect(() => decode(link, '000000000700' + '0c00' + '00000000')).toThrow('IFLA protinfo: 3 bytes where 4 are needed')
  })
  test('the header must have the member', () => {
    expect(() => attributes('X', { a: [1, by('family', { bridge: spec }, bytes)] })).toThrow('which the header lacks')
    expect(() => message(header, 'X', { a: [1, by('famly', { bridge: spec }, bytes)] })).toThrow('"famly", which the header lacks')
  })
})
