// Links that a failed plan has made although the answer was lost: they carry its mark.
import { labelOf } from '../namespace/info.js'
import type { State } from './execute-state.js'
import { briefLinks } from './remove.js'

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
