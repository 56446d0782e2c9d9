// Runs the benchmarks: `npm run bench` all of them, `npm run bench -- codec peer` some. Each is a program of its own beside this one.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const folder = new URL('.', import.meta.url)
const helpers = ['run', 'table']
const all = readdirSync(folder)
  .filter(file => file.endsWith('.mjs'))
  .map(file => file.slice(0, -4))
  .filter(name => !helpers.includes(name))
const wanted = process.argv.slice(2)
const unknown = wanted.filter(name => !all.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`no benchmark ${unknown.join(', ')}; there are ${all.join(', ')}\n`)
  process.exit(2)
}

process.stdout.write(`Node ${process.version}, Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`)
for (const name of wanted.length > 0 ? wanted : all) {
  process.stdout.write(`\n── ${name} (load ${loadavg()[0].toFixed(2)})\n`)
  const { status, error } = spawnSync(process.execPath, [fileURLToPath(new URL(`${name}.mjs`, folder))], { stdio: 'inherit' })
  if (error) throw error
  // A limit that is not met is a result, and the others are still of interest.
  if (status !== 0) process.exitCode = 1
}
