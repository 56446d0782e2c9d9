// Published ports, asked for with real sockets from everywhere, and as nft and conntrack have them.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { Namespace, NetloomError, Networks } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { linkNames, useOpenHost } from '../helpers/links.js'
import { patience } from '../helpers/patience.js'
import { answer, reach } from '../helpers/reach.js'
import { nft, run } from '../helpers/readers.js'

const host = useOpenHost()
let folder = ''
let networks: Networks
const made: Namespace[] = []
beforeEach(context => needs(context, 'tool:nft', 'nftables'))
beforeEach(async () => {
  // Where br_netfilter is loaded, bridged frames would meet the firewall, whatever the bridge says.
  for (const family of ['ip', 'ip6']) {
    const key = `net.bridge.bridge-nf-call-${family}tables`
    await host.namespace.sysctl.set(key, 0).catch((error: unknown) => {
      if (!(error instanceof NetloomError) || error.code !== 'ENOENT') throw error
    })
  }
  folder = await mkdtemp(join(tmpdir(), 'netloom-ports-'))
  networks = await Networks.open({ stateDir: folder, host: host.namespace })
})
afterEach(async () => {
  for (const network of await networks.list({ type: 'custom' })) await network.delete({ force: true })
  for (const namespace of made.splice(0)) await namespace.delete()
  await networks.close()
  expect(await readdir(join(folder, 'ports'))).toEqual([])
  await rm(folder, { recursive: true })
  expect((await nft(host.name, 'list', 'ruleset')).filter(entry => !('metainfo' in entry))).toEqual([])
  // It goes with the namespace at its other end, in the kernel's own time.
  while (await host.namespace.links.find('up0')) await new Promise(setImmediate)
})
afterAll(async () => expect(await linkNames(host.name)).toEqual([]))

async function container(suffix: string): Promise<Namespace> {
  const namespace = await Namespace.create(host.named(suffix), { loopback: true })
  made.push(namespace)
  return namespace
}
async function neighbour(): Promise<Namespace> {
  const outside = await container('outside')
  await host.namespace.links.create({ kind: 'veth', name: 'up0', up: true, peer: { name: 'eth0', namespace: outside, up: true } })
  for (const [where, link, last] of [[host.namespace, 'up0', 1] as const, [outside, 'eth0', 2] as const]) {
    await where.addresses.add(link, `192.0.2.${last}/24`)
    await where.addresses.add(link, `2001:db8::${last}/64`, { noDad: true })
  }
  return outside
}
const code = (call: Promise<unknown>) =>
  call.then(
    () => 'done',
    (error: { code?: string; path?: string }) => `${error.code} ${error.path}`,
  )

