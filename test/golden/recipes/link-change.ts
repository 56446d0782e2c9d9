// Links that are changed, read and deleted.
import type { Encodable } from '../../../lib/codec/codec.js'
import { Writer } from '../../../lib/codec/writer.js'
import { bridgePort } from '../../../lib/protocol/kinds/bridge-port.js'
import { link } from '../../../lib/protocol/link.js'
import { extFilter } from '../../../lib/protocol/link-base.js'
import { requestFlags } from '../../../lib/protocol/netlink.js'
import { rtm } from '../../../lib/protocol/rtnetlink.js'
import { change, create, dump, get, type Recipe, type Recipes, send } from './recipe.js'

type Value = Encodable<typeof link>
const set = (value: Value): Recipe => send(rtm.newLink, change, link, value)
const v0 = (value: Value) => set({ index: 3, ...value })

/** iproute2 says what the port is a port of as the kind 'bridge_slave', which the kernel ignores: it asks the master. Ours says slaveKind. */
function port(data: Encodable<typeof bridgePort>): Recipe {
  const writer = new Writer()
  ;(bridgePort.write as (writer: Writer, value: unknown) => void)(writer, data)
  return set({ index: 4, linkinfo: { kind: 'other:bridge_slave', slaveData: writer.copy() } })
}

export const linkChange: Recipes = {
  up: v0({ flags: { up: true } }),
  down: v0({ flags: { up: false } }),
  mtu: v0({ mtu: 1300 }),
  mac: v0({ address: '02:00:00:00:00:09' }),
  name: v0({ ifname: 'eth0' }),
  txqlen: v0({ txqlen: 77 }),
  alias: v0({ ifalias: 'uplink' }),
  master: set({ index: 4, master: 2 }),
  nomaster: set({ index: 4, master: 0 }),
  group: v0({ group: 9 }),
  'netns by name': v0({ netNsFd: 4, ifname: 'eth0' }),
  'netns by pid': v0({ netNsPid: 4194303 }),
  'promisc, allmulticast, arp, multicast': v0({ flags: { promisc: true, allmulti: true, noarp: true, multicast: false } }),
  addrgenmode: v0({ afSpec: { inet6: { addrGenMode: 'none' } } }),
  token: send(rtm.setLink, change, link, { family: 'inet6', index: 3, afSpec: { inet6: { token: '::1:2' } } }),
  protodown: v0({ protoDown: true }),
  carrier: v0({ carrier: false }),
  gso: v0({ gsoMaxSize: 32768, gsoMaxSegs: 100 }),
  'bridge options of a bridge': set({ index: 2, linkinfo: { kind: 'bridge', data: { ageingTime: 60, stpState: 1 } } }),
  'flush of a bridge': set({ index: 2, linkinfo: { kind: 'bridge', data: { fdbFlush: true } } }),
  'port options': port({
    state: 'forwarding',
    priority: 16,
    cost: 42,
    guard: true,
    protect: true,
    fastLeave: true,
    learning: false,
    unicastFlood: false,
    proxyarp: true,
    multicastRouter: 'perm',
    mcastFlood: false,
    bcastFlood: false,
    mcastToUcast: true,
    groupFwdMask: 8,
    neighSuppress: true,
    isolated: true,
    mode: true,
    locked: true,
  }),
  'port flush': port({ flush: true }),
  'port backup': port({ backupPort: 3 }),
  'bridge link set': send(rtm.setLink, change, link, {
    family: 'bridge',
    index: 4,
    protinfo: { cost: 7, priority: 9, mode: true, learning: false },
  }),
  'bridge link set self': send(rtm.setLink, change, link, {
    family: 'bridge',
    index: 4,
    protinfo: {},
    afSpec: { mode: 'vepa', flags: ['self'] },
  }),
  'altname add': send(rtm.newLinkprop, create | requestFlags.append, link, { index: 3, propList: ['a-much-longer-name', 'second'] }),
  'altname delete': send(rtm.delLinkprop, change, link, { index: 3, propList: ['a-much-longer-name'] }),
  'vlan of a port': send(rtm.setLink, change, link, {
    family: 'bridge',
    index: 4,
    afSpec: { vlanInfo: [{ flags: ['pvid', 'untagged'], vid: 10 }] },
  }),
  'vlans of a port': send(rtm.setLink, change, link, {
    family: 'bridge',
    index: 4,
    afSpec: {
      vlanInfo: [
        { flags: ['rangeBegin'], vid: 20 },
        { flags: ['rangeEnd'], vid: 30 },
      ],
    },
  }),
  'vlan of a bridge': send(rtm.setLink, change, link, { family: 'bridge', index: 2, afSpec: { flags: ['self'], vlanInfo: [{ vid: 10 }] } }),
  'vlan delete': send(rtm.delLink, change, link, { family: 'bridge', index: 4, afSpec: { vlanInfo: [{ vid: 1 }] } }),
  delete: send(rtm.delLink, change, link, { index: 3 }),
  'delete a group': send(rtm.delLink, change, link, { group: 99 }),
}

// ip asks in the name of family packet; the kernel answers no differently.
const byName = (ifname: string): Recipe => send(rtm.getLink, get, link, { family: 'packet', ifname, extMask: extFilter.vf })
const all = (value: Value): Recipe => send(rtm.getLink, dump, link, value)

export const linkRead: Recipes = {
  get: byName('v0'),
  'get an alternative name': send(rtm.getLink, get, link, { family: 'packet', altIfname: 'a-much-longer-name', extMask: extFilter.vf }),
  'get veth in two namespaces': byName('v0'),
  'get lo': byName('lo'),
  'get bridge': byName('br0'),
  'get port': byName('v0'),
  'get vxlan': byName('vx0'),
  'get vxlan over IPv6': byName('vx0'),
  'get macvlan': byName('mv0'),
  'get macvtap': byName('tap0'),
  'get ifb': byName('ifb5'),
  'get tap': byName('tap7'),
  'get tun': byName('tun7'),
  dump: all({ family: 'packet', extMask: extFilter.vf }),
  'dump of a kind': all({ family: 'packet', extMask: extFilter.vf, linkinfo: { kind: 'bridge' } }),
  'dump of ports': all({ family: 'packet', extMask: extFilter.vf, master: 2 }),
  'dump of bridge ports': all({ family: 'bridge' }),
  'dump of IPv6 tokens': all({ family: 'inet6' }),
  'dump of port vlans': all({ family: 'bridge', extMask: extFilter.brvlan }),
}
