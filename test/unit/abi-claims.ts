// What the protocol tables claim about the kernel's headers: attribute numbers, names of numbers, bits, and the layout of structs.
import type { AnyCodec } from '../../lib/codec/codec.js'
import { constantOf } from '../../lib/codec/table.js'
import * as address from '../../lib/protocol/address.js'
import { families } from '../../lib/protocol/families.js'
import * as bridge from '../../lib/protocol/kinds/bridge.js'
import * as bridgePort from '../../lib/protocol/kinds/bridge-port.js'
import * as ipvlan from '../../lib/protocol/kinds/ipvlan.js'
import * as macvlan from '../../lib/protocol/kinds/macvlan.js'
import * as tun from '../../lib/protocol/kinds/tun.js'
import * as vlan from '../../lib/protocol/kinds/vlan.js'
import * as vxlan from '../../lib/protocol/kinds/vxlan.js'
import * as link from '../../lib/protocol/link-base.js'
import * as neighbour from '../../lib/protocol/neighbour.js'
import * as netlink from '../../lib/protocol/netlink.js'
import * as nexthop from '../../lib/protocol/nexthop.js'
import * as nsid from '../../lib/protocol/nsid.js'
import * as route from '../../lib/protocol/route.js'
import * as names from '../../lib/protocol/route-names.js'
import { rtm, rtnetlinkGroups } from '../../lib/protocol/rtnetlink.js'
import * as rule from '../../lib/protocol/rule.js'
import type { Claim } from '../helpers/c-compiler.js'
import { claim, layout, type NumberSet, type Numbers, type StructLayout } from './abi-form.js'
import { netfilterListClaims, netfilterSets, netfilterStructs } from './abi-netfilter.js'

export const numberSets: readonly NumberSet[] = [
  { prefix: 'NLMSG', numbers: netlink.messageType },
  { prefix: 'NLM_F', numbers: netlink.requestFlags, renamed: { dumpInterrupted: 'NLM_F_DUMP_INTR', exclusive: 'NLM_F_EXCL' } },
  { prefix: 'RTM', numbers: rtm, joined: true },
  { prefix: 'RTNLGRP', numbers: rtnetlinkGroups },
  { prefix: 'AF', numbers: families },
  { prefix: 'IFF', numbers: link.linkFlags, bits: true },
  { prefix: 'IF_OPER', numbers: link.operStates, joined: true },
  { prefix: 'IF_LINK_MODE', numbers: link.linkModes },
  { prefix: 'IN6_ADDR_GEN_MODE', numbers: link.addrGenModes },
  { prefix: 'XDP_ATTACHED', numbers: link.xdpAttached },
  { prefix: 'IFLA_EVENT', numbers: link.linkEvents },
  { prefix: 'RTEXT_FILTER', numbers: link.extFilter },
  { prefix: 'BRIDGE_VLAN_INFO', numbers: link.vlanInfoFlags, bits: true },
  { prefix: 'BRIDGE_FLAGS', numbers: link.bridgeFlags, bits: true },
  { prefix: 'BRIDGE_MODE', numbers: link.bridgeModes },
  { prefix: 'BR_STATE', numbers: bridgePort.portStates },
  { prefix: 'MDB_RTR_TYPE', numbers: bridgePort.multicastRouters },
  { prefix: 'BR_BOOLOPT', numbers: bridge.bridgeSwitches, renamed: { fdbLocalVlan0: 'BR_BOOLOPT_FDB_LOCAL_VLAN_0' } },
  { prefix: 'VXLAN_DF', numbers: vxlan.vxlanDf },
  { prefix: 'VXLAN_LABEL', numbers: vxlan.vxlanLabelPolicies },
  { prefix: 'IPVLAN_MODE', numbers: ipvlan.ipvlanModes },
  { prefix: 'IPVLAN_F', numbers: ipvlan.ipvlanFlags, bits: true },
  { prefix: 'MACVLAN_MODE', numbers: macvlan.macvlanModes },
  { prefix: 'MACVLAN_MACADDR', numbers: macvlan.macvlanAddressModes },
  { prefix: 'MACVLAN_FLAG', numbers: macvlan.macvlanFlags, bits: true },
  { prefix: 'ETH_P', numbers: vlan.vlanProtocols, renamed: { '802.1q': 'ETH_P_8021Q', '802.1ad': 'ETH_P_8021AD' } },
  { prefix: 'VLAN_FLAG', numbers: vlan.vlanFlags, bits: true },
  { prefix: 'IFF', numbers: tun.tunTypes },
  { prefix: 'IFF', numbers: tun.tunFlags },
  { prefix: 'IFA_F', numbers: address.addressFlags, bits: true },
  { prefix: 'IFAPROT', numbers: address.addressProtocols },
  { prefix: 'RTN', numbers: names.routeTypes },
  { prefix: 'RT_SCOPE', numbers: names.routeScopes, renamed: { global: 'RT_SCOPE_UNIVERSE' } },
  { prefix: 'RTPROT', numbers: names.routeProtocols },
  { prefix: 'RT_TABLE', numbers: names.routeTables },
  { prefix: 'RTNH_F', numbers: names.nexthopFlags, bits: true },
  { prefix: 'RTM_F', numbers: names.routeMessageFlags, bits: true, renamed: { fibOffload: 'RTM_F_OFFLOAD', fibTrap: 'RTM_F_TRAP' } },
  { prefix: 'ICMPV6_ROUTER_PREF', numbers: names.routePreferences },
  { prefix: 'LWTUNNEL_ENCAP', numbers: names.encapTypes },
  { prefix: 'RTAX', numbers: route.metricBits },
  { prefix: 'RTAX_FEATURE', numbers: route.metricFeatures, bits: true },
  { prefix: 'FR_ACT', numbers: rule.ruleActions },
  { prefix: 'FIB_RULE', numbers: rule.ruleFlags, bits: true },
  { prefix: 'NUD', numbers: neighbour.neighbourStates, bits: true },
  { prefix: 'NTF', numbers: neighbour.neighbourFlags, bits: true },
  { prefix: 'NTF_EXT', numbers: neighbour.neighbourExtFlags, bits: true },
  { prefix: 'NEXTHOP_GRP_TYPE', numbers: nexthop.nexthopGroupTypes },
  ...netfilterSets,
]
/** Made of sets that are checked themselves. */
export const composedSets: readonly Numbers[] = [names.routeFlags]

