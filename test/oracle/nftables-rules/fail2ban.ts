// Real-life rules of fail2ban, each as nft 1.0.6 prints it.
import { nft } from '../../../lib/index.js'
import type { RuleRow } from './row.js'

const { drop, ip, ip6, meta, reject, rule, tcp } = nft

export const fail2ban: readonly RuleRow[] = [
  {
    origin: 'fail2ban: chain f2b-chain',
    family: 'inet',
    table: 'f2b-table',
    chain: 'f2b-chain',
    base: { type: 'filter', hook: 'input', prio: -1 },
    objects: ['set addr-set-sshd { type ipv4_addr; elements = { 192.0.2.1 } }'],
    text: 'tcp dport { 22, 80, 443 } ip saddr @addr-set-sshd reject with icmp port-unreachable',
    rule: rule(tcp.dport([22, 80, 443]), ip.saddr('@addr-set-sshd'), reject('icmp', 'port-unreachable')),
  },
  {
    origin: 'fail2ban: chain f2b-chain',
    family: 'inet',
    table: 'f2b-table',
    chain: 'f2b-chain',
    base: { type: 'filter', hook: 'input', prio: -1 },
    objects: ['set addr6-set-recidive { type ipv6_addr }'],
    text: 'meta l4proto { tcp, udp } ip6 saddr @addr6-set-recidive drop',
    rule: rule(meta.l4proto(['tcp', 'udp']), ip6.saddr('@addr6-set-recidive'), drop),
  },
  {
    origin: 'fail2ban: chain f2b-chain',
    family: 'inet',
    table: 'f2b-table',
    chain: 'f2b-chain',
    base: { type: 'filter', hook: 'input', prio: -1 },
    objects: ['set addr-set-postfix { type ipv4_addr }'],
    text: 'tcp dport 25 ip saddr @addr-set-postfix reject with icmpx host-unreachable',
    rule: rule(tcp.dport(25), ip.saddr('@addr-set-postfix'), reject('icmpx', 'host-unreachable')),
  },
]
