// What changes of an nftables rule set cost, next to `nft -f` in the same run: 1,000 rules and 10,000 elements as one batch, in a process
// that has done it before and in a new one, and one element more among 10 to 100,000.
// NETLOOM_ROUNDS is another number of rounds.
import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { Namespace } from 'netloom'
import { findProgram } from '../machine.mjs'
import { median, table } from './table.mjs'

const rounds = Number(process.env.NETLOOM_ROUNDS ?? 11)
const [, self, inside, only] = process.argv
const web = { family: 'inet', table: 'bench' }
const addresses = count => Array.from({ length: count }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
const ports = Array.from({ length: 1_000 }, (_, i) => i + 1)
const skeleton = `add table inet bench
add chain inet bench c { type filter hook forward priority 0; }
add set inet bench s { type ipv4_addr; }
add set inet bench r { type ipv4_addr; flags interval; }
add map inet bench m { type ipv4_addr : inet_service; }
`

function nft(text) {
  const { status, stderr } = spawnSync('nft', ['-f', '-'], { input: text, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}

function begin(t) {
  t.tables.create({ family: 'inet', name: 'bench' })
  t.chains.create({ ...web, name: 'c', type: 'filter', hook: 'forward', prio: 0 })
  t.sets.create({ ...web, name: 's', type: 'ipv4_addr' })
  t.sets.create({ ...web, name: 'r', type: 'ipv4_addr', flags: 'interval' })
  t.maps.create({ ...web, name: 'm', type: 'ipv4_addr', map: 'inet_service' })
}
const rule = port => ({
  ...web,
  chain: 'c',
  expr: [{ match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: port } }, { counter: null }, { accept: null }],
})
const elements = (name, count) => ({ ...web, name, elem: addresses(count) })

/** The same change by each; `nft` as text. */
const changes = {
  '1,000 rules': {
    record: t => {
      for (const port of ports) t.rules.add(rule(port))
    },
    text: ports.map(port => `add rule inet bench c tcp dport ${port} counter accept\n`).join(''),
  },
  '10,000 elements': {
    record: t => t.elements.add(elements('s', 10_000)),
    text: `add element inet bench s { ${addresses(10_000).join(', ')} }\n`,
  },
  '10,000 elements of a set of ranges': {
    record: t => t.elements.add(elements('r', 10_000)),
    text: `add element inet bench r { ${addresses(10_000).join(', ')} }\n`,
  },
}

async function timed(work) {
  const before = performance.now()
  await work()
  return performance.now() - before
}
const milliseconds = value => value.toFixed(value < 10 ? 2 : 1)

async function batches({ nftables }) {
  const rows = [['median ms of one batch', 'netloom', 'nft -f', 'ratio']]
  for (const [name, { record, text }] of Object.entries(changes)) {
    const times = { netloom: [], nft: [] }
    for (let round = 0; round < rounds; round++) {
      await nftables.transaction(begin)
      times.netloom.push(await timed(() => nftables.transaction(record)))
      await nftables.flush()
      nft(skeleton)
      times.nft.push(await timed(() => nft(text)))
      await nftables.flush()
    }
    const [ours, theirs] = [median(times.netloom), median(times.nft)]
    rows.push([name, milliseconds(ours), milliseconds(theirs), (ours / theirs).toFixed(2)])
    if (ours > theirs) {
      process.stdout.write(`${name}: slower than nft -f\n`)
      process.exitCode = 1
    }
  }
  return rows
}

/** What the first batch of a process takes there, its start and the loading of modules not included. */
function inNewProcess(name) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [self, 'first', name], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return Number(stdout)
}

async function firstBatches({ nftables }) {
  const rows = [['median ms of the first batch of a process', 'netloom', 'nft -f', 'ratio']]
  for (const [name, { text }] of Object.entries(changes)) {
    const times = { netloom: [], nft: [] }
    for (let round = 0; round < rounds; round++) {
      await nftables.transaction(begin)
      times.netloom.push(inNewProcess(name))
      await nftables.flush()
      nft(skeleton)
      times.nft.push(await timed(() => nft(text)))
      await nftables.flush()
    }
    const [ours, theirs] = [median(times.netloom), median(times.nft)]
    rows.push([name, milliseconds(ours), milliseconds(theirs), (ours / theirs).toFixed(2)])
  }
  return rows
}

async function single({ nftables }) {
  const rows = [['median µs of one element of a map more', 'netloom', 'nft -f']]
  const sizes = [10, 10_000, 100_000]
  const medians = []
  for (const count of sizes) {
    await nftables.transaction(t => {
      begin(t)
      t.elements.add({ ...web, name: 'm', elem: addresses(count).map(address => [address, 80]) })
    })
    const times = { netloom: [], nft: [] }
    for (let round = 0; round < rounds * 5; round++) {
      const elem = [[`192.0.${round >> 8}.${round & 255}`, 80]]
      times.netloom.push(await timed(() => nftables.elements.add({ ...web, name: 'm', elem })))
      const theirs = `198.51.${round >> 8}.${round & 255}`
      times.nft.push(await timed(() => nft(`add element inet bench m { ${theirs} : 80 }\n`)))
    }
    medians.push(median(times.netloom))
    rows.push([`among ${count.toLocaleString('en')}`, ...[times.netloom, times.nft].map(list => (median(list) * 1000).toFixed(0))])
    await nftables.flush()
  }
  // A way that reads the elements, or copies them, takes hundreds of times as long.
  if (medians.at(-1) > 3 * medians[0]) {
    process.stdout.write('one element more depends on how many there are\n')
    process.exitCode = 1
  }
  return rows
}

if (inside === 'first') {
  process.stdout.write(`${await timed(() => Namespace.current().nftables.transaction(changes[only].record))}\n`)
} else if (inside !== 'inside') {
  const isolated = fileURLToPath(new URL('../isolated.mjs', import.meta.url))
  const { status } = spawnSync(process.execPath, [isolated, '--fresh', process.execPath, self, 'inside'], { stdio: 'inherit' })
  process.exitCode = status ?? 1
} else if (findProgram('nft') === undefined) {
  process.stdout.write('left out: nft is not installed (Debian package nftables)\n')
} else {
  const here = Namespace.current()
  process.stdout.write(`${rounds} rounds, in turn; nft's times have the start of a process in them\n`)
  process.stdout.write(table(await batches(here)))
  process.stdout.write(table(await firstBatches(here)))
  process.stdout.write(table(await single(here)))
}
