// Firewalls of others: a policy DROP of FORWARD as Docker leaves it, told and cured, against real packets; Docker's networks shown and left alone; pictures.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { Namespace, Networks } from '../../lib/index.js'
import { neighbour } from '../helpers/container-walk.js'
import { dockerFeatures, startDocker } from '../helpers/docker.js'
import { needs } from '../helpers/features.js'
import { linkNames, useOpenHost } from '../helpers/links.js'
import { answer, reach } from '../helpers/reach.js'
import { ping, run } from '../helpers/readers.js'

const host = useOpenHost()
let folder = ''
let networks: Networks
const made: Namespace[] = []
beforeEach(async context => {
  await needs(context, 'nftables', 'bridge', 'veth')
  folder = await mkdtemp(join(tmpdir(), 'netloom-foreign-'))
  networks = await Networks.open({ stateDir: folder, host: host.namespace })
})
afterEach(async () => {
  for (const namespace of made.splice(0)) await namespace.delete()
  for (const network of await networks.list({ type: 'custom' })) if (network.origin === 'netloom') await network.delete({ force: true })
  await networks.close()
  await rm(folder, { recursive: true })
})
afterAll(async () => expect(await linkNames(host.name)).toEqual([]))

async function container(suffix: string): Promise<Namespace> {
  const namespace = await Namespace.create(host.named(suffix), { loopback: true })
  made.push(namespace)
  return namespace
}

test.for(['nft', 'legacy'] as const)(
  'a policy DROP of iptables-%s is told, cured, and as it was once the network is gone',
  async (backend, context) => {
    await needs(context, 'tool:iptables', 'iptables-nft', 'iptables-legacy', 'bridge-netfilter')
    const tool = `iptables-${backend}`
    const outside = await neighbour(host.namespace, host.named('outside'))
    made.push(outside)
    const [a, b] = [await container('a'), await container('b')]
    const net = await networks.create({ name: 'blue', subnet: '10.80.0.0/24' })
    await net.connect(a, { publish: [{ hostPort: 8080, containerPort: 7000 }] })
    await net.connect(b)
    await using _outside = await answer(outside, 7000)
    await using _a = await answer(a, 7000)
    const works = async () => [
      await reach(a, '192.0.2.2', 7000),
      await reach(outside, '192.0.2.1', 8080),
      (await ping(host.named('b'), '10.80.0.2')).received,
    ]
    expect(await net.warnings()).toEqual([])
    expect(await works()).toEqual(['192.0.2.1', '192.0.2.2', 1])

    await run(host.name, tool, '-P', 'FORWARD', 'DROP')
    await host.namespace.sysctl.set('net.bridge.bridge-nf-call-iptables', 1)
    const rules = await run(host.name, tool, '-S')
    expect(await works()).toEqual(['nothing', 'nothing', 0])
    const told: string[] = []
    const listen = (warning: Error & { code?: string }) => void (warning.code === 'NETLOOM_FORWARD_DROPPED' && told.push(warning.message))
    process.on('warning', listen)
    for (const subnet of ['10.82.0.0/24', '10.83.0.0/24']) await (await networks.create({ name: 'more', subnet })).delete()
    await expect.poll(() => told).toHaveLength(1)
    process.off('warning', listen)
    expect(told[0]).toMatch(
      new RegExp(`^packets .* of more are dropped by policy DROP of FORWARD in the table filter of ${tool}: ACCEPT rules for br-`),
    )
    const by = { backend, family: 4, table: 'filter', chain: 'FORWARD', text: 'policy DROP' }
    expect(await net.warnings()).toMatchObject(
      ['out', 'in', 'within'].map(direction => ({ code: 'forward-dropped', network: 'blue', family: 4, direction, by })),
    )
    expect((await net.warnings())[0]?.text).toBe(`packets out of blue are dropped by policy DROP of FORWARD in the table filter of ${tool}`)
    expect(await net.cure()).toEqual([])
    expect(await net.cure()).toEqual([])
    expect(await works()).toEqual(['192.0.2.1', '192.0.2.2', 1])
    const comment = `netloom ${net.id.slice(0, 12)}`
    for (const side of ['-i', '-o'])
      await run(host.name, tool, '-C', 'FORWARD', side, `br-${net.id.slice(0, 12)}`, '-m', 'comment', '--comment', comment, '-j', 'ACCEPT')

    await net.delete({ force: true })
    expect(await run(host.name, tool, '-S')).toBe(rules)
    await run(host.name, tool, '-P', 'FORWARD', 'ACCEPT')
    await host.namespace.links.delete('up0')
  },
)

