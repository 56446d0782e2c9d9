// Real-life rules of libvirt, each as nft 1.0.6 prints it.
import { nft } from '../../../lib/index.js'
import type { RuleRow } from './row.js'

const { accept, counter, ct, iif, ip, ip6, masquerade, meta, not, oif, range, reject, rule, snat } = nft

export const libvirt: readonly RuleRow[] = [
  {
    origin: 'libvirt (virtual networks): chain guest_output',
    family: 'ip',
    table: 'libvirt_network',
    chain: 'guest_output',
    text: 'ip saddr 192.168.122.0/24 iif "lo" counter packets 0 bytes 0 accept',
    rule: rule(ip.saddr('192.168.122.0/24'), iif('lo'), counter, accept),
  },
  {
    origin: 'libvirt (virtual networks): chain guest_output',
    family: 'ip',
    table: 'libvirt_network',
    chain: 'guest_output',
    text: 'iif "lo" counter packets 0 bytes 0 reject',
    rule: rule(iif('lo'), counter, reject('icmp', 'port-unreachable')),
  },
  {
    origin: 'libvirt (virtual networks): chain guest_input',
    family: 'ip',
    table: 'libvirt_network',
    chain: 'guest_input',
    text: 'oif "lo" ip daddr 192.168.122.0/24 ct state established,related counter packets 0 bytes 0 accept',
    rule: rule(oif('lo'), ip.daddr('192.168.122.0/24'), ct.state('established', 'related'), counter, accept),
  },
  {
    origin: 'libvirt (virtual networks): chain guest_cross',
    family: 'ip',
    table: 'libvirt_network',
    chain: 'guest_cross',
    text: 'iif "lo" oif "lo" counter packets 0 bytes 0 accept',
    rule: rule(iif('lo'), oif('lo'), counter, accept),
  },
  {
    origin: 'libvirt (virtual networks): chain guest_nat',
    family: 'ip',
    table: 'libvirt_network',
    chain: 'guest_nat',
    base: { type: 'nat', hook: 'postrouting', prio: 100 },
    text: 'meta l4proto tcp ip saddr 192.168.122.0/24 ip daddr != 192.168.122.0/24 counter packets 0 bytes 0 masquerade to :1024-65535',
    rule: rule(
      meta.l4proto('tcp'),
      ip.saddr('192.168.122.0/24'),
      ip.daddr(not('192.168.122.0/24')),
      counter,
      masquerade({ port: range(1024, 65535) }),
    ),
  },
  {
    origin: 'libvirt (virtual networks): chain guest_nat',
    family: 'ip',
    table: 'libvirt_network',
    chain: 'guest_nat',
    base: { type: 'nat', hook: 'postrouting', prio: 100 },
    text: 'ip saddr 192.168.122.0/24 ip daddr 255.255.255.255 counter packets 0 bytes 0 return',
    rule: rule(ip.saddr('192.168.122.0/24'), ip.daddr('255.255.255.255'), counter, nft.return),
  },
  {
    origin: 'libvirt (virtual networks): chain guest_nat',
    family: 'ip',
    table: 'libvirt_network',
    chain: 'guest_nat',
    base: { type: 'nat', hook: 'postrouting', prio: 100 },
    text: 'meta l4proto udp ip saddr 192.168.122.0/24 ip daddr != 192.168.122.0/24 counter packets 0 bytes 0 snat to 192.0.2.10-192.0.2.20:1024-65535',
    rule: rule(
      meta.l4proto('udp'),
      ip.saddr('192.168.122.0/24'),
      ip.daddr(not('192.168.122.0/24')),
      counter,
      snat({ to: '192.0.2.10-192.0.2.20', port: range(1024, 65535) }),
    ),
  },
  {
    origin: 'libvirt (virtual networks): chain guest_nat',
    family: 'ip6',
    table: 'libvirt_network',
    chain: 'guest_nat',
    base: { type: 'nat', hook: 'postrouting', prio: 100 },
    text: 'ip6 saddr fd00:122::/64 ip6 daddr ff02::/16 counter packets 0 bytes 0 return',
    rule: rule(ip6.saddr('fd00:122::/64'), ip6.daddr('ff02::/16'), counter, nft.return),
  },
]
