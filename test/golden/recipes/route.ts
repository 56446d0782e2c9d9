// Routes, rules and nexthop objects.
import type { Encodable } from '../../../lib/codec/codec.js'
import { nexthop as nexthopTable } from '../../../lib/protocol/nexthop.js'
import { route as table } from '../../../lib/protocol/route.js'
import { routeTables } from '../../../lib/protocol/route-names.js'
import { rtm } from '../../../lib/protocol/rtnetlink.js'
import { rule as ruleTable } from '../../../lib/protocol/rule.js'
import { append, change, create, dump, get, type Recipes, replace, send, update } from './recipe.js'

type Value = Encodable<typeof table>
const { main, local } = routeTables
const unicast: Value = { family: 'inet', headerTable: main, protocol: 'boot', type: 'unicast' }
const to = (dst: string, value: Value): Value => ({ ...unicast, dst, dstLen: 16, ...value })
const add = (value: Value) => send(rtm.newRoute, create, table, value)
const v6: Value = { ...unicast, family: 'inet6' }
const via = { gateway: '10.0.0.2' }

export const route: Recipes = {
  'add default': add({ ...unicast, ...via }),
  'add network': add(to('10.1.0.0', { ...via, oif: 3, priority: 100, prefsrc: '10.0.0.1' })),
  'add on link': add(to('10.1.0.0', { scope: 'link', oif: 3 })),
  'add host': add(to('10.1.0.9', { dstLen: 32, scope: 'link', protocol: 'static', oif: 3 })),
  'add onlink gateway': add(to('10.1.0.0', { gateway: '192.0.2.1', oif: 3, flags: ['onlink'] })),
  'add to a table': add(to('10.1.0.0', { ...via, headerTable: 100, protocol: 'bgp' })),
  'add to a large table': add(to('10.1.0.0', { ...via, headerTable: 0, table: 70000 })),
  'add blackhole': add(to('10.2.0.0', { type: 'blackhole' })),
  'add unreachable': add(to('10.2.0.0', { type: 'unreachable', priority: 9 })),
  'add prohibit': add(to('10.2.0.0', { type: 'prohibit' })),
  'add throw': add(to('10.2.0.0', { type: 'throw', headerTable: 100 })),
  'add local': add(to('10.3.0.0', { type: 'local', headerTable: local, scope: 'host', oif: 1 })),
  'add broadcast': add(to('10.3.0.255', { dstLen: 32, type: 'broadcast', headerTable: local, scope: 'link', oif: 3 })),
  'add multipath': add(
    to('10.4.0.0', {
      multipath: [
        { gateway: '10.0.0.2', index: 3, hops: 0 },
        { gateway: '10.0.0.3', hops: 4 },
        { gateway: '192.0.2.1', index: 3, flags: ['onlink'] },
      ],
    }),
  ),
  'add metrics': add(
    to('10.5.0.0', {
      ...via,
      metrics: {
        lock: ['mtu'],
        mtu: 1400,
        advmss: 1360,
        window: 65535,
        rtt: 0.1,
        initcwnd: 20,
        initrwnd: 30,
        hoplimit: 9,
        quickack: 1,
        ccAlgo: 'reno',
        features: ['ecn'],
      },
    }),
  ),
  'add with tos and realm': add(to('10.6.0.0', { ...via, tos: 0x10, flow: 0x1_0002 })),
  'add via another family': add(to('10.7.0.0', { via: { inet6: '2001:db8::2' }, oif: 3 })),
  'add encapsulated': add(
    to('10.8.0.0', {
      scope: 'link',
      oif: 3,
      encapType: 'ip',
      // LWTUNNEL_IP_ID 5, DST 10.0.0.9
      encap: Uint8Array.of(12, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 5, 8, 0, 2, 0, 10, 0, 0, 9),
    }),
  ),
  'add by nexthop object': add(to('10.9.0.0', { nhId: 5 })),
  'add IPv6 default': add({ ...v6, dst: '::', gateway: '2001:db8::2', priority: 5, pref: 'high' }),
  'add IPv6 via link-local': add({ ...v6, dst: '2001:db8:1::', dstLen: 48, gateway: 'fe80::1', oif: 3, expires: 300 }),
  'add IPv6 multipath': add({
    ...v6,
    dst: '2001:db8:2::',
    dstLen: 48,
    multipath: [{ gateway: '2001:db8::2' }, { gateway: '2001:db8::3', hops: 2 }],
  }),
  'add IPv6 by source': add({
    ...v6,
    dst: '2001:db8:3::',
    dstLen: 48,
    src: '2001:db8:9::',
    srcLen: 64,
    gateway: '2001:db8::2',
    ttlPropagate: true,
  }),
  append: send(rtm.newRoute, append, table, to('10.1.0.0', via)),
  replace: send(rtm.newRoute, replace, table, { ...unicast, gateway: '10.0.0.3', oif: 3 }),
  change: send(rtm.newRoute, update, table, { ...unicast, gateway: '10.0.0.3', oif: 3 }),
  delete: send(rtm.delRoute, change, table, { family: 'inet', headerTable: main, scope: 'nowhere', ...via, oif: 3 }),
  'delete by destination': send(rtm.delRoute, change, table, {
    family: 'inet',
    headerTable: main,
    scope: 'nowhere',
    dst: '10.1.0.0',
    dstLen: 16,
  }),
  'delete IPv6': send(rtm.delRoute, change, table, { family: 'inet6', headerTable: main, dst: '2001:db8:1::', dstLen: 48 }),
  get: send(rtm.getRoute, get, table, { family: 'inet', flags: ['lookupTable'], dst: '192.0.2.7', dstLen: 32 }),
  'get with origin': send(rtm.getRoute, get, table, {
    family: 'inet',
    flags: ['lookupTable'],
    dst: '192.0.2.7',
    dstLen: 32,
    src: '10.0.0.1',
    srcLen: 32,
    mark: 7,
    oif: 3,
    uid: 9,
    ipProto: 17,
    sport: 5,
    dport: 53,
  }),
  'get fibmatch': send(rtm.getRoute, get, table, { family: 'inet', flags: ['lookupTable', 'fibMatch'], dst: '192.0.2.7', dstLen: 32 }),
  'get IPv6': send(rtm.getRoute, get, table, { family: 'inet6', dst: '2001:db8::7', dstLen: 128 }),
  dump: send(rtm.getRoute, dump, table, { family: 'inet', table: main }),
  'dump local': send(rtm.getRoute, dump, table, { family: 'inet', table: local }),
  'dump IPv6': send(rtm.getRoute, dump, table, { family: 'inet6', table: main }),
}

