// What a planned namespace gets, as one job for the addon: messages and settings, written without waiting for anything.
import { isArgumentError } from '../codec/errors.js'
import type { Writer } from '../codec/writer.js'
import { sysctlPath } from '../namespace/names.js'
import { link as linkTable } from '../protocol/link.js'
import { requestFlags } from '../protocol/netlink.js'
import { rtm } from '../protocol/rtnetlink.js'
import { frame } from '../socket/frame.js'
import type { JobStep } from '../socket/native.js'
import type { AnyRequest, Context } from '../socket/request.js'
import type { Part, Step } from './compile.js'
import { asksForKind, type EntryItem, entryRequest, linksOf } from './compile-entry.js'
import {
  type CreateItem,
  createRequest,
  type End,
  endsOf,
  finishRequests,
  homeEnd,
  linkContext,
  policyOf,
  prefixed,
} from './compile-link.js'
import type { MadeLink, State } from './execute-state.js'
import type { PlanLinkRef } from './items.js'

export type PortStep = Extract<Step, { does: 'finish' }>
/** The index of a link that is there, if it is known by now. */
export type Known = (name: string) => number | undefined

/** What is known when something is said. */
export type Source = Pick<State, 'data' | 'item' | 'base' | 'existing' | 'made' | 'learn' | 'linkOf' | 'takeIndex' | 'skips'>

/** Takes what is said, in its order. */
export interface Sink {
  /** Words for errors, where there is somebody to read them. */
  context(item: CreateItem, end: End): Context
  /** `step` undefined: it is about the namespace itself. */
  message(step: Step | undefined, request: AnyRequest): void
  setting(step: Step, key: string, text: string): void
}

/** Bytes and settings of one namespace. */
export class JobWriter implements Sink {
  readonly #steps: JobStep[] = []
  readonly #writer: Writer
  #from: number
  #sequence = 0

  constructor(writer: Writer) {
    this.#writer = writer
    this.#from = writer.at
  }

  context(): Context {
    return wordless
  }

  message(_: Step | undefined, { type, flags = 0, codec, value }: AnyRequest): void {
    frame(this.#writer, type, flags | requestFlags.request, ++this.#sequence, codec, value)
  }

  setting(_: Step | undefined, key: string, text: string): void {
    this.#cut()
    this.#steps.push([key.startsWith('net/') ? `/proc/sys/${key}` : sysctlPath(key), text])
  }

  /** Good until the writer is used again. */
  end(): JobStep[] {
    this.#cut()
    return this.#steps
  }

  #cut(): void {
    if (this.#writer.at === this.#from) return
    this.#steps.push(this.#writer.bytes.subarray(this.#from, this.#writer.at))
    this.#from = this.#writer.at
  }
}
const wordless: Context = { operation: '' }

/** What was said to a job, for whoever has to find out what the kernel refused of it. */
export interface Said {
  /** The messages of one step of the job, or the one setting. */
  readonly messages: { readonly step: Step | undefined; readonly request: AnyRequest }[]
  readonly setting?: { readonly step: Step; readonly key: string; readonly text: string }
}
export class Rehearsal implements Sink {
  readonly said: Said[] = []
  readonly #namespace: string | undefined
  #sequence = 0
  readonly #firsts: number[] = []

  constructor(namespace: string | undefined) {
    this.#namespace = namespace
  }

