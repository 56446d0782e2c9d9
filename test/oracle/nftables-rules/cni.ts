// Real-life rules of the CNI plugins, each as nft 1.0.6 prints it.
import { nft } from '../../../lib/index.js'
import type { RuleRow } from './row.js'

const { accept, comment, counter, ct, dnat, drop, ether, fib, iifname, ip, jump, masquerade, not, rule, tcp, udp } = nft

export const cni: readonly RuleRow[] = [
  {
    origin: 'CNI plugins: chain hostip_hostports',
    family: 'ip',
    table: 'cni_hostport',
    chain: 'hostip_hostports',
    text: 'ip daddr 192.168.0.2 tcp dport 8083 dnat to 10.0.0.2:83 comment "icee6giejonei6so"',
    rule: rule(ip.daddr('192.168.0.2'), tcp.dport(8083), dnat({ to: '10.0.0.2', port: 83 }), comment('icee6giejonei6so')),
  },
  {
    origin: 'CNI plugins: chain hostports',
    family: 'ip',
    table: 'cni_hostport',
    chain: 'hostports',
    text: 'tcp dport 8080 dnat to 10.0.0.2:80 comment "icee6giejonei6so"',
    rule: rule(tcp.dport(8080), dnat({ to: '10.0.0.2', port: 80 }), comment('icee6giejonei6so')),
  },
  {
    origin: 'CNI plugins: chain hostports',
    family: 'ip',
    table: 'cni_hostport',
    chain: 'hostports',
    text: 'udp dport 8082 dnat to 10.0.0.2:82 comment "icee6giejonei6so"',
    rule: rule(udp.dport(8082), dnat({ to: '10.0.0.2', port: 82 }), comment('icee6giejonei6so')),
  },
  {
    origin: 'CNI plugins: chain hostports',
    family: 'ip6',
    table: 'cni_hostport',
    chain: 'hostports',
    text: 'tcp dport 8086 dnat to [2001:db8::2]:86 comment "icee6giejonei6so"',
    rule: rule(tcp.dport(8086), dnat({ to: '2001:db8::2', port: 86 }), comment('icee6giejonei6so')),
  },
  {
    origin: 'CNI plugins: chain masquerading',
    family: 'ip',
    table: 'cni_hostport',
    chain: 'masquerading',
    base: { type: 'nat', hook: 'postrouting', prio: 100 },
    text: 'ip saddr 127.0.0.1 ip daddr 10.0.0.2 masquerade comment "icee6giejonei6so"',
    rule: rule(ip.saddr('127.0.0.1'), ip.daddr('10.0.0.2'), masquerade, comment('icee6giejonei6so')),
  },
  {
    origin: 'CNI plugins: chain output',
    family: 'ip',
    table: 'cni_hostport',
    chain: 'output',
    base: { type: 'nat', hook: 'output', prio: -100 },
    chains: ['hostports'],
    text: 'fib daddr type local jump hostports',
    rule: rule(fib('daddr').type('local'), jump('hostports')),
  },
  {
    origin: 'CNI plugins: chain masq_checks',
    family: 'inet',
    table: 'cni_plugins_masquerade',
    chain: 'masq_checks',
    chains: ['masq_chain'],
    text: 'ip saddr 10.1.2.3 ip daddr != 10.1.0.0/16 jump masq_chain comment "6fd92501e58f0167-net1-0-eth0"',
    rule: rule(ip.saddr('10.1.2.3'), ip.daddr(not('10.1.0.0/16')), jump('masq_chain'), comment('6fd92501e58f0167-net1-0-eth0')),
  },
  {
    origin: 'CNI plugins: chain CNI-FORWARD',
    family: 'ip',
    table: 'cni_firewall',
    chain: 'CNI-FORWARD',
    base: { type: 'filter', hook: 'forward', prio: 0 },
    text: 'ip daddr 10.1.2.3 ct state established,related counter packets 0 bytes 0 accept',
    rule: rule(ip.daddr('10.1.2.3'), ct.state('established', 'related'), counter, accept),
  },
  {
    origin: 'CNI plugins: chain PREROUTING',
    family: 'bridge',
    table: 'nat',
    chain: 'PREROUTING',
    base: { type: 'filter', hook: 'prerouting', prio: -300 },
    text: 'iifname "veth1" ether saddr != 0a:58:0a:01:00:02 drop comment "macspoofchk-net1-eth0"',
    rule: rule(iifname('veth1'), ether.saddr(not('0a:58:0a:01:00:02')), drop, comment('macspoofchk-net1-eth0')),
  },
]
