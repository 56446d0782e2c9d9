// The views with the columns of old tools, beside the tools: the cases that are seldom met (docs/commands.md has the common ones).
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { arpView, brctlMacsView, brctlView, ifconfigView, Namespace, netstatView, routeView } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { patience } from '../helpers/patience.js'
import { attempt, run } from '../helpers/readers.js'

const host = useHost()
let here: Namespace

const lines = [
  'link add eth0 address 02:00:00:00:00:01 type veth peer name eth1 address 02:00:00:00:00:02',
  'link add br0 address 02:00:00:00:00:03 type bridge forward_delay 0',
  'link add br1 address 02:00:00:00:00:04 type bridge stp_state 1 priority 4096',
  ...['p1', 'p2', 'p0'].map(name => `link add ${name} type veth peer name ${name}x`),
  ...['p1', 'p2', 'p0'].map(name => `link set ${name} master br0 up`),
  'link set br0 up',
  'link set eth0 up',
  'link set eth1 up',
  'address add 10.0.1.1/24 broadcast + dev eth0',
  'address add 10.0.1.2/24 dev eth0',
  'address add 10.0.9.1/28 broadcast + label eth0:web dev eth0',
  'address add fd00:1::1/64 dev eth0 nodad',
  'address add 10.0.2.1/24 dev eth1',
]

beforeAll(async () => {
  await run(host.name, 'sysctl', '-qw', 'net.ipv6.conf.default.accept_dad=0')
  const { code, stderr } = await attempt(host.name, 'ip', ['-batch', '-'], `${lines.join('\n')}\n`)
  if (code !== 0) throw new Error(stderr)
  here = await Namespace.open({ name: host.name })
})
afterAll(async () => {
  await here?.close()
  for (const link of ['eth0', 'br0', 'br1', 'p0', 'p1', 'p2', 'tun0']) await attempt(host.name, 'ip', ['link', 'delete', link])
})

/** Lines of a table's text as words. */
const words = (text: string, heads: number) =>
  text
    .trimEnd()
    .split('\n')
    .slice(heads)
    .map(line => line.trim().split(/\s+/))
const sorted = <T>(rows: T[]): T[] => [...rows].sort((a, b) => (String(a) < String(b) ? -1 : 1))
/** A view's columns as the words that the tool prints; empty ones leave none. */
const cells = (row: object) =>
  Object.values(row)
    .map(String)
    .filter(cell => cell !== '')
/** What follows a change does so a little later. */
const settled = (work: () => Promise<void>) => vi.waitFor(work, { timeout: patience(15_000) })
const seen = async (link: string, label?: string) => ifconfigView(await here.links.get(link), await here.addresses.list(), label)

test.each(['lo', 'eth0', 'br1'])('ifconfig %s: flags, addresses and scopes', async link => {
  const text = await run(host.name, 'ifconfig', link)
  const view = await seen(link)
  expect(text).toContain(`${link}: flags=${view.flags}<${view.flagNames.join(',')}>  mtu ${view.mtu}\n`)
  if (view.inet) {
    const { address, netmask, broadcast } = view.inet
    expect(text).toContain(`inet ${address}  netmask ${netmask}${broadcast === undefined ? '\n' : `  broadcast ${broadcast}\n`}`)
  } else expect(text).not.toContain('inet ')
  expect(text.match(/inet6 /g)?.length ?? 0).toBe(view.inet6.length)
  for (const { address, prefixlen, scopeid } of view.inet6)
    expect(text).toContain(`inet6 ${address}  prefixlen ${prefixlen}  scopeid 0x${scopeid.toString(16)}<`)
})

test.each([
  ['promisc on', 'PROMISC'],
  ['allmulticast on', 'ALLMULTI'],
  ['arp off', 'NOARP'],
  ['multicast off', undefined],
  ['down', undefined],
])('ifconfig eth0 after ip link set eth0 %s', async (change, name) => {
  await run(host.name, 'ip', 'link', 'set', 'eth0', ...change.split(' '))
  // RUNNING follows the carrier a little later.
  await settled(async () => {
    const { flags, flagNames } = await seen('eth0')
    expect(await run(host.name, 'ifconfig', 'eth0')).toContain(`eth0: flags=${flags}<${flagNames.join(',')}>  mtu`)
    if (name !== undefined) expect(flagNames).toContain(name)
  })
  await run(host.name, 'ip', 'link', 'set', 'eth0', 'promisc', 'off', 'allmulticast', 'off', 'arp', 'on', 'multicast', 'on', 'up')
  await attempt(host.name, 'ip', ['address', 'add', 'fd00:1::1/64', 'dev', 'eth0', 'nodad'])
})

