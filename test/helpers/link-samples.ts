// Two values for every option of every kind of link and of a bridge port, and how ip prints the first: complete, or it does not compile.

import type { Kind } from '../../lib/kernel/link-kinds.js'
import type { OptionsOf, PortOptions } from '../../lib/kernel/link-options.js'
import type { Feature } from './features.js'

export interface Sample<T = unknown> {
  /** The second is what it can be changed to. */
  readonly values: readonly [T, T]
  /** The key in the info_data of `ip -j -d` and its value for the first of them. */
  readonly ip?: readonly [key: string, value: unknown]
  /** What must be set besides. */
  readonly with?: object
  readonly needs?: Feature
  /** The first kernel that has it. */
  readonly since?: string
  /** Cannot be changed once it is made. */
  readonly fixed?: boolean
  /** Can be set only when the link has a carrier. */
  readonly carrier?: boolean
  /** Why the kernel doesn't report what was set. */
  readonly unread?: string
}
type Complete<O> = { readonly [P in keyof O]-?: Sample<Exclude<O[P], undefined>> }

const bool = (key?: string, more: Omit<Sample<boolean>, 'values' | 'ip'> = {}): Sample<boolean> => ({
  values: [true, false],
  ...(key && { ip: [key, true] }),
  ...more,
})
const bit = (key?: string, more: Omit<Sample<boolean>, 'values' | 'ip'> = {}): Sample<boolean> => ({
  values: [true, false],
  ...(key && { ip: [key, 1] }),
  ...more,
})
const number = (values: readonly [number, number], key?: string, shown: unknown = values[0]): Sample<number> => ({
  values,
  ...(key && { ip: [key, shown] }),
})
/** Seconds, which ip prints in hundredths. */
const seconds = (values: readonly [number, number], key: string) => number(values, key, values[0] * 100)
const order = { unread: 'it is an order, not a setting' }
const vlans: Feature = 'bridge-vlan-filtering'

const bridge: Complete<OptionsOf<'bridge'>> = {
  forwardDelay: seconds([4, 5], 'forward_delay'),
  helloTime: seconds([3, 4], 'hello_time'),
  maxAge: seconds([7, 8], 'max_age'),
  ageingTime: seconds([60, 0], 'ageing_time'),
  stp: bit('stp_state'),
  priority: number([4096, 8192], 'priority'),
  vlanFiltering: bit('vlan_filtering', { needs: vlans }),
  vlanProtocol: { values: ['802.1ad', '802.1q'], ip: ['vlan_protocol', '802.1ad'], needs: vlans },
  groupForwardMask: number([8, 16], 'group_fwd_mask', '0x8'),
  groupAddress: { values: ['01:80:c2:00:00:04', '01:80:c2:00:00:05'], ip: ['group_addr', '01:80:c2:00:00:04'] },
  flush: bool(undefined, order),
  multicastRouter: { values: ['disabled', 'perm'], ip: ['mcast_router', 0] },
  multicastSnooping: { values: [false, true], ip: ['mcast_snooping', 0] },
  multicastQueryUseInterfaceAddress: bit('mcast_query_use_ifaddr'),
  multicastQuerier: bit('mcast_querier'),
  multicastHashElasticity: { ...number([4, 5]), unread: 'it has had no effect since kernel 4.20' },
  multicastHashMax: number([512, 1024], 'mcast_hash_max'),
  multicastLastMemberCount: number([3, 4], 'mcast_last_member_cnt'),
  multicastStartupQueryCount: number([5, 6], 'mcast_startup_query_cnt'),
  multicastLastMemberInterval: seconds([1.5, 2], 'mcast_last_member_intvl'),
  multicastMembershipInterval: seconds([200, 300], 'mcast_membership_intvl'),
  multicastQuerierInterval: seconds([100, 200], 'mcast_querier_intvl'),
  multicastQueryInterval: seconds([60, 70], 'mcast_query_intvl'),
  multicastQueryResponseInterval: seconds([5, 6], 'mcast_query_response_intvl'),
  multicastStartupQueryInterval: seconds([20, 30], 'mcast_startup_query_intvl'),
  multicastIgmpVersion: number([3, 2], 'mcast_igmp_version'),
  multicastMldVersion: number([2, 1], 'mcast_mld_version'),
  multicastStatistics: bit('mcast_stats_enabled'),
  nfCallIptables: bit('nf_call_iptables', { needs: 'bridge-netfilter' }),
  nfCallIp6tables: bit('nf_call_ip6tables', { needs: 'bridge-netfilter' }),
  nfCallArptables: bit('nf_call_arptables', { needs: 'bridge-netfilter' }),
  vlanDefaultPvid: { ...number([5, 0], 'vlan_default_pvid'), needs: vlans },
  vlanStatistics: bit('vlan_stats_enabled', { needs: vlans }),
  vlanStatisticsPerPort: bit('vlan_stats_per_port', { needs: vlans }),
  maxLearnedAddresses: { ...number([100, 200]), since: '6.7' },
  noLinkLocalLearning: bit('no_linklocal_learn'),
  multicastVlanSnooping: { ...bit('mcast_vlan_snooping', { needs: vlans, with: { vlanFiltering: true } }), since: '5.15' },
  multipleSpanningTrees: { ...bool(undefined, { needs: vlans }), since: '5.18' },
  mdbOffloadFailNotification: { ...bool(), since: '6.15' },
  localAddressesOnlyInVlan0: { ...bool(undefined, { needs: vlans }), since: '6.18' },
}

