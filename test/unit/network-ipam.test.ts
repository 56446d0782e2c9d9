// Address management as pure functions: subnets, what is reserved in them, the order of allocation, the choice of a free subnet.
import { BlockList } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatIp } from '../../lib/codec/ip.js'
import { ipNumber, ipRange, ipText, overlap, rangeText, within } from '../../lib/network/ip-range.js'
import { candidates, capacity, poolFor } from '../../lib/network/ipam-allocate.js'
import { chooseIpv4, chooseIpv6, defaultPools, routedRanges } from '../../lib/network/ipam-choose.js'
import { poolOf, poolText, refuseOverlap } from '../../lib/network/ipam-pool.js'
import { macFor } from '../../lib/network/mac-address.js'
import type { Subnet } from '../../lib/network/options.js'
import { refusal, thrown } from './codec-helpers.js'

const first = (subnet: Subnet, count: number, last?: string) => {
  const pool = poolOf(subnet, '')
  const out: string[] = []
  for (const address of candidates(pool, last === undefined ? undefined : ipNumber(last))) {
    if (out.length === count) break
    out.push(ipText(address, pool.subnet.family))
  }
  return out
}
/** A subnet of a random place and length, as text. */
const subnets = (family: 4 | 6, shortest: number) => {
  const bytes = family === 4 ? 4 : 16
  return fc
    .tuple(fc.uint8Array({ minLength: bytes, maxLength: bytes }), fc.integer({ min: shortest, max: bytes * 8 }))
    .map(([address, prefix]) => {
      const size = 1n << BigInt(bytes * 8 - prefix)
      const number = ipNumber(formatIp(address))
      return `${ipText(number - (number % size), family)}/${prefix}`
    })
}
const anySubnet = fc.oneof(subnets(4, 0), subnets(6, 0))
const smallSubnet = fc.oneof(subnets(4, 24), subnets(6, 120))

describe('numbers', () => {
  test('are text and back', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), text => {
        const family = text.includes(':') ? 6 : 4
        const number = ipNumber(text)
        expect(ipNumber(ipText(number, family))).toBe(number)
      }),
    )
  })
  test('say what is in a range, as Node does', () => {
    fc.assert(
      fc.property(subnets(4, 1), fc.ipV4(), (subnet, address) => {
        const list = new BlockList()
        const [network = '', prefix] = subnet.split('/')
        list.addSubnet(network, Number(prefix))
        expect(within(ipRange(subnet), ipNumber(address))).toBe(list.check(address))
      }),
    )
  })
  test('overlap both ways or not at all', () => {
    fc.assert(
      fc.property(anySubnet, anySubnet, (a, b) => {
        const [one, other] = [ipRange(a), ipRange(b)]
        expect(overlap(one, other)).toBe(overlap(other, one))
        expect(overlap(one, one)).toBe(true)
        if (one.family === other.family && within(one, other.first)) expect(overlap(one, other)).toBe(true)
      }),
    )
  })
})

