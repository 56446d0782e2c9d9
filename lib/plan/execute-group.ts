// Namespaces of a plan in groups: one call to the addon makes and furnishes as many as a group has, and sets their bridge ports up.
import { Writer } from '../codec/writer.js'
import { tellNumber } from '../kernel/nsid.js'
import { namespaceDevice, namespaceInfo } from '../namespace/info.js'
import { notMade, notSet, perform } from '../namespace/jobs.js'
import { systemError } from '../socket/error.js'
import type { Job, JobStep, JobTelling, NamespaceHandle, Performed } from '../socket/native.js'
import type { Part } from './compile.js'
import { type Known, type PortStep, Rehearsal, sayPart, sayPorts } from './execute-job.js'
import type { Moulds } from './execute-moulds.js'
import { answered, carriedOut } from './execute-outcome.js'
import { Run } from './execute-run.js'
import type { State } from './execute-state.js'
import { Stock } from './execute-stock.js'

/** Namespaces made by one call: bounds the memory, and the time until the next look at the signal. */
export const groupSize = 32
/** The first ones, for whose messages the kernel waits, and with which code begins to run that has not run yet. */
const firstSize = 4
/**
 * So many namespaces get numbers in which the kernel finds the last ones first. With fewer, telling the kernel takes as long as it spares; those keep the numbers that it
 * gives by itself, from 0.
 */
export const leastNumbered = 1_000

/** What groups need of the phase that they belong to. */
export interface Surroundings {
  readonly moulds: Moulds
  look(): void
  /** Ports that groups leave to the exact way. */
  ports(place: number, steps: readonly PortStep[]): void
  known(place: number): Known
}

interface Group {
  readonly parts: Part[]
  readonly jobs: Job[]
  readonly marks: (number | undefined)[]
  /** Namespaces that were there without a name. */
  readonly made: NamespaceHandle[]
  readonly ports: { readonly place: number; readonly steps: PortStep[]; readonly job: Job | undefined }[]
}

/** Does parts in groups from `from` on, until one takes more than that; gives how many. */
export async function runGroups(state: State, parts: readonly Part[], from: number, around: Surroundings): Promise<number> {
  const writer = new Writer(64 * 1024)
  const first = gather(state, parts, from, around, writer, firstSize)
  if (first.parts.length === 0) return 0
  await state.prepareNames()
  const device = await namespaceDevice()
  const more = parts.length - from - first.parts.length
  const stock = state.threads > 1 && more > 0 ? new Stock(more) : undefined
  let done = 0
  try {
    let running = begin(state, first, around)
    for (let group = first; group.parts.length > 0; ) {
      // Written while the addon is at work, over the bytes that it has taken already.
      let next = gather(state, parts, from + done + group.parts.length, around, writer)
      const performed = await running
      const isWhole = performed.done === jobsOf(group).length
      // Writing down what was done keeps the kernel from nothing.
      if (isWhole && next.parts.length > 0) running = begin(state, next, around, stock)
      for (const handle of group.made) handle.close()
      const handled = await settle(state, group, performed, device, around)
      done += handled
      if (!isWhole) {
        release(state, next)
        release(state, group, handled)
        next = gather(state, parts, from + done, around, writer)
        if (next.parts.length > 0) running = begin(state, next, around, stock)
      }
      group = next
    }
    return done
  } finally {
    await stock?.close()
  }
}

const jobsOf = ({ jobs, ports }: Group): readonly Job[] => [...jobs, ...ports.flatMap(({ job }) => (job ? [job] : []))]

/** Gives the bytes to the addon before it returns. Rejects, and does nothing, if the plan is to end. */
function begin(state: State, group: Group, around: Surroundings, stock?: Stock): Promise<Performed> {
  // Up to its first await an async function runs at once.
  const beginning = async () => {
    around.look()
    if (stock) takeFrom(stock, group)
    return perform(jobsOf(group), state.mark)
  }
  const running = beginning()
  // Whoever awaits it hears of that, when what was done before has been written down.
  running.catch(() => undefined)
  return running
}

/** Namespaces that are there already get the names. */
function takeFrom(stock: Stock, { jobs, made }: Group): void {
  for (let i = 0; i < jobs.length; i++) {
    const handle = stock.take()
    if (!handle) break
    made.push(handle)
    const [path, ...steps] = jobs[i] as [string, ...(JobStep | JobTelling)[]]
    jobs[i] = [[handle, path], ...steps]
  }
  stock.next(jobs.length - made.length)
}

