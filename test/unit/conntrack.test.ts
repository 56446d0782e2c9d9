// Connections in the kernel's words: tuples are whole or refused, filters say how far the kernel can follow them, and no deletion is sent that means all.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { created } from '../../lib/kernel/conntrack-change.js'
import { deletionOf, exactly, filtered } from '../../lib/kernel/conntrack-delete.js'
import { type ConntrackFilter, prepare } from '../../lib/kernel/conntrack-filter.js'
import { type ConntrackTuple, named } from '../../lib/kernel/conntrack-object.js'

const udp: ConntrackTuple = { protocol: 'udp', source: '10.0.0.1', destination: '10.0.0.2', sourcePort: 5000, destinationPort: 53 }

test.each<[string, object, string, string]>([
  ['no source', { ...udp, source: undefined }, 'ERR_NETLOOM_MISSING_OPTION', 'source'],
  ['no destination', { ...udp, destination: undefined }, 'ERR_NETLOOM_MISSING_OPTION', 'destination'],
  ['no protocol', { ...udp, protocol: undefined }, 'ERR_NETLOOM_MISSING_OPTION', 'protocol'],
  ['no port', { ...udp, sourcePort: undefined }, 'ERR_NETLOOM_MISSING_OPTION', 'sourcePort'],
  ['ports where there are none', { ...udp, protocol: 'esp' }, 'ERR_NETLOOM_INVALID_OPTION', 'sourcePort'],
  ['two families', { ...udp, destination: 'fd00::1' }, 'ERR_NETLOOM_INVALID_OPTION', 'destination'],
  ['an unknown protocol', { ...udp, protocol: 'udpx' }, 'ERR_NETLOOM_UNKNOWN_NAME', 'protocol'],
  ['a port that is too large', { ...udp, destinationPort: 65_536 }, 'ERR_NETLOOM_OUT_OF_RANGE', 'destinationPort'],
  ['a prefix', { ...udp, source: '10.0.0.0/24' }, 'ERR_NETLOOM_INVALID_ADDRESS', 'source'],
  [
    'ICMP without an id',
    { protocol: 'icmp', source: '10.0.0.1', destination: '10.0.0.2', icmpType: 8, icmpCode: 0 },
    'ERR_NETLOOM_MISSING_OPTION',
    'icmpId',
  ],
  ['a misspelt option', { ...udp, dport: 53 }, 'ERR_NETLOOM_UNKNOWN_OPTION', 'dport'],
  ['nothing', {}, 'ERR_NETLOOM_MISSING_OPTION', 'source'],
  ['an entry without a direction', { original: {}, protocol: 'udp' }, 'ERR_NETLOOM_MISSING_OPTION', 'original.source'],
])('a deletion is refused: %s', (_, which, code, path) => {
  expect(() => deletionOf(which as ConntrackTuple)).toThrow(expect.objectContaining({ code, path }))
})

test.each<[string, object, string, string | undefined]>([
  ['two families', { originalSource: '10.0.0.1', replySource: 'fd00::1' }, 'ERR_NETLOOM_INVALID_ADDRESS', 'replySource'],
  ['a family and an address of the other', { family: 6, originalSource: '10.0.0.1' }, 'ERR_NETLOOM_INVALID_ADDRESS', 'originalSource'],
  ['a mask alone', { markMask: 1 }, 'ERR_NETLOOM_INVALID_OPTION', 'markMask'],
  ['an unknown status', { status: { seen: true } }, 'ERR_NETLOOM_UNKNOWN_OPTION', 'status.seen'],
  ['no status', { status: {} }, 'ERR_NETLOOM_INVALID_OPTION', 'status'],
  ['a misspelt option', { port: 80 }, 'ERR_NETLOOM_UNKNOWN_OPTION', 'port'],
])('a filter is refused: %s', (_, filter, code, path) => {
  expect(() => prepare(filter)).toThrow(expect.objectContaining({ code, path }))
})

test('a deletion that would mean all connections is not made', () => {
  expect(() => exactly({ family: 'unspec' })).toThrow('names no connection')
  expect(() => exactly({ family: 'ipv4' })).toThrow('names no connection')
  expect(() => exactly({ family: 'ipv4', tupleOrig: { ip: { v4Src: '10.0.0.1' } } })).toThrow('names no connection')
  expect(() => filtered({ family: 'unspec' })).toThrow('names no connection')
  expect(() => filtered({ family: 'unspec', filter: { origFlags: [] } })).toThrow('names no connection')
  expect(() => filtered({ family: 'unspec', zone: 5 })).toThrow('names no connection')
})

