// Namespaces by the thousand: each with a veth to a bridge, an address and a default route, made by one plan and removed, next to a C++ program
// that does the same with the fewest system calls (floor.cc) and to whatever peers are installed. Every run has a machine of its own.
// Usage: node scripts/bench/bulk.mjs [N …]; by default 100, 1000 and 4000. NETLOOM_ROUNDS is another number of rounds than 9.
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { bulkPeers } from './peers/bulk-peers.mjs'
import { limit, middle, rounds, say, takeTurns } from './rounds.mjs'
import { table } from './table.mjs'

const given = process.argv.slice(2).map(Number)
const sizes = given.length > 0 ? given : [100, 1000, 4000]
/** From here on the kernel's own IPv6, whose cost grows with the square, and peers that take tens of milliseconds each are left out. */
const large = 2000

const folder = mkdtempSync(join(tmpdir(), 'netloom-bench-'))
try {
  const peers = bulkPeers(folder)
  for (const { name, missing } of peers) if (missing) say(`${name} is left out: ${missing}`)
  const there = peers.filter(({ missing }) => !missing)
  const contenders = sizes.flatMap(size => there.flatMap(peer => (size >= large && !peer.large ? [] : [contender(peer, size)])))
  const load = loadavg()[0].toFixed(2)
  takeTurns(contenders)
  for (const size of sizes)
    report(
      size,
      contenders.filter(one => one.size === size),
      load,
    )
  judge(contenders)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function contender(peer, size) {
  // Slow ones are measured in every third round where they would take most of the time.
  return { ...peer, size, every: peer.slow && size >= 500 ? 3 : 1, command: peer.command(size) }
}

function report(size, contenders, load) {
  say(`\n${size} namespaces: microseconds each, medians of ${rounds} alternating rounds, load ${load} at the start`)
  say('in brackets the ratio to the C++ floor of the same IPv6 policy and removal; CPU is that of the process, of ip that of all processes')
  const keys = ['create', 'createCpu', 'remove', 'removeCpu', 'gone']
  const rows = contenders.map(one => {
    const base = contenders.find(({ floor, policy, removal }) => floor && policy === one.policy && removal === one.removal)
    const cell = key => {
      const value = middle(one, key)
      return `${Math.round(value)}${base ? ` (${(value / middle(base, key)).toFixed(2)})` : ''}`
    }
    return [one.name, one.policy, String(one.runs.length), ...keys.map(cell)]
  })
  say(table([['', 'IPv6', 'runs', 'create', 'its CPU', 'remove', 'its CPU', 'links gone'], ...rows]).trimEnd())
}

/** What the project holds itself to; only where both sides were measured. */
function judge(contenders) {
  const find = (name, policy, size) => contenders.find(one => one.name === name && one.policy === policy && one.size === size)
  const ratio = (key, ours, other, most, size) => {
    const [a, b] = [find(...ours, size), find(...other, size)]
    if (a && b) limit(`${size}: ${ours.join(', ')} / ${other.join(', ')}, ${key}`, middle(a, key) / middle(b, key), most)
  }
  say('')
  for (const key of ['create', 'createCpu']) ratio(key, ['netloom', 'none'], ['C++ floor', 'none'], 1.15, 1000)
  ratio('createCpu', ['netloom', 'kernel'], ['C++ floor', 'kernel'], 1.15, 1000)
  for (const key of ['remove', 'gone']) ratio(key, ['netloom', 'none'], ['C++ floor', 'none'], 1.15, 1000)
  ratio('remove', ['netloom, drained', 'none'], ['C++ floor, drained', 'none'], 1.15, 1000)
  for (const policy of ['none', 'kernel'])
    for (const form of ['Go, as CNI does it', 'Go, handles reused']) ratio('create', ['netloom', policy], [form, policy], 1, 1000)
  for (const [peer, times] of [
    ['Go, as CNI does it', 4],
    ['ip -batch', 9],
    ['ip per command', 22],
    ['pyroute2', 25],
  ])
    ratio('create', ['netloom', 'none'], [peer, 'kernel'], Number((1 / times).toFixed(3)), 1000)
  const [small, big] = [find('netloom', 'none', 1000), find('netloom', 'none', 4000)]
  if (small && big)
    limit('netloom, none: a namespace of 4,000 / one of 1,000, create', middle(big, 'create') / middle(small, 'create'), 1.15)
}
