// Elements of sets and maps: single keys, intervals, concatenations, what maps lead to, and what is refused.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DataTypeName, dataTypes, slotOf } from '../../lib/kernel/nftables/datatypes.js'
import { decodeElements, type ElementForm, encodeElements, type ReadElement } from '../../lib/kernel/nftables/elements.js'
import type { SetMember } from '../../lib/kernel/nftables/expression.js'

const slots = (...names: DataTypeName[]) => names.map(name => slotOf(dataTypes[name]))
const hex = (bytes: Uint8Array | undefined) => (bytes ? Buffer.from(bytes).toString('hex') : undefined)
/** 'key', 'key-keyEnd', with '!' behind the end of an interval. */
const keys = (members: readonly SetMember[], form: ElementForm, options = {}) =>
  encodeElements(members, form, options).map(one => {
    const end = one.keyEnd ? `-${hex(one.keyEnd.value)}` : ''
    return `${hex(one.key?.value) ?? '*'}${end}${one.flags?.includes('intervalEnd') ? '!' : ''}`
  })
const back = (members: readonly SetMember[], form: ElementForm, options = {}) =>
  decodeElements(encodeElements(members, form, options) as ReadElement[], form)

const address: ElementForm = { key: slots('ipv4_addr') }
const addresses: ElementForm = { key: slots('ipv4_addr'), interval: true }
const ports: ElementForm = { key: slots('inet_service'), interval: true }

describe('keys', () => {
  test('single values', () => {
    expect(keys(['10.0.0.1', '10.0.0.2'], address)).toEqual(['0a000001', '0a000002'])
    expect(back(['10.0.0.2', '10.0.0.1'], address)).toEqual(['10.0.0.2', '10.0.0.1'])
  })

  test('parts of a concatenation fill registers', () => {
    const form: ElementForm = { key: slots('inet_proto', 'ipv4_addr', 'ether_addr', 'mark') }
    const member = { concat: ['tcp', '10.0.0.1', '00:11:22:33:44:55', 5] }
    expect(keys([member], form)).toEqual(['060000000a000001001122334455000005000000'])
    expect(back([member], form)).toEqual([member])
  })

  test('intervals are a first key and the first key behind', () => {
    expect(keys([{ prefix: { addr: '10.0.0.0', len: 8 } }, '192.168.0.1'], addresses)).toEqual([
      '0a000000',
      '0b000000!',
      'c0a80001',
      'c0a80002!',
    ])
    expect(keys([22, { range: [24, 30] }], ports, { leading: true })).toEqual(['0000!', '0016', '0017!', '0018', '001f!'])
  })

  test('intervals that touch share a key; the last key of all has none behind it', () => {
    expect(keys([{ range: [1, 2] }, { range: [3, 4] }, { range: [65000, 65535] }], ports)).toEqual(['0001', '0003', '0005!', 'fde8'])
    expect(keys([{ range: [3, 4] }, { range: [1, 2] }, { range: [4, 9] }], ports, { merge: true })).toEqual(['0001', '000a!'])
    expect(keys([{ range: [0, 5] }], ports, { leading: true })).toEqual(['0000', '0006!'])
  })

  test('in intervals numbers of the host are big-endian too', () => {
    expect(keys([{ range: [1, 2] }], { key: slots('mark'), interval: true })).toEqual(['00000001', '00000003!'])
  })

  test('names with a star', () => {
    const form: ElementForm = { key: slots('ifname'), interval: true }
    expect(back(['br0', 'eth*'], form, { leading: true })).toEqual(['br0', 'eth*'])
    expect(back(['br\\*'], { key: slots('ifname') })).toEqual(['br\\*'])
  })

  test('ranges of concatenations have a second key', () => {
    const form: ElementForm = { key: slots('ipv4_addr', 'inet_service'), interval: true }
    const members: SetMember[] = [{ concat: [{ prefix: { addr: '10.0.0.0', len: 8 } }, { range: [22, 24] }] }, { concat: ['10.0.0.2', 80] }]
    expect(keys(members, form)).toEqual(['0a00000000160000-0affffff00180000', '0a00000200500000-0a00000200500000'])
    expect(back(members, form)).toEqual(members)
  })
})

