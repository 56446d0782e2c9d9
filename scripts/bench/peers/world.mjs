// What is there to be read: thousands of veth pairs, a million routes, made as fast as the kernel takes them.
// The suite makes its own with it too, so the library comes as an argument: `netloom/netlink`, compiled or not.
import { performance } from 'node:perf_hooks'

/** Messages per call of the connection; the addon cuts them into windows. */
const atOnce = 2_000

async function make(netlink, namespace, count, message) {
  const connection = await netlink.openConnection(namespace)
  const flags = netlink.requestFlags.create | netlink.requestFlags.exclusive
  const start = performance.now()
  for (let from = 0; from < count; from += atOnce) {
    const requests = Array.from({ length: Math.min(atOnce, count - from) }, (_, i) => ({ flags, ...message(from + i) }))
    const failed = (await connection.batch(requests)).find(({ error }) => error)
    if (failed) throw failed.error
  }
  connection.close()
  return performance.now() - start
}

/** Pairs a0-b0, a1-b1 …; two links each. Gives the milliseconds that it took. */
export function makeLinks(netlink, namespace, pairs) {
  // Queues cost the kernel time and say nothing here.
  const queues = { numTxQueues: 1, numRxQueues: 1 }
  return make(netlink, namespace, pairs, i => ({
    type: netlink.rtm.newLink,
    codec: netlink.link,
    value: { ifname: `a${i}`, ...queues, linkinfo: { kind: 'veth', data: { peer: { ifname: `b${i}`, ...queues } } } },
    context: { operation: 'make link' },
  }))
}

/** 20.0.0.0/32, 20.0.0.1/32 … in the table main, through loopback. Gives the milliseconds that it took. */
export function makeRoutes(netlink, namespace, count) {
  const header = { family: 'inet', dstLen: 32, headerTable: 254, protocol: 'static', scope: 'link', type: 'unicast' }
  return make(netlink, namespace, count, i => ({
    type: netlink.rtm.newRoute,
    codec: netlink.route,
    value: { ...header, dst: `${20 + (i >>> 24)}.${(i >>> 16) & 255}.${(i >>> 8) & 255}.${i & 255}`, oif: 1 },
    context: { operation: 'make route' },
  }))
}
