// Addresses as text, against what Node itself takes and writes (inet_pton and inet_ntop inside net and URL).
import { BlockList, isIP, SocketAddress } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatIp, ipFamily, lastOf, networkOf, parseCidr, parseIp, parseIpv4, parseIpv6, parseMac } from '../../lib/codec/ip.js'
import { hexOf, refusal } from './codec-helpers.js'

const wrong = (value: unknown) => value as never
const ipv4Bytes = fc.uint8Array({ minLength: 4, maxLength: 4 })
/** Many zeros, so that runs of them are common. */
const ipv6Bytes = fc
  .array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 1, max: 15 })), {
    minLength: 8,
    maxLength: 8,
  })
  .map(words => Uint8Array.from(words.flatMap(word => [word >> 8, word & 0xff])))
/** Texts that are nearly addresses. */
const group = fc.oneof(
  fc.constantFrom('', '0', '00', '0000', '00000', '1', 'f', 'ffff', 'FFFF', 'g', '10000', '255', '256', '010', '-1', '+1', '1.2.3.4', ' 1'),
  fc.integer({ min: 0, max: 0xffff }).map(word => word.toString(16)),
)
const nearly = fc.oneof(
  fc.array(group, { minLength: 1, maxLength: 10 }).map(groups => groups.join(':')),
  fc.array(group, { minLength: 1, maxLength: 6 }).map(groups => groups.join('.')),
  fc.stringMatching(/^[0-9a-fA-F:.]{1,46}$/),
  fc.string({ maxLength: 12 }),
)
const edited = fc
  .tuple(ipv6Bytes, fc.nat(40), fc.constantFrom('', ':', '::', '0', '.', 'f', '1.2.3.4', '%1', ' '))
  .map(([bytes, at, text]) => {
    const address = formatIp(bytes)
    const place = at % (address.length + 1)
    return address.slice(0, place) + text + address.slice(place + (at % 2))
  })
/** net.isIP takes a zone, which is no part of an address on the wire. */
const nodeFamily = (text: string) => (text.includes('%') ? 0 : isIP(text))

describe('what is an address', () => {
  test('exactly what Node says', () => {
    fc.assert(
      fc.property(fc.oneof(nearly, edited), text => {
        expect(ipFamily(text)).toBe(nodeFamily(text))
      }),
      { numRuns: 5000 },
    )
  })
  test.each([
    '010.0.0.1',
    '1.2.3.256',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.',
    '.1.2.3',
    '1..2.3',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '0x1.2.3.4',
    '1.2.3.4/24',
    '16909060',
    '+1.2.3.4',
    '1.2.3.-4',
    '1.2.3.4\n',
    '１.2.3.4',
    '00.0.0.0',
    '',
    ':',
    ':::',
    '::1%eth0',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    ':1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7:',
    '12345::',
    '::g',
    '[::1]',
    '::1.2.3',
    '::1.2.3.4.5',
    '::1.2.3.256',
    '::01.2.3.4',
    '1.2.3.4::',
    '::1.2.3.4:5',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::1:2:3:4:5:6:1.2.3.4',
    '::ffff:1.2.3.4/96',
    '0000:0000:0000:0000:0000:0000:0000:00000',
    `${'0:'.repeat(200)}0`,
    'localhost',
  ])('%j is none', text => {
    expect([parseIpv4(text), parseIpv6(text), ipFamily(text), nodeFamily(text)]).toEqual([undefined, undefined, 0, 0])
    expect(refusal(() => parseIp(text))).toEqual(['ERR_NETLOOM_INVALID_ADDRESS', undefined, 'TypeError'])
  })
  test.each([
    ['0.0.0.0', '00000000'],
    ['255.255.255.255', 'ffffffff'],
    ['::', '00'.repeat(16)],
    ['::1', `${'00'.repeat(15)}01`],
    ['1::', `0001${'00'.repeat(14)}`],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::2:3:4:5:6:7:8', '00000002000300040005000600070008'],
    ['1:2:3::5:6:7:8', '00010002000300000005000600070008'],
    ['0000:0000:0000:0000:0000:0000:0000:0001', `${'00'.repeat(15)}01`],
    ['ABCD:EF01::', `abcdef01${'00'.repeat(12)}`],
    ['::1.2.3.4', `${'00'.repeat(12)}01020304`],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
    ['1:2:3:4:5:6:1.2.3.4', '00010002000300040005000601020304'],
    ['ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255', 'ff'.repeat(16)],
  ])('%s', (text, hex) => {
    expect(hexOf(parseIp(text))).toBe(hex)
  })
  test.each([null, undefined, 1, {}, ['10.0.0.1'], new String('10.0.0.1')])('%o is no text', value => {
    expect(ipFamily(wrong(value))).toBe(0)
    expect(refusal(() => parseIp(wrong(value)))[0]).toBe('ERR_NETLOOM_INVALID_ADDRESS')
  })
})

