// A plan as plain data: which namespaces it is about, and what is to be done in them, in the order in which it was said.
import type { AddressOptions } from '../kernel/address-object.js'
import type { Ipv6Policy, LinkChange, LinkCreate } from '../kernel/link-request.js'
import type { NeighbourSpec } from '../kernel/neighbours.js'
import type { RouteSpec } from '../kernel/route-request.js'
import type { RuleSpec } from '../kernel/rules.js'

/** A namespace by its place in `PlanData.namespaces`. */
export interface NamespaceRef {
  readonly planned: 'namespace'
  readonly number: number
}
/** A link that the plan makes, by the place of its item in `PlanData.items`; `peer` for the other end of a veth. */
export interface LinkItemRef {
  readonly planned: 'link'
  readonly item: number
  readonly peer?: true
}
/** A link that is there, by name or index, or one that the plan makes. */
export type PlanLinkRef = string | number | LinkItemRef

/** A namespace that the plan makes, or one that is there when it is applied. */
export type NamespaceItem = { readonly make: { readonly name?: string; readonly loopback?: boolean } } | { readonly use: NamespaceUse }
/** `current`: of the thread that applies the plan; `held`: nothing but the caller's object leads to it. */
export type NamespaceUse =
  | { readonly name: string }
  | { readonly path: string }
  | { readonly pid: number }
  | { readonly current: true }
  | { readonly held: true }

type Referring<T> = Omit<T, 'link' | 'master' | 'namespace' | 'peer' | 'nexthops'> & {
  readonly link?: PlanLinkRef
  readonly master?: PlanLinkRef | null
  readonly namespace?: NamespaceRef
  readonly peer?: Record<string, unknown> & { readonly master?: PlanLinkRef; readonly namespace?: NamespaceRef }
  readonly nexthops?: readonly (Record<string, unknown> & { readonly link?: PlanLinkRef })[]
}

/** One thing to do in a namespace: the verb and the arguments of the live call, references in the place of objects. */
export type Action =
  | { readonly verb: 'links.create'; readonly spec: Referring<LinkCreate> & { readonly kind: string } }
  | { readonly verb: 'links.update'; readonly link: PlanLinkRef; readonly change: Referring<LinkChange> }
  | { readonly verb: 'links.move'; readonly link: PlanLinkRef; readonly to: NamespaceRef; readonly options?: { readonly name?: string } }
  | { readonly verb: 'links.delete'; readonly link: PlanLinkRef }
  | {
      readonly verb: 'addresses.add' | 'addresses.replace' | 'addresses.delete'
      readonly link: PlanLinkRef
      readonly cidr: string
      readonly options?: AddressOptions
    }
  | { readonly verb: 'routes.add' | 'routes.replace' | 'routes.delete'; readonly route: Referring<RouteSpec> }
  | { readonly verb: 'neighbours.add' | 'neighbours.replace' | 'neighbours.delete'; readonly entry: Referring<NeighbourSpec> }
  | { readonly verb: 'rules.add' | 'rules.delete'; readonly rule: RuleSpec }
  | { readonly verb: 'sysctl.set'; readonly key: string; readonly value: string | number }

type OfVerb<V, A> = A extends { readonly verb: infer W } ? (V extends W ? A : never) : never
/** What is said with one verb. */
export type ActionOf<V extends Action['verb']> = OfVerb<V, Action>

export type Item = Action & {
  /** Number of the namespace that it is done in. */
  readonly in: number
  /** How errors call it: 'links[3]', the fourth of its group in the plan. */
  readonly path: string
}

/** By the items of a plan, which nobody changes: the verbs among them. Most plans have few, and what the others ask for need not be looked for. */
const known = new WeakMap<readonly Item[], ReadonlySet<Action['verb']>>()

export function verbsOf({ items }: Pick<PlanData, 'items'>): ReadonlySet<Action['verb']> {
  const verbs = known.get(items) ?? new Set(items.map(({ verb }) => verb))
  known.set(items, verbs)
  return verbs
}

export interface PlanData {
  /** Of every link that says none itself. */
  readonly ipv6: Ipv6Policy
  readonly namespaces: readonly NamespaceItem[]
  readonly items: readonly Item[]
  /** By item: the number of one that differs from it at most in names, MACs, IPv4 addresses, destinations, and in what it refers to (record-form.ts). */
  readonly patterns?: readonly number[]
}
