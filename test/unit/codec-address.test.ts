// Address codecs: 4, 16 or any number of bytes as text.
import { describe, expect, test } from 'vitest'
import { ip, ipv4, ipv6, mac, mac6 } from '../../lib/codec/address.js'
import { MalformedError } from '../../lib/codec/errors.js'
import { decode, encodeHex, refusal, thrown } from './codec-helpers.js'

const wrong = (value: unknown) => value as never
const v6 = '20010db8000000000000000000000001'

describe('IP addresses', () => {
  test('of one family', () => {
    expect(encodeHex(ipv4, '10.0.1.255')).toBe('0a0001ff')
    expect(decode(ipv4, '0a0001ff')).toBe('10.0.1.255')
    expect(encodeHex(ipv6, '2001:DB8::1')).toBe(v6)
    expect(decode(ipv6, v6)).toBe('2001:db8::1')
  })
  test('of either, by length', () => {
    expect([encodeHex(ip, '10.0.1.255'), encodeHex(ip, '2001:db8::1')]).toEqual(['0a0001ff', v6])
    expect([decode(ip, '0a0001ff'), decode(ip, v6)]).toEqual(['10.0.1.255', '2001:db8::1'])
    for (const hex of ['0a000100ff', '00'.repeat(17)]) expect(() => decode(ip, hex)).toThrow(MalformedError)
  })
  test.each([
    [ipv4, ['2001:db8::1', '10.0.0', '010.0.0.1', '1.2.3.256', '', null, 1]],
    [ipv6, ['10.0.0.1', '::1%eth0', '1::2::3', ':::', '', null, 1]],
    [ip, ['10.0.0.1/24', 'localhost', '', null, undefined, 1]],
  ])('nothing else is one', (codec, values) => {
    for (const value of values)
      expect(refusal(() => encodeHex(codec, wrong(value)))).toEqual(['ERR_NETLOOM_INVALID_ADDRESS', undefined, 'TypeError'])
  })
  test('the error quotes the text', () => {
    expect(thrown(() => encodeHex(ipv4, '1.2.3.256')).message).toBe('"1.2.3.256" is not an IPv4 address')
    expect(thrown(() => encodeHex(ip, wrong(7))).message).toBe('7 is not an IPv4 or IPv6 address')
  })
})

describe('link-layer addresses', () => {
  test('of any length as attributes', () => {
    expect(encodeHex(mac, '02:42:AC:11:00:02')).toBe('0242ac110002')
    expect(decode(mac, '0242ac110002')).toBe('02:42:ac:11:00:02')
    expect([decode(mac, ''), decode(mac, '0a'), decode(mac, '0a000001')]).toEqual(['', '0a', '0a:00:00:01'])
    expect(decode(mac, '00'.repeat(20))).toBe(Array(20).fill('00').join(':'))
  })
  test('of six bytes in structs', () => {
    expect(encodeHex(mac6, '02:42:ac:11:00:02')).toBe('0242ac110002')
    expect(decode(mac6, '0242ac1100020000')).toBe('02:42:ac:11:00:02')
    expect(refusal(() => encodeHex(mac6, '02:42:ac:11:00'))[0]).toBe('ERR_NETLOOM_INVALID_MAC')
    expect(refusal(() => encodeHex(mac6, '02:42:ac:11:00:02:03'))[0]).toBe('ERR_NETLOOM_INVALID_MAC')
  })
  test.each(['', '02-42-ac-11-00-02', '2:42:ac:11:0:2', '02:42:ac:11:00:0g', null, 2])('%s is none', value => {
    expect(refusal(() => encodeHex(mac, wrong(value)))).toEqual(['ERR_NETLOOM_INVALID_MAC', undefined, 'TypeError'])
  })
})