export const structs: readonly StructLayout[] = [
  layout('ifinfomsg', link.ifinfomsg, 'ifi_', { flags: ['ifi_flags', 'ifi_change'] }),
  layout('rtnl_link_stats', link.linkStats),
  layout('rtnl_link_stats64', link.linkStats64),
  layout('rtnl_link_ifmap', link.ifmap),
  layout('ifla_cacheinfo', link.inet6CacheInfo),
  layout('bridge_vlan_info', link.bridgeVlanInfo),
  layout('ifla_bridge_id', bridgePort.bridgeId),
  layout('ifla_vxlan_port_range', vxlan.vxlanPortRange),
  layout('ifla_vlan_qos_mapping', vlan.vlanQosMapping),
  layout('ifaddrmsg', address.ifaddrmsg, 'ifa_', { headerFlags: 'ifa_flags' }),
  layout('ifa_cacheinfo', address.addressCacheInfo, '', {
    preferred: 'ifa_prefered',
    valid: 'ifa_valid',
    created: 'cstamp',
    updated: 'tstamp',
  }),
  layout('rtmsg', route.rtmsg, 'rtm_', { headerTable: 'rtm_table' }),
  layout('rtnexthop', route.rtnexthop, 'rtnh_', { length: 'rtnh_len', index: 'rtnh_ifindex' }),
  layout('rta_cacheinfo', route.routeCacheInfo, 'rta_', { clientReferences: 'rta_clntref', lastUse: 'rta_lastuse', tsAge: 'rta_tsage' }),
  layout('rta_mfc_stats', route.mfcStats, 'mfcs_'),
  layout('fib_rule_hdr', rule.fibRuleHeader, '', { headerTable: 'table' }),
  layout('fib_rule_uid_range', rule.uidRange),
  layout('fib_rule_port_range', rule.portRange),
  layout('ndmsg', neighbour.ndmsg, 'ndm_', { index: 'ndm_ifindex' }),
  layout('nda_cacheinfo', neighbour.neighbourCacheInfo, 'ndm_', { references: 'ndm_refcnt' }),
  layout('ndtmsg', neighbour.ndtmsg, 'ndtm_'),
  layout('ndt_config', neighbour.neighbourTableConfig, 'ndtc_'),
  layout('ndt_stats', neighbour.neighbourTableStats, 'ndts_'),
  layout('rtgenmsg', nsid.rtgenmsg, 'rtgen_'),
  layout('nhmsg', nexthop.nhmsg, 'nh_'),
  layout('nexthop_grp', nexthop.nexthopGroupEntry),
  ...netfilterStructs,
]