test('a label has its own address', async () => {
  const view = await seen('eth0', 'eth0:web')
  expect(view).toMatchObject({
    name: 'eth0:web',
    inet: { address: '10.0.9.1', netmask: '255.255.255.240', broadcast: '10.0.9.15' },
    inet6: [],
  })
  expect(view).not.toHaveProperty('rx')
  const text = await run(host.name, 'ifconfig', 'eth0:web')
  expect(text).toContain(`eth0:web: flags=${view.flags}<`)
  expect(text).toContain('inet 10.0.9.1  netmask 255.255.255.240  broadcast 10.0.9.15\n')
})

test('a point-to-point link has a destination and no broadcast', async context => {
  await needs(context, 'tun')
  await run(host.name, 'ip', 'tuntap', 'add', 'dev', 'tun0', 'mode', 'tun')
  await run(host.name, 'ip', 'address', 'add', '10.30.0.1', 'peer', '10.30.0.2', 'dev', 'tun0')
  const view = await seen('tun0')
  expect(view.inet).toEqual({ address: '10.30.0.1', netmask: '255.255.255.255', destination: '10.30.0.2' })
  expect(view).not.toHaveProperty('ether')
  const text = await run(host.name, 'ifconfig', 'tun0')
  expect(text).toContain(`tun0: flags=${view.flags}<${view.flagNames.join(',')}>`)
  expect(text).toContain('inet 10.30.0.1  netmask 255.255.255.255  destination 10.30.0.2\n')
  expect(text).toContain(`txqueuelen ${view.txqueuelen}  (UNSPEC)`)
})

test('counters count frames, and drops', async () => {
  // Nobody reads what comes in for a veth that is down.
  await run(host.name, 'ip', 'link', 'set', 'p1x', 'up')
  await here.ping('10.0.1.77', { count: 1, timeout: 0.1 })
  const numbers = (text: string) =>
    [...text.matchAll(/(?:packets|bytes|errors|dropped|overruns|frame|carrier|collisions) +(\d+)/g)].map(([, n]) => Number(n))
  for (const link of ['eth0', 'eth1', 'p1', 'lo'])
    await settled(async () => {
      const { rx, tx } = await seen(link)
      const theirs = numbers(await run(host.name, 'ifconfig', link))
      expect([
        ...[rx?.packets, rx?.bytes, rx?.errors, rx?.dropped, rx?.overruns, rx?.frame],
        ...[tx?.packets, tx?.bytes, tx?.errors, tx?.dropped, tx?.overruns, tx?.carrier, tx?.collisions],
      ]).toEqual(theirs)
    })
  expect((await seen('eth0')).tx?.packets).toBeGreaterThan(0)
})

test('sums of counters are those of /proc/net/dev', () => {
  const link = { index: 2, name: 'eth0', type: 'ether', mtu: 1500, flags: [], txQueueLength: 0 }
  const names = [
    'rxPackets',
    'txPackets',
    'rxBytes',
    'txBytes',
    'rxErrors',
    'txErrors',
    'rxDropped',
    'txDropped',
    'multicast',
    'collisions',
  ]
  const more = ['rxLengthErrors', 'rxOverErrors', 'rxCrcErrors', 'rxFrameErrors', 'rxFifoErrors', 'rxMissedErrors', 'txAbortedErrors']
  const rest = ['txCarrierErrors', 'txFifoErrors', 'txHeartbeatErrors', 'txWindowErrors', 'rxCompressed', 'txCompressed', 'rxNohandler']
  const all = [...names, ...more, ...rest, 'rxOtherhostDropped']
  // Each a bit of its own, so that a sum tells what went into it.
  const statistics = Object.fromEntries(all.map((name, bit) => [name, 2 ** bit])) as NonNullable<
    Parameters<typeof ifconfigView>[0]['statistics']
  >
  const bit = (...of: string[]) => of.reduce((sum, name) => sum + 2 ** all.indexOf(name), 0)
  expect(ifconfigView({ ...link, statistics }, [])).toMatchObject({
    rx: {
      dropped: bit('rxDropped', 'rxMissedErrors'),
      overruns: bit('rxFifoErrors'),
      frame: bit('rxLengthErrors', 'rxOverErrors', 'rxCrcErrors', 'rxFrameErrors'),
    },
    tx: {
      dropped: bit('txDropped'),
      overruns: bit('txFifoErrors'),
      carrier: bit('txCarrierErrors', 'txAbortedErrors', 'txWindowErrors', 'txHeartbeatErrors'),
      collisions: bit('collisions'),
    },
  })
})