describe('the one way of writing an address', () => {
  test('reading what was written gives the same bytes', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4Bytes, ipv6Bytes), bytes => {
        expect(parseIp(formatIp(bytes))).toEqual(bytes)
      }),
      { numRuns: 2000 },
    )
  })
  test('what was read is written as Node writes it', () => {
    fc.assert(
      fc.property(fc.oneof(ipv6Bytes.map(formatIp), edited, nearly), text => {
        if (nodeFamily(text) !== 6) return
        const ours = formatIp(parseIp(text))
        // WHATWG's serializer differs from RFC 5952 in one thing: it has no dotted form.
        const url = new URL(`http://[${text}]/`).hostname.slice(1, -1)
        if (!/^::ffff:[0-9a-f]+:[0-9a-f]+$/.test(url)) expect(ours).toBe(url)
        else expect(ours).toMatch(/^::ffff:\d+\.\d+\.\d+\.\d+$/)
        expect(new URL(`http://[${ours}]/`).hostname.slice(1, -1)).toBe(url)
      }),
      { numRuns: 3000 },
    )
  })
  test('sockets know the address by our text', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4Bytes, ipv6Bytes), bytes => {
        const address = formatIp(bytes)
        const family = bytes.length === 4 ? 'ipv4' : 'ipv6'
        expect(new SocketAddress({ address, family }).family).toBe(family)
        const list = new BlockList()
        list.addAddress(address, family)
        expect(list.check(address, family)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
  // Sections 4 and 5 of RFC 5952.
  test.each([
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8::0:1', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8:AAAA::1', '2001:db8:aaaa::1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:2:3:4:5:6:0:0', '1:2:3:4:5:6::'],
    ['0:0:3:4:5:6:7:8', '::3:4:5:6:7:8'],
    ['0:2:3:4:5:6:7:0', '0:2:3:4:5:6:7:0'],
    ['::ffff:c000:0201', '::ffff:192.0.2.1'],
    ['::ffff:0:0', '::ffff:0.0.0.0'],
    ['::ffff:0:1.2.3.4', '::ffff:0:102:304'],
    ['::1.2.3.4', '::102:304'],
  ])('%s is %s', (text, canonical) => {
    expect(formatIp(parseIp(text))).toBe(canonical)
  })
  test('only of 4 or 16 bytes', () => {
    for (const length of [0, 3, 5, 15, 17]) expect(refusal(() => formatIp(new Uint8Array(length)))[0]).toBe('ERR_NETLOOM_INVALID_ADDRESS')
    expect(formatIp(new Uint8Array([9, 9, 10, 0, 0, 1, 9]).subarray(2, 6))).toBe('10.0.0.1')
    expect(formatIp(Buffer.from(`0000${'00'.repeat(15)}01`, 'hex').subarray(2))).toBe('::1')
  })
})

