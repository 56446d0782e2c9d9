// Runs the suite with an addon that watches itself: `node scripts/sanitized.mjs asan|tsan [vitest's arguments]`; a finding in the addon fails.
// Findings in node itself, in other addons and in the second readers are counted and left alone. With asan every process of the tests loses some bytes
// on purpose at its start: a process whose leak check did not find them at its end was not checked, and fails.
// The last line is "N passed, N failed, N skipped", the findings among the failed.

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProgram } from './machine.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

/** What each is called, which libraries it needs in the process before node, and how it is told to write reports instead of ending the process. */
const sanitizers = {
  asan: {
    option: 'ASAN',
    libraries: ['libasan.so', 'libubsan.so'],
    settings: log => ({
      ASAN_OPTIONS: `detect_leaks=1:exitcode=0:log_path=${log}`,
      // Two libraries: in one file each would write over what the other has said.
      UBSAN_OPTIONS: `print_stacktrace=1:exitcode=0:log_path=${log}-undefined`,
    }),
    leaks: true,
  },
  tsan: {
    option: 'TSAN',
    libraries: ['libtsan.so'],
    settings: log => ({ TSAN_OPTIONS: `exitcode=0:log_path=${log}:report_signal_unsafe=0:ignore_noninstrumented_modules=1` }),
  },
}
/** An addon that loses what it allocates, and so has to be found by every leak check. */
const planted = `#include <cstdlib>
extern "C" __attribute__((visibility("default"))) void* napi_register_module_v1(void*, void* exports) {
  static void* volatile lost;
  lost = std::malloc(4711);
  lost = nullptr;
  return exports;
}
`
/** Everything that uses the addon. */
const everything = ['test/kernel', 'test/lifecycle', 'test/isolation', 'test/examples']

const [name, ...chosen] = process.argv.slice(2)
const sanitizer = sanitizers[name]
if (!sanitizer) refuse('usage: node scripts/sanitized.mjs asan|tsan [TEST…]')

