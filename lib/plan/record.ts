// Writing a plan down: the namespaces and steps in the order in which they are said, objects of the caller replaced by numbers.
import { statSync } from 'node:fs'
import { argumentError } from '../codec/errors.js'
import { networkAddressWarning } from '../kernel/address-object.js'
import { checkAt } from '../kernel/arguments.js'
import type { Ipv6Policy } from '../kernel/link-request.js'
import { Namespace } from '../kernel/namespace.js'
import { type LinkRef, lookup } from '../kernel/scope.js'
import { checkSource, type NamespaceSource } from '../namespace/source.js'
import type { Action, Item, LinkItemRef, NamespaceItem, NamespaceRef, NamespaceUse, PlanData, PlanLinkRef } from './items.js'
import { likeVerified } from './record-like.js'
import { verify } from './record-verify.js'

/** Where the objects that a plan gives out keep what they stand for. */
export const origin: unique symbol = Symbol('netloom.plan')
/** A link that a plan makes: stands wherever a link is meant in that plan. */
export interface PlanLink {
  readonly planned: 'link'
  /** @internal */
  readonly [origin]: { readonly recorder: Recorder; readonly ref: LinkItemRef }
}
/** A namespace of a plan: stands wherever a namespace is meant in that plan. */
export interface PlannedNamespace {
  readonly planned: 'namespace'
  /** @internal */
  readonly [origin]: { readonly recorder: Recorder; readonly ref: NamespaceRef }
}
/** Links as the verbs of a plan take them. */
export type AnyLink = LinkRef | PlanLink
/** Namespaces as the verbs of a plan take them: of this plan, open ones, or where to find one. */
export type AnyNamespace = PlannedNamespace | Namespace | { readonly name: string } | { readonly path: string } | { readonly pid: number }

/** How many steps of a group there are, and what the next one is called. */
interface Group {
  readonly name: string
  count: number
  path: string
}
/** A plan of thousands of networks would say it thousands of times. */
const mostWarnings = 3

export class Recorder {
  /** Tells this plan from others, for those who must not hold all that it says. */
  readonly identity = Symbol('netloom.plan')
  readonly ipv6: Ipv6Policy
  /** Namespaces that the caller holds, by their number. */
  readonly sources = new Map<number, Namespace>()
  readonly #namespaces: NamespaceItem[] = []
  readonly #policies: (Ipv6Policy | undefined)[] = []
  readonly #items: Item[] = []
  readonly #patterns: number[] = []
  /** By verb: the last step that was looked at in full. */
  readonly #verified = new Map<Action['verb'], number>()
  readonly #groups = new Map<Action['verb'], Group>()
  readonly #used = new Map<string, NamespaceRef>()
  #warnings = 0

  constructor(ipv6: Ipv6Policy) {
    this.ipv6 = ipv6
  }

