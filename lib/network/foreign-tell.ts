// Telling of firewalls of others without being asked: a warning of the process, once for what drops, however many networks it meets.
import { legacyTableNames } from '../kernel/iptables/legacy.js'
import type { Namespace } from '../kernel/namespace.js'
import { scoped } from '../kernel/scope.js'
import { cureText, foreignWarnings, meaning, placeText } from './foreign.js'
import { othersChains } from './foreign-nft.js'
import { keyOf } from './namespaces.js'
import type { NetworkRecord } from './records.js'

const told = new Set<string>()

/** Looks at the rules as they are, if there are any of others, and warns of what has not been told yet. */
export async function tellForeign(host: Namespace, network: NetworkRecord): Promise<void> {
  if (!network.device || !(await hasOthers(host))) return
  const warnings = await foreignWarnings(host, network)
  for (const place of new Set(warnings.map(({ by }) => placeText(by)))) {
    const cause = `${keyOf(host)} ${place}`
    if (told.has(cause)) continue
    told.add(cause)
    const directions = warnings.filter(({ by }) => placeText(by) === place).map(({ direction }) => meaning[direction])
    const what = `packets ${[...new Set(directions)].join(', ')} of ${network.spec.name}`
    const text = `${what} are dropped by ${place}: ${cureText(network.device.name)}, would let them through`
    process.emitWarning(text, { type: 'NetloomWarning', code: 'NETLOOM_FORWARD_DROPPED' })
  }
}

/** Two short questions, so that a machine without such firewalls pays for no more. */
async function hasOthers(host: Namespace): Promise<boolean> {
  if ((await othersChains(host)).length > 0) return true
  for (const family of [4, 6] as const) if ((await legacyTableNames(host[scoped], family))?.length) return true
  return false
}
