// Memory that the result of a plan holds: heap and external memory after a forced collection, for two sizes, and the slope between them.
// Usage: node scripts/bench/memory.mjs [SMALL LARGE]; by default 1000 and 4000. NETLOOM_ROUNDS is another number of rounds than 9.
import { loadavg } from 'node:os'
import process from 'node:process'
import { local } from './peers/build.mjs'
import { limit, middle, rounds, say, takeTurns } from './rounds.mjs'

const [small, large] = process.argv.length > 3 ? process.argv.slice(2).map(Number) : [1000, 4000]
const contenders = [small, large].map(size => ({
  name: `${size} namespaces`,
  command: [process.execPath, '--expose-gc', local('memory-netloom.mjs'), String(size)],
}))
const load = loadavg()[0].toFixed(2)
takeTurns(contenders)
const kilobytes = one => middle(one, 'held') / 1000
for (const one of contenders)
  say(
    `${one.name}: ${kilobytes(one).toFixed(0)} kB more than before, the result held (median of ${rounds} rounds, load ${load} at the start)`,
  )
limit('kB for each further namespace', (kilobytes(contenders[1]) - kilobytes(contenders[0])) / (large - small), 2, 3)