test.each(['tcp', 'udp'] as const)('%s from outside, the host, other networks, the own one and itself', async protocol => {
  const outside = await neighbour()
  const [web, same, other, inner] = await Promise.all(['web', 'same', 'other', 'inner'].map(container))
  const blue = await networks.create({ name: 'blue', subnet: '10.90.0.0/24', ipv6: true })
  const green = await networks.create({ name: 'green', subnet: '10.91.0.0/24', ipv6: true })
  const closed = await networks.create({ name: 'closed', subnet: '10.92.0.0/24', internal: true })
  const endpoint = await blue.connect(web!, { publish: [{ hostPort: 8080, containerPort: 80, protocol }], expose: ['443'] })
  await blue.connect(same!)
  await green.connect(other!)
  await closed.connect(inner!)
  await inner!.routes.add({ to: 'default', via: '10.92.0.1' })
  await using _server = await answer(web!, 80, protocol)
  const ip6 = endpoint.addresses[1]?.split('/')[0] ?? ''
  const gateway6 = ip6.replace(/2$/, '1')
  expect(endpoint.portsText).toBe(`0.0.0.0:8080->80/${protocol}, :::8080->80/${protocol}, 443/tcp`)
  expect((await endpoint.inspect()).Ports).toEqual({
    '443/tcp': null,
    [`80/${protocol}`]: [
      { HostIp: '0.0.0.0', HostPort: '8080' },
      { HostIp: '::', HostPort: '8080' },
    ],
  })
  // A datagram socket that is not connected hears nothing of a refusal.
  const [nobody, neither] = protocol === 'tcp' ? ['refused', 'nothing'] : ['nothing', 'refused']
  const ask = (from: Namespace, address: string, port = 8080) => reach(from, address, port, protocol)
  expect([await ask(outside, '192.0.2.1'), await ask(outside, '2001:db8::1')]).toEqual(['192.0.2.2', '2001:db8::2'])
  expect([await ask(host.namespace, '192.0.2.1'), await ask(host.namespace, '10.90.0.1')]).toEqual([
    expect.stringMatching(/^[\d.]+$/),
    '10.90.0.1',
  ])
  expect([await ask(other!, '192.0.2.1'), await ask(other!, '2001:db8::1')]).toEqual(['10.91.0.2', expect.stringMatching(/^fd.*::2$/)])
  expect([await ask(same!, '192.0.2.1'), await ask(same!, '2001:db8::1')]).toEqual(['10.90.0.1', gateway6])
  expect([await ask(web!, '192.0.2.1'), await ask(web!, '10.90.0.1')]).toEqual(['10.90.0.1', '10.90.0.1'])
  expect(await ask(inner!, '10.92.0.1')).toBe('nothing')
  // What is not published: of the endpoint, and of the other protocol.
  expect(await ask(outside, '192.0.2.1', 443)).toBe(nobody)
  expect(await reach(outside, '192.0.2.1', 8080, protocol === 'tcp' ? 'udp' : 'tcp')).toBe(neither)
  await endpoint.unpublish({ hostPort: 8080, containerPort: 80, protocol })
  expect(await ask(outside, '192.0.2.1')).toBe(nobody)
  expect(endpoint.portsText.split(', ').sort()).toEqual(['443/tcp', `80/${protocol}`])
  expect((await host.namespace.conntrack.list({ originalDestinationPort: 8080, status: { dstNat: true } })).length).toBe(0)
})

test('host addresses, ranges, free ports, and all that are exposed', async () => {
  const outside = await neighbour()
  await host.namespace.addresses.add('up0', '192.0.2.9/24')
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(container))
  const net = await networks.create({ name: 'net', subnet: '10.93.0.0/24', hostBinding: '192.0.2.9' })
  await using _a = await answer(a!, 80)
  await using _b = await answer(b!, 81)
  const one = await net.connect(a!, {
    publish: [
      { hostPort: 8080, containerPort: 80 },
      { hostIp: '127.0.0.1', hostPort: 8081, containerPort: 80 },
    ],
  })
  const two = await net.connect(b!, { publish: [{ hostIp: '192.0.2.1', hostPort: '8080-8082', containerPort: '80-82' }] })
  expect([
    await reach(outside, '192.0.2.9', 8080),
    await reach(outside, '192.0.2.1', 8081),
    await reach(outside, '192.0.2.1', 8080),
  ]).toEqual(['192.0.2.2', '192.0.2.2', 'refused'])
  expect([await reach(host.namespace, '127.0.0.1', 8081), await reach(host.namespace, '127.0.0.1', 8080)]).toEqual(['10.93.0.1', 'refused'])
  expect(one.portsText).toBe('127.0.0.1:8081->80/tcp, 192.0.2.9:8080->80/tcp')
  expect(two.ports.map(({ hostPort, containerPort }) => [hostPort, containerPort])).toEqual([
    [8080, 80],
    [8081, 81],
    [8082, 82],
  ])
  const three = await net.connect(c!, {
    expose: [80, '53/udp', '9000-9001'],
    publishAll: true,
    publish: [{ containerPort: 9000, hostPort: 9000 }],
  })
  expect(three.ports).toHaveLength(4)
  for (const { hostPort, containerPort } of three.ports) expect(hostPort).toBeGreaterThan(containerPort === 9000 ? 8999 : 49151)
  const elements = async () =>
    (JSON.stringify(await nft(host.name, 'list', 'map', 'inet', 'netloom', 'ports4')).match(/"concat"/g) ?? []).length / 2
  expect(await elements()).toBe(9)
  const [more] = await three.publish({ containerPort: 5000, hostIp: '0.0.0.0' })
  expect(
    await networks
      .get('net')
      .then(found => found.endpoints())
      .then(all => all.find(({ id }) => id === three.id)?.ports),
  ).toContainEqual(more)
  await three.disconnect()
  expect(await elements()).toBe(5)
  expect(await code(three.publish({ containerPort: 1 }))).toBe('ENOENT undefined')
})

