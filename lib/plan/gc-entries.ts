// Entries that a killed process added, replaced or deleted where others are too: made what they were, as far as they are what it left.
import type { Scope } from '../kernel/scope.js'
import { type EntryItem, entryRequest } from './compile-entry.js'
import type { Note, SortName } from './journal.js'
import { difference, grouped, sorts } from './undo-before.js'

export type EntryNote = Extract<Note, { readonly note: 'entry' }>
export interface Outcome {
  /** What was taken back. */
  readonly removed: string[]
  /** What is somebody else's by now, or cannot be made again. */
  readonly left: string[]
  /** What was refused, with the errors. */
  readonly failed: string[]
  readonly errors: unknown[]
}

/** Requests in one message to the kernel's socket. */
const batch = 1024
const gone = new Set(['ENOENT', 'ESRCH', 'ENODEV', 'ENXIO', 'EADDRNOTAVAIL'])
const deletes = ({ item }: EntryNote) => item.verb.endsWith('.delete')

/** All notes about entries of one sort in one namespace, in their order. */
export async function takeBackEntries(scope: Scope, name: SortName, notes: readonly EntryNote[], outcome: Outcome): Promise<void> {
  const sort = sorts[name]
  const before = new Map<string, readonly unknown[]>()
  const changed = new Set<string>()
  for (const note of notes) {
    if (!before.has(note.key)) before.set(note.key, note.before)
    if (!note.item.verb.endsWith('.add')) changed.add(note.key)
  }
  const found = grouped(await sort.list(scope), sort.keyOf)
  const suspects = notes.filter(note => {
    const extra = difference(found.get(note.key) ?? [], before.get(note.key)!, sort)
    return !deletes(note) && extra.some(entry => mayBe(entry, note.item))
  })
  await deleteAll(scope, suspects.reverse(), outcome)
  const there = suspects.length ? grouped(await sort.list(scope), sort.keyOf) : found
  for (const [key, entries] of before) {
    // What the plan only added to is not restored, but for what our own request may have hit.
    const wanted = changed.has(key) ? entries : common(entries, found.get(key) ?? [], sort.form)
    for (const entry of difference(wanted, there.get(key) ?? [], sort)) {
      try {
        await sort.add(scope, entry)
        if (changed.has(key)) outcome.removed.push(`change of ${name} ${key}`.trim())
      } catch (error) {
        outcome.failed.push(`${name} ${key}`.trim())
        outcome.errors.push(error)
      }
    }
  }
}

/** The kernel deletes the first that fits what the plan said, which says nothing of a metric: then only one without is meant. */
function mayBe(entry: unknown, item: EntryItem): boolean {
  if (!('route' in item)) return true
  const { metric, family } = entry as { readonly metric?: number; readonly family: number }
  return item.route.metric === undefined ? family === 6 || metric === undefined || metric === 0 : metric === item.route.metric
}

async function deleteAll(scope: Scope, notes: readonly EntryNote[], { removed, failed, errors }: Outcome): Promise<void> {
  const connection = await scope.connection()
  for (let from = 0; from < notes.length; from += batch) {
    const some = notes.slice(from, from + batch)
    const requests = some.map(({ item, indexes }) => entryRequest(item, indexes, scope.label, false, 'delete'))
    const outcomes = await connection.batch(requests, { quiet: true })
    for (const [i, { error }] of outcomes.entries()) {
      const subject = subjectOf(some[i]!.item)
      if (!error) removed.push(subject)
      else if (!gone.has(error.code)) {
        failed.push(subject)
        errors.push(error)
      }
    }
  }
}

function subjectOf(item: EntryItem): string {
  if ('route' in item) return `route ${item.route.to}`
  if ('rule' in item) return `rule ${item.rule.priority ?? ''}`.trim()
  return 'entry' in item ? `neighbour ${item.entry.address}` : `address ${item.cidr}`
}

function common<T>(a: readonly T[], b: readonly T[], form: (entry: T) => string): T[] {
  const known = new Set(b.map(form))
  return a.filter(entry => known.has(form(entry)))
}
