// watch(): present state first, then every change; nothing is lost in the end, however slow the reader.
import { setTimeout } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { Namespace } from '../../lib/kernel/namespace.js'
import type { WatchEvent, WatchKind } from '../../lib/kernel/watch-events.js'
import { useHost } from '../helpers/host.js'
import { patience } from '../helpers/patience.js'
import { ip, run } from '../helpers/readers.js'
import { descriptors } from '../helpers/state.js'

const host = useHost()
const opened: Namespace[] = []
const open = async (name = host.name) => {
  const namespace = await Namespace.open({ name })
  opened.push(namespace)
  return namespace
}
afterEach(async () => {
  for (const namespace of opened.splice(0)) await namespace.close()
})

/** Everything that a consumer knows, by identity. */
class World {
  readonly known = new Map<string, unknown>()
  resets = 0
  complete = false
  take(event: WatchEvent): void {
    if (event.type === 'reset') {
      this.known.clear()
      this.resets++
      this.complete = false
    }
    if (event.type === 'ready') this.complete = true
    if (event.type === 'reset' || event.type === 'ready') return
    // Other test files make namespaces at the same time.
    if (!event.namespace.name?.startsWith(host.named(''))) return
    const object = event[event.type as 'namespace'] as unknown as Record<string, unknown>
    const key = `${event.namespace.name} ${event.type} ${identity(event.type, object)}`
    if (event.action === 'set') this.known.set(key, object)
    else this.known.delete(key)
  }
}
function identity(kind: WatchKind, object: Record<string, unknown>): string {
  const fields: Record<WatchKind, string[]> = {
    link: ['index'],
    address: ['link', 'cidr', 'peer'],
    neighbour: ['link', 'address'],
    route: ['family', 'table', 'to', 'via', 'link', 'metric', 'type', 'src'],
    namespace: ['inode'],
  }
  return JSON.stringify(fields[kind].map(field => object[field]))
}

/** Takes events until one satisfies; the world then holds the state at that moment. */
async function until(events: AsyncGenerator<WatchEvent>, world: World, satisfied: (event: WatchEvent) => boolean): Promise<WatchEvent> {
  for (;;) {
    const { value, done } = await events.next()
    if (done) throw new Error('the watch ended')
    world.take(value)
    if (satisfied(value)) return value
  }
}
const ready = (event: WatchEvent) => event.type === 'ready'

/** The state as a watch that begins now tells it. */
async function fresh(namespace: Namespace, kinds: readonly WatchKind[], options: { namespaces?: 'all' } = {}): Promise<string[]> {
  const world = new World()
  const events = namespace.watch(kinds, options) as AsyncGenerator<WatchEvent>
  await until(events, world, ready)
  await events.return(undefined)
  return [...world.known.keys()].sort()
}

test('the present state comes first, between reset and ready', async () => {
  const here = await open()
  await run(host.name, 'ip', 'address', 'add', '10.9.0.1/24', 'dev', 'lo')
  const seen: WatchEvent[] = []
  for await (const event of here.watch(['link', 'address', 'route'])) {
    seen.push(event)
    if (event.type === 'ready') break
  }
  expect(seen[0]).toEqual({ type: 'reset' })
  const links = seen.flatMap(event => (event.type === 'link' ? [event.link.name] : []))
  expect(links).toEqual((await ip<{ ifname: string }>(host.name, 'link', 'show')).map(link => link.ifname))
  const addresses = seen.flatMap(event => (event.type === 'address' ? [event.address.cidr] : []))
  expect(addresses).toContain('10.9.0.1/24')
  await run(host.name, 'ip', 'address', 'delete', '10.9.0.1/24', 'dev', 'lo')
})

