// What became of messages in one namespace: what has been done is written down, what was refused is explained.
import { Writer } from '../codec/writer.js'
import { blame } from '../kernel/link-blame.js'
import type { RawLink, Scope } from '../kernel/scope.js'
import type { NetloomError } from '../socket/error.js'
import { encode } from '../socket/frame.js'
import { readOutcomes } from '../socket/outcomes.js'
import type { AnyRequest, Outcome } from '../socket/request.js'
import type { Step } from './compile.js'
import { type EntryItem, explainEntry } from './compile-entry.js'
import { type CreateItem, type End, endsOf, homeEnd } from './compile-link.js'
import type { State } from './execute-state.js'
import type { Note } from './journal.js'

/** Where the messages are for: an open namespace of the plan. */
export interface Place {
  readonly state: State
  readonly number: number
  readonly scope: Scope
}
export interface Pending {
  /** Undefined: it is about the namespace itself. */
  readonly item: number | undefined
  readonly request: AnyRequest
  /** When it has succeeded, with the link that was asked for. */
  readonly succeeded?: ((link: RawLink | undefined) => void) | undefined
  /** Finds out what exactly was refused. */
  readonly explain?: ((error: NetloomError) => Promise<unknown>) | undefined
  /** Of an entry that only we can take away. */
  readonly note?: Note | undefined
}
/** A message that was sent for a step; undefined: for the namespace itself. */
export interface Message {
  readonly step: Step | undefined
  readonly request: AnyRequest
}

export async function settle({ state, number }: Place, pending: readonly Pending[], outcomes: readonly Outcome<RawLink>[]): Promise<void> {
  const refused: { item: number | undefined; error: unknown }[] = []
  // What has been done is written down before anybody hears of what has not.
  for (const [i, { error, objects }] of outcomes.entries()) {
    const { item, succeeded, explain } = pending[i]!
    const known = refused.some(one => one.item === item)
    // After a refusal the link that a name leads to is somebody else's.
    if (!error && !known) succeeded?.(objects[0])
    else if (error && !known) refused.push({ item, error: explain ? await explain(error) : error })
  }
  for (const { item, error } of refused) {
    if (item === undefined) state.failNamespace(number, error)
    else state.fail(item, error)
  }
}

/** Takes note of messages that somebody else has sent: all of them were carried out. */
export function carriedOut(place: Place, messages: readonly Message[]): void {
  for (const message of messages) pendingOf(place, message).succeeded?.(undefined)
}

/** Takes note of messages that somebody else has sent, with numbers from `first` on, and of what the kernel answered. */
export async function answered(place: Place, messages: readonly Message[], answer: Uint8Array, first: number): Promise<void> {
  const requests = messages.map(({ request }) => request)
  const writer = new Writer()
  const starts = requests.map((request, i) => encode(writer, request, request.flags ?? 0, first + i))
  const outcomes = readOutcomes(requests, { bytes: writer.copy(), starts, first }, answer)
  const pending = messages.map(message => pendingOf(place, message))
  await settle(place, pending, outcomes)
}

function pendingOf(place: Place, { step, request }: Message): Pending {
  if (!step) return { item: undefined, request }
  const { state } = place
  const { item: number } = step
  const item = state.data.items[number]!
  const add = () => state.progress.add()
  if (step.does === 'entry') return { item: number, request, explain: explainEntry(item as EntryItem), succeeded: add }
  const ends = endsOf(item)
  if (step.does === 'finish') {
    const made = state.made(number, step.peer)
    return { item: number, request, explain: error => explainLink(place, error, ends[step.peer ? 1 : 0]!, undefined, made?.index) }
  }
  const homeAt = homeEnd(state.data, item as CreateItem)
  const succeeded = () => {
    add()
    state.expect(number)
  }
  return { item: number, request, explain: error => explainLink(place, error, ends[homeAt]!, ends[1 - homeAt]), succeeded }
}

/** Which field of a link the kernel means. */
export async function explainLink(
  { state, number, scope }: Place,
  error: NetloomError,
  home: End,
  far: End | undefined,
  index?: number,
): Promise<unknown> {
  const suspects = []
  const opened = []
  for (const end of far ? [home, far] : [home]) {
    const used = end.in === number ? { scope, close: () => undefined } : await state.use(end.in)
    opened.push(used)
    const { master: _, ...fields } = end.fields
    suspects.push({ scope: used.scope, fields, path: end.path, ...(index !== undefined && { index }) })
  }
  try {
    return await blame(error, suspects)
  } finally {
    for (const one of opened) one.close()
  }
}
