// Writing a plan down: the namespaces and steps in the order in which they are said, objects of the caller replaced by numbers.
import { statSync } from 'node:fs'
import { argumentError } from '../codec/errors.js'
import { networkAddressWarning } from '../kernel/address-object.js'
import { checkAt } from '../kernel/arguments.js'
import type { Ipv6Policy } from '../kernel/link-request.js'
import { Namespace } from '../kernel/namespace.js'
import { type LinkRef, lookup } from '../kernel/scope.js'
import { checkSource, type NamespaceSource } from '../namespace/source.js'
import type { Action, ActionOf, Item, LinkItemRef, NamespaceItem, NamespaceRef, NamespaceUse, PlanData, PlanLinkRef } from './items.js'
import { type Form, formOf, readForm } from './record-form.js'
import { type Resolver, refer } from './record-refer.js'
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

/** A step as a verb was given it, links and namespaces still objects of the caller. */
export type Said = { readonly [A in Action as A['verb']]: { readonly [P in keyof A]: P extends 'verb' ? A[P] : unknown } }[Action['verb']]

/** A step that was looked at in full, by its number, and what others like it have to look like. */
interface Verified {
  readonly number: number
  readonly form: Form
}
/** Of each verb: bridges and veths in turn, and not much more, are what plans are made of. */
const mostForms = 4

/** How many steps of a group there are, and what the next one is called. */
interface Group {
  readonly name: string
  count: number
  path: string
}
/** A plan of thousands of networks would say it thousands of times. */
const mostWarnings = 3

export class Recorder implements Resolver {
  /** Tells this plan from others, for those who must not hold all that it says. */
  readonly identity = Symbol('netloom.plan')
  readonly ipv6: Ipv6Policy
  /** Namespaces that the caller holds, by their number. */
  readonly sources = new Map<number, Namespace>()
  readonly #namespaces: NamespaceItem[] = []
  readonly #policies: (Ipv6Policy | undefined)[] = []
  readonly #items: Item[] = []
  readonly #patterns: number[] = []
  /** By verb: the last steps that were looked at in full. */
  readonly #verified = new Map<Action['verb'], Verified[]>()
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

  /** Writes a step down, and keeps none of the caller's objects; throws for wrong arguments. What a refused one says of namespaces is forgotten. */
  say(place: number, said: Said): number {
    const before = this.#namespaces.length
    try {
      const verified = this.#verified.get(said.verb)
      for (let i = 0; verified && i < verified.length; i++) {
        const action = this.#readLike(verified[i]!, place, said)
        if (action) return this.#write(place, action, verified[i]!.number)
      }
      return this.#sayNew(place, said)
    } catch (error) {
      this.#forget(before)
      throw error
    }
  }

  /** Writes a step from JSON down, and keeps the object; throws for wrong arguments. `step` is what it is called there. */
  add(place: number, action: Action, step: string): number {
    verify(action, step, true)
    return this.#write(place, action, undefined)
  }

  /** The step if it is like that one, so that nobody has to look at it again. */
  #readLike({ form, number }: Verified, place: number, said: Said): Action | undefined {
    try {
      const action = readForm(form, said, this) as Action | undefined
      if (action?.verb !== 'links.create') return action
      this.#choosePolicies(place, action)
      const { spec } = this.#items[number] as ActionOf<'links.create'>
      return action.spec.ipv6 === spec.ipv6 && action.spec.peer?.ipv6 === spec.peer?.ipv6 ? action : undefined
    } catch {
      // The full look says what is wrong, and where.
      return undefined
    }
  }

  #sayNew(place: number, said: Said): number {
    const { path } = this.#group(said.verb)
    const action = refer(said, this, path) as Action
    if (action.verb === 'links.create') this.#choosePolicies(place, action)
    verify(action, path, false)
    if ((action.verb === 'addresses.add' || action.verb === 'addresses.replace') && this.#warnings < mostWarnings)
      this.#warn(action.cidr, path)
    const form = formOf(said, action)
    const number = this.#write(place, action, undefined)
    const verified = this.#verified.get(said.verb) ?? []
    this.#verified.set(said.verb, [{ number, form }, ...verified].slice(0, mostForms))
    return number
  }

  /** `pattern`: the number of one that it is like. */
  #write(place: number, action: Action, pattern: number | undefined): number {
    const group = this.#group(action.verb)
    const number = this.#items.length
    // A copy of each of 100,000 steps would take longer than all the rest.
    const item = action as Action & { in: number; path: string }
    item.in = place
    item.path = group.path
    this.#items.push(item)
    this.#patterns.push(pattern ?? number)
    group.count++
    group.path = `${group.name}[${group.count}]`
    return number
  }

  /** The namespace where an end will be says what it does with IPv6, unless the end itself does. */
  #choosePolicies(place: number, { spec }: ActionOf<'links.create'>): void {
    this.#choosePolicy(place, spec)
    if (spec.kind !== 'veth') return
    const peer = spec.peer ?? {}
    this.#choosePolicy(place, peer)
    if (peer.ipv6 !== undefined) (spec as { peer?: object }).peer = peer
  }

  #choosePolicy(place: number, end: { readonly namespace?: NamespaceRef; ipv6?: unknown }): void {
    const policy = this.#policies[end.namespace?.number ?? place]
    if (policy !== undefined && end.ipv6 === undefined) end.ipv6 = policy
  }

  #forget(before: number): void {
    if (this.#namespaces.length === before) return
    this.#namespaces.length = before
    this.#policies.length = before
    for (const [key, { number }] of this.#used) if (number >= before) this.#used.delete(key)
    for (const number of this.sources.keys()) if (number >= before) this.sources.delete(number)
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
