// Real-life rules of nftables' own documentation: nft(8), its examples, the wiki, each as nft 1.0.6 prints it.
import { nft } from '../../../lib/index.js'
import type { RuleRow } from './row.js'

const {
  accept,
  add,
  concat,
  counter,
  ct,
  dnat,
  drop,
  icmpv6,
  ip,
  jhash,
  jump,
  limit,
  notrack,
  numgen,
  quota,
  range,
  reject,
  rule,
  snat,
  tcp,
} = nft

export const documentation1: readonly RuleRow[] = [
  {
    origin: 'nftables documentation: examples, nat.nft',
    family: 'ip',
    table: 'nat',
    chain: 'prerouting',
    base: { type: 'nat', hook: 'prerouting', prio: -100 },
    text: 'dnat to tcp dport map { 1000 : 1.1.1.1, 2000 : 2.2.2.2, 3000 : 3.3.3.3 }',
    rule: rule(
      dnat({
        to: tcp.dport.map([
          [1000, '1.1.1.1'],
          [2000, '2.2.2.2'],
          [3000, '3.3.3.3'],
        ]),
      }),
    ),
  },
  {
    origin: 'nftables documentation: examples, load_balancing.nft',
    family: 'ip',
    table: 'nat',
    chain: 'prerouting',
    base: { type: 'nat', hook: 'prerouting', prio: -100 },
    text: 'dnat to numgen inc mod 2 map { 0 : 192.168.10.100, 1 : 192.168.20.200 }',
    rule: rule(
      dnat({
        to: numgen('inc', { mod: 2 }).map([
          [0, '192.168.10.100'],
          [1, '192.168.20.200'],
        ]),
      }),
    ),
  },
  {
    origin: 'nftables documentation: examples, load_balancing.nft',
    family: 'ip',
    table: 'nat',
    chain: 'prerouting',
    base: { type: 'nat', hook: 'prerouting', prio: -100 },
    text: 'dnat to numgen inc mod 10 map { 0-5 : 192.168.10.100, 6-9 : 192.168.20.200 }',
    rule: rule(
      dnat({
        to: numgen('inc', { mod: 10 }).map([
          [range(0, 5), '192.168.10.100'],
          [range(6, 9), '192.168.20.200'],
        ]),
      }),
    ),
  },
  {
    origin: 'nftables documentation: examples, load_balancing.nft',
    family: 'ip',
    table: 'nat',
    chain: 'prerouting',
    base: { type: 'nat', hook: 'prerouting', prio: -100 },
    text: 'dnat to jhash ip saddr . tcp dport mod 2 map { 0 : 192.168.20.100, 1 : 192.168.30.100 }',
    rule: rule(
      dnat({
        to: jhash(concat(ip.saddr, tcp.dport), { mod: 2 }).map([
          [0, '192.168.20.100'],
          [1, '192.168.30.100'],
        ]),
      }),
    ),
  },
  {
    origin: 'nftables documentation: wiki, Multiple NATs using nftables maps',
    family: 'ip',
    table: 'nat',
    chain: 'prerouting',
    base: { type: 'nat', hook: 'prerouting', prio: -100 },
    text: 'dnat ip to ip saddr . tcp dport map { 10.141.10.4 . 22 : 192.168.2.10 . 2222, 10.141.10.5 . 80 : 192.168.4.2 . 8080 }',
    rule: rule(
      dnat({
        family: 'ip',
        to: concat(ip.saddr, tcp.dport).map([
          [
            ['10.141.10.4', 22],
            ['192.168.2.10', 2222],
          ],
          [
            ['10.141.10.5', 80],
            ['192.168.4.2', 8080],
          ],
        ]),
      }),
    ),
  },
  {
    origin: 'nftables documentation: wiki, Multiple NATs using nftables maps',
    family: 'ip',
    table: 'nat',
    chain: 'postrouting',
    base: { type: 'nat', hook: 'postrouting', prio: 100 },
    text: 'snat ip to ip saddr map { 10.141.11.0/24 : 192.168.2.2-192.168.2.4 }',
    rule: rule(snat({ family: 'ip', to: ip.saddr.map([['10.141.11.0/24', '192.168.2.2-192.168.2.4']]) })),
  },
  {
    origin: 'nftables documentation: nft(8), NAT statements',
    family: 'ip',
    table: 'nat',
    chain: 'postrouting',
    base: { type: 'nat', hook: 'postrouting', prio: 100 },
    text: 'snat ip prefix to ip saddr map { 10.141.11.0/24 : 192.168.2.0/24 }',
    rule: rule(snat({ family: 'ip', to: ip.saddr.map([['10.141.11.0/24', '192.168.2.0/24']]), prefix: true })),
  },
  {
    origin: 'nftables documentation: examples, load_balancing.nft',
    family: 'ip',
    table: 'raw',
    chain: 'prerouting',
    base: { type: 'filter', hook: 'prerouting', prio: -300 },
    text: 'tcp dport 80 notrack ip daddr set numgen inc mod 2 map { 0 : 192.168.1.100, 1 : 192.168.1.101 }',
    rule: rule(
      tcp.dport(80),
      notrack,
      ip.daddr.set(
        numgen('inc', { mod: 2 }).map([
          [0, '192.168.1.100'],
          [1, '192.168.1.101'],
        ]),
      ),
    ),
  },
  {
    origin: 'nftables documentation: examples, workstation.nft',
    family: 'inet',
    table: 'filter',
    chain: 'input',
    base: { type: 'filter', hook: 'input', prio: 0, policy: 'drop' },
    text: 'icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem, echo-request, echo-reply, 148, 149 } accept',
    rule: rule(
      icmpv6.type([
        'destination-unreachable',
        'packet-too-big',
        'time-exceeded',
        'parameter-problem',
        'echo-request',
        'echo-reply',
        148,
        149,
      ]),
      accept,
    ),
  },
  {
    origin: 'nftables documentation: wiki, Verdict maps',
    family: 'inet',
    table: 'filter',
    chain: 'input',
    base: { type: 'filter', hook: 'input', prio: 0, policy: 'drop' },
    text: 'ct state vmap { invalid : drop, established : accept, related : accept }',
    rule: rule(
      ct.state.vmap([
        ['invalid', drop],
        ['established', accept],
        ['related', accept],
      ]),
    ),
  },
  {
    origin: 'nftables documentation: wiki, Simple ruleset for a home router',
    family: 'inet',
    table: 'filter',
    chain: 'input',
    base: { type: 'filter', hook: 'input', prio: 0, policy: 'drop' },
    chains: ['ssh', 'web'],
    text: 'tcp dport vmap { 22 : jump ssh, 80-81 : jump web, 443 : accept }',
    rule: rule(
      tcp.dport.vmap([
        [22, jump('ssh')],
        [range(80, 81), jump('web')],
        [443, accept],
      ]),
    ),
  },
  {
    origin: 'nftables documentation: wiki, Verdict maps',
    family: 'inet',
    table: 'filter',
    chain: 'input',
    base: { type: 'filter', hook: 'input', prio: 0, policy: 'drop' },
    chains: ['icmp-chain', 'tcp-chain', 'udp-chain'],
    text: 'ip protocol vmap { icmp : jump icmp-chain, tcp : jump tcp-chain, udp : jump udp-chain }',
    rule: rule(
      ip.protocol.vmap([
        ['icmp', jump('icmp-chain')],
        ['tcp', jump('tcp-chain')],
        ['udp', jump('udp-chain')],
      ]),
    ),
  },
  {
    origin: 'nftables documentation: nft(8), set statement',
    family: 'inet',
    table: 'filter',
    chain: 'input',
    base: { type: 'filter', hook: 'input', prio: 0, policy: 'drop' },
    objects: ['set denylist { type ipv4_addr; size 65535; flags dynamic,timeout; timeout 5m }'],
    text: 'add @denylist { ip saddr timeout 1m limit rate over 10/second } drop',
    rule: rule(add('@denylist', ip.saddr, { timeout: 60, each: limit('10/second', { over: true }) }), drop),
  },
  {
    origin: 'nftables documentation: nft(8), connection limit',
    family: 'inet',
    table: 'filter',
    chain: 'input',
    base: { type: 'filter', hook: 'input', prio: 0, policy: 'drop' },
    objects: ['set ssh_meter { type ipv4_addr; size 65535; flags dynamic }'],
    text: 'tcp dport 22 ct state new add @ssh_meter { ip saddr ct count over 3 } reject with icmp port-unreachable',
    rule: rule(
      tcp.dport(22),
      ct.state('new'),
      add('@ssh_meter', ip.saddr, { each: ct.count(3, { over: true }) }),
      reject('icmp', 'port-unreachable'),
    ),
  },
  {
    origin: 'nftables documentation: wiki, Counters',
    family: 'inet',
    table: 'filter',
    chain: 'input',
    base: { type: 'filter', hook: 'input', prio: 0, policy: 'drop' },
    objects: ['counter connections { packets 0 bytes 0 }'],
    text: 'ct count over 20 counter name "connections" drop',
    rule: rule(ct.count(20, { over: true }), counter.named('connections'), drop),
  },
  {
    origin: 'nftables documentation: nft(8), quota',
    family: 'inet',
    table: 'filter',
    chain: 'input',
    base: { type: 'filter', hook: 'input', prio: 0, policy: 'drop' },
    text: 'quota over 500 mbytes drop',
    rule: rule(quota('500 mbytes', { over: true }), drop),
  },
]