const macs = { macAddresses: ['02:00:00:00:00:05'] }
const macvlan: Complete<OptionsOf<'macvlan'>> = {
  mode: { values: ['vepa', 'private'], ip: ['mode', 'vepa'] },
  flags: { values: [['nopromisc'], []], with: { mode: 'passthru' } },
  macAddressMode: { values: ['set', 'flush'], with: { mode: 'source', ...macs }, ...order },
  macAddress: { values: ['02:00:00:00:00:06', '02:00:00:00:00:07'], with: { mode: 'source', macAddressMode: 'add' }, ...order },
  macAddresses: {
    values: [['02:00:00:00:00:05'], ['02:00:00:00:00:08']],
    ip: ['macaddr_data', ['02:00:00:00:00:05']],
    with: { mode: 'source', macAddressMode: 'set' },
  },
  broadcastQueueLength: { ...number([50, 60], 'bcqueuelen'), since: '5.11' },
  broadcastCutoff: { ...number([3, -1]), since: '6.4' },
}

const ipvlan: Complete<OptionsOf<'ipvlan'>> = {
  mode: { values: ['l3', 'l3s'], ip: ['mode', 'l3'] },
  flags: { values: [['private'], []], ip: ['private', true] },
}

const metadata = { collectMetadata: true, id: 0 }
const vxlan: Complete<OptionsOf<'vxlan'>> = {
  id: { ...number([7, 8], 'id'), fixed: true },
  group: { values: ['239.0.0.7', '10.9.9.9'], ip: ['group', '239.0.0.7'] },
  local: { values: ['10.9.0.1', '10.9.0.2'], ip: ['local', '10.9.0.1'] },
  ttl: number([9, 10], 'ttl'),
  tos: number([8, 12], 'tos', '0x8'),
  learning: { values: [false, true], ip: ['learning', false] },
  ageing: number([60, 70], 'ageing'),
  limit: { ...number([11, 12], 'limit'), fixed: true },
  portRange: {
    values: [
      { low: 100, high: 200 },
      { low: 101, high: 200 },
    ],
    ip: ['port_range', { low: 100, high: 200 }],
    fixed: true,
  },
  proxy: bool('proxy', { fixed: true }),
  routeShortCircuit: bool('rsc', { fixed: true }),
  l2Miss: bool('l2miss', { fixed: true }),
  l3Miss: bool('l3miss', { fixed: true }),
  port: { ...number([4789, 4790], 'port'), fixed: true },
  udpChecksum: { values: [false, true], ip: ['udp_csum', false], fixed: true },
  udpZeroChecksum6Tx: bool('udp_zero_csum6_tx', { fixed: true }),
  udpZeroChecksum6Rx: bool('udp_zero_csum6_rx', { fixed: true }),
  remoteChecksumTx: bool('remcsum_tx', { fixed: true }),
  remoteChecksumRx: bool('remcsum_rx', { fixed: true }),
  groupPolicy: bool('gbp', { fixed: true }),
  remoteChecksumNoPartial: bool(undefined, { fixed: true, with: { remoteChecksumRx: true } }),
  collectMetadata: bool('external', { fixed: true, with: { id: 0 } }),
  flowLabel: { ...number([99, 100]), with: { group: 'ff02::9' } },
  flowLabelPolicy: { values: ['inherit', 'fixed'], with: { group: 'ff02::9' }, since: '6.7' },
  genericProtocol: bool('gpe', { fixed: true, with: { ...metadata, learning: false } }),
  ttlInherit: bool(undefined, { fixed: true }),
  dontFragment: { values: ['set', 'inherit'], ip: ['df', 'set'] },
  vniFilter: { ...bool('vnifilter', { fixed: true, with: metadata }), since: '5.18' },
  localBypass: { values: [false, true], since: '6.5' },
  reservedBits: { values: ['f7ffffff000000ff', 'f7ffffff000000fe'], fixed: true, since: '6.14' },
  multicastRoute: bool(undefined, { unread: 'kernel 6.18 takes it and tells nobody' }),
}

