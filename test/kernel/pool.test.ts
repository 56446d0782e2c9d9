// Namespaces made ahead: handed out at once, made anew, connected if that is said, and gone with the pool unless somebody took them.
import { readdir, readlink } from 'node:fs/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { type Namespace, NamespacePool, type PlanNamespace } from '../../lib/index.js'
import { clear, useOpenHost } from '../helpers/links.js'
import { patience } from '../helpers/patience.js'
import { attempt, bridge, ip } from '../helpers/readers.js'
import { descriptors, namedNamespaces, threadNamespaces } from '../helpers/state.js'

const host = useOpenHost()
const full = (pool: NamespacePool, size: number) =>
  vi.waitFor(() => expect(pool.ready).toBe(size), { timeout: patience(20_000), interval: 2 })
const linksOfHost = async () => (await ip<{ ifname: string }>(host.name, 'link', 'show')).map(link => link.ifname)
// Whatever a test could not wait for.
afterEach(() => clear(host.namespace))
/** Without those of other files of tests, which run at the same time. */
const names = async () => (await namedNamespaces()).filter(name => !/^t\w+-/.test(name))
/** The kernel removes devices a little after the last descriptor of their namespace: one after the other, and others may have thousands. */
const goneFromHost = (pattern: RegExp) =>
  vi.waitFor(async () => expect((await linksOfHost()).filter(name => pattern.test(name))).toEqual([]), { timeout: patience(60_000) })

test('it fills up, hands out different ones at once, and makes them anew', async () => {
  const before = await names()
  await using pool = new NamespacePool({ size: 6, loopback: true })
  await full(pool, 6)
  const times: number[] = []
  const seen = new Set<string>()
  for (let i = 0; i < 30; i++) {
    await full(pool, 6)
    const start = performance.now()
    const namespace = await pool.take()
    times.push(performance.now() - start)
    expect(pool.ready).toBeLessThan(6)
    seen.add(String(namespace))
    if (i === 0) {
      expect(namespace.name).toBeUndefined()
      expect((await namespace.ping('127.0.0.1', { count: 1 })).received).toBe(1)
      expect(await ip(await pathTo(namespace), 'link', 'show', 'dev', 'lo')).toMatchObject([{ flags: expect.arrayContaining(['UP']) }])
    }
    await namespace.delete()
  }
  // An inode number is given again when its namespace is gone; those that were ready together were different ones.
  expect(seen.size).toBeGreaterThanOrEqual(6)
  expect(times.sort((a, b) => a - b)[15]).toBeLessThan(patience(1))
  expect(await names()).toEqual(before)
})

test('prepared ones are connected to a bridge of the host', async () => {
  const before = await linksOfHost()
  await host.namespace.links.create({ kind: 'bridge', name: 'pool0', up: true, ipv6: 'none' })
  await host.namespace.addresses.add('pool0', '10.60.0.1/16')
  {
    await using pool = new NamespacePool({
      size: 3,
      ipv6: 'none',
      prepare(plan, number) {
        const peer = { namespace: host.namespace, name: `pl${number}`, master: 'pool0', up: true } as const
        plan.links.create({ kind: 'veth', name: 'eth0', up: true, peer })
        plan.addresses.add('eth0', `10.60.1.${number}/16`)
        plan.routes.add({ to: 'default', via: '10.60.0.1' })
      },
    })
    await full(pool, 3)
    const first = await pool.take()
    await using second = await pool.take()
    await full(pool, 3)
    expect((await bridge<{ ifname: string }>(host.name, 'link', 'show')).map(({ ifname }) => ifname).sort()).toEqual(
      [0, 1, 2, 3, 4].map(number => `pl${number}`),
    )
    expect((await first.ping('10.60.0.1', { count: 1 })).received).toBe(1)
    const [{ address } = {}] = (await second.addresses.list({ link: 'eth0' })) ?? []
    expect((await first.ping(address!, { count: 1 })).received).toBe(1)
    // Two are made at a time: which of them is ready first, nobody knows.
    const ports = await Promise.all([first, second].map(namespace => namespace.links.peer('eth0')))
    expect(ports.map(port => port?.master?.name)).toEqual(['pool0', 'pool0'])
    const [gone, stays] = ports.map(port => port!.link.name)
    await first.delete()
    await goneFromHost(new RegExp(`^${gone}$`))
    expect(await linksOfHost()).toContain(stays)
  }
  await goneFromHost(/^pl\d/)
  await host.namespace.links.delete('pool0')
  expect(await linksOfHost()).toEqual(before)
})

