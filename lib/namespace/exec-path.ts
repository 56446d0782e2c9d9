// Where the helper script is that prepares mounts: beside this file once built.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

let found: string | undefined

/** The built exec-entry.js. When the sources themselves run (in the tests), node could not read it there: the one in dist/ is used. */
export function execEntryPath(): string {
  if (found) return found
  const places = ['./exec-entry.js', '../../dist/namespace/exec-entry.js'].map(place => fileURLToPath(new URL(place, import.meta.url)))
  found = places.find(place => existsSync(place))
  if (found) return found
  throw new Error(`mounts: true needs ${places[0]}, which is missing: netloom was bundled without it, or not built`)
}
