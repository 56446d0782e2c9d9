// A bridge at work, with real frames: what it floods, learns, forgets and is told. tcpdump and `bridge fdb` are the second readers.
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { type FdbEntry, Namespace } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { patience } from '../helpers/patience.js'
import { attempt, bridge, run, start, tcpdump } from '../helpers/readers.js'

const host = useHost()
const guests = ['a', 'b', 'c'].map(name => host.named(name))
const macs = ['02:00:00:00:01:0a', '02:00:00:00:01:0b', '02:00:00:00:01:0c']
const addresses = ['10.0.1.1', '10.0.1.2', '10.0.1.3']
const other = '02:00:00:00:01:99'
let here: Namespace
/** One for each guest. */
const inside: Namespace[] = []
const ports: number[] = []

beforeAll(async () => {
  await run(host.name, 'ip', 'link', 'add', 'br0', 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0')
  await run(host.name, 'ip', 'link', 'set', 'br0', 'up')
  here = await Namespace.open({ name: host.name })
  for (const [i, guest] of guests.entries()) {
    await run(undefined, 'ip', 'netns', 'add', guest)
    const namespace = await Namespace.open({ name: guest })
    inside.push(namespace)
    // No frame but those that the tests send.
    await namespace.sysctl.set('net.ipv6.conf.default.disable_ipv6', 1)
    const peer = { name: 'eth0', mac: macs[i]!, up: true, namespace }
    const port = await here.links.create({ kind: 'veth', name: `p${i}`, master: 'br0', up: true, ipv6: 'none', peer })
    ports.push(port.index)
    await namespace.addresses.add('eth0', `${addresses[i]}/24`)
  }
})
beforeEach(async () => {
  // Everybody knows everybody, so that nobody asks by broadcast; a link that goes down forgets.
  for (const namespace of inside)
    for (const [i, address] of addresses.entries())
      if (inside[i] !== namespace) await namespace.neighbours.replace({ address, mac: macs[i]!, link: 'eth0' })
  await here.links.update('br0', { options: { ageingTime: 300, flush: true } })
})
afterAll(async () => {
  for (const namespace of inside) await namespace.close()
  for (const link of ['br0', 'p0', 'p1', 'p2']) await attempt(host.name, 'ip', ['link', 'delete', link])
  for (const guest of guests) await attempt(undefined, 'ip', ['netns', 'delete', guest])
  await here?.close()
})

const table = () => here.fdb.list({ bridge: 'br0' })
/** A kernel with VLANs keeps what it is told once more for VLAN 1, which no frame is in here, and lists the two in any order. */
const entryOf = async (mac: string): Promise<FdbEntry | undefined> =>
  (await table()).find(entry => entry.mac === mac && entry.bridge && entry.vlan === undefined)
/** What the other tool says: its port, or undefined. */
const portOf = async (mac: string) =>
  (await bridge<{ mac: string; ifname: string }>(host.name, 'fdb', 'show', 'br', 'br0')).find(entry => entry.mac === mac)?.ifname
/** One echo request from a guest to another, told by its size. */
const send = (from: number, to: number, size: number) => inside[from]!.ping(addresses[to]!, { count: 1, size, timeout: 5 })
/** What a guest's link sees: sizes of echo requests to others, up to the one that is sent to it last. */
async function seenBy(guest: number, work: () => Promise<void>): Promise<number[]> {
  await using capture = await tcpdump(guests[guest]!, 'eth0', 'icmp[icmptype] == icmp-echo')
  await work()
  await send(guest === 0 ? 1 : 0, guest, 999)
  const sizes: number[] = []
  for await (const line of capture.lines) {
    // With the ICMP header.
    const size = Number(/length (\d+)$/.exec(line)?.[1]) - 8
    if (size === 999) return sizes
    sizes.push(size)
  }
  throw new Error('the last request was not seen')
}

test('an unknown destination is flooded to every port; once it has been heard of, it is not', async context => {
  await needs(context, 'tool:tcpdump', 'capture')
  expect(await entryOf(macs[1]!)).toBeUndefined()
  const sizes = await seenBy(2, async () => {
    expect(await send(0, 1, 101)).toMatchObject({ received: 1 })
    expect(await entryOf(macs[0]!)).toMatchObject({ port: ports[0], state: 'reachable' })
    expect(await entryOf(macs[1]!)).toMatchObject({ port: ports[1], state: 'reachable' })
    expect(await portOf(macs[1]!)).toBe('p1')
    expect(await send(0, 1, 102)).toMatchObject({ received: 1 })
  })
  expect(sizes).toEqual([101])
})

test('an age grows until a frame comes in', async () => {
  await send(0, 1, 56)
  const age = async () => (await entryOf(macs[0]!))?.age ?? 0
  const old = await vi.waitFor(
    async () => {
      const now = await age()
      expect(now).toBeGreaterThan(0.5)
      return now
    },
    { timeout: patience(20_000) },
  )
  await send(0, 1, 56)
  expect(await age()).toBeLessThan(old)
  // The MAC that frames go to is not refreshed by them, but used.
  await here.links.update('p1', { port: { learning: false } })
  await vi.waitFor(
    async () => expect(await entryOf(macs[1]!)).toMatchObject({ age: expect.toSatisfy((seconds: number) => seconds > 0.5) }),
    {
      timeout: patience(20_000),
    },
  )
  await send(0, 1, 56)
  const silent = await entryOf(macs[1]!)
  expect(silent?.used).toBeLessThan(silent?.age ?? 0)
  await here.links.update('p1', { port: { learning: true } })
})

test('a host that moves is found at its new port as soon as it sends', async () => {
  await send(1, 0, 56)
  expect(await entryOf(macs[1]!)).toMatchObject({ port: ports[1] })
  const [old, moved] = [inside[1]!, inside[2]!]
  await old.links.update('eth0', { up: false })
  // The link that it goes to has its MAC and address from now on.
  await moved.links.update('eth0', { mac: macs[1]! })
  await moved.addresses.add('eth0', `${addresses[1]}/32`)
  expect(await moved.ping(addresses[0]!, { count: 1, timeout: 0.2 })).toMatchObject({ sent: 1 })
  expect(await entryOf(macs[1]!)).toMatchObject({ port: ports[2] })
  expect(await portOf(macs[1]!)).toBe('p2')
  expect((await table()).filter(({ mac }) => mac === macs[1])).toHaveLength(1)
  expect(await send(0, 1, 56)).toMatchObject({ received: 1 })
  await moved.addresses.delete('eth0', `${addresses[1]}/32`)
  await moved.links.update('eth0', { mac: macs[2]! })
  await old.links.update('eth0', { up: true })
  await vi.waitFor(async () => expect(await send(1, 0, 56)).toMatchObject({ received: 1 }), { timeout: patience(20_000) })
  expect(await entryOf(macs[1]!)).toMatchObject({ port: ports[1] })
})

test('after the ageing time a silent host is forgotten, and flooded to again', async context => {
  await needs(context, 'tool:tcpdump', 'capture')
  await send(0, 1, 56)
  await here.links.update('br0', { options: { ageingTime: 1 } })
  expect(await here.links.get('br0')).toMatchObject({ options: { ageingTime: 1 } })
  expect(await run(host.name, 'ip', '-d', 'link', 'show', 'br0')).toContain('ageing_time 100 ')
  await expect.poll(() => entryOf(macs[1]!), { timeout: patience(20_000) }).toBeUndefined()
  expect(await portOf(macs[1]!)).toBeUndefined()
  expect(await seenBy(2, async () => void (await send(0, 1, 101)))).toEqual([101])
})

test('with an ageing time of 0 nothing is learned, and all is flooded', async context => {
  await needs(context, 'tool:tcpdump', 'capture')
  await send(0, 1, 56)
  await here.links.update('br0', { options: { ageingTime: 0 } })
  expect(await here.links.get('br0')).toMatchObject({ options: { ageingTime: 0 } })
  await expect.poll(() => entryOf(macs[1]!), { timeout: patience(20_000) }).toBeUndefined()
  const sizes = await seenBy(2, async () => {
    for (const size of [101, 102, 103]) expect(await send(0, 1, size)).toMatchObject({ received: 1 })
  })
  expect(sizes).toEqual([101, 102, 103])
  expect((await table()).filter(({ mac }) => macs.includes(mac))).toEqual([])
})

test('a port that is taken out loses its entries, told ones too', async () => {
  await send(1, 0, 56)
  await here.fdb.add({ mac: other, port: 'p1' })
  expect((await table()).filter(({ port }) => port === ports[1]).map(({ mac }) => mac)).toEqual(expect.arrayContaining([macs[1], other]))
  await here.links.update('p1', { master: null })
  expect(await here.links.get('p1')).not.toHaveProperty('master')
  expect((await table()).filter(({ mac, port }) => port === ports[1] || mac === macs[1] || mac === other)).toEqual([])
  expect(await portOf(other)).toBeUndefined()
  expect(await entryOf(macs[0]!)).toMatchObject({ port: ports[0] })
  await here.links.update('p1', { master: 'br0' })
  await vi.waitFor(async () => expect(await send(1, 0, 56)).toMatchObject({ received: 1 }), { timeout: patience(20_000) })
  expect(await entryOf(macs[1]!)).toMatchObject({ port: ports[1] })
})

test('a static entry saves the flooding, does not age, and goes when it is deleted', async context => {
  await needs(context, 'tool:tcpdump', 'capture')
  await here.fdb.add({ mac: macs[1]!, port: 'p1', state: 'static' })
  const sizes = await seenBy(2, async () => {
    expect(await send(0, 1, 101)).toMatchObject({ received: 1 })
    await here.links.update('br0', { options: { ageingTime: 1 } })
    await expect.poll(() => entryOf(macs[0]!), { timeout: patience(20_000) }).toBeUndefined()
    const [entry] = await bridge<{ state: string }>(host.name, 'fdb', 'get', macs[1]!, 'br', 'br0')
    expect(entry).toMatchObject({ state: 'static' })
    expect(await entryOf(macs[1]!)).toMatchObject({ port: ports[1], state: 'static', permanent: true, local: false })
    await here.fdb.delete({ mac: macs[1]!, port: 'p1' })
    expect(await portOf(macs[1]!)).toBeUndefined()
    await inside[0]!.ping(addresses[1]!, { count: 1, size: 103, timeout: 5 })
  })
  expect(sizes).toEqual([103])
})

test('what a bridge is told moves with the host, unless it is sticky', async () => {
  for (const [sticky, port] of [
    [false, ports[2]],
    [true, ports[1]],
  ] as const) {
    await here.fdb.add({ mac: macs[2]!, port: 'p1', ...(sticky && { sticky }) })
    try {
      // Whoever got the frame got it from a bridge that had looked at its sender.
      const arrived = async () => (await inside[0]!.links.get('eth0')).statistics?.rxPackets ?? 0
      const before = await arrived()
      await inside[2]!.ping(addresses[0]!, { count: 1, timeout: 0.2 })
      await expect.poll(arrived).toBeGreaterThan(before)
      expect(await entryOf(macs[2]!)).toMatchObject({ port, state: 'static' })
    } finally {
      // The one of VLAN 1 has not moved.
      const left = (await table()).filter(({ mac, bridge }) => mac === macs[2] && bridge)
      for (const entry of left.sort((a, b) => (b.vlan ?? 0) - (a.vlan ?? 0))) await here.fdb.delete(entry)
    }
  }
})

test('frames to a permanent entry go to this host, and out of no port', async context => {
  await needs(context, 'tool:tcpdump', 'capture')
  await here.fdb.add({ mac: macs[1]!, port: 'p1', state: 'permanent' })
  const sizes = await seenBy(1, async () => {
    await here.fdb.list()
    expect(await inside[0]!.ping(addresses[1]!, { count: 1, size: 101, timeout: 0.2 })).toMatchObject({ received: 0 })
    await here.fdb.delete({ mac: macs[1]!, port: 'p1', state: 'permanent' })
  })
  expect(sizes).toEqual([])
})

/** Opens the device, sends a frame five times a second, and prints every frame that comes out. */
const tapProgram = `
import fcntl, os, select, struct, sys
tap = os.open('/dev/net/tun', os.O_RDWR)
fcntl.ioctl(tap, 0x400454ca, struct.pack('16sH22x', b'tap0', 0x1002))
sys.stderr.write('open\\n')
while True:
    os.write(tap, bytes.fromhex('ffffffffffff02000000019988b5') + bytes(46))
    if select.select([tap], [], [], 0.2)[0]:
        print(os.read(tap, 2000).hex(), flush=True)
`

test('a tap device is a port like others; its own addresses are cleared', async context => {
  await needs(context, 'tap', 'tool:python3')
  const tap = await here.links.create({ kind: 'tun', name: 'tap0', options: { type: 'tap' }, ipv6: 'none' })
  try {
    await here.addresses.add('tap0', '10.0.7.1/24')
    await here.links.update('tap0', { master: 'br0', up: true })
    for (const { cidr } of await here.addresses.list({ link: tap })) await here.addresses.delete(tap, cidr)
    expect(await run(host.name, 'ip', '-4', 'address', 'show', 'dev', 'tap0')).toBe('')
    expect(await run(host.name, 'bridge', 'link', 'show', 'dev', 'tap0')).toContain('master br0')
    await using device = await start(host.name, 'python3', ['-c', tapProgram], /open/)
    await vi.waitFor(async () => expect(await here.links.get('tap0')).toMatchObject({ carrier: true, port: { state: 'forwarding' } }), {
      timeout: patience(20_000),
    })
    await vi.waitFor(async () => expect(await entryOf(other)).toMatchObject({ port: tap.index, state: 'reachable' }), {
      timeout: patience(20_000),
    })
    // An unknown destination comes out of it too.
    await inside[0]!.ping(addresses[1]!, { count: 1, size: 101, timeout: 5 })
    let frame = (await device.lines.next()).value ?? ''
    // Multicast of the hosts' own comes out as well.
    while (Number.parseInt(frame.slice(0, 2), 16) & 1) frame = (await device.lines.next()).value ?? ''
    expect(frame.slice(0, 24)).toBe([macs[1], macs[0]].join('').replaceAll(':', ''))
  } finally {
    await here.links.delete('tap0')
  }
  expect(await entryOf(other)).toBeUndefined()
})
