// Address families by name: the first byte of every rtnetlink header says whose message it is (linux/socket.h, AF_).
import { oneOf, u8 } from '../codec/scalars.js'

export const families = { unspec: 0, unix: 1, inet: 2, bridge: 7, inet6: 10, netlink: 16, packet: 17, mpls: 28, can: 29, mctp: 45 } as const

/** `unspec` in a dump asks for every family. */
export const family = oneOf(u8, families)
