// Jobs of parts, most of them out of moulds: what is like something before is not said anew.
import { Writer } from '../codec/writer.js'
import { namePath } from '../namespace/info.js'
import { renumber } from '../socket/frame.js'
import type { Job, JobStep } from '../socket/native.js'
import type { Part } from './compile.js'
import { endsOf } from './compile-link.js'
import { attempt, type Known, type PortStep, partSteps, portSteps, portSwitch, type Source } from './execute-job.js'
import { Mould, type Say } from './execute-mould.js'
import type { MadeLink, State } from './execute-state.js'
import type { Item, PlanLinkRef } from './items.js'

/** Moulds that are kept: one for each length of names, and each network. */
const mostMoulds = 8
/** When so many more have been made than were of use, the plan has no pattern. */
const patience = 16

export class Moulds {
  readonly #state: State
  readonly #parts: PartMould[] = []
  readonly #ports: Mould[] = []
  #useless = { parts: 0, ports: 0 }

  constructor(state: State) {
    this.#state = state
  }

  /** The job of a part; undefined if it takes more than messages and settings, or something has to be asked first. */
  job(part: Part, writer: Writer): Job | undefined {
    const state = this.#state
    const planned = state.data.namespaces[part.namespace]!
    if (!part.make || !('make' in planned) || planned.make.name === undefined) return undefined
    const target = namePath(planned.make.name)
    const known = this.#cast(part, writer)
    if (known) return [target, ...known]
    const mark = state.indexMark(part.namespace)
    const fresh = state.isFresh(part.namespace)
    const steps = partSteps(state, part, writer)
    if (!steps) {
      state.resetIndexes(part.namespace, mark)
      return undefined
    }
    if (fresh && this.#useless.parts < patience) {
      this.#useless.parts++
      const mould = PartMould.make(state, part)
      if (mould) keep(this.#parts, mould)
    }
    return [target, ...steps]
  }

  /** The job that sets ports up, all switches first; undefined as above. */
  ports(place: number, steps: readonly PortStep[], known: Known, writer: Writer): Job | undefined {
    const all = this.#portSteps(place, steps, known, writer) ?? portSteps(this.#state, place, steps, known, writer)
    return all && [this.#state.existing.get(place)!.handle, ...all]
  }

  #cast(part: Part, writer: Writer): JobStep[] | undefined {
    const state = this.#state
    if (this.#parts.length === 0 || !state.isFresh(part.namespace) || part.steps.some(({ item }) => state.skips(item))) return undefined
    for (const mould of this.#parts) {
      const steps = attempt(() => mould.cast(state, part, writer))
      if (!steps) continue
      this.#useless.parts = 0
      return steps
    }
    return undefined
  }

  /** Port by port, the switches in front. */
  #portSteps(place: number, steps: readonly PortStep[], known: Known, writer: Writer): JobStep[] | undefined {
    const state = this.#state
    const settings: JobStep[] = []
    const from = writer.at
    let sequence = 1
    for (const step of steps) {
      const made = state.made(step.item, step.peer)
      // Only its own fields say how it is called.
      const named = made && made.index === undefined && made.name === endOf(state, step).fields.name
      const said = named && !state.skips(step.item) ? this.#port(place, step, known, writer) : undefined
      const setting = portSwitch(state, step)
      if (!said || setting === undefined) return undefined
      if (setting) settings.push(setting)
      for (const one of said) if (one instanceof Uint8Array) sequence = renumber(one, sequence)
    }
    return [...settings, ...(writer.at > from ? [writer.bytes.subarray(from, writer.at)] : [])]
  }

  /** Only the messages. */
  #port(place: number, step: PortStep, known: Known, writer: Writer): JobStep[] | undefined {
    const state = this.#state
    const own = [step]
    // Ports are said from the other side: that is what differs between those that are alike.
    const { in: inside } = state.item(step.item)
    for (const mould of this.#ports) {
      const said = attempt(() => mould.fill(own, state.data, inside, writer))
      if (!said) continue
      this.#useless.ports = 0
      return said
    }
    const messages = (source: Source, to: Writer) => portSteps(source, place, own, known, to)?.filter(one => one instanceof Uint8Array)
    if (this.#useless.ports < patience) {
      this.#useless.ports++
      const say: Say = itemOf => messages(new Trial(state, itemOf), new Writer(256))
      const mould = Mould.make(own, state.data, inside, say)
      if (mould) keep(this.#ports, mould)
    }
    return messages(state, writer)
  }
}

const endOf = (state: State, { item, peer }: PortStep) => endsOf(state.item(item))[peer ? 1 : 0]!

function keep<T>(moulds: T[], mould: T): void {
  moulds.unshift(mould)
  if (moulds.length > mostMoulds) moulds.pop()
}

type MadeEnd = readonly [step: number, peer: boolean, index: number | undefined]
/** A mould of a part, with the links that it makes. */
class PartMould {
  readonly #mould: Mould
  readonly #loopback: boolean
  /** By step: the indexes of the ends that it makes. */
  readonly #made: readonly MadeEnd[]
  readonly #next: number | undefined

