// After the whole suite: its own namespace holds only lo, and /run/netns is empty.

import { readdirSync, readFileSync } from 'node:fs'
import { isIsolated } from '../../scripts/machine.mjs'

/** vitest calls it before the first file; what it returns, after the last one. */
export function setup(): () => void {
  return () => {
    if (!isIsolated()) return
    const links = readFileSync('/proc/self/net/dev', 'utf8')
      .trimEnd()
      .split('\n')
      .slice(2)
      .map(line => line.split(':')[0]?.trim() ?? '')
    const leftovers = [
      ...links.filter(link => link !== 'lo').map(link => `link ${link}`),
      ...readdirSync('/run/netns').map(name => `namespace ${name}`),
    ]
    if (leftovers.length > 0) throw new Error(`the suite left behind: ${leftovers.join(', ')}`)
  }
}