describe('the order of addresses', () => {
  test.each<[string, Subnet, string[], string?]>([
    ['the whole subnet', { subnet: '172.18.0.0/16' }, ['172.18.0.2', '172.18.0.3']],
    [
      'a range, with its first address',
      { subnet: '172.28.0.0/16', ipRange: '172.28.5.0/24', gateway: '172.28.5.254' },
      ['172.28.5.0', '172.28.5.1'],
    ],
    ['a range without a gateway of its own', { subnet: '172.28.0.0/16', ipRange: '172.28.5.0/24' }, ['172.28.5.1', '172.28.5.2']],
    [
      'past auxiliary addresses',
      { subnet: '10.0.0.0/29', auxAddresses: { a: '10.0.0.2', b: '10.0.0.4' } },
      ['10.0.0.3', '10.0.0.5', '10.0.0.6'],
    ],
    ['round the end', { subnet: '10.0.0.0/29' }, ['10.0.0.6', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5'], '10.0.0.5'],
    ['a /31', { subnet: '10.0.0.0/31' }, ['10.0.0.1']],
    ['a /31 with the other gateway', { subnet: '10.0.0.0/31', gateway: '10.0.0.1' }, ['10.0.0.0']],
    ['a /32, which its gateway fills', { subnet: '10.0.0.9/32' }, []],
    ['a /127', { subnet: 'fd00::/127' }, ['fd00::1']],
    ['a /64', { subnet: 'fd00::/64' }, ['fd00::2', 'fd00::3']],
    ['a /8 of IPv6, far behind', { subnet: 'fd00::/8' }, ['fd80::1', 'fd80::2'], 'fd80::'],
    ['all of IPv4', { subnet: '0.0.0.0/0' }, ['255.255.255.254', '0.0.0.2'], '255.255.255.253'],
    ['the last address of an IPv6 subnet', { subnet: 'fd00::/126' }, ['fd00::3', 'fd00::2'], 'fd00::2'],
  ])('%s', (_, subnet, addresses, last) => {
    expect(first(subnet, addresses.length || 1, last)).toEqual(addresses)
  })

  test('each free address exactly once, none that is reserved, from wherever it begins', () => {
    fc.assert(
      fc.property(smallSubnet, fc.nat(300), fc.array(fc.nat(255), { maxLength: 4 }), (subnet, from, aux) => {
        const range = ipRange(subnet)
        const size = range.last - range.first + 1n
        const auxAddresses = Object.fromEntries(
          [...new Set(aux)].map(n => [`a${n}`, ipText(range.first + (BigInt(n) % size), range.family)]),
        )
        let pool: ReturnType<typeof poolOf>
        try {
          pool = poolOf({ subnet, auxAddresses }, '')
        } catch (error) {
          expect((error as { code: string }).code).toMatch(/RESERVED|TOO_SMALL/)
          return
        }
        const given = [...candidates(pool, range.first + (BigInt(from) % size))]
        expect(new Set(given).size).toBe(given.length)
        expect(BigInt(given.length)).toBe(capacity(pool))
        for (const address of given) {
          expect(within(pool.range, address)).toBe(true)
          expect(() => poolFor([pool], ipText(address, range.family), 'ip')).not.toThrow()
        }
        for (const address of pool.reserved) {
          expect(given.includes(address)).toBe(false)
          expect(thrown(() => poolFor([pool], ipText(address, range.family), 'ip')).code).toBe('ERR_NETLOOM_ADDRESS_RESERVED')
        }
        expect([...candidates(pool)].map(String).sort()).toEqual(given.map(String).sort())
      }),
    )
  })

  test('a released address comes back only after all the others', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4), { minLength: 1, maxLength: 60 }), releases => {
        const pool = poolOf({ subnet: '10.0.0.0/27' }, '')
        const taken: bigint[] = []
        const used: bigint[] = []
        for (const release of releases) {
          const [address] = [...candidates(pool, used.at(-1))].filter(one => !taken.includes(one))
          taken.push(address!)
          used.push(address!)
          if (taken.length > 4) taken.splice(release, 1)
        }
        // At most five are held at a time, so that 29 less these lie between two uses of the same one.
        for (const [time, address] of used.entries()) {
          const again = used.indexOf(address, time + 1)
          if (again > 0) expect(again - time).toBeGreaterThanOrEqual(29 - 5)
        }
      }),
    )
  })
})

describe('a subnet is refused', () => {
  test.each<[Subnet, string, string]>([
    [{ subnet: '10.0.0.0' }, 'ERR_NETLOOM_INVALID_SUBNET', 'subnet'],
    [{ subnet: '10.0.0.1/24' }, 'ERR_NETLOOM_INVALID_SUBNET', 'subnet'],
    [{ subnet: '10.0.0.0/33' }, 'ERR_NETLOOM_INVALID_ADDRESS', 'subnet'],
    [{ subnet: '10.0.0.0/24', ipRange: '10.0.1.0/25' }, 'ERR_NETLOOM_OUTSIDE_SUBNET', 'ipRange'],
    [{ subnet: '10.0.0.0/24', ipRange: '10.0.0.0/23' }, 'ERR_NETLOOM_OUTSIDE_SUBNET', 'ipRange'],
    [{ subnet: '10.0.0.0/24', gateway: '10.0.1.1' }, 'ERR_NETLOOM_OUTSIDE_SUBNET', 'gateway'],
    [{ subnet: '10.0.0.0/24', gateway: 'fd00::1' }, 'ERR_NETLOOM_OUTSIDE_SUBNET', 'gateway'],
    [{ subnet: '10.0.0.0/24', gateway: 'x' }, 'ERR_NETLOOM_INVALID_ADDRESS', 'gateway'],
    [{ subnet: '10.0.0.0/24', gateway: '10.0.0.0' }, 'ERR_NETLOOM_ADDRESS_RESERVED', 'gateway'],
    [{ subnet: '10.0.0.0/24', gateway: '10.0.0.255' }, 'ERR_NETLOOM_ADDRESS_RESERVED', 'gateway'],
    [{ subnet: '10.0.0.0/24', auxAddresses: { r: '10.0.1.1' } }, 'ERR_NETLOOM_OUTSIDE_SUBNET', 'auxAddresses.r'],
    [{ subnet: '10.0.0.0/24', gateway: '10.0.0.1', auxAddresses: { r: '10.0.0.1' } }, 'ERR_NETLOOM_ADDRESS_RESERVED', 'auxAddresses.r'],
    [{ subnet: '10.0.0.0/24', auxAddresses: { r: '10.0.0.1', s: '10.0.0.1' } }, 'ERR_NETLOOM_ADDRESS_RESERVED', 'auxAddresses.s'],
    [{ subnet: '10.0.0.8/31', auxAddresses: { r: '10.0.0.8', s: '10.0.0.9' } }, 'ERR_NETLOOM_SUBNET_TOO_SMALL', 'subnet'],
    [{ subnet: '10.0.0.0/24', ipRange: '10.0.0.0/32' }, 'ERR_NETLOOM_SUBNET_TOO_SMALL', 'ipRange'],
  ])('%j', (subnet, code, field) => {
    expect(refusal(() => poolOf(subnet, 'subnets[1].')).slice(0, 2)).toEqual([code, `subnets[1].${field}`])
  })
  test('that overlaps, in words that name the other', () => {
    const pool = poolOf({ subnet: '10.1.0.0/16' }, '')
    const other = { range: ipRange('10.0.0.0/8'), network: 'blue' }
    expect(thrown(() => refuseOverlap([{ pool, path: 'subnet' }], [other])).message).toBe(
      'subnet: 10.1.0.0/16 overlaps 10.0.0.0/8 of network blue',
    )
    const inside = { pool: poolOf({ subnet: '10.1.2.0/24' }, ''), path: 'subnets[1].subnet' }
    expect(thrown(() => refuseOverlap([{ pool, path: 'subnets[0].subnet' }, inside], [])).path).toBe('subnets[1].subnet')
  })
  test('or an address in it', () => {
    const pools = [poolOf({ subnet: '10.0.0.0/24', auxAddresses: { router: '10.0.0.7' } }, '')]
    const refused = (address: string) => thrown(() => poolFor(pools, address, 'ip')).message
    expect(refused('10.0.0.1')).toBe('ip: 10.0.0.1 is the gateway')
    expect(refused('10.0.0.7')).toBe('ip: 10.0.0.7 is reserved for router')
    expect(refused('10.0.0.255')).toBe('ip: 10.0.0.255 is the broadcast address of the subnet')
    expect(refused('10.0.1.1')).toContain('the network has 10.0.0.0/24')
    expect(refused('fd00::1')).toContain('no IPv6 subnet')
  })
})

