// A program that closes nothing: it opens what its argument names, drops it, and prints what the collector left of it and what it was told.
// Runs with --expose-gc on the built library.

import { readdirSync, readlinkSync } from 'node:fs'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { Namespace, NamespacePool } from '../../dist/index.js'
import { openConnection, rtm } from '../../dist/netlink.js'
import { link } from '../../dist/protocol/link.js'

const [what = '', name = ''] = process.argv.slice(2)
const times = 20
const warnings = []
process.on('warning', ({ code, message, stack }) => warnings.push({ code, message, stack }))

/** Held by the whole program, so that a watch can be forgotten while its namespace is not. */
const here = await Namespace.create()
const listLinks = { type: rtm.getLink, codec: link, value: {}, context: { operation: 'list links' } }
const linkReply = { type: rtm.newLink, codec: link }

const openings = {
  anonymous: async () => void (await (await Namespace.create()).links.list()),
  named: async i => void (await (await Namespace.create(`${name}${i}`)).links.get('lo')),
  opened: async () => void (await (await Namespace.open({ name })).addresses.list()),
  /** Only its verbs are kept, for a moment: they work as long as somebody has them. */
  verbs: async () => {
    const { links } = await Namespace.create()
    await collect()
    if ((await links.get('lo')).name !== 'lo') throw new Error('no lo')
  },
  /** The answers arrive although nobody holds what was asked. */
  asked: async () => {
    const asked = Array.from({ length: 5 }, async () => (await Namespace.create()).links.get('lo'))
    await collect()
    for (const { name } of await Promise.all(asked)) if (name !== 'lo') throw new Error('no lo')
  },
  current: async () => void (await Namespace.current().links.list()),
  connection: async () => void (await (await openConnection(here)).dump(listLinks, linkReply)),
  iterator: async () => void (await (await openConnection(here)).iterate(listLinks, linkReply).next()),
  watch: async () => void (await here.watch(['link']).next()),
  'watch all': async () => void (await ready(here.watch(['link', 'namespace'], { namespaces: 'all' }))),
  'watch names': async () => void (await ready(here.watch(['namespace']))),
  'watch with signal': async () => void (await ready(here.watch(['link', 'route'], { signal: controller.signal }))),
  /** A next() that nobody waits for any more. */
  'watch that waits': async () => {
    const events = here.watch(['link'])
    await ready(events)
    await Promise.race([events.next(), setTimeout(1)])
  },
  'watch all that waits': async () => {
    const events = here.watch(['link'], { namespaces: 'all' })
    await ready(events)
    await Promise.race([events.next(), setTimeout(1)])
  },
  pool: async () => {
    const pool = new NamespacePool({ size: 2 })
    await (await pool.take()).delete()
    while (pool.ready < 2) await setTimeout(1)
  },
  /** Its next try is far away. */
  'pool that fails': async () => {
    const prepare = plan => plan.routes.add({ to: '10.0.0.0/8', via: '10.99.0.1' })
    const pool = new NamespacePool({ size: 2, prepare })
    for (let i = 0; i < 2; i++) if ((await pool.take().catch(error => error)).code !== 'ENETUNREACH') throw new Error('it did not fail')
  },
  /** Never begun: there is nothing to close. */
  'watch unread': async () => void here.watch(['link']),
  /** A loop that waits is not forgotten, though nothing but the kernel holds it. */
  'watch in a loop': async () => {
    let waits
    const waiting = new Promise(resolve => {
      waits = resolve
    })
    const loop = (async () => {
      for await (const event of here.watch(['link'], { namespaces: 'all' })) {
        if (event.type === 'ready') waits()
        if (event.type === 'link' && event.link.mtu === 1400) break
      }
    })()
    await waiting
    await collect()
    await here.links.update('lo', { mtu: 1400 })
    await loop
    await here.links.update('lo', { mtu: 1500 })
  },
}
const controller = new AbortController()

async function ready(events) {
  for (;;) if ((await events.next()).value.type === 'ready') return
}

async function collect() {
  for (let round = 0; round < 8; round++) {
    globalThis.gc()
    await setTimeout(2)
  }
}

function descriptors() {
  const targets = readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`).replace(/:\[\d+\]$/, '')]
    } catch (error) {
      // That of the reading itself.
      if (error.code === 'ENOENT') return []
      throw error
    }
  })
  return targets.sort()
}

/** What is open once nothing is under way: a pool that the collector has not had yet may be at another try. */
async function settled() {
  for (let before; ; ) {
    await collect()
    const now = descriptors()
    if (String(now) === String(before)) return now
    before = now
    await setTimeout(60)
  }
}

async function open(count, from = 0) {
  for (let i = from; i < from + count; i++) await openings[what](i)
}

await here.links.list()
const first = here.watch(['link', 'namespace'], { namespaces: 'all' })
await ready(first)
await first.return()
await open(2)
const before = await settled()
await open(times, 2)
const held = descriptors().length - before.length
const left = await settled()
process.stdout.write(JSON.stringify({ held, left: left.length - before.length, warnings }))
await here.close()
