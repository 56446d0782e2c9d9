// A program that is in the middle of everything: as a worker thread it goes on until it is ended, as a process it ends itself in the way that its argument names.

import { createRequire } from 'node:module'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'

const root = fileURLToPath(new URL('../..', import.meta.url))
const program = fileURLToPath(import.meta.url)
const addon = createRequire(import.meta.url)('node-gyp-build')(root)

/** RTM_GETLINK for one link, or for all. */
function getLinks(sequence, dump) {
  const view = new DataView(new ArrayBuffer(32))
  view.setUint32(0, 32, true)
  view.setUint16(4, 18, true)
  view.setUint16(6, dump ? 0x301 : 1, true)
  view.setUint32(8, sequence, true)
  view.setUint32(20, dump ? 0 : 1, true)
  return new Uint8Array(view.buffer)
}

function manyRequests(count) {
  const messages = new Uint8Array(32 * count)
  for (let sequence = 1; sequence <= count; sequence++) messages.set(getLinks(sequence, false), 32 * (sequence - 1))
  return messages
}

/** Every kind of work, to be begun as often as one likes. */
async function begin() {
  const namespace = await addon.createNamespace()
  const away = await addon.createNamespace()
  const [socket, other, third, listener] = await Promise.all([
    addon.openNetlink(namespace, 0),
    addon.openNetlink(namespace, 0),
    addon.openNetlink(namespace, 0),
    addon.openNetlink(namespace, 0, { groups: [1] }),
  ])
  const packets = await addon.openPacket(namespace, 2, 3, 1, [])
  void listener.receive()
  void packets.receive()
  return {
    exchange: () => socket.exchange(manyRequests(3_000)),
    dump: () => socket.exchange(getLinks(1, true)),
    short: () => other.exchange(manyRequests(500)),
    transmit: () => third.transmit(getLinks(1, false)),
    perform: () =>
      addon.perform(
        [
          [namespace, manyRequests(500)],
          [namespace, ['/proc/sys/net/ipv4/ip_default_ttl', '65']],
          [namespace, [away, new Uint8Array(36)]],
        ],
        '',
        0,
      ),
    removeEntries: () => addon.removeEntries(['/run/there-is-none', '/run/nor-this/'], ['of nobody', '']),
    removeNamespaces: () => addon.removeNamespaces(['/run/netns/there-is-none', '/run/netns/nor-this'], [1, 2], 1),
    createNamespace: () => addon.createNamespace(),
    createNamespaces: () =>
      addon.createNamespaces(3).then(made =>
        addon.perform(
          made.map(one => [one, manyRequests(2)]),
          '',
          0,
        ),
      ),
    readSysctl: () => addon.readSysctl(namespace, '/proc/sys/net/ipv4/ip_forward'),
    runInside: () => addon.runInside(namespace, () => addon.createNamespace()),
    openNamespace: () => addon.openNamespace('/proc/self/ns/net'),
    currentNamespace: () => {
      for (let count = 0; count < 20; count++) addon.currentNamespace().close()
    },
    openNetlink: () => addon.openNetlink(namespace, 0).then(netlink => netlink.close()),
    writeSysctl: () => addon.writeSysctl(namespace, '/proc/sys/net/ipv4/ip_default_ttl', '66'),
    readUnderneath: () => addon.readUnderneath('/proc/sys/net/core', ['somaxconn', 'there-is-none']),
    createTun: () =>
      addon
        .createNamespace()
        .then(fresh => addon.createTun(fresh, 'tap0', 0x1002, -1, -1))
        .catch(unlessEacces),
    openDescriptor: () => addon.openDescriptor(namespace, 2, 1, 0, []).then(descriptor => descriptor.close()),
    getSocketOption: () => addon.getSocketOption(namespace, 2, 1, 0, 1, 3, new Uint8Array(4)),
    setSocketOption: () => addon.setSocketOption(namespace, 2, 1, 0, 1, 2, Uint8Array.of(1, 0, 0, 0)),
    openPacket: () => addon.openPacket(namespace, 17, 3, 0, []).then(packet => packet.close()),
    ping: () => addon.openPacket(namespace, 2, 3, 1, []).then(packet => packet.close()),
    lockFile: () =>
      addon.lockFile(program).then(
        lock => lock.close(),
        error => {
          // EAGAIN: another of these has it.
          if (error.errno !== 11) throw error
        },
      ),
    refused: () => addon.openNamespace('/there-is-none').catch(() => undefined),
  }
}

/** An ordinary user has /dev/net/tun on most machines, and not on all. */
function unlessEacces(error) {
  if (error.errno !== 13) throw error
}

/** All of it, round after round, or one of it over and over: then the end comes in the middle of that. */
async function work() {
  const works = await begin()
  const round = workerData === undefined ? Object.values(works) : Array(20).fill(works[workerData])
  parentPort.postMessage('busy')
  for (;;) await Promise.all(round.map(work => work()))
}

const endings = {
  exit: () => process.exit(7),
  throw: () => {
    throw new Error('on purpose')
  },
  signal: () => process.kill(process.pid, 'SIGTERM'),
  kill: () => process.kill(process.pid, 'SIGKILL'),
}

async function endInTheMiddle(ending) {
  const works = await begin()
  void Promise.all(Object.values(works).map(work => work()))
  for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
  endings[ending]()
}

/** Nothing is under way at the end, but sockets are still open: the process ends by itself. */
async function finish() {
  const namespace = await addon.createNamespace()
  const socket = await addon.openNetlink(namespace, 0)
  await addon.openPacket(namespace, 2, 3, 1, [])
  const { data } = await socket.exchange(manyRequests(3_000))
  process.stdout.write(`${data.length > 0}\n`)
}

/** For a process whose threads may not return to where they came from. */
async function strand() {
  for (let round = 0; round < 20; round++) (await addon.createNamespace()).close()
  const made = await Promise.all(Array.from({ length: 20 }, () => addon.createNamespace()))
  const socket = await addon.openNetlink(addon.currentNamespace(), 0)
  const { done } = await socket.exchange(manyRequests(10))
  let refusal
  try {
    addon.runInside(made[0], () => undefined)
  } catch (error) {
    refusal = `${error.syscall} ${error.errno}`
  }
  // Each job takes a thread with it, and the rest is for another. What is told of it elsewhere takes none.
  const performed = await addon.perform(
    made.slice(0, 3).map(namespace => [namespace, [made[5], new Uint8Array(36)], manyRequests(1)]),
    '',
    0,
  )
  process.stdout.write(`${new Set(made.map(namespace => namespace.inode)).size} ${done} ${refusal} ${JSON.stringify(performed)}\n`)
}

if (!isMainThread) await work()
else if (process.argv[2] === 'finish') await finish()
else if (process.argv[2] === 'strand') await strand()
else await endInTheMiddle(process.argv[2])