const vlan: Complete<OptionsOf<'vlan'>> = {
  id: { ...number([7, 8], 'id'), fixed: true },
  protocol: { values: ['802.1ad', '802.1q'], ip: ['protocol', '802.1ad'], fixed: true },
  egressQos: { values: [[{ from: 1, to: 2 }], [{ from: 1, to: 3 }]], ip: ['egress_qos', [{ from: 1, to: 2 }]] },
  ingressQos: { values: [[{ from: 3, to: 4 }], [{ from: 3, to: 5 }]], ip: ['ingress_qos', [{ from: 3, to: 4 }]] },
  reorderHeader: { values: [false, true] },
  gvrp: bool(),
  looseBinding: bool(),
  mvrp: bool(),
  bridgeBinding: bool(),
}

const tun: Complete<OptionsOf<'tun'>> = {
  type: { values: ['tap', 'tun'], ip: ['type', 'tap'] },
  owner: { ...number([4321, 4322], 'user'), needs: 'initial-user-namespace' },
  group: { ...number([4321, 4322], 'group'), needs: 'initial-user-namespace' },
  pi: bool('pi'),
  vnetHdr: bool('vnet_hdr'),
  multiQueue: bool('multi_queue'),
}

export const samples: { readonly [K in Kind]: Complete<OptionsOf<K>> } = {
  veth: { peer: { values: [{ ifname: 'a' }, { ifname: 'b' }] } },
  dummy: {},
  ifb: {},
  bridge,
  vxlan,
  macvlan,
  macvtap: macvlan,
  ipvlan,
  ipvtap: ipvlan,
  vlan,
  tun,
}

export const portSamples: Complete<PortOptions> = {
  state: { values: ['learning', 'forwarding'], ip: ['state', 'learning'], carrier: true },
  priority: number([5, 6], 'priority'),
  cost: number([77, 78], 'cost'),
  hairpin: bool('hairpin'),
  guard: bool('guard'),
  rootGuard: bool('root_block'),
  fastLeave: bool('fastleave'),
  learning: { values: [false, true], ip: ['learning', false] },
  flood: { values: [false, true], ip: ['flood', false] },
  proxyArp: bool('proxy_arp'),
  proxyArpWifi: bool('proxy_arp_wifi'),
  flush: bool(undefined, order),
  multicastRouter: { values: ['disabled', 'perm'], ip: ['multicast_router', 0] },
  multicastFlood: { values: [false, true], ip: ['mcast_flood', false] },
  multicastToUnicast: bool('mcast_to_unicast'),
  vlanTunnel: bool('vlan_tunnel', { needs: vlans }),
  broadcastFlood: { values: [false, true], ip: ['bcast_flood', false] },
  groupForwardMask: number([8, 16], 'group_fwd_mask', '0x8'),
  neighbourSuppression: bool('neigh_suppress'),
  isolated: bool('isolated'),
  /** The test puts another port's index in the place of the first. */
  backupPort: number([1, 0]),
  multicastEhtHostsLimit: { ...number([100, 200]), since: '5.12' },
  locked: { ...bool('locked'), since: '5.16' },
  mab: { ...bool(undefined, { with: { locked: true, learning: true } }), since: '6.2' },
  multicastMaxGroups: { ...number([10, 20]), since: '6.3' },
  neighbourVlanSuppression: { ...bool(), since: '6.3' },
  /** A nexthop object that the test makes. */
  backupNexthop: { ...number([5, 0]), since: '6.6' },
}
