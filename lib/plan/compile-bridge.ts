// Bridges that get many ports from the plan that makes them: which of those follow multicast groups only once the ports are in place.
// While a bridge does, the kernel goes through all its ports for each that comes up and starts their timers anew, which takes a sixth of all that
// a thousand namespaces with a veth take; turned on at the end, it goes through them once.
import { creates, endsOf, isFast } from './compile-link.js'
import { type Item, type LinkItemRef, type PlanData, verbsOf } from './items.js'

/** Turning it on takes one more request, and what it saves grows with the square. */
export const leastPorts = 64

/** By item. Only bridges in namespaces that are there, of whose multicast the caller says nothing. */
export function quietBridges(data: PlanData): ReadonlySet<number> {
  const ports = new Map<number, number>()
  const count = (master: unknown) => {
    if (isItem(master)) ports.set(master.item, (ports.get(master.item) ?? 0) + 1)
  }
  for (const item of data.items) {
    if (!creates(item)) continue
    count(item.spec.master)
    count(item.spec.peer?.master)
  }
  const quiet = new Set<number>()
  for (const [number, many] of ports) if (many >= leastPorts && saysNothing(data, data.items[number]!)) quiet.add(number)
  const changed = changing.some(verb => verbsOf(data).has(verb))
  if (quiet.size > 0 && changed)
    for (const item of data.items) for (const number of quiet) if (changes(item, number, data)) quiet.delete(number)
  return quiet
}

/** Verbs that may do something with a bridge that is there. */
const changing = ['links.update', 'links.move', 'links.delete'] as const

const isItem = (ref: unknown): ref is LinkItemRef => typeof ref === 'object' && ref !== null && 'item' in ref

function saysNothing(data: PlanData, item: Item): boolean {
  if (!creates(item) || item.spec.kind !== 'bridge' || 'make' in data.namespaces[item.in]!) return false
  const { options = {} } = item.spec as { readonly options?: object }
  return isFast(data, item) && !Object.keys(options).some(name => name.startsWith('multi'))
}

/** Whether an item does something with a bridge that its other options may depend on. */
function changes(item: Item, number: number, data: PlanData): boolean {
  if (item.verb !== 'links.update' && item.verb !== 'links.move' && item.verb !== 'links.delete') return false
  const { link } = item
  if (isItem(link)) return link.item === number
  const bridge = data.items[number]!
  if (bridge.in !== item.in || !creates(bridge)) return false
  const { name, altNames = [], index } = endsOf(bridge)[0]!.fields
  return [name, ...altNames, index].includes(link)
}
