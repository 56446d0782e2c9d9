// What one explanation carries along: the packet, where to look, what has been found, and what is assumed to be cured.
import type { Link } from '../kernel/link-object.js'
import type { Cause, CauseKind, Cure, ExplainStep, FirewallPlace, Outcome, StepFacts, StepKind, Way } from './result.js'
import type { Translation } from './translation.js'
import type { Place, World } from './world.js'

/** Who may cut a packet that is too long: nobody, who sends it, or routers too. */
export type Fragmenting = 'never' | 'sender' | 'anywhere'

/** A packet, as it is at some point of its way. */
export interface Packet {
  readonly family: 4 | 6
  /** Undefined until the sender's route says it. */
  readonly from: string | undefined
  readonly to: string
  readonly protocol: number
  readonly sourcePort?: number
  readonly destinationPort?: number
  readonly icmpType?: number
  readonly icmpCode?: number
  /** Of the whole packet, in bytes. */
  readonly size: number
  readonly fragment: Fragmenting
  /** Of the connection. */
  readonly state: 'new' | 'established'
}

/** An address that a cure would give. */
export interface Assumed {
  readonly link: number
  readonly address: string
  readonly prefix: number
}
/** What goes with a packet besides its bytes, from hook to hook. */
export interface Noted {
  readonly mark?: number | 'unknown' | undefined
  readonly untracked: boolean
}
interface At {
  readonly place: Place
  readonly link?: Link | undefined
}
interface Drop {
  readonly kind: CauseKind
  readonly cures: readonly Cure[]
  readonly by?: FirewallPlace
  /** What tells it from others of its kind at the same link. */
  readonly about?: string
}

export class Walk {
  readonly world: World
  way: Way = 'there'
  readonly steps: ExplainStep[] = []
  readonly causes: Cause[] = []
  /** Who has learned whose MAC from being asked, as `${namespace} ${link} ${address}`. */
  readonly heard = new Set<string>()
  /** Packets as they first came to a namespace. */
  readonly origins = new Map<Place, Packet>()
  readonly translations = new Map<Place, Translation>()
  /** What rules of a namespace have made of the packet's mark and of conntrack's sight of it, as long as it is there. */
  readonly noted = new Map<Place, Noted>()
  readonly #assumed = new Map<Place, Assumed[]>()
  readonly #told = new Set<string>()

  constructor(world: World) {
    this.world = world
  }

  /** From here on the packet is the answer. */
  turn(): void {
    this.way = 'back'
    this.noted.clear()
  }

  step(kind: StepKind, { place, link }: At, text: string, outcome: Outcome = 'passes', facts?: StepFacts): void {
    const where = { namespace: place.label, ...(link && { link: link.name }) }
    this.steps.push({ way: this.way, kind, ...where, text, outcome, ...(facts && { facts }) })
  }

  /** Something drops the packet. The same thing may stand in both ways; it is one cause. */
  drop(step: StepKind, at: At, text: string, { kind, cures, by, about = '' }: Drop): void {
    this.step(step, at, text, 'dropped')
    const identity = JSON.stringify([kind, at.place.key, at.link?.index, about])
    if (this.#told.has(identity)) return
    this.#told.add(identity)
    const where = { namespace: at.place.info(), name: at.place.label, ...(at.link && { link: at.link.name }) }
    this.causes.push({ kind, way: this.way, where, text, cures, behind: this.causes.length > 0, ...(by && { by }) })
  }

  /** Conntrack keeps a connection's first packet as it was when it came. */
  meets(place: Place, packet: Packet): void {
    if (this.way === 'there' && !this.origins.has(place)) this.origins.set(place, packet)
  }

  /** From here on the namespace counts as having the address. */
  assume(place: Place, address: Assumed): void {
    this.#assumed.set(place, [...this.assumed(place), address])
  }
  assumed(place: Place): readonly Assumed[] {
    return this.#assumed.get(place) ?? []
  }
  /** The addresses that a namespace has, or would have once it is cured. */
  async addresses(place: Place, family: 4 | 6): Promise<readonly Assumed[]> {
    return [...(await place.addresses(family)), ...this.assumed(place)]
  }
}