test('links, addresses, neighbours and routes that others make, change and remove are told', async () => {
  const here = await open()
  const world = new World()
  const kinds = ['link', 'address', 'route', 'neighbour'] as const
  const events = here.watch(kinds) as AsyncGenerator<WatchEvent>
  await until(events, world, ready)
  await run(host.name, 'ip', 'link', 'add', 'wa', 'type', 'veth', 'peer', 'name', 'wb')
  await run(host.name, 'ip', 'link', 'set', 'wa', 'up')
  await run(host.name, 'ip', 'link', 'set', 'wb', 'up', 'alias', 'the other')
  await run(host.name, 'ip', 'address', 'add', '10.8.0.1/24', 'dev', 'wa')
  await run(host.name, 'ip', 'route', 'add', '10.80.0.0/16', 'via', '10.8.0.2')
  await run(host.name, 'ip', 'neighbour', 'add', '10.8.0.2', 'lladdr', '02:00:00:00:00:02', 'dev', 'wa')
  await until(events, world, event => event.type === 'neighbour' && event.neighbour.address === '10.8.0.2')
  const told = [...world.known.values()].map(object => object as Record<string, unknown>)
  expect(told).toContainEqual(expect.objectContaining({ name: 'wb', up: true, alias: 'the other' }))
  expect(told).toContainEqual(expect.objectContaining({ cidr: '10.8.0.1/24' }))
  expect(told).toContainEqual(expect.objectContaining({ to: '10.80.0.0/16', via: '10.8.0.2' }))

  // IPv4 routes go without a word of their own when their device goes down, and when it goes altogether.
  await run(host.name, 'ip', 'link', 'set', 'wa', 'down')
  const lost = await until(events, world, event => event.type === 'route' && event.action === 'delete' && event.route.to === '10.80.0.0/16')
  expect(lost).toMatchObject({ action: 'delete', route: { via: '10.8.0.2' } })
  await run(host.name, 'ip', 'link', 'delete', 'wa')
  await until(events, world, event => event.type === 'link' && event.action === 'delete' && event.link.name === 'wa')
  await run(host.name, 'ip', 'link', 'set', 'lo', 'mtu', '60000')
  await until(events, world, event => event.type === 'link' && event.link.name === 'lo' && event.link.mtu === 60000)
  expect([...world.known.keys()].sort()).toEqual(await fresh(here, kinds))
  await events.return(undefined)
  await run(host.name, 'ip', 'link', 'set', 'lo', 'mtu', '65536')
})

test('routes for different sources are different routes', async () => {
  const here = await open()
  const world = new World()
  const events = here.watch(['route']) as AsyncGenerator<WatchEvent>
  await run(host.name, 'ip', 'link', 'add', 'wf', 'type', 'veth', 'peer', 'name', 'wg')
  for (const link of ['wf', 'wg']) await run(host.name, 'ip', 'link', 'set', link, 'up')
  await run(host.name, 'ip', 'address', 'add', 'fd00:f::1/64', 'dev', 'wf', 'nodad')
  const sources = ['fd00:f:1::/64', 'fd00:f:2::/64']
  for (const source of sources) await run(host.name, 'ip', '-6', 'route', 'add', 'default', 'from', source, 'via', 'fd00:f::9')
  await until(events, world, ready)
  await run(host.name, 'ip', 'link', 'delete', 'wf')
  const gone: (string | undefined)[] = []
  while (gone.length < 2)
    await until(events, world, event => {
      if (event.type !== 'route' || event.action !== 'delete' || event.route.to !== 'default') return false
      gone.push(event.route.from)
      return true
    })
  expect(gone.sort()).toEqual(sources)
  await events.return(undefined)
})

