// The driver ipvlan, where the kernel has it: modes and flags against real connections, what is ours and what is not; elsewhere a refusal by name.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { Namespace, Networks } from '../../lib/index.js'
import { missing, needs } from '../helpers/features.js'
import { ipLink, linkNames, useOpenHost } from '../helpers/links.js'
import { answer, reach } from '../helpers/reach.js'
import { ip, run } from '../helpers/readers.js'

const host = useOpenHost()
let folder = ''
let networks: Networks
const made: Namespace[] = []
/** At the other end of the parent, 'wire'. */
let outside: Namespace
beforeEach(async context => {
  await needs(context, 'veth', 'tool:ip')
  folder = await mkdtemp(join(tmpdir(), 'netloom-ipvlan-'))
  networks = await Networks.open({ stateDir: folder, host: host.namespace })
  outside = await container('outside')
  await host.namespace.links.create({ kind: 'veth', name: 'wire', up: true, peer: { name: 'eth0', namespace: outside, up: true } })
  await outside.addresses.add('eth0', '192.168.7.1/24')
})
afterEach(async () => {
  for (const network of await networks.list({ type: 'custom' })) await network.delete({ force: true })
  for (const namespace of made.splice(0)) await namespace.delete()
  await networks.close()
  await rm(folder, { recursive: true })
  await expect.poll(() => linkNames(host.name)).toEqual([])
})
afterAll(async () => expect(await linkNames(host.name)).toEqual([]))

async function container(suffix: string): Promise<Namespace> {
  const namespace = await Namespace.create(host.named(suffix), { loopback: true })
  made.push(namespace)
  return namespace
}
const lan = { driver: 'ipvlan', parent: 'wire', subnet: '192.168.7.0/24', gateway: '192.168.7.1' } as const

test('by default endpoints reach each other and the world by the switch, with the MAC address of the parent', async context => {
  await needs(context, 'ipvlan')
  const net = await networks.create({ name: 'lan', ...lan })
  const [a, b] = [await container('a'), await container('b')]
  const [first] = await net.connectMany([{ namespace: a, name: 'a' }, b])
  const wire = await ipLink(host.name, 'wire')
  const inside = await ipLink(a.name ?? '', 'eth0')
  expect(inside).toMatchObject({ address: wire?.address, linkinfo: { info_kind: 'ipvlan', info_data: { mode: 'l2' } } })
  expect([first?.mac, first?.addresses, first?.gateway, first?.hostInterface]).toEqual(['', ['192.168.7.2/24'], '192.168.7.1', undefined])
  expect(await first?.inspect()).toMatchObject({ MacAddress: '', IPAddress: '192.168.7.2', Gateway: '192.168.7.1' })
  expect(await net.inspect()).toMatchObject({ Driver: 'ipvlan', Options: { parent: 'wire' } })
  expect(await ip(a.name ?? '', 'route', 'show', 'default')).toMatchObject([{ gateway: '192.168.7.1', dev: 'eth0' }])
  await using _b = await answer(b, 7000)
  await using _outside = await answer(outside, 7000)
  expect([await reach(a, '192.168.7.3', 7000), await reach(a, '192.168.7.1', 7000)]).toEqual(['192.168.7.2', '192.168.7.2'])

  await expect(net.connect(await container('c'), { mac: '02:00:00:00:00:01' })).rejects.toMatchObject({
    code: 'ERR_NETLOOM_INVALID_OPTION',
    path: 'mac',
  })
  await net.disconnect(a)
  expect([await linkNames(host.named('a')), await linkNames(host.named('b'))]).toEqual([[], ['eth0']])
  // Of the same name and kind, and somebody else's.
  await b.links.delete('eth0')
  await run(host.name, 'ip', 'link', 'add', 'link', 'wire', 'name', 'theirs', 'type', 'ipvlan')
  await run(host.name, 'ip', 'link', 'set', 'theirs', 'netns', host.named('b'), 'name', 'eth0')
  await net.disconnect(b)
  expect(await linkNames(host.named('b'))).toEqual(['eth0'])
  await b.links.delete('eth0')
})

