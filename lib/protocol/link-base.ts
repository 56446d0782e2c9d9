// What every link has: the header of its messages and the attributes that do not depend on its kind (linux/if_link.h, linux/if.h).
import { ipv6, mac } from '../codec/address.js'
import { bits, bool, bytes, count, masked, oneOf, s32, scaled, string, u8, u16, u32 } from '../codec/scalars.js'
import { array, pad, struct } from '../codec/struct.js'
import { attributes, by, list, repeated } from '../codec/table.js'
import { uint } from '../codec/variable.js'
import { family } from './families.js'
import { bridgePort } from './kinds/bridge-port.js'

/** IFF_, linux/if.h. */
export const linkFlags = {
  up: 0,
  broadcast: 1,
  debug: 2,
  loopback: 3,
  pointopoint: 4,
  notrailers: 5,
  running: 6,
  noarp: 7,
  promisc: 8,
  allmulti: 9,
  master: 10,
  slave: 11,
  multicast: 12,
  portsel: 13,
  automedia: 14,
  dynamic: 15,
  lowerUp: 16,
  dormant: 17,
  echo: 18,
} as const

/** RFC 2863 states, IF_OPER_. */
export const operStates = { unknown: 0, notPresent: 1, down: 2, lowerLayerDown: 3, testing: 4, dormant: 5, up: 6 } as const
/** IF_LINK_MODE_. */
export const linkModes = { default: 0, dormant: 1, testing: 2 } as const
/** IN6_ADDR_GEN_MODE_: how link-local and autoconfigured addresses get their last 64 bits. */
export const addrGenModes = { eui64: 0, none: 1, stablePrivacy: 2, random: 3 } as const
/** XDP_ATTACHED_. */
export const xdpAttached = { none: 0, drv: 1, skb: 2, hw: 3, multi: 4 } as const
/** IFLA_EVENT_. */
export const linkEvents = { none: 0, reboot: 1, features: 2, bondingFailover: 3, notifyPeers: 4, igmpResend: 5, bondingOptions: 6 } as const
/** RTEXT_FILTER_: what `extMask` asks for (or, skipStats, asks to leave out), as numbers to be or-ed. */
export const extFilter = { vf: 1, brvlan: 2, brvlanCompressed: 4, skipStats: 8, mrp: 16, cfmConfig: 32, cfmStatus: 64, mst: 128 } as const

/** `flags` are flags and change mask at once: what is not named stays as it is. `type` is ARPHRD_, linux/if_arp.h. */
export const ifinfomsg = struct({ family, _pad: pad(1), type: u16, index: s32, flags: masked(u32, linkFlags) })

/** Counters since the link was made; 32-bit ones wrap. */
const counters = <C>(codec: C) => ({
  rxPackets: codec,
  txPackets: codec,
  rxBytes: codec,
  txBytes: codec,
  rxErrors: codec,
  txErrors: codec,
  rxDropped: codec,
  txDropped: codec,
  multicast: codec,
  collisions: codec,
  rxLengthErrors: codec,
  rxOverErrors: codec,
  rxCrcErrors: codec,
  rxFrameErrors: codec,
  rxFifoErrors: codec,
  rxMissedErrors: codec,
  txAbortedErrors: codec,
  txCarrierErrors: codec,
  txFifoErrors: codec,
  txHeartbeatErrors: codec,
  txWindowErrors: codec,
  rxCompressed: codec,
  txCompressed: codec,
  rxNohandler: codec,
})
export const linkStats = struct(counters(u32))
/** `rxOtherhostDropped`: kernel ≥ 5.19. */
export const linkStats64 = struct({ ...counters(count), rxOtherhostDropped: count })
/** Where the hardware is; obsolete. */
export const ifmap = struct({ memStart: count, memEnd: count, baseAddr: count, irq: u16, dma: u8, port: u8, _pad: pad(4) })
/** `tstamp`: seconds since boot; `reachableTime` and `retransTime`: milliseconds. */
export const inet6CacheInfo = struct({ maxReasmLen: u32, tstamp: scaled(u32, 100), reachableTime: u32, retransTime: u32 })

