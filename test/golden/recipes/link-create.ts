// Links that are made.
import { link } from '../../../lib/protocol/link.js'
import { rtm } from '../../../lib/protocol/rtnetlink.js'
import { change, create, type Recipe, type Recipes, send } from './recipe.js'

type Value = Parameters<typeof send<typeof link>>[3]
const make = (value: Value): Recipe => send(rtm.newLink, create, link, value)
type Info = NonNullable<Value['linkinfo']>
type DataOf<K> = Extract<Info, { kind: K }>['data']
const bridge = (data: DataOf<'bridge'>, up = false) =>
  make({ ifname: 'br0', flags: up ? { up } : {}, linkinfo: { kind: 'bridge', ...(data ? { data } : {}) } })
const vxlan = (data: DataOf<'vxlan'>) => make({ ifname: 'vx0', linkinfo: { kind: 'vxlan', data } })
const macvlan = (data: DataOf<'macvlan'>) => make({ ifname: 'mv0', link: 3, linkinfo: { kind: 'macvlan', data } })
const ipvlan = (ifname: string, kind: 'ipvlan' | 'ipvtap', data: DataOf<'ipvlan'>) =>
  make({ ifname, link: 3, linkinfo: { kind, data } as Info })

export const linkCreate: Recipes = {
  veth: make({ ifname: 'v0', linkinfo: { kind: 'veth', data: { peer: { ifname: 'v1' } } } }),
  'veth with everything': make({
    index: 20,
    flags: { up: true },
    ifname: 'v0',
    mtu: 1400,
    address: '02:00:00:00:00:01',
    broadcast: 'ff:ff:ff:ff:ff:fe',
    txqlen: 500,
    group: 7,
    numTxQueues: 1,
    numRxQueues: 2,
    linkinfo: { kind: 'veth', data: { peer: { ifname: 'eth0', mtu: 1400, address: '02:00:00:00:00:02', netNsFd: 4 } } },
  }),
  'veth with the main end elsewhere': make({ ifname: 'v0', netNsFd: 4, linkinfo: { kind: 'veth', data: { peer: { ifname: 'v1' } } } }),
  bridge: bridge(undefined),
  'bridge with options': bridge(
    {
      forwardDelay: 4,
      helloTime: 2,
      maxAge: 20,
      ageingTime: 300,
      stpState: 1,
      priority: 4096,
      groupFwdMask: 8,
      groupAddr: '01:80:c2:00:00:04',
      nfCallIptables: false,
      nfCallIp6tables: false,
      nfCallArptables: false,
    },
    true,
  ),
  'bridge with multicast options': bridge({
    mcastSnooping: false,
    mcastRouter: 'tempQuery',
    mcastQueryUseIfaddr: false,
    mcastQuerier: false,
    mcastHashElasticity: 16,
    mcastHashMax: 4096,
    mcastLastMemberCnt: 3,
    mcastStartupQueryCnt: 3,
    mcastLastMemberIntvl: 1.5,
    mcastMembershipIntvl: 260,
    mcastQuerierIntvl: 255,
    mcastQueryIntvl: 125,
    mcastQueryResponseIntvl: 10,
    mcastStartupQueryIntvl: 31.25,
    mcastStatsEnabled: true,
    mcastIgmpVersion: 3,
    mcastMldVersion: 2,
  }),
  'bridge with vlan options': bridge({
    vlanFiltering: true,
    vlanProtocol: '802.1ad',
    vlanDefaultPvid: 100,
    vlanStatsEnabled: true,
    vlanStatsPerPort: true,
  }),
  'bridge with switches': bridge({ multiBoolopt: { noLlLearn: true, mcastVlanSnooping: false } }),
  vxlan: vxlan({ id: 42, group: '10.0.0.2', local: '10.0.0.1', learning: true, port: 4789 }),
  'vxlan with options': vxlan({
    id: 16777215,
    group: '239.1.1.1',
    link: 3,
    ttl: 5,
    tos: 8,
    ageing: 60,
    limit: 100,
    portRange: { low: 32768, high: 61000 },
    port: 8472,
    learning: false,
    proxy: true,
    rsc: true,
    l2miss: true,
    l3miss: true,
    udpCsum: false,
    df: 'set',
  }),
  'vxlan over IPv6': vxlan({
    id: 43,
    group6: '2001:db8::2',
    local6: '2001:db8::1',
    port: 4789,
    learning: true,
    udpZeroCsum6Tx: true,
    udpZeroCsum6Rx: true,
    ttlInherit: true,
    label: 9,
  }),
  'vxlan external': vxlan({ collectMetadata: true, vnifilter: true, gbp: true, learning: false, port: 4789 }),
  macvlan: macvlan({ mode: 'bridge' }),
  'macvlan with options': macvlan({ mode: 'passthru', flags: ['nopromisc'] }),
  'macvlan with a queue length': macvlan({ mode: 'source', bcQueueLen: 2000 }),
  'macvlan source addresses': send(rtm.newLink, change, link, {
    index: 4,
    linkinfo: { kind: 'macvlan', data: { macaddrMode: 'set', macaddrData: ['02:00:00:00:00:07', '02:00:00:00:00:08'] } },
  }),
  macvtap: make({ ifname: 'tap0', link: 3, linkinfo: { kind: 'macvtap', data: { mode: 'vepa' } } }),
  ipvlan: ipvlan('iv0', 'ipvlan', { mode: 'l3', flags: [] }),
  'ipvlan with a flag': ipvlan('iv0', 'ipvlan', { mode: 'l3s', flags: ['vepa'] }),
  ipvtap: ipvlan('tap0', 'ipvtap', { mode: 'l2', flags: ['private'] }),
  ifb: make({ ifname: 'ifb5', linkinfo: { kind: 'ifb' } }),
  dummy: make({ ifname: 'd0', mtu: 9000, linkinfo: { kind: 'dummy' } }),
  vlan: make({ ifname: 'v0.10', link: 3, linkinfo: { kind: 'vlan', data: { id: 10 } } }),
  'vlan with options': make({
    ifname: 'v0.11',
    link: 3,
    linkinfo: {
      kind: 'vlan',
      data: {
        protocol: '802.1ad',
        id: 11,
        flags: { reorderHdr: false, gvrp: true, looseBinding: true },
        ingressQos: [
          { from: 1, to: 2 },
          { from: 3, to: 4 },
        ],
        egressQos: [{ from: 5, to: 6 }],
      },
    },
  }),
  'a kind without a table': make({ ifname: 'red', linkinfo: { kind: 'other:vrf', data: Uint8Array.of(8, 0, 1, 0, 100, 0, 0, 0) } }),
}