test('a route that is replaced is told as gone', async () => {
  const here = await open()
  const world = new World()
  const events = here.watch(['route']) as AsyncGenerator<WatchEvent>
  await until(events, world, ready)
  await run(host.name, 'ip', 'link', 'add', 'wr', 'type', 'veth', 'peer', 'name', 'ws')
  for (const link of ['wr', 'ws']) await run(host.name, 'ip', 'link', 'set', link, 'up')
  await run(host.name, 'ip', 'address', 'add', '10.7.0.1/24', 'dev', 'wr')
  await run(host.name, 'ip', 'route', 'add', '10.70.0.0/16', 'via', '10.7.0.2')
  await run(host.name, 'ip', 'route', 'replace', '10.70.0.0/16', 'via', '10.7.0.3')
  await until(events, world, event => event.type === 'route' && event.action === 'delete' && event.route.via === '10.7.0.2')
  expect([...world.known.keys()].filter(key => key.includes('10.70.0.0/16'))).toHaveLength(1)
  await events.return(undefined)
  await run(host.name, 'ip', 'link', 'delete', 'wr')
})

test('a reader that falls behind is told of it, and then the whole state anew', async () => {
  const here = await open()
  const world = new World()
  const events = here.watch(['link', 'address'], { receiveBuffer: 1 }) as AsyncGenerator<WatchEvent>
  await until(events, world, ready)
  // Stalled: nothing is read while this happens.
  for (let i = 0; i < 60; i++) await run(host.name, 'ip', 'link', 'add', `x${i}`, 'type', 'veth', 'peer', 'name', `y${i}`)
  await until(events, world, event => event.type === 'reset')
  expect(world.resets).toBe(2)
  await until(events, world, ready)
  expect([...world.known.keys()].sort()).toEqual(await fresh(here, ['link', 'address']))
  expect(world.known.size).toBeGreaterThan(120)
  await events.return(undefined)
  for (let i = 0; i < 60; i++) await run(host.name, 'ip', 'link', 'delete', `x${i}`)
})

test('all namespaces: they come and go with what is in them', async () => {
  const here = await open()
  const [one, two] = [host.named('one'), host.named('two')]
  const world = new World()
  const kinds = ['namespace', 'link', 'address'] as const
  const events = here.watch(kinds, { namespaces: 'all' }) as AsyncGenerator<WatchEvent>
  await run(undefined, 'ip', 'netns', 'add', one)
  await until(events, world, ready)
  expect([...world.known.keys()].some(key => key.startsWith(`${one} link`))).toBe(true)
  await run(undefined, 'ip', 'netns', 'add', two)
  await until(events, world, event => event.type === 'link' && event.namespace.name === two)
  await run(two, 'ip', 'address', 'add', '10.6.0.1/24', 'dev', 'lo')
  await until(events, world, event => event.type === 'address' && event.namespace.name === two && event.address.cidr === '10.6.0.1/24')
  await run(undefined, 'ip', 'netns', 'delete', two)
  await until(events, world, event => event.type === 'namespace' && event.action === 'delete' && event.namespace.name === two)
  expect([...world.known.keys()].filter(key => key.startsWith(two))).toEqual([])
  // The same name again, most likely with the same inode.
  await run(undefined, 'ip', 'netns', 'delete', one)
  await run(undefined, 'ip', 'netns', 'add', one)
  await run(one, 'ip', 'link', 'set', 'lo', 'mtu', '1400')
  await until(events, world, event => event.type === 'link' && event.namespace.name === one && event.link.mtu === 1400)
  expect([...world.known.keys()].sort()).toEqual(await fresh(here, kinds, { namespaces: 'all' }))
  await events.return(undefined)
  await run(undefined, 'ip', 'netns', 'delete', one)
})

