// What a failed plan may have done although the answer was lost: links carry its mark, entries are compared with those that were there before.
import type { Scope } from '../kernel/scope.js'
import { labelOf } from '../namespace/info.js'
import type { State } from './execute-state.js'
import { type EntryNote, type Outcome, takeBackEntries } from './gc-entries.js'
import type { Note } from './journal.js'
import { briefLinks } from './remove.js'
import type { SeriesNote } from './series.js'
import type { Done } from './undo.js'
import { notesEach } from './undo-before.js'

/** Adds them to what is to be undone. Gives the namespaces that could not be looked through. */
export async function findUnheard(state: State, group: number | undefined): Promise<{ leftovers: string[]; errors: unknown[] }> {
  const { done, existing } = state
  const leftovers: string[] = []
  const errors: unknown[] = []
  if (group !== undefined)
    for (const [place, scope] of existing) {
      const known = new Set(done.flatMap(one => (one.undo === 'link' && one.in === place ? [one.index] : [])))
      try {
        for (const { index, ifname = `link ${index}`, group: mark } of await briefLinks(scope))
          if (mark === group && !known.has(index)) done.push({ undo: 'link', in: place, index, name: ifname, falls: false })
      } catch (error) {
        leftovers.push(`links in ${labelOf(scope.info)}`)
        errors.push(error)
      }
    }
  return { leftovers, errors }
}

/** What takes away entries that were to be added, where they have been. */
export function unheardEntries(notes: readonly (Note | SeriesNote)[]): Done[] {
  const entries = notes.flatMap(notesEach).filter((note): note is EntryNote => note.note === 'entry')
  return [...new Set(entries.map(({ sort }) => sort))].map(sort => {
    const some = entries.filter(note => note.sort === sort)
    const run = async (scope: Scope) => {
      const outcome: Outcome = { removed: [], left: [], failed: [], errors: [] }
      await takeBackEntries(scope, sort, some, outcome)
      if (outcome.errors.length) throw outcome.errors[0]
    }
    return { undo: 'restore', in: some[0]!.in, what: sort, run, notes: () => some }
  })
}
