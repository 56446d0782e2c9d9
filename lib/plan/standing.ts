// Links of a plan that go with none of its namespaces: until the plan is complete they carry its group, given in the message that makes them.
import { type CreateItem, creates, endsOf } from './compile-link.js'
import { type Item, type PlanData, type PlanLinkRef, verbsOf } from './items.js'
import type { Pace } from './pace.js'

/** By item: the groups that its ends are to have in the end. */
export type Standing = ReadonlyMap<number, [group: number, peerGroup: number]>

export async function standingLinks(data: PlanData, pace: Pace): Promise<Standing> {
  const isPlanned = (number: number) => 'make' in data.namespaces[number]!
  const standing = new Map<number, [number, number]>()
  const leaving = new Set<PlanLinkRef>()
  const verbs = verbsOf(data)
  if (verbs.has('links.move'))
    for (const item of data.items) {
      if (item.verb !== 'links.move' || isPlanned(item.to.number)) continue
      leaving.add(typeof item.link === 'object' ? `item ${item.link.item}` : item.link)
    }
  for (let number = 0; number < data.items.length; number++) {
    if (pace.isDue) await pace.rest()
    const item = data.items[number]!
    if (!creates(item)) continue
    const ends = endsOf(item)
    const leaves =
      leaving.size > 0 &&
      (leaving.has(`item ${number}`) ||
        ends.some(({ fields: { name, altNames = [] } }) => [name, ...altNames].some(one => one && leaving.has(one))))
    if (!leaves && ends.some(end => isPlanned(end.in))) continue
    standing.set(number, [ends[0]?.fields.group ?? 0, ends[1]?.fields.group ?? 0])
  }
  if (standing.size && verbs.has('links.update'))
    for (const item of data.items) if (regroups(item)) regroup(data, standing, item, item.change.group)
  return standing
}

/** The plan, in which they are made with that group, and nothing else gives them another. */
export function withGroup(data: PlanData, standing: Standing, group: number): PlanData {
  if (standing.size === 0) return data
  const items = [...data.items]
  const patterns = data.patterns && [...data.patterns]
  const put = (number: number, item: Item) => {
    items[number] = item
    // One that has become another is like no more than itself.
    if (patterns) patterns[number] = -1 - number
  }
  for (const number of standing.keys()) put(number, made(items[number] as CreateItem, group))
  for (let number = 0; number < items.length && verbsOf(data).has('links.update'); number++) {
    const item = items[number]!
    if (!regroups(item) || !regroup(data, standing, item)) continue
    const { group: _, ...change } = item.change
    put(number, { ...item, change })
  }
  return { ...data, items, ...(patterns && { patterns }) }
}

function made(item: CreateItem, group: number): CreateItem {
  const { spec } = item
  const peer = spec.kind === 'veth' ? { peer: { ...spec.peer, group } } : {}
  return { ...item, spec: { ...spec, group, ...peer } as CreateItem['spec'] }
}

type Update = Extract<Item, { readonly verb: 'links.update' }>
const regroups = (item: Item): item is Update => item.verb === 'links.update' && item.change.group !== undefined

/** Whether a change is about one of them; with a group, this is what it is to have in the end. */
function regroup({ items }: PlanData, standing: Standing, { in: place, link }: Update, group?: number): boolean {
  let found = false
  for (const [number, groups] of standing) {
    endsOf(items[number]!).forEach(({ in: home, fields }, i) => {
      const meant =
        typeof link === 'object' ? link.item === number && (link.peer === true) === (i === 1) : link === fields.name && place === home
      if (meant && group !== undefined) groups[i] = group
      found ||= meant
    })
  }
  return found
}

/** The names that ends of links have in namespaces that are there, at any time; null among them for one that the kernel names. */
export async function endNames(data: PlanData, pace: Pace): Promise<(string | null)[]> {
  const isPlanned = (number: number) => 'make' in data.namespaces[number]!
  const names = new Set<string | null>()
  const moved = verbsOf(data).has('links.move')
  for (const item of data.items) {
    if (pace.isDue) await pace.rest()
    if (creates(item)) for (const { in: place, fields } of endsOf(item)) if (moved || !isPlanned(place)) names.add(fields.name ?? null)
    if (item.verb === 'links.update' && item.change.name !== undefined && (moved || !isPlanned(item.in))) names.add(item.change.name)
    if (item.verb === 'links.move' && item.options?.name !== undefined) names.add(item.options.name)
  }
  return [...names]
}
