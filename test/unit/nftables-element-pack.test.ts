// The quick way of writing elements: the same bytes as the long way, or none at all.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type DataTypeName, dataTypes, slotOf } from '../../lib/kernel/nftables/datatypes.js'
import { inMessages, packEncoded, packPlain } from '../../lib/kernel/nftables/element-pack.js'
import { type ElementForm, encodeMembers } from '../../lib/kernel/nftables/elements.js'
import type { SetMember } from '../../lib/kernel/nftables/expression.js'

const slots = (...names: DataTypeName[]) => names.map(name => slotOf(dataTypes[name]))
const options = { separate: true }
const ipv4 = fc.ipV4()
const ipv6 = fc.ipV6()
const port = fc.integer({ min: 0, max: 65_534 })
const number = fc.integer({ min: 0, max: 0xffff_fffe })
const list = (member: fc.Arbitrary<unknown>) =>
  fc.uniqueArray(member, { minLength: 2, maxLength: 40, selector: one => JSON.stringify(one) })

/** What is plain: a set's form and members for it. */
const plain: Record<string, { form: ElementForm; members: fc.Arbitrary<unknown[]> }> = {
  addresses: { form: { key: slots('ipv4_addr') }, members: list(ipv4) },
  'IPv6 addresses': { form: { key: slots('ipv6_addr') }, members: list(ipv6) },
  ports: { form: { key: slots('inet_service') }, members: list(port) },
  'numbers of the host': { form: { key: slots('mark') }, members: list(number) },
  'addresses and ports': {
    form: { key: slots('ipv4_addr', 'inet_service') },
    members: list(fc.tuple(ipv4, port).map(concat => ({ concat }))),
  },
  'ports to addresses': { form: { key: slots('inet_service'), data: slots('ipv4_addr') }, members: list(fc.tuple(port, ipv4)) },
  'ports to addresses and ports': {
    form: { key: slots('inet_service'), data: slots('ipv6_addr', 'inet_service') },
    members: list(fc.tuple(port, fc.tuple(ipv6, port)).map(([key, concat]) => [key, { concat }])),
  },
  'addresses in a set of ranges': {
    form: { key: slots('ipv4_addr'), interval: true },
    members: list(ipv4.filter(one => one !== '255.255.255.255')),
  },
  'ports in a set of ranges': { form: { key: slots('inet_service'), interval: true }, members: list(port) },
  'marks in a set of ranges': { form: { key: slots('mark'), interval: true }, members: list(number) },
}
test.each(Object.keys(plain))('%s: the same bytes', name => {
  const { form, members } = plain[name]!
  fc.assert(
    fc.property(members, given => {
      const quick = packPlain(given as SetMember[], form, options)
      const long = packEncoded(encodeMembers(given as SetMember[], form, options))
      expect(Buffer.from(quick!.bytes).toString('hex')).toBe(Buffer.from(long.bytes).toString('hex'))
      expect(quick).toMatchObject({ ends: long.ends, origins: long.origins })
    }),
  )
})

const address: ElementForm = { key: slots('ipv4_addr') }
const ranges: ElementForm = { key: slots('ipv4_addr'), interval: true }
test.each<[string, ElementForm, readonly unknown[]]>([
  ['a prefix', ranges, ['10.0.0.1', { prefix: { addr: '10.1.0.0', len: 16 } }]],
  ['a short form', ranges, ['10.0.0.1', '10.1.0.0/16']],
  ['a comment', address, ['10.0.0.1', { elem: { val: '10.0.0.2', comment: 'me' } }]],
  ['a catchall', address, ['10.0.0.1', '*']],
  ['the highest key of ranges, which has none behind it', ranges, ['10.0.0.1', '255.255.255.255']],
  ['what overlaps', ranges, ['10.0.0.1', '10.0.0.1']],
  ['a name', { key: slots('ifname') }, ['eth0', 'eth1']],
  ['the name of a service', { key: slots('inet_service') }, [80, 'https']],
  ['too large a number', { key: slots('inet_service') }, [80, 65_536]],
  ['half of a pair', { key: slots('inet_service'), data: slots('ipv4_addr') }, [[80, '10.0.0.1'], 81]],
  ['a part too few', { key: slots('ipv4_addr', 'inet_service') }, [{ concat: ['10.0.0.1', 80] }, { concat: ['10.0.0.1'] }]],
  [
    'verdicts',
    { key: slots('inet_service'), data: 'verdict' },
    [
      [80, { accept: null }],
      [81, { drop: null }],
    ],
  ],
])('%s goes the long way', (_, form, members) => {
  expect(packPlain(members as SetMember[], form, options)).toBeUndefined()
})

test('lists are cut between elements, and know whose each is', () => {
  const members = Array.from({ length: 9_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`)
  const packed = packPlain(members.toReversed(), ranges, options)!
  const parts = inMessages(packed)
  expect(parts.length).toBeGreaterThan(5)
  expect(Buffer.concat(parts.map(({ bytes }) => bytes))).toEqual(Buffer.from(packed.bytes))
  expect(Math.max(...parts.map(({ bytes }) => bytes.length))).toBeLessThanOrEqual(0xffff - 1024)
  const owners = parts.flatMap(({ origins }) => origins)
  expect(owners).toEqual(members.flatMap((_, i) => [members.length - 1 - i, members.length - 1 - i]))
})
