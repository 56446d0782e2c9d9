// A link works once the kernel has taken note of its carrier. It does so on a thread of its own, for 200 links of all namespaces at a time and for the rest up to
// a second later; until then it drops what is sent over the link. Whoever asks about a single link makes it take note of that one at once (kernel ≥ 6.8).
import { setTimeout } from 'node:timers/promises'
import { pick } from '../codec/table.js'
import { type Scope, skipProtocolStatistics } from '../kernel/scope.js'
import { link as linkTable } from '../protocol/link.js'
import { rtm } from '../protocol/rtnetlink.js'
import { NetloomError } from '../socket/error.js'

/** Milliseconds: longer than the kernel waits between two looks. */
const patience = 1_500
const reply = { type: rtm.newLink, codec: pick(linkTable, ['ifname', 'operstate']) }

/**
 * Waits until links that have been set up work, in this order: ports before their bridge, which has its carrier from them. One that has been set down or has gone
 * meanwhile is not waited for, and none for long.
 */
export async function untilCarrier(scope: Scope, names: readonly string[]): Promise<void> {
  const connection = await scope.connection()
  const context = { operation: 'get link', namespace: scope.label }
  let waiting = names
  for (const end = performance.now() + patience; ; await setTimeout(2)) {
    const requests = waiting.map(ifname => ({
      ...{ type: rtm.getLink, codec: linkTable, value: { ifname, extMask: skipProtocolStatistics }, context },
    }))
    const answers = await connection.batch(requests, { reply })
    waiting = answers.flatMap(({ error, objects }) => {
      if (error && !isGone(error)) throw error
      return objects.filter(({ flags, operstate }) => flags.up && operstate !== 'up').map(({ ifname = '' }) => ifname)
    })
    if (waiting.length === 0 || performance.now() > end) return
  }
}

const isGone = (error: unknown): boolean => error instanceof NetloomError && error.code === 'ENODEV'