test('refused, with nothing left behind', async () => {
  const [a, b] = await Promise.all(['a', 'b'].map(container))
  const net = await networks.create({ name: 'net', subnet: '10.94.0.0/24' })
  const inner = await networks.create({ name: 'inner', subnet: '10.95.0.0/24', internal: true })
  const endpoint = await net.connect(a!, { publish: [{ hostPort: 8080, containerPort: 80 }] })
  await using _program = await answer(host.namespace, 9090)
  await using _datagrams = await answer(host.namespace, 9091, 'udp')
  const before = await run(host.name, 'nft', '-j', 'list', 'ruleset')
  const connecting = (publish: object) => code(net.connect(b!, { publish: [publish] as never }))
  expect(await connecting({ hostPort: 8080, containerPort: 81 })).toBe('EADDRINUSE publish[0].hostPort')
  expect(await connecting({ hostIp: '192.0.2.1', hostPort: 8080, containerPort: 81 })).toBe('EADDRINUSE publish[0].hostPort')
  expect(await connecting({ hostPort: 9090, containerPort: 81 })).toBe('EADDRINUSE publish[0].hostPort')
  expect(await connecting({ hostPort: 9091, containerPort: '81/udp' })).toBe('EADDRINUSE publish[0].hostPort')
  expect(await connecting({ hostPort: 0, containerPort: 81 })).toBe('ERR_NETLOOM_OUT_OF_RANGE publish[0].hostPort')
  expect(await connecting({ hostPort: 80 })).toBe('ERR_NETLOOM_MISSING_OPTION publish[0].containerPort')
  expect(await connecting({ containerPort: 'http' })).toBe('ERR_NETLOOM_INVALID_PORT publish[0].containerPort')
  expect(await connecting({ containerPort: '80-82', hostPort: '80-81' })).toBe('ERR_NETLOOM_OUT_OF_RANGE publish[0].hostPort')
  expect(await connecting({ containerPort: 80, hostIp: '::1' })).toBe('ERR_NETLOOM_UNSUPPORTED_OPTION publish[0].hostIp')
  expect(await connecting({ containerPort: 80, hostIp: '2001:db8::1' })).toBe('ERR_NETLOOM_INVALID_ADDRESS publish[0].hostIp')
  expect(await code(inner.connect(b!, { publish: [{ containerPort: 80 }] }))).toBe('ERR_NETLOOM_INVALID_OPTION publish[0]')
  expect(await code(endpoint.unpublish({ containerPort: 81 }))).toBe('ERR_NETLOOM_INVALID_OPTION containerPort')
  expect(await code(endpoint.publish({ hostPort: 8080, containerPort: 81 }))).toMatch(/^EADDRINUSE/)
  expect(await run(host.name, 'nft', '-j', 'list', 'ruleset')).toBe(before)
  expect(await networks.endpoints(b!)).toEqual([])
  // A port of a range that is taken is passed over.
  const [port] = (await net.connect(b!, { publish: [{ hostPort: '8080-8081', containerPort: 80 }] })).ports
  expect(port?.hostPort).toBe(8081)
})