function gather(state: State, parts: readonly Part[], from: number, around: Surroundings, writer: Writer, most = groupSize): Group {
  const group: Group = { parts: [], jobs: [], marks: [], made: [], ports: [] }
  const isNumbered = parts.length >= leastNumbered
  writer.at = 0
  for (let at = from; at < parts.length && group.parts.length < most; at++) {
    const part = parts[at]!
    const mark = state.indexMark(part.namespace)
    const job = around.moulds.job(part, writer)
    if (!job) break
    group.parts.push(part)
    group.jobs.push(isNumbered ? numbered(state, part, job, writer) : job)
    group.marks.push(mark)
  }
  const places = new Map<number, PortStep[]>()
  for (const { ports } of group.parts)
    for (const { in: place, step } of ports) {
      const there = places.get(place)
      if (there) there.push(step as PortStep)
      else places.set(place, [step as PortStep])
    }
  for (const [place, steps] of places)
    group.ports.push({ place, steps, job: around.moulds.ports(place, steps, around.known(place), writer) })
  return group
}

/** Before the kernel tells of the port for the first time, and so gives the namespace a number. */
function numbered(state: State, { ports: [first] }: Part, job: Job, writer: Writer): Job {
  const scope = first && state.existing.get(first.in)
  if (!scope) return job
  const [target, ...steps] = job
  return [target, [scope.handle, tellNumber(writer)], ...steps]
}

/** Indexes of links that have not been made are free again. */
function release(state: State, { parts, marks }: Group, from = 0): void {
  for (let i = from; i < parts.length; i++) state.resetIndexes(parts[i]!.namespace, marks[i])
}

/** Writes down what was done; gives how many parts have been dealt with. */
async function settle(state: State, group: Group, performed: Performed, device: number, around: Surroundings): Promise<number> {
  const { parts, ports } = group
  const { done, made, step, error } = performed
  made.forEach((inode, i) => {
    const { namespace } = parts[i]!
    state.namespaces[namespace] = { info: infoOf(state, namespace, device, inode) }
  })
  for (let i = 0; i < done && i < parts.length; i++) succeeded(state, parts[i]!)
  if (done < parts.length) {
    // Whatever the group would have done with the ports of those before it.
    for (const part of parts.slice(0, done)) for (const { in: place, step: port } of part.ports) around.ports(place, [port as PortStep])
    // The addon's thread has come to its end before its time: the next call is for another.
    if (step === undefined) return done
    const part = parts[done]!
    if (step === -1) await refused(state, part, error!)
    else await recover(state, part, step, performed, around)
    return done + 1
  }
  let at = parts.length
  for (const { place, steps, job } of ports) {
    if (job && at++ < done) continue
    if (job && at - 1 === done && performed.answer) await recoverPorts(state, place, steps, performed, around)
    else around.ports(place, steps)
  }
  return parts.length
}

function infoOf(state: State, number: number, device: number, inode: number) {
  const { name } = (state.data.namespaces[number] as { readonly make: { readonly name: string } }).make
  return namespaceInfo({ device, inode, name, path: `/run/netns/${name}` })
}

function succeeded(state: State, { steps }: Part): void {
  let count = 1
  for (let i = 0; i < steps.length; i++) {
    const { does, item } = steps[i]!
    if (does !== 'finish') count++
    if (does === 'create') state.expect(item)
  }
  state.progress.add(count)
}

async function refused(state: State, part: Part, error: NonNullable<Performed['error']>): Promise<void> {
  const { name } = (state.data.namespaces[part.namespace] as { readonly make: { readonly name: string } }).make
  const known = await notMade(error, name)
  state.failNamespace(part.namespace, known)
  for (const { item } of part.steps) state.fail(item, known)
}

/** Finds out what was refused, and does the rest of the part as far as it can be done. */
async function recover(state: State, part: Part, step: number, { error, answer }: Performed, around: Surroundings): Promise<void> {
  const scope = await state.open(part.namespace)
  try {
    const rehearsal = new Rehearsal(scope.label)
    sayPart(state, part, rehearsal)
    const place = { state, number: part.namespace, scope }
    for (const { messages } of rehearsal.said.slice(0, step)) carriedOut(place, messages)
    const { messages, setting } = rehearsal.said[step]!
    const last = setting?.step ?? messages.at(-1)?.step
    if (setting && error) state.fail(setting.step.item, notSet(error, setting.key, setting.text.trimEnd(), scope.label))
    else if (answer) await answered(place, messages, answer, rehearsal.firstOf(step))
    else throw systemError(error, { operation: 'apply plan', namespace: scope.label })
    await new Run(state, part.namespace, scope).steps(part.steps.slice(last ? part.steps.indexOf(last) + 1 : 0))
    state.progress.add()
    for (const { in: host, step: port } of part.ports) around.ports(host, [port as PortStep])
  } finally {
    scope.close()
  }
}

async function recoverPorts(
  state: State,
  place: number,
  steps: readonly PortStep[],
  performed: Performed,
  around: Surroundings,
): Promise<void> {
  const scope = state.existing.get(place)!
  const rehearsal = new Rehearsal(scope.label)
  sayPorts(state, place, steps, around.known(place), rehearsal)
  const at = performed.step ?? 0
  await answered({ state, number: place, scope }, rehearsal.said[at]!.messages, performed.answer!, rehearsal.firstOf(at))
}
