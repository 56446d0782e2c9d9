// What the guest does: asks the kernel for every feature that tests know of, then runs each file of tests. Each answer is a line of JSON in the file of results.
import { spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { availableParallelism, version } from 'node:os'

const [destination, ...files] = process.argv.slice(2)
/** Milliseconds that a file may take, in which a slow one is done on a busy machine; what hangs shall not keep the others. */
const limit = 1_800_000

const { features, missing } = await import('../test/helpers/features.js')
const answers = {}
for (const feature of features) answers[feature] = (await missing(feature)) ?? true
appendFileSync(destination, `${JSON.stringify({ features: answers, version: version() })}\n`)
// As many at a time as there are processors, in the order of the list: each has a host namespace of its own.
const waiting = [...files]
await Promise.all(Array.from({ length: availableParallelism() }, lane))

async function lane() {
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    const start = performance.now()
    const complaint = await ended(file)
    process.stdout.write(`  ${Math.round((performance.now() - start) / 1000)} s for ${file}\n`)
    if (complaint === undefined) continue
    process.stdout.write(`FAILED ${file}: ${complaint}\n`)
    appendFileSync(destination, `${JSON.stringify({ file, tests: [{ name: 'the file', state: 'failed', error: complaint }] })}\n`)
  }
}

/** Undefined if the process has ended as it should. */
function ended(file) {
  const child = spawn(process.execPath, ['scripts/kernels-tests.mjs', file, destination], { stdio: 'inherit', timeout: limit })
  return new Promise(resolve => {
    child.on('error', error => resolve(`it could not be started: ${error.code}`))
    child.on('exit', (code, signal) => resolve(code === 0 ? undefined : `the process ended with ${signal ?? code}`))
  })
}
