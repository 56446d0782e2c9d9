// The suite's own namespaces: they are not the machine's, and every thread of a test process is in them.

import { readFile, readlink } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { threadCount, threadNamespaces } from '../helpers/state.js'

test('the suite has a network namespace of its own', async () => {
  const here = await readlink('/proc/self/ns/net')
  expect(process.env.NETLOOM_ISOLATED).toMatch(/^\d+$/)
  expect(here).not.toBe(`net:[${process.env.NETLOOM_ISOLATED}]`)
})

test('/run is its own, so that names do not meet those of the machine', async () => {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).trimEnd().split('\n')
  const run = mounts.filter(line => line.split(' ')[4] === '/run').at(-1) ?? ''
  expect(run).toMatch(/ - tmpfs /)
  // Without the word "shared": nothing that is mounted here appears outside.
  expect(run).not.toMatch(/ shared:/)
})

test('every thread of this process is in the namespace of the suite', async () => {
  // The pool threads are born with the first file access, which has been made by now.
  expect(await threadCount()).toBeGreaterThan(1)
  expect(await threadNamespaces()).toEqual([await readlink('/proc/self/ns/net')])
})