  context(item: CreateItem, end: End): Context {
    return linkContext(item, end, this.#namespace)
  }

  message(step: Step | undefined, request: AnyRequest): void {
    const last = this.said.at(-1)
    this.#sequence++
    if (last && !last.setting) last.messages.push({ step, request })
    else {
      this.said.push({ messages: [{ step, request }] })
      this.#firsts[this.said.length - 1] = this.#sequence
    }
  }

  setting(step: Step, key: string, text: string): void {
    this.said.push({ messages: [], setting: { step, key, text } })
  }

  /** The sequence number of the first message of a step of the job. */
  firstOf(step: number): number {
    return this.#firsts[step] ?? 0
  }
}

/** A part as the steps of a job; undefined if it takes more than messages and settings, or something has to be asked first. */
export function partSteps(source: Source, part: Part, writer: Writer): JobStep[] | undefined {
  const sink = new JobWriter(writer)
  return attempt(() => sayPart(source, part, sink)) ? sink.end() : undefined
}

/** Setting ports up, all switches first; undefined as above. */
export function portSteps(source: Source, place: number, steps: readonly PortStep[], known: Known, writer: Writer): JobStep[] | undefined {
  const sink = new JobWriter(writer)
  return attempt(() => sayPorts(source, place, steps, known, sink)) ? sink.end() : undefined
}

/** What does not fit into a message is told of by those who have the words for it. */
export function attempt<T>(say: () => T): T | false {
  try {
    return say()
  } catch (error) {
    if (isArgumentError(error)) return false
    throw error
  }
}

const nobody: Known = () => undefined

/** Says everything that a part needs; false if that cannot be said yet. */
export function sayPart(state: Source, part: Part, sink: Sink): boolean {
  const { namespace } = part
  const planned = state.data.namespaces[namespace]!
  if ('make' in planned && planned.make.loopback)
    sink.message(undefined, {
      type: rtm.newLink,
      codec: linkTable,
      value: { index: 1, flags: { up: true } },
      context: { operation: 'update link', subject: 'lo', namespace: planned.make.name },
    })
  for (const step of part.steps) {
    if (state.skips(step.item)) return false
    const item = state.item(step.item)
    let said = false
    if (step.does === 'create') said = sayCreation(state, namespace, step, sink)
    else if (step.does === 'finish') said = sayRest(state, namespace, step, nobody, true, sink)
    else if (step.does === 'entry') said = sayEntry(state, namespace, step, sink)
    else if (step.does === 'sysctl' && item.verb === 'sysctl.set') {
      sink.setting(step, item.key, `${item.value}\n`)
      said = true
    }
    if (!said) return false
  }
  return true
}

export function sayPorts(state: Source, place: number, steps: readonly PortStep[], known: Known, sink: Sink): boolean {
  for (const step of steps) {
    const made = hasNoIpv6(state, step) ? state.made(step.item, step.peer) : undefined
    if (made?.name !== undefined) sink.setting(step, ipv6Switch(made.name), '1\n')
    else if (hasNoIpv6(state, step)) return false
  }
  return steps.every(step => sayRest(state, place, step, known, false, sink))
}

/** The setting that a port needs before it is up; null for none, undefined if it cannot be said. */
export function portSwitch(state: Source, step: PortStep): JobStep | null | undefined {
  if (!hasNoIpv6(state, step)) return null
  const name = state.made(step.item, step.peer)?.name
  return name === undefined ? undefined : [`/proc/sys/${ipv6Switch(name)}`, '1\n']
}

const hasNoIpv6 = (state: Source, { item, peer }: PortStep) =>
  policyOf(state.data, endsOf(state.item(item))[peer ? 1 : 0]!.fields) === 'none'

/** Where a link's IPv6 is switched off. */
export const ipv6Switch = (link: string) => `net/ipv6/conf/${link}/disable_ipv6`

function sayCreation(state: Source, namespace: number, step: Step, sink: Sink): boolean {
  const { data } = state
  const item = state.item(step.item) as CreateItem
  const ends = endsOf(item)
  const homeAt = homeEnd(data, item)
  const home = ends[homeAt]!
  const far = ends[1 - homeAt]
  const base = state.base
  if (base === undefined) return false
  // The descriptor of another planned namespace is opened when it is needed, and somebody may be waiting for its end there.
  if (far && far.in !== namespace && (!state.existing.has(far.in) || far.fields.name === undefined)) return false
  if (home.fields.index !== undefined || far?.fields.index !== undefined) return false
  const master = indexOf(state, namespace, home.fields.master, nobody)
  const lower = indexOf(state, namespace, item.spec.link, nobody)
  if (master === null || lower === null) return false
  const inside = far?.in === namespace
  const index = state.made(step.item, homeAt === 1)?.index ?? state.takeIndex(namespace, base)
  const farIndex = inside ? (state.made(step.item, homeAt === 0)?.index ?? state.takeIndex(namespace, base)) : undefined
  const { kind } = item.spec
  state.learn(step.item, homeAt === 1, linkOf(home, kind, index))
  if (far) state.learn(step.item, homeAt === 0, linkOf(far, kind, farIndex))
  const up = home.fields.up === true && policyOf(data, home.fields) === 'kernel'
  const other = far && { end: far, fd: inside ? undefined : state.existing.get(far.in)!.handle.fd, index: farIndex }
  sink.message(step, createRequest({ item, home, index, master, lower, up, other, context: sink.context(item, home) }))
  return true
}

function linkOf({ in: place, fields: { name } }: End, kind: string, index: number | undefined): MadeLink {
  return { in: place, kind, ...(index !== undefined && { index }), ...(name !== undefined && { name }) }
}

/** What an end needs once it is there. `switches`: the IPv6 switch is among it. */
function sayRest(state: Source, place: number, step: PortStep, known: Known, switches: boolean, sink: Sink): boolean {
  const { data } = state
  const item = state.item(step.item) as CreateItem
  const end = endsOf(item)[step.peer ? 1 : 0]!
  const made = state.made(step.item, step.peer)
  if (!made) return false
  const key = made.index === undefined ? (made.name === undefined ? undefined : { ifname: made.name }) : { index: made.index }
  const master = indexOf(state, place, end.fields.master, known)
  if (!key || master === null) return false
  const policy = policyOf(data, end.fields)
  if (policy === 'none' && switches) {
    if (made.name === undefined) return false
    sink.setting(step, ipv6Switch(made.name), '1\n')
  }
  const late = homeEnd(data, item) !== (step.peer ? 1 : 0)
  const context = { ...sink.context(item, end), field: prefixed(item.spec.kind, end) }
  for (const request of finishRequests(end, key, policy, late, master, context)) sink.message(step, request)
  return true
}

function sayEntry(state: Source, namespace: number, step: Step, sink: Sink): boolean {
  const planned = state.data.namespaces[namespace]!
  const item = state.item(step.item) as EntryItem
  const indexes: number[] = []
  let kind: string | undefined
  for (const { ref } of linksOf(item)) {
    const index = indexOf(state, namespace, ref, nobody)
    if (index == null) return false
    indexes.push(index)
    kind ??= state.linkOf(ref, namespace)?.kind
  }
  const noDad = asksForKind(item) && kind === 'veth'
  sink.message(step, entryRequest(item, indexes, 'make' in planned ? planned.make.name : undefined, noDad))
  return true
}

/** Null if it is not known. */
function indexOf(state: Source, namespace: number, ref: PlanLinkRef | undefined, known: Known): number | null | undefined {
  if (ref === undefined) return undefined
  const made = state.linkOf(ref, namespace)
  if (made) return made.failed === undefined ? (made.index ?? null) : null
  if (typeof ref === 'number') return ref
  if (ref === 'lo') return 1
  return typeof ref === 'string' ? (known(ref) ?? null) : null
}
