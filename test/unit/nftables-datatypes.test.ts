// Values of nftables' data types: JSON ⇄ bytes, names, byte order, and what is refused.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type DataType,
  dataType,
  dataTypes,
  decodeValue,
  encodeValue,
  slotOf,
  typeNumber,
  typesOfName,
  typesOfNumber,
} from '../../lib/kernel/nftables/datatypes.js'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const encode = (type: string, value: unknown, bits?: number) => hex(encodeValue(slotOf(dataType(type), bits), value))
const decode = (type: string, bytes: string, bits?: number) => decodeValue(slotOf(dataType(type), bits), Buffer.from(bytes, 'hex'))

/** Value, its bytes on a little-endian machine, and the value that is read if it is another. */
const rows: [type: string, value: unknown, bytes: string, read?: unknown][] = [
  ['ipv4_addr', '10.0.0.1', '0a000001'],
  ['ipv6_addr', 'fe80::1', 'fe800000000000000000000000000001'],
  ['ether_addr', '02:42:ac:11:00:02', '0242ac110002'],
  ['ether_type', 'ip6', '86dd'],
  ['ether_type', 'vlan', '8100', '8021q'],
  ['ether_type', 0x1234, '1234'],
  ['inet_proto', 'tcp', '06'],
  ['inet_proto', 'icmpv6', '3a', 'ipv6-icmp'],
  ['inet_service', 8080, '1f90'],
  ['inet_service', 'https', '01bb', 443],
  ['mark', '0x10', '10000000', 16],
  ['ct_state', 'new', '08000000'],
  ['ct_state', ['established', 'related'], '06000000'],
  ['ct_label', 9, '00020000000000000000000000000000'],
  ['ct_label', [0, 9], '01020000000000000000000000000000'],
  ['tcp_flag', ['syn', 'ack'], '12'],
  ['tcp_flag', 0, '00'],
  ['icmp_type', 'echo-request', '08'],
  ['icmp_code', 5, '05'],
  ['dscp', 'af11', '0a'],
  ['ecn', 'ce', '03'],
  ['pkt_type', 'unicast', '00', 'host'],
  ['boolean', true, '01'],
  ['boolean', 'missing', '00', false],
  ['ifname', 'eth0', '65746830000000000000000000000000'],
  ['classid', '1:2', '02000100'],
  ['classid', 'none', '00000000'],
  ['realm', 5, '05000000', '5'],
  ['devgroup', 0, '00000000', 'default'],
  ['time', 30, '3075000000000000'],
  ['time', 0.5, 'f401000000000000'],
  ['time_day', 'Monday', '01'],
  ['uid', 1000, 'e8030000'],
  ['fib_addrtype', 'local', '02000000'],
  ['nf_proto', 'ipv6', '0a'],
]

describe('values', () => {
  test.each(rows)('%s %j', (type, value, bytes, read = value) => {
    expect(encode(type, value)).toBe(bytes)
    expect(decode(type, bytes)).toEqual(read)
  })

  test('local times come back as they were given', () => {
    for (const time of ['2030-01-31 12:00:05', '1999-12-31 00:00:00']) expect(decode('time_date', encode('time_date', time))).toBe(time)
    for (const time of ['00:00', '12:30', '23:59:59']) expect(decode('time_hour', encode('time_hour', time))).toBe(time)
  })

  test('an integer takes size and order of its field', () => {
    expect(hex(encodeValue({ type: dataTypes.integer, bits: 16, order: 'big' }, 258))).toBe('0102')
    expect(hex(encodeValue({ type: dataTypes.integer, bits: 16, order: 'host' }, 258))).toBe('0201')
  })

  test('interfaces by their index have names where somebody knows them', () => {
    const names = {
      indexOf: (name: string) => (name === 'lo' ? 1 : undefined),
      nameOf: (index: number) => (index === 1 ? 'lo' : undefined),
    }
    const slot = slotOf(dataTypes.iface_index)
    expect(hex(encodeValue(slot, 'lo', names))).toBe('01000000')
    expect(decodeValue(slot, Buffer.from('01000000', 'hex'), names)).toBe('lo')
    expect(decodeValue(slot, Buffer.from('07000000', 'hex'), names)).toBe('7')
    expect(() => encodeValue(slot, 'eth0', names)).toThrow('there is no interface "eth0"')
  })

  test.each([
    ['ipv4_addr', '10.0.0.256', TypeError, 'not an IPv4 address'],
    ['ipv4_addr', 5, TypeError, 'not an IPv4 address'],
    ['inet_service', 65536, RangeError, 'out of range (0 to 65535)'],
    ['inet_service', 'no-such', TypeError, 'is not a port'],
    ['inet_proto', {}, TypeError, 'an object is not a protocol'],
    ['mark', -1, TypeError, 'out of range', RangeError],
    ['mark', 1.5, TypeError, 'is not an integer'],
    ['ct_state', ['new', 'old'], TypeError, '"old" is not a state of connections'],
    ['ct_label', 128, RangeError, 'out of range (0 to 127)'],
    ['ifname', 'a-name-of-17-byte', RangeError, 'at most 15 fit'],
    ['boolean', 2, TypeError, 'is not true or false'],
    ['classid', 'x', TypeError, 'traffic class'],
    ['time_hour', '25:00', TypeError, 'time of day'],
    ['time', 'soon', TypeError, 'number of seconds'],
  ] as const)('%s %j is refused', (type, value, kind, message, other: ErrorConstructor | undefined = undefined) => {
    expect(() => encode(type, value)).toThrow(message)
    expect(() => encode(type, value)).toThrow(other ?? kind)
  })
})

test('what is read from any bytes can be written back', () => {
  const sized = Object.values(dataTypes).filter(type => type.bits % 8 === 0 && type.bits > 0 && !type.text)
  const any = fc
    .constantFrom(...sized)
    .chain((type: DataType) => fc.uint8Array({ minLength: type.bits / 8, maxLength: type.bits / 8 }).map(bytes => [type, bytes] as const))
  fc.assert(
    fc.property(any, ([type, bytes]) => {
      const value = decodeValue(slotOf(type), bytes)
      expect(value).toEqual(JSON.parse(JSON.stringify(value)))
      if (type.name === 'boolean' && bytes[0]! > 1) return
      if (type.name === 'ct_label' && (value as unknown[]).length === 0) return
      // A time of day repeats after a day; milliseconds beyond 2^53 and dates beyond a year's four digits have no exact form.
      if (type.name === 'time' || type.name === 'time_date') return
      expect(hex(encodeValue(slotOf(type), value))).toBe(hex(bytes))
    }),
  )
})

describe('types of keys', () => {
  test('one type, several, and back', () => {
    expect(typeNumber(typesOfName('ipv4_addr'))).toBe(7)
    expect(typeNumber(typesOfName('ipv4_addr . inet_service'))).toBe(7 * 64 + 13)
    expect(typeNumber(typesOfName(['ipv4_addr', 'inet_service', 'ifname']))).toBe((7 * 64 + 13) * 64 + 41)
    expect(typesOfNumber((7 * 64 + 13) * 64 + 41)?.map(type => type.name)).toEqual(['ipv4_addr', 'inet_service', 'ifname'])
    expect(typesOfNumber(63)).toBeUndefined()
    expect(typesOfNumber(0)).toBeUndefined()
  })

  test('every type has a number of its own', () => {
    const numbers = Object.values(dataTypes).map(type => type.number)
    expect(new Set(numbers).size).toBe(numbers.length)
    for (const type of Object.values(dataTypes)) expect(dataType(type.name)).toBe(type)
    expect(() => dataType('toString')).toThrow('is no data type')
  })
})
