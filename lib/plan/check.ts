// Looking through a whole plan before the first system call: names taken twice, links that are not there yet or no longer, full bridges, addresses.
import { type ArgumentError, relabel } from '../codec/errors.js'
import { ruleOf } from '../kernel/link-kinds.js'
import { Addresses } from './check-addresses.js'
import { type Thing, World } from './check-world.js'
import type { ActionOf, Item, NamespaceRef, PlanData, PlanLinkRef } from './items.js'
import type { Pace } from './pace.js'

/** BR_MAX_PORTS less the number 0, net/bridge/br_private.h. */
export const mostPorts = 1023

/** What a plan says of the links that are there, for whoever knows them. */
export interface Survey {
  readonly problems: readonly ArgumentError[]
  /** Problems beyond those in the list. */
  readonly more: number
  /** Links that the plan takes for there and gives ports. */
  readonly masters: readonly { readonly namespace: number; readonly link: string; readonly ports: number; readonly path: string }[]
  /** Most ports of one bridge that the plan makes, and which one. */
  readonly largest: { readonly label: string; readonly ports: number } | undefined
}
/** Every problem of a plan, or as many as anybody wants to read; the first is the message. */
export type PlanProblems = ArgumentError & { readonly errors: readonly ArgumentError[] }

interface End {
  readonly name?: string
  readonly altNames?: readonly string[]
  readonly index?: number
  readonly ipv6?: Thing['ipv6']
  readonly master?: PlanLinkRef | null
  readonly namespace?: NamespaceRef
  readonly link?: PlanLinkRef
}

/** Looks through a plan; yields after each item, so that the caller can let others have the thread. */
export function* survey(data: PlanData): Generator<undefined, Survey> {
  const world = new World(data)
  checkNamespaces(data, world)
  const full = new Set<Thing>()
  const bridges: Thing[] = []
  const enslave = (thing: Thing, end: End, path: string) => {
    if (end.master === undefined) return
    const master = end.master === null ? undefined : world.find(thing.home, end.master, `${path}.master`)
    world.enslave(thing, master)
    if (master?.kind !== 'bridge' || master.ports <= mostPorts || full.has(master)) return
    full.add(master)
    world.problem(`${path}.master`, `${master.label} has ${mostPorts} ports already, as many as a bridge can have: use another one`)
  }
  const steps = stepsOf(data, world, bridges, enslave)
  for (let number = 0; number < data.items.length; number++) {
    yield
    const item = data.items[number]!
    ;(steps[item.verb] as ((item: Item, number: number) => void) | undefined)?.(item, number)
  }
  world.finish()
  const masters = world.presumed
    .filter(({ ports }) => ports > 0)
    .map(({ home, label, ports, neededBy = '' }) => ({ namespace: home, link: label, ports, path: neededBy }))
  const largest = bridges.reduce<Thing | undefined>((most, one) => (most && most.ports >= one.ports ? most : one), undefined)
  return { problems: world.problems, more: world.more, masters, largest: largest && { label: largest.label, ports: largest.ports } }
}

type Steps = { readonly [V in Item['verb']]?: (item: ActionOf<V> & Pick<Item, 'in' | 'path'>, number: number) => void }

