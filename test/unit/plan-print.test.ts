// Plans as `ip` commands.
import { expect, test } from 'vitest'
import { Plan } from '../../lib/plan/plan.js'
import type { PlanNamespace } from '../../lib/plan/plan-namespace.js'

/** The commands for what is said in one namespace, less its name, with IPv6 left to the kernel. */
function printed(say: (here: PlanNamespace, plan: Plan) => void): string[] {
  const plan = new Plan({ ipv6: 'kernel' })
  say(plan.in({ name: 'here' }), plan)
  const lines = String(plan).trimEnd().split('\n')
  return lines.map(line => line.replace(/^ip -n here/, 'ip').replace(/^ip netns exec here /, ''))
}

test('a namespace with a link to a bridge', () => {
  const plan = new Plan()
  const host = plan.in({ name: 'host' })
  const bridge = host.links.create({ kind: 'bridge', name: 'br0', up: true, ipv6: 'kernel' })
  const web = plan.namespace('web', { loopback: true })
  const port = host.links.create({
    kind: 'veth',
    name: 'v-web',
    master: bridge,
    up: true,
    ipv6: 'none',
    peer: { name: 'eth0', namespace: web, up: true },
  })
  web.addresses.add(port.peer, '10.0.0.2/24')
  web.addresses.add(port.peer, 'fd00::2/64')
  web.routes.add({ to: 'default', via: '10.0.0.1' })
  expect(String(plan)).toBe(`ip netns add web
ip -n web link set lo up
ip -n host link add br0 type bridge
ip -n host link set br0 up
ip -n host link add v-web type veth peer name eth0 netns web
ip netns exec host sysctl -qw net/ipv6/conf/v-web/disable_ipv6=1
ip -n host link set v-web master br0 up
ip -n web link set eth0 addrgenmode none
ip -n web link set eth0 up
ip -n web address add 10.0.0.2/24 dev eth0
ip -n web address add fd00::2/64 dev eth0 nodad
ip -n web route add default via 10.0.0.1
`)
})

test('an empty plan is no commands', () => {
  expect(String(new Plan())).toBe('')
})

test('links of every kind', () => {
  expect(
    printed(here => {
      here.links.create({ kind: 'dummy' })
      here.links.create({ kind: 'dummy', name: 'up', mac: '02:00:00:00:00:01', mtu: 1400, group: 3, txQueueLength: 7, index: 9 })
      here.links.create({ kind: 'ifb', name: 'ifb7', txQueues: 2, rxQueues: 3, alias: "it's", altNames: ['long-name', 'other'] })
      here.links.create({
        kind: 'bridge',
        name: 'br0',
        options: {
          stp: true,
          ageingTime: 30,
          forwardDelay: 4.5,
          multicastSnooping: false,
          vlanFiltering: true,
          groupForwardMask: 8,
          noLinkLocalLearning: true,
        },
      })
      here.links.create({
        kind: 'vlan',
        name: 'v.5',
        link: 'ifb7',
        options: { id: 5, protocol: '802.1ad', gvrp: true, reorderHeader: false },
      })
      here.links.create({ kind: 'macvlan', name: 'm0', link: 'ifb7', options: { mode: 'bridge', broadcastQueueLength: 9 } })
      here.links.create({ kind: 'ipvlan', name: 'i0', link: 'ifb7', options: { mode: 'l3', flags: ['vepa'] } })
      here.links.create({ kind: 'ipvtap', name: 'i1', link: 'ifb7', options: { flags: [] } })
      here.links.create({
        kind: 'vxlan',
        name: 'vx0',
        link: 'ifb7',
        options: {
          id: 42,
          group: '239.1.1.1',
          port: 4789,
          learning: false,
          portRange: { low: 1000, high: 2000 },
          ttl: 5,
          udpChecksum: true,
          groupPolicy: true,
        },
      })
      here.links.create({ kind: 'tun', name: 'tap0', options: { type: 'tap', owner: 7, multiQueue: true } })
      here.links.create({ kind: 'other:vcan', name: 'vcan0' })
      here.links.create({ kind: 'other:foo', name: 'foo0', options: new Uint8Array(4) })
      here.links.create({ kind: 'veth', name: 'v0', mtu: 1400, peer: { name: 'v1', mtu: 1300 } })
      here.links.create({ kind: 'veth', name: 'v2' })
    }),
  ).toEqual([
    'ip link add type dummy',
    'ip link add name up address 02:00:00:00:00:01 mtu 1400 group 3 txqueuelen 7 index 9 type dummy',
    'ip link add ifb7 numtxqueues 2 numrxqueues 3 type ifb',
    `ip link set ifb7 alias 'it'\\''s'`,
    'ip link property add dev ifb7 altname long-name altname other',
    'ip link add br0 type bridge stp_state 1 ageing_time 3000 forward_delay 450 mcast_snooping 0 vlan_filtering 1 group_fwd_mask 8 no_linklocal_learn 1',
    'ip link add link ifb7 v.5 type vlan id 5 protocol 802.1ad gvrp on reorder_hdr off',
    'ip link add link ifb7 m0 type macvlan mode bridge bcqueuelen 9',
    'ip link add link ifb7 i0 type ipvlan mode l3 vepa',
    'ip link add link ifb7 i1 type ipvtap bridge',
    'ip link add vx0 type vxlan id 42 group 239.1.1.1 dstport 4789 nolearning srcport 1000 2000 ttl 5 udpcsum gbp dev ifb7',
    'ip tuntap add dev tap0 mode tap user 7 multi_queue',
    'ip link add vcan0 type vcan',
    'ip link add foo0 type foo # cannot say options',
    'ip link add v0 mtu 1400 type veth peer name v1 mtu 1300',
    'ip link add v2 type veth',
  ])
})

