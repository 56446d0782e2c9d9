// macvlan and macvtap: more MAC addresses on one device (linux/if_link.h, IFLA_MACVLAN_).
import { mac } from '../../codec/address.js'
import { bits, oneOf, s32, u16, u32 } from '../../codec/scalars.js'
import { attributes, list } from '../../codec/table.js'

/** MACVLAN_MODE_: whom it may talk to on the same device. */
export const macvlanModes = { private: 1, vepa: 2, bridge: 4, passthru: 8, source: 16 } as const
/** MACVLAN_MACADDR_: what to do with the list of mode `source`. */
export const macvlanAddressModes = { add: 0, del: 1, flush: 2, set: 3 } as const
/** MACVLAN_FLAG_. */
export const macvlanFlags = { nopromisc: 0, nodst: 1 } as const

export const macvlan = attributes('IFLA_MACVLAN', {
  mode: [1, oneOf(u32, macvlanModes)],
  flags: [2, bits(u16, macvlanFlags)],
  /** Request only. */
  macaddrMode: [3, oneOf(u32, macvlanAddressModes)],
  /** Request only: the one address to add or delete. */
  macaddr: [4, mac],
  macaddrData: [5, list(4, mac, 'IFLA_MACVLAN_MACADDR')],
  macaddrCount: [6, u32],
  /** Broadcast frames that may wait, per device below; kernel ≥ 5.11. */
  bcQueueLen: [7, u32],
  bcQueueLenUsed: [8, u32],
  /** Above how many receivers a broadcast waits; -1: never; kernel ≥ 6.4. */
  bcCutoff: [9, s32],
})
