// Delay of the event loop while thousands of namespaces are made: of the Node that makes them, and of an idle one beside the C++ floor that does
// the same work. Usage: node scripts/bench/loop.mjs [N]; by default 4000. NETLOOM_ROUNDS is another number of rounds than 9.
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { cppProgram, local } from './peers/build.mjs'
import { limit, middle, rounds, say, takeTurns } from './rounds.mjs'
import { table } from './table.mjs'

const size = process.argv[2] ?? '4000'
const folder = mkdtempSync(join(tmpdir(), 'netloom-bench-'))
try {
  const floor = cppProgram(folder, '../floor.cc')
  if (floor.missing) say(`an idle Node beside the C++ floor is left out: ${floor.missing}`)
  const observed = (name, ...words) => ({ name, command: [process.execPath, local('loop-delay.mjs'), size, ...words] })
  const ours = observed('Node with netloom')
  const idle = observed('idle Node beside the floor', ...(floor.command ?? []))
  const contenders = floor.missing ? [ours] : [ours, idle]
  const load = loadavg()[0].toFixed(2)
  takeTurns(contenders)
  say(
    `${size} namespaces made: delay of the event loop in milliseconds, medians of ${rounds} alternating rounds, load ${load} at the start`,
  )
  const keys = ['p50', 'p99', 'p999', 'max']
  const rows = contenders.map(one => [
    one.name,
    ...keys.map(key => middle(one, key).toFixed(1)),
    Math.max(...one.runs.map(({ max }) => max)).toFixed(1),
  ])
  say(table([['', 'p50', 'p99', 'p99.9', 'max', 'largest max'], ...rows]).trimEnd())
  limit('netloom, p99.9', middle(ours, 'p999'), 20, 1)
  if (!floor.missing) limit('netloom, max over that of the idle one', middle(ours, 'max') - middle(idle, 'max'), 10, 1)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
