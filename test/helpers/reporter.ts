// The end of a run: the tests that were skipped, that needed another try and that failed, by name and with the reason, what the suite left behind, and one line that counts.

import { writeFileSync } from 'node:fs'
import type { SerializedError, TestCase, TestModule } from 'vitest/node'
import type { Reporter } from 'vitest/reporters'
import { isIsolated } from '../../scripts/machine.mjs'
import { present } from './leftovers.js'

/** Characters of an error that only one try had. */
const most = 4_000

/** Prints the summary; under scripts/test.mjs, which has more to add, the counts go to the file that it names. */
export class SummaryReporter implements Reporter {
  readonly #before = isIsolated() ? new Set(present()) : undefined

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const tests = modules.flatMap(module => [...module.children.allTests()])
    const count = (state: string) => tests.filter(test => test.result().state === state).length
    // A file that cannot be loaded and a hook that fails have no test of their own to fail.
    const broken = modules.flatMap(module => [module, ...module.children.allSuites()]).filter(part => part.errors().length > 0)
    const skipped = tests.filter(test => test.result().state === 'skipped')
    const leftovers = this.#before === undefined ? [] : present().filter(thing => !this.#before?.has(thing))
    const failed = count('failed') + broken.length + unhandled.length + (leftovers.length > 0 ? 1 : 0)

    const said = (test: TestCase, why: string) => `${test.module.relativeModuleId} > ${test.fullName}: ${why}\n`
    const names = skipped.map(test => `  ${said(test, reason(test.result()))}`)
    if (names.length > 0) process.stdout.write(`Skipped:\n${names.sort().join('')}`)
    const retried = tests.filter(test => test.result().state === 'passed' && (test.diagnostic()?.retryCount ?? 0) > 0)
    // Vitest shows these nowhere, and what was random is another time something else.
    const tries = retried.map(test => `  ${said(test, (test.result().errors?.[0]?.message ?? 'no error given').slice(0, most))}`)
    if (tries.length > 0) process.stdout.write(`Passed at another try:\n${tries.join('')}`)
    for (const test of tests)
      if (test.result().state === 'failed') process.stdout.write(`FAILED: ${said(test, first(test.result().errors))}`)
    for (const part of broken)
      process.stdout.write(`FAILED: ${part.type === 'module' ? part.relativeModuleId : part.fullName}: ${first(part.errors())}\n`)
    for (const error of unhandled) process.stdout.write(`FAILED: outside of any test: ${first([error])}\n`)
    if (leftovers.length > 0) {
      process.stdout.write(`FAILED: the suite left behind ${leftovers.join(', ')}\n`)
      process.exitCode = 1
    }
    this.#count({ passed: count('passed'), failed, skipped: skipped.length })
  }

  #count(counts: { passed: number; failed: number; skipped: number }): void {
    const destination = process.env.NETLOOM_RESULTS
    if (destination === undefined) process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`)
    else writeFileSync(destination, JSON.stringify(counts))
  }
}

function reason(result: object): string {
  return 'note' in result && typeof result.note === 'string' ? result.note : 'no reason given'
}

/** The first line of the first error: what vitest has printed above in full. */
function first(errors: readonly { readonly message: string }[] | undefined): string {
  return errors?.[0]?.message.split('\n')[0] ?? 'no error given'
}
