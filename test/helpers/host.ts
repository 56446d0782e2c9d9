// A namespace of its own for each test file, which plays the machine; nothing may be left in it or beside it when the file ends.

import { afterAll, beforeAll, beforeEach } from 'vitest'
import { missing, needs } from './features.js'
import { attempt, ip, run } from './readers.js'
import { namedNamespaces } from './state.js'

export interface Host {
  /** The namespace's name; the readers take it as `where`. */
  readonly name: string
  readonly path: string
  /** A name for a further namespace that no other test file uses: named('blue') → 't3f2a-blue'. */
  named(suffix: string): string
}

let made = 0

/**
 * Makes the file's host namespace (loopback up) before its tests and removes it after them. What a test left behind fails the file by name:
 * a link in the host, or a named namespace that begins with the file's prefix. Without iproute2 the file's tests are skipped.
 */
export function useHost(): Host {
  const prefix = `t${process.pid.toString(36)}${made++ || ''}`
  const name = `${prefix}-host`
  const linkNames = async () => (await ip<{ ifname: string }>(name, 'link', 'show')).map(link => link.ifname)
  // Some kernels put tunnel devices into every new namespace.
  let before: string[] = []

  beforeAll(async () => {
    if ((await missing('tool:ip')) !== undefined) return
    await run(undefined, 'ip', 'netns', 'add', name)
    await run(name, 'ip', 'link', 'set', 'lo', 'up')
    before = await linkNames()
  })
  beforeEach(context => needs(context, 'tool:ip', 'tool:nsenter'))
  afterAll(async () => {
    if ((await missing('tool:ip')) !== undefined) return
    const links = (await linkNames()).filter(link => !before.includes(link))
    const namespaces = (await namedNamespaces(`${prefix}-`)).filter(other => other !== name)
    for (const leftover of [...namespaces, name]) await attempt(undefined, 'ip', ['netns', 'delete', leftover])
    const leftovers = [...links.map(link => `link ${link}`), ...namespaces.map(other => `namespace ${other}`)]
    if (leftovers.length > 0) throw new Error(`left behind: ${leftovers.join(', ')}`)
  })
  return { name, path: `/run/netns/${name}`, named: suffix => `${prefix}-${suffix}` }
}
