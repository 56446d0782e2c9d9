// Takes back what a plan has done, and exactly that: entries first, then links by one group, then namespaces by their names.
import type { Scope } from '../kernel/scope.js'
import { labelOf, type NamespaceInfo } from '../namespace/info.js'
import { AbortError, NetloomError } from '../socket/error.js'
import type { NamespaceHandle } from '../socket/native.js'
import { type EntryItem, entryRequest, type Indexes } from './compile-entry.js'
import { leaving } from './execute-error.js'
import type { PlanData } from './items.js'
import type { Note } from './journal.js'
import type { ProgressReporter } from './progress.js'
import { deleteLinks, deleteNames } from './remove.js'
import { noteOf } from './undo-before.js'

/** One thing that was done where others are too. */
export type Done =
  /** A link; `falls`: it goes with a namespace of the plan. */
  | { readonly undo: 'link'; readonly in: number; readonly index: number; readonly name: string; readonly falls: boolean }
  /** An entry that was added: what was not there before is deleted. */
  | { readonly undo: 'entry'; readonly item: number; readonly indexes: Indexes }
  /** Something that was changed or deleted; `what` for leftovers. */
  | {
      readonly undo: 'restore'
      readonly in: number
      readonly what: string
      run(scope: Scope, open: (number: number) => Promise<Scope>): Promise<void>
      /** The same for another process. */
      notes(): readonly Note[]
    }

/** All that a plan has made. */
export interface Holdings {
  readonly data: PlanData
  /** In the order in which it was done. What has been taken back is taken out. */
  done: Done[]
  /** By number; taken out when they are gone. */
  readonly namespaces: ({ readonly info: NamespaceInfo; readonly handle?: NamespaceHandle } | undefined)[]
  /** The namespaces that were there. */
  scope(number: number): Promise<Scope>
}
export interface UndoOptions {
  readonly drain: boolean
  readonly signal?: AbortSignal | undefined
  readonly progress?: ProgressReporter
  /** By which others know the links until they are gone. */
  readonly group?: number
}

/** Entries in one message to the kernel's socket. */
const batch = 1024
/** What the kernel answers about things that are gone already. */
const gone = new Set(['ENOENT', 'ESRCH', 'ENODEV', 'ENXIO', 'EADDRNOTAVAIL'])

/** Returns what could not be taken back; it stays in `holdings`, so that another call can try again. */
export async function undo(holdings: Holdings, options: UndoOptions): Promise<{ leftovers: string[]; errors: unknown[] }> {
  const trouble: Trouble = { leftovers: [], errors: [] }
  const { progress, signal } = options
  progress?.restart('undo', holdings.done.length + holdings.namespaces.filter(Boolean).length)
  const kept: Done[] = []
  await undoEntries(holdings, trouble, kept, options)
  const links = holdings.done.filter(isLink)
  const now = options.drain ? links : []
  kept.push(...(await undoLinks(holdings, now, trouble, options)))
  const needed = placesToRestore(kept)
  const remaining = await deleteNames(holdings.namespaces, { progress, signal, except: needed })
  for (const { name, error } of remaining) {
    trouble.leftovers.push(`namespace ${name}`)
    trouble.errors.push(error)
  }
  if (!options.drain) {
    const staying = links.filter(link => !link.falls)
    kept.push(...(await undoLinks(holdings, staying, trouble, options)))
    // Another call may want to wait for them.
    if (remaining.length > 0) kept.push(...links.filter(link => link.falls))
  }
  for (const number of needed) {
    const info = holdings.namespaces[number]?.info
    if (info) trouble.leftovers.push(`namespace ${labelOf(info)}`)
  }
  holdings.done = holdings.done.filter(one => kept.includes(one))
  progress?.flush()
  return trouble
}

/** undo() for callers who want to hear of what is left as an error. */
export async function undoOrThrow(holdings: Holdings, options: UndoOptions): Promise<void> {
  const { leftovers, errors } = await undo(holdings, options)
  if (leftovers.length > 0) {
    const [first] = errors
    const { signal } = options
    if (signal?.aborted && errors.every(error => error === signal.reason))
      throw leaving(new AbortError('delete plan', signal), leftovers, errors)
    throw leaving(
      first instanceof NetloomError ? first : new NetloomError('EBUSY', { operation: 'delete plan', cause: first }),
      leftovers,
      errors,
    )
  }
}

