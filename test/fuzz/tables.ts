// The tables that are fuzzed, by the name that files of the corpus begin with.
import { address } from '../../lib/protocol/address.js'
import { conntrack, expectation } from '../../lib/protocol/conntrack.js'
import { link } from '../../lib/protocol/link.js'
import { neighbour, neighbourTable } from '../../lib/protocol/neighbour.js'
import { extendedAck } from '../../lib/protocol/netlink.js'
import { nexthop } from '../../lib/protocol/nexthop.js'
import { nsid } from '../../lib/protocol/nsid.js'
import { route } from '../../lib/protocol/route.js'
import { rule } from '../../lib/protocol/rule.js'
import { everything } from './everything.js'

export const tables = {
  everything,
  link,
  address,
  route,
  rule,
  neighbour,
  neighbourTable,
  nexthop,
  nsid,
  extendedAck,
  conntrack,
  expectation,
}
