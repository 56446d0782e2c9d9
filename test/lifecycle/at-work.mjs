// A program that does all that the library can, at once: as a worker thread it goes on until it is ended, as a process it ends itself in the middle of
// what its argument names. On the built library; busy.mjs does the same with the addon alone.

import { once } from 'node:events'
import { createServer } from 'node:net'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { Namespace } from '../../dist/index.js'
import { openConnection, rtm } from '../../dist/netlink.js'
import { link } from '../../dist/protocol/link.js'

const exitCode = 7
const here = await Namespace.create(undefined, { loopback: true })
/** A namespace that others can see into: what this one leaves there when it goes, they find. */
const common = workerData?.common ? await Namespace.open({ name: workerData.common }) : here

const listLinks = { type: rtm.getLink, codec: link, value: {}, context: { operation: 'list links' } }
const linkReply = { type: rtm.newLink, codec: link }

async function manyLinks() {
  const connection = await openConnection(here)
  const create = Array.from({ length: 400 }, (_, i) => ({
    type: rtm.newLink,
    flags: 0x600,
    codec: link,
    value: { ifname: `br${i}`, linkinfo: { kind: 'bridge' } },
    context: { operation: 'create link' },
  }))
  await connection.batch(create)
  return connection
}

const works = {
  namespaces: async () => {
    const made = await Promise.all(Array.from({ length: 4 }, () => Namespace.create()))
    await Promise.all(made.map(namespace => namespace.delete()))
  },
  named: async () => {
    if (!workerData?.names) return
    const namespace = await Namespace.create(`${workerData.names}-${Math.random().toString(36).slice(2, 10)}`)
    await namespace.delete()
  },
  cables: async () => {
    const name = `w${Math.random().toString(36).slice(2, 10)}`
    await common.links.create({ kind: 'veth', name, up: true, peer: { namespace: here, name, up: true } })
    await here.addresses.add(name, '10.1.1.1/24')
    await here.links.delete(name)
  },
  requests: async () => void (await Promise.all(Array.from({ length: 50 }, () => here.links.get('lo')))),
  dumps: async () => void (await Promise.all([here.links.list(), here.addresses.list(), here.routes.list({ table: 'all' })])),
  iterators: async () => {
    const connection = await openConnection(here)
    for await (const { index } of connection.iterate(listLinks, linkReply)) if (index > 200) break
    connection.close()
  },
  watches: async () => {
    for await (const { type } of here.watch(['link', 'route'])) if (type === 'ready') break
    const events = here.watch(['link', 'namespace'], { namespaces: 'all' })
    for (let event = await events.next(); event.value.type !== 'ready'; event = await events.next());
    await Promise.race([events.next(), setTimeout(5)])
    await events.return()
  },
  pings: async () => void (await here.ping('127.0.0.1', { count: 3, interval: 0.01 })),
  sysctls: async () => void (await here.sysctl.get('net.ipv4.ip_forward')),
  sockets: async () => {
    const server = await here.listen(
      createServer(socket => socket.end()),
      { host: '127.0.0.1', port: 0 },
    )
    const socket = await here.connect({ host: '127.0.0.1', port: server.address().port })
    await once(socket.resume(), 'close')
    server.close()
  },
  processes: async () => void (await here.exec('true')),
}

/** Each in a circle of its own. */
async function work() {
  const circle = async work => {
    for (;;) await work()
  }
  parentPort.postMessage('busy')
  const chosen = workerData?.only ?? Object.keys(works)
  await Promise.all(chosen.map(name => circle(works[name])))
}

/** What is under way when the process ends; nobody waits for it. */
const middles = {
  request: async () => void Promise.all(Array.from({ length: 2_000 }, () => here.links.get('lo'))),
  dump: async () => {
    await manyLinks()
    void Promise.all(Array.from({ length: 5 }, () => here.links.list()))
  },
  'iterated dump': async () => {
    const iterator = (await manyLinks()).iterate(listLinks, linkReply)
    await iterator.next()
    void iterator.next()
  },
  watch: async () => {
    const events = here.watch(['link'])
    for (let event = await events.next(); event.value.type !== 'ready'; event = await events.next());
    void events.next()
  },
  'watch of all': async () => {
    const events = here.watch(['link'], { namespaces: 'all' })
    for (let event = await events.next(); event.value.type !== 'ready'; event = await events.next());
    void events.next()
  },
  ping: async () => {
    void here.ping('127.0.0.1', { count: 1_000, interval: 0.01 })
    await setTimeout(30)
  },
  creation: async () => void Promise.all(Array.from({ length: 50 }, () => Namespace.create())),
  everything: async () => {
    await manyLinks()
    for (const work of Object.values(works)) void work()
  },
}

/** Ways for a process to come to its end with everything still open. */
const idle = {
  /** Events that nobody asks for: they keep nothing alive. */
  'unread watches': async () => {
    for (const events of [here.watch(['link']), here.watch(['namespace', 'link'], { namespaces: 'all' })]) {
      for (let event = await events.next(); event.value.type !== 'ready'; event = await events.next());
      globalThis.kept = [...(globalThis.kept ?? []), events]
    }
  },
  'answers under way': async () => {
    void here.links.list().then(links => process.stdout.write(String(links.length)))
  },
}

const what = process.argv[2]
if (!isMainThread) await work()
else if (what in idle) await idle[what]()
else {
  await middles[what]()
  for (let turn = Math.floor(Math.random() * 10); turn > 0; turn--) await new Promise(resolve => setImmediate(resolve))
  process.exit(exitCode)
}
