// RTM_NEWNSID and its relatives: by which number one namespace knows another (linux/net_namespace.h).
import { s32, u32 } from '../codec/scalars.js'
import { struct } from '../codec/struct.js'
import { message } from '../codec/table.js'
import { family } from './families.js'

export const rtgenmsg = struct({ family })
/** NETNSA_NSID_NOT_ASSIGNED; in a request: let the kernel choose. */
export const nsidNotAssigned = -1

export const nsid = message(rtgenmsg, 'NETNSA', {
  nsid: [1, s32],
  /** Which namespace is meant: that of a process … */
  pid: [2, u32],
  /** … or that of a descriptor. */
  fd: [3, u32],
  /** As seen from the namespace of this number. */
  targetNsid: [4, s32],
  /** The same namespace's number here. */
  currentNsid: [5, s32],
})