test('more takers than it has: all are served, each with its own, in turn', async () => {
  const before = await descriptors()
  {
    await using pool = new NamespacePool({ size: 4 })
    const order: number[] = []
    const taken = await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const namespace = await pool.take()
        order.push(i)
        return namespace
      }),
    )
    expect(new Set(taken.map(String)).size).toBe(60)
    expect(order).toEqual([...order].sort((a, b) => a - b))
    await full(pool, 4)
    await Promise.all(taken.map(one => one.delete()))
  }
  expect(await descriptors()).toEqual(before)
  expect(await threadNamespaces()).toHaveLength(1)
})

test('what is taken outlives the pool and is the taker’s', async () => {
  const pool = new NamespacePool({ size: 2 })
  const namespace = await pool.take()
  await pool[Symbol.asyncDispose]()
  await namespace.links.create({ kind: 'bridge', name: 'mine' })
  expect((await namespace.links.list()).map(({ name }) => name)).toContain('mine')
  await namespace.delete()
  await expect(namespace.links.list()).rejects.toMatchObject({ code: 'EBADF' })
  await expect(pool.take()).rejects.toMatchObject({ code: 'EBADF', operation: 'take namespace', reason: 'the pool has been closed' })
  expect(pool.ready).toBe(0)
  await pool[Symbol.asyncDispose]()
})

test('disposed while it fills: those who wait are refused, and nothing is left', async () => {
  const before = await descriptors()
  let made = 0
  const prepare = (plan: PlanNamespace) => {
    // The devices of the round before may still be going.
    const peer = { namespace: host.namespace, name: `dp${made++}`, up: true }
    plan.links.create({ kind: 'veth', name: 'eth0', up: true, peer })
  }
  for (const pause of [0, 1, 3, 10, 30]) {
    const pool = new NamespacePool({ size: 30, prepare })
    const waiting = Promise.allSettled(Array.from({ length: 50 }, () => pool.take()))
    await new Promise(resolve => setTimeout(resolve, pause))
    await pool[Symbol.asyncDispose]()
    for (const one of await waiting) {
      if (one.status === 'fulfilled') await one.value.delete()
      else expect(one.reason).toMatchObject({ code: 'EBADF', operation: 'take namespace' })
    }
    expect(pool.ready).toBe(0)
  }
  await goneFromHost(/^dp\d/)
  expect(await descriptors()).toEqual(before)
})

test('a signal stops the waiting, and nobody’s namespace is lost by it', async () => {
  await using pool = new NamespacePool({ size: 1 })
  const stop = new AbortController()
  const waiting = Promise.allSettled(Array.from({ length: 20 }, () => pool.take({ signal: stop.signal })))
  const patient = pool.take()
  stop.abort(new Error('enough'))
  const outcomes = await waiting
  const refused = outcomes.filter(one => one.status === 'rejected')
  expect(refused.length).toBeGreaterThan(15)
  for (const { reason } of refused) expect(reason).toMatchObject({ name: 'AbortError', cause: { message: 'enough' } })
  await expect(pool.take({ signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' })
  for (const one of outcomes) if (one.status === 'fulfilled') await one.value.delete()
  await using namespace = await patient
  expect((await namespace.links.list()).length).toBeGreaterThan(0)
  await full(pool, 1)
})

test('a process ends although it has pools: full, failing, or being filled', async () => {
  const library = new URL('../../dist/index.js', import.meta.url).href
  const program = `
    import { NamespacePool } from '${library}'
    const full = new NamespacePool({ size: 2 })
    while (full.ready < 2) await new Promise(resolve => setTimeout(resolve, 1))
    const failing = new NamespacePool({ size: 2, prepare() { throw new Error('never') } })
    const message = await failing.take().catch(error => error.message)
    globalThis.kept = [full, failing, new NamespacePool({ size: 20 })]
    process.stdout.write(message)`
  const ended = await attempt(undefined, process.execPath, ['--input-type=module', '-e', program])
  expect(ended).toEqual({ code: 0, stdout: 'never', stderr: '' })
})

test('prepare that waits for something is refused, and what it comes to ends nothing', async () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  try {
    const prepare = async () => {
      throw new Error('too late')
    }
    await using pool = new NamespacePool({ size: 2, prepare })
    await expect(pool.take()).rejects.toMatchObject({ code: 'ERR_NETLOOM_INVALID_OPTION', path: 'prepare' })
    await new Promise(resolve => setTimeout(resolve, 10))
    expect(unhandled).toEqual([])
  } finally {
    process.off('unhandledRejection', note)
  }
})

/** A descriptor of this process that holds it. */
async function pathTo(namespace: Namespace): Promise<{ path: string }> {
  const folder = `/proc/${process.pid}/fd`
  for (const fd of await readdir(folder))
    if ((await readlink(`${folder}/${fd}`).catch(() => '')) === String(namespace)) return { path: `${folder}/${fd}` }
  throw new Error(`nothing holds ${namespace}`)
}
