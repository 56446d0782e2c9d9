// Plans against the kernel: what they make is what the live verbs make, and deleting takes all of it back.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { expect, test } from 'vitest'
import { Namespace, Plan, type PlanProgress, type PlanResult } from '../../lib/index.js'
import { useOpenHost } from '../helpers/links.js'
import { address, everything, star } from '../helpers/plans.js'
import { bridge, ip, ping, run } from '../helpers/readers.js'
import { namedNamespaces, namespaceState } from '../helpers/state.js'

const host = useOpenHost()
const prefix = () => host.named('s')

const own = ['ifindex', 'link_index', 'link_netnsid', 'num_rx_queues', 'num_tx_queues']
/** Without what differs between two machines that are otherwise alike, and the order in which routes were made. */
const alike = ({ links, addresses, routes }: Awaited<ReturnType<typeof namespaceState>>) => {
  const text = (value: unknown) => JSON.stringify(value, (name, part) => (own.includes(name) || name.endsWith('_timer') ? undefined : part))
  return [links, addresses, routes].map(list => list.map(text).sort())
}

/** The same star, verb by verb. */
async function byHand(count: number): Promise<AsyncDisposable> {
  const { namespace } = host
  await namespace.links.create({ kind: 'bridge', name: 'star0', up: true, mac: '02:00:00:00:00:01', ipv6: 'static' })
  await namespace.addresses.add('star0', '10.77.0.1/16')
  const made: Namespace[] = []
  for (let i = 0; i < count; i++) {
    const inside = await Namespace.create(`${prefix()}${i}`, { loopback: true })
    made.push(inside)
    await inside.links.create({
      ...{ kind: 'veth', name: 'eth0', mac: `02:01:00:00:00:0${i}`, up: true, ipv6: 'static' },
      peer: { name: `p${i}`, mac: `02:02:00:00:00:0${i}`, namespace, master: 'star0', up: true, ipv6: 'static' },
    })
    await inside.addresses.add('eth0', address(i))
    await inside.routes.add({ to: 'default', via: '10.77.0.1' })
    await namespace.routes.add({ to: `10.78.0.${i}`, via: address(i).replace('/16', ''), link: 'star0' })
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const one of made) await one.delete()
      await namespace.links.delete('star0')
      await drained()
    },
  }
}
async function drained(): Promise<void> {
  while ((await host.namespace.links.list()).some(link => link.kind === 'veth')) await new Promise(resolve => setTimeout(resolve, 5))
}

test('a plan makes what the live verbs make', async () => {
  const states = async () => [
    alike(await namespaceState(host.name)),
    ...(await Promise.all([0, 1, 2].map(async i => alike(await namespaceState(`${prefix()}${i}`))))),
  ]
  const hand = await byHand(3)
  const wanted = await states()
  await hand[Symbol.asyncDispose]()
  const result = await star(host.namespace, 3, { prefix: prefix() }).apply()
  try {
    expect(await states()).toEqual(wanted)
    expect((await ping(`${prefix()}0`, '10.77.1.3')).received).toBe(1)
    expect(result.done).toBe(3 + 2 + 3 * 4)
    expect(result.failed).toEqual([])
    expect(result.namespace(`${prefix()}1`)).toMatchObject({ name: `${prefix()}1`, path: `/run/netns/${prefix()}1` })
    await using inside = await Namespace.open(result.namespace(`${prefix()}1`))
    expect((await inside.links.list()).map(link => [link.name, link.index])).toEqual([
      ['lo', 1],
      ['eth0', expect.any(Number)],
    ])
  } finally {
    await result.delete({ drain: true })
  }
})

test('deleting takes back all of it, twice is fine, and drain waits for the devices', async () => {
  const before = await everything(host.name)
  for (const drain of [true, false]) {
    const result = await star(host.namespace, 20, { prefix: prefix() }).apply()
    await result.delete({ drain })
    expect(await namedNamespaces(prefix())).toEqual([])
    if (!drain) await drained()
    expect(await everything(host.name)).toEqual(before)
    await result.delete()
  }
})

test('links between planned namespaces, in a ring', async () => {
  const plan = new Plan()
  const ring = [0, 1, 2, 3].map(i => plan.namespace(`${prefix()}${i}`))
  ring.forEach((one, i) => {
    const next = ring[(i + 1) % ring.length]!
    const right = one.links.create({ kind: 'veth', name: 'right', up: true, peer: { name: 'left', namespace: next, up: true } })
    one.addresses.add(right, `10.9.${i}.1/24`)
    next.addresses.add(right.peer, `10.9.${i}.2/24`)
  })
  const result = await plan.apply()
  try {
    for (const i of [0, 1, 2, 3]) expect((await ping(`${prefix()}${i}`, `10.9.${i}.2`)).received).toBe(1)
  } finally {
    await result.delete({ drain: true })
  }
})

