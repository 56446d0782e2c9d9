// Packets between two namespaces through kinds of links that only some kernels have, and through queues that only some have.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Namespace } from '../../lib/index.js'
import { type Feature, needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { run } from '../helpers/readers.js'

const host = useHost()
const names = [host.named('left'), host.named('right')] as const
let ends: [Namespace, Namespace]
const below = ['10.60.0.1', '10.60.0.2'] as const

/** A cable between both, with an address at each end. */
beforeEach(async context => {
  await needs(context, 'veth')
  const [left, right] = [await Namespace.create(names[0], { loopback: true }), await Namespace.create(names[1], { loopback: true })]
  ends = [left, right]
  await left.links.create({ kind: 'veth', name: 'cable', up: true, peer: { namespace: right, name: 'cable', up: true } })
  for (const [i, end] of ends.entries()) await end.addresses.add('cable', `${below[i]}/24`)
})
afterEach(async () => {
  for (const end of ends) await end.delete()
})

/** What `ip link add … made` takes behind the name, at each of both ends. */
const tunnels: [feature: Feature, words: (own: string, other: string) => string][] = [
  ['gre', (own, other) => `type gre local ${own} remote ${other}`],
  ['gretap', (own, other) => `type gretap local ${own} remote ${other}`],
  ['geneve', (_, other) => `type geneve id 9 remote ${other}`],
]

/** Gives `made` addresses at both ends, and one of them asks the other through it. */
async function across(): Promise<void> {
  for (const [i, end] of ends.entries()) {
    await end.links.update('made', { up: true })
    await end.addresses.add('made', `10.61.0.${i + 1}/24`)
  }
  expect(await ends[0].routes.lookup('10.61.0.2')).toMatchObject({ link: (await ends[0].links.get('made')).index, src: '10.61.0.1' })
  const before = (await ends[1].links.get('made')).statistics?.rxPackets ?? 0
  expect(await ends[0].ping('10.61.0.2', { count: 2 })).toMatchObject({ sent: 2, received: 2 })
  expect((await ends[1].links.get('made')).statistics?.rxPackets).toBeGreaterThanOrEqual(before + 2)
}

test.for(tunnels)('%s', async ([feature, words], context) => {
  await needs(context, feature)
  for (const [i, name] of names.entries()) await run(name, 'ip', 'link', 'add', 'made', ...words(below[i]!, below[1 - i]!).split(' '))
  await across()
})

test('vlan: only the same number talks', async context => {
  await needs(context, 'vlan')
  for (const [i, end] of ends.entries()) {
    await end.links.create({ kind: 'vlan', name: 'made', link: 'cable', options: { id: 7 } })
    await end.links.create({ kind: 'vlan', name: 'other', link: 'cable', up: true, options: { id: 8 + i } })
    await end.addresses.add('other', `10.62.0.${i + 1}/24`)
  }
  await across()
  expect(await ends[0].ping('10.62.0.2', { count: 1, timeout: 1 })).toMatchObject({ received: 0 })
})

test('netkit: a pair into another namespace', async context => {
  await needs(context, 'netkit')
  const [left, right] = ends
  // Its other end gets a name from the kernel.
  await left.links.create({ kind: 'other:netkit', name: 'made' })
  const [peer] = (await left.links.list()).filter(link => link.kind === 'other:netkit' && link.name !== 'made')
  await left.links.move(peer?.name ?? '', right, { name: 'made' })
  await across()
})

test('bond: the second cable carries on where the first is cut', async context => {
  await needs(context, 'bond')
  const [left, right] = ends
  await left.links.create({ kind: 'veth', name: 'spare', peer: { namespace: right, name: 'spare' } })
  for (const [i, end] of ends.entries()) {
    await end.addresses.delete('cable', `${below[i]}/24`)
    await run(names[i], 'ip', 'link', 'add', 'made', 'type', 'bond', 'mode', 'active-backup', 'miimon', '50')
    await end.links.update('made', { up: true })
    for (const port of ['cable', 'spare']) {
      await end.links.update(port, { up: false })
      await end.links.update(port, { master: 'made' })
      expect((await end.links.get(port)).master).toBe((await end.links.get('made')).index)
    }
  }
  for (const end of ends) for (const port of ['cable', 'spare']) await end.links.update(port, { up: true })
  await expect.poll(async () => (await left.links.get('made')).carrier).toBe(true)
  await across()
  await left.links.update('cable', { up: false })
  await expect.poll(async () => (await left.ping('10.61.0.2', { count: 1, timeout: 1 })).received).toBe(1)
})

test('vrf: its links have a table of their own', async context => {
  await needs(context, 'vrf')
  const [left] = ends
  await run(names[0], 'ip', 'link', 'add', 'made', 'type', 'vrf', 'table', '9')
  await left.links.update('made', { up: true })
  await left.links.update('cable', { master: 'made' })
  expect((await left.routes.list({ table: 9 })).map(route => route.to)).toContain('10.60.0.0/24')
  expect((await left.routes.list({ table: 'main' })).map(route => route.to)).not.toContain('10.60.0.0/24')
  expect((await ends[1].ping(below[0], { count: 1 })).received).toBe(1)
})

describe('queues', () => {
  const shown = async (words: string[]) => {
    await run(names[0], 'tc', 'qdisc', 'add', 'dev', 'cable', 'root', ...words)
    return (await ends[0].links.get('cable')).qdisc
  }

  test('netem: what is held back takes as long, what is lost does not come back', async context => {
    await needs(context, 'netem')
    const [left] = ends
    expect(await shown(['netem', 'delay', '300ms'])).toBe('netem')
    const slow = await left.ping(below[1], { count: 2, interval: 0.5 })
    expect(slow).toMatchObject({ received: 2 })
    expect(slow.rtt?.min).toBeGreaterThanOrEqual(300)
    await run(names[0], 'tc', 'qdisc', 'change', 'dev', 'cable', 'root', 'netem', 'loss', '100%')
    expect(await left.ping(below[1], { count: 2, timeout: 1 })).toMatchObject({ sent: 2, received: 0 })
  })

  test('fq_codel: shown, and packets get through', async context => {
    await needs(context, 'fq_codel')
    expect(await shown(['fq_codel'])).toBe('fq_codel')
    expect((await ends[0].ping(below[1], { count: 1 })).received).toBe(1)
  })
})
