// 2,000 namespaces come and go before a reader that stalls, with the smallest receive buffer: it ends with the state that a fresh dump gives.
import { setTimeout } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { Namespace } from '../../lib/kernel/namespace.js'
import type { WatchEvent, WatchKind } from '../../lib/kernel/watch-events.js'
import { useHost } from '../helpers/host.js'
import { patience } from '../helpers/patience.js'
import { ip } from '../helpers/readers.js'
import { descriptors, namedNamespaces } from '../helpers/state.js'

const host = useHost()
/** How many: NETLOOM_MANY=200 for a quick look. */
const many = Number(process.env.NETLOOM_MANY ?? 2_000)
const atOnce = 16
const kinds = ['namespace', 'link', 'address'] as const

/** Everything that a reader knows, by identity. */
class World {
  readonly known = new Map<string, string>()
  resets = 0
  complete = false

  take(event: WatchEvent): void {
    if (event.type === 'ready') this.complete = true
    else if (event.type === 'reset') {
      this.known.clear()
      this.resets++
      this.complete = false
    } else {
      const { inode, name = '' } = event.namespace
      // Other test files make namespaces at the same time.
      if (!name.startsWith(host.named(''))) return
      const key = `${name} ${inode} ${event.type} ${identify(event)}`
      if (event.action === 'delete') this.known.delete(key)
      else this.known.set(key, contents(event))
    }
  }

  list(): string[] {
    return [...this.known].map(([key, value]) => `${key} ${value}`).sort()
  }
}

function identify(event: WatchEvent): string {
  if (event.type === 'link') return String(event.link.index)
  return event.type === 'address' ? `${event.address.link} ${event.address.cidr}` : ''
}

/** What must be as a dump tells it, not only that there is something. */
function contents(event: WatchEvent): string {
  if (event.type !== 'link') return ''
  const { name, mtu, up, carrier, peer } = event.link as typeof event.link & { carrier?: boolean; peer?: unknown }
  return JSON.stringify({ name, mtu, up, carrier, peer })
}

type Events = AsyncGenerator<WatchEvent>
const watchAll = (here: Namespace, options = {}) => here.watch(kinds as readonly WatchKind[], { namespaces: 'all', ...options }) as Events

async function until(events: Events, world: World, satisfied: (event: WatchEvent) => boolean): Promise<void> {
  for (;;) {
    const { value, done } = await events.next()
    if (done) throw new Error('the watch ended')
    world.take(value)
    if (satisfied(value)) return
  }
}

async function fresh(here: Namespace): Promise<string[]> {
  const world = new World()
  const events = watchAll(here)
  await until(events, world, ({ type }) => type === 'ready')
  await events.return(undefined)
  return world.list()
}

/** In groups, so that many are on their way but not all at once. */
async function forEach<T>(items: readonly T[], work: (item: T, index: number) => Promise<void>): Promise<void> {
  const rest = items.entries()
  const worker = async () => {
    for (const [index, item] of rest) await work(item, index)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

const numbers = Array.from({ length: many }, (_, i) => i)
const made = new Map<number, Namespace>()

/** In each, a loopback that is up; in some an address of its own and a cable to here. */
async function create(here: Namespace, i: number, cable = `c${i}`): Promise<void> {
  const namespace = await Namespace.create(host.named(`n${i}`), { loopback: true })
  made.set(i, namespace)
  if (i % 4 === 0) await here.links.create({ kind: 'veth', name: cable, up: true, peer: { namespace, name: 'eth0', up: true } })
  if (i % 10 === 0) await namespace.addresses.add('lo', `10.0.${i >> 8}.${i & 255}/32`)
}

async function remove(i: number): Promise<void> {
  await made.get(i)?.delete()
  made.delete(i)
}

/** They come, a third goes at once, half of those come again under the same names and with inodes of others, and some go. */
async function comeAndGo(here: Namespace, now: (i: number) => Promise<void> | void): Promise<void> {
  await forEach(numbers, async i => {
    await create(here, i)
    await now(i)
    if (i % 3 === 2) await remove(i)
  })
  await forEach(
    numbers.filter(i => i % 6 === 2),
    i => create(here, i, `d${i}`),
  )
  await forEach(
    numbers.filter(i => i % 6 === 0),
    i => remove(i),
  )
}

const isReady = ({ type }: WatchEvent) => type === 'ready'
const isMtu = (there: Namespace, mtu: number) => (event: WatchEvent) =>
  event.type === 'link' && event.namespace.inode === there.inode && event.link.name === 'lo' && event.link.mtu === mtu

/** Reads on until everything that has happened so far has been told as a change: a mark that is only read with the state does not count. */
async function catchUp(events: Events, world: World, last: Namespace): Promise<void> {
  for (let seen = false; !seen; ) {
    mtu++
    await last.links.update('lo', { mtu })
    await until(events, world, isMtu(last, mtu))
    seen = world.complete
    if (!seen) await until(events, world, isReady)
  }
}
let mtu = 1300

/** The kernel takes the devices of deleted namespaces away a little later, so both sides may have to look again. */
async function expectAsFresh(here: Namespace, events: Events, world: World, last: Namespace): Promise<void> {
  let expected = await fresh(here)
  for (let round = 0; round < 400 && JSON.stringify(world.list()) !== JSON.stringify(expected); round++) {
    await catchUp(events, world, last)
    expected = await fresh(here)
  }
  expect(world.list()).toEqual(expected)
  expect(world.known.size).toBeGreaterThan(many)
}

async function removeAll(): Promise<void> {
  await forEach([...made.keys()], remove)
  while ((await ip(host.name, 'link', 'show')).length > 1) await setTimeout(50)
}
// Also after a failure, so that another try finds nothing.
afterEach(removeAll, patience(120_000))

test.each([
  ['stalls, with the smallest buffer', true],
  ['keeps up, with the usual buffer', false],
])(`${many} namespaces come and go before a reader that %s`, { timeout: patience(300_000) }, async (_, stalls) => {
  await using here = await Namespace.open({ name: host.name })
  // Starts whatever comes into being with the first wait, which is not before nothing happens.
  const first = watchAll(here)
  await until(first, new World(), isReady)
  let next = first.next()
  while (await Promise.race([next, setTimeout(50)])) next = first.next()
  await first.return(undefined)
  // Ended, or given what happened just before.
  await next
  expect(await first.next()).toEqual({ done: true, value: undefined })
  const before = await descriptors()
  const world = new World()
  const events = watchAll(here, stalls ? { receiveBuffer: 1 } : {})
  await until(events, world, isReady)
  let last: Namespace | undefined
  const isLast = (event: WatchEvent) => event.type === 'namespace' && event.namespace.inode === last?.inode
  const reading = stalls ? undefined : until(events, world, isLast)
  await comeAndGo(here, async i => {
    // Now and then it gets one event further; a third of what it has heard of is gone by then.
    if (stalls && i % 50 === 0) world.take((await events.next()).value as WatchEvent)
  })
  last = await Namespace.create(host.named('last'))
  made.set(-1, last)
  await (reading ?? until(events, world, isReady))
  await catchUp(events, world, last)
  if (stalls) expect(world.resets).toBeGreaterThan(1)
  await expectAsFresh(here, events, world, last)
  await events.return(undefined)
  await removeAll()
  expect(await namedNamespaces(host.named(''))).toEqual([host.name])
  expect(await descriptors()).toEqual(before)
})
