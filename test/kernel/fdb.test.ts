// MAC tables: what a bridge learns and what it is told, as `bridge fdb show` has it; ages; the table of a vxlan.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type FdbEntry, type FdbSpec, Namespace } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { patience } from '../helpers/patience.js'
import { attempt, bridge, ping, run } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'

const host = useHost()
const guests = ['a', 'b'].map(name => host.named(name))
let here: Namespace
const mac = '02:00:00:00:00:99'
let br0: number
const port: number[] = []

beforeAll(async () => {
  await run(host.name, 'ip', 'link', 'add', 'br0', 'type', 'bridge')
  await run(host.name, 'ip', 'link', 'add', 'br1', 'type', 'bridge')
  for (const [i, guest] of guests.entries()) {
    await run(undefined, 'ip', 'netns', 'add', guest)
    const lines = [
      `link add port${i} type veth peer name eth0 address 02:00:00:00:01:0${i} netns ${guest}`,
      `link set port${i} master br0 up`,
    ]
    await attempt(host.name, 'ip', ['-batch', '-'], `${lines.join('\n')}\n`)
    await attempt(
      guest,
      'ip',
      ['-batch', '-'],
      `link set eth0 addrgenmode none\nlink set eth0 up\naddress add 10.0.1.${i + 1}/24 dev eth0\n`,
    )
  }
  await run(host.name, 'ip', 'link', 'set', 'br0', 'up')
  here = await Namespace.open({ name: host.name })
  br0 = (await here.links.get('br0')).index
  for (const i of guests.keys()) port.push((await here.links.get(`port${i}`)).index)
})
afterEach(async () => {
  for (const entry of await ours()) await here.fdb.delete(entry)
})
/** A kernel with VLANs keeps an entry outside them once more in VLAN 1. That comes first: deleting the other one deletes both. */
const ours = async () =>
  (await here.fdb.list({ bridge: 'br0' })).filter(entry => entry.mac === mac).sort((a, b) => (b.vlan ?? 0) - (a.vlan ?? 0))
afterAll(async () => {
  await here?.close()
  for (const link of ['br0', 'br1', 'port0', 'port1']) await attempt(host.name, 'ip', ['link', 'delete', link])
  for (const guest of guests) await attempt(undefined, 'ip', ['netns', 'delete', guest])
})

interface Shown {
  readonly mac: string
  readonly ifname: string
  readonly vlan?: number
  readonly state: string
  readonly flags: string[]
  readonly master?: string
  readonly updated?: number
  readonly used?: number
  readonly dst?: string
}
const shown = (...args: string[]): Promise<Shown[]> => bridge<Shown>(host.name, '-s', 'fdb', 'show', ...args)
/** Asked for one port, the tool leaves its name out. */
const at = async (ifname: string, ...args: string[]) => (await shown(...args)).map(entry => ({ ...entry, ifname }))
const names = async () => new Map((await here.links.list()).map(link => [link.index, link.name]))
const states: Record<string, string> = { '': 'reachable', permanent: 'permanent', static: 'static', stale: 'stale' }
const order = (a: object, b: object) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
async function compare(read: FdbEntry[], theirs: Shown[]): Promise<void> {
  const name = await names()
  const ours = read.map(entry => ({
    mac: entry.mac,
    port: name.get(entry.port),
    bridge: entry.bridge === undefined ? undefined : name.get(entry.bridge),
    state: entry.state,
    self: entry.self,
    vlan: entry.vlan,
  }))
  const expected = theirs.map(entry => ({
    mac: entry.mac,
    port: entry.ifname,
    bridge: entry.master,
    state: states[entry.state],
    self: entry.flags.includes('self') || undefined,
    vlan: entry.vlan,
  }))
  expect(ours.sort(order)).toEqual(expected.sort(order))
}

test('all, of a bridge and of a port: what bridge fdb show says', async () => {
  expect(await ping(guests[0], '10.0.1.2')).toMatchObject({ received: 1 })
  await compare(await here.fdb.list(), await shown())
  await compare(await here.fdb.list({ bridge: 'br0' }), await shown('br', 'br0'))
  await compare(await here.fdb.list({ bridge: br0 }), await shown('br', 'br0'))
  await compare(await here.fdb.list({ port: 'port1' }), await at('port1', 'brport', 'port1'))
  await compare(await here.fdb.list({ bridge: 'br0', port: 'port0' }), await at('port0', 'br', 'br0', 'brport', 'port0'))
  // Its own addresses, and nothing of the other bridge.
  expect((await here.fdb.list({ bridge: 'br1' })).every(entry => entry.local)).toBe(true)
})

