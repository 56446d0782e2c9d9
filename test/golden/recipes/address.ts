// Addresses, and the numbers by which namespaces know each other.
import type { Encodable } from '../../../lib/codec/codec.js'
import { forever, address as table } from '../../../lib/protocol/address.js'
import { nsid as nsidTable } from '../../../lib/protocol/nsid.js'
import { rtm } from '../../../lib/protocol/rtnetlink.js'
import { change, create, dump, get, type Recipes, replace, send, update } from './recipe.js'

type Value = Encodable<typeof table>
const v4 = (value: Value): Value => ({ family: 'inet', prefixlen: 24, index: 3, local: '10.0.0.1', address: '10.0.0.1', ...value })
const v6 = (value: Value): Value => ({ family: 'inet6', prefixlen: 64, index: 3, local: '2001:db8::1', address: '2001:db8::1', ...value })
const add = (value: Value) => send(rtm.newAddr, create, table, value)

export const address: Recipes = {
  add: add(v4({})),
  'add with broadcast and label': add(v4({ scope: 'link', broadcast: '10.0.0.255', label: 'v0:web' })),
  'add with peer': add(v4({ prefixlen: 32, address: '10.0.9.1' })),
  'add with lifetimes': add(v4({ cacheinfo: { valid: 3600, preferred: 1800 } })),
  'add without prefix route': add(v4({ flags: ['noprefixroute'], rtPriority: 50 })),
  'add with metric': add(v4({ rtPriority: 50 })),
  'add IPv6': add(v6({})),
  'add IPv6 nodad': add(v6({ flags: ['nodad', 'noprefixroute'], cacheinfo: { preferred: 0, valid: forever } })),
  'add IPv6 for temporary addresses': add(v6({ flags: ['homeaddress', 'managetempaddr', 'nodad'] })),
  replace: send(rtm.newAddr, replace, table, v4({ cacheinfo: { valid: 60, preferred: 30 } })),
  change: send(rtm.newAddr, update, table, v6({ cacheinfo: { valid: forever, preferred: forever } })),
  delete: send(rtm.delAddr, change, table, v4({})),
  'delete IPv6': send(rtm.delAddr, change, table, v6({})),
  dump: send(rtm.getAddr, dump, table, {}),
  'dump of one link': send(rtm.getAddr, dump, table, { family: 'inet', index: 3 }),
  'dump IPv6': send(rtm.getAddr, dump, table, { family: 'inet6', index: 3 }),
}

export const nsid: Recipes = {
  set: send(rtm.newNsid, change, nsidTable, { fd: 6, nsid: 7 }),
  'set auto': send(rtm.newNsid, change, nsidTable, { fd: 6, nsid: -1 }),
  get: send(rtm.getNsid, get, nsidTable, { fd: 6 }),
  'get unassigned': send(rtm.getNsid, get, nsidTable, { fd: 6 }),
  dump: send(rtm.getNsid, dump, nsidTable, {}),
  'dump of another': send(rtm.getNsid, dump, nsidTable, { targetNsid: 7 }),
}
