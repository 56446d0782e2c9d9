// The example programs do what they say: other tools see it while it stands, and nothing is left of it.

import { readdir, readlink } from 'node:fs/promises'
import { beforeEach, expect, test } from 'vitest'
import { needs } from '../helpers/features.js'
import { attempt, ip, run } from '../helpers/readers.js'
import { sandbox } from '../helpers/sandbox.js'
import { addressesIn, identityOf, linksIn, namesIn, peerIndexIn, plainProgram, programOf, runExample } from './running.js'

beforeEach(context => needs(context, 'tool:ip', 'tool:nsenter', 'veth'))

test('S1: namespaces, their identity, and what is in them', async () => {
  await using box = await sandbox()
  const stdout = await runExample(box, programOf('s1-namespaces'), async ({ pid, output }) => {
    expect(await namesIn(box)).toEqual(['blue'])
    expect(output()).toContain(`blue              ${await identityOf(box, 'blue')} /run/netns/blue`)
    const [, nameless] = /one without name {2}(\S+)/.exec(output()) ?? []
    expect(await heldBy(pid)).toContain(nameless)
    expect((await linksIn(box, 'blue')).map(link => link.ifname).sort()).toEqual(['lo', 'only-blue', 'veth0'])
    expect(await addressesIn(box, 'blue', 'only-blue')).toEqual(['10.0.9.1/24'])
    const forwarding = ['cat', '/proc/sys/net/ipv4/ip_forward']
    expect(await run(box.where, 'ip', 'netns', 'exec', 'blue', ...forwarding)).toBe('1\n')
    expect(await run(box.where, forwarding[0]!, forwarding[1]!)).toBe('0\n')
    // Both a process inside and a look from outside tell the same.
    expect(output().split(await identityOf(box, 'blue'))).toHaveLength(4)
  })
  expect(stdout).toContain(`this process      ${await run(box.where, 'readlink', '/proc/self/ns/net')}`)
  expect(stdout).toContain('links in blue     lo (down)')
  expect(stdout).toContain('ping 127.0.0.1    3 of 3 answered')
  expect(stdout).toContain('lo: flags=<UP,LOOPBACK,RUNNING,LOWER_UP>  mtu 65536')
  expect(stdout).toContain('inet 127.0.0.1  netmask 255.0.0.0')
  expect(stdout).toContain('nameless  1 links')
})

test('S2: two namespaces and a veth pair', async context => {
  await needs(context, 'tool:ethtool', 'tool:ping')
  await using box = await sandbox()
  const stdout = await runExample(box, programOf('s2-veth'), async () => {
    expect(await namesIn(box)).toEqual(['blue', 'green', 'host'])
    expect((await linksIn(box, 'host')).map(link => link.ifname)).toEqual(['lo'])
    for (const [here, there, address, other] of [
      ['blue', 'green', '10.0.0.1', '10.0.0.2'],
      ['green', 'blue', '10.0.0.2', '10.0.0.1'],
    ] as const) {
      expect((await linksIn(box, here)).map(link => link.ifname)).toEqual(['lo', 'eth0'])
      const [, peer] = await linksIn(box, there)
      expect(await peerIndexIn(box, here, 'eth0')).toBe(peer?.ifindex)
      expect(await addressesIn(box, here, 'eth0')).toEqual([`${address}/24`])
      const main = await ip(box.where, '-n', here, 'route', 'show', 'table', 'main')
      expect(main).toMatchObject([{ dst: '10.0.0.0/24', dev: 'eth0', protocol: 'kernel', scope: 'link' }])
      const local = await ip(box.where, '-n', here, '-4', 'route', 'show', 'table', 'local', 'type', 'local')
      expect(local).toMatchObject([{ dst: address, dev: 'eth0' }])
      await run(box.where, 'ip', 'netns', 'exec', here, 'ping', '-n', '-c', '1', '-W', '1', other)
    }
  })
  expect(stdout).toMatch(/the kernel called the ends veth\d and veth\d/)
  expect(stdout).toContain('after the move: host has lo; blue lo moved; green lo veth')
  expect(stdout).toContain('one end deleted: blue has lo; green lo\n')
  expect(stdout).toContain('main  table of blue: 10.0.0.0/24')
  expect(stdout).toContain('local 10.0.0.1')
  expect(stdout).toMatch(/blue pings 10\.0\.0\.2: 5 of 5 answered, 0 % loss, min \/ avg \/ max [\d.]+ \/ [\d.]+ \/ [\d.]+ ms/)
  expect(stdout).toMatch(/green pings 10\.0\.0\.1: 5 of 5 answered, 0 % loss/)
})