const inet = attributes('IFLA_INET', {
  /** net.ipv4.conf.<link>.*, in the order of linux/ip.h IPV4_DEVCONF_ less one. */
  conf: [1, array(s32)],
})
/** IFLA_INET6_, in `afSpec` and, in messages of family inet6, as `protinfo`. */
export const inet6 = attributes('IFLA_INET6', {
  /** State of autoconfiguration (IF_READY and relatives, net/if_inet6.h). */
  flags: [1, bits(u32, { rsSent: 4, raRcvd: 5, raManaged: 6, raOtherconf: 7, ready: 31 })],
  /** net.ipv6.conf.<link>.*, in the order of linux/ipv6.h DEVCONF_. */
  conf: [2, array(s32)],
  /** The first member is how many there are. */
  stats: [3, array(count)],
  mcast: [4, bytes],
  cacheinfo: [5, inet6CacheInfo],
  icmp6stats: [6, array(count)],
  /** The last 64 bits of autoconfigured addresses; `::` when none is set. */
  token: [7, ipv6],
  addrGenMode: [8, oneOf(u8, addrGenModes)],
  /** MTU that a router announced, 0 without; kernel ≥ 5.15. */
  raMtu: [9, u32],
})

/** Protocol settings of a link, by family. */
const addressFamilies = attributes('AF', { inet: [2, inet], inet6: [10, inet6], mctp: [45, attributes('IFLA_MCTP', { net: [1, u32] })] })

/** BRIDGE_VLAN_INFO_; a range is two entries, rangeBegin and rangeEnd. */
export const vlanInfoFlags = { master: 0, pvid: 1, untagged: 2, rangeBegin: 3, rangeEnd: 4, brentry: 5, onlyOpts: 6 } as const
export const bridgeVlanInfo = struct({ flags: bits(u16, vlanInfoFlags), vid: u16 })
/** BRIDGE_FLAGS_: the request is meant for the bridge, or for the port's own driver. */
export const bridgeFlags = { master: 0, self: 1 } as const
export const bridgeModes = { veb: 0, vepa: 1, undef: 0xffff } as const

/** What `afSpec` holds in messages of family bridge (IFLA_BRIDGE_, linux/if_bridge.h). */
export const bridgeSpec = attributes('IFLA_BRIDGE', {
  flags: [0, bits(u16, bridgeFlags)],
  mode: [1, oneOf(u16, bridgeModes)],
  vlanInfo: [2, repeated(bridgeVlanInfo)],
  vlanTunnelInfo: [
    3,
    repeated(attributes('IFLA_BRIDGE_VLAN_TUNNEL', { id: [1, u32], vid: [2, u16], flags: [3, bits(u16, vlanInfoFlags)] })),
  ],
  mrp: [4, bytes],
  cfm: [5, bytes],
  /** Spanning tree state by instance; kernel ≥ 5.18. */
  mst: [6, list(1, attributes('IFLA_BRIDGE_MST_ENTRY', { msti: [1, u16], state: [2, u8] }), 'IFLA_BRIDGE_MST_ENTRY')],
})

/** IFLA_XDP_: programs attached. */
const xdp = attributes('IFLA_XDP', {
  fd: [1, s32],
  attached: [2, oneOf(u8, xdpAttached)],
  /** XDP_FLAGS_. */
  flags: [3, u32],
  progId: [4, u32],
  drvProgId: [5, u32],
  skbProgId: [6, u32],
  hwProgId: [7, u32],
  expectedFd: [8, s32],
})

