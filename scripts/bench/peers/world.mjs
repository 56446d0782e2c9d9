// What is there to be read: thousands of veth pairs, a million routes, made as fast as the kernel takes them.
import { performance } from 'node:perf_hooks'
import process from 'node:process'
import { link, openConnection, requestFlags, route, rtm } from '../../../dist/netlink.js'

/** Messages per call of the connection; the addon cuts them into windows. */
const atOnce = 2_000
const made = requestFlags.create | requestFlags.exclusive

async function make(count, message) {
  const connection = await openConnection({ pid: process.pid })
  const start = performance.now()
  for (let from = 0; from < count; from += atOnce) {
    const requests = Array.from({ length: Math.min(atOnce, count - from) }, (_, i) => message(from + i))
    const failed = (await connection.batch(requests)).find(({ error }) => error)
    if (failed) throw failed.error
  }
  connection.close()
  return performance.now() - start
}

/** Pairs a0-b0, a1-b1 …; two links each. Gives the milliseconds that it took. */
export function makeLinks(pairs) {
  // Queues cost the kernel time and say nothing here.
  const queues = { numTxQueues: 1, numRxQueues: 1 }
  return make(pairs, i => ({
    type: rtm.newLink,
    flags: made,
    codec: link,
    value: { ifname: `a${i}`, ...queues, linkinfo: { kind: 'veth', data: { peer: { ifname: `b${i}`, ...queues } } } },
    context: { operation: 'make link' },
  }))
}

/** 20.0.0.0/32, 20.0.0.1/32 … in the table main, through loopback. Gives the milliseconds that it took. */
export function makeRoutes(count) {
  const header = { family: 'inet', dstLen: 32, headerTable: 254, protocol: 'static', scope: 'link', type: 'unicast' }
  return make(count, i => ({
    type: rtm.newRoute,
    flags: made,
    codec: route,
    value: { ...header, dst: `${20 + (i >>> 24)}.${(i >>> 16) & 255}.${(i >>> 8) & 255}.${i & 255}`, oif: 1 },
    context: { operation: 'make route' },
  }))
}