/** What another process would have to know to go on with it. */
export function notesOf({ data, done }: Holdings): Note[] {
  const links = done.flatMap(one => (isLink(one) ? [[one.in, one.index, one.name] as const] : []))
  const made: Note[] = links.length ? [{ note: 'made', links }] : []
  return done.reduce((notes, one) => {
    if (one.undo === 'restore') notes.push(...one.notes())
    else if (one.undo === 'entry') notes.push(noteOf(data.items[one.item] as EntryItem, one.indexes))
    return notes
  }, made)
}

/** Nothing leads to the namespace any more: what was done in it went with it. */
const isGone = (error: unknown) => error instanceof NetloomError && error.code === 'ESTALE' && error.operation === 'open namespace'

/** A link that somebody cares for may still be in one of them. */
const placesToRestore = (kept: readonly Done[]) => new Set(kept.flatMap(one => (one.undo === 'restore' ? [one.in] : [])))

interface Trouble {
  readonly leftovers: string[]
  readonly errors: unknown[]
}
const isLink = (done: Done): done is Extract<Done, { undo: 'link' }> => done.undo === 'link'

async function undoEntries(holdings: Holdings, trouble: Trouble, kept: Done[], { progress }: UndoOptions): Promise<void> {
  const { data, done } = holdings
  let waiting: Extract<Done, { undo: 'entry' }>[] = []
  const placeOf = (one: Extract<Done, { undo: 'entry' }>) => data.items[one.item]!.in
  const flush = async () => {
    const all = waiting
    waiting = []
    if (all.length === 0) return
    const failed = await deleteEntries(holdings, all)
    progress?.add(all.length)
    for (const { one, error } of failed) {
      kept.push(one)
      trouble.leftovers.push(data.items[one.item]!.path)
      trouble.errors.push(error)
    }
  }
  for (let i = done.length - 1; i >= 0; i--) {
    const one = done[i]!
    if (one.undo === 'entry') {
      if (waiting.length >= batch || (waiting[0] && placeOf(waiting[0]) !== placeOf(one))) await flush()
      waiting.push(one)
    } else if (one.undo === 'restore') {
      await flush()
      try {
        await one.run(await holdings.scope(one.in), number => holdings.scope(number))
      } catch (error) {
        if (!isGone(error)) {
          kept.push(one)
          trouble.leftovers.push(one.what)
          trouble.errors.push(error)
        }
      }
      progress?.add()
    }
  }
  await flush()
}

async function deleteEntries(
  holdings: Holdings,
  all: readonly Extract<Done, { undo: 'entry' }>[],
): Promise<{ one: Extract<Done, { undo: 'entry' }>; error: unknown }[]> {
  const { data } = holdings
  try {
    const scope = await holdings.scope(data.items[all[0]!.item]!.in)
    const connection = await scope.connection()
    const requests = all.map(({ item, indexes }) => entryRequest(data.items[item] as EntryItem, indexes, scope.label, false, 'delete'))
    const outcomes = await connection.batch(requests, { quiet: true })
    return outcomes.flatMap(({ error }, i) => (error && !gone.has(error.code) ? [{ one: all[i]!, error }] : []))
  } catch (error) {
    return isGone(error) ? [] : all.map(one => ({ one, error }))
  }
}

/** Returns those that are still there. */
async function undoLinks(
  holdings: Holdings,
  links: readonly Extract<Done, { undo: 'link' }>[],
  trouble: Trouble,
  { progress, group }: UndoOptions,
): Promise<Done[]> {
  const kept: Done[] = []
  const places = new Map<number, Extract<Done, { undo: 'link' }>[]>()
  for (const link of links) {
    const there = places.get(link.in)
    if (there) there.push(link)
    else places.set(link.in, [link])
  }
  for (const [number, there] of places) {
    try {
      const scope = await holdings.scope(number)
      const indexes = there.map(({ index }) => index)
      await deleteLinks(scope, indexes, group)
      progress?.add(there.length)
    } catch (error) {
      if (isGone(error)) continue
      kept.push(...there)
      trouble.leftovers.push(...there.map(({ name }) => `link ${name}`))
      trouble.errors.push(error)
    }
  }
  return kept
}
