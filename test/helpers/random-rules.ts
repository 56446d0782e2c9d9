// Small random rule sets, and packets that their matches often fit.
import fc from 'fast-check'
import type { NftablesPacket } from '../../lib/index.js'
import { isKernel } from './features.js'

const of = (...values: string[]) => fc.constantFrom(...values)
const sets = `set hosts { type ipv4_addr; flags interval; elements = { 10.0.1.0/30, 10.9.0.0/16 }; }
set ports { type inet_service; elements = { 22, 80 }; }
set pairs { type ipv4_addr . inet_service; flags interval; elements = { 10.0.1.0/24 . 20-80, 10.0.2.2 . 53 }; }
map marks { type inet_service : mark; elements = { 22 : 0x1, 80 : 0x2, 443 : 0x10 }; }
map ways { type ipv4_addr : verdict; flags interval; elements = { 10.0.1.2 : accept, 10.0.1.3-10.0.1.9 : drop${isKernel('5.13') ? ', * : continue' : ''} }; }
`
/** What rules ask for that fits any packet. */
const any = of(
  'iifname "veth1"',
  'iifname "veth*"',
  'iifname != { "lo", "eth0" }',
  'oifname "veth2"',
  'oif "veth1"',
  'meta mark 1',
  'meta mark & 0x3 == 0x1',
  'meta mark > 5',
  'meta mark { 1-2, 0x10 }',
  'ct state new',
  'ct state established,related',
  'ct state { new, untracked }',
  'ct state != new',
  'ct mark 1',
  'ct direction original',
  'ct status dnat',
  'ct status & (snat | dnat) == 0',
  'meta pkttype host',
  'fib daddr type local',
  'fib saddr type != local',
)
const transports = {
  none: of(
    'meta l4proto { tcp, udp }',
    'meta l4proto != udp',
    'meta l4proto tcp',
    'meta l4proto { tcp, udp } th dport < 100',
    'meta l4proto { tcp, udp } @th,16,16 80',
    'counter',
  ),
  tcp: of(
    'tcp dport 80',
    'tcp dport != 22',
    'tcp dport { 22, 70-90 }',
    'tcp dport @ports',
    'tcp sport >= 40000',
    'tcp flags & (syn | ack) == syn',
    'tcp flags ack',
    'tcp flags != syn',
    'ct state . tcp dport { new . 80, established . 22 }',
  ),
  udp: of('udp dport 53', 'udp sport != 53', 'udp length > 4'),
}
type Transport = keyof typeof transports
const networks = {
  none: of('counter'),
  // Nothing else says it where both families are.
  both: of('meta nfproto ipv4', 'meta nfproto ipv6'),
  four: of(
    'ip saddr 10.0.1.2',
    'ip saddr != 10.0.1.0/29',
    'ip saddr { 10.0.1.3, 10.9.0.0/16 }',
    'ip saddr 10.0.1.2-10.0.1.4',
    'ip saddr @hosts',
    'ip saddr != @hosts',
    'ip daddr 10.0.2.0/24',
    'ip saddr . ip daddr { 10.0.1.2 . 10.0.2.2, 10.0.1.3 . 10.0.2.0/24 }',
    'ip ttl < 40',
    'ip dscp cs1',
    'ip frag-off & 0x1fff == 0',
    'ip version 4',
    'ct original ip daddr 10.0.2.2',
  ),
  six: of('ip6 saddr fd01::/64', 'ip6 daddr != fd02::2', 'ip6 hoplimit 64', 'exthdr frag exists'),
}
type Network = keyof typeof networks
const pings: Record<Network, fc.Arbitrary<string>> = {
  both: of('meta l4proto icmp'),
  none: of('meta l4proto icmp'),
  four: of('icmp type echo-request', 'icmp type . icmp code { echo-request . 0, echo-reply . 0 }'),
  six: of('icmpv6 type echo-request'),
}

const actions = (network: Network, transport: Transport | 'ping') =>
  of(
    'counter',
    'meta mark set 1',
    'meta mark set meta mark | 0x2',
    'ct mark set 1',
    'ct mark set meta mark',
    'meta mark set ct mark',
    ...(transport === 'tcp' ? ['meta mark set tcp dport map @marks'] : []),
    ...(network === 'four' ? ['ip dscp set cs1', 'ip ttl set 33'] : []),
  )
const plainFate = of('accept', 'drop', 'accept', 'drop', 'continue', '', '', '')
const mapped = (targets: readonly string[], network: Network, transport: Transport | 'ping') => {
  const ends = [...targets.map(name => `jump ${name}`), ...targets.map(name => `goto ${name}`), 'accept', 'drop']
  return of(...ends).chain(one =>
    of(
      `ct state vmap { invalid : drop, new : ${one} }`,
      ...(transport === 'tcp' ? [`tcp dport vmap { 22 : ${one}, 70-90 : accept }`] : []),
      ...(transport === 'none' ? [`meta l4proto vmap { icmp : ${one}, udp : drop, tcp : continue }`] : []),
      ...(network === 'four' ? ['ip saddr vmap @ways'] : []),
    ),
  )
}
const fate = (targets: readonly string[], inner: boolean, network: Network, transport: Transport | 'ping') =>
  fc.oneof(
    { weight: 3, arbitrary: plainFate },
    { weight: 1, arbitrary: mapped(targets, network, transport) },
    ...(targets.length > 0 ? [{ weight: 2, arbitrary: of(...targets.flatMap(name => [`jump ${name}`, `goto ${name}`])) }] : []),
    ...(inner ? [{ weight: 1, arbitrary: fc.constant('return') }] : []),
  )

