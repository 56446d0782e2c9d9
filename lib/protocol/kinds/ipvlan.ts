// ipvlan and ipvtap: more links with the MAC address of one device (linux/if_link.h, IFLA_IPVLAN_).
import { bits, oneOf, u16 } from '../../codec/scalars.js'
import { attributes } from '../../codec/table.js'

/** IPVLAN_MODE_: who routes, the link's own namespace or that of the device below; l3s: through the latter's firewall too. */
export const ipvlanModes = { l2: 0, l3: 1, l3s: 2 } as const
/** IPVLAN_F_: links on one device that do not reach each other, or only by the switch outside; kernel ≥ 4.15. */
export const ipvlanFlags = { private: 0, vepa: 1 } as const

/** Both belong to the device below: all links on it have the same. Without a mode the first one has l3. */
export const ipvlan = attributes('IFLA_IPVLAN', {
  mode: [1, oneOf(u16, ipvlanModes)],
  flags: [2, bits(u16, ipvlanFlags)],
})
