// A program that makes and closes one kind of thing over and over, and prints what it holds meanwhile: descriptors, threads, memory.
// Runs with --expose-gc on the built library; arguments: the kind, how many, how many at a time.

import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { Namespace } from '../../dist/index.js'
import { openConnection, rtm } from '../../dist/netlink.js'
import { link } from '../../dist/protocol/link.js'

const [kind = '', total = '10000', atOnce = '8'] = process.argv.slice(2)
const samples = 20

const here = await Namespace.create(undefined, { loopback: true })
const message = { type: rtm.getLink, codec: link, value: {}, context: { operation: 'list links' } }
const reply = { type: rtm.newLink, codec: link }
const listener =
  kind === 'connects'
    ? await here.listen(
        createTcpServer(socket => socket.end()),
        { port: 4000, host: '127.0.0.1' },
      )
    : undefined

const cycles = {
  namespaces: async () => (await Namespace.create()).delete(),
  /** With everything that comes into being on use. */
  'used namespaces': async () => {
    const namespace = await Namespace.create(undefined, { loopback: true })
    await Promise.all([
      namespace.links.list(),
      namespace.addresses.list(),
      namespace.routes.list(),
      namespace.sysctl.get('net.ipv4.ip_forward'),
    ])
    await namespace.close()
  },
  'named namespaces': async i => {
    const namespace = await Namespace.create(`cycle-${process.pid}-${i}`)
    const again = await Namespace.open({ name: namespace.name })
    await namespace.delete()
    await again.close()
  },
  connections: async () => {
    const connection = await openConnection(here)
    await connection.dump(message, reply)
    connection.close()
  },
  iterators: async () => {
    const connection = await openConnection(here)
    for await (const { index } of connection.iterate(message, reply)) if (index) break
    connection.close()
  },
  listens: async () => {
    const server = await here.listen(createServer(), { port: 0, host: '127.0.0.1' })
    server.close()
    await once(server, 'close')
  },
  udp: async () => {
    const socket = await here.udp({ type: 'udp4' })
    socket.close()
    await once(socket, 'close')
  },
  connects: async () => {
    const socket = await here.connect({ host: '127.0.0.1', port: 4000 })
    socket.resume().end()
    await once(socket, 'close')
  },
  watches: async () => {
    for await (const { type } of here.watch(['link', 'address'])) if (type === 'ready') break
  },
  'watches of all': async () => {
    const controller = new AbortController()
    const events = here.watch(['namespace', 'link'], { namespaces: 'all', signal: controller.signal })
    for (let event = await events.next(); event.value.type !== 'ready'; event = await events.next());
    const waiting = events.next()
    // Half are left while they wait, half aborted.
    if (Math.random() < 0.5) await events.return()
    else controller.abort()
    await waiting.catch(() => undefined)
  },
  pings: async () => {
    const { received } = await here.ping('127.0.0.1', { count: 1 })
    if (received !== 1) throw new Error('no answer')
  },
}

async function run(count, from) {
  let next = from
  const worker = async () => {
    while (next < from + count) await cycles[kind](next++)
  }
  await Promise.all(Array.from({ length: Number(atOnce) }, worker))
}

/** Not the instance of procfs that each of the addon's threads has once it has opened many settings. */
function isCounted(fd) {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) !== '/'
  } catch (error) {
    // readdir's own.
    if (error.code === 'ENOENT') return false
    throw error
  }
}

async function look() {
  for (let round = 0; round < 3; round++) {
    globalThis.gc()
    await setTimeout(1)
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  return {
    descriptors: readdirSync('/proc/self/fd').filter(isCounted).length,
    // Node's and V8's come and go by rules of their own.
    threads: readdirSync('/proc/self/task').filter(task => /^netloom/.test(readFileSync(`/proc/self/task/${task}/comm`, 'utf8'))).length,
    heap: heapUsed + external,
    rss,
  }
}

const each = Math.ceil(Number(total) / samples)
await run(each, 0)
const found = []
for (let sample = 1; sample <= samples; sample++) {
  await run(each, sample * each)
  found.push(await look())
}
listener?.close()
await here.close()
process.stdout.write(JSON.stringify(found))
