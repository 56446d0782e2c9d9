// From the order in which a plan was said to the order in which it is carried out: which namespace does what, what waits for what, what can go together.
import { quietBridges } from './compile-bridge.js'
import { type CreateItem, creates, type End, endsOf, homeOf, isFast } from './compile-link.js'
import type { Item, LinkItemRef, PlanData } from './items.js'
import type { Pace } from './pace.js'

/** One piece of work in one namespace. */
export type Step =
  /** The message that makes a link, from where its home is. */
  | { readonly does: 'create'; readonly item: number }
  /** What an end needs once it is there: IPv6 policy, bridge, up, alias. */
  | { readonly does: 'finish'; readonly item: number; readonly peer: boolean }
  /** An address, a route, a neighbour, a rule. */
  | { readonly does: 'entry'; readonly item: number }
  | { readonly does: 'sysctl'; readonly item: number }
  /** A bridge that was made without it follows multicast groups from here on. */
  | { readonly does: 'snoop'; readonly item: number }
  /** Everything that has no faster way: the live verb itself. */
  | { readonly does: 'live'; readonly item: number }

/** Work in one planned namespace that is done in one go. */
export interface Part {
  readonly namespace: number
  /** The namespace itself is made first. */
  readonly make: boolean
  readonly steps: Step[]
  /** What is to be done in other namespaces when this part is done, by their number. */
  readonly ports: { readonly in: number; readonly step: Step }[]
}
/** Everything within a phase keeps its order in each namespace; what comes earlier in one namespace than in another does not matter. */
export interface Phase {
  /** In namespaces that are there, before the rest: bridges and whatever was said before the first planned link. */
  readonly early: readonly { readonly in: number; readonly step: Step }[]
  /** Parts of one round need nothing of each other but that the namespaces exist. */
  readonly rounds: readonly (readonly Part[])[]
  /** In namespaces that are there, in order, when all ports are in place. */
  readonly late: readonly { readonly in: number; readonly step: Step }[]
}
export interface Program {
  readonly phases: readonly Phase[]
  /** Namespaces to make and items. */
  readonly total: number
  /** Bridges that begin without following multicast groups, by item. */
  readonly quiet: ReadonlySet<number>
  /** By namespace: the indexes that links get because somebody chose them. */
  readonly reserved: ReadonlyMap<number, ReadonlySet<number>>
  /** Planned namespaces in which the kernel chooses indexes too. */
  readonly shared: ReadonlySet<number>
}

const anyOrder = /^(addresses|routes|neighbours|rules)\./

export async function compile(data: PlanData, pace: Pace): Promise<Program> {
  const phases: Phase[] = []
  const made = new Set<number>()
  const reserved = new Map<number, Set<number>>()
  const asking = new Set<Part>()
  let draft = new Draft(data, made, asking)
  for (let number = 0; number < data.items.length; number++) {
    if (pace.isDue) await pace.rest()
    const item = data.items[number]!
    if (draft.addAlone(item, number)) continue
    if (!draft.takes(item)) {
      phases.push(draft.phase())
      draft = new Draft(data, made, asking)
    }
    draft.add(item, number)
    const ends = endsOf(item)
    for (let i = 0; i < ends.length; i++) reserve(reserved, ends[i]!)
  }
  draft.makeRest()
  const quiet = quietBridges(data)
  for (const number of quiet) draft.snoop(number)
  phases.push(draft.phase())
  const total = data.namespaces.filter(one => 'make' in one).length + data.items.length
  return { phases, total, quiet, reserved, shared: sharedIn(data, asking) }
}

function reserve(reserved: Map<number, Set<number>>, { in: namespace, fields: { index } }: End): void {
  if (index === undefined) return
  const there = reserved.get(namespace)
  if (there) there.add(index)
  else reserved.set(namespace, new Set([index]))
}

function sharedIn({ items }: PlanData, asking: ReadonlySet<Part>): ReadonlySet<number> {
  const shared = new Set<number>()
  for (const { steps } of asking) for (const { item } of steps) for (const one of partiesOf(items[item]!)) shared.add(one)
  return shared
}

