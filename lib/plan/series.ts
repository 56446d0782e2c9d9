// Entries of a plan that differ in one value only, by the thousand: written down as the first of them and the values of all.
import type { EntryItem, Indexes } from './compile-entry.js'
import type { Note, SortName } from './journal.js'

/** Many entries that are added, in one line of a plan's record. */
export interface SeriesNote {
  readonly note: 'series'
  readonly in: number
  readonly sort: SortName
  readonly item: EntryItem
  readonly indexes: Indexes
  /** In the place of the item's own: addresses, or where routes lead. */
  readonly values: readonly string[]
  /** By place in `values`: entries of the same key that were there. */
  readonly before: readonly (readonly [number, readonly unknown[]])[]
}
type EntryNote = Extract<Note, { readonly note: 'entry' }>

/** The one value in which the entries of a series may differ; undefined where there is none. IPv6 addresses are said by what they are on. */
export function seriesValue(item: EntryItem): string | undefined {
  const value = item.verb === 'addresses.add' ? item.cidr : item.verb === 'routes.add' ? item.route.to : undefined
  return value?.includes(':') ? undefined : value
}

export const withValue = (item: EntryItem, value: string): EntryItem =>
  'route' in item ? { ...item, route: { ...item.route, to: value } } : ({ ...item, cidr: value } as EntryItem)

/** A note for each entry. */
export function unfolded(note: Note | SeriesNote, keyOf: (sort: SortName, item: EntryItem, indexes: Indexes) => string): readonly Note[] {
  if (note.note !== 'series') return [note]
  const { in: place, sort, indexes } = note
  const before = new Map(note.before)
  return note.values.map((value, i): EntryNote => {
    const item = withValue(note.item, value)
    return { note: 'entry', in: place, sort, key: keyOf(sort, item, indexes), item, indexes, before: before.get(i) ?? [] }
  })
}
