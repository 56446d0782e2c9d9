// tun and tap: packets to and from a program. Made by ioctl, not by netlink; here to be read (linux/if_link.h, IFLA_TUN_).
import { bool, oneOf, u8, u32 } from '../../codec/scalars.js'
import { attributes } from '../../codec/table.js'

/** IFF_TUN and IFF_TAP, linux/if_tun.h. */
export const tunTypes = { tun: 1, tap: 2 } as const
/** IFF_MULTI_QUEUE, IFF_NO_PI, IFF_VNET_HDR and IFF_TUN_EXCL: what TUNSETIFF takes besides the type (linux/if_tun.h). */
export const tunFlags = { multiQueue: 0x100, noPi: 0x1000, vnetHdr: 0x4000, tunExcl: 0x8000 } as const

export const tun = attributes('IFLA_TUN', {
  /** User id that may open it; absent: root only. */
  owner: [1, u32],
  group: [2, u32],
  type: [3, oneOf(u8, tunTypes)],
  /** A four-byte header before each packet. */
  pi: [4, bool],
  vnetHdr: [5, bool],
  persist: [6, bool],
  multiQueue: [7, bool],
  numQueues: [8, u32],
  numDisabledQueues: [9, u32],
})