const folder = mkdtempSync(join(tmpdir(), 'netloom-sanitized-'))
try {
  const failed = await check()
  process.exitCode = failed ? 1 : 0
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function check() {
  demand(process.execPath, ['scripts/setup.mjs'])
  const build = buildAddon()
  const reports = join(folder, 'reports')
  mkdirSync(reports)
  const libraries = sanitizer.libraries.map(library => output(process.env.CXX ?? 'g++', [`-print-file-name=${library}`]))
  const env = {
    ...process.env,
    NETLOOM_PREBUILD: build,
    NETLOOM_SANITIZER: name,
    NETLOOM_SLOWNESS: '10',
    ...sanitizer.settings(join(reports, 'report')),
  }
  const wrapped = ['scripts/isolated.mjs', 'env', `LD_PRELOAD=${libraries.join(':')}`]
  checkLoaded(wrapped, env, build)
  if (sanitizer.leaks) env.NETLOOM_PLANTED = buildPlanted()
  const vitest = [process.execPath, 'node_modules/vitest/vitest.mjs', 'run', ...(chosen.length > 0 ? chosen : everything)]
  const results = join(folder, 'results.json')
  const suite = spawn(process.execPath, [...wrapped, ...vitest], {
    stdio: 'inherit',
    env: { ...env, NETLOOM_RESULTS: results },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => suite.kill(signal))
  const code = await new Promise(resolve => suite.on('exit', resolve))
  const { ours, others } = findings(reports)
  if (sanitizer.leaks) ours.push(...unchecked(reports))
  for (const finding of ours) process.stdout.write(`${finding}\n`)
  const counts = JSON.parse(readFileSync(results, 'utf8'))
  process.stdout.write(`${name}: ${ours.length} findings in the addon; ${others} reports about other programs, left alone\n`)
  const failed = counts.failed + ours.length + (code !== 0 && counts.failed === 0 ? 1 : 0)
  process.stdout.write(`${counts.passed} passed, ${failed} failed, ${counts.skipped} skipped\n`)
  return failed > 0
}

/** Builds the addon in a folder of its own, so that nothing else ever loads it; gives the folder. */
function buildAddon() {
  const build = resolve(`build-${name}`)
  if (findProgram('cmake') === undefined) refuse('cmake is missing (Debian package cmake)')
  demand('cmake', ['-S', '.', '-B', build, `-D${sanitizer.option}=ON`])
  demand('cmake', ['--build', build, '--parallel', '2'])
  return build
}

function buildPlanted() {
  const path = join(folder, 'planted')
  writeFileSync(`${path}.cc`, planted)
  demand(process.env.CXX ?? 'g++', [
    '-shared',
    '-fPIC',
    '-fsanitize=address',
    '-fno-omit-frame-pointer',
    '-o',
    `${path}.node`,
    `${path}.cc`,
  ])
  return `${path}.node`
}

/** The processes of the tests in which the planted leak was not found: test/helpers/kernel-file.ts leaves an empty file for each. */
function unchecked(reports) {
  const planted = /^planted\.node\.(\d+)$/
  const processes = readdirSync(folder).flatMap(name => planted.exec(name)?.[1] ?? [])
  const found = new Set(readdirSync(reports).filter(file => readFileSync(join(reports, file), 'utf8').includes('planted.node')))
  const missing = processes.filter(pid => !found.has(`report.${pid}`))
  process.stdout.write(
    `${name}: ${processes.length - missing.length} of ${processes.length} processes of the tests looked for leaks at their end\n`,
  )
  return missing.map(pid => `process ${pid} did not look for leaks at its end`)
}

/** A clean run of another addon would say nothing. */
function checkLoaded(wrapped, env, build) {
  const program =
    "import('./dist/index.js').then(m => { m.Namespace.current(); console.log(require('fs').readFileSync('/proc/self/maps', 'utf8')) })"
  const { stdout } = spawnSync(process.execPath, [...wrapped, process.execPath, '-e', program], {
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  for (const file of [join(build, 'build/Release/netloom.node'), sanitizer.libraries[0]])
    if (!stdout.includes(file)) refuse(`${file} is not loaded where the tests run`)
}

/** The reports in which the addon has a part. A leak's report has a paragraph each, and whose each is its stack tells. */
function findings(reports) {
  const ours = []
  let others = 0
  for (const file of readdirSync(reports)) {
    const text = readFileSync(join(reports, file), 'utf8')
    const parts = (
      /LeakSanitizer/.test(text) ? text.split(/\n\n+/).filter(part => /leak of|ERROR: AddressSanitizer/.test(part)) : [text]
    ).filter(isReal)
    const found = parts.filter(isOurs)
    ours.push(...found)
    if (found.length < parts.length) others++
  }
  return { ours, others }
}

function isReal(part) {
  return !part.includes('planted.node')
}

/**
 * What V8 allocates for its own heap, and what JavaScript does while the addon calls it back, is not the addon's doing. Nor are the eight bytes
 * of a promise that nobody settled before its environment ended: only settling frees them, and Node refuses it then. One that is forgotten
 * while its environment lives keeps a test waiting.
 */
function isOurs(part) {
  if (/^\s*#1 .* in napi_create_promise\b/m.test(part)) return false
  const [stack] = part.split(/napi_call_function|v8::internal::/)
  return stack.includes('netloom.node') || /\bnative\/\w+\.(cc|h)\b/.test(stack)
}

function demand(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) refuse(`${command} ${args.join(' ')}: ${error ?? `${stdout}${stderr}`}`)
}

function output(command, args) {
  const { status, stdout, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) refuse(`${command} ${args.join(' ')}: ${error ?? stdout}`)
  return stdout.trim()
}

function refuse(line) {
  process.stderr.write(`sanitized: ${line}\n`)
  process.exit(125)
}