test('200 namespaces come and go before a stalled reader with the smallest buffer; it ends with the state that is', {
  timeout: patience(120_000),
}, async () => {
  const here = await open()
  const world = new World()
  const kinds = ['namespace', 'link', 'address'] as const
  const events = here.watch(kinds, { namespaces: 'all', receiveBuffer: 1 }) as AsyncGenerator<WatchEvent>
  await until(events, world, ready)
  const made: Namespace[] = []
  for (let i = 0; i < 200; i++) {
    const namespace = await Namespace.create(host.named(`n${i}`), { loopback: true })
    made.push(namespace)
    if (i % 3 === 0) await here.links.create({ kind: 'veth', name: `c${i}`, up: true, peer: { namespace, name: 'eth0', up: true } })
    // Now and then the reader gets a little further.
    if (i % 10 === 0) world.take((await events.next()).value as WatchEvent)
  }
  for (const [i, namespace] of made.entries()) if (i % 2 === 0) await namespace.delete()
  const last = await Namespace.create(host.named('last'))
  await until(events, world, event => event.type === 'namespace' && event.namespace.name === host.named('last'))
  // The kernel takes devices of deleted namespaces away a little later.
  const expected = async () => JSON.stringify(await fresh(here, kinds, { namespaces: 'all' }))
  for (let settled = false; !settled; ) {
    const before = await expected()
    const timeout = AbortSignal.timeout(300)
    const more = here.watch(['link'], { signal: timeout })
    try {
      let counting = 0
      for await (const event of more)
        if (event.type === 'ready') counting = 1
        else if (counting) counting++
    } catch (error) {
      expect(error).toMatchObject({ name: 'AbortError' })
    }
    settled = before === (await expected())
  }
  // A mark that comes after everything else, and counts when it comes as a change, not while the state is being read.
  for (let mtu = 1300, seen = false; !seen; mtu++) {
    await last.links.update('lo', { mtu })
    await until(events, world, event => event.type === 'link' && event.namespace.name === host.named('last') && event.link.mtu === mtu)
    seen = world.complete
    if (!seen) await until(events, world, ready)
  }
  expect([...world.known.keys()].sort()).toEqual(await fresh(here, kinds, { namespaces: 'all' }))
  await events.return(undefined)
  for (const namespace of [...made, last]) await namespace.delete()
  // The kernel removes the devices of a namespace after its name.
  while ((await ip(host.name, 'link', 'show')).length > 1) await setTimeout(20)
})

test('an aborted watch ends with AbortError, a closed namespace with ECANCELED, a loop that is left quietly; no descriptor stays', async () => {
  const here = await open()
  await fresh(here, ['link'])
  const before = await descriptors()
  const controller = new AbortController()
  const aborted = (async () => {
    for await (const event of here.watch(['link'], { signal: controller.signal }))
      if (event.type === 'ready') controller.abort(new Error('enough'))
  })()
  await expect(aborted).rejects.toMatchObject({ name: 'AbortError', cause: expect.objectContaining({ message: 'enough' }) })
  await expect(
    (async () => {
      for await (const event of here.watch(['link'])) if (event.type === 'ready') throw new Error('from the consumer')
    })(),
  ).rejects.toThrow('from the consumer')
  expect(await descriptors()).toEqual(before)
  const other = await Namespace.open({ name: host.name })
  await expect(
    (async () => {
      for await (const event of other.watch(['link'])) if (event.type === 'ready') await other.close()
    })(),
  ).rejects.toMatchObject({ code: 'ECANCELED' })
  const closed = { code: 'EBADF', operation: 'use namespace', subject: host.name, hint: expect.stringContaining('Namespace.open') }
  await expect(other.watch(['link']).next()).rejects.toMatchObject(closed)
  await expect(other.watch(['link'], { namespaces: 'all' }).next()).rejects.toMatchObject(closed)
  expect(await descriptors()).toEqual(before)
})

test('what cannot be watched is refused before anything is opened', async () => {
  const here = await open()
  expect(() => here.watch([])).toThrow(expect.objectContaining({ code: 'ERR_NETLOOM_INVALID_OPTION', path: 'kinds' }))
  expect(() => here.watch(['links' as 'link'])).toThrow(expect.objectContaining({ path: 'kinds[0]' }))
  expect(() => here.watch(['link'], { namespaces: 'some' as 'all' })).toThrow(expect.objectContaining({ path: 'namespaces' }))
  expect(() => here.watch(['link'], { namespace: 'all' } as object)).toThrow(expect.objectContaining({ path: 'namespace' }))
})
