// Adds entries that are like one another in a namespace that is there: said by one mould, noted in one line, sent while the next are being said.
import { Writer } from '../codec/writer.js'
import { requestFlags } from '../protocol/netlink.js'
import { frame } from '../socket/frame.js'
import type { AnyRequest, Refusal } from '../socket/request.js'
import type { Step } from './compile.js'
import { type EntryItem, entryRequest, explainEntry, type Indexes } from './compile-entry.js'
import { attempt } from './execute-job.js'
import { Mould, type Say } from './execute-mould.js'
import type { Place } from './execute-outcome.js'
import { type SeriesNote, seriesValue } from './series.js'
import { entriesBefore, keyOfItem, sortOf } from './undo-before.js'
import { unheardEntries } from './unheard.js'

type EntryStep = Extract<Step, { does: 'entry' }>
/** Entries in one exchange: bounds the memory, and the time that the event loop waits. */
const mostAtOnce = 1024
/** Fewer are not worth a mould. */
export const leastInSeries = 16

/** What all entries of a series have in common. */
export interface Common {
  /** The links that they name. */
  readonly indexes: Indexes
  /** They would not go with a link of the plan, so that somebody has to take them back. */
  readonly stays: boolean
}
interface Chunk {
  readonly members: readonly number[]
  readonly bytes: Uint8Array
  readonly starts: readonly number[]
  readonly note: SeriesNote | undefined
}
interface Sent {
  readonly chunk: Chunk
  readonly answer: Promise<Refusal[]>
}

/** How many steps from there on are said with the verb of the first, one that makes series. */
export function seriesLength(items: readonly { readonly verb: string }[], steps: readonly Step[], from: number): number {
  const { verb } = items[steps[from]!.item]!
  if (seriesValue(items[steps[from]!.item] as EntryItem) === undefined) return 0
  let to = from + 1
  while (to < steps.length && steps[to]!.does === 'entry' && items[steps[to]!.item]!.verb === verb) to++
  return to - from
}

/** Adds as many entries as are like the first; gives how many steps that was. */
export async function addSeries(place: Place, steps: readonly EntryStep[], common: Common): Promise<number> {
  const { state, number, scope } = place
  const first = state.data.items[steps[0]!.item] as EntryItem
  const requestOf = (item: EntryItem): AnyRequest => entryRequest(item, common.indexes, scope.label)
  const say: Say = itemOf => {
    const writer = new Writer(128)
    const { type, flags = 0, codec, value } = requestOf(itemOf(steps[0]!.item) as EntryItem)
    const said = attempt(() => frame(writer, type, flags | requestFlags.request, 0, codec, value) >= 0)
    return said ? [writer.copy()] : undefined
  }
  const mould = Mould.make(steps.slice(0, 1), state.data, number, say)
  if (!mould) return 0
  const known = common.stays ? await entriesBefore(state, scope, first) : undefined
  const connection = await scope.connection()
  const writer = new Writer(64 * 1024)

  const gather = (from: number): Chunk => {
    const members: number[] = []
    const starts: number[] = []
    const values: string[] = []
    const before: [number, readonly unknown[]][] = []
    writer.at = 0
    for (let at = from; at < steps.length && members.length < mostAtOnce; at++) {
      const step = steps[at]!
      if (state.skips(step.item)) break
      const start = writer.at
      if (!mould.fill([step], state.data, number, writer)) break
      starts.push(start)
      members.push(step.item)
      const item = state.data.items[step.item] as EntryItem
      values.push(seriesValue(item)!)
      const there = known?.byKey.size ? known.byKey.get(keyOfItem(item, common.indexes)) : undefined
      if (there) before.push([values.length - 1, there])
    }
    const note: SeriesNote | undefined = known && {
      note: 'series',
      in: number,
      sort: sortOf(first),
      item: first,
      indexes: common.indexes,
      values,
      before,
    }
    return { members, bytes: writer.copy(), starts, note }
  }
  const send = async ({ members, bytes, starts, note }: Chunk): Promise<Refusal[]> => {
    try {
      return await connection.batchWritten(bytes, starts, i => requestOf(state.data.items[members[i]!] as EntryItem))
    } catch (error) {
      // The answer is lost, and with it what has been done.
      if (note) state.done.push(...unheardEntries([note]))
      throw error
    }
  }
  const settle = async ({ chunk: { members }, answer }: Sent): Promise<void> => {
    let refusals: readonly Refusal[]
    try {
      refusals = await answer
    } catch (error) {
      for (const item of members) state.fail(item, error)
      return
    }
    let next = 0
    for (const [i, item] of members.entries()) {
      if (refusals[next]?.index === i) next++
      else if (common.stays) state.done.push({ undo: 'entry', item, indexes: common.indexes })
    }
    state.progress.add(members.length - refusals.length)
    for (const { index, error } of refusals) {
      const item = members[index]!
      state.fail(item, await explainEntry(state.data.items[item] as EntryItem)(error))
    }
  }

  let done = 0
  let under: Sent | undefined
  for (;;) {
    let chunk: Chunk
    try {
      chunk = gather(done)
    } catch (error) {
      // What is being done meanwhile is to be undone like everything else.
      if (under) await settle(under)
      throw error
    }
    if (chunk.members.length > 0) {
      if (chunk.note) state.journal.note(chunk.note)
      const noted = state.journal.written()
      // Whoever waits for the answer hears of both.
      noted.catch(() => undefined)
      if (under) await settle(under)
      await noted
      const answer = send(chunk)
      answer.catch(() => undefined)
      under = { chunk, answer }
      done += chunk.members.length
    } else {
      if (under) await settle(under)
      return done
    }
  }
}