const snake = (name: string) => constantOf('', name).slice(1).toLowerCase()

export const numberClaims = (): Claim[] => [
  ...numberSets.flatMap(({ prefix, numbers, bits, joined, above, renamed }) =>
    Object.entries(numbers).map(([name, value]) => {
      const constant = renamed?.[name] ?? (joined ? `${prefix}_${name.toUpperCase()}` : constantOf(prefix, name))
      return { name: constant, expression: above ? `(${above}) | (${constant})` : constant, value: bits ? 2 ** value : value }
    }),
  ),
  claim('NETLINK_ROUTE', netlink.NETLINK_ROUTE),
  claim('NETLINK_SOCK_DIAG', netlink.NETLINK_SOCK_DIAG),
  claim('NETLINK_NETFILTER', netlink.NETLINK_NETFILTER),
  claim('NETLINK_KOBJECT_UEVENT', netlink.NETLINK_KOBJECT_UEVENT),
  claim('NETLINK_GENERIC', netlink.NETLINK_GENERIC),
  claim('NETNSA_NSID_NOT_ASSIGNED', nsid.nsidNotAssigned),
]

export const structClaims = (): Claim[] =>
  structs.flatMap(({ c, struct, prefix = '', renamed }) => [
    claim(`sizeof(struct ${c})`, struct.size),
    ...struct.members
      .filter(({ name }) => !name.startsWith('_'))
      .flatMap(({ name, at, codec }): Claim[] => {
        const members = [renamed?.[name] ?? prefix + snake(name)].flat()
        const size = members.map(member => `sizeof(((struct ${c} *)0)->${member})`).join(' + ')
        return [
          { name: `offsetof(struct ${c}, ${members[0]})`, expression: `offsetof(struct ${c}, ${members[0]})`, value: at },
          { name: `sizeof(struct ${c}, ${members[0]})`, expression: size, value: codec.size ?? 0 },
        ]
      }),
  ])

interface Inner {
  readonly prefix?: string
  readonly entries?: Readonly<Record<string, readonly [number, AnyCodec]>>
  readonly choices?: Readonly<Record<string, AnyCodec>>
  readonly otherwise?: AnyCodec
  readonly each?: AnyCodec
  readonly entry?: AnyCodec
  readonly item?: readonly [number, AnyCodec]
}
/** Every attribute of a table and of the tables inside it. */
export function attributeClaims(codec: AnyCodec, claims = new Map<string, Claim>()): Map<string, Claim> {
  const { prefix, entries, choices, otherwise, each, entry, item } = codec as Inner
  for (const [name, [type, inner]] of Object.entries(entries ?? {})) {
    const constant = constantOf(prefix ?? '', name)
    const known = claims.get(constant)
    if (known && known.value !== type) throw new Error(`${constant} is ${known.value} in one table and ${type} in another`)
    claims.set(constant, claim(constant, type))
    attributeClaims(inner, claims)
  }
  for (const inner of [...Object.values(choices ?? {}), otherwise, each, entry, item?.[1]]) if (inner) attributeClaims(inner, claims)
  return claims
}

/** The one attribute that a list repeats. */
export const listClaims = (): Claim[] => [
  claim('IFLA_ALT_IFNAME', link.linkBase.propList[1].item[0]),
  claim('IFLA_BRIDGE_MST_ENTRY', link.bridgeSpec.entries.mst[1].item[0]),
  claim('IFLA_MACVLAN_MACADDR', macvlan.macvlan.entries.macaddrData[1].item[0]),
  claim('IFLA_VLAN_QOS_MAPPING', vlan.vlan.entries.egressQos[1].item[0]),
  claim('IFLA_VLAN_QOS_MAPPING', vlan.vlan.entries.ingressQos[1].item[0]),
  claim('NHA_GROUP_STATS_ENTRY', nexthop.nexthop.entries.groupStats[1].item[0]),
  ...netfilterListClaims(),
]
