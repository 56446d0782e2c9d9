// Bridges that filter VLANs: which ports reach each other, and MAC tables by VLAN.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Namespace } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useOpenHost } from '../helpers/links.js'
import { attempt, bridge, run } from '../helpers/readers.js'

const host = useOpenHost()
const guests: Namespace[] = []
const mac = '02:00:00:00:00:99'

beforeEach(async context => {
  await needs(context, 'veth', 'bridge', 'bridge-vlan-filtering', 'tool:bridge')
  const { links } = host.namespace
  await links.create({ kind: 'bridge', name: 'br0', up: true, options: { vlanFiltering: true } })
  for (const i of [0, 1, 2]) {
    const guest = await Namespace.create(host.named(`guest${i}`), { loopback: true })
    guests.push(guest)
    await links.create({ kind: 'veth', name: `port${i}`, master: 'br0', up: true, peer: { namespace: guest, name: 'eth0', up: true } })
    await guest.addresses.add('eth0', `10.63.0.${i + 1}/24`)
  }
})
afterEach(async () => {
  for (const guest of guests.splice(0)) await guest.delete()
  // The ports go with the guests, but not at once.
  for (const name of ['port0', 'port1', 'port2', 'br0']) await attempt(host.name, 'ip', ['link', 'delete', name])
})

const vlan = (...args: string[]) => run(host.name, 'bridge', 'vlan', ...args)
const reaches = async (from: number, to: number) => {
  const { received } = await guests[from]!.ping(`10.63.0.${to + 1}`, { count: 1, timeout: 1 })
  return received === 1
}

test('ports of one VLAN reach each other, those of another do not', async () => {
  expect(await host.namespace.links.get('br0')).toMatchObject({ options: { vlanFiltering: true, vlanDefaultPvid: 1 } })
  await expect.poll(() => reaches(0, 1)).toBe(true)
  await expect.poll(() => reaches(0, 2)).toBe(true)
  for (const port of ['port1', 'port2']) {
    await vlan('del', 'dev', port, 'vid', '1')
    await vlan('add', 'dev', port, 'vid', '7', 'pvid', 'untagged')
  }
  expect(await reaches(0, 1)).toBe(false)
  await expect.poll(() => reaches(1, 2)).toBe(true)
  // What it learned says in which VLAN.
  const learned = await host.namespace.fdb.list({ bridge: 'br0' })
  const own = (await guests[1]!.links.get('eth0')).mac
  expect(learned.filter(entry => entry.mac === own && entry.vlan === 7)).toMatchObject([{ state: 'reachable' }])
  await host.namespace.links.update('br0', { options: { vlanFiltering: false } })
  await expect.poll(() => reaches(0, 1)).toBe(true)
})

test('a MAC is told for one VLAN, and read and deleted there only', async () => {
  const { fdb } = host.namespace
  await vlan('add', 'dev', 'port0', 'vid', '7')
  await fdb.add({ mac, port: 'port0', vlan: 7 })
  await fdb.add({ mac, port: 'port0', vlan: 1 })
  const ours = async () => (await fdb.list({ port: 'port0' })).filter(entry => entry.mac === mac)
  const theirs = async () =>
    (await bridge<{ mac: string; vlan?: number }>(host.name, 'fdb', 'show', 'brport', 'port0')).filter(entry => entry.mac === mac)
  const byVlan = (entries: readonly { vlan?: number | undefined }[]) => entries.map(entry => entry.vlan).sort()
  expect(byVlan(await theirs())).toEqual([1, 7])
  expect(byVlan(await ours())).toEqual([1, 7])
  const [one] = (await ours()).filter(entry => entry.vlan === 7)
  await fdb.delete(one!)
  expect(byVlan(await theirs())).toEqual([1])
  // The kernel takes none for a VLAN that the port is not in.
  await expect(fdb.add({ mac, port: 'port0', vlan: 8 })).rejects.toMatchObject({ code: 'EINVAL' })
})
