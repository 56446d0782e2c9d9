// Arguments of wrong types, in every call that takes options, lists or namespaces: refused as what they are, by name, and nothing is done.
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { Namespace, NamespacePool, Plan, readTopology } from '../../lib/index.js'
import { useOpenHost } from '../helpers/links.js'
import { namedNamespaces, namespaceState } from '../helpers/state.js'

const host = useOpenHost()

/** As a caller without types may give them. */
type Anything = never
const nobody = Object.create(null) as object
const odd: Readonly<Record<string, unknown>> = {
  ...{ null: null, NaN: Number.NaN, number: 1.5, empty: '', text: 'text', symbol: Symbol('s'), bigint: 5n, function: () => 1, true: true },
  ...{ list: ['text'], object: { nonsense: 1 }, nobody: Object.assign(nobody, { nonsense: 1 }) },
}
const but = (...names: string[]) => Object.entries(odd).filter(([name]) => !names.includes(name))

const web = { family: 'inet', table: 'web' } as const
const addresses = { ...web, name: 's', type: 'ipv4_addr', flags: 'timeout' } as const
const connection = { protocol: 'udp', source: '10.0.0.1', sourcePort: 5000, destination: '10.0.0.2', destinationPort: 53 } as const
type Call = (value: Anything) => unknown
const calls: Readonly<Record<string, readonly [call: Call, refused: readonly (readonly [string, unknown])[]]>> = {
  'apply(options)': [options => new Plan().apply(options), but()],
  'apply({ onError })': [onError => new Plan().apply({ onError }), but()],
  'apply({ signal })': [signal => new Plan().apply({ signal }), but()],
  'apply({ onProgress })': [onProgress => new Plan().apply({ onProgress }), but('function')],
  'delete(options) of a result': [async options => (await new Plan().apply()).delete(options), but()],
  'delete({ drain }) of a result': [async drain => (await new Plan().apply()).delete({ drain }), but('true')],
  'namespace() of a result': [async planned => (await new Plan().apply()).namespace(planned), but('text', 'empty')],
  'createMany(names)': [names => Namespace.createMany(names), but('list')],
  'createMany([name])': [name => Namespace.createMany([name]), but('text')],
  'createMany([], options)': [options => Namespace.createMany([], options), but()],
  'deleteMany(sources)': [sources => Namespace.deleteMany(sources), but()],
  'deleteMany([source])': [source => Namespace.deleteMany([source]), but()],
  'deleteMany([], options)': [options => Namespace.deleteMany([], options), but()],
  'deleteMany([], { drain })': [drain => Namespace.deleteMany([], { drain }), but('true')],
  'links.createMany(specs)': [specs => host.namespace.links.createMany(specs), but()],
  'links.createMany([spec])': [spec => host.namespace.links.createMany([spec]), but()],
  'links.create({ kind })': [kind => host.namespace.links.create({ kind } as Anything), but()],
  'links.get()': [link => host.namespace.links.get(link), but('text')],
  'links.move(…, to)': [to => host.namespace.links.move('lo', to), but()],
  'links.list({ kind })': [kind => host.namespace.links.list({ kind }), but()],
  'addresses.list({ family })': [family => host.namespace.addresses.list({ family }), but()],
  'routes.list({ table })': [table => host.namespace.routes.list({ table }), but()],
  'routes.lookup()': [to => host.namespace.routes.lookup(to), but()],
  'nsid()': [other => host.namespace.nsid(other), but()],
  'ping(…, options)': [
    options => host.namespace.ping('127.0.0.1', options),
    [['list', []], ...but('object', 'nobody', 'function', 'list')],
  ],
  'exec(…, options)': [options => host.namespace.exec('true', [], options), but('object', 'nobody', 'function')],
  'spawn(…, { mounts })': [mounts => host.namespace.spawn('true', [], { mounts }), but('true')],
  'listen(…, options)': [options => host.namespace.listen(createServer(), options), but()],
  'listen({ port })': [port => host.namespace.listen(createServer(), { port }), but()],
  'listen({ backlog })': [backlog => host.namespace.listen(createServer(), { port: 0, backlog }), but()],
  'listen({ host })': [host_ => host.namespace.listen(createServer(), { port: 0, host: host_ }), but()],
  'connect(options)': [options => host.namespace.connect(options), but()],
  'udp(options)': [options => host.namespace.udp(options), but()],
  'udp({ type })': [type => host.namespace.udp({ type }), but()],
  'watch(…, options)': [options => host.namespace.watch(['link'], options), but()],
  'watch(…, { signal })': [signal => host.namespace.watch(['link'], { signal }), but()],
  'watch(…, { receiveBuffer })': [receiveBuffer => host.namespace.watch(['link'], { receiveBuffer }), but()],
  'watch([kind])': [kind => host.namespace.watch([kind]), but()],
  'Namespace.create(…, options)': [options => Namespace.create(undefined, options), but()],
  'Namespace.create(…, { loopback })': [loopback => Namespace.create(undefined, { loopback }), but('true')],
  'Namespace.open()': [source => Namespace.open(source), but()],
  'Namespace.open({ path })': [path => Namespace.open({ path }), but('text')],
  'Namespace.identify()': [whose => Namespace.identify(whose), but()],
  'Namespace.list({ processes })': [processes => Namespace.list({ processes }), but('true')],
  'new Plan(options)': [options => new Plan(options), but()],
  'new Plan({ ipv6 })': [ipv6 => new Plan({ ipv6 }), but()],
  'plan.in()': [namespace => new Plan().in(namespace), but()],
  'Plan.fromJSON()': [json => Plan.fromJSON(json), but()],
  'new NamespacePool(options)': [options => new NamespacePool(options), but()],
  'readTopology(namespaces)': [namespaces => readTopology(namespaces), but()],
  'nftables.transaction(build)': [build => host.namespace.nftables.transaction(build), but('function')],
  'nftables.rules.list(filter)': [filter => host.namespace.nftables.rules.list(filter), but()],
  'nftables.rules.add(rule)': [rule => host.namespace.nftables.rules.add(rule), but()],
  'nftables.rules.replace(rule)': [rule => host.namespace.nftables.rules.replace(rule), but()],
  'nftables.rules.replace({ handle })': [handle => host.namespace.nftables.rules.replace({ ...web, chain: 'c', expr: [], handle }), but()],
  'nftables.sets.list(filter)': [filter => host.namespace.nftables.sets.list(filter), but()],
  'nftables.sets.create({ type })': [type => host.namespace.nftables.sets.create({ ...web, name: 's', type }), but()],
  'nftables.sets.create({ type: [one] })': [type => host.namespace.nftables.sets.create({ ...web, name: 's', type: [type] }), but()],
  'nftables.sets.create({ elem: [one] })': [one => host.namespace.nftables.sets.create({ ...addresses, elem: [one] }), but()],
  'nftables.sets.create({ elem: [{ elem }] })': [elem => host.namespace.nftables.sets.create({ ...addresses, elem: [{ elem }] }), but()],
  'the timeout of an element': [
    timeout => host.namespace.nftables.sets.create({ ...addresses, elem: [{ elem: { val: '10.0.0.1', timeout } }] }),
    but('number'),
  ],
  'the comment of an element': [
    comment => host.namespace.nftables.sets.create({ ...addresses, elem: [{ elem: { val: '10.0.0.1', comment } }] }),
    but('text', 'empty'),
  ],
  'nftables.flowtables.create({ prio })': [
    prio => host.namespace.nftables.flowtables.create({ ...web, name: 'f', dev: 'lo', prio }),
    but('bigint'),
  ],
  'nftables.apply([{ table }])': [table => host.namespace.nftables.apply([{ table }]), but()],
  'conntrack.get()': [which => host.namespace.conntrack.get(which), but()],
  'conntrack.delete()': [which => host.namespace.conntrack.delete(which), but()],
  'conntrack.create()': [connection => host.namespace.conntrack.create(connection), but()],
  'conntrack.update(…, { status })': [status => host.namespace.conntrack.update(connection, { status }), but()],
  'conntrack.update(…, changes)': [changes => host.namespace.conntrack.update(connection, changes), but()],
}

