// ICMP messages against known vectors, and against bytes that mean nothing.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeEchoReply,
  decodeQuotedRequest,
  describeIcmpError,
  encodeEchoRequest,
  internetChecksum,
  stripIpv4Header,
} from '../../lib/namespace/icmp.js'
import { encodeSocketAddress, socketAddressText } from '../../lib/namespace/sockaddr.js'

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('internet checksum', () => {
  // RFC 1071, section 3: the sum of these words is ddf2.
  test('the example of RFC 1071', () => expect(internetChecksum(hex('0001 f203 f4f5 f6f7'))).toBe(0xddf2 ^ 0xffff))
  test('an IPv4 header with its right checksum sums to zero', () =>
    expect(internetChecksum(hex('45000073 00004000 4011b861 c0a80001 c0a800c7'))).toBe(0))
  test('an odd last byte counts as the high half of a word', () => expect(internetChecksum(hex('0102 03'))).toBe(0xffff - 0x0402))
  test('nothing', () => expect(internetChecksum(new Uint8Array())).toBe(0xffff))
  test('65,535 bytes of ff do not overflow', () => expect(internetChecksum(new Uint8Array(65535).fill(0xff))).toBe(0xff))
  test('one changed bit is noticed', () =>
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(), fc.nat(7), (bytes, at, bit) => {
        const before = internetChecksum(bytes)
        bytes[at % bytes.length]! ^= 1 << bit
        expect(internetChecksum(bytes)).not.toBe(before)
      }),
    ))
})

describe('echo', () => {
  // Captured from `ping -c 1 -s 15 -p 42 -e 258 127.0.0.1` by tcpdump.
  const payload = new Uint8Array(15).fill(0x42)
  const request = '0800e52c01020001424242424242424242424242424242'
  const reply = '450000 2b75360000 4001079a7f000001 7f000001 0000ed2c01020001424242424242424242424242424242'
  test('an ICMP request, its checksum included', () =>
    expect(toHex(encodeEchoRequest(4, { identifier: 258, sequence: 1, payload }))).toBe(request))
  test('the reply to it, as a raw socket delivers it', () => {
    const stripped = stripIpv4Header(hex(reply))
    expect(stripped?.ttl).toBe(64)
    expect(decodeEchoReply(4, stripped!.payload)).toEqual({ identifier: 258, sequence: 1, payload })
  })
  test('an ICMPv6 request leaves the checksum to the kernel', () =>
    expect(toHex(encodeEchoRequest(6, { identifier: 0xbeef, sequence: 0xffff, payload: hex('00ff') }))).toBe('80000000beefffff00ff'))

  const asReply = (family: 4 | 6, bytes: Uint8Array) => {
    bytes[0] = family === 4 ? 0 : 129
    bytes.fill(0, 2, 4)
    if (family === 4) new DataView(bytes.buffer).setUint16(2, internetChecksum(bytes))
    return bytes
  }
  const echo = fc.record({ identifier: fc.nat(0xffff), sequence: fc.nat(0xffff), payload: fc.uint8Array({ maxLength: 100 }) })
  test.each([4, 6] as const)('what is sent comes back (IPv%d)', family =>
    fc.assert(
      fc.property(echo, sent => {
        const bytes = encodeEchoRequest(family, sent)
        expect(decodeQuotedRequest(family, bytes)).toEqual(sent)
        expect(decodeEchoReply(family, bytes)).toBeUndefined()
        expect(decodeEchoReply(family, asReply(family, bytes))).toEqual(sent)
      }),
    ),
  )
  test('a damaged reply is none', () => {
    const bytes = asReply(4, encodeEchoRequest(4, { identifier: 1, sequence: 2, payload: hex('0102030405') }))
    bytes[9]! ^= 1
    expect(decodeEchoReply(4, bytes)).toBeUndefined()
  })
  test('a quote of only 8 bytes is enough', () => {
    const bytes = encodeEchoRequest(4, { identifier: 7, sequence: 9, payload: new Uint8Array(56) }).subarray(0, 8)
    expect(decodeQuotedRequest(4, bytes)).toEqual({ identifier: 7, sequence: 9, payload: new Uint8Array() })
  })
  test('bytes inside a larger buffer are read at their own place', () => {
    const bytes = encodeEchoRequest(6, { identifier: 7, sequence: 9, payload: hex('aa') })
    const larger = new Uint8Array(40)
    larger.set(bytes, 11)
    expect(decodeQuotedRequest(6, larger.subarray(11, 11 + bytes.length))).toMatchObject({ identifier: 7, sequence: 9 })
  })
})

test('an IPv4 header is taken off, options included', () => {
  const header = hex('46000020 00000000 40010000 7f000001 7f000001 01010101')
  expect(stripIpv4Header(Uint8Array.from([...header, 8, 9]))).toEqual({ ttl: 64, payload: hex('0809') })
  expect(stripIpv4Header(header.subarray(0, 20))).toBeUndefined()
  expect(stripIpv4Header(hex('60000000'))).toBeUndefined()
})

test('random bytes never throw and never read past the end', () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.constantFrom(4 as const, 6 as const), (bytes, family) => {
      for (const decoded of [decodeEchoReply(family, bytes), decodeQuotedRequest(family, bytes)])
        if (decoded) expect(decoded.payload.length).toBe(bytes.length - 8)
      const stripped = stripIpv4Header(bytes)
      if (stripped) expect(stripped.payload.length).toBeLessThanOrEqual(bytes.length - 20)
      socketAddressText(bytes)
    }),
    { numRuns: 2000 },
  ))

test('ICMP errors in words', () => {
  expect(describeIcmpError(4, 3, 1)).toBe('host unreachable')
  expect(describeIcmpError(6, 1, 0)).toBe('no route to destination')
  expect(describeIcmpError(4, 12, 0)).toBe('parameter problem')
  expect(describeIcmpError(6, 4, 2)).toBe('parameter problem')
  expect(describeIcmpError(4, 200, 7)).toBe('ICMP error of type 200, code 7')
})

test('socket addresses', () => {
  expect(toHex(encodeSocketAddress({ ip: Uint8Array.of(10, 0, 1, 2), port: 80 })).slice(4)).toBe('00500a0001020000000000000000')
  const six = encodeSocketAddress({ ip: hex('fe80000000000000 0000000000000001'), scope: 3 })
  expect(six.length).toBe(28)
  expect(new Uint32Array(six.buffer, 24, 1)[0]).toBe(3)
  expect(socketAddressText(six)).toBe('fe80::1')
  expect(socketAddressText(encodeSocketAddress({ ip: Uint8Array.of(10, 0, 1, 2) }))).toBe('10.0.1.2')
  expect(socketAddressText(new Uint8Array(16))).toBeUndefined()
  expect(socketAddressText(new Uint8Array())).toBeUndefined()
})