const transportOf = (network: Network, transport: Transport | 'ping') => {
  if (transport === 'ping') return pings[network]
  return network === 'four' && transport === 'tcp' ? fc.oneof(of('ip saddr . tcp dport @pairs'), transports.tcp) : transports[transport]
}
/** `v4`: the table is of family ip. */
const rule = (targets: readonly string[], inner: boolean, v4: boolean) =>
  fc
    .tuple(
      fc.constantFrom<Network>('none', 'four', 'four', ...(v4 ? [] : (['six', 'six', 'both'] as const))),
      fc.constantFrom<Transport | 'ping'>('none', 'none', 'tcp', 'udp', 'ping'),
    )
    .chain(([network, transport]) =>
      fc.tuple(
        fc.array(networks[network], { maxLength: 1 }),
        fc.array(transportOf(network, transport), { maxLength: 1 }),
        fc.array(any, { maxLength: 1 }),
        fc.array(actions(network, transport), { maxLength: 1 }),
        fate(targets, inner, network, transport),
      ),
    )
    .map(([...all]) => all.flat().filter(Boolean).join(' ') || 'counter')
const lines = (targets: readonly string[], inner: boolean, v4: boolean) =>
  fc.array(rule(targets, inner, v4), { minLength: 1, maxLength: 4 })

const base = (v4: boolean) =>
  fc.record({
    hook: of('prerouting', 'forward', 'forward', 'postrouting'),
    // Equal ones would be told apart by their age.
    priority: fc.integer({ min: -390, max: 390 }),
    policy: of('accept', 'accept', 'drop'),
    rules: lines(['one', 'two', 'three'], false, v4),
    refuses: fc.boolean(),
  })
const translation = fc.oneof(
  of(
    'tcp dport 80 dnat ip to 10.0.2.7:81',
    'meta l4proto tcp dnat ip to tcp dport map { 22 : 10.0.2.8, 80 : 10.0.2.9 }',
    'tcp dport 22 redirect to :80',
    'ip saddr 10.0.1.2 accept',
    'udp dport 53 dnat ip6 to [fd02::7]:54',
  ).map(text => ({ hook: 'prerouting', text })),
  of('masquerade', 'ip saddr 10.0.1.2 snat ip to 10.0.2.50', 'oifname "veth2" meta l4proto udp masquerade', 'tcp dport 80 return').map(
    text => ({
      hook: 'postrouting',
      text,
    }),
  ),
)

const chain = (name: string, rules: readonly string[], head = '') => `chain ${name} {\n${head}${rules.join('\n')}\n}\n`
const table = (family: 'inet' | 'ip', name: string) => {
  const v4 = family === 'ip'
  return fc
    .record({
      bases: fc.uniqueArray(base(v4), { minLength: 1, maxLength: 3, selector: one => one.priority }),
      one: lines(['two', 'three'], true, v4),
      two: lines(['three'], true, v4),
      three: lines([], true, v4),
      nat: fc.array(translation, { maxLength: 2 }),
    })
    .map(({ bases, one, two, three, nat }) => {
      const chains = [chain('three', three), chain('two', two), chain('one', one)]
      bases.forEach(({ hook, priority, policy, rules, refuses }, i) => {
        const first = refuses && hook === 'forward' ? ['tcp dport 443 reject with tcp reset'] : []
        chains.push(chain(`base${i}`, [...first, ...rules], `type filter hook ${hook} priority ${priority}; policy ${policy};\n`))
      })
      for (const hook of ['prerouting', 'postrouting']) {
        const rules = nat.filter(each => each.hook === hook).map(({ text }) => (v4 ? text.replace(/ ip6? to/, ' to') : text))
        const fitting = v4 ? rules.filter(text => !text.includes('[')) : rules
        const priority = hook === 'prerouting' ? -100 : 100
        if (fitting.length > 0) chains.push(chain(`nat-${hook}`, fitting, `type nat hook ${hook} priority ${priority};\n`))
      }
      return `table ${family} ${name} {\n${sets}${chains.join('')}}\n`
    })
}
/** Two tables, as a script for nft. */
export const randomRules = fc.tuple(table('inet', 'a'), table('ip', 'b')).map(both => both.join(''))

const ports = fc.constantFrom(22, 53, 80, 443)
const transport = fc.oneof(
  ports.map(destinationPort => ({ protocol: 'tcp', sourcePort: 40_000, destinationPort, tcpFlags: ['syn'] as const })),
  ports.map(destinationPort => ({ protocol: 'udp', sourcePort: 53, destinationPort })),
  fc.constant({ protocol: 'icmp' as string, icmpCode: 0 }),
)
const rest = fc.record({
  ttl: fc.constantFrom(30, 64),
  dscp: fc.constantFrom(0, 8),
  mark: fc.constant(0),
  type: fc.constant('host' as const),
})
const ends4 = fc.record({ from: of('10.0.1.2', '10.0.1.3', '10.0.1.7', '10.9.0.1'), to: of('10.0.2.2', '10.0.2.3', '192.0.2.1') })
const ends6 = fc.record({ from: of('fd01::2', 'fd01::3'), to: of('fd02::2', 'fd02::3') })
export const randomPacket: fc.Arbitrary<NftablesPacket> = fc
  .tuple(fc.oneof({ weight: 3, arbitrary: ends4 }, { weight: 1, arbitrary: ends6 }), transport, rest)
  .map(([ends, what, others]) => {
    const v6 = ends.from.includes(':')
    const icmp = what.protocol === 'icmp' ? { protocol: v6 ? 'icmpv6' : 'icmp', icmpType: v6 ? 128 : 8 } : {}
    const length = (v6 ? 40 : 20) + (what.protocol === 'tcp' ? 24 : 12)
    return { ...ends, ...what, ...icmp, ...others, length }
  })