/** A phase that is being filled. */
class Draft {
  readonly #data: PlanData
  /** Planned namespaces that have a part somewhere, in this phase or before. */
  readonly #made: Set<number>
  /** Parts in which the kernel chooses indexes. */
  readonly #asking: Set<Part>
  readonly #early: { in: number; step: Step }[] = []
  readonly #late: { in: number; step: Step }[] = []
  /** By namespace: its newest part, and the round that this is done in. */
  readonly #current = new Map<number, { part: Part; round: number }>()
  readonly #rounds: Part[][] = []
  /** Namespaces that are there into which links have been made from planned ones. */
  readonly #crossed = new Set<number>()
  /** Namespaces where what comes next has to wait for all that was said so far. */
  readonly #sealed = new Set<number>()
  /** Planned namespaces in which names of links have become free. */
  readonly #freed = new Set<number>()
  /** Links that are made too late for others to be made on them early. */
  readonly #lateLinks = new Set<number>()

  constructor(data: PlanData, made: Set<number>, asking: Set<Part>) {
    this.#data = data
    this.#made = made
    this.#asking = asking
  }

  /** Whether the item can be carried out in this phase without changing what it means. */
  takes(item: Item): boolean {
    if (isAlone(item) && !this.#sealed.has(item.in) && !this.#crossed.has(item.in)) return true
    const parties = partiesOf(item)
    // The end in another namespace than its home is made as soon as that exists.
    const home = this.#freed.size > 0 && creates(item) ? homeOf(this.#data, item, parties) : undefined
    let crosses = false
    for (let i = 0; i < parties.length; i++) {
      const one = parties[i]!
      if (this.#sealed.has(one)) return false
      if (home !== undefined && one !== home && this.#freed.has(one) && this.#planned(one)) return false
      if (this.#crossed.has(one)) crosses = true
    }
    if (!crosses || anyOrder.test(item.verb) || item.verb === 'links.create') return true
    if (item.verb === 'links.update') return item.change.name === undefined && typeof item.link === 'object'
    return item.verb === 'sysctl.set' && isOfOneLink(item.key)
  }

  /** Most items by far: they do nothing but in their own namespace, of which there is a part. False if this is another. */
  addAlone(item: Item, number: number): boolean {
    const here = item.in
    const current = this.#current.get(here)
    if (!current || !isAlone(item) || this.#sealed.has(here) || this.#crossed.has(here)) return false
    current.part.steps.push({ does: doing(item), item: number })
    if (freesNames(item)) this.#freed.add(here)
    return true
  }

  add(item: Item, number: number): void {
    const parties = partiesOf(item)
    const home = homeOf(this.#data, item, parties)
    if (!this.#planned(home)) this.#addExisting(item, number, parties)
    else if (creates(item) && isFast(this.#data, item, home)) this.#addFast(item, number, home, parties)
    else this.#addPlanned(item, number, home, parties)
    if (item.verb === 'links.move') for (const one of parties) if (one !== home || !this.#planned(home)) this.#sealed.add(one)
    if (freesNames(item)) this.#freed.add(item.in)
  }

  /** Namespaces in which nothing is done. */
  makeRest(): void {
    this.#data.namespaces.forEach((_, number) => {
      if (this.#planned(number) && !this.#made.has(number)) this.#part(number, 0)
    })
  }

  snoop(number: number): void {
    this.#late.push({ in: this.#data.items[number]!.in, step: { does: 'snoop', item: number } })
  }

  phase(): Phase {
    for (const round of this.#rounds) round.sort((a, b) => a.namespace - b.namespace)
    return { early: this.#early, rounds: this.#rounds, late: this.#late }
  }

  /** A link that one message makes, which needs nothing but that the other namespace exists. */
  #addFast(item: CreateItem, number: number, home: number, parties: readonly number[]): void {
    for (let i = 0; i < parties.length; i++) {
      const other = parties[i]!
      if (other === home) continue
      if (!this.#planned(other)) this.#crossed.add(other)
      else if (!this.#made.has(other)) this.#part(other, 0)
    }
    const { part, round } = this.#current.get(home) ?? this.#part(home, 0)
    part.steps.push({ does: 'create', item: number })
    const ends = endsOf(item)
    for (let i = 0; i < ends.length; i++) {
      const { in: place } = ends[i]!
      const step = { does: 'finish', item: number, peer: i === 1 } as const
      if (place === home) part.steps.push(step)
      else if (this.#planned(place)) this.#part(place, round + 1).part.steps.push(step)
      else part.ports.push({ in: place, step })
    }
  }

  #addPlanned(item: Item, number: number, home: number, parties: readonly number[]): void {
    let least = 0
    for (const one of parties) {
      if (this.#planned(one) && !this.#made.has(one)) this.#part(one, 0)
      if (one !== home) least = Math.max(least, (this.#current.get(one)?.round ?? -1) + 1)
    }
    const current = this.#current.get(home)
    const { part, round } = current && current.round >= least ? current : this.#part(home, least)
    if (item.verb === 'links.move' || creates(item)) this.#asking.add(part)
    part.steps.push({ does: doing(item), item: number })
    for (const other of parties) {
      if (other === home) continue
      if (!this.#planned(other)) this.#crossed.add(other)
      // What follows there has to find what was made.
      else this.#part(other, round + 1)
    }
  }

  #addExisting(item: Item, number: number, parties: readonly number[]): void {
    const fast = creates(item) && isFast(this.#data, item)
    const steps: Step[] = fast
      ? [{ does: 'create', item: number }, ...endsOf(item).map((_, i) => ({ does: 'finish', item: number, peer: i === 1 }) as const)]
      : [{ does: doing(item), item: number }]
    const untouched = !parties.some(one => this.#crossed.has(one))
    const hoisted = item.verb === 'links.create' && !refsOf(item).some(ref => this.#lateLinks.has(ref.item))
    const early = untouched || hoisted
    if (!early && item.verb === 'links.create') this.#lateLinks.add(number)
    for (const step of steps) (early ? this.#early : this.#late).push({ in: item.in, step })
  }

  #planned(namespace: number): boolean {
    const item = this.#data.namespaces[namespace]
    return item !== undefined && 'make' in item
  }

  /** A new part, in that round at the earliest. */
  #part(namespace: number, least: number): { part: Part; round: number } {
    const before = this.#current.get(namespace)
    const round = before ? Math.max(before.round + 1, least) : least
    const part: Part = { namespace, make: !this.#made.has(namespace), steps: [], ports: [] }
    this.#made.add(namespace)
    while (this.#rounds.length <= round) this.#rounds.push([])
    this.#rounds[round]!.push(part)
    const current = { part, round }
    this.#current.set(namespace, current)
    return current
  }
}

/** The item that was asked about last: questions about one come one after the other. */
let last: { readonly item: Item; readonly parties: readonly number[] } | undefined

/** Every namespace that an item does something in. */
export function partiesOf(item: Item): readonly number[] {
  if (item.verb === 'links.move') return unique([item.in, item.to.number])
  if (!creates(item)) return [item.in]
  if (last?.item !== item) last = { item, parties: partiesOfLink(item) }
  return last.parties
}

function partiesOfLink(item: CreateItem): readonly number[] {
  const [main, other] = endsOf(item)
  const ends = other && other.in !== main!.in ? [main!.in, other.in] : [main!.in]
  return item.spec.link !== undefined ? unique([item.in, ...ends]) : ends
}
/** It does nothing but in the namespace that it was said in. */
const isAlone = (item: Item): boolean => item.verb !== 'links.create' && item.verb !== 'links.move'
const unique = (numbers: readonly number[]) => [...new Set(numbers)]

/** Links of the plan that one is made on. */
function refsOf(item: Item): LinkItemRef[] {
  if (!creates(item)) return []
  const { link, master, peer } = item.spec
  return [link, master, peer?.master].filter((ref): ref is LinkItemRef => typeof ref === 'object' && ref !== null)
}

const doing = (item: Item): 'live' | 'entry' | 'sysctl' =>
  item.verb.startsWith('links.') ? 'live' : item.verb === 'sysctl.set' ? 'sysctl' : 'entry'

const freesNames = (item: Item): boolean =>
  item.verb === 'links.delete' || item.verb === 'links.move' || (item.verb === 'links.update' && item.change.name !== undefined)

/** 'net.ipv4.conf.eth0.rp_filter' matters to eth0; 'conf.default' and 'ip_forward' to every link made later. */
const isOfOneLink = (key: string): boolean => /[./](conf|neigh)[./](?!all[./]|default[./])/.test(key)