test('a namespace without a name lives as long as the result', async () => {
  const before = await everything(host.name)
  const plan = new Plan()
  const inside = plan.namespace()
  inside.links.create({ kind: 'veth', name: 'eth0', up: true, peer: { name: 'anon0', namespace: plan.in(host.namespace), up: true } })
  const result = await plan.apply()
  expect((await host.namespace.links.get('anon0')).up).toBe(true)
  await result.delete({ drain: true })
  expect(await everything(host.name)).toEqual(before)
})

test('links of other kinds, moved and renamed ones, settings, rules and neighbours', async () => {
  const before = await everything(host.name)
  const plan = new Plan({ ipv6: 'none' })
  const here = plan.in(host.namespace)
  const inside = plan.namespace(`${prefix()}0`)
  const hub = here.links.create({ kind: 'bridge', name: 'mix0', up: true, options: { ageingTime: 77 } })
  here.addresses.add(hub, '10.5.0.1/24')
  const mac = inside.links.create({ kind: 'bridge', name: 'inner', up: true, alias: 'within', altNames: ['a-name-longer-than-fifteen'] })
  inside.addresses.add(mac, '10.6.0.1/24')
  inside.neighbours.add({ address: '10.6.0.9', mac: '02:00:00:00:00:09', link: mac })
  inside.sysctl.set('net.ipv4.ip_forward', 1)
  const pair = here.links.create({ kind: 'veth', name: 'mixa', peer: { name: 'mixb' } })
  here.links.move(pair.peer, inside, { name: 'moved' })
  inside.links.update('moved', { up: true, mtu: 1400 })
  inside.addresses.add('moved', '10.7.0.2/24')
  here.links.update(pair, { master: hub, up: true })
  here.sysctl.set('net.ipv4.ip_forward', 1)
  here.rules.add({ from: '10.5.0.0/24', table: 77, priority: 777 })
  const result = await plan.apply()
  try {
    expect(await ip(host.name, 'address', 'show', 'dev', 'mix0')).toMatchObject([{ addr_info: [{ local: '10.5.0.1' }] }])
    expect(await ip(`${prefix()}0`, 'link', 'show', 'dev', 'inner')).toMatchObject([
      { ifalias: 'within', altnames: ['a-name-longer-than-fifteen'] },
    ])
    expect(await ip(`${prefix()}0`, 'address', 'show', 'dev', 'moved')).toMatchObject([
      { mtu: 1400, addr_info: expect.arrayContaining([expect.objectContaining({ local: '10.7.0.2' })]) },
    ])
    expect(await ip(`${prefix()}0`, 'neighbour', 'show', 'dev', 'inner')).toMatchObject([{ dst: '10.6.0.9', lladdr: '02:00:00:00:00:09' }])
    expect(await bridge(host.name, 'link', 'show')).toMatchObject([{ ifname: 'mixa', master: 'mix0' }])
    expect(await run(host.name, 'ip', 'rule', 'show')).toContain('777:')
    expect(await run(host.name, 'sysctl', '-n', 'net.ipv4.ip_forward')).toBe('1\n')
  } finally {
    await result.delete({ drain: true })
  }
  expect(await everything(host.name)).toEqual(before)
})

test('what was there before and is changed by a plan is as it was afterwards', async () => {
  const { namespace } = host
  await namespace.links.create({ kind: 'bridge', name: 'old0', up: true, ipv6: 'static' })
  await namespace.addresses.add('old0', '10.3.0.1/24')
  await namespace.routes.add({ to: '10.4.0.0/16', via: '10.3.0.9', metric: 5 })
  await namespace.neighbours.add({ address: '10.3.0.7', mac: '02:00:00:00:00:07', link: 'old0' })
  const before = await everything(host.name)
  const plan = new Plan()
  const here = plan.in(namespace)
  here.routes.replace({ to: '10.4.0.0/16', via: '10.3.0.8', metric: 5 })
  here.neighbours.replace({ address: '10.3.0.7', mac: '02:00:00:00:00:17', link: 'old0' })
  here.addresses.add('old0', '10.3.0.2/24')
  here.links.update('old0', { mtu: 1300, alias: 'changed' })
  here.links.update('old0', { up: false })
  const result = await plan.apply()
  expect((await namespace.links.get('old0')).mtu).toBe(1300)
  await result.delete()
  expect(await everything(host.name)).toEqual(before)
  await namespace.links.delete('old0')
})

test('createMany, deleteMany and many links at once', async () => {
  const before = await everything(host.name)
  const names = Array.from({ length: 30 }, (_, i) => `${prefix()}${i}`)
  const result: PlanResult = await Namespace.createMany(names)
  expect(await namedNamespaces(prefix())).toEqual([...names].sort())
  await Namespace.deleteMany([...names.map(name => ({ name })), { name: `${prefix()}-none` }])
  expect(await namedNamespaces(prefix())).toEqual([])
  await result.delete()
  const links = await host.namespace.links.createMany(
    Array.from({ length: 30 }, (_, i) => ({ kind: 'veth' as const, name: `m${i}a`, peer: { name: `m${i}b` } })),
  )
  expect((await host.namespace.links.list()).filter(link => /^m\d+[ab]$/.test(link.name))).toHaveLength(60)
  await links.delete()
  expect(await everything(host.name)).toEqual(before)
})

