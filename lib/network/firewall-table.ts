// The firewall of container networks as it stands in the kernel: one table with a fixed number of rules, which look everything up in sets and maps.
import { type BuiltRule, nft } from '../kernel/nftables/builders.js'
import type { RulesetObject } from '../kernel/nftables/objects.js'

export const firewallTable = { family: 'inet', name: 'netloom' } as const
const within = { family: firewallTable.family, table: firewallTable.name } as const

/** Sets and maps by name, each with the types of its keys and values. */
const sets = {
  /** Our bridges. */
  bridges: { type: 'ifname' },
  /** Each bridge twice: packets that come in and leave by the same. */
  same: { type: ['ifname', 'ifname'] },
  /** Bridges with no way out and none in. */
  internal: { type: 'ifname' },
  /** Bridges whose endpoints may not reach each other. */
  closed: { type: 'ifname' },
  /** Subnets whose packets leave the machine with its address. */
  masquerade4: { type: 'ipv4_addr', flags: 'interval' },
  masquerade6: { type: 'ipv6_addr', flags: 'interval' },
  /** Addresses of the gateways. */
  gateways4: { type: 'ipv4_addr' },
  gateways6: { type: 'ipv6_addr' },
} as const
const maps = {
  /** Subnets whose packets leave the machine with an address that was chosen. */
  source4: { type: 'ipv4_addr', map: 'ipv4_addr', flags: 'interval' },
  /** Published ports: on one address of the host, and on all that are its own. */
  ports4: { type: ['ipv4_addr', 'inet_proto', 'inet_service'], map: ['ipv4_addr', 'inet_service'] },
  ports6: { type: ['ipv6_addr', 'inet_proto', 'inet_service'], map: ['ipv6_addr', 'inet_service'] },
  any4: { type: ['inet_proto', 'inet_service'], map: ['ipv4_addr', 'inet_service'] },
  any6: { type: ['inet_proto', 'inet_service'], map: ['ipv6_addr', 'inet_service'] },
} as const
export type FirewallSet = keyof typeof sets | keyof typeof maps

const { rule, iifname, oifname, ct, concat, not, ip, ip6, meta, th, fib, accept, drop, masquerade, snat, dnat, goto } = nft
const elsewhere = concat(iifname, oifname)(not('@same'))
const local = fib('daddr').type('local')

const base = {
  prerouting: { type: 'nat', hook: 'prerouting', prio: -100 },
  output: { type: 'nat', hook: 'output', prio: -100 },
  input: { type: 'filter', hook: 'input', prio: 0 },
  forward: { type: 'filter', hook: 'forward', prio: 0 },
  postrouting: { type: 'nat', hook: 'postrouting', prio: 100 },
} as const

/** Chains in the order in which they can be made: one that is gone to comes before those that go there. */
const chains: Readonly<Record<string, readonly BuiltRule[]>> = {
  published: [
    rule(meta.nfproto('ipv4'), dnat({ family: 'ip', to: concat(ip.daddr, meta.l4proto, th.dport).map('@ports4') })),
    rule(meta.nfproto('ipv6'), dnat({ family: 'ip6', to: concat(ip6.daddr, meta.l4proto, th.dport).map('@ports6') })),
    // The loopback addresses lead nowhere else: the kernel drops what would leave with them, unless told otherwise for each bridge.
    rule(ip.daddr(not('127.0.0.0/8')), local, dnat({ family: 'ip', to: concat(meta.l4proto, th.dport).map('@any4') })),
    rule(ip6.daddr(not('::1')), local, dnat({ family: 'ip6', to: concat(meta.l4proto, th.dport).map('@any6') })),
  ],
  prerouting: [rule(goto('published'))],
  output: [rule(goto('published'))],
  input: [
    // With route_localnet, which a port published on 127.0.0.1 needs, neighbours could send there.
    rule(iifname('@bridges'), ip.daddr('127.0.0.0/8'), ct.state('new'), drop),
    // Names are answered to the own network only.
    ...[ip.daddr('@gateways4'), ip6.daddr('@gateways6')].map(gateway =>
      rule(gateway, iifname(not('lo')), meta.l4proto(['tcp', 'udp']), th.dport(53), fib('daddr', 'iif').type(not('local')), drop),
    ),
  ],
  forward: [
    rule(ct.state(['established', 'related']), accept),
    rule(iifname('@internal'), elsewhere, drop),
    rule(ct.status('dnat'), accept),
    rule(iifname('@closed'), oifname('@closed'), drop),
    rule(oifname('@bridges'), elsewhere, drop),
  ],
  postrouting: [
    rule(oifname('lo'), accept),
    rule(oifname('@bridges'), ip.saddr('127.0.0.0/8'), masquerade),
    // An endpoint that reaches its neighbour by a published port: the answer has to come back this way.
    rule(ct.status('dnat'), concat(iifname, oifname)('@same'), masquerade),
    rule(oifname('@bridges'), accept),
    rule(meta.nfproto('ipv4'), snat({ family: 'ip', to: ip.saddr.map('@source4') })),
    rule(ip.saddr('@masquerade4'), masquerade),
    rule(ip6.saddr('@masquerade6'), masquerade),
  ],
}

/** The table without elements, in the order in which it can be made. */
export function firewallObjects(): RulesetObject[] {
  return [
    { table: { ...firewallTable } },
    ...Object.entries(sets).map(([name, set]) => ({ set: { ...within, name, ...set } })),
    ...Object.entries(maps).map(([name, map]) => ({ map: { ...within, name, ...map } })),
    ...Object.keys(chains).map(name => ({ chain: { ...within, name, ...base[name as keyof typeof base] } })),
    ...Object.entries(chains).flatMap(([chain, rules]) => rules.map(one => ({ rule: { ...within, chain, ...one } }))),
  ]
}
export const setRef = (name: FirewallSet) => ({ ...within, name })
