// Adding 100,000 routes: as one plan, with ip -batch and with Go's netlink, each time in a namespace of its own. The start of a process counts
// for ip only, which is nothing but that. NETLOOM_ROUTES is another number, NETLOOM_ROUNDS another number of rounds than 9.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { findProgram } from '../machine.mjs'
import { goProgram, local } from './peers/build.mjs'
import { limit, middle, rounds, say, takeTurns } from './rounds.mjs'
import { table } from './table.mjs'

const count = Number(process.argv[2] ?? process.env.NETLOOM_ROUTES ?? 100_000)
const folder = mkdtempSync(join(tmpdir(), 'netloom-bench-'))
try {
  const go = goProgram(folder, 'routes-add.go')
  const ip = findProgram('ip')
  const bash = findProgram('bash')
  const batch = join(folder, 'batch')
  const destination = i => `${20 + (i >>> 24)}.${(i >>> 16) & 255}.${(i >>> 8) & 255}.${i & 255}`
  writeFileSync(batch, Array.from({ length: count }, (_, i) => `route add ${destination(i)} dev lo protocol static\n`).join(''))
  const peers = [
    { name: 'netloom, one plan', command: [process.execPath, local('routes-add-netloom.mjs'), String(count)] },
    {
      name: 'ip -batch',
      missing: ip && bash ? undefined : 'Debian packages iproute2 and bash',
      command: [bash, local('routes-add-ip.sh'), batch],
    },
    { name: 'Go, one handle', missing: go.missing, command: [...(go.command ?? []), String(count)] },
  ]
  for (const { name, missing } of peers) if (missing) say(`${name} is left out: ${missing}`)
  const contenders = peers.filter(({ missing }) => !missing)
  const load = loadavg()[0].toFixed(2)
  takeTurns(contenders)
  for (const { name, runs } of contenders)
    for (const { routes } of runs) if (routes !== count) throw new Error(`${name}: there are ${routes} routes`)
  say(`${count} routes: milliseconds, medians of ${rounds} alternating rounds, load ${load} at the start; CPU of the process`)
  const [ours] = contenders
  const cell = (one, key) => `${middle(one, key).toFixed(0)} (${(middle(one, key) / middle(ours, key)).toFixed(2)})`
  say(table([['', 'add', 'its CPU'], ...contenders.map(one => [one.name, cell(one, 'add'), cell(one, 'cpu')])]).trimEnd())
  const other = contenders.find(({ name }) => name === 'ip -batch')
  if (other) limit('netloom / ip -batch', middle(ours, 'add') / middle(other, 'add'), 1)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
