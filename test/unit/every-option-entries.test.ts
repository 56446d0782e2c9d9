// Every option that the verbs on addresses, routes, neighbours, MAC tables and rules accept changes the bytes that are sent, or throws.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnyCodec } from '../../lib/codec/codec.js'
import { isArgumentError } from '../../lib/codec/errors.js'
import { Writer } from '../../lib/codec/writer.js'
import { type AddressOptions, addressMessage } from '../../lib/kernel/address-object.js'
import { type FdbSpec, fdbMessage } from '../../lib/kernel/fdb.js'
import { type NeighbourSpec, neighbourMessage } from '../../lib/kernel/neighbours.js'
import type { RouteMetrics } from '../../lib/kernel/route-metrics.js'
import { type NexthopSpec, prepareRoute, type RouteSpec } from '../../lib/kernel/route-request.js'
import { type RuleSpec, ruleMessage } from '../../lib/kernel/rules.js'
import { address } from '../../lib/protocol/address.js'
import { neighbour } from '../../lib/protocol/neighbour.js'
import { route } from '../../lib/protocol/route.js'
import { rule } from '../../lib/protocol/rule.js'

/** Values that the option may have and that are not its default; 'read' for what is there to give back what was read, and is not sent. */
type Values<T> = { readonly [K in keyof Required<T>]: fc.Arbitrary<unknown> | 'read' }

const encode = (codec: AnyCodec, value: unknown): string => {
  const writer = new Writer()
  codec.write(writer, value as never)
  return Buffer.from(writer.copy()).toString('hex')
}
/** The bytes, or undefined where the options were refused; any other error fails the test. */
const attempt = (encoded: () => string): string | undefined => {
  try {
    return encoded()
  } catch (error) {
    if (isArgumentError(error)) return undefined
    throw error
  }
}

function everyOption<T extends object>(
  values: Values<T>,
  bases: readonly T[],
  encoded: (spec: T) => string,
  own: readonly (keyof T)[] = [],
): void {
  for (const [name, arbitrary] of Object.entries(values) as [keyof T & string, fc.Arbitrary<unknown> | 'read'][]) {
    if (arbitrary === 'read') {
      test(`${name} is not sent`, () => {
        for (const base of bases) expect(encoded({ ...base, [name]: [] })).toBe(encoded(base))
      })
      continue
    }
    test(name, () => {
      let sent = 0
      fc.assert(
        fc.property(fc.constantFrom(...bases), arbitrary, arbitrary, (base, value, other) => {
          const changed = attempt(() => encoded({ ...base, [name]: value }))
          if (changed === undefined) return
          sent++
          if (!own.includes(name) && base[name] !== value) expect(changed).not.toBe(encoded(base))
          if (JSON.stringify(value) !== JSON.stringify(other)) expect(attempt(() => encoded({ ...base, [name]: other }))).not.toBe(changed)
        }),
        { numRuns: 200 },
      )
      expect(sent).toBeGreaterThan(0)
    })
  }
  test('an option that does not exist is refused', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...bases),
        fc.string().filter(name => !Object.hasOwn(values, name) && name !== '__proto__'),
        (base, name) => void expect(attempt(() => encoded({ ...base, [name]: 1 }))).toBeUndefined(),
      ),
    )
  })
  test('a value of no kind is refused', () => {
    for (const [name, arbitrary] of Object.entries(values))
      for (const value of [null, [{}], Number.NaN, 'no such thing '.repeat(15), -1.5, () => 1])
        if (arbitrary !== 'read')
          expect([name, value, bases.some(base => attempt(() => encoded({ ...base, [name]: value })) !== undefined)]).toEqual([
            name,
            value,
            false,
          ])
  })
}

const word = fc.integer({ min: 0, max: 0xffff_ffff })
// None that the bases below have, in no spelling: an address is the peer that it has without one being named.
const ipv4 = fc.tuple(fc.integer({ min: 11, max: 223 }), fc.nat(255), fc.nat(255), fc.nat(255)).map(octets => octets.join('.'))
const ipv6 = fc.tuple(fc.integer({ min: 1, max: 0xffff }), fc.nat(0xffff)).map(([a, b]) => `fd00::${a.toString(16)}:${b.toString(16)}`)
const ip = fc.oneof(ipv4, ipv6)
const mac = fc
  .array(fc.nat(255), { minLength: 6, maxLength: 6 })
  .map(bytes => bytes.map(byte => byte.toString(16).padStart(2, '0')).join(':'))