const address = fc.constantFrom('10.0.0.1', '10.0.0.0/24', '0.0.0.0/0', '10.0.0.2')
const port = fc.integer({ min: 0, max: 65_535 })
const filters: fc.Arbitrary<ConntrackFilter> = fc.record(
  {
    family: fc.constant(4 as const),
    protocol: fc.constantFrom('tcp', 'icmp', 'esp', 17, 200),
    mark: fc.nat(0xffff),
    zone: fc.nat(9),
    status: fc.constantFrom({ seenReply: false }, { assured: true, confirmed: true }),
    originalSource: address,
    originalDestination: address,
    replySource: address,
    replyDestination: address,
    originalSourcePort: port,
    originalDestinationPort: port,
    replySourcePort: port,
    replyDestinationPort: port,
  },
  { requiredKeys: [] },
)

test('whatever a filter says, what the kernel alone may delete by it says as much', () => {
  fc.assert(
    fc.property(filters, filter => {
      const { requests, exact, empty } = prepare(filter)
      expect(empty).toBe(Object.keys(filter).length === 0)
      if (empty || !exact) return
      for (const value of requests.map(filtered)) {
        const flags = [...(value.filter?.origFlags ?? []), ...(value.filter?.replyFlags ?? [])]
        const count = (name: string) => flags.filter(flag => flag === name).length
        const given = (...names: (keyof ConntrackFilter)[]) => names.filter(name => filter[name] !== undefined).length
        expect(count('ipSrc')).toBe(given('originalSource', 'replySource'))
        expect(count('ipDst')).toBe(given('originalDestination', 'replyDestination'))
        expect(count('protoSrcPort')).toBe(given('originalSourcePort', 'replySourcePort'))
        expect(count('protoDstPort')).toBe(given('originalDestinationPort', 'replyDestinationPort'))
        expect(count('protoNum') > 0).toBe(filter.protocol !== undefined)
        expect(value.mark).toBe(filter.mark)
        expect(value.statusMask).toEqual(filter.status && Object.keys(filter.status))
        if (filter.family !== undefined) expect(value).toMatchObject({ family: 'ipv4', version: 1 })
      }
    }),
  )
})

test('what is made without a reply is answered by the reverse', () => {
  expect(created({ ...udp, timeout: 30 }).tupleReply).toEqual({
    ip: { v4Src: '10.0.0.2', v4Dst: '10.0.0.1' },
    proto: { num: 17, srcPort: 53, dstPort: 5000 },
  })
  const ping = { protocol: 'icmpv6', source: 'fd00::1', destination: 'fd00::2', icmpType: 128, icmpCode: 0, icmpId: 7 }
  expect(created({ ...ping, timeout: 30 }).tupleReply?.proto).toEqual({ num: 58, icmpv6Type: 129, icmpv6Code: 0, icmpv6Id: 7 })
  expect(created({ ...udp, protocol: 'tcp', timeout: 30 }).protoinfo).toEqual({ tcp: { state: 'established' } })
  expect(() => created({ ...udp, state: 'established', timeout: 30 })).toThrow(expect.objectContaining({ path: 'state' }))
  expect(() => created({ ...udp } as never)).toThrow(expect.objectContaining({ path: 'timeout' }))
  expect(() => created({ ...udp, reply: { source: '10.0.0.3' } as never, timeout: 9 })).toThrow(
    expect.objectContaining({ path: 'reply.destination' }),
  )
})

test('a tuple names a connection, and what was read of one names that very one', () => {
  expect(named({ ...udp, zone: 3 })).toMatchObject({ family: 'ipv4', zone: 3 })
  const { protocol, ...direction } = udp
  const entry = { family: 4, protocol, original: { ...direction, packets: 3, bytes: 90 }, zone: 0, id: 77 }
  expect(named(entry as never)).toMatchObject({ id: 77, tupleOrig: { ip: { v4Src: '10.0.0.1' }, proto: { num: 17, srcPort: 5000 } } })
})
