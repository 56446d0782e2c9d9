// Static analysis of the addon: clang-tidy and cppcheck on every source, `node scripts/lint-native.mjs [SOURCE…]`, and clang-tidy on what fuzzes it.
// Any finding fails.
// Each source counts once for each tool, and each tool once for finding a planted mistake. The last line is "N passed, N failed, N skipped".
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProgram } from './machine.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const build = 'build-dev'
const cppcheck = ['--std=c++17', '--enable=warning,style,performance,portability', '--inline-suppr', '--suppressions-list=.cppcheck']
const cppcheckQuiet = [...cppcheck, '--quiet', '--error-exitcode=9']
/** Reads what a null pointer points at, which both know to be wrong. */
const planted = 'int planted(int which) {\n  int* nothing = nullptr;\n  if (which != 1) return 0;\n  return *nothing;\n}\n'

for (const program of ['cmake', 'clang-tidy', 'cppcheck'])
  if (findProgram(program) === undefined) refuse(`${program} is missing (Debian package ${program})`)
for (const [command, ...args] of [
  [process.execPath, 'scripts/setup.mjs'],
  ['cmake', '-S', '.', '-B', build],
]) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) refuse(`${command} ${args.join(' ')}: ${error ?? `${stdout}${stderr}`}`)
}

const fuzzers = readdirSync('test/fuzz/native')
  .filter(name => name.endsWith('.cc'))
  .map(name => `test/fuzz/native/${name}`)
const all = readFileSync('native/sources.txt', 'utf8').split('\n').filter(Boolean)
const sources = process.argv.length > 2 ? process.argv.slice(2) : all
const folder = mkdtempSync(join(tmpdir(), 'netloom-lint-'))
const counts = { passed: 0, failed: 0 }
try {
  const bad = join(folder, 'planted.cc')
  writeFileSync(bad, planted)
  const queue = [
    {
      what: 'clang-tidy finds a planted mistake',
      command: ['clang-tidy', '--quiet', bad, '--config-file=.clang-tidy', '--', '-std=c++17'],
      fails: true,
    },
    { what: 'cppcheck finds a planted mistake', command: ['cppcheck', ...cppcheckQuiet, bad], fails: true },
    ...sources.map(source => ({ what: `clang-tidy ${source}`, command: ['clang-tidy', '--quiet', '-p', build, source], fails: false })),
    ...sources.map(source => ({
      what: `cppcheck ${source}`,
      command: ['cppcheck', ...cppcheckQuiet, `--project=${build}/compile_commands.json`, `--file-filter=*${source}`],
      fails: false,
    })),
    ...(sources === all ? fuzzers : []).map(source => ({
      what: `clang-tidy ${source}`,
      command: ['clang-tidy', '--quiet', source, '--', '-std=c++17', '-fno-exceptions', '-Inative'],
      fails: false,
    })),
  ]
  await Promise.all(Array.from({ length: availableParallelism() }, () => work(queue)))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, 0 skipped\n`)
process.exitCode = counts.failed === 0 ? 0 : 1

async function work(queue) {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { what, command, fails } = next
    const { code, output } = await run(command)
    if (fails ? code > 0 : code === 0) counts.passed++
    else {
      counts.failed++
      process.stdout.write(`FAILED: ${what}\n${output}`)
    }
  }
}

function run([command, ...args]) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (output += text))
  return new Promise(resolve => {
    child.on('error', error => resolve({ code: -1, output: `${error}\n` }))
    child.on('close', code => resolve({ code, output }))
  })
}

function refuse(line) {
  process.stderr.write(`lint-native: ${line}\n`)
  process.exit(125)
}