test('a learned MAC has an age in seconds, which traffic renews', async () => {
  await ping(guests[0], '10.0.1.2')
  const learned = async () => (await here.fdb.list({ bridge: 'br0' })).find(entry => entry.mac === '02:00:00:00:01:00')
  const young = await learned()
  expect(young).toMatchObject({ port: port[0], bridge: br0, state: 'reachable', permanent: false, local: false })
  expect(young?.age).toBeLessThan(2)
  await sleep(1200)
  const older = await learned()
  expect(older?.age).toBeGreaterThanOrEqual(1)
  expect(older?.age).toBeLessThan(10)
  const [entry] = (await shown('br', 'br0')).filter(({ mac: of }) => of === '02:00:00:00:01:00')
  expect(Math.abs((older?.age ?? 0) - (entry?.updated ?? 0))).toBeLessThan(2)
  await ping(guests[0], '10.0.1.2')
  expect((await learned())?.age).toBeLessThan(1)
})

test('a MAC that turns up at another port moves; one that is silent is forgotten', async () => {
  const found = async () => (await here.fdb.list({ bridge: 'br0' })).find(entry => entry.mac === mac)
  for (const [i, guest] of guests.entries()) {
    await run(guest, 'ip', 'link', 'set', 'eth0', 'address', mac)
    await ping(guest, '10.0.1.77', { timeout: 0.1 })
    expect(await found()).toMatchObject({ port: port[i], state: 'reachable' })
    await run(guest, 'ip', 'link', 'set', 'eth0', 'address', `02:00:00:00:01:0${i}`)
  }
  await run(host.name, 'ip', 'link', 'set', 'br0', 'type', 'bridge', 'ageing_time', '100')
  await expect.poll(found, { timeout: patience(10_000) }).toBeUndefined()
  await run(host.name, 'ip', 'link', 'set', 'br0', 'type', 'bridge', 'ageing_time', '30000')
})

test("a port's own address is permanent and local", async () => {
  const own = (await here.links.get('port0')).mac
  expect((await here.fdb.list({ port: 'port0' })).find(entry => entry.mac === own && entry.bridge === br0)).toMatchObject({
    port: port[0],
    permanent: true,
    local: true,
    state: 'permanent',
  })
})

test.each<[string, Omit<FdbSpec, 'mac' | 'port'>, Partial<FdbEntry>]>([
  ['static by default', {}, { state: 'static', permanent: true, local: false }],
  ['one that ages', { state: 'reachable' }, { state: 'reachable', permanent: false, local: false }],
  ["the host's own", { state: 'permanent' }, { state: 'permanent', permanent: true, local: true }],
  ['sticky', { sticky: true }, { sticky: true }],
])('added and deleted: %s', async (_, spec, expected) => {
  await here.fdb.add({ mac, port: 'port0', ...spec })
  await compare(await here.fdb.list({ bridge: 'br0' }), await shown('br', 'br0'))
  expect((await ours()).at(-1)).toMatchObject({ mac, port: port[0], bridge: br0, ...expected })
  expect(await refusal(here.fdb.add({ mac, port: 'port0', ...spec }))).toMatchObject({
    code: 'EEXIST',
    subject: `${mac} at port0`,
    namespace: host.name,
  })
  await here.fdb.replace({ mac, port: 'port1', ...spec })
  const moved = await ours()
  expect(new Set(moved.map(entry => entry.port))).toEqual(new Set([port[1]]))
  await here.fdb.delete(moved.at(-1)!)
  expect((await shown('br', 'br0')).some(entry => entry.mac === mac)).toBe(false)
})

test("an address in a port's own table", async () => {
  await here.fdb.add({ mac: '33:33:00:00:12:34', port: 'port0', self: true })
  const read = (await here.fdb.list({ port: 'port0' })).find(entry => entry.mac === '33:33:00:00:12:34')
  expect(read).toMatchObject({ self: true, local: true, permanent: true })
  expect(read).not.toHaveProperty('bridge')
  await here.fdb.delete(read!)
  expect((await shown('brport', 'port0')).some(entry => entry.mac === '33:33:00:00:12:34')).toBe(false)
})