type RuleValue = Encodable<typeof ruleTable>
const addRule = (value: RuleValue) => send(rtm.newRule, create, ruleTable, { family: 'inet', action: 'toTbl', ...value })

export const rule: Recipes = {
  add: addRule({ headerTable: 100, src: '10.0.0.0', srcLen: 24 }),
  'add with everything': addRule({
    priority: 1000,
    src: '10.0.0.0',
    srcLen: 24,
    dst: '10.1.0.0',
    dstLen: 16,
    tos: 0x10,
    fwmark: 5,
    fwmask: 0xff,
    iifname: 'v0',
    oifname: 'v1',
    uidRange: { start: 5, end: 10 },
    ipProto: 6,
    sportRange: { start: 1000, end: 2000 },
    dportRange: { start: 80, end: 80 },
    suppressPrefixlen: 0,
    suppressIfgroup: 3,
    protocol: 'static',
    table: 70000,
  }),
  'add not': addRule({ flags: ['invert'], fwmark: 5, headerTable: main, priority: 99 }),
  'add blackhole': addRule({ action: 'blackhole', src: '10.9.0.0', srcLen: 16 }),
  'add goto': addRule({ action: 'goto', priority: 10, goto: 32766 }),
  'add with realm and tunnel': addRule({ tunId: 7n, flow: 0x1_0002, headerTable: 5 }),
  'add IPv6': addRule({ family: 'inet6', action: 'unreachable', src: '2001:db8::', srcLen: 32 }),
  'add l3mdev': addRule({ l3mdev: true, priority: 1000 }),
  delete: send(rtm.delRule, change, ruleTable, { family: 'inet', headerTable: 100, src: '10.0.0.0', srcLen: 24 }),
  dump: send(rtm.getRule, dump, ruleTable, { family: 'inet' }),
  'dump IPv6': send(rtm.getRule, dump, ruleTable, { family: 'inet6' }),
}

type NexthopValue = Encodable<typeof nexthopTable>
const addNexthop = (value: NexthopValue) => send(rtm.newNexthop, create, nexthopTable, value)

export const nexthop: Recipes = {
  add: addNexthop({ family: 'inet', id: 5, gateway: '10.0.0.2', oif: 3 }),
  'add blackhole': addNexthop({ family: 'inet', id: 6, blackhole: true }),
  'add IPv6': addNexthop({ family: 'inet6', id: 7, gateway: '2001:db8::2', oif: 3, protocol: 'static', flags: ['onlink'] }),
  'add group': addNexthop({
    id: 10,
    group: [
      { id: 5, weight: 0 },
      { id: 6, weight: 2 },
    ],
  }),
  'add resilient group': addNexthop({
    id: 10,
    group: [{ id: 5 }],
    groupType: 'res',
    resGroup: { buckets: 8, idleTimer: 60, unbalancedTimer: 300 },
  }),
  'add fdb': addNexthop({ family: 'inet', id: 8, gateway: '10.0.0.2', fdb: true }),
  delete: send(rtm.delNexthop, change, nexthopTable, { id: 5 }),
  get: send(rtm.getNexthop, get, nexthopTable, { id: 5 }),
  dump: send(rtm.getNexthop, dump, nexthopTable, {}),
}