/** The attributes of a link less its kind; a veth peer is described by these alone. */
export const linkBase = {
  /** Hardware address, '02:42:ac:11:00:02'. */
  address: [1, mac],
  broadcast: [2, mac],
  /** 1 to 15 bytes without '/', ':' and white space; a '%d' makes the kernel number it. */
  ifname: [3, string],
  /** Bytes of payload per frame, `minMtu` to `maxMtu`. */
  mtu: [4, u32],
  /** ifindex of the device below, or of the peer of a veth; in the namespace `linkNetnsid` when that is there. */
  link: [5, s32],
  qdisc: [6, string],
  stats: [7, linkStats],
  cost: [8, u32],
  priority: [9, u32],
  /** ifindex of the bridge, bond or VRF it is a port of; 0 frees it. */
  master: [10, u32],
  wireless: [11, bytes],
  /** Settings as a bridge port in messages of family bridge, IPv6 settings in those of family inet6. */
  protinfo: [12, by('family', { bridge: bridgePort }, inet6)],
  /** Packets that may wait to be sent. */
  txqlen: [13, u32],
  map: [14, ifmap],
  weight: [15, u32],
  operstate: [16, oneOf(u8, operStates)],
  linkmode: [17, oneOf(u8, linkModes)],
  /** Request only: where it is to be, by a process that is there. */
  netNsPid: [19, u32],
  /** Free text of at most 255 bytes; '' removes it. Ignored in a creating request. */
  ifalias: [20, string],
  numVf: [21, u32],
  vfinfoList: [22, bytes],
  stats64: [23, linkStats64],
  vfPorts: [24, bytes],
  portSelf: [25, bytes],
  afSpec: [26, by('family', { bridge: bridgeSpec }, addressFamilies)],
  /** A number that links share; a request that names no link acts on the whole group. */
  group: [27, u32],
  /** Request only: where it is to be, by a descriptor of the namespace. */
  netNsFd: [28, u32],
  /** Request only: or-ed `extFilter`. */
  extMask: [29, u32],
  /** How many times promiscuous mode is asked for. */
  promiscuity: [30, u32],
  /** Only when it is made: 1 to 4096. */
  numTxQueues: [31, u32],
  numRxQueues: [32, u32],
  carrier: [33, bool],
  physPortId: [34, bytes],
  carrierChanges: [35, u32],
  physSwitchId: [36, bytes],
  /** By which number this namespace knows the one that `link` is in; -1: by none. */
  linkNetnsid: [37, s32],
  physPortName: [38, string],
  /** Held down by a protocol daemon. */
  protoDown: [39, bool],
  gsoMaxSegs: [40, u32],
  gsoMaxSize: [41, u32],
  xdp: [43, xdp],
  event: [44, oneOf(u32, linkEvents)],
  /** In the farewell of a link that moved: the namespace it went to, and its index there. */
  newNetnsid: [45, s32],
  /** The request is about the namespace of this number (older name IFLA_IF_NETNSID). */
  targetNetnsid: [46, s32],
  carrierUpCount: [47, u32],
  carrierDownCount: [48, u32],
  newIfindex: [49, s32],
  minMtu: [50, u32],
  /** 0: no limit. */
  maxMtu: [51, u32],
  /** Alternative names, 1 to 127 bytes each; kernel ≥ 5.5. */
  propList: [52, list(53, string, 'IFLA_ALT_IFNAME')],
  /** Look up by any name, however long. */
  altIfname: [53, string],
  permAddress: [54, mac],
  protoDownReason: [55, attributes('IFLA_PROTO_DOWN_REASON', { mask: [1, u32], value: [2, u32] })],
  parentDevName: [56, string],
  parentDevBusName: [57, string],
  groMaxSize: [58, u32],
  tsoMaxSize: [59, u32],
  tsoMaxSegs: [60, u32],
  /** How many times all multicast is asked for; kernel ≥ 6.0. */
  allmulti: [61, u32],
  /** kernel ≥ 6.2 */
  devlinkPort: [62, bytes],
  /** kernel ≥ 6.3 */
  gsoIpv4MaxSize: [63, u32],
  groIpv4MaxSize: [64, u32],
  /** kernel ≥ 6.7 */
  dpllPin: [65, bytes],
  /** Nanoseconds; kernel ≥ 6.13 */
  maxPacingOffloadHorizon: [66, uint],
  /** It may not change namespace; kernel ≥ 6.15 */
  netnsImmutable: [67, bool],
  /** Bytes the driver wants free before and after a packet; kernel ≥ 6.18 */
  headroom: [68, u16],
  tailroom: [69, u16],
} as const
