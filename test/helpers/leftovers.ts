// What is in the suite's own namespace and /run/netns: the same must be there after the last test as before the first.

import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** Some kernels put tunnel devices into every new namespace, so "lo alone" is not what to expect. */
export function present(): string[] {
  const links = readFileSync('/proc/self/net/dev', 'utf8').trimEnd().split('\n').slice(2)
  const namespaces = existsSync('/run/netns') ? readdirSync('/run/netns') : []
  return [...links.map(line => `link ${line.split(':')[0]?.trim()}`), ...namespaces.map(name => `namespace ${name}`)]
}
