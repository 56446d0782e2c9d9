// Published ports that are held while a process serves: nobody on the host gets one, nobody listens on it, and it is free when publishing ends.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { Namespace, type Network, Networks } from '../../lib/index.js'
import { scoped } from '../../lib/kernel/scope.js'
import { holdPort, type Port } from '../../lib/namespace/hold-port.js'
import { needs } from '../helpers/features.js'
import { linkNames, useOpenHost } from '../helpers/links.js'
import { patience } from '../helpers/patience.js'
import { reach } from '../helpers/reach.js'
import { run } from '../helpers/readers.js'

const host = useOpenHost()
let folder = ''
const opened: Networks[] = []
const made: Namespace[] = []
beforeEach(context => needs(context, 'tool:nft', 'nftables'))
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'netloom-hold-'))
  await host.namespace.addresses.add('lo', '192.0.2.1/32')
  await host.namespace.addresses.add('lo', '2001:db8::1/128', { noDad: true })
})
afterEach(async () => {
  for (const network of await (await open()).list({ type: 'custom' })) await network.delete({ force: true })
  for (const namespace of made.splice(0)) await namespace.delete()
  for (const networks of opened.splice(0)) await networks.close()
  await host.namespace.addresses.delete('lo', '192.0.2.1/32')
  await host.namespace.addresses.delete('lo', '2001:db8::1/128')
  await rm(folder, { recursive: true })
})
afterAll(async () => expect(await linkNames(host.name)).toEqual([]))

async function open(serve = {}): Promise<Networks> {
  const networks = await Networks.open({ stateDir: folder, host: host.namespace, serve })
  opened.push(networks)
  return networks
}
async function container(suffix: string): Promise<Namespace> {
  const namespace = await Namespace.create(host.named(suffix), { loopback: true })
  made.push(namespace)
  return namespace
}
/** What becomes of a program of the host that wants the port. */
const bind = (protocol: Port['protocol'], address: string, port: number) =>
  holdPort(host.namespace[scoped], { protocol, address, port }).then(
    socket => {
      socket.close()
      return 'free'
    },
    (error: { code?: string }) => error.code ?? String(error),
  )
async function every(protocol: Port['protocol'], port: number): Promise<string[]> {
  const found: string[] = []
  // One after the other: they would be in each other's way.
  for (const address of ['0.0.0.0', '::', '192.0.2.1', '2001:db8::1']) found.push(await bind(protocol, address, port))
  return found
}
const net = (networks: Networks): Promise<Network> => networks.create({ name: 'net', subnet: '10.140.0.0/24', ipv6: true })
const [all, none] = [Array(4).fill('EADDRINUSE'), Array(4).fill('free')]

test.for(['tcp', 'udp', 'sctp'] as const)('%s: on all addresses, on one, ranges, and free again', async (protocol, context) => {
  const networks = await open({ holdPorts: true })
  const lacks = (await bind(protocol, '0.0.0.0', 9_000)) === 'EPROTONOSUPPORT'
  const expected = (list: readonly string[]) => (lacks ? list.map(() => 'EPROTONOSUPPORT') : list)
  const network = await net(networks)
  const endpoint = await network.connect(await container('web'), {
    publish: [
      { hostPort: 8_080, containerPort: 80, protocol },
      { hostPort: '8090-8092', containerPort: '90-92', protocol },
      { hostPort: 8_081, containerPort: 80, hostIp: '192.0.2.1', protocol },
      { hostPort: 8_082, containerPort: 80, hostIp: '2001:db8::1', protocol },
    ],
  })
  for (const port of [8_080, 8_090, 8_091, 8_092]) expect(await every(protocol, port), String(port)).toEqual(expected(all))
  // All addresses of the family and this one; the others are anybody's.
  expect(await every(protocol, 8_081)).toEqual(expected(['EADDRINUSE', 'free', 'EADDRINUSE', 'free']))
  expect(await every(protocol, 8_082)).toEqual(expected(['free', 'EADDRINUSE', 'free', 'EADDRINUSE']))
  expect(await every(protocol, 8_093)).toEqual(expected(none))
  // Nobody listens: who comes while there are no rules is told so.
  if (protocol === 'tcp') {
    expect(await run(host.name, 'ss', '-Hltn')).toBe('')
    await run(host.name, 'nft', 'flush', 'ruleset')
    expect(await reach(host.namespace, '192.0.2.1', 8_080)).toBe('refused')
    expect(await networks.repair()).toBe(true)
  }
  await endpoint.unpublish({ hostPort: '8091-8092', containerPort: '91-92', protocol })
  await endpoint.unpublish({ hostPort: 8_081, containerPort: 80, protocol })
  expect([await every(protocol, 8_090), await every(protocol, 8_091), await every(protocol, 8_081)]).toEqual(
    [all, none, none].map(expected),
  )
  await endpoint.publish({ hostPort: 8_091, containerPort: 95, protocol })
  expect(await every(protocol, 8_091)).toEqual(expected(all))
  await endpoint.disconnect()
  for (const port of [8_080, 8_082, 8_090, 8_091]) expect(await every(protocol, port), String(port)).toEqual(expected(none))
  if (lacks) context.skip(`the kernel lacks ${protocol}: it was published, and nobody can have a port of it`)
})