test("Docker's networks are listed and inspected, and nothing changes them", async context => {
  await needs(context, ...dockerFeatures)
  await using machine = await Namespace.create(host.named('machine'), { loopback: true })
  await using docker = await startDocker(machine.path ?? '')
  await docker.command('network', 'create', '--subnet', '172.28.0.0/16', '--label', 'tier=back', 'theirs')
  const pid = await docker.start('web', '--network', 'theirs')
  const inspected = await docker.inspect<{ Id: string }>('network', 'inspect', 'theirs')
  await networks.create({ name: 'ours', subnet: '10.80.0.0/24', labels: { tier: 'back' } })

  await using shown = await Networks.open({ stateDir: folder, host: host.namespace })
  await expect(shown.adopt({ dockerSocket: join(folder, 'nobody') })).rejects.toMatchObject({ code: 'ENOENT', operation: 'ask Docker' })
  const adopted = await shown.adopt({ dockerSocket: docker.socket })
  expect(adopted.map(({ name, driver, origin }) => [name, driver, origin]).sort()).toEqual([
    ['bridge', 'bridge', 'docker'],
    ['host', 'host', 'docker'],
    ['none', 'null', 'docker'],
    ['theirs', 'bridge', 'docker'],
  ])
  const listed = async (filter: Parameters<Networks['list']>[0]) => (await shown.list(filter)).map(one => `${one.name} ${one.origin}`)
  expect(await listed({ label: 'tier=back' })).toEqual(['ours netloom', 'theirs docker'])
  expect(await listed({ type: 'custom', dangling: false })).toEqual(['theirs docker'])
  expect((await listed({ name: 'bridge' })).sort()).toEqual(['bridge docker', 'bridge netloom'])
  expect((await shown.get('bridge')).origin).toBe('netloom')
  await using theirs = await shown.get('theirs')
  expect(await theirs.inspect()).toEqual(inspected)
  expect((await shown.get(inspected.Id)).name).toBe('theirs')

  const refused = { code: 'EPERM', reason: "it is Docker's, and adopt() only shows it" }
  for (const call of [
    () => theirs.connect({ pid }),
    () => theirs.connectMany([{ pid }]),
    () => theirs.disconnect({ pid }),
    () => theirs.disconnectMany([{ pid }]),
    () => theirs.cure(),
    () => theirs.delete({ force: true }),
  ])
    await expect(call()).rejects.toMatchObject(refused)
  expect(await theirs.endpoints()).toEqual([])
  expect((await shown.prune()).deleted).toEqual(['ours'])
  expect(await docker.inspect('network', 'inspect', 'theirs')).toEqual(inspected)
})

test('pictures of a network show its bridge, its cables and its endpoints, and nothing else', async () => {
  const [a, b] = [await container('a'), await container('b')]
  const net = await networks.create({ name: 'blue', subnet: '10.80.0.0/24', bridge: 'blue0' })
  const beside = await networks.create({ name: 'green', subnet: '10.81.0.0/24' })
  const first = await net.connect(a, { name: 'web' })
  await net.connect(b)
  await beside.connect(a)
  const mermaid = await net.toMermaid()
  const dot = await net.toDot()
  for (const text of [mermaid, dot]) {
    for (const shown of ['blue0', 'web', host.named('b'), '10.80.0.1/24', '10.80.0.2/24', '10.80.0.3/24', first.hostInterface ?? 'none'])
      expect(text).toContain(shown)
    // Not within the name of a cable: veth1….
    for (const hidden of [/10\.81\.0/, /\beth1/, new RegExp(beside.id.slice(0, 12)), /127\.0\.0\.1/]) expect(text).not.toMatch(hidden)
  }
  const count = (text: string, part: string) => text.split(part).length - 1
  expect([count(mermaid, ' === '), count(mermaid, ' --- '), count(mermaid, 'subgraph')]).toEqual([2, 2, 3])
  expect([count(dot, '[style=bold]'), count(dot, ' -- '), count(dot, 'subgraph')]).toEqual([2, 4, 3])
})
