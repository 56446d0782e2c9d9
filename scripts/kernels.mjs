// The kernel tests on Debian's stock kernels under QEMU: node scripts/kernels.mjs [KERNEL…] [--only WORD,WORD] [--quick] [--update] [--record].
// Kernels are 5.10, 6.1, 6.12 and newest, by default all. The last line counts.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { demand, kernel, suites } from './kernels-fetch.mjs'
import { runOn } from './kernels-run.mjs'
import { merged, page, table, totals } from './kernels-table.mjs'
import { findProgram } from './machine.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
process.env.PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`
/** What --quick runs: a kernel that has nearly everything, and the files whose tests other kernels most often have to skip. */
const quick = { kernels: ['6.12'], only: ['/kinds', 'bridge-vlans', 'nftables-flowtables'] }
const data = 'docs/kernels.json'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    update: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  },
})
let runs = {}
let failed = 0
try {
  const names = positionals.length > 0 ? positionals : values.quick ? quick.kernels : [...suites.keys()]
  const words = values.only?.split(',') ?? (values.quick ? quick.only : [''])
  const files = testFiles(words)
  check(names, files)
  demand([process.execPath, 'scripts/setup.mjs'])
  for (const name of names) await onKernel(name, files)
  process.stdout.write(`\n${table(runs)}\n`)
} catch (error) {
  failed++
  process.stdout.write(`kernels: ${error instanceof Error ? error.message : error}\n`)
}
const [passed, broken, skipped] = totals(runs)
process.stdout.write(`${passed} passed, ${broken + failed} failed, ${skipped} skipped\n`)
process.exitCode = broken + failed === 0 ? 0 : 1

/**
 * The files whose name has one of the words, in the order of the words, without those that put something of their own in the place of a module,
 * which takes all of vitest.
 */
function testFiles(words) {
  const all = readdirSync('test/kernel')
    .filter(name => name.endsWith('.test.ts'))
    .sort()
  const chosen = new Set(words.flatMap(word => all.filter(name => `/${name}`.includes(word))))
  return [...chosen].map(name => `test/kernel/${name}`).filter(file => !readFileSync(file, 'utf8').includes('vi.mock('))
}

function check(names, files) {
  for (const name of names) if (!suites.has(name)) throw new Error(`there is no kernel ${name}, only ${[...suites.keys()].join(', ')}`)
  if (files.length === 0) throw new Error('no file of test/kernel has such a name')
  const wanted = readFileSync('.ci/kernels-packages', 'utf8').matchAll(/^([^#\s]+) (\S+)$/gm)
  const missing = [...wanted].filter(([, program]) => findProgram(program) === undefined).map(([, , debianPackage]) => debianPackage)
  if (missing.length > 0) throw new Error(`missing: Debian packages ${[...new Set(missing)].join(' ')}`)
}

async function onKernel(name, files) {
  const start = performance.now()
  const since = () => Math.round((performance.now() - start) / 1000)
  const chosen = kernel(name, values.update)
  process.stdout.write(`kernels: ${name} is ${chosen.release} (${chosen.suite}), ${since()} s\n`)
  const { code, answers } = await runOn(chosen, files, process.stdout)
  runs = merged(runs, chosen, answers)
  if (values.record) await keep(chosen, answers)
  const silent = files.filter(file => !answers.some(answer => answer.file === file))
  process.stdout.write(`kernels: ${name} done, ${since()} s\n`)
  if (silent.length === 0 && code === 0) return
  failed++
  process.stdout.write(`FAILED: the guest ended (${code}) before ${silent.join(', ') || 'it was switched off'}\n`)
}

/** What other runs found out about other files and kernels stays. */
async function keep(chosen, answers) {
  const recorded = merged(existsSync(data) ? JSON.parse(readFileSync(data, 'utf8')) : {}, chosen, answers)
  writeFileSync(data, `${JSON.stringify(recorded, undefined, 2)}\n`)
  const { isKind } = await import('../dist/kernel/link-kinds.js')
  writeFileSync('docs/kernels.md', page(recorded, isKind))
}
