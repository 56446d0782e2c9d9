// What the tables of iptables claim about the kernel's headers.
import * as iptables from '../../lib/protocol/iptables.js'
import { natFlags } from '../../lib/protocol/netfilter.js'
import * as xtables from '../../lib/protocol/xtables.js'
import { layout, type NumberSet, type StructLayout } from './abi-form.js'

export const iptablesHeaders = [
  'linux/netfilter/x_tables.h',
  'linux/netfilter_ipv4/ip_tables.h',
  'linux/netfilter_ipv6/ip6_tables.h',
  'linux/netfilter/nf_nat.h',
  ...['conntrack', 'state', 'comment', 'addrtype', 'physdev', 'mark', 'multiport', 'limit', 'LOG', 'TCPMSS', 'CHECKSUM'].map(
    name => `linux/netfilter/xt_${name}.h`,
  ),
  'linux/netfilter_ipv4/ipt_REJECT.h',
]

export const iptablesSets: readonly NumberSet[] = [
  { prefix: 'IPT_SO', numbers: iptables.tableOptions },
  { prefix: 'IPT_F', numbers: iptables.entryFlags, bits: true },
  { prefix: 'IP6T_F', numbers: iptables.entryFlags6, bits: true },
  { prefix: 'IPT_INV', numbers: iptables.entryInversions, bits: true },
  { prefix: 'XT_TCP_INV', numbers: xtables.tcpInversions, bits: true },
  {
    prefix: 'XT_CONNTRACK',
    numbers: xtables.conntrackMatchFlags,
    bits: true,
    renamed: Object.fromEntries(
      ['origsrc', 'origdst', 'replsrc', 'repldst'].map(name => [`${name}Port`, `XT_CONNTRACK_${name.toUpperCase()}_PORT`]),
    ),
  },
  { prefix: 'XT_ADDRTYPE', numbers: xtables.addrtypeFlags, bits: true },
  { prefix: 'XT_PHYSDEV_OP', numbers: xtables.physdevOps, bits: true },
  { prefix: 'XT_MULTIPORT', numbers: xtables.multiportSides },
  { prefix: 'XT_LOG', numbers: xtables.logFlags, bits: true },
  { prefix: 'NF_NAT_RANGE', numbers: natFlags, bits: true },
]

const conntrackPorts = Object.fromEntries(
  ['origsrc', 'origdst', 'replsrc', 'repldst'].flatMap(name => [
    [`${name}Port`, `${name}_port`],
    [`${name}PortHigh`, `${name}_port_high`],
  ]),
)
export const iptablesStructs: readonly StructLayout[] = [
  layout('xt_counters', iptables.counters),
  layout('ipt_ip', iptables.iptIp),
  layout('ip6t_ip6', iptables.ip6tIp6),
  layout('ipt_entry', iptables.iptEntry, '', { packets: 'counters.pcnt', bytes: 'counters.bcnt' }),
  layout('ip6t_entry', iptables.ip6tEntry, '', { packets: 'counters.pcnt', bytes: 'counters.bcnt' }),
  layout('xt_entry_match', iptables.extensionHeader, 'u.user.', { size: 'u.user.match_size' }),
  layout('ipt_getinfo', iptables.getInfo),
  layout('ipt_get_entries', iptables.getEntries),
  layout('ipt_replace', iptables.replace),
  layout('xt_counters_info', iptables.countersInfo),
  layout('xt_tcp', xtables.xtTcp),
  layout('xt_udp', xtables.xtUdp),
  layout('ipt_icmp', xtables.iptIcmp, '', { codeLow: 'code[0]', codeHigh: 'code[1]' }),
  layout('xt_conntrack_mtinfo1', xtables.xtConntrack1, '', conntrackPorts),
  layout('xt_conntrack_mtinfo2', xtables.xtConntrack2, '', conntrackPorts),
  layout('xt_conntrack_mtinfo3', xtables.xtConntrack3, '', conntrackPorts),
  layout('xt_state_info', xtables.xtState),
  layout('xt_comment_info', xtables.xtComment),
  layout('xt_addrtype_info', xtables.xtAddrtype0),
  layout('xt_addrtype_info_v1', xtables.xtAddrtype1),
  layout('xt_physdev_info', xtables.xtPhysdev),
  layout('xt_mark_mtinfo1', xtables.xtMark1),
  layout('xt_multiport', xtables.xtMultiport0),
  layout('xt_multiport_v1', xtables.xtMultiport1),
  layout('xt_rateinfo', xtables.xtLimit),
  layout('ipt_reject_info', xtables.iptReject),
  layout('xt_log_info', xtables.xtLog),
  layout('nf_nat_ipv4_multi_range_compat', xtables.natMultiRange, '', {
    flags: 'range[0].flags',
    minIp: 'range[0].min_ip',
    maxIp: 'range[0].max_ip',
    min: 'range[0].min',
    max: 'range[0].max',
  }),
  layout('nf_nat_range', xtables.natRange),
  layout('nf_nat_range2', xtables.natRange2),
  layout('xt_mark_tginfo2', xtables.xtSetMark),
  layout('xt_tcpmss_info', xtables.xtTcpmss),
  layout('xt_CHECKSUM_info', xtables.xtChecksum),
]
/** A target's data, without the header that is checked by itself: the standard target's and the error target's. */
export const iptablesDataClaims = [
  { name: 'verdict', expression: 'sizeof(((struct xt_standard_target *)0)->verdict)', value: xtables.xtStandard.size },
  { name: 'errorname', expression: 'sizeof(((struct xt_error_target *)0)->errorname)', value: xtables.xtError.size },
]
export const iptablesDataStructs: readonly unknown[] = [xtables.xtStandard, xtables.xtError]