test('IPv6, an MTU and a name of their own; what a namespace had is free once it is gone', async context => {
  await needs(context, 'ipvlan', 'ipv6')
  const net = await networks.create({ name: 'lan', ...lan, subnet: '192.168.7.0/30', ipv6: true, mtu: 1400, interfacePrefix: 'lan' })
  const gone = await Namespace.create(host.named('gone'))
  const [, six] = (await net.connect(gone)).addresses
  expect(await ipLink(host.named('gone'), 'lan0')).toMatchObject({ mtu: 1400 })
  expect((await gone.addresses.list({ link: 'lan0' })).map(({ cidr }) => cidr)).toEqual(['192.168.7.2/30', six])
  await gone.delete()
  expect((await networks.gc()).removed).toEqual([host.named('gone')])
  expect((await net.connect(await container('a'))).addresses[0]).toBe('192.168.7.2/30')
})

test('with l3 the host routes, and with the flag private endpoints do not reach each other', async context => {
  await needs(context, 'ipvlan')
  await host.namespace.addresses.add('wire', '192.168.7.254/24')
  await outside.routes.add({ to: '10.90.0.0/24', via: '192.168.7.254' })
  for (const mode of ['l3', 'l3s'] as const) {
    const options = { ipvlan_mode: mode, ipvlan_flag: 'private', parent: 'wire' }
    const net = await networks.create({ name: mode, driver: 'ipvlan', subnet: '10.90.0.0/24', options })
    const [a, b] = [await container(`${mode}-a`), await container(`${mode}-b`)]
    await net.connectMany([a, b])
    const data = (await ipLink(a.name ?? '', 'eth0'))?.linkinfo?.info_data
    expect(data).toMatchObject({ mode })
    expect(Object.keys(data ?? {})).toContain('private')
    await using _b = await answer(b, 7000)
    await using _outside = await answer(outside, 7000)
    expect(await reach(a, '192.168.7.1', 7000)).toBe('10.90.0.2')
    expect(await reach(outside, '10.90.0.3', 7000)).toBe('192.168.7.1')
    expect(await reach(a, '10.90.0.3', 7000)).toBe('nothing')
    await net.delete({ force: true })
  }
})

test('a parent carries one kind, and ipvlans of one mode and flag', async context => {
  await needs(context, 'ipvlan', 'macvlan')
  await networks.create({ name: 'lan', ...lan })
  const second = { ...lan, subnet: '192.168.8.0/24', gateway: '192.168.8.1' }
  const before = await readdir(join(folder, 'networks'))
  const busy = (reason: RegExp) => ({ code: 'EBUSY', path: 'parent', reason: expect.stringMatching(reason) })
  await expect(networks.create({ name: 'x', ...second, ipvlanMode: 'l3' })).rejects.toMatchObject(busy(/one mode and one flag/))
  await expect(networks.create({ name: 'x', ...second, ipvlanFlag: 'vepa' })).rejects.toMatchObject(busy(/one mode and one flag/))
  await expect(networks.create({ name: 'x', ...second, driver: 'macvlan' })).rejects.toMatchObject(busy(/no macvlan beside it/))
  expect(await readdir(join(folder, 'networks'))).toEqual(before)
  await networks.create({ name: 'beside', ...second })
})

test('a kernel without it says so, by name', async context => {
  if ((await missing('ipvlan')) === undefined) context.skip('this kernel has ipvlan')
  await expect(networks.create({ name: 'lan', ...lan })).rejects.toMatchObject({
    ...{ code: 'EOPNOTSUPP', operation: 'create network', subject: 'lan', path: 'driver', reason: 'this kernel has no ipvlan' },
    hint: expect.stringContaining('macvlan'),
  })
  await expect(networks.create({ name: 'lan', ...lan, parent: 'nope' })).rejects.toMatchObject({ code: 'ENODEV', path: 'parent' })
  expect(await networks.list({ type: 'custom' })).toEqual([])
  expect(await readdir(join(folder, 'pending'))).toEqual([])
})
