// Which links there would be after each step of a plan, as far as the plan itself tells: what it makes, renames, moves and deletes.
import { type ArgumentError, argumentError } from '../codec/errors.js'
import type { Ipv6Policy } from '../kernel/link-request.js'
import type { Addresses } from './check-addresses.js'
import type { LinkItemRef, NamespaceItem, PlanData, PlanLinkRef } from './items.js'

/** A link that the plan makes, or one that it takes for there. */
export interface Thing {
  /** 'br0', or the path of the step that makes it. */
  readonly label: string
  /** The path of the step that makes it; undefined for what is there. */
  readonly madeBy?: string
  /** For what is taken for there: by which field. */
  readonly neededBy?: string
  /** And in which namespace; it may be moved. */
  readonly neededIn?: number
  readonly kind?: string
  home: number
  /** Names, alternative names, and '#7' for an index. */
  names: string[]
  ipv6?: Ipv6Policy
  master?: Thing
  /** How many ports it has from this plan. */
  ports: number
  /** Those that go with it: the peer, what sits on it. */
  dependents?: Thing[]
  addresses?: Addresses
  gone?: Gone
}
interface Gone {
  readonly how: 'deleted' | 'moved away' | 'renamed'
  readonly by: string
}
interface Space {
  readonly label: string
  /** The plan makes it, so nothing is in it but what the plan puts there. */
  readonly closed: boolean
  /** The kernel has named a link in it. */
  unknown: boolean
  readonly names: Map<string, Thing | Gone>
}

