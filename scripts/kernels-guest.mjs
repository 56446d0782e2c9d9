// What the guest does: asks the kernel for every feature that tests know of, then runs each file of tests. Each answer is a line of JSON in the file of results.
import { spawnSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { version } from 'node:os'

const [destination, ...files] = process.argv.slice(2)
/** Milliseconds that a file may take, in which a slow one is done on a busy machine; what hangs shall not keep the others. */
const limit = 1_800_000

const { features, missing } = await import('../test/helpers/features.js')
const answers = {}
for (const feature of features) answers[feature] = (await missing(feature)) ?? true
appendFileSync(destination, `${JSON.stringify({ features: answers, version: version() })}\n`)
for (const file of files) {
  const start = performance.now()
  const { status, signal, error } = spawnSync(process.execPath, ['scripts/kernels-tests.mjs', file, destination], {
    stdio: 'inherit',
    timeout: limit,
  })
  process.stdout.write(`  ${Math.round((performance.now() - start) / 1000)} s\n`)
  if (status !== 0) {
    const complaint = `the process ended with ${error?.code ?? signal ?? status}`
    process.stdout.write(`FAILED ${file}: ${complaint}\n`)
    appendFileSync(destination, `${JSON.stringify({ file, tests: [{ name: 'the file', state: 'failed', error: complaint }] })}\n`)
  }
}
