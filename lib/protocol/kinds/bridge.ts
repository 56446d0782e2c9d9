// bridge: a switch (linux/if_link.h, IFLA_BR_). Times are in seconds; the kernel counts them in 1/100 s.
import { ipv4, ipv6, mac } from '../../codec/address.js'
import { bool, count, flag, masked, oneOf, scaled, u8, u16, u16be, u32 } from '../../codec/scalars.js'
import { attributes } from '../../codec/table.js'
import { bridgeId, multicastRouters } from './bridge-port.js'
import { vlanProtocols } from './vlan.js'

/** BR_BOOLOPT_, as numbers of bits. */
export const bridgeSwitches = {
  /** Don't learn from link-local frames. */
  noLlLearn: 0,
  mcastVlanSnooping: 1,
  /** kernel ≥ 5.18 */
  mstEnable: 2,
  /** kernel ≥ 6.15 */
  mdbOffloadFailNotification: 3,
  /** kernel ≥ 6.18 */
  fdbLocalVlan0: 4,
} as const
const seconds = scaled(u32, 100)
const longSeconds = scaled(count, 100)

/** Who asks for multicast memberships. */
const querier = attributes('BRIDGE_QUERIER', {
  ipAddress: [1, ipv4],
  /** ifindex. */
  ipPort: [2, u32],
  ipOtherTimer: [3, longSeconds],
  ipv6Address: [5, ipv6],
  ipv6Port: [6, u32],
  ipv6OtherTimer: [7, longSeconds],
})

export const bridge = attributes('IFLA_BR', {
  /** 2 to 30 while the spanning tree runs. */
  forwardDelay: [1, seconds],
  /** 1 to 10 while the spanning tree runs. */
  helloTime: [2, seconds],
  /** 6 to 40 while the spanning tree runs. */
  maxAge: [3, seconds],
  /** How long a learned address is kept unheard. */
  ageingTime: [4, seconds],
  /** 0 off, 1 the kernel's spanning tree, 2 (read only) a daemon's. */
  stpState: [5, u32],
  /** Lower ones become root. */
  priority: [6, u16],
  vlanFiltering: [7, bool],
  vlanProtocol: [8, oneOf(u16be, vlanProtocols)],
  /** Which of the addresses 01:80:c2:00:00:0X are forwarded, a bit each; 0, 1 and 2 are not allowed. */
  groupFwdMask: [9, u16],
  rootId: [10, bridgeId],
  bridgeId: [11, bridgeId],
  rootPort: [12, u16],
  rootPathCost: [13, u32],
  topologyChange: [14, bool],
  topologyChangeDetected: [15, bool],
  /** Seconds left. */
  helloTimer: [16, longSeconds],
  tcnTimer: [17, longSeconds],
  topologyChangeTimer: [18, longSeconds],
  gcTimer: [19, longSeconds],
  /** Where the spanning tree's frames go, 01:80:c2:00:00:0X. */
  groupAddr: [20, mac],
  /** Request only: forget learned addresses. */
  fdbFlush: [21, flag],
  mcastRouter: [22, oneOf(u8, multicastRouters)],
  mcastSnooping: [23, bool],
  mcastQueryUseIfaddr: [24, bool],
  mcastQuerier: [25, bool],
  /** Without effect since kernel 4.20. */
  mcastHashElasticity: [26, u32],
  mcastHashMax: [27, u32],
  mcastLastMemberCnt: [28, u32],
  mcastStartupQueryCnt: [29, u32],
  mcastLastMemberIntvl: [30, longSeconds],
  mcastMembershipIntvl: [31, longSeconds],
  mcastQuerierIntvl: [32, longSeconds],
  mcastQueryIntvl: [33, longSeconds],
  mcastQueryResponseIntvl: [34, longSeconds],
  mcastStartupQueryIntvl: [35, longSeconds],
  /** Bridged IPv4 packets pass iptables; or-ed with net.bridge.bridge-nf-call-iptables. */
  nfCallIptables: [36, bool],
  nfCallIp6tables: [37, bool],
  nfCallArptables: [38, bool],
  /** 0 to 4094; 0: none. */
  vlanDefaultPvid: [39, u16],
  vlanStatsEnabled: [41, bool],
  mcastStatsEnabled: [42, bool],
  /** 2 or 3. */
  mcastIgmpVersion: [43, u8],
  /** 1 or 2. */
  mcastMldVersion: [44, u8],
  vlanStatsPerPort: [45, bool],
  multiBoolopt: [46, masked(u32, bridgeSwitches)],
  /** kernel ≥ 5.16 */
  mcastQuerierState: [47, querier],
  /** Learned addresses now, and at most (0: no limit); kernel ≥ 6.7. */
  fdbNLearned: [48, u32],
  fdbMaxLearned: [49, u32],
})
