// netloom/netlink: raw connections, the codec's building blocks and the protocol tables, for messages that netloom has no verb for.
import { labelOf } from './namespace/info.js'
import { type NamespaceSource, openSource } from './namespace/source.js'
import { NETLINK_ROUTE } from './protocol/netlink.js'
import { Connection } from './socket/connection.js'
import { expectClose, wasClosed } from './socket/unclosed.js'

/**
 * A netlink connection inside a namespace; close() it.
 *
 * Errors: those of Namespace.open(); EPROTONOSUPPORT this kernel lacks the protocol.
 */
export async function openConnection(source: NamespaceSource, protocol: number = NETLINK_ROUTE): Promise<Connection> {
  const { handle, info } = await openSource(source)
  try {
    const connection: Connection = await Connection.open(handle, protocol, () => {
      handle.close()
      wasClosed(connection)
    })
    expectClose(connection, { what: `a netlink connection in ${labelOf(info)}`, advice: 'declare it with await using, or close() it' })
    return connection
  } catch (error) {
    handle.close()
    throw error
  }
}

export { ip, ipv4, ipv6, mac } from './codec/address.js'
export type { Attributes, Codec, Decoded, Encodable } from './codec/codec.js'
export { annotate } from './codec/dump.js'
export {
  bits,
  bool,
  boolean,
  bytes,
  count,
  countBe,
  flag,
  kind,
  masked,
  oneOf,
  s8,
  s16,
  s32,
  s32be,
  s64,
  scaled,
  string,
  u8,
  u16,
  u16be,
  u32,
  u32be,
  u64,
  u64be,
} from './codec/scalars.js'
export { array, pad, struct } from './codec/struct.js'
export { attributes, by, entries, list, message, repeated } from './codec/table.js'
export { locate, walk } from './codec/walk.js'
export { Writer } from './codec/writer.js'
export { address } from './protocol/address.js'
export { conntrack, conntrackMessages, expectation, expectMessages } from './protocol/conntrack.js'
export { link, linkInfo } from './protocol/link.js'
export { neighbour } from './protocol/neighbour.js'
export { extendedAck, messageType, NETLINK_GENERIC, NETLINK_NETFILTER, NETLINK_ROUTE, requestFlags } from './protocol/netlink.js'
export { nexthop } from './protocol/nexthop.js'
export { nsid } from './protocol/nsid.js'
export { route } from './protocol/route.js'
export { rtm, rtnetlinkGroups } from './protocol/rtnetlink.js'
export { rule } from './protocol/rule.js'
export type { Connection } from './socket/connection.js'
export type { Context, Dump, Outcome, Reply, Request } from './socket/request.js'
