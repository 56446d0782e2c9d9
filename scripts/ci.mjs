// Every check one after the other, each with its time: `node scripts/ci.mjs [STEP…]`, by default all of them; `--list` only names them. The last line adds up what they counted.
// A step whose tools are missing fails: nothing is left out because it could not run.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

/** One test file at least for each file of native/: with sanitizers everything takes several times as long. */
const watched = ['namespace', 'jobs', 'exec', 'spawn', 'ping', 'node-sockets', 'sysctl', 'link-tun', 'iptables-legacy', 'links', 'watch']
const steps = {
  suite: ['npm', 'test', '--silent'],
  packages: ['node', 'scripts/packages.mjs'],
  'lint-native': ['node', 'scripts/lint-native.mjs'],
  fuzz: ['node', 'scripts/fuzz.mjs', '--seconds=10'],
  asan: ['node', 'scripts/sanitized.mjs', 'asan', ...watched.map(name => `test/kernel/${name}.test.ts`), 'test/lifecycle/exchange.test.ts'],
  kernels: ['node', 'scripts/kernels.mjs', '--quick'],
  container: ['node', 'scripts/container.mjs'],
}
const words = process.argv.slice(2).filter(word => word !== '--list')
const chosen = words.length > 0 ? words : Object.keys(steps)
const unknown = chosen.filter(name => !(name in steps))
if (unknown.length > 0) {
  process.stderr.write(`ci: no step ${unknown.join(', ')}; there are ${Object.keys(steps).join(', ')}\n`)
  process.exit(2)
}
if (process.argv.includes('--list')) {
  process.stdout.write(`${chosen.join(' ')}\n`)
  process.exit(0)
}
const total = [0, 0, 0]
const times = []
const failures = []
for (const name of chosen) {
  process.stdout.write(`== ${name}\n`)
  const start = performance.now()
  const counts = await run(name)
  times.push(`${name} ${Math.round((performance.now() - start) / 1000)} s`)
  process.stdout.write(`== ${times.at(-1)}: ${counts[0]} passed, ${counts[1]} failed\n`)
  counts.forEach((count, i) => {
    total[i] += count
  })
}
process.stdout.write(`${times.join(', ')}\n`)
// Once more, where they are found first.
for (const line of failures) process.stdout.write(`${line}\n`)
const [passed, failed, skipped] = total
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`)
process.exitCode = failed === 0 ? 0 : 1

/** What a step counted in its last line. One that ends without counting, or with an error that it did not count, has failed once more. */
async function run(name) {
  const [command, ...args] = steps[name]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let counted
  let rest = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', text => {
    process.stdout.write(text)
    const lines = (rest + text).split('\n')
    rest = lines.pop()
    failures.push(...lines.filter(line => line.startsWith('FAILED')).map(line => `${name}: ${line}`))
    for (const line of lines) counted = /^(\d+) passed, (\d+) failed, (\d+) skipped$/.exec(line)?.slice(1).map(Number) ?? counted
  })
  const code = await new Promise(resolve => {
    child.on('error', () => resolve(127))
    child.on('close', resolve)
  })
  const [done, failed, skipped] = counted ?? [0, 0, 0]
  return [done, failed + (code !== 0 && failed === 0 ? 1 : 0), skipped]
}
