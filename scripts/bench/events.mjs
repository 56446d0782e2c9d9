// Events without loss: one process makes veth pairs as fast as the kernel takes them, and another watches the namespace until it has seen them all.
// Usage: node scripts/bench/events.mjs [PAIRS …]; by default 1000 and 4000. NETLOOM_ROUNDS is another number of rounds than 9.
import { loadavg } from 'node:os'
import process from 'node:process'
import { local } from './peers/build.mjs'
import { middle, rounds, say, takeTurns } from './rounds.mjs'
import { table } from './table.mjs'

const given = process.argv.slice(2)
const sizes = given.length > 0 ? given : ['1000', '4000']
const contenders = sizes.map(size => ({ name: `${size} pairs`, command: [process.execPath, local('events-netloom.mjs'), size] }))
const load = loadavg()[0].toFixed(2)
takeTurns(contenders)
say(`watch(['link']) while veth pairs are made, medians of ${rounds} alternating rounds, load ${load} at the start`)
const row = one => {
  const lost = one.runs.reduce((sum, { resets }) => sum + resets, 0)
  if (lost > 0) process.exitCode = 1
  const number = key => Math.round(middle(one, key)).toLocaleString('en')
  return [
    one.name,
    number('events'),
    number('perSecond'),
    `${middle(one, 'behind').toFixed(1)} ms`,
    `${middle(one, 'cpu').toFixed(1)} µs`,
    `${lost}`,
  ]
}
say(
  table([['', 'events', 'per second', 'last one seen after', 'CPU of each', 'lost and resynchronised'], ...contenders.map(row)]).trimEnd(),
)
say(`nothing lost in any round: ${process.exitCode ? 'NOT MET' : 'met'}`)