test('changes, and names that change', () => {
  expect(
    printed((here, plan) => {
      const bridge = here.links.create({ kind: 'bridge', name: 'br0' })
      const link = here.links.create({
        kind: 'dummy',
        name: 'a1',
        master: bridge,
        port: { isolated: true, hairpin: false, cost: 7, state: 'blocking' },
      })
      here.links.update('a1', { name: 'b1', mtu: 1400, up: false, master: null, alias: '' })
      here.links.update(link, { ipv6: 'kernel', txQueueLength: 3, port: { flood: false, learning: true } })
      here.links.update(bridge, { options: { stp: false, flush: true }, altNames: ['x'] })
      here.links.update('elsewhere', { options: { stp: false } })
      here.links.update(7, { group: 4 })
      here.links.move(link, plan.in({ pid: 9 }), { name: 'c1' })
      plan.in({ pid: 9 }).links.update(link, { up: true })
      plan.in({ path: '/run/netns/x y' }).links.delete('c1')
      here.links.delete(bridge)
    }),
  ).toEqual([
    'ip link add br0 type bridge',
    'ip link add a1 type dummy',
    'ip link set a1 master br0',
    'ip link set a1 type bridge_slave isolated on hairpin off cost 7 state 4',
    "ip link set a1 mtu 1400 nomaster alias '' name b1 down",
    'ip link set b1 addrgenmode eui64',
    'ip link set b1 txqueuelen 3',
    'ip link set b1 type bridge_slave flood off learning on',
    'ip link set br0 type bridge stp_state 0 fdb_flush',
    'ip link property add dev br0 altname x',
    "ip link set dev elsewhere type '?' # cannot say options",
    'ip link set if7 group 4',
    'ip link set b1 netns 9 name c1',
    'nsenter --net --target 9 ip link set c1 up',
    "nsenter '--net=/run/netns/x y' ip link delete c1",
    'ip link delete br0',
  ])
})