describe('what an element has besides its key', () => {
  test('times, comment, counter, limit', () => {
    const members: SetMember[] = [
      { elem: { val: '10.0.0.1', timeout: 60, expires: 1.5, comment: 'ü', counter: { packets: 1, bytes: 2 } } },
      { elem: { val: '10.0.0.2', limit: { rate: 5, burst: 5, per: 'second' }, 'ct count': { val: 3, inv: true } } },
    ]
    expect(back(members, address)).toEqual(members)
    expect(encodeElements(members, address)[0]).toMatchObject({ timeout: 60_000, expiration: 1500, expr: { name: 'counter' } })
  })

  test('maps: values, verdicts, objects, ranges and pairs', () => {
    const key = slots('inet_service')
    const cases: [ElementForm, SetMember[]][] = [
      [{ key, data: slots('ipv4_addr') }, [[80, '10.0.0.1']]],
      [{ key, data: slots('ipv4_addr') }, [[80, { range: ['10.0.0.1', '10.0.0.9'] }]]],
      [{ key, data: slots('ipv4_addr') }, [[80, { prefix: { addr: '10.0.0.0', len: 24 } }]]],
      [{ key, data: slots('ipv4_addr', 'inet_service') }, [[80, { concat: ['10.0.0.1', 8080] }]]],
      [
        { key, data: 'verdict' },
        [
          [22, { accept: null }],
          [80, { jump: { target: 'web' } }],
          ['*', { drop: null }],
        ],
      ],
      [{ key, data: 'object' }, [[22, 'ssh-bytes']]],
      [
        { key, data: slots('mark'), interval: true },
        [
          [{ range: [1, 5] }, 7],
          [{ elem: { val: 9, comment: 'x' } }, 8],
        ],
      ],
    ]
    for (const [form, members] of cases) expect(back(members, form)).toEqual(members)
    expect(hex(encodeElements([[80, { range: ['10.0.0.1', '10.0.0.9'] }]], { key, data: slots('ipv4_addr') })[0]?.data?.value)).toBe(
      '0a0000010a000009',
    )
  })
})

test('elements that were given come back, in order', () => {
  const range = fc.tuple(fc.nat(65535), fc.nat(65535)).map(([a, b]) => ({ low: Math.min(a, b), high: Math.max(a, b) }))
  fc.assert(
    fc.property(fc.array(range), ranges => {
      const free: typeof ranges = []
      for (const one of ranges.sort((a, b) => a.low - b.low)) if ((free.at(-1)?.high ?? -1) < one.low) free.push(one)
      const members = free.map(({ low, high }): SetMember => (low === high ? low : { range: [low, high] }))
      expect(back(members, ports, { leading: true })).toEqual(members)
    }),
  )
})

describe('refused', () => {
  test.each<[string, readonly unknown[], ElementForm, string]>([
    ['overlapping intervals', [{ range: [1, 5] }, { range: [5, 9] }], ports, '[1]: overlaps the element at [0]'],
    ['a range in a set without intervals', ['10.0.0.1', { range: ['10.0.0.1', '10.0.0.2'] }], address, '[1]: ranges and prefixes need'],
    ['a range that runs backwards', [{ range: [5, 1] }], ports, '[0].range: the first value'],
    ['a wrong value in a range', [{ range: [5, 'x'] }], ports, '[0].range[1]: "x" is not a port'],
    ['a wrong prefix length', [{ prefix: { addr: '10.0.0.0', len: 33 } }], addresses, '[0].prefix.len: 33 is out of range (0 to 32)'],
    ['a wrong value', ['10.0.0.1', '10.0.0.x'], address, '[1]: "10.0.0.x" is not an IPv4 address'],
    [
      'too few parts',
      [{ concat: ['10.0.0.1'] }],
      { key: slots('ipv4_addr', 'inet_service') },
      '[0]: must be { concat: [ipv4_addr, inet_service] }',
    ],
    [
      'a wrong part',
      [{ concat: ['10.0.0.1', 70_000] }],
      { key: slots('ipv4_addr', 'inet_service') },
      '[0].concat[1]: 70000 is out of range',
    ],
    ['a key without a value', [22], { key: slots('inet_service'), data: 'verdict' }, '[0]: 22 is not a pair'],
    [
      'a verdict that is none',
      [[22, { acept: null }]],
      { key: slots('inet_service'), data: 'verdict' },
      '[0][1]: an object is not a verdict',
    ],
    [
      'a jump to nowhere',
      [[22, { jump: {} }]],
      { key: slots('inet_service'), data: 'verdict' },
      '[0][1].jump.target: undefined is not the name',
    ],
    ['an unknown unit', [{ elem: { val: '10.0.0.1', limit: { rate: 5, per: 'month' } } }], address, '[0].limit.per: "month" is none of'],
  ])('%s', (_, members, form, message) => {
    expect(() => encodeElements(members as SetMember[], form)).toThrow(message)
  })
})

test('whatever bytes the kernel gives can be read', () => {
  const bytes = fc.option(fc.record({ value: fc.uint8Array({ maxLength: 70 }) }), { nil: undefined })
  const any = fc.array(fc.record({ key: bytes, keyEnd: bytes, data: bytes, flags: fc.subarray(['intervalEnd', 'catchall'] as const) }))
  const forms: ElementForm[] = [
    addresses,
    address,
    { key: slots('ifname'), interval: true },
    { key: slots('ipv4_addr', 'inet_service'), interval: true, data: slots('ipv6_addr', 'inet_service') },
    { key: slots('ct_label'), data: 'verdict' },
    { key: slots('time_date', 'time_hour'), data: 'object' },
  ]
  fc.assert(
    fc.property(any, fc.constantFrom(...forms), (elements, form) => {
      expect(Array.isArray(decodeElements(elements as ReadElement[], form))).toBe(true)
    }),
  )
})
