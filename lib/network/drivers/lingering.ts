// Interfaces on a parent that went with their namespaces: the kernel takes them away a moment after the last process is gone, and their addresses are taken until then.
import { setTimeout } from 'node:timers/promises'
import { NetloomError } from '../../socket/error.js'
import { settingsOf } from '../driver-options.js'
import type { EndpointRecord, NetworkRecord } from '../records.js'
import type { State } from '../state.js'

/** Milliseconds for which an address that nobody known has is waited for. */
const patience = 5_000

/** What the kernel gives to one interface on a parent alone: a macvlan's MAC address; the IP addresses of ipvlans, which have their parent's. */
const singular = ({ mac, addresses }: EndpointRecord): string[] => (mac === undefined ? addresses.map(({ address }) => address) : [mac])

/** Makes interfaces on a parent; once more as long as an address is taken and no endpoint has it. `make` must have taken back what it did. */
export async function despiteLingering(
  state: State,
  network: NetworkRecord,
  records: readonly EndpointRecord[],
  make: () => Promise<unknown>,
): Promise<void> {
  const until = performance.now() + patience
  for (let pause = 2; ; pause = Math.min(2 * pause, 50)) {
    try {
      await make()
      return
    } catch (error) {
      if (!(error instanceof NetloomError) || error.code !== 'EADDRINUSE') throw error
      const owner = await ownerOnParent(state, network, records)
      if (owner === undefined && performance.now() < until) {
        await setTimeout(pause)
        continue
      }
      const { parent } = settingsOf(network)
      const [only, ...more] = records.flatMap(singular)
      const foreign = `an interface on ${parent} that is no endpoint's has ${more.length > 0 ? 'one of the addresses' : only}`
      throw new NetloomError('EADDRINUSE', { operation: 'connect', subject: network.spec.name, reason: owner ?? foreign, cause: error })
    }
  }
}

/** Which endpoint on the same parent has which of the addresses, in words; undefined if none has any. */
async function ownerOnParent(state: State, network: NetworkRecord, records: readonly EndpointRecord[]): Promise<string | undefined> {
  const ours = new Set(records.map(({ id }) => id))
  const taken = new Set<string>()
  for (const address of records.flatMap(singular)) {
    if (taken.has(address)) return `two of these endpoints would have ${address}`
    taken.add(address)
  }
  const { parent } = settingsOf(network)
  for (const other of await state.networks()) {
    if (settingsOf(other).parent !== parent) continue
    for (const one of await state.endpoints(other.id)) {
      const shared = ours.has(one.id) ? undefined : singular(one).find(address => taken.has(address))
      if (shared !== undefined) return `endpoint ${one.name ?? one.namespace.name ?? one.id} of network ${other.spec.name} has ${shared}`
    }
  }
  return undefined
}
