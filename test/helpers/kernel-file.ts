// Loaded before every test file that touches the kernel: outside scripts/isolated.mjs the file does not begin, and no thread of it may stray.

import { readlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { afterAll, expect, vi } from 'vitest'
import { isIsolated } from '../../scripts/machine.mjs'
import { patience } from './patience.js'
import { threadNamespaces } from './state.js'

if (!isIsolated())
  throw new Error('this test touches the kernel: run it in isolation, with npm test or node scripts/isolated.mjs npx vitest run')

// Only for what the tests start: the tests' own coverage is vitest's to count.
if (process.env.NETLOOM_COVERAGE !== undefined) process.env.NODE_V8_COVERAGE = process.env.NETLOOM_COVERAGE
// The sanitizer is in this process already. What else the library starts is not watched: shells end at once with TSan's, and ps waits for ever with ASan's.
if (process.env.NETLOOM_SANITIZER !== undefined && process.env.LD_PRELOAD !== undefined) {
  process.env.NETLOOM_PRELOAD = process.env.LD_PRELOAD
  delete process.env.LD_PRELOAD
}

// What a file left open does not keep its process (test/helpers/ending-forks.ts).
process.once('disconnect', () => process.exit())

// What is lost on purpose, so that scripts/sanitized.mjs sees whether this process looks for leaks at its end.
if (process.env.NETLOOM_PLANTED !== undefined) {
  createRequire(import.meta.url)(process.env.NETLOOM_PLANTED)
  await writeFile(`${process.env.NETLOOM_PLANTED}.${process.pid}`, '')
}

// Vitest has a setting for how long expect.poll waits, and none for this.
const { waitFor } = vi
vi.waitFor = (attempt, options) => waitFor(attempt, options ?? { timeout: patience(1_000) })

const home = await readlink('/proc/self/ns/net')

// Runs after the file's own hooks. A thread that stayed in another namespace would do the work of later calls there, unseen.
afterAll(() => vi.waitFor(async () => expect(await threadNamespaces()).toEqual([home])))