test('route -n and netstat -rn: what has no way, an odd one, or several', async context => {
  await needs(context, 'nexthop', 'ipv6')
  const routes = [
    'default via 10.0.1.9 metric 7',
    '10.1.0.0/16 via inet6 fd00:1::9 dev eth0',
    '10.2.0.0/16 nexthop via 10.0.1.9 nexthop via 10.0.2.9',
    '10.3.0.0/16 via 10.0.1.9 advmss 1400 window 5000 rtt 12.3ms',
    'throw 10.4.0.0/16',
    'prohibit 10.5.0.1',
    'unreachable 10.5.0.0/16 metric 12',
    'blackhole 10.6.0.0/15',
    'multicast 224.1.0.0/16 dev eth0',
    'broadcast 10.7.0.255 dev eth0 table main',
    'local 10.8.0.0/24 dev lo table main',
    '10.9.0.0/16 nhid 5',
    '10.10.0.0/16 nhid 7',
    '10.11.0.0/16 dev eth0 tos 4',
    '0.0.0.0/1 dev eth0',
  ]
  const batch = ['nexthop add id 5 via 10.0.1.7 dev eth0', 'nexthop add id 6 via 10.0.2.7 dev eth1', 'nexthop add id 7 group 5/6']
  batch.push(...routes.map(route => `route add ${route}`))
  const { code, stderr } = await attempt(host.name, 'ip', ['-batch', '-'], `${batch.join('\n')}\n`)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const [list, links] = [await here.routes.list(), await here.links.list()]
  const ours = routeView(list, links)
  expect(sorted(ours.map(cells))).toEqual(sorted(words(await run(host.name, 'route', '-n'), 2)))
  expect(ours.length).toBeGreaterThan(routes.length - 2)
  expect(sorted(netstatView(list, links).map(cells))).toEqual(sorted(words(await run(host.name, 'netstat', '-rn'), 2)))
})

test('arp -n: whatever the state', async () => {
  const entries = [
    '10.0.1.20 lladdr 02:00:00:00:01:20 nud permanent',
    '10.0.1.21 lladdr 02:00:00:00:01:21 nud stale',
    '10.0.1.22 lladdr 02:00:00:00:01:22 nud noarp',
    '10.0.1.23 nud failed',
    '10.0.1.24 nud none',
    '10.0.1.25 lladdr 02:00:00:00:01:25 nud reachable',
    'proxy 10.0.1.26',
    'fd00:1::20 lladdr 02:00:00:00:01:20 nud permanent',
  ]
  for (const entry of entries) await run(host.name, 'ip', 'neighbour', 'replace', ...entry.split(' '), 'dev', 'eth0')
  await settled(async () => {
    const ours = arpView(await here.neighbours.list(), await here.links.list())
    expect(sorted(ours.map(cells))).toEqual(sorted(words(await run(host.name, 'arp', '-n'), 1)))
    expect(ours.map(({ address }) => address)).toEqual(expect.arrayContaining(['10.0.1.20', '10.0.1.23', '10.0.1.26']))
    expect(ours.map(({ address }) => address)).not.toContain('10.0.1.22')
  })
})

test('brctl show and showmacs: several bridges, several ports, entries of each kind', async context => {
  await needs(context, 'tool:brctl', 'own-sysfs')
  const brctl = (...args: string[]) => run(undefined, 'ip', 'netns', 'exec', host.name, 'brctl', ...args)
  await here.fdb.add({ mac: '02:00:00:00:01:99', port: 'p1' })
  await here.fdb.add({ mac: '02:00:00:00:01:98', port: 'p2', state: 'permanent' })
  await run(host.name, 'ip', 'link', 'set', 'p0x', 'up')
  await settled(async () => expect(await here.links.get('p0')).toMatchObject({ port: { state: 'forwarding' } }))
  await here.fdb.add({ mac: '02:00:00:00:01:97', port: 'p0', state: 'reachable' })
  const [bridges, links] = [await here.links.list({ kind: 'bridge' }), await here.links.list()]
  const shown = brctlView(bridges, links).flatMap(({ name, id, stp, interfaces: [first = '', ...others] }) => [
    [name, id, stp ? 'yes' : 'no', first].filter(Boolean),
    ...others.map(port => [port]),
  ])
  expect(sorted(shown)).toEqual(sorted(words(await brctl('show'), 1)))
  await settled(async () => {
    const macs = brctlMacsView(await here.fdb.list({ bridge: 'br0' }), await here.links.list({ master: 'br0' }))
    const theirs = words(await brctl('showmacs', 'br0'), 1)
    expect(macs.map(({ port, mac, local }) => [String(port), mac, local ? 'yes' : 'no'])).toEqual(theirs.map(row => row.slice(0, 3)))
    for (const [i, { ageing }] of macs.entries()) expect(Math.abs(ageing - Number(theirs[i]?.[3]))).toBeLessThan(2)
  })
})
