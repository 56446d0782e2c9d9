// Attribute tables: headers, nests, lists, repeated and self-sized entries, and what no table knows.
import { describe, expect, test } from 'vitest'
import { ipv4 } from '../../lib/codec/address.js'
import { MalformedError } from '../../lib/codec/errors.js'
import { bytes, flag, oneOf, string, u8, u16, u16be, u32be } from '../../lib/codec/scalars.js'
import { array, pad, struct } from '../../lib/codec/struct.js'
import { attributes, constantOf, entries, list, message, repeated } from '../../lib/codec/table.js'
import { littleEndian, Writer } from '../../lib/codec/writer.js'
import { decode, encode, encodeHex, refusal, thrown } from './codec-helpers.js'

const wrong = (value: unknown) => value as never
const inner = attributes('IN', { port: [1, u16be], on: [2, flag] })
const outer = attributes('OUT', { number: [1, u32be], inner: [2, inner], name: [3, string] })

/** Attributes in host order are what the kernel sends; the expectations are written for little-endian machines. */
describe.runIf(littleEndian)('attributes', () => {
  test('length, number, payload, padding', () => {
    expect(encodeHex(outer, { name: 'ab', number: 1 })).toBe('07000300 61620000 08000100 00000001'.replaceAll(' ', ''))
    expect(decode(outer, encode(outer, { name: 'ab', number: 1 }))).toEqual({ name: 'ab', number: 1 })
    expect([encodeHex(outer, {}), decode(outer, '')]).toEqual(['', {}])
  })
  test('nests carry NLA_F_NESTED, and are read with and without', () => {
    expect(encodeHex(outer, { inner: { port: 80 } })).toBe('0c000280060001000050' + '0000')
    expect(decode(outer, '0c0002800600010000500000')).toEqual({ inner: { port: 80 } })
    expect(decode(outer, '0c0002000600010000500000')).toEqual({ inner: { port: 80 } })
    expect(encodeHex(outer, { inner: {} })).toBe('04000280')
  })
  test('undefined is not sent', () => {
    expect(encodeHex(outer, { number: undefined, inner: { on: undefined } })).toBe('04000280')
  })
  test('presence', () => {
    expect(encodeHex(inner, { on: true })).toBe('04000200')
    expect(encodeHex(inner, { on: false })).toBe('')
    expect(decode(inner, '04000200')).toEqual({ on: true })
    for (const value of [0, '', null, 'yes'])
      expect(refusal(() => encodeHex(inner, wrong({ on: value })))).toEqual(['ERR_NETLOOM_INVALID_BOOLEAN', 'on', 'TypeError'])
  })
  test('a later attribute of the same number wins, as in the kernel', () => {
    expect(decode(outer, '0800010000000001 0800010000000002')).toEqual({ number: 2 })
  })
  test('the last attribute may lack its padding', () => {
    expect(decode(inner, '060001000050')).toEqual({ port: 80 })
  })
  test('what no table knows is kept and survives', () => {
    const hex = '0c00280001020304aabbccdd080001000000000105002a00ff000000'
    const value = decode(outer, hex)
    expect(value).toEqual({
      number: 1,
      unknown: [
        { type: 40, data: new Uint8Array([1, 2, 3, 4, 0xaa, 0xbb, 0xcc, 0xdd]) },
        { type: 42, data: new Uint8Array([0xff]) },
      ],
    })
    expect(decode(outer, encode(outer, value))).toEqual(value)
    expect(decode(outer, '0c000280 08002800 01020304'.replaceAll(' ', ''))).toEqual({
      inner: { unknown: [{ type: 40, data: new Uint8Array([1, 2, 3, 4]) }] },
    })
  })
  test('longer payloads of newer kernels are read by their beginning', () => {
    expect(decode(outer, '0c0001000000000100000002')).toEqual({ number: 1 })
  })
  test('odd bytes are refused', () => {
    const odd = {
      'a length of 0': '00000100',
      'a length of 3': '03000100',
      'a length past the end': '0900010000000001',
      'a number of 3 bytes': '0700010000000100',
      'a nest past its own end': '0800028008000100',
      'a number in a nest past the end of the nest': '0900028006000100005000',
    }
    for (const [what, hex] of Object.entries(odd)) expect(() => decode(outer, hex), what).toThrow(MalformedError)
    expect(() => decode(outer, '0700010000000100')).toThrow('OUT number: 3 bytes where 4 are needed')
  })
  test('a rest shorter than a header is left alone', () => {
    expect(decode(outer, '0800010000000001080001')).toEqual({ number: 1 })
  })
  test('payloads up to 65531 bytes', () => {
    const table = attributes('BIG', { data: [1, bytes], nest: [2, attributes('IN', { data: [1, bytes] })] })
    const data = new Uint8Array(65531).fill(7)
    expect(decode(table, encode(table, { data }))).toEqual({ data })
    for (const value of [{ data: new Uint8Array(65532) }, { nest: { data } }])
      expect(refusal(() => encode(table, value))[0]).toBe('ERR_NETLOOM_TOO_LARGE')
    expect(thrown(() => encode(table, { data: new Uint8Array(65532) })).path).toBe('data')
  })
  test('a writer is used again, whatever went wrong before', () => {
    const writer = new Writer(8)
    expect(() => outer.write(writer, { name: 'x'.repeat(40), number: -1 } as never)).toThrow()
    writer.at = 0
    outer.write(writer, { name: '', inner: { port: 1 } } as never)
    expect(Buffer.from(writer.copy()).toString('hex')).toBe('05000300000000000c0002800600010000010000')
  })
})