test('S3: many namespaces and a bridge', async context => {
  await needs(context, 'tool:bridge', 'bridge')
  await using box = await sandbox()
  const stdout = await runExample(box, programOf('s3-bridge'), async ({ output }) => {
    expect(await namesIn(box)).toEqual(['host', 'n1', 'n2', 'n3'])
    const links = await linksIn(box, 'host')
    const bridge = links.find(link => link.ifname === 'br0')
    expect(bridge?.linkinfo).toMatchObject({ info_kind: 'bridge', info_data: { ageing_time: 6000, stp_state: 0 } })
    // ip leaves out the zeros in front: 8000.2e:b7:72:c:71:71.
    const id = String(bridge?.linkinfo?.info_data?.bridge_id)
      .replace(/(?<=[.:])[\da-f](?=:|$)/g, '0$&')
      .replaceAll(':', '')
    expect(output()).toContain(`br0: id ${id}, spanning tree off, ageing time 300 s`)
    expect(await addressesIn(box, 'host', 'br0')).toEqual(['10.0.1.254/24'])
    const ports = links.filter(link => link.master === 'br0')
    expect(ports.map(port => port.ifname)).toEqual(['port1', 'port2', 'port3'])
    const fdb = await readFdb()
    for (const number of [1, 2, 3]) {
      const [, eth0] = await linksIn(box, `n${number}`)
      expect(fdb).toContainEqual(expect.objectContaining({ mac: eth0?.address, ifname: `port${number}` }))
      expect(output()).toContain(`${eth0?.address} behind port${number}, heard of`)
    }
    expect(await addressesIn(box, 'n2', 'eth0')).toEqual(['10.220.1.2/24'])
    const { code, stdout, stderr } = await attempt(box.where, 'ip', ['netns', 'exec', 'n1', 'ip', 'route', 'get', '10.220.1.2'])
    expect({ code, said: stdout + stderr }).toMatchObject({ code: 2, said: expect.stringContaining('Network is unreachable') })
    const calls = await attempt(box.where, 'ip', ['netns', 'exec', 'host', 'cat', '/proc/sys/net/bridge/bridge-nf-call-iptables'])
    expect(calls.code === 0 ? calls.stdout : '0\n').toBe('0\n')
  })
  const time = '[\\d.]+ ms'
  expect(stdout).toMatch(new RegExp(`n1 pings 10\\.0\\.1\\.2 ${time}, 10\\.0\\.1\\.3 ${time}, 10\\.0\\.1\\.254 ${time}`))
  expect(stdout).toMatch(new RegExp(`n2 pings 10\\.0\\.1\\.1 ${time}, 10\\.0\\.1\\.3 ${time}, 10\\.0\\.1\\.254 ${time}`))
  expect(stdout).toMatch(new RegExp(`n3 pings 10\\.0\\.1\\.1 ${time}, 10\\.0\\.1\\.2 ${time}, 10\\.0\\.1\\.254 ${time}`))
  expect(stdout).toContain('port3 out: n1 pings n3: 0 of 1 answered\nport3 in:  n1 pings n3: 1 of 1 answered\n')
  expect(stdout).toContain('n1 pings 10.220.1.2: ENETUNREACH, no route to that subnet')

  async function readFdb() {
    return JSON.parse(await run(box.where, 'bridge', '-j', '-n', 'host', 'fdb', 'show', 'br', 'br0')) as { mac: string; ifname: string }[]
  }
})