/** What a call threw or rejected with. */
async function thrownBy(call: Call, value: unknown): Promise<unknown> {
  try {
    await call(value as Anything)
  } catch (error) {
    return error
  }
  return undefined
}

test.for(Object.entries(calls))('%s refuses what it cannot mean', async ([, [call, refused]]) => {
  for (const [name, value] of refused) {
    const error = await thrownBy(call, value)
    expect({ name, error }).toEqual({ name, error: expect.objectContaining({ code: expect.stringMatching(/^ERR_NETLOOM_/) }) })
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true)
    expect((error as Error).message.length).toBeLessThan(1000)
  }
})

test('a long text in the wrong place is not repeated whole', async () => {
  const long = 'x'.repeat(1_000_000)
  for (const call of [
    'links.get()',
    'links.create({ kind })',
    'routes.lookup()',
    'listen({ host })',
    'Namespace.open()',
    'apply({ onError })',
  ]) {
    const error = await thrownBy(calls[call]![0], long)
    expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_NETLOOM_/) })
    expect((error as Error).message.length).toBeLessThan(1000)
  }
})

test('where a namespace is left out by mistake, none is taken for granted', async () => {
  const { namespace } = host
  await namespace.links.create({ kind: 'veth', name: 'stay0', peer: { name: 'stay1' } })
  const before = await namespaceState(host.name)
  const nowhere = undefined as Anything
  await expect(namespace.links.move('stay0', nowhere)).rejects.toMatchObject({ code: 'ERR_NETLOOM_MISSING_OPTION', path: 'to' })
  await expect(namespace.nsid(nowhere)).rejects.toMatchObject({ code: 'ERR_NETLOOM_MISSING_OPTION', path: 'other' })
  expect(await namespaceState(host.name)).toEqual(before)
  await namespace.links.delete('stay0')
})

test('lists for many at once are looked through before the first is made or removed', async () => {
  const name = host.named('w')
  await Namespace.createMany([name])
  await expect(Namespace.deleteMany([{ name }, { nmae: name } as Anything])).rejects.toMatchObject({ path: 'sources[1]' })
  await expect(Namespace.createMany([`${name}2`, 5 as Anything])).rejects.toMatchObject({ path: 'names[1]' })
  expect(await namedNamespaces(name)).toEqual([name])
  await Namespace.deleteMany([{ name }])
})

test('a result knows the namespaces of its own plan only', async () => {
  const [plan, other] = [new Plan(), new Plan()]
  const [ours, theirs] = [plan.namespace(), other.namespace()]
  await using result = await plan.apply()
  expect(result.namespace(ours).inode).toBeGreaterThan(0)
  expect(() => result.namespace(theirs)).toThrow(expect.objectContaining({ code: 'ERR_NETLOOM_OTHER_PLAN', path: 'planned' }))
})

test('options that are misspelt are refused by name', async () => {
  const misspelt = { cuont: 1, procesess: true } as object
  for (const call of [() => host.namespace.ping('127.0.0.1', misspelt), () => Namespace.list(misspelt)])
    await expect(call()).rejects.toMatchObject({ code: 'ERR_NETLOOM_UNKNOWN_OPTION', path: 'cuont' })
})
