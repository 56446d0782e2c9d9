// npm test: set-up, formatter and linter, type checks, then the whole suite in isolation, and a last line that counts.
// Arguments go to vitest (npm test -- test/unit/ip.test.ts); the checks before it are then left out.

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { differences, observeNamespace } from './observe.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const selection = process.argv.slice(2)
const counts = { passed: 0, failed: 0, skipped: 0 }

// An interrupted suite ends by itself; the comparison and the last line still follow.
let suite
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => suite?.kill(signal))

if (spawnSync(process.execPath, ['scripts/setup.mjs'], { stdio: 'inherit' }).status !== 0) {
  counts.failed++
} else {
  if (selection.length === 0) {
    check('formatter and linter', 'node_modules/@biomejs/biome/bin/biome', ['check', '--error-on-warnings'])
    check('types', 'node_modules/typescript/bin/tsc', ['-p', 'tsconfig.json'])
  }
  const before = observeNamespace()
  await runSuite()
  record('the namespace outside is as it was (if another program changed it, run again)', differences(before, observeNamespace()))
}
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`)
process.exitCode = counts.failed === 0 ? 0 : 1

/** One check that is a program of its own: what it prints is shown only if it fails. */
function check(name, program, args) {
  const result = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 })
  record(name, result.status === 0 ? [] : [`${result.stdout ?? ''}${result.stderr ?? ''}`.trimEnd()])
}

function record(name, complaints) {
  counts[complaints.length === 0 ? 'passed' : 'failed']++
  process.stdout.write(`${complaints.length === 0 ? 'ok' : 'FAILED'}: ${name}\n`)
  for (const complaint of complaints) process.stdout.write(`${complaint}\n`)
}

async function runSuite() {
  const folder = mkdtempSync(join(tmpdir(), 'netloom-test-'))
  const results = join(folder, 'results.json')
  try {
    const vitest = [process.execPath, 'node_modules/vitest/vitest.mjs', 'run', ...selection]
    suite = spawn(process.execPath, ['scripts/isolated.mjs', ...vitest], {
      stdio: 'inherit',
      env: { ...process.env, NETLOOM_RESULTS: results },
    })
    const code = await new Promise(resolve => suite.on('exit', resolve))
    const complaint = addResults(results)
    if (complaint !== undefined) record('the suite', [`${complaint} (exit code ${code})`])
    // Something that belongs to no test went wrong, in a hook or at the end; vitest has printed it.
    else if (code !== 0 && counts.failed === 0) record('the suite', [`vitest ended with exit code ${code}`])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function addResults(path) {
  let results
  try {
    results = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    return `the suite ended before it could count its tests: ${error.message}`
  }
  for (const key of Object.keys(counts)) counts[key] += results[key]
  return undefined
}
