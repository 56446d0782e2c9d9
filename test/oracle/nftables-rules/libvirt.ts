// Real-life rules of libvirt, each as nft 1.0.6 prints it.
import type { RuleRow } from './row.js'

export const libvirt: readonly RuleRow[] = [
  {
    origin: 'libvirt (virtual networks): chain guest_output',
    family: 'ip',
    table: 'libvirt_network',
    chain: 'guest_output',
    text: 'ip saddr 192.168.122.0/24 iif "lo" counter packets 0 bytes 0 accept',
  },
  {
    origin: 'libvirt (virtual networks): chain guest_output',
    family: 'ip',
    table: 'libvirt_network',
    chain: 'guest_output',
    text: 'iif "lo" counter packets 0 bytes 0 reject',
  },
  {
    origin: 'libvirt (virtual networks): chain guest_input',
    family: 'ip',
    table: 'libvirt_network',
    chain: 'guest_input',
    text: 'oif "lo" ip daddr 192.168.122.0/24 ct state established,related counter packets 0 bytes 0 accept',
  },
  {
    origin: 'libvirt (virtual networks): chain guest_cross',
    family: 'ip',
    table: 'libvirt_network',
    chain: 'guest_cross',
    text: 'iif "lo" oif "lo" counter packets 0 bytes 0 accept',
  },
  {
    origin: 'libvirt (virtual networks): chain guest_nat',
    family: 'ip',
    table: 'libvirt_network',
    chain: 'guest_nat',
    base: { type: 'nat', hook: 'postrouting', prio: 100 },
    text: 'meta l4proto tcp ip saddr 192.168.122.0/24 ip daddr != 192.168.122.0/24 counter packets 0 bytes 0 masquerade to :1024-65535',
  },
  {
    origin: 'libvirt (virtual networks): chain guest_nat',
    family: 'ip',
    table: 'libvirt_network',
    chain: 'guest_nat',
    base: { type: 'nat', hook: 'postrouting', prio: 100 },
    text: 'ip saddr 192.168.122.0/24 ip daddr 255.255.255.255 counter packets 0 bytes 0 return',
  },
  {
    origin: 'libvirt (virtual networks): chain guest_nat',
    family: 'ip',
    table: 'libvirt_network',
    chain: 'guest_nat',
    base: { type: 'nat', hook: 'postrouting', prio: 100 },
    text: 'meta l4proto udp ip saddr 192.168.122.0/24 ip daddr != 192.168.122.0/24 counter packets 0 bytes 0 snat to 192.0.2.10-192.0.2.20:1024-65535',
  },
  {
    origin: 'libvirt (virtual networks): chain guest_nat',
    family: 'ip6',
    table: 'libvirt_network',
    chain: 'guest_nat',
    base: { type: 'nat', hook: 'postrouting', prio: 100 },
    text: 'ip6 saddr fd00:122::/64 ip6 daddr ff02::/16 counter packets 0 bytes 0 return',
  },
]
