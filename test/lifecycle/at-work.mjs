// A program that does all that the library can, at once: as a worker thread it goes on until it is ended, as a process it ends itself in the middle of
// what its argument names. On the built library; busy.mjs does the same with the addon alone.

import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { createServer } from 'node:net'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { Namespace, Plan } from '../../dist/index.js'
import { address, openConnection, rtm } from '../../dist/netlink.js'

const exitCode = 7
const here = await Namespace.create(undefined, { loopback: true })
/** A namespace that others can see into: what this one leaves there when it goes, they find. */
const common = workerData?.common ? await Namespace.open({ name: workerData.common }) : here

/** A long list that goes quickly with its namespace, as links do not. */
async function manyAddresses() {
  const connection = await openConnection(here)
  const { index } = await here.links.get('lo')
  const create = Array.from({ length: 3_000 }, (_, i) => ({
    type: rtm.newAddr,
    flags: 0x600,
    codec: address,
    value: { family: 'inet', prefixlen: 32, index, local: `10.2.${i >> 8}.${i & 255}` },
    context: { operation: 'add address' },
  }))
  const outcomes = await connection.batch(create)
  connection.close()
  const refused = outcomes.find(({ error }) => error)
  if (refused) throw refused.error
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
    await common.links.create({ kind: 'veth', name, up: true, peer: { namespace: here, name: `${name}-`, up: true } })
    await here.addresses.add(`${name}-`, '10.1.1.1/24')
    await here.links.delete(`${name}-`)
  },
  requests: async () => void (await Promise.all(Array.from({ length: 50 }, () => here.links.get('lo')))),
  dumps: async () => void (await Promise.all([here.links.list(), here.addresses.list(), here.routes.list({ table: 'all' })])),
  iterators: async () => {
    let count = 0
    for await (const { cidr } of here.addresses.iterate()) if (cidr && ++count > 200) break
  },
  watches: async () => {
    for await (const { type } of here.watch(['link', 'route'])) if (type === 'ready') break
    const events = here.watch(['link', 'namespace'], { namespaces: 'all' })
    for (let event = await events.next(); event.value.type !== 'ready'; event = await events.next());
    await Promise.race([events.next(), setTimeout(5)])
    await events.return()
  },
  pings: async () => void (await here.ping('127.0.0.1', { count: 3, interval: 0.01 })),
  sysctls: async () => {
    await here.sysctl.set('net.ipv4.ip_default_ttl', 65)
    await here.sysctl.get('net.ipv4.ip_forward')
  },
  plans: async () => {
    const plan = new Plan({ ipv6: 'none' })
    const inside = plan.namespace(undefined, { loopback: true })
    const name = `p${Math.random().toString(36).slice(2, 10)}`
    const cable = plan.in(here).links.create({ kind: 'veth', name, peer: { namespace: inside, name: 'eth0', up: true } })
    inside.addresses.add(cable.peer, '10.1.2.1/24')
    const result = await plan.apply()
    await result.delete()
  },
  rules: async () => {
    const table = { family: 'inet', name: `t${Math.random().toString(36).slice(2, 10)}` }
    await here.nftables.transaction(t => t.tables.create(table))
    await here.nftables.transaction(t => t.tables.delete(table))
  },
  taps: async () => {
    const namespace = await Namespace.create()
    await namespace.links.create({ kind: 'tun', name: 'tap0', options: { type: 'tap' } })
    await namespace.delete()
  },
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
// An ordinary user has this device on most machines, and not on all.
try {
  accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
} catch {
  delete works.taps
}

/** Stay open until the end, whose business they are: Node adopts a bare number, and in that moment a thread must not be ended. */
async function openSockets() {
  const server = await here.listen(createServer(), { host: '127.0.0.1', port: 0 })
  const clients = [1, 2, 3].map(() => here.connect({ host: '127.0.0.1', port: server.address().port }))
  globalThis.kept = await Promise.all([server, here.udp({ type: 'udp6' }), ...clients])
}

/** Each in a circle of its own. */
async function work() {
  if (workerData.sockets) await openSockets()
  const circle = async work => {
    for (;;) await work()
  }
  parentPort.postMessage('busy')
  await Promise.all(Object.entries(works).map(([name, work]) => (name === 'sockets' ? undefined : circle(work))))
}

/** What is under way when the process ends; nobody waits for it. */
const middles = {
  request: async () => void Promise.all(Array.from({ length: 2_000 }, () => here.links.get('lo'))),
  dump: async () => {
    await manyAddresses()
    void Promise.all(Array.from({ length: 5 }, () => here.addresses.list()))
  },
  'iterated dump': async () => {
    await manyAddresses()
    globalThis.kept = here.addresses.iterate()
    for (let taken = 0; taken < 1_000; taken++) await globalThis.kept.next()
    void globalThis.kept.next()
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
    await manyAddresses()
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
