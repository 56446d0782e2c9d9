// Runs the benchmarks: `npm run bench` all of them, `npm run bench -- codec peer` some, `npm run bench -- plans` all those of plans.
// Numbers after a name are its arguments: `npm run bench -- bulk 100 1000`. Each is a program of its own beside this one.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const folder = new URL('.', import.meta.url)
const helpers = ['rounds', 'run', 'table']
const groups = { plans: ['bulk', 'routes-add', 'events', 'loop', 'memory'] }
const all = readdirSync(folder)
  .filter(file => file.endsWith('.mjs'))
  .map(file => file.slice(0, -4))
  .filter(name => !helpers.includes(name))
const wanted = []
for (const word of process.argv.slice(2)) {
  if (/^\d+$/.test(word)) wanted.at(-1)?.arguments.push(word)
  else wanted.push(...(groups[word] ?? [word]).map(name => ({ name, arguments: [] })))
}
const unknown = wanted.filter(({ name }) => !all.includes(name)).map(({ name }) => name)
if (unknown.length > 0 || (wanted.length === 0 && process.argv.length > 2)) {
  process.stderr.write(`no benchmark ${unknown.join(', ')}; there are ${[...all, ...Object.keys(groups)].join(', ')}\n`)
  process.exit(2)
}

process.stdout.write(`Node ${process.version}, Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`)
for (const { name, arguments: words } of wanted.length > 0 ? wanted : all.map(name => ({ name, arguments: [] }))) {
  process.stdout.write(`\n── ${name} (load ${loadavg()[0].toFixed(2)})\n`)
  const { status, error } = spawnSync(process.execPath, [fileURLToPath(new URL(`${name}.mjs`, folder)), ...words], { stdio: 'inherit' })
  if (error) throw error
  // A limit that is not met is a result, and the others are still of interest.
  if (status !== 0) process.exitCode = 1
}
