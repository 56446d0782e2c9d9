// A port of a bridge: IFLA_INFO_SLAVE_DATA of its link, IFLA_PROTINFO in messages of family bridge (linux/if_link.h, IFLA_BRPORT_).
import { mac6 } from '../../codec/address.js'
import { bool, count, flag, oneOf, scaled, u8, u16, u16be, u32 } from '../../codec/scalars.js'
import { struct } from '../../codec/struct.js'
import { attributes } from '../../codec/table.js'

/** BR_STATE_, the states of the spanning tree. */
export const portStates = { disabled: 0, listening: 1, learning: 2, forwarding: 3, blocking: 4 } as const
/** MDB_RTR_TYPE_: does a multicast router live there? */
export const multicastRouters = { disabled: 0, tempQuery: 1, perm: 2, temp: 3 } as const
/** The priority in front of the address makes it comparable: the lowest is the root. */
export const bridgeId = struct({ prio: u16be, addr: mac6 })
const seconds = scaled(count, 100)

export const bridgePort = attributes('IFLA_BRPORT', {
  /** Settable without the spanning tree protocol, while the link is up. */
  state: [1, oneOf(u8, portStates)],
  /** 0 to 63. */
  priority: [2, u16],
  /** Path cost, 1 to 65535; by default from the speed. */
  cost: [3, u32],
  /** Hairpin: frames may leave through the port they came in by. */
  mode: [4, bool],
  /** A BPDU that comes in disables the port. */
  guard: [5, bool],
  /** The port may not become the root port. */
  protect: [6, bool],
  fastLeave: [7, bool],
  learning: [8, bool],
  /** Frames to unknown addresses go out here. */
  unicastFlood: [9, bool],
  proxyarp: [10, bool],
  learningSync: [11, bool],
  proxyarpWifi: [12, bool],
  rootId: [13, bridgeId],
  bridgeId: [14, bridgeId],
  designatedPort: [15, u16],
  designatedCost: [16, u16],
  id: [17, u16],
  /** Its number on the bridge, from 1. */
  no: [18, u16],
  topologyChangeAck: [19, bool],
  configPending: [20, bool],
  /** Seconds left. */
  messageAgeTimer: [21, seconds],
  forwardDelayTimer: [22, seconds],
  holdTimer: [23, seconds],
  /** Request only: forget the addresses learned here. */
  flush: [24, flag],
  multicastRouter: [25, oneOf(u8, multicastRouters)],
  mcastFlood: [27, bool],
  mcastToUcast: [28, bool],
  vlanTunnel: [29, bool],
  bcastFlood: [30, bool],
  /** Which of the addresses 01:80:c2:00:00:0X are forwarded, a bit each. */
  groupFwdMask: [31, u16],
  neighSuppress: [32, bool],
  /** Isolated ports don't talk to each other; kernel ≥ 4.18. */
  isolated: [33, bool],
  /** ifindex of the port that takes over when this one has no carrier; 0: none. */
  backupPort: [34, u32],
  mrpRingOpen: [35, bool],
  mrpInOpen: [36, bool],
  mcastEhtHostsLimit: [37, u32],
  mcastEhtHostsCnt: [38, u32],
  /** Only sources with an entry get through; kernel ≥ 5.18. */
  locked: [39, bool],
  /** MAC authentication bypass of a locked port; kernel ≥ 6.2. */
  mab: [40, bool],
  /** kernel ≥ 6.3 */
  mcastNGroups: [41, u32],
  mcastMaxGroups: [42, u32],
  neighVlanSuppress: [43, bool],
  /** Nexthop object for what goes to the backup port; kernel ≥ 6.6. */
  backupNhid: [44, u32],
})
