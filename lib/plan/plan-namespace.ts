// A namespace of a plan: the verbs of the live one, which here write a step down.
import type { AddressOptions } from '../kernel/address-object.js'
import type { Kind } from '../kernel/link-kinds.js'
import type { LinkChange, LinkCreateOf, OtherKind } from '../kernel/link-request.js'
import type { NeighbourSpec } from '../kernel/neighbours.js'
import type { NexthopSpec, RouteSpec } from '../kernel/route-request.js'
import type { RuleSpec } from '../kernel/rules.js'
import type { NamespaceRef } from './items.js'
import { type AnyLink, type AnyNamespace, origin, type PlanLink, type PlannedNamespace, type Recorder } from './record.js'

/** The argument of a live call, with links and namespaces of the plan wherever there may be others. */
type Widened<T> = {
  [P in keyof T]: P extends 'link' | 'master'
    ? T[P] | PlanLink
    : P extends 'namespace'
      ? AnyNamespace
      : P extends 'peer'
        ? Widened<NonNullable<T[P]>>
        : P extends 'nexthops'
          ? readonly Widened<NexthopSpec>[]
          : T[P]
}
/** What links.create() takes in a plan. */
export type PlanLinkCreate<K extends Kind | OtherKind> = Widened<LinkCreateOf<K>>
/** What links.create() gives in a plan: a veth has its other end as `peer`. */
export type PlannedLink<K extends Kind | OtherKind> = PlanLink & (K extends 'veth' ? { readonly peer: PlanLink } : unknown)
export type PlanRoute = Widened<RouteSpec>
export type PlanNeighbour = Widened<NeighbourSpec>
export type PlanLinkChange = Widened<LinkChange>

/** Records steps in one namespace. */
class Verbs {
  protected readonly recorder: Recorder
  protected readonly here: NamespaceRef

  constructor(recorder: Recorder, here: NamespaceRef) {
    this.recorder = recorder
    this.here = here
  }
}

class PlanLinks extends Verbs {
  /** Makes a link. What it gives stands for the link in the rest of the plan. */
  create<const K extends Kind | OtherKind>(spec: { readonly kind: K } & PlanLinkCreate<K>): PlannedLink<K> {
    const { recorder } = this
    const item = recorder.say(this.here.number, { verb: 'links.create', spec })
    return (spec.kind === 'veth' ? recorder.planPair(item) : recorder.planLink(item)) as PlannedLink<K>
  }

  /** Changes what is given, and that only. */
  update(link: AnyLink, change: PlanLinkChange): void {
    this.recorder.say(this.here.number, { verb: 'links.update', link, change })
  }

  /** Moves a link to another namespace. Costs some 20 ms each time: rather make it there (`namespace`, `peer.namespace`). */
  move(link: AnyLink, to: AnyNamespace, options?: { readonly name?: string }): void {
    this.recorder.say(this.here.number, { verb: 'links.move', link, to, ...(options !== undefined && { options }) })
  }

  /** Removes a link; of a veth both ends. */
  delete(link: AnyLink): void {
    this.recorder.say(this.here.number, { verb: 'links.delete', link })
  }
}

class PlanAddresses extends Verbs {
  /** Gives a link an address: `add('eth0', '10.0.1.2/24')`. */
  add(link: AnyLink, cidr: string, options?: AddressOptions): void {
    this.#put('addresses.add', link, cidr, options)
  }

  /** As add, and changes an address that is there already. */
  replace(link: AnyLink, cidr: string, options?: AddressOptions): void {
    this.#put('addresses.replace', link, cidr, options)
  }

  /** Takes an address from a link. */
  delete(link: AnyLink, cidr: string, options?: Pick<AddressOptions, 'peer'>): void {
    this.#put('addresses.delete', link, cidr, options)
  }

  #put(verb: 'addresses.add' | 'addresses.replace' | 'addresses.delete', link: AnyLink, cidr: string, options?: AddressOptions): void {
    this.recorder.say(this.here.number, options === undefined ? { verb, link, cidr } : { verb, link, cidr, options })
  }
}

class PlanRoutes extends Verbs {
  /** Adds a route: `add({ to: 'default', via: '10.0.1.1' })`. */
  add(route: PlanRoute): void {
    this.#put('routes.add', route)
  }

  /** As add, in place of the route to the same prefix with the same metric, if there is one. */
  replace(route: PlanRoute): void {
    this.#put('routes.replace', route)
  }

  /** Removes the route that fits all that is given. */
  delete(route: PlanRoute): void {
    this.#put('routes.delete', route)
  }

  #put(verb: 'routes.add' | 'routes.replace' | 'routes.delete', route: PlanRoute): void {
    this.recorder.say(this.here.number, { verb, route })
  }
}

class PlanNeighbours extends Verbs {
  /** Adds an entry, by default a permanent one. */
  add(entry: PlanNeighbour): void {
    this.#put('neighbours.add', entry)
  }

  /** As add, and changes the MAC and the state of an entry that is there already. */
  replace(entry: PlanNeighbour): void {
    this.#put('neighbours.replace', entry)
  }

  /** Removes the entry of an address on a link. */
  delete(entry: PlanNeighbour): void {
    this.#put('neighbours.delete', entry)
  }

  #put(verb: 'neighbours.add' | 'neighbours.replace' | 'neighbours.delete', entry: PlanNeighbour): void {
    this.recorder.say(this.here.number, { verb, entry })
  }
}

class PlanRules extends Verbs {
  /** Adds a rule: `add({ from: '10.0.1.0/24', table: 100 })`. */
  add(rule: RuleSpec): void {
    this.recorder.say(this.here.number, { verb: 'rules.add', rule })
  }

  /** Removes the first rule that fits all that is given. */
  delete(rule: RuleSpec): void {
    this.recorder.say(this.here.number, { verb: 'rules.delete', rule })
  }
}

class PlanSysctl extends Verbs {
  /** Changes a kernel setting of the namespace: `set('net.ipv4.ip_forward', 1)`. */
  set(key: string, value: string | number): void {
    this.recorder.say(this.here.number, { verb: 'sysctl.set', key, value })
  }
}

/** A namespace of a plan. Its verbs are those of a Namespace; they write steps down and do nothing yet. */
export class PlanNamespace implements PlannedNamespace {
  readonly planned = 'namespace'
  /** @internal */
  readonly [origin]: { readonly recorder: Recorder; readonly ref: NamespaceRef }

  /** @internal */
  constructor(recorder: Recorder, ref: NamespaceRef) {
    this[origin] = { recorder, ref }
  }

  /** Its place in the plan. */
  get number(): number {
    return this[origin].ref.number
  }

  // Made when they are asked for: a plan has thousands of namespaces.
  get links(): PlanLinks {
    return this.#verbs(PlanLinks)
  }
  get addresses(): PlanAddresses {
    return this.#verbs(PlanAddresses)
  }
  get routes(): PlanRoutes {
    return this.#verbs(PlanRoutes)
  }
  get neighbours(): PlanNeighbours {
    return this.#verbs(PlanNeighbours)
  }
  get rules(): PlanRules {
    return this.#verbs(PlanRules)
  }
  get sysctl(): PlanSysctl {
    return this.#verbs(PlanSysctl)
  }

  #verbs<V>(kind: new (recorder: Recorder, here: NamespaceRef) => V): V {
    const { recorder, ref } = this[origin]
    return new kind(recorder, ref)
  }
}
