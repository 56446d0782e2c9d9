// What the suite runs of TypeScript and C++, in one report: `node scripts/coverage.mjs [vitest's arguments]`, by default the whole suite.
// The table, for each folder, is the output; coverage/ has each line as HTML and as lcov. The tests' own failures fail.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProgram } from './machine.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const build = resolve('build-coverage')
const report = resolve('coverage')
const [written, mapped, results] = ['children', 'mapped', 'results.json'].map(name => join(report, 'raw', name))

for (const [program, debian] of [
  ['cmake', 'cmake'],
  ['gcov', 'gcc'],
])
  if (findProgram(program) === undefined) refuse(`${program} is missing (Debian package ${debian})`)
demand(process.execPath, ['scripts/setup.mjs'])
rmSync(report, { recursive: true, force: true })
mkdirSync(written, { recursive: true })
// Counts of an earlier run would be added to.
rmSync(build, { recursive: true, force: true })
demand('cmake', ['-S', '.', '-B', build, '-DCOVERAGE=ON', '-DCMAKE_BUILD_TYPE=Debug', '-DCMAKE_CXX_COMPILER=g++'])
demand('cmake', ['--build', build, '--parallel', '2'])
// What is built has no source maps; a copy that differs in nothing else has.
demand(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--sourceMap', '--outDir', mapped])

const code = await runSuite()
const { addChildren } = await import('./coverage-children.mjs')
const { nativeCoverage } = await import('./coverage-native.mjs')
const coverage = JSON.parse(readFileSync(join(report, 'raw/tests/coverage-final.json'), 'utf8'))
const processes = await addChildren(coverage, { written, mapped })
Object.assign(coverage, nativeCoverage(build))
await writeReport(coverage)
process.stdout.write(`coverage/index.html, coverage/lcov.info; with ${processes} processes that tests started\n`)
const counts = JSON.parse(readFileSync(results, 'utf8'))
const failed = counts.failed + (code !== 0 && counts.failed === 0 ? 1 : 0)
process.stdout.write(`${counts.passed} passed, ${failed} failed, ${counts.skipped} skipped\n`)
process.exitCode = failed === 0 ? 0 : 1

function runSuite() {
  const ours = [
    'enabled',
    'provider=v8',
    'include=lib/**/*.ts',
    'reporter=json',
    `reportsDirectory=${join(report, 'raw/tests')}`,
    'reportOnFailure',
  ]
  const vitest = [process.execPath, 'node_modules/vitest/vitest.mjs', 'run', ...ours.map(option => `--coverage.${option}`)]
  const suite = spawn(process.execPath, ['scripts/isolated.mjs', ...vitest, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, NETLOOM_PREBUILD: build, NETLOOM_COVERAGE: written, NETLOOM_RESULTS: results },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => suite.kill(signal))
  return new Promise(resolve => suite.on('exit', resolve))
}

async function writeReport(coverage) {
  const { default: libCoverage } = await import('istanbul-lib-coverage')
  const { default: libReport } = await import('istanbul-lib-report')
  const { default: reports } = await import('istanbul-reports')
  const coverageMap = libCoverage.createCoverageMap(coverage)
  const context = libReport.createContext({ dir: report, coverageMap })
  for (const name of ['html', 'lcovonly']) reports.create(name, { projectRoot: process.cwd() }).execute(context)
  const table = folders(coverageMap, libCoverage)
  writeFileSync(join(report, 'summary.txt'), table)
  process.stdout.write(table)
}

/** A line for each folder, and one for all of each language. */
function folders(coverageMap, { createCoverageSummary }) {
  const sums = new Map()
  for (const file of coverageMap.files().sort()) {
    const folder = relative('.', dirname(file))
    for (const name of [folder, folder.startsWith('native') ? 'C++' : 'TypeScript']) {
      const sum = sums.get(name) ?? { files: 0, summary: createCoverageSummary() }
      sum.files++
      sum.summary.merge(coverageMap.fileCoverageFor(file).toSummary())
      sums.set(name, sum)
    }
  }
  const percent = ({ covered, total }) => (total === 0 ? '' : `${((100 * covered) / total).toFixed(1)} %`)
  const rows = [...sums].sort(([a], [b]) => Number(/^[A-Z]/.test(a)) - Number(/^[A-Z]/.test(b)) || (a < b ? -1 : 1))
  const cells = rows.map(([name, { files, summary }]) => [
    name,
    files,
    `${summary.lines.covered} of ${summary.lines.total}`,
    percent(summary.lines),
    percent(summary.functions),
    percent(summary.branches),
  ])
  const all = [['folder', 'files', 'lines', '', 'functions', 'branches'], ...cells]
  const widths = all[0].map((_, column) => Math.max(...all.map(row => String(row[column]).length)))
  return all
    .map(row => `${row.map((cell, i) => (i === 0 ? String(cell).padEnd(widths[i]) : String(cell).padStart(widths[i]))).join('  ')}\n`)
    .join('')
}

function demand(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) refuse(`${command} ${args.join(' ')}: ${error ?? `${stdout}${stderr}`}`)
}

function refuse(line) {
  process.stderr.write(`coverage: ${line}\n`)
  process.exit(125)
}
