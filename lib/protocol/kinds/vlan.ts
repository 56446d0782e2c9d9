// vlan: the frames of another device that carry one tag (linux/if_link.h, IFLA_VLAN_).
import { masked, oneOf, u16, u16be, u32 } from '../../codec/scalars.js'
import { struct } from '../../codec/struct.js'
import { attributes, list } from '../../codec/table.js'

/** ETH_P_8021Q and ETH_P_8021AD, linux/if_ether.h. */
export const vlanProtocols = { '802.1q': 0x8100, '802.1ad': 0x88a8 } as const
/** VLAN_FLAG_, as numbers of bits. */
export const vlanFlags = { reorderHdr: 0, gvrp: 1, looseBinding: 2, mvrp: 3, bridgeBinding: 4 } as const
/** Ingress: from the tag's priority to the packet's; egress: the other way. */
export const vlanQosMapping = struct({ from: u32, to: u32 })

export const vlan = attributes('IFLA_VLAN', {
  /** 0 to 4094. */
  id: [1, u16],
  flags: [2, masked(u32, vlanFlags)],
  egressQos: [3, list(1, vlanQosMapping, 'IFLA_VLAN_QOS_MAPPING')],
  ingressQos: [4, list(1, vlanQosMapping, 'IFLA_VLAN_QOS_MAPPING')],
  protocol: [5, oneOf(u16be, vlanProtocols)],
})