test('destinations of a vxlan', async context => {
  await needs(context, 'vxlan')
  await run(host.name, 'ip', 'link', 'add', 'vx0', 'type', 'vxlan', 'id', '5', 'dstport', '4789')
  try {
    await here.fdb.add({ mac, port: 'vx0', destination: '192.0.2.1' })
    await here.fdb.add({ mac: '00:00:00:00:00:00', port: 'vx0', destination: '192.0.2.1' })
    await here.fdb.add({
      mac: '00:00:00:00:00:00',
      port: 'vx0',
      destination: '192.0.2.2',
      destinationPort: 4790,
      vni: 7,
      via: 'br0',
      append: true,
    })
    const theirs = await shown('dev', 'vx0')
    const read = await here.fdb.list({ port: 'vx0' })
    expect(read.map(entry => [entry.mac, entry.destination]).sort()).toEqual(theirs.map(entry => [entry.mac, entry.dst]).sort())
    expect(read.find(entry => entry.destination === '192.0.2.2')).toMatchObject({
      destinationPort: 4790,
      vni: 7,
      via: br0,
      self: true,
      local: false,
    })
    for (const entry of read) await here.fdb.delete(entry)
    expect(await here.fdb.list({ port: 'vx0' })).toEqual([])
  } finally {
    await run(host.name, 'ip', 'link', 'delete', 'vx0')
  }
})

test('what the kernel refuses', async () => {
  expect(await refusal(here.fdb.delete({ mac, port: 'port0' }))).toMatchObject({ code: 'ENOENT', operation: 'delete MAC' })
  expect(await refusal(here.fdb.add({ mac, port: 99_999 }))).toMatchObject({ code: 'ENODEV', path: 'port' })
  expect(await refusal(here.fdb.add({ mac, port: 'nobody' }))).toMatchObject({ code: 'ENODEV', path: 'port' })
  expect(await refusal(here.fdb.add({ mac, port: 'lo' }))).toMatchObject({
    operation: 'add MAC',
    subject: `${mac} at lo`,
    hint: expect.any(String),
  })
  expect(await refusal(here.fdb.list({ bridge: 'nobody' }))).toMatchObject({ code: 'ENODEV', path: 'bridge' })
  expect(await refusal(here.fdb.list({ bridge: 99_999 }))).toMatchObject({ code: 'ENODEV' })
})

test('a port that is down takes no entry that ages, and the error says why', async () => {
  await run(host.name, 'ip', 'link', 'set', 'port0', 'down')
  try {
    await expect.poll(async () => (await here.links.get('port0')).port?.state).toBe('disabled')
    const error = await refusal(here.fdb.add({ mac, port: 'port0', state: 'reachable' }))
    expect(error).toMatchObject({ code: 'EPERM', hint: expect.stringMatching(/port.*static.*CAP_NET_ADMIN/) })
    await here.fdb.add({ mac, port: 'port0', state: 'static' })
  } finally {
    await run(host.name, 'ip', 'link', 'set', 'port0', 'up')
  }
})

test.each<[string, unknown, string, string]>([
  ['no MAC', { port: 'port0' }, 'ERR_NETLOOM_MISSING_OPTION', 'mac'],
  ['no port', { mac }, 'ERR_NETLOOM_MISSING_OPTION', 'port'],
  ['a malformed MAC', { mac: '02:00', port: 'port0' }, 'ERR_NETLOOM_INVALID_MAC', 'mac'],
  ['a misspelt option', { mac, prot: 'port0' }, 'ERR_NETLOOM_UNKNOWN_OPTION', 'prot'],
  ['a VLAN out of range', { mac, port: 'port0', vlan: 4095 }, 'ERR_NETLOOM_OUT_OF_RANGE', 'vlan'],
  ['a tunnel without a destination', { mac, port: 'port0', vni: 5 }, 'ERR_NETLOOM_INVALID_OPTION', 'vni'],
  ['an unknown state', { mac, port: 'port0', state: 'fixed' }, 'ERR_NETLOOM_UNKNOWN_NAME', 'state'],
])('refused before anything is sent: %s', async (_, spec, code, path) => {
  await expect(here.fdb.add(spec as FdbSpec)).rejects.toMatchObject({ code, path })
})