const link = fc.integer({ min: 2, max: 0x7fff_ffff })
const text = fc.stringMatching(/^[a-z0-9]{1,15}$/)
const on = fc.constant(true)

describe('addresses', () => {
  const lifetime = fc.integer({ min: 1, max: 0xffff_fffe })
  const values: Values<AddressOptions> = {
    broadcast: ip,
    peer: ip,
    label: text,
    scope: fc.constantFrom('site', 'link', 'host'),
    noDad: on,
    noPrefixRoute: on,
    validLifetime: lifetime,
    preferredLifetime: lifetime,
    metric: word,
  }
  for (const cidr of ['10.0.1.2/24', 'fd00::2/64'])
    describe(cidr, () => {
      const family = cidr.includes(':') ? 6 : 4
      const absent = family === 6 ? ['broadcast', 'label', 'scope'] : ['noDad']
      const taken = Object.fromEntries(Object.entries(values).filter(([name]) => !absent.includes(name))) as Values<AddressOptions>
      everyOption(taken, [{}], options => encode(address, { ...addressMessage(cidr, options), index: 1 }))
      test.each(absent)('%s is refused', name =>
        fc.assert(
          fc.property(values[name as keyof AddressOptions] as fc.Arbitrary<unknown>, value => {
            expect(attempt(() => encode(address, addressMessage(cidr, { [name]: value })))).toBeUndefined()
          }),
        ),
      )
    })
  test('noDad: false is what a veth has otherwise not', () => {
    expect(encode(address, addressMessage('fd00::2/64', { noDad: false }, true))).not.toBe(
      encode(address, addressMessage('fd00::2/64', {}, true)),
    )
  })
})

describe('routes', () => {
  const encoded = (spec: RouteSpec) => {
    const prepared = prepareRoute(spec)
    // As the verb does it, with indexes for names.
    return encode(route, prepared.message(prepared.links.map(({ ref }) => (typeof ref === 'number' ? ref : 1))))
  }
  const bases: RouteSpec[] = [
    { to: 'default', link: 1 },
    { to: '10.9.0.0/16', link: 1 },
    { to: 'fd09::/32', link: 1 },
    { to: '10.9.0.0/16', nexthops: [{ link: 1 }, { link: 2 }] },
    { to: 'fd09::/32', type: 'blackhole' },
  ]
  const values: Values<RouteSpec> = {
    to: ip,
    family: fc.constant(6),
    via: ip,
    link,
    src: ip,
    from: ip,
    metric: word,
    table: fc.oneof(fc.constantFrom('local', 'default'), fc.integer({ min: 256, max: 0xffff_ffff })),
    type: fc.constantFrom('local', 'broadcast', 'anycast', 'multicast', 'unreachable', 'prohibit', 'throw'),
    scope: fc.oneof(fc.constantFrom('site', 'host', 'nowhere'), fc.integer({ min: 1, max: 199 })),
    protocol: fc.oneof(fc.constantFrom('static', 'zebra', 'ospf'), fc.integer({ min: 20, max: 41 })),
    tos: fc.integer({ min: 1, max: 255 }),
    onlink: on,
    mtu: word,
    metrics: fc.record({ advmss: word }),
    preference: fc.constantFrom('low', 'high', 'medium'),
    nexthopId: word,
    nexthops: fc.array(fc.record({ link, weight: fc.integer({ min: 1, max: 256 }) }), { minLength: 1, maxLength: 3 }),
    expires: fc.integer({ min: 1, max: 0x7fff_ffff }),
    flags: 'read',
  }
  // A route may be given the family that it has anyway.
  everyOption(values, bases, encoded, ['family'])
  test('family says which default route is meant', () => {
    expect(encoded({ to: 'default', link: 1, family: 6 })).not.toBe(encoded({ to: 'default', link: 1 }))
  })

  describe('metrics', () => {
    const time = (perSecond: number) => fc.integer({ min: 0, max: 0xffff_ffff }).map(units => units / perSecond)
    const metrics: Values<RouteMetrics> = {
      window: word,
      rtt: time(8000),
      rttvar: time(4000),
      ssthresh: word,
      cwnd: word,
      advmss: word,
      reordering: word,
      hoplimit: fc.nat(255),
      initcwnd: fc.integer({ min: 1, max: 0xffff_ffff }),
      initrwnd: fc.integer({ min: 1, max: 0xffff_ffff }),
      rtoMin: time(1000),
      quickack: fc.boolean(),
      fastopenNoCookie: fc.boolean(),
      congestion: text,
      features: fc.constantFrom(['ecn'], ['ecn', 'sack'], ['timestamp']),
      lock: fc.constantFrom(['mtu'], ['advmss'], ['mtu', 'congestion']),
    }
    everyOption(metrics, [{}, { cwnd: 5 }], of => encoded({ to: '10.9.0.0/16', link: 1, metrics: of }))
  })

  describe('nexthops', () => {
    const nexthops: Values<NexthopSpec> = { via: ip, link, weight: fc.integer({ min: 2, max: 256 }), onlink: on, flags: 'read' }
    everyOption(nexthops, [{ link: 1 }], of => encoded({ to: '10.9.0.0/16', nexthops: [{ link: 9 }, of] }))
  })
})