test('S4: who is at the other end', async context => {
  await needs(context, 'tool:ethtool', 'bridge')
  await using box = await sandbox()
  const stdout = await runExample(box, programOf('s4-peers'), async ({ output }) => {
    const [, pid] = /that of process (\d+)/.exec(output()) ?? []
    const nameless = await readlink(`/proc/${pid}/ns/net`)
    // The index is the same: it does not tell the two apart.
    for (const port of ['to-web', 'to-nameless']) expect(await peerIndexIn(box, 'host', port)).toBe(2)
    expect(output()).toContain(`to-web: other end is eth0 (index 2) in web, ${await identityOf(box, 'web')}`)
    expect(output()).toContain(`to-nameless: other end is eth0 (index 2) in that of process ${pid}, ${nameless}`)
    expect(nameless).not.toBe(await identityOf(box, 'web'))
    const links = await linksIn(box, 'host')
    expect(links.filter(link => link.master === 'br0').map(link => link.ifname)).toEqual(['to-web', 'to-nameless'])
    expect(output()).toContain(`eth0 of process ${pid} is to-nameless on the host, plugged into br0`)
    const { stderr } = await attempt(box.where, 'ip', ['-n', 'host', 'link', 'set', 'br0', 'netns', 'web'])
    expect(stderr).toMatch(/immutable|Invalid argument/)
  })
  expect(stdout).toContain(
    'lo stays where it is\nbr0 stays where it is\nto-web may change its namespace\nto-nameless may change its namespace',
  )
  expect(stdout).toMatch(/move link br0 in host: EINVAL.*netnsImmutable/)
})

test('S5: routes', async () => {
  await using box = await sandbox()
  const stdout = await runExample(box, programOf('s5-routes'), async () => {
    const routes = await ip(box.where, '-n', 'router', '-4', 'route', 'show', 'table', 'main')
    expect(routes).toHaveLength(6)
    for (const expected of [
      { dst: '10.0.1.0/24', dev: 'to-left', protocol: 'kernel' },
      { dst: '10.0.2.0/24', dev: 'to-right', protocol: 'kernel' },
      { dst: '192.0.2.7', gateway: '10.0.1.2', metric: 50 },
      { dst: '192.0.2.0/24', gateway: '10.0.2.2', protocol: 'static' },
      { type: 'unreachable', dst: '203.0.113.0/24' },
    ])
      expect(routes).toContainEqual(expect.objectContaining(expected))
    const multipath = routes.find(({ dst }) => dst === '198.51.100.0/24')
    expect(multipath?.nexthops).toMatchObject([
      { gateway: '10.0.1.2', weight: 3 },
      { gateway: '10.0.2.2', weight: 1 },
    ])
    for (const [to, gateway] of [
      ['192.0.2.7', '10.0.1.2'],
      ['192.0.2.8', '10.0.2.2'],
    ] as const)
      expect(await ip(box.where, '-n', 'router', 'route', 'get', to)).toMatchObject([{ gateway }])
  })
  expect(stdout).toContain('left pings right through the router: 1 answer, TTL 63')
  expect(stdout).toMatch(/default +10\.0\.2\.2 +UG +0 +boot +to-right/)
  expect(stdout).toMatch(/192\.0\.2\.7 +10\.0\.1\.2 +UGH +50 /)
  expect(stdout).toMatch(/unreachable 203\.0\.113\.0\/24 +! /)
  expect(stdout).toContain(
    '192.0.2.7 goes via 10.0.1.2 by to-left\n192.0.2.8 goes via 10.0.2.2 by to-right\n8.8.8.8 goes via 10.0.2.2 by to-right',
  )
  expect(stdout).toContain('10.0.1.1 goes to this host itself by lo')
  expect(stdout).toContain('without a default route, 8.8.8.8: ENETUNREACH')
  expect(stdout).toMatch(/left pings an address that the router refuses: 1 unreachable \(.*, says 10\.0\.1\.1\)/)
})

test('ownership in plain JavaScript', async () => {
  await using box = await sandbox()
  const stdout = await runExample(box, plainProgram, async () => {
    expect(await namesIn(box)).toEqual(['blue'])
    expect((await linksIn(box, 'blue')).map(link => link.ifname).sort()).toEqual(['left', 'lo', 'right'])
  })
  expect(stdout).toContain('made left in blue')
  expect(stdout).toContain('has 3 links')
  expect(stdout).toContain('left: 0 namespaces called blue')
})

/** What a process holds by descriptors. */
async function heldBy(pid: number): Promise<string[]> {
  const fds = await readdir(`/proc/${pid}/fd`)
  return Promise.all(fds.map(fd => readlink(`/proc/${pid}/fd/${fd}`)))
}
