// Connecting namespaces to a bridge with an address, a default route, masquerading and one published port each: by CNI's plugins bridge, host-local
// and portmap, as a container runtime calls them one namespace after the other, and by netloom, one after the other and all at once.
// Usage: node scripts/bench/cni.mjs [N]; by default 50 namespaces a round. NETLOOM_ROUNDS is another number of rounds than 9.
import { existsSync } from 'node:fs'
import { loadavg } from 'node:os'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { findProgram } from '../machine.mjs'
import { limit, middle, rounds, say, takeTurns } from './rounds.mjs'
import { table } from './table.mjs'

const size = process.argv[2] ?? '50'
const peer = fileURLToPath(new URL('peers/cni-connect.mjs', import.meta.url))
const missing = ['bridge', 'host-local', 'portmap'].find(name => !existsSync(`/usr/lib/cni/${name}`))
if (missing !== undefined || !findProgram('iptables')) {
  say(`${missing ?? 'iptables'} is missing (Debian packages containernetworking-plugins and iptables)`)
  process.exit(1)
}
const contender = (name, form) => ({ name, command: [process.execPath, peer, form, size] })
const contenders = [
  contender('CNI: bridge, host-local, portmap', 'cni'),
  contender('netloom, connect() each', 'each'),
  contender('netloom, connectMany()', 'many'),
]
const load = loadavg()[0].toFixed(2)
takeTurns(contenders)
say(`${size} namespaces connected: milliseconds each, medians of ${rounds} alternating rounds, load ${load} at the start`)
const [cni, ...ours] = contenders
const cell = (one, key) => `${middle(one, key).toFixed(2)} (${(middle(cni, key) / middle(one, key)).toFixed(1)} ×)`
say(table([['', 'connect', 'disconnect'], ...contenders.map(one => [one.name, cell(one, 'add'), cell(one, 'remove')])]).trimEnd())
const both = one => middle(one, 'add') + middle(one, 'remove')
for (const one of ours) {
  limit(`${one.name} / CNI, connect`, middle(one, 'add') / middle(cni, 'add'), 0.1, 3)
  limit(`${one.name} / CNI, connect and disconnect`, both(one) / both(cni), 0.1, 3)
}