describe('neighbours', () => {
  const values: Values<NeighbourSpec> = {
    address: ip,
    mac,
    link,
    state: fc.constantFrom('noarp', 'reachable', 'stale', 'delay', 'probe', 'none'),
    proxy: on,
    router: on,
    flags: 'read',
    family: fc.constantFrom(4, 6),
  }
  const bases: NeighbourSpec[] = [
    { address: '10.0.1.7', link: 1 },
    { address: 'fd00::7', link: 1 },
    { address: '10.0.1.7', link: 1, mac: '02:00:00:00:00:01' },
  ]
  everyOption(values, bases, spec => encode(neighbour, { ...neighbourMessage(spec), index: spec.link }), ['family'])
})

describe('MAC tables', () => {
  const values: Values<FdbSpec> = {
    mac,
    port: link,
    vlan: fc.integer({ min: 1, max: 4094 }),
    state: fc.constantFrom('permanent', 'reachable'),
    self: on,
    sticky: on,
    destination: ip,
    destinationPort: fc.integer({ min: 1, max: 0xffff }),
    vni: fc.nat(0xff_ffff),
    sourceVni: fc.nat(0xff_ffff),
    via: link,
    append: on,
    bridge: 'read',
    age: 'read',
    used: 'read',
    permanent: 'read',
    local: 'read',
    flags: 'read',
  }
  const bases: FdbSpec[] = [
    { mac: '02:00:00:00:00:01', port: 1 },
    { mac: '02:00:00:00:00:01', port: 1, destination: '192.0.2.1', state: 'reachable' },
  ]
  // `self` and `state` may say what goes without saying; `append` is a flag of the message's header.
  const encoded = (spec: FdbSpec) =>
    `${encode(neighbour, { ...fdbMessage(spec), index: spec.port, ...(spec.via === undefined ? {} : { ifindex: spec.via }) })}${spec.append ?? ''}`
  everyOption(values, bases, encoded, ['self', 'state'])
  test('self and state are sent', () => {
    const [plain] = bases
    expect(encoded({ ...plain!, self: true })).not.toBe(encoded(plain!))
    expect(encoded({ ...plain!, state: 'permanent' })).not.toBe(encoded(plain!))
  })
})

describe('rules', () => {
  const ports = fc.tuple(fc.nat(0xfffe), fc.nat(0xfffe)).map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }))
  const values: Values<RuleSpec> = {
    family: fc.constant(6),
    priority: word,
    from: ip,
    to: ip,
    mark: word,
    mask: word,
    iif: text,
    oif: text,
    tos: fc.integer({ min: 1, max: 255 }),
    ipProtocol: fc.nat(255),
    sourcePorts: ports,
    destinationPorts: ports,
    users: ports,
    invert: on,
    table: fc.oneof(fc.constantFrom('local', 'default'), fc.integer({ min: 256, max: 0xffff_ffff })),
    type: fc.constantFrom('nop', 'blackhole', 'unreachable', 'prohibit'),
    goto: word,
    suppressPrefix: fc.nat(128),
    suppressGroup: fc.nat(0x7fff_ffff),
    l3mdev: on,
    protocol: fc.oneof(fc.constantFrom('static', 'zebra'), fc.integer({ min: 20, max: 41 })),
  }
  everyOption(values, [{}, { mark: 5 }, { type: 'goto', goto: 5 }], spec => encode(rule, ruleMessage(spec)))
})
