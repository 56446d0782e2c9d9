// A link works once the kernel has taken note of its carrier. It does so on a thread of its own, for 200 links of all namespaces at a time and for the rest up to
// a second later; until then it drops what is sent over the link. Whoever asks about a single link makes it take note of that one at once (kernel ≥ 6.8).
import { setTimeout } from 'node:timers/promises'
import { pick } from '../codec/table.js'
import { type Scope, skipProtocolStatistics } from '../kernel/scope.js'
import { link as linkTable } from '../protocol/link.js'
import { rtm } from '../protocol/rtnetlink.js'

/** Milliseconds: what the kernel takes for more than a thousand links. */
const patience = 15_000
const mostPause = 50
const reply = { type: rtm.newLink, codec: pick(linkTable, ['carrier', 'operstate']) }

/**
 * Waits until the kernel has taken note of the carrier of links, in this order: ports before their bridge, which has its own from them. One that has no carrier,
 * because it or its other end has been set down, or that is gone, is not waited for.
 */
export async function untilCarrier(scope: Scope, names: readonly string[]): Promise<void> {
  const connection = await scope.connection()
  const context = { operation: 'get link', namespace: scope.label }
  const requests = names.map(ifname => ({
    ...{ type: rtm.getLink, codec: linkTable, value: { ifname, extMask: skipProtocolStatistics }, context },
  }))
  const end = performance.now() + patience
  for (let pause = 2; ; pause = Math.min(2 * pause, mostPause)) {
    const answers = await connection.batch(requests, { reply })
    const isWaiting = answers.some(({ error, objects }) => {
      if (error && error.code !== 'ENODEV') throw error
      return objects.some(({ carrier, operstate }) => carrier && operstate !== 'up')
    })
    if (!isWaiting || performance.now() > end) return
    await setTimeout(pause)
  }
}
