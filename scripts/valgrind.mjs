// The programs of the lifecycle tests under valgrind, each in a node of its own (half a minute on an idle machine): `node scripts/valgrind.mjs [PART OF A NAME…]`.
// An invalid access, a use of what was never written, or memory that nothing leads to any more fails the program; the last line counts.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProgram } from './machine.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

/** What runs, and how it ends by itself. */
const programs = [
  { name: 'requests, then the end with open sockets', program: ['test/lifecycle/busy.mjs', 'finish'], code: 0 },
  { name: 'process.exit() in the middle of everything the addon does', program: ['test/lifecycle/busy.mjs', 'exit'], code: 7 },
  { name: 'answers under way at the end', program: ['test/lifecycle/at-work.mjs', 'answers under way'], code: 0 },
  { name: 'watches that nobody reads', program: ['test/lifecycle/at-work.mjs', 'unread watches'], code: 0 },
  { name: 'process.exit() in the middle of everything the library does', program: ['test/lifecycle/at-work.mjs', 'everything'], code: 7 },
]
const finding = 9
const options = [
  '--suppressions=scripts/valgrind.supp',
  '--leak-check=full',
  '--errors-for-leak-kinds=definite',
  '--show-leak-kinds=definite',
  `--error-exitcode=${finding}`,
]
const chosen = process.argv.slice(2)

if (findProgram('valgrind') === undefined) refuse('valgrind is missing (Debian package valgrind)')
if (spawnSync(process.execPath, ['scripts/setup.mjs'], { stdio: 'inherit' }).status !== 0) process.exit(125)
const folder = mkdtempSync(join(tmpdir(), 'netloom-valgrind-'))
const counts = { passed: 0, failed: 0, skipped: 0 }
try {
  for (const one of programs) {
    if (chosen.length > 0 && !chosen.some(part => one.name.includes(part))) counts.skipped++
    else check(one)
  }
} finally {
  rmSync(folder, { recursive: true })
}
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`)
process.exitCode = counts.failed === 0 ? 0 : 1

function check({ name, program, code }) {
  const start = performance.now()
  const log = join(folder, 'log')
  // Threads take turns fairly: otherwise those of the addon's pool hardly come to run.
  const valgrind = ['valgrind', '--fair-sched=yes', '--quiet', ...options, `--log-file=${log}`, process.execPath, ...program]
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['scripts/isolated.mjs', ...valgrind], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const passed = status === code
  counts[passed ? 'passed' : 'failed']++
  process.stdout.write(`${passed ? 'ok' : 'FAILED'}: ${name} (${Math.round((performance.now() - start) / 1000)} s)\n`)
  if (passed) return
  process.stdout.write(`exit code ${status ?? signal}, and ${code} was expected\n${stdout}${stderr}${readFileSync(log, 'utf8')}\n`)
}

function refuse(line) {
  process.stderr.write(`valgrind: ${line}\n`)
  process.exit(125)
}
