// Neighbours, MAC tables of bridges and vxlans, and the limits of the neighbour tables.
import type { Encodable } from '../../../lib/codec/codec.js'
import { neighbourTable, neighbour as table } from '../../../lib/protocol/neighbour.js'
import { requestFlags } from '../../../lib/protocol/netlink.js'
import { rtm } from '../../../lib/protocol/rtnetlink.js'
import { append, change, create, dump, get, type Recipes, replace, send, update } from './recipe.js'

type Value = Encodable<typeof table>
const v4: Value = { family: 'inet', index: 3, state: ['permanent'], dst: '10.0.0.9' }
const v6: Value = { family: 'inet6', index: 3, dst: '2001:db8::9' }
const port: Value = { family: 'bridge', index: 4, flags: ['master'] }
const nine = { lladdr: '02:00:00:00:00:09' }
const add = (value: Value) => send(rtm.newNeigh, create, table, value)
const list = (value: Value) => send(rtm.getNeigh, dump, table, value)

export const neighbour: Recipes = {
  add: add({ ...v4, ...nine }),
  'add IPv6': add({ ...v6, ...nine, state: ['reachable'], protocol: 'static' }),
  'add router': add({ ...v6, ...nine, state: ['stale'], flags: ['router', 'extLearned'] }),
  'add managed': add({ ...v4, state: [], flagsExt: ['managed'] }),
  'add proxy': add({ ...v4, dst: '10.0.0.77', flags: ['proxy'] }),
  replace: send(rtm.newNeigh, replace, table, { ...v4, lladdr: '02:00:00:00:00:0a' }),
  delete: send(rtm.delNeigh, change, table, v4),
  get: send(rtm.getNeigh, get, table, { ...v4, state: [] }),
  dump: list({}),
  'dump of one link': list({ family: 'inet', ifindex: 3 }),
  'dump of proxies': list({ flags: ['proxy'] }),
  'dump of tables': send(rtm.getNeightbl, dump, neighbourTable, {}),
  'set table': send(rtm.setNeightbl, update, neighbourTable, {
    name: 'arp_cache',
    parms: { ifindex: 3, baseReachableTime: 20, queueLen: 200 },
  }),
  'set table thresholds': send(rtm.setNeightbl, update, neighbourTable, { name: 'arp_cache', thresh1: 256, thresh2: 1024, thresh3: 2048 }),
  'fdb add': add({ ...port, ...nine, state: ['reachable', 'noarp'] }),
  'fdb add to a vlan': add({ ...port, ...nine, state: ['reachable'], flags: ['master', 'sticky'], vlan: 10 }),
  'fdb add to a vxlan': send(rtm.newNeigh, append, table, {
    family: 'bridge',
    index: 2,
    state: ['noarp', 'permanent'],
    flags: ['self'],
    lladdr: '00:00:00:00:00:00',
    dst: '10.0.0.9',
    port: 8472,
    vni: 43,
    srcVni: 42,
  }),
  'fdb replace': send(rtm.newNeigh, replace, table, { ...port, ...nine, state: ['noarp', 'permanent'], flags: ['master', 'extLearned'] }),
  'fdb delete': send(rtm.delNeigh, change, table, { ...port, ...nine, state: ['noarp', 'permanent'] }),
  'fdb get': send(rtm.getNeigh, get, table, { family: 'bridge', ...nine, master: 2 }),
  'fdb flush': send(rtm.delNeigh, change | requestFlags.bulk, table, {
    family: 'bridge',
    index: 2,
    state: ['permanent'],
    flags: ['self'],
    vlan: 5,
    ndmStateMask: ['permanent'],
  }),
  'fdb dump': list({ family: 'bridge' }),
  'fdb dump of a bridge': list({ family: 'bridge', master: 2 }),
  'fdb dump of a port': list({ family: 'bridge', index: 4 }),
  'fdb dump of a vxlan': list({ family: 'bridge', index: 2 }),
}