  /** What has been said so far; later steps do not show in it. */
  data(): PlanData {
    return { ipv6: this.ipv6, namespaces: [...this.#namespaces], items: [...this.#items], patterns: [...this.#patterns] }
  }

  /** `ipv6` is the policy of links that will be in it and say none themselves. */
  addNamespace(item: NamespaceItem, ipv6?: Ipv6Policy): NamespaceRef {
    this.#policies.push(ipv6)
    return { planned: 'namespace', number: this.#namespaces.push(item) - 1 }
  }

  /** What a step says first of namespaces is forgotten if the step is refused. */
  whole<T>(step: () => T): T {
    const before = this.#namespaces.length
    try {
      return step()
    } catch (error) {
      this.#namespaces.length = before
      this.#policies.length = before
      for (const [key, { number }] of this.#used) if (number >= before) this.#used.delete(key)
      for (const number of this.sources.keys()) if (number >= before) this.sources.delete(number)
      throw error
    }
  }

  policyOf({ number }: NamespaceRef): Ipv6Policy | undefined {
    return this.#policies[number]
  }

  /** The path of the next step of that verb. */
  nextPath(verb: Action['verb']): string {
    return this.#group(verb).path
  }

  /** Writes a step down, and keeps the object; throws for wrong arguments. `step`: it comes from JSON, and is called so there. */
  add(place: number, action: Action, step?: string): number {
    const group = this.#group(action.verb)
    const { path } = group
    const known = step === undefined ? this.#verified.get(action.verb) : undefined
    const isLike = known !== undefined && likeVerified(action, this.#items[known]!)
    const number = this.#items.length
    if (!isLike) {
      verify(action, step ?? path, step !== undefined)
      this.#verified.set(action.verb, number)
    }
    if (!isLike && (action.verb === 'addresses.add' || action.verb === 'addresses.replace') && this.#warnings < mostWarnings)
      this.#warn(action.cidr, path)
    group.count++
    group.path = `${group.name}[${group.count}]`
    // A copy of each of 100,000 steps would take longer than all the rest.
    const item = action as Action & { in: number; path: string }
    item.in = place
    item.path = path
    this.#items.push(item)
    this.#patterns.push(isLike ? known : number)
    return number
  }

  #group(verb: Action['verb']): Group {
    const known = this.#groups.get(verb)
    if (known) return known
    const name = verb.slice(0, verb.indexOf('.'))
    const group = [...this.#groups.values()].find(one => one.name === name) ?? { name, count: 0, path: `${name}[0]` }
    this.#groups.set(verb, group)
    return group
  }

  /** What stands for the link that an item makes. */
  planLink(item: number): PlanLink {
    return { planned: 'link', [origin]: { recorder: this, ref: { planned: 'link', item } } }
  }

  /** The same with its other end. */
  planPair(item: number): PlanLink & { readonly peer: PlanLink } {
    const peer: PlanLink = { planned: 'link', [origin]: { recorder: this, ref: { planned: 'link', item, peer: true } } }
    return { planned: 'link', [origin]: { recorder: this, ref: { planned: 'link', item } }, peer }
  }

  /** A link as the data of the plan has it; anything else is left for the checks to refuse. */
  link(given: AnyLink, path: string): PlanLinkRef {
    if (typeof given !== 'object' || given === null) return given
    if (!(origin in given)) {
      if ('planned' in given) this.#refuse('link', path)
      // An object without an index would be none, which is something else where a link may be left out.
      checkAt(path, () => lookup(given))
      return given.index
    }
    const { recorder, ref } = given[origin]
    return recorder === this && ref.planned === 'link' ? ref : this.#refuse('link', path)
  }

  /** The number of a namespace, which is written down if the plan does not have it yet. */
  namespace(given: AnyNamespace, path: string): NamespaceRef {
    if (typeof given === 'object' && given !== null && 'planned' in given) {
      const { recorder, ref } = given[origin] ?? {}
      return recorder === this && ref?.planned === 'namespace' ? ref : this.#refuse('namespace', path)
    }
    if (!(given instanceof Namespace)) return this.#used.get(sourceOf(given, path).key) ?? this.use(given, path)
    const { use, key } = useOf(given)
    const known = this.#used.get(key)
    if (known) return known
    const ref = this.addNamespace({ use })
    this.#used.set(key, ref)
    this.sources.set(ref.number, given)
    return ref
  }

  /** The number of a namespace that is looked up later. */
  use(source: NamespaceSource, path?: string): NamespaceRef {
    const { use, key } = sourceOf(source, path)
    const ref = this.addNamespace({ use })
    this.#used.set(key, ref)
    return ref
  }

  #refuse(what: string, path: string): never {
    throw argumentError('ERR_NETLOOM_OTHER_PLAN', `is not a ${what} of this plan`, path)
  }

  #warn(cidr: string, path: string): void {
    const warning = networkAddressWarning(cidr)
    if (!warning) return
    this.#warnings++
    process.emitWarning(`${path}: ${warning}`, { type: 'NetloomWarning', code: 'NETLOOM_NETWORK_ADDRESS' })
  }
}

interface Use {
  readonly use: NamespaceUse
  /** The same for the same namespace. */
  readonly key: string
}

function useOf(namespace: Namespace): Use {
  const { device, inode, name, path, pids } = namespace
  const key = `${device}:${inode}`
  if (name !== undefined) return { use: { name }, key }
  if (path !== undefined) return { use: { path }, key }
  if (pids?.[0] !== undefined) return { use: { pid: pids[0] }, key }
  const here = statSync('/proc/thread-self/ns/net')
  return { use: here.dev === device && here.ino === inode ? { current: true } : { held: true }, key }
}

function sourceOf(source: NamespaceSource, path: string | undefined): Use {
  const checked = checkSource(source, path)
  switch (checked.by) {
    case 'name':
      return { use: { name: checked.name }, key: `name ${checked.name}` }
    case 'path':
      return { use: { path: checked.path }, key: `path ${checked.path}` }
    case 'pid':
      return { use: { pid: checked.pid }, key: `pid ${checked.pid}` }
    default:
      throw argumentError(
        'ERR_NETLOOM_INVALID_NAMESPACE',
        'may be another one when the plan is applied: open it with Namespace.open()',
        path,
      )
  }
}

/** A deep copy of plain data, so that what the caller does with the object later changes nothing in the plan. */
export function plain<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(plain) as T
  if (value instanceof Uint8Array) return value.slice() as T
  const out: Record<string, unknown> = {}
  for (const name in value) {
    if (!Object.hasOwn(value, name)) continue
    const field: unknown = value[name]
    if (field !== undefined) out[name] = typeof field === 'object' ? plain(field) : field
  }
  return out as T
}