test('a pool says what was said, complete', () => {
  expect(poolText(poolOf({ subnet: '172.28.0.0/16', ipRange: '172.28.5.0/24' }, ''))).toEqual({
    subnet: '172.28.0.0/16',
    ipRange: '172.28.5.0/24',
    gateway: '172.28.5.0',
    auxAddresses: {},
  })
})

describe('the choice of a subnet', () => {
  test("takes Docker's pools in their order", () => {
    const pools = [...defaultPools()].map(rangeText)
    expect([pools.length, pools[0], pools[14], pools[15], pools.at(-1)]).toEqual([
      31,
      '172.17.0.0/16',
      '172.31.0.0/16',
      '192.168.0.0/20',
      '192.168.240.0/20',
    ])
  })
  test('never one that overlaps, and fails only when all do', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...[...defaultPools()].map(rangeText)), subnets(4, 1)), { maxLength: 40 }), taken => {
        const ranges = taken.map(ipRange)
        const free = [...defaultPools()].filter(pool => !ranges.some(range => overlap(range, pool)))
        if (free.length) expect(rangeText(chooseIpv4(ranges))).toBe(rangeText(free[0]!))
        else expect(() => chooseIpv4(ranges)).toThrow(/EADDRNOTAVAIL.*name a subnet/)
      }),
    )
  })
  test('of IPv6 follows from the id, and steps aside', () => {
    const chosen = chooseIpv6('abc', [])
    expect(rangeText(chooseIpv6('abc', []))).toBe(rangeText(chosen))
    expect(rangeText(chosen)).toMatch(/^fd.*::\/64$/)
    expect(overlap(chosen, chooseIpv6('abd', []))).toBe(false)
    expect(overlap(chosen, chooseIpv6('abc', [chosen]))).toBe(false)
  })
  test('keeps away from routes, but for those that are everywhere', () => {
    const routes = [
      { to: 'default', family: 4 },
      { to: '172.17.0.0/16', family: 4 },
      { to: '10.0.0.9', family: 4 },
      { to: 'fe80::/64', family: 6 },
      { to: 'ff00::/8', family: 6 },
      { to: 'fd01::5', family: 6 },
      { to: '0.0.0.0/0', family: 4 },
    ] as const
    expect(routedRanges(routes).map(rangeText)).toEqual(['10.0.0.9/32', '172.17.0.0/16', 'fd01::5/128'])
  })
})

test('a MAC address follows from the IPv4 address', () => {
  expect([macFor('172.18.0.2'), macFor('172.28.5.0')]).toEqual(['02:42:ac:12:00:02', '02:42:ac:1c:05:00'])
  expect(macFor(undefined)).toMatch(/^02:42(:[0-9a-f]{2}){4}$/)
  expect(macFor('fd00::2')).not.toBe(macFor('fd00::2'))
})