/** Devices that modules put into every new namespace. */
const selfMade = /^(tunl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|sit0|ip6tnl0|ip6gre0|lo|#\d+)$/
/** More than anybody reads; a plan of thousands repeats its mistakes. */
const mostProblems = 100

export const labelOfNamespace = (item: NamespaceItem, number: number): string => {
  if ('make' in item) return item.make.name ?? `namespaces[${number}]`
  const { use } = item
  if ('name' in use) return use.name
  if ('path' in use) return use.path
  if ('pid' in use) return `the namespace of pid ${use.pid}`
  return 'current' in use ? 'the current namespace' : `namespaces[${number}]`
}

export class World {
  readonly problems: ArgumentError[] = []
  /** Problems beyond those that are kept. */
  more = 0
  /** What is taken for there. */
  readonly presumed: Thing[] = []
  readonly #spaces: readonly Space[]
  readonly #made = new Map<number, { readonly main: Thing; readonly peer: Thing | undefined }>()

  constructor({ namespaces }: PlanData) {
    this.#spaces = namespaces.map((item, number) => {
      const closed = 'make' in item
      return { label: labelOfNamespace(item, number), closed, unknown: false, names: new Map() }
    })
  }

  problem(path: string, detail: string): void {
    if (this.problems.length < mostProblems) this.problems.push(argumentError('ERR_NETLOOM_INVALID_PLAN', detail, path))
    else this.more++
  }

  /** The kernel names a new link. */
  addNameless({ home }: Thing): void {
    this.#space(home).unknown = true
  }

  made(item: number, main: Thing, peer?: Thing): void {
    this.#made.set(item, { main, peer })
  }

  /** The link that a step in that namespace means; undefined if it is said to be wrong, or nothing is known of it. */
  find(number: number, ref: PlanLinkRef, path: string): Thing | undefined {
    return typeof ref === 'object'
      ? this.#findMade(number, ref, path)
      : this.#findNamed(number, typeof ref === 'number' ? `#${ref}` : ref, path)
  }

  delete(thing: Thing, by: string): void {
    if (thing.gone) return
    thing.gone = { how: 'deleted', by }
    this.#forget(thing, thing.gone)
    this.enslave(thing, undefined)
    for (const dependent of thing.dependents ?? []) this.delete(dependent, by)
  }

  rename(thing: Thing, names: readonly (readonly [name: string, path: string])[], kept: (name: string) => boolean, by: string): void {
    const staying = thing.names.filter(kept)
    const { names: all } = thing
    thing.names = all.filter(name => !staying.includes(name))
    this.#forget(thing, { how: 'renamed', by })
    thing.names = staying
    for (const [one, path] of names) this.name(thing, one, path)
  }

  move(
    thing: Thing,
    to: number,
    name: string | undefined,
    path: { readonly to: string; readonly name: string; readonly by: string },
  ): void {
    const { names } = thing
    this.#forget(thing, { how: 'moved away', by: path.by })
    this.enslave(thing, undefined)
    delete thing.addresses
    const [first, ...others] = names.filter(one => !one.startsWith('#'))
    thing.home = to
    thing.names = []
    if (name === undefined && first === undefined) this.#space(to).unknown = true
    const kept = name === undefined ? first : name
    const arriving = [...(kept === undefined ? [] : [kept]), ...others]
    for (const [i, one] of arriving.entries()) this.name(thing, one, i === 0 && name !== undefined ? path.name : path.to)
  }

  enslave(thing: Thing, master: Thing | undefined): void {
    if (thing.master) thing.master.ports--
    if (master) {
      master.ports++
      thing.master = master
    } else if (thing.master) delete thing.master
  }

  /** What was taken for there in namespaces where it cannot be. */
  finish(): void {
    for (const { neededBy, label, home, neededIn = home, madeBy } of this.presumed) {
      const { closed, unknown, label: where } = this.#space(neededIn)
      if (madeBy === undefined && closed && !unknown && neededBy !== undefined && !selfMade.test(label))
        this.problem(neededBy, `there is no link ${label} in ${where}: the plan puts none of that name there`)
    }
  }

  labelOf(number: number): string {
    return this.#space(number).label
  }

  #space(number: number): Space {
    return this.#spaces[number]!
  }

  /** Gives a link a name in its namespace. */
  name(thing: Thing, name: string, path: string): void {
    const { names: taken, label } = this.#space(thing.home)
    const there = taken.get(name)
    if (there && !('by' in there) && there !== thing) this.#collide(there, name, path, thing, label)
    else if (name === 'lo') this.problem(path, `every namespace has a link lo of its own`)
    taken.set(name, thing)
    thing.names.push(name)
  }

  #collide(there: Thing, name: string, path: string, thing: Thing, where: string): void {
    const what = name.startsWith('#') ? `index ${name.slice(1)}` : `name ${name}`
    if (there.madeBy === undefined && there.neededBy !== undefined) {
      // Said once, where it is used.
      this.presumed.splice(this.presumed.indexOf(there), 1)
      this.problem(there.neededBy, `${name} is made only later, by ${thing.madeBy ?? path}`)
    } else this.problem(path, `the ${what} is that of ${there.madeBy ?? 'another link'} already, in ${where}`)
  }

  #findNamed(number: number, name: string, path: string): Thing | undefined {
    const { names, label } = this.#space(number)
    const there = names.get(name)
    if (there === undefined) {
      const thing: Thing = { label: name, neededBy: path, neededIn: number, home: number, names: [name], ports: 0 }
      names.set(name, thing)
      this.presumed.push(thing)
      return thing
    }
    if (!('by' in there)) return there
    this.problem(path, `${name} is no longer in ${label}: it was ${there.how} by ${there.by}`)
    return undefined
  }

  #findMade(number: number, { item, peer }: LinkItemRef, path: string): Thing | undefined {
    const both = this.#made.get(item)
    const thing = peer ? both?.peer : both?.main
    if (!thing) {
      this.problem(path, both ? 'a link of this kind has no peer' : `no link is made by items[${item}] before this`)
      return undefined
    }
    const { gone, home, label } = thing
    if (gone) this.problem(path, `${label} is no longer there: it was ${gone.how} by ${gone.by}`)
    else if (home !== number) this.problem(path, `${label} is in ${this.labelOf(home)} and not in ${this.labelOf(number)}`)
    return gone || home !== number ? undefined : thing
  }

  #forget({ home, names }: Thing, gone: Gone): void {
    const { names: taken } = this.#space(home)
    for (const name of names) taken.set(name, gone)
  }
}
