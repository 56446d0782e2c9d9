// Which files a namespace shows in the place of those in /etc.
import { existsSync, readdirSync } from 'node:fs'
import { checkNamespaceName } from './names.js'

export interface Binds {
  readonly binds: [source: string, target: string][]
  /** Those that have no namesake in /etc, and so no place to be shown in. */
  readonly homeless: string[]
}

/** Each file and folder in /etc/netns/<name>. Throws what reading that folder throws, but not when there is none. */
export function etcBinds(name: string | undefined): Binds {
  const binds: Binds = { binds: [], homeless: [] }
  if (name === undefined) return binds
  const folder = `/etc/netns/${checkNamespaceName(name)}`
  for (const file of entries(folder)) {
    const target = `/etc/${file}`
    if (existsSync(target)) binds.binds.push([`${folder}/${file}`, target])
    else binds.homeless.push(`${folder}/${file}`)
  }
  return binds
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
