// What every netlink protocol shares: protocol numbers, control messages, header flags, extended acknowledgements (linux/netlink.h).
import { bytes, count, s64, string, u32 } from '../codec/scalars.js'
import { attributes } from '../codec/table.js'

/** rtnetlink: links, addresses, routes, rules, neighbours. */
export const NETLINK_ROUTE = 0
export const NETLINK_SOCK_DIAG = 4
export const NETLINK_NETFILTER = 12
export const NETLINK_KOBJECT_UEVENT = 15
export const NETLINK_GENERIC = 16

/** Messages below 16 belong to netlink itself (NLMSG_). */
export const messageType = { noop: 1, error: 2, done: 3, overrun: 4 } as const

/** The flags word of struct nlmsghdr (NLM_F_); what 0x100 and above mean depends on the kind of message. */
export const requestFlags = {
  request: 0x01,
  /** One of several messages that end with NLMSG_DONE. */
  multi: 0x02,
  ack: 0x04,
  /** Send the resulting notification to the requester too. */
  echo: 0x08,
  /** The dump is inconsistent: something changed while it ran. */
  dumpInterrupted: 0x10,
  /** The kernel has applied the filters of the request. */
  dumpFiltered: 0x20,
  // GET
  root: 0x100,
  match: 0x200,
  atomic: 0x400,
  dump: 0x300,
  // NEW
  replace: 0x100,
  /** Refuse if it exists. */
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
  // DELETE
  nonrec: 0x100,
  bulk: 0x200,
  // acknowledgements
  /** The request is not echoed beyond its header. */
  capped: 0x100,
  /** Attributes of `extendedAck` follow. */
  ackTlvs: 0x200,
} as const

/** Limits of the attribute that was refused, kernel ≥ 5.8 (NL_POLICY_TYPE_ATTR_). */
export const policy = attributes('NL_POLICY_TYPE_ATTR', {
  /** NL_ATTR_TYPE_: 2 to 5 unsigned of 8 to 64 bits, 6 to 9 signed, 10 bytes, 11 and 12 text, 13 nest. */
  type: [1, u32],
  minValueS: [2, s64],
  maxValueS: [3, s64],
  minValueU: [4, count],
  maxValueU: [5, count],
  minLength: [6, u32],
  maxLength: [7, u32],
  policyIdx: [8, u32],
  policyMaxtype: [9, u32],
  bitfield32Mask: [10, u32],
  mask: [12, count],
})

/** After struct nlmsgerr, or the errno of NLMSG_DONE, on sockets with NETLINK_EXT_ACK (NLMSGERR_ATTR_). */
export const extendedAck = attributes('NLMSGERR_ATTR', {
  /** The kernel's words; with errno 0 a warning. */
  msg: [1, string],
  /** Offset of the refused attribute from the request's first byte. */
  offs: [2, u32],
  /** Identifies what a success has made; its form is the subsystem's. */
  cookie: [3, bytes],
  policy: [4, policy],
  /** Type of an attribute that is required and not there, kernel ≥ 6.0. */
  missType: [5, u32],
  /** Offset of the nest in which it is missing; absent at the outermost level. */
  missNest: [6, u32],
})