describe('declaring a table', () => {
  test.each([
    ['one number twice', () => attributes('X', { a: [1, u8], b: [1, u8] }), '"b" has the same number as "a"'],
    ['no number', () => attributes('X', { a: [1.5, u8] }), 'cannot have the number 1.5'],
    ['a number with flags', () => attributes('X', { a: [0x8001, u8] }), 'cannot have the number 32769'],
    ['the name of the rest', () => attributes('X', { unknown: [1, u8] }), '"unknown" is where'],
    ['a name of the header', () => message(struct({ a: u8 }), 'X', { a: [1, u8] }), '"a" is both'],
  ])('%s is refused', (_, declare, words) => {
    expect(declare).toThrow(words)
  })
  test('names of constants', () => {
    expect(constantOf('IFLA', 'netNsFd')).toBe('IFLA_NET_NS_FD')
    expect(constantOf('IFLA_INET6', 'icmp6stats')).toBe('IFLA_INET6_ICMP6STATS')
  })
})

describe.runIf(littleEndian)('header', () => {
  const table = message(struct({ family: oneOf(u8, { inet: 2 }), _pad: pad(1), port: u16be, more: u16be }), 'M', { name: [1, string] })

  test('its members lie beside the attributes, which start at a multiple of four', () => {
    expect(encodeHex(table, { name: 'a', family: 'inet', more: 3 })).toBe('020000000003000006000100' + '61000000')
    expect(decode(table, '02000050000300000600010061000000')).toEqual({ family: 'inet', port: 80, more: 3, name: 'a' })
    expect(decode(table, '020000500003')).toEqual({ family: 'inet', port: 80, more: 3 })
    expect(encodeHex(table, {})).toBe('0000000000000000')
  })
  test('must be there', () => {
    for (const hex of ['', '0200005000']) expect(() => decode(table, hex)).toThrow(MalformedError)
    const outer = attributes('OUT', { peer: [1, table], list: [2, list(1, table)] })
    for (const hex of ['0800010002000050', '0c0002800800010002000050']) expect(() => decode(outer, hex)).toThrow(MalformedError)
  })
  test('wrong members are refused by name', () => {
    expect(refusal(() => encode(table, { port: -1 }))).toEqual(['ERR_NETLOOM_OUT_OF_RANGE', 'port', 'RangeError'])
    expect(refusal(() => encode(table, wrong({ prot: 1 })))[0]).toBe('ERR_NETLOOM_UNKNOWN_ATTRIBUTE')
  })
})

describe.runIf(littleEndian)('several values', () => {
  const names = list(53, string, 'IFLA_ALT_IFNAME')
  const hop = entries(struct({ length: u16, flags: u8, hops: u8, index: u32be }), 'RTA', { gateway: [5, ipv4], realm: [6, u32be] })
  const table = attributes('T', {
    names: [1, names],
    ports: [2, list(1, u16be)],
    vlans: [3, repeated(struct({ flags: u16be, vid: u16be }))],
    nests: [4, repeated(inner)],
    nexthops: [5, hop],
    words: [6, array(u32be)],
  })

  test('list: a nest that repeats one attribute', () => {
    expect(encodeHex(table, { names: ['a', 'bc'] })).toBe('140001800600350061000000070035006263' + '0000')
    expect(decode(table, encode(table, { names: ['a', 'bc'] }))).toEqual({ names: ['a', 'bc'] })
    expect(decode(table, encode(table, { names: [] }))).toEqual({ names: [] })
    expect(decode(table, '0c000180 08003600 00000000'.replaceAll(' ', ''))).toEqual({ names: [] })
  })
  test('list: an element that is too short is refused', () => {
    expect(() => decode(table, '0c00028006000100005000000500010000000000'.replace(/^0c/, '14'))).toThrow('[1]: 1 bytes where 2 are needed')
  })
  test('repeated: the attribute itself occurs again and again', () => {
    const value = {
      vlans: [
        { flags: 2, vid: 1 },
        { flags: 0, vid: 5 },
      ],
      nests: [{ port: 1 }, { on: true }],
    }
    expect(encodeHex(table, { vlans: value.vlans })).toBe('0800030000020001' + '0800030000000005')
    expect(decode(table, encode(table, value))).toEqual(value)
    expect(encodeHex(table, { vlans: [] })).toBe('')
    expect(encodeHex(table, { nests: [{}] })).toBe('04000480')
  })
  test('entries: each says how long it is', () => {
    const value = { nexthops: [{ hops: 1, index: 3, gateway: '10.0.0.1' }, { flags: 4 }] }
    expect(encodeHex(table, value)).toBe('1c000500' + '100000010000000308000500' + '0a000001' + '0800040000000000')
    expect(decode(table, encode(table, value))).toEqual({
      nexthops: [
        { length: 16, flags: 0, hops: 1, index: 3, gateway: '10.0.0.1' },
        { length: 8, flags: 4, hops: 0, index: 0 },
      ],
    })
  })
  test('entries: a length that is too small or too large is refused', () => {
    for (const length of ['0000', '0700', '1100']) {
      const hex = `14000500${length}00010000000308000500${'0a000001'}`
      expect(() => decode(table, hex), length).toThrow(MalformedError)
    }
  })
  test('unknown attributes of an entry survive', () => {
    const value = decode(table, '1400050010000001000000030800630001020304')
    expect(value.nexthops?.[0]?.unknown).toEqual([{ type: 99, data: new Uint8Array([1, 2, 3, 4]) }])
    expect(decode(table, encode(table, value))).toEqual(value)
  })
  test.each(['names', 'ports', 'vlans', 'nests', 'nexthops', 'words', 'unknown'])('%s must be an array', name => {
    for (const value of [null, {}, 'text', 1])
      expect(refusal(() => encode(table, wrong({ [name]: value })))).toEqual(['ERR_NETLOOM_INVALID_ARRAY', name, 'TypeError'])
  })
})