  private constructor(mould: Mould, loopback: boolean, made: readonly MadeEnd[], next: number | undefined) {
    this.#mould = mould
    this.#loopback = loopback
    this.#made = made
    this.#next = next
  }

  static make(state: State, part: Part): PartMould | undefined {
    let first: Trial | undefined
    const say: Say = itemOf => {
      const trial = new Trial(state, itemOf)
      first ??= trial
      return partSteps(trial, part, new Writer(1024))
    }
    const mould = Mould.make(part.steps, state.data, part.namespace, say)
    if (!mould || !first) return undefined
    const made = [...first.learned.values()].map(
      ({ item, peer, link }) => [part.steps.findIndex(step => step.item === item), peer, link.index] as const,
    )
    return new PartMould(mould, loopbackOf(state, part), made, first.next.get(part.namespace))
  }

  cast(state: State, part: Part, writer: Writer): JobStep[] | undefined {
    if (loopbackOf(state, part) !== this.#loopback) return undefined
    const steps = this.#mould.fill(part.steps, state.data, part.namespace, writer)
    if (!steps) return undefined
    for (let i = 0; i < this.#made.length; i++) {
      const [step, peer, index] = this.#made[i]!
      const { item } = part.steps[step]!
      const made = state.item(item)
      const end = endsOf(made)[peer ? 1 : 0]!
      const { name } = end.fields
      const { kind } = (made as { readonly spec: { readonly kind: string } }).spec
      state.learn(item, peer, { in: end.in, kind, ...(index !== undefined && { index }), ...(name !== undefined && { name }) })
    }
    state.resetIndexes(part.namespace, this.#next)
    return steps
  }
}

const loopbackOf = ({ data }: State, { namespace }: Part): boolean => {
  const planned = data.namespaces[namespace]!
  return 'make' in planned && planned.make.loopback === true
}

/** What is known, with other items in the place of the plan's, and nothing of it written down. */
class Trial implements Source {
  readonly data: State['data']
  readonly base: State['base']
  readonly existing: State['existing']
  readonly item: (number: number) => Item
  readonly learned = new Map<number, { readonly item: number; readonly peer: boolean; readonly link: MadeLink }>()
  readonly next = new Map<number, number>()
  readonly #state: State

  constructor(state: State, itemOf: (number: number) => Item) {
    this.#state = state
    this.data = state.data
    this.base = state.base
    this.existing = state.existing
    this.item = itemOf
  }

  skips(): boolean {
    return false
  }

  takeIndex(namespace: number, base: number): number {
    const index = this.next.get(namespace) ?? base
    this.next.set(namespace, index + 1)
    return index
  }

  learn(item: number, peer: boolean, link: MadeLink): void {
    this.learned.set(item * 2 + (peer ? 1 : 0), { item, peer, link })
  }

  made(item: number, peer: boolean): MadeLink | undefined {
    const learned = this.learned.get(item * 2 + (peer ? 1 : 0))
    if (learned) return learned.link
    const known = this.#state.made(item, peer)
    const name = endsOf(this.item(item))[peer ? 1 : 0]?.fields.name
    return known && name !== undefined ? { ...known, name } : known
  }

  linkOf(ref: PlanLinkRef, namespace: number): MadeLink | undefined {
    if (typeof ref === 'object') return this.made(ref.item, ref.peer === true)
    for (const { link } of this.learned.values()) if (link.in === namespace && link.name === ref) return link
    return this.#state.linkOf(ref, namespace)
  }
}