describe('prefixes', () => {
  test('address, length, family', () => {
    expect(parseCidr('10.0.1.2/24')).toEqual({ address: '10.0.1.2', prefix: 24, family: 4, bytes: new Uint8Array([10, 0, 1, 2]) })
    expect(parseCidr('2001:DB8::1/64')).toMatchObject({ address: '2001:db8::1', prefix: 64, family: 6 })
    expect([parseCidr('10.0.0.1').prefix, parseCidr('::1').prefix]).toEqual([32, 128])
    expect([parseCidr('0.0.0.0/0').prefix, parseCidr('10.0.0.1/32').prefix, parseCidr('::/0').prefix, parseCidr('::1/128').prefix]).toEqual(
      [0, 32, 0, 128],
    )
  })
  test.each([
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/ 24',
    '10.0.0.0/24 ',
    '10.0.0.0/024',
    '10.0.0.0/',
    '10.0.0.0//24',
    '10.0.0.0/24/8',
    '10.0.0.0/+8',
    '10.0.0.0/0x8',
    '10.0.0.0/8.0',
    '10.0.0.0/1e1',
    '10.0.0.0/255.0.0.0',
    '10.0.0.0/1000',
    '::/129',
    '::/-0',
    '::/00',
    '/24',
    '/',
    '',
    '10.0.0/24',
    '010.0.0.0/8',
    '::1%eth0/64',
    'default',
    '10.0.0.0/٣',
  ])('%j is none', text => {
    expect(refusal(() => parseCidr(text))).toEqual(['ERR_NETLOOM_INVALID_ADDRESS', undefined, 'TypeError'])
  })
  test.each([null, undefined, 24, {}, ['10.0.0.0/8']])('%o is no text', value => {
    expect(refusal(() => parseCidr(wrong(value)))[0]).toBe('ERR_NETLOOM_INVALID_ADDRESS')
  })
  test('first and last address of a network, against arithmetic', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4Bytes, ipv6Bytes), fc.nat(128), (bytes, any) => {
        const all = bytes.length * 8
        const prefix = any % (all + 1)
        const number = BigInt(`0x${hexOf(bytes)}`)
        const hosts = (1n << BigInt(all - prefix)) - 1n
        const text = (value: bigint) => value.toString(16).padStart(bytes.length * 2, '0')
        const before = hexOf(bytes)
        expect(hexOf(networkOf(bytes, prefix))).toBe(text(number & ~hosts))
        expect(hexOf(lastOf(bytes, prefix))).toBe(text(number | hosts))
        expect(hexOf(bytes)).toBe(before)
      }),
      { numRuns: 1000 },
    )
  })
  test('a network holds its first and last address and not their neighbours', () => {
    const list = new BlockList()
    list.addSubnet('172.28.5.77', 20)
    const { bytes, prefix } = parseCidr('172.28.5.77/20')
    expect([formatIp(networkOf(bytes, prefix)), formatIp(lastOf(bytes, prefix))]).toEqual(['172.28.0.0', '172.28.15.255'])
    for (const [address, inside] of [
      ['172.28.0.0', true],
      ['172.28.15.255', true],
      ['172.27.255.255', false],
      ['172.28.16.0', false],
    ] as const)
      expect(list.check(address)).toBe(inside)
  })
})

describe('link-layer addresses', () => {
  test('pairs of hexadecimal digits between colons', () => {
    expect(parseMac('02:42:ac:11:00:02')).toEqual(new Uint8Array([2, 0x42, 0xac, 0x11, 0, 2]))
    expect(parseMac('FF:ff:Aa:0f:F0:00', 6)).toEqual(new Uint8Array([255, 255, 0xaa, 15, 240, 0]))
    expect(parseMac('00')).toEqual(new Uint8Array(1))
    expect(parseMac(Array(32).fill('ff').join(':'))).toHaveLength(32)
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 32 }), bytes => {
        expect(parseMac(hexOf(bytes).replace(/..(?=.)/g, '$&:'))).toEqual(bytes)
      }),
    )
  })
  test.each([
    '',
    ':',
    '0',
    '02:42:ac:11:00:0',
    '02:42:ac:11:00:002',
    '02:42:ac:11:00:0g',
    '02-42-ac-11-00-02',
    '0242ac110002',
    '0242.ac11.0002',
    ':02:42:ac:11:00:02',
    '02:42:ac:11:00:02:',
    '02::42',
    ' 02:42:ac:11:00:02',
    '02:42:ac:11:00:02\n',
    Array(33).fill('ff').join(':'),
  ])('%j is none', text => {
    expect(refusal(() => parseMac(text))).toEqual(['ERR_NETLOOM_INVALID_MAC', undefined, 'TypeError'])
  })
  test('of the wrong length', () => {
    for (const text of ['02:42:ac:11:00', '02:42:ac:11:00:02:03'])
      expect(refusal(() => parseMac(text, 6))[0]).toBe('ERR_NETLOOM_INVALID_MAC')
    for (const value of [null, undefined, 2, ['02']]) expect(refusal(() => parseMac(wrong(value)))[0]).toBe('ERR_NETLOOM_INVALID_MAC')
  })
})