test('addresses, routes, neighbours, rules and settings', () => {
  expect(
    printed(here => {
      here.addresses.add('eth0', '10.0.0.1/24', { broadcast: '10.0.0.255', label: 'eth0:1', scope: 'link', metric: 5, noPrefixRoute: true })
      here.addresses.replace('eth0', '10.0.0.1/24', { peer: '10.0.1.1', validLifetime: 60, preferredLifetime: 30 })
      here.addresses.add('eth0', 'fd00::1/64', { noDad: true, validLifetime: Number.POSITIVE_INFINITY })
      here.addresses.delete('eth0', 'fd00::1/64')
      here.routes.add({ to: 'default', via: 'fd00::9', metric: 7 })
      here.routes.add({ to: 'default', family: 6, link: 'eth0' })
      here.routes.replace({
        to: '10.1.0.0/16',
        via: 'fe80::1',
        link: 'eth0',
        onlink: true,
        src: '10.0.0.1',
        protocol: 'static',
        table: 100,
        mtu: 1400,
      })
      here.routes.add({ to: '10.2.0.0/16', type: 'blackhole', tos: 8, scope: 'link' })
      here.routes.add({
        to: '10.3.0.0/16',
        nexthops: [
          { via: '10.0.0.2', weight: 3 },
          { link: 'eth0', onlink: true },
        ],
        metrics: { rtt: 0.1, quickack: true, lock: ['mtu'] },
        mtu: 1300,
      })
      here.routes.delete({ to: '10.3.0.0/16' })
      here.neighbours.add({ address: '10.0.0.9', mac: '02:00:00:00:00:09', link: 'eth0', state: 'reachable' })
      here.neighbours.replace({ address: 'fd00::9', mac: '02:00:00:00:00:09', link: 'eth0', router: true })
      here.neighbours.add({ address: '10.0.0.8', link: 'eth0', proxy: true })
      here.neighbours.delete({ address: '10.0.0.9', link: 'eth0' })
      here.rules.add({
        from: '10.0.0.0/24',
        table: 100,
        priority: 7,
        mark: 1,
        mask: 255,
        invert: true,
        iif: 'eth0',
        destinationPorts: { start: 80, end: 90 },
      })
      here.rules.add({ family: 6, type: 'prohibit', sourcePorts: { start: 7, end: 7 }, users: { start: 0, end: 0 } })
      here.rules.delete({ goto: 9, type: 'goto', priority: 3 })
      here.sysctl.set('net.ipv4.ip_forward', 1)
      here.sysctl.set('net.ipv4.ip_local_reserved_ports', '1 2')
    }),
  ).toEqual([
    'ip address add 10.0.0.1/24 broadcast 10.0.0.255 dev eth0 label eth0:1 scope link metric 5 noprefixroute',
    'ip address replace 10.0.0.1 peer 10.0.1.1/24 dev eth0 valid_lft 60 preferred_lft 30',
    'ip address add fd00::1/64 dev eth0 nodad valid_lft forever preferred_lft forever',
    'ip address delete fd00::1/64 dev eth0',
    'ip -6 route add default via fd00::9 metric 7',
    'ip -6 route add default dev eth0',
    'ip route replace 10.1.0.0/16 via inet6 fe80::1 dev eth0 src 10.0.0.1 table 100 proto static mtu 1400 onlink',
    'ip route add blackhole 10.2.0.0/16 scope link tos 8',
    'ip route add 10.3.0.0/16 mtu lock 1300 rtt 100ms quickack 1 nexthop via 10.0.0.2 weight 3 nexthop dev eth0 onlink',
    'ip route delete 10.3.0.0/16',
    'ip neighbour add 10.0.0.9 lladdr 02:00:00:00:00:09 dev eth0 nud reachable',
    'ip neighbour replace fd00::9 lladdr 02:00:00:00:00:09 dev eth0 router',
    'ip neighbour add proxy 10.0.0.8 dev eth0',
    'ip neighbour delete 10.0.0.9 dev eth0',
    'ip rule add not priority 7 from 10.0.0.0/24 fwmark 1/255 iif eth0 dport 80-90 table 100',
    'ip -6 rule add sport 7 uidrange 0-0 prohibit',
    'ip rule delete priority 3 goto 9',
    'sysctl -qw net.ipv4.ip_forward=1',
    "sysctl -qw 'net.ipv4.ip_local_reserved_ports=1 2'",
  ])
})

test('namespaces without a name, and the one that the shell is in', () => {
  const plan = Plan.fromJSON({
    netloom: 1,
    ipv6: 'kernel',
    namespaces: [{ use: { current: true } }, { make: {} }],
    items: [
      {
        in: 1,
        verb: 'links.create',
        spec: {
          kind: 'veth',
          name: 'v0',
          namespace: { planned: 'namespace', number: 0 },
          peer: { name: 'v1', namespace: { planned: 'namespace', number: 0 } },
        },
      },
      { in: 0, verb: 'sysctl.set', key: 'net.ipv4.ip_forward', value: 1 },
      { in: 0, verb: 'links.delete', link: { planned: 'link', item: 0 } },
    ],
  })
  expect(String(plan)).toBe(`ip netns add 'namespaces[1]' # has no name
ip -n 'namespaces[1]' link add v0 netns $$ type veth peer name v1 netns $$
sysctl -qw net.ipv4.ip_forward=1
ip link delete v0
`)
})
