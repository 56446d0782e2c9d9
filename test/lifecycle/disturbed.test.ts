// A watcher's consumer that throws, leaves early or aborts, and a namespace that is deleted while it is watched, listened in, dumped or pinged: a clear
// error or a clean end each, and nothing left over.
import { getEventListeners, once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { Namespace } from '../../lib/kernel/namespace.js'
import type { WatchEvent, WatchKind, WatchOptions } from '../../lib/kernel/watch-events.js'
import { useHost } from '../helpers/host.js'
import { attempt, run } from '../helpers/readers.js'
import { descriptors, namedNamespaces, threadNamespaces } from '../helpers/state.js'
import { ownMounts, settle } from './ending.js'

const host = useHost()
const gone: Namespace[] = []
afterEach(async () => {
  for (const namespace of gone.splice(0)) await namespace.delete()
})

async function make(suffix: string): Promise<Namespace> {
  const namespace = await Namespace.create(host.named(suffix), { loopback: true })
  gone.push(namespace)
  return namespace
}

type Events = AsyncGenerator<WatchEvent>
async function ready(events: Events): Promise<void> {
  for (;;) if ((await events.next()).value?.type === 'ready') return
}

async function state(): Promise<unknown> {
  return [await descriptors(), await threadNamespaces(), await ownMounts(host), await namedNamespaces(host.named(''))]
}

/** What comes into being on first use does so before; afterwards everything is as it was. */
async function leavesNothing(work: () => Promise<void>): Promise<void> {
  await work()
  const before = await state()
  for (let round = 0; round < 3; round++) await work()
  expect(await settle(state, before)).toEqual(before)
}

const watches: [name: string, kinds: readonly WatchKind[], options: WatchOptions][] = [
  ['one', ['link', 'route'], {}],
  ['all', ['link', 'namespace'], { namespaces: 'all' }],
]
const watch = (here: Namespace, kinds: readonly WatchKind[], options: WatchOptions) => here.watch(kinds, options) as Events

test.each(watches)(
  'a consumer of a watch (%s) throws, leaves early, before the first event too, or never begins',
  async (_, kinds, options) => {
    await leavesNothing(async () => {
      const here = await make('w')
      for (const last of ['reset', 'link', 'ready']) {
        for await (const { type } of watch(here, kinds, options)) if (type === last) break
        const throwing = async () => {
          for await (const { type } of watch(here, kinds, options)) if (type === last) throw new RangeError('of the consumer')
        }
        await expect(throwing()).rejects.toThrow('of the consumer')
      }
      const thrownInto = watch(here, kinds, options)
      await thrownInto.next()
      await expect(thrownInto.throw(new RangeError('into it'))).rejects.toThrow('into it')
      expect(await thrownInto.next()).toEqual({ done: true, value: undefined })
      const unread = watch(here, kinds, options)
      expect(await unread.return(undefined)).toEqual({ done: true, value: undefined })
      expect(await unread.next()).toEqual({ done: true, value: undefined })
      watch(here, kinds, options)
      await here.delete()
    })
  },
)

test.each(watches)('a watch (%s) that waits is left: what waits ends, however often it was asked', async (_, kinds, options) => {
  await leavesNothing(async () => {
    const here = await make('w')
    const events = watch(here, kinds, options)
    await ready(events)
    const waiting = [events.next(), events.next()]
    await setTimeout(5)
    await events.return(undefined)
    // Other test files' namespaces may have come in between, where all are watched.
    for (const end of await Promise.all(waiting)) if (kinds.includes('route')) expect(end).toEqual({ done: true, value: undefined })
    expect(await events.next()).toEqual({ done: true, value: undefined })
    // Left while it is still being opened.
    const opening = watch(here, kinds, options)
    const first = opening.next()
    await opening.return(undefined)
    expect((await first).done ?? false).toBe(false)
    expect(await opening.next()).toEqual({ done: true, value: undefined })
    await here.delete()
  })
})

test.each(watches)(
  'a watch (%s) is aborted: before, while it is read, while it waits, and while nobody asks',
  async (_, kinds, options) => {
    const aborted = { name: 'AbortError', code: 'ABORT_ERR', cause: 'enough' }
    await leavesNothing(async () => {
      const here = await make('w')
      await expect(watch(here, kinds, { ...options, signal: AbortSignal.abort('enough') }).next()).rejects.toMatchObject(aborted)
      for (const last of ['reset', 'link', 'ready']) {
        const controller = new AbortController()
        const reading = async () => {
          for await (const { type } of watch(here, kinds, { ...options, signal: controller.signal }))
            if (type === last) controller.abort('enough')
        }
        await expect(reading()).rejects.toMatchObject(aborted)
      }
      const controller = new AbortController()
      const open = async () => (await descriptors()).socket
      const before = await open()
      const events = watch(here, kinds, { ...options, signal: controller.signal })
      await ready(events)
      controller.abort('enough')
      // Nobody asks, and still the descriptors are free.
      expect(await settle(async () => Number(await open()) <= Number(before) + 3, true)).toBe(true)
      await expect(events.next()).rejects.toMatchObject(aborted)
      expect(await events.next()).toEqual({ done: true, value: undefined })
      await here.delete()
    })
  },
)

test('a namespace is deleted by others while it is watched: the watch of it goes on quietly, that of all tells it', async () => {
  await leavesNothing(async () => {
    const [here, there] = [await make('here'), await make('there')]
    const [own, all] = [watch(there, ['link', 'address'], {}), watch(here, ['namespace', 'link'], { namespaces: 'all' })]
    await ready(own)
    await ready(all)
    const quiet = own.next()
    await run(undefined, 'ip', 'netns', 'delete', host.named('there'))
    for (;;) {
      const { value } = await all.next()
      if (value?.type === 'namespace' && value.action === 'delete' && value.namespace.name === there.name) break
    }
    // It is held by the watcher's own namespace object, and so lives, and can be changed.
    await there.links.update('lo', { mtu: 1400 })
    expect((await quiet).value).toMatchObject({ type: 'link', link: { mtu: 1400 } })
    const waiting = own.next()
    await setTimeout(5)
    await there.delete()
    await expect(waiting).rejects.toMatchObject({ name: 'NetloomError', code: 'ECANCELED', operation: 'watch' })
    expect(await own.next()).toEqual({ done: true, value: undefined })
    await here.delete()
    // A watch of all ends with the namespace that it was asked of.
    const rest = async () => {
      while (!(await all.next()).done);
    }
    await expect(rest()).rejects.toMatchObject({ name: 'NetloomError', code: 'ECANCELED' })
  })
})

test('a namespace is deleted while servers and clients are in it: they go on, unreachable, until they are closed', async () => {
  await leavesNothing(async () => {
    const here = await make('served')
    const server = await here.listen(
      createServer(socket => socket.end('still here')),
      { host: '127.0.0.1', port: 0 },
    )
    const port = (server.address() as { port: number }).port
    const client = await here.connect({ host: '127.0.0.1', port })
    const udp = await here.udp({ type: 'udp4' })
    await here.delete()
    expect(String((await once(client, 'data'))[0])).toBe('still here')
    await expect(here.connect({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EBADF', operation: 'connect' })
    await expect(here.listen(createServer(), { port: 0 })).rejects.toMatchObject({ code: 'EBADF', operation: 'listen' })
    await expect(here.udp({ type: 'udp4' })).rejects.toMatchObject({ code: 'EBADF' })
    client.destroy()
    udp.close()
    server.close()
    await Promise.all([once(server, 'close'), once(udp, 'close')])
  })
})

test('a namespace is deleted while its lists are read: those under way end with ECANCELED or in full, later ones with EBADF', async () => {
  await leavesNothing(async () => {
    const here = await make('read')
    await run(here.name, 'sh', '-c', 'for i in $(seq 1 200); do echo "address add 10.3.0.$i/32 dev lo"; done | ip -batch -')
    const addresses = here.addresses.iterate()
    await addresses.next()
    const lists = Array.from({ length: 20 }, () => here.addresses.list())
    const single = Array.from({ length: 20 }, () => here.links.get('lo'))
    await setTimeout(1)
    await here.delete()
    for (const outcome of await Promise.allSettled<unknown>([...lists, ...single]))
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ name: 'NetloomError', code: 'ECANCELED' })
    // What had been fetched before is given; then it ends, one way or the other.
    const rest = await (async () => {
      for await (const { link } of addresses) if (!link) return 'nothing'
      return 'all'
    })().catch(error => error.code)
    expect(['all', 'ECANCELED']).toContain(rest)
    await expect(here.addresses.list()).rejects.toMatchObject({ code: 'EBADF' })
  })
})

test('a namespace is deleted while something in it is pinged: the ping ends as it would have', async () => {
  await leavesNothing(async () => {
    const here = await make('pinged')
    const pinging = here.ping('127.0.0.1', { count: 5, interval: 0.01 })
    await setTimeout(10)
    await here.delete()
    const outcome = await pinging.catch(error => error)
    expect([5, 'EBADF', 'ECANCELED']).toContain(outcome.received ?? outcome.code)
    await expect(here.ping('127.0.0.1')).rejects.toMatchObject({ code: 'EBADF', operation: 'ping' })
  })
})

test('while a program runs inside, the namespace lives on without its name, and ends with the program', async () => {
  await leavesNothing(async () => {
    const here = await make('run')
    const child = here.spawn('sleep', ['60'])
    await once(child, 'spawn')
    await here.delete()
    expect((await attempt(undefined, 'ip', ['netns', 'pids', host.named('run')])).code).not.toBe(0)
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
})

test('many wait for one signal: it is no leak to Node, all are told, and it is let go of', async () => {
  const here = await make('signal')
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  const controller = new AbortController()
  const { signal } = controller
  const listeners = () => getEventListeners(signal, 'abort').length
  await Promise.all(Array.from({ length: 30 }, () => here.links.list({ signal })))
  expect(listeners()).toBe(0)
  const events = Array.from({ length: 30 }, () => here.watch(['link'], { signal }))
  await Promise.all(events.map(ready))
  const works = [
    ...events.map(each => each.next()),
    ...Array.from({ length: 20 }, () => here.ping('127.0.0.1', { count: 9, interval: 9, signal })),
  ]
  const outcomes = Promise.allSettled<unknown>(works)
  await setTimeout(20)
  expect(listeners()).toBe(1)
  controller.abort()
  for (const outcome of await outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'AbortError' } })
  expect(listeners()).toBe(0)
  process.off('warning', note)
  expect(warnings).toEqual([])
})