test('progress is told now and then and ends complete; the event loop stays free', async () => {
  const told: PlanProgress[] = []
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const result = await star(host.namespace, 200, { prefix: prefix() }).apply({ onProgress: progress => told.push(progress) })
  delay.disable()
  try {
    expect(told.at(-1)).toMatchObject({ done: 200 + 2 + 200 * 4, total: 200 + 2 + 200 * 4 })
    expect(new Set(told.map(({ phase }) => phase))).toEqual(new Set(['prepare', 'namespaces', 'host']))
    expect(told.every(({ done }, i) => i === 0 || done >= told[i - 1]!.done)).toBe(true)
    expect(delay.percentile(50) / 1e6).toBeLessThan(50)
  } finally {
    await result.delete({ drain: true })
  }
})

test('a namespace without a name is entered by what the result says of it, until that is deleted', async () => {
  const before = await everything(host.name)
  const plan = new Plan()
  const inside = plan.namespace(undefined, { loopback: true })
  const cable = inside.links.create({ kind: 'veth', name: 'eth0', up: true, peer: { namespace: host.namespace, name: 'an0', up: true } })
  inside.addresses.add(cable, '10.81.0.1/24')
  const result = await plan.apply()
  const info = result.namespace(inside)
  expect(Object.keys(info)).toEqual(['device', 'inode'])
  {
    await using namespace = await Namespace.open(info)
    expect(String(namespace)).toBe(String(info))
    expect((await namespace.addresses.list({ link: 'eth0' })).map(({ cidr }) => cidr)).toEqual(['10.81.0.1/24'])
    await host.namespace.links.create({ kind: 'veth', name: 'an1', peer: { namespace: info, name: 'eth1' } })
    expect((await namespace.links.get('eth1')).kind).toBe('veth')
  }
  await result.delete({ drain: true })
  await expect(Namespace.open(info)).rejects.toMatchObject({ code: 'EBADF' })
  await drained()
  expect(await everything(host.name)).toEqual(before)
})

test('a delete that is aborted half-way says so, and another one finishes it, devices included', async () => {
  const before = await everything(host.name)
  const result = await star(host.namespace, 200, { prefix: prefix() }).apply()
  const stop = new AbortController()
  const onProgress = () => stop.abort(new Error('not now'))
  const error = await result.delete({ signal: stop.signal, onProgress }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: { message: 'not now' } })
  expect((error as { leftovers: string[] }).leftovers.length).toBeGreaterThan(0)
  await result.delete({ drain: true })
  expect(await everything(host.name)).toEqual(before)
})

test('links of the plan are its own by the names that it has given them since, too', async () => {
  const before = await everything(host.name)
  const plan = new Plan()
  const here = plan.in(host.namespace)
  here.links.create({ kind: 'veth', name: 'old0', peer: { name: 'old1' } })
  here.links.update('old0', { name: 'new0' })
  here.links.update('new0', { mtu: 1400 })
  here.links.create({ kind: 'veth', name: 'old0', peer: { name: 'old2' } })
  here.links.delete('new0')
  const [one, two] = [plan.namespace(`${prefix()}1`), plan.namespace(`${prefix()}2`)]
  const cable = one.links.create({ kind: 'veth', name: 'v0', peer: { name: 'v1' } })
  one.links.move(cable.peer, two, { name: 'w1' })
  two.links.update('w1', { name: 'w2', up: true })
  two.links.move('w2', one)
  one.links.update('w2', { alias: 'back' })
  const result = await plan.apply()
  expect((await host.namespace.links.list()).map(({ name }) => name).sort()).toEqual(['lo', 'old0', 'old2'])
  expect(await ip(`${prefix()}1`, 'link', 'show', 'dev', 'w2')).toMatchObject([{ ifalias: 'back' }])
  await result.delete({ drain: true })
  expect(await everything(host.name)).toEqual(before)
})

test('links of the plan are its own by their alternative names and their indexes, too', async () => {
  const before = await everything(host.name)
  const plan = new Plan()
  const here = plan.in(host.namespace)
  const long = (i: number) => `a-name-longer-than-fifteen-bytes-${i}`
  for (const i of [0, 1, 2])
    here.links.create({ kind: 'veth', name: `al${i}`, altNames: [long(i)], index: 7_000 + i, peer: { name: `am${i}` } })
  here.links.update(long(0), { mtu: 1400 })
  here.links.delete(long(0))
  here.links.delete(7_001)
  here.links.update('al2', { altNames: ['al-of-later'] })
  here.links.delete('al-of-later')
  const result = await plan.apply()
  expect((await host.namespace.links.list()).map(({ name }) => name)).toEqual(['lo'])
  await result.delete({ drain: true })
  expect(await everything(host.name)).toEqual(before)
})