test('ports of a namespace that is gone are free', async () => {
  const gone = await container('gone')
  const net = await networks.create({ name: 'net', subnet: '10.96.0.0/24' })
  await net.connect(gone, { publish: [{ hostPort: 8080, containerPort: 80 }] })
  made.splice(made.indexOf(gone), 1)
  await gone.delete()
  // The kernel takes a moment to remove what was inside.
  while ((await host.namespace.links.list({ kind: 'veth' })).length > 0) await new Promise(setImmediate)
  const next = await container('next')
  await net.connect(next, { publish: [{ hostPort: 8080, containerPort: 80 }] })
  await using _server = await answer(next, 80)
  expect(await reach(host.namespace, '10.96.0.1', 8080)).toBe('10.96.0.1')
})

test('ports are held, and rules come back, while a process serves', async () => {
  await using serving = await Networks.open({ stateDir: folder, host: host.namespace, serve: { holdPorts: true, repair: true } })
  const web = await container('web')
  const net = await serving.create({ name: 'net', subnet: '10.97.0.0/24' })
  const endpoint = await net.connect(web, {
    publish: [
      { hostPort: 8080, containerPort: 80 },
      { hostPort: 8080, containerPort: '80/udp' },
    ],
  })
  await using _server = await answer(web, 80)
  expect(await code(answer(host.namespace, 8080))).toMatch(/^EADDRINUSE/)
  expect(await code(answer(host.namespace, 8080, 'udp'))).toMatch(/^EADDRINUSE/)
  expect(await reach(host.namespace, '10.97.0.1', 8080)).toBe('10.97.0.1')
  const before = (await nft(host.name, 'list', 'ruleset')).length
  await run(host.name, 'nft', 'flush', 'ruleset')
  while ((await nft(host.name, 'list', 'ruleset')).length !== before) await new Promise(resolve => setTimeout(resolve, 50))
  expect(await reach(host.namespace, '10.97.0.1', 8080)).toBe('10.97.0.1')
  await run(host.name, 'nft', 'flush', 'chain', 'inet', 'netloom', 'published')
  await serving.repair()
  expect([await serving.repair(), (await nft(host.name, 'list', 'ruleset')).length]).toEqual([false, before])
  await endpoint.unpublish({ hostPort: 8080, containerPort: 80 })
  await using _free = await answer(host.namespace, 8080)
})

test('an address of the host however it is written', async () => {
  const outside = await neighbour()
  const [web, other] = await Promise.all(['web', 'other'].map(container))
  const blue = await networks.create({ name: 'blue', subnet: '10.99.0.0/24', ipv6: true })
  const ports = [
    { hostIp: '0::0', hostPort: 8080, containerPort: 80 },
    { hostIp: '2001:DB8:0::1', hostPort: 8081, containerPort: 80 },
  ]
  const endpoint = await blue.connect(web!, { publish: ports })
  await using _server = await answer(web!, 80)
  expect(endpoint.portsText).toBe('2001:db8::1:8081->80/tcp, :::8080->80/tcp')
  // The host asks for whom to answer once it is sure of its own link-local address, which takes it a second or two.
  for (const port of [8080, 8081]) expect(await reach(outside, '2001:db8::1', port, 'tcp', patience(5_000))).toBe('2001:db8::2')
  const again = { hostIp: '2001:db8::0:1', hostPort: 8081, containerPort: 80 }
  expect(await code(blue.connect(other!, { publish: [again] }))).toBe('EADDRINUSE publish[0].hostPort')
  expect(await code(endpoint.publish(again))).toBe('EADDRINUSE hostPort')
  await endpoint.unpublish({ hostIp: '2001:DB8::1', containerPort: 80 })
  expect(endpoint.portsText).toBe(':::8080->80/tcp')
  expect(await code(endpoint.publish({ hostIp: '0:0:0:0:0:0:0:1', containerPort: 80 }))).toBe('ERR_NETLOOM_UNSUPPORTED_OPTION hostIp')
  expect(await code(endpoint.publish({ hostIp: '::ffff:192.0.2.1', containerPort: 80 }))).toBe('ERR_NETLOOM_INVALID_ADDRESS hostIp')
})