function stepsOf(data: PlanData, world: World, bridges: Thing[], enslave: (thing: Thing, end: End, path: string) => void): Steps {
  const put = (item: ActionOf<'addresses.add'> & Pick<Item, 'in' | 'path' | 'verb'>) => {
    const thing = world.find(item.in, item.link, `${item.path}.link`)
    if (!thing) return
    if (thing.ipv6 === 'none' && item.cidr.includes(':')) {
      const advice = "give the link, its namespace or the plan ipv6: 'static'"
      world.problem(`${item.path}.cidr`, `${thing.label} has no IPv6, by its policy 'none': ${advice}`)
      return
    }
    thing.addresses ??= new Addresses()
    const isNew = thing.addresses.add(item.cidr, item.options?.peer)
    if (!isNew && item.verb === 'addresses.add') world.problem(`${item.path}.cidr`, `${thing.label} gets ${item.cidr} twice`)
  }
  const route = ({ route, path, in: here }: ActionOf<'routes.add'> & Pick<Item, 'in' | 'path'>) => {
    const isIpv6 = route.to.includes(':') || route.family === 6 || route.via?.includes(':')
    const leads = (ref: PlanLinkRef | undefined, at: string) => {
      const thing = ref === undefined ? undefined : world.find(here, ref, at)
      if (isIpv6 && thing?.ipv6 === 'none') world.problem(at, `${thing.label} has no IPv6, by its policy 'none'`)
    }
    leads(route.link, `${path}.link`)
    route.nexthops?.forEach((hop, i) => void leads(hop.link, `${path}.nexthops[${i}].link`))
  }
  const neighbour = ({ entry, path, in: here }: ActionOf<'neighbours.add'> & Pick<Item, 'in' | 'path'>) => {
    if (entry.link !== undefined) world.find(here, entry.link, `${path}.link`)
  }
  const end = (given: End, madeBy: string, kind: string, here: number, at: string): Thing => {
    const { name, altNames, index, namespace, ipv6 = data.ipv6 } = given
    const thing: Thing = { label: name ?? at, madeBy, kind, home: namespace?.number ?? here, names: [], ipv6, ports: 0 }
    if (name === undefined) world.addNameless(thing)
    else world.name(thing, name, `${at}.name`)
    altNames?.forEach((one, i) => void world.name(thing, one, `${at}.altNames[${i}]`))
    if (index !== undefined) world.name(thing, `#${index}`, `${at}.index`)
    return thing
  }
  const create = ({ spec, path, in: here }: ActionOf<'links.create'> & Pick<Item, 'in' | 'path'>, number: number) => {
    const { kind, peer } = spec as { readonly kind: string; readonly peer?: End }
    const given: End = spec
    const lower = given.link === undefined ? undefined : world.find(here, given.link, `${path}.link`)
    const main = end(given, path, kind, here, path)
    if (kind === 'bridge') bridges.push(main)
    if (lower) {
      lower.dependents ??= []
      lower.dependents.push(main)
    }
    const other = kind === 'veth' ? end(peer ?? {}, path, kind, here, `${path}.peer`) : undefined
    world.made(number, main, other)
    if (other) {
      main.dependents = [other]
      other.dependents = [main]
    }
    enslave(main, given, path)
    if (other && peer) enslave(other, peer, `${path}.peer`)
  }
  const update = ({ link, change, path, in: here }: ActionOf<'links.update'> & Pick<Item, 'in' | 'path'>) => {
    const thing = world.find(here, link, `${path}.link`)
    if (!thing) return
    const { name, altNames, ipv6 } = change as End
    if (ipv6 !== undefined) thing.ipv6 = ipv6
    if (name !== undefined || altNames !== undefined) {
      const added: [string, string][] = [
        ...(name === undefined ? [] : [[name, `${path}.name`] as [string, string]]),
        ...(altNames ?? []).map((one, i): [string, string] => [one, `${path}.altNames[${i}]`]),
      ]
      const first = thing.names.find(one => !one.startsWith('#'))
      const kept = (one: string) => one.startsWith('#') || (one === first ? name === undefined : altNames === undefined)
      world.rename(thing, added, kept, path)
    }
    enslave(thing, change as End, path)
  }
  const move = ({ link, to, options, path, in: here }: ActionOf<'links.move'> & Pick<Item, 'in' | 'path'>) => {
    const thing = world.find(here, link, `${path}.link`)
    if (!thing) return
    if (ruleOf(thing.kind).netnsImmutable)
      world.problem(`${path}.link`, `a ${thing.kind} cannot leave its namespace: make it where it is to be (namespace)`)
    world.move(thing, to.number, options?.name, { to: `${path}.to`, name: `${path}.name`, by: path })
  }
  return {
    'links.create': create,
    'links.update': update,
    'links.move': move,
    'links.delete'({ link, path, in: here }) {
      const thing = world.find(here, link, `${path}.link`)
      if (thing) world.delete(thing, path)
    },
    'addresses.add': put as Steps['addresses.add'],
    'addresses.replace': put as Steps['addresses.replace'],
    'addresses.delete'({ link, cidr, options, path, in: here }) {
      world.find(here, link, `${path}.link`)?.addresses?.delete(cidr, options?.peer)
    },
    'routes.add': route,
    'routes.replace': route,
    'routes.delete': route,
    'neighbours.add': neighbour,
    'neighbours.replace': neighbour,
    'neighbours.delete': neighbour,
  }
}

function checkNamespaces({ namespaces }: PlanData, world: World): void {
  const taken = new Map<string, number>()
  for (let number = 0; number < namespaces.length; number++) {
    const item = namespaces[number]!
    const name = 'make' in item ? item.make.name : 'name' in item.use ? item.use.name : undefined
    if (name === undefined) continue
    const other = taken.get(name)
    if (other === undefined) taken.set(name, number)
    // Two ways to one namespace that is there are no mistake.
    else if ('make' in item || 'make' in namespaces[other]!)
      world.problem(`namespaces[${number}].name`, `the name ${name} is that of namespaces[${other}] already`)
  }
}

/** The error that a plan with problems is refused with. */
export function refusal({ problems, more }: Pick<Survey, 'problems' | 'more'>): PlanProblems | undefined {
  const [first] = problems
  if (!first) return undefined
  const others = problems.length - 1 + more
  const error = Object.assign(new TypeError(), { code: first.code, detail: first.detail, errors: problems })
  relabel(error, first.path)
  if (others) error.message += ` (and ${others} more problem${others > 1 ? 's' : ''}: see errors)`
  return error
}

/** Throws for a plan that cannot work; for plans that are looked through in one go. */
export function check(data: PlanData): Survey {
  const steps = survey(data)
  let step = steps.next()
  while (!step.done) step = steps.next()
  const error = refusal(step.value)
  if (error) throw error
  return step.value
}

/** The same in slices, with the event loop free in between. */
export async function checkSoon(data: PlanData, pace: Pace): Promise<Survey> {
  const steps = survey(data)
  let step = steps.next()
  while (!step.done) {
    if (pace.isDue) await pace.rest()
    step = steps.next()
  }
  const error = refusal(step.value)
  if (error) throw error
  return step.value
}
