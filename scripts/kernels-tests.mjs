// One file of tests in a process of its own, without vitest's server: node scripts/kernels-tests.mjs FILE RESULTS adds a line of JSON to RESULTS.
// An emulated processor takes minutes to start vitest and to compile TypeScript; its runner and its assertions alone take a second.
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const [file, destination] = process.argv.slice(2)
const root = fileURLToPath(new URL('..', import.meta.url))
/** Milliseconds. Emulation makes everything slower, and other work on the machine more so. */
const patience = 300_000
const poll = { timeout: 60_000, interval: 200 }
/** The same for what tests say themselves (test/helpers/patience.ts). */
process.env.NETLOOM_SLOWNESS ??= '20'

const config = {
  root,
  name: 'kernel',
  setupFiles: [join(root, 'test/helpers/kernel-file.js')],
  passWithNoTests: true,
  allowOnly: true,
  sequence: { shuffle: false, concurrent: false, seed: 1, hooks: 'stack', setupFiles: 'list' },
  maxConcurrency: 5,
  testTimeout: patience,
  hookTimeout: patience,
  retry: 2,
  includeTaskLocation: false,
  tags: [],
  expect: { poll },
  snapshotOptions: { expand: false },
  fakeTimers: {},
}
// Where vitest's own words (expect, vi) look for their settings.
globalThis.__vitest_worker__ = { config, filepath: join(root, file), environment: { name: 'node' }, providedContext: {}, rpc: {} }
const { startTests } = await import('vitest/internal/browser')
const { expect, vi } = await import('vitest')
const { waitFor } = vi
// A test file's own loader has an answer where a test gives no limit: never less than here.
vi.waitFor = (attempt, options) => waitFor(attempt, { ...poll, ...options, timeout: Math.max(poll.timeout, options?.timeout ?? 0) })

const runner = {
  config,
  importFile: path => import(pathToFileURL(path).href),
  extendTaskContext: context => Object.assign(context, { expect }),
}
const [done] = await startTests([{ filepath: join(root, file.replace(/ts$/, 'js')) }], runner)
const tests = []
visit(done, [])
// A file that cannot be loaded, and a hook that fails, have no test of their own to fail.
appendFileSync(destination, `${JSON.stringify({ file, tests })}\n`)
for (const { name, error } of tests.filter(test => test.state === 'failed')) process.stdout.write(`FAILED ${file} > ${name}\n${error}\n`)
const count = state => tests.filter(test => test.state === state).length
process.stdout.write(`${file}: ${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped\n`)
// As under vitest: what a file left open does not keep its process.
process.exit(0)

function visit(task, names) {
  const { state, note, errors = [] } = task.result ?? {}
  const error = errors
    .map(({ message, stack, diff }) => [stack?.includes(message) ? stack : message, diff].filter(Boolean).join('\n'))
    .join('\n')
  const name = names.join(' > ')
  if (task.type === 'test') {
    // Without a result it never ran, since something before it failed, unless it is one that is left out.
    const outcome = { pass: 'passed', skip: 'skipped' }[state] ?? (task.mode === 'skip' || task.mode === 'todo' ? 'skipped' : 'failed')
    tests.push({
      name,
      state: outcome,
      ...(outcome === 'skipped' && { note: note ?? 'no reason given' }),
      ...(outcome === 'failed' && { error }),
    })
    return
  }
  if (errors.length > 0) tests.push({ name: name || 'the file', state: 'failed', error })
  for (const inner of task.tasks) visit(inner, [...names, inner.name])
}