test('what was published before, what another process publishes, and a process that takes over', async () => {
  const other = await open()
  const network = await net(other)
  const web = await container('web')
  await network.connect(web, { publish: [{ hostPort: 8_080, containerPort: 80 }] })
  expect(await every('tcp', 8_080)).toEqual(none)
  const serving = await open({ holdPorts: true })
  expect(await every('tcp', 8_080)).toEqual(all)
  const [endpoint] = await other.endpoints(web)
  await endpoint?.publish({ hostPort: 8_081, containerPort: 81 })
  await expect.poll(() => every('tcp', 8_081), { timeout: patience(10_000) }).toEqual(all)
  // A second address of the same port, which the folder's own time would not show.
  await endpoint?.publish({ hostPort: 8_083, containerPort: 81, hostIp: '192.0.2.1' })
  await expect.poll(() => bind('tcp', '192.0.2.1', 8_083), { timeout: patience(10_000) }).toBe('EADDRINUSE')
  await endpoint?.publish({ hostPort: 8_083, containerPort: 81, hostIp: '2001:db8::1' })
  await expect.poll(() => bind('tcp', '2001:db8::1', 8_083), { timeout: patience(10_000) }).toBe('EADDRINUSE')
  await open({ holdPorts: true })
  await serving.close()
  await expect.poll(() => every('tcp', 8_080), { timeout: patience(10_000) }).toEqual(all)
  await endpoint?.unpublish({ hostPort: 8_081, containerPort: 81 })
  await expect.poll(() => every('tcp', 8_081), { timeout: patience(10_000) }).toEqual(none)
  for (const one of opened.splice(0)) await one.close()
  expect(await every('tcp', 8_080)).toEqual(none)
})

test('what another process gives back can be published again at once, by anybody', async () => {
  const other = await open()
  const network = await net(other)
  const [a, b] = [await network.connect(await container('a')), await network.connect(await container('b'))]
  const serving = await open({ holdPorts: true })
  const [mine] = await serving.endpoints(made[1]!)
  for (const protocol of ['tcp', 'udp'] as const) {
    const publish = { hostPort: 8_085, containerPort: 80, protocol }
    for (const next of [b, a, mine!, a]) {
      await next.publish(publish)
      await expect.poll(() => every(protocol, 8_085), { timeout: patience(10_000) }).toEqual(all)
      await (next === mine ? b : next).unpublish(publish)
    }
    const address = { ...publish, hostIp: '192.0.2.1' }
    await a.publish(address)
    await expect.poll(() => bind(protocol, '192.0.2.1', 8_085), { timeout: patience(10_000) }).toBe('EADDRINUSE')
    await a.unpublish(address)
    await b.publish(address)
    await b.unpublish(address)
    const program = await holdPort(host.namespace[scoped], { protocol, address: '192.0.2.1', port: 8_085 })
    await expect(a.publish(address)).rejects.toMatchObject({
      code: 'EADDRINUSE',
      path: 'hostPort',
      reason: 'a program of the host has the port',
    })
    program.close()
  }
})

test('the same after something has failed in the process that holds it', async () => {
  const other = await open()
  const network = await net(other)
  const [a, b] = [await network.connect(await container('a')), await network.connect(await container('b'))]
  const serving = await open({ holdPorts: true })
  const [mine] = await serving.endpoints(made[1]!)
  const publish = { hostPort: 8_086, containerPort: 80 }
  for (let round = 0; round < 5; round++) {
    await a.publish(publish)
    await expect.poll(() => every('tcp', 8_086), { timeout: patience(10_000) }).toEqual(all)
    await expect(mine!.publish(publish)).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await a.unpublish(publish)
    await b.publish(publish)
    await b.unpublish(publish)
  }
})

test('a port on an address that comes later is held once it is there', async () => {
  const networks = await open({ holdPorts: true })
  const network = await net(networks)
  const endpoint = await network.connect(await container('web'), { publish: [{ hostPort: 8_084, containerPort: 80, hostIp: '192.0.2.7' }] })
  expect(endpoint.ports).toHaveLength(1)
  await host.namespace.addresses.add('lo', '192.0.2.7/32')
  await expect.poll(() => bind('tcp', '192.0.2.7', 8_084), { timeout: patience(10_000) }).toBe('EADDRINUSE')
  await endpoint.disconnect()
  expect(await bind('tcp', '192.0.2.7', 8_084)).toBe('free')
  await host.namespace.addresses.delete('lo', '192.0.2.7/32')
})
