// What connecting, publishing and their ends cost with few and with many endpoints or published ports present, in turns, next to the same links and
// announcement made without a network: what the kernel alone takes. Usage: node scripts/bench/network-cost.mjs [ENDPOINTS [PORTS]]; by default 1000 5000.
// NETLOOM_ROUNDS is another number of rounds than 61; NETLOOM_ROW how many are made in a row before it is the other's turn, by default 1.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Namespace, Networks } from 'netloom'
import { median, table } from './table.mjs'

const rounds = Number(process.env.NETLOOM_ROUNDS ?? 61)
const row = Number(process.env.NETLOOM_ROW ?? 1)
const [, self, endpoints = '1000', ports = '5000', inside] = process.argv
const few = 10
const most = 1.2
/** Milliseconds in which what was measured last comes to rest: the flood of an announcement, the kernel's deferred work. */
const rest = 40
/** Published ports of one endpoint. */
const portion = 500

/** Where docs/networks.md puts it: on a file system in memory. */
const folder = mkdtempSync('/run/netloom-bench-')

/** A host of its own with endpoints and published ports on one network, and one more namespace to connect. */
async function world(prefix, { count, published, serve }) {
  const host = await Namespace.create(`${prefix}-host`, { loopback: true })
  const networks = await Networks.open({ stateDir: join(folder, prefix), host, ...(serve && { serve }) })
  const net = await networks.create({ name: 'net', subnet: '10.64.0.0/16' })
  const names = Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
  for (let i = 0; i < names.length; i += 250) await Namespace.createMany(names.slice(i, i + 250))
  const connected = await net.connectMany(names.map(name => ({ name })))
  for (let first = 0; first < published; first += portion) {
    const last = Math.min(first + portion, published) - 1
    await connected[(first / portion) % count].publish({
      containerPort: `${1_000 + first}-${1_000 + last}`,
      hostPort: `${1_000 + first}-${1_000 + last}`,
    })
  }
  const guest = await Namespace.create(`${prefix}-guest`, { loopback: true })
  const bridge = `br-${net.id.slice(0, 12)}`
  return { host, networks, net, guest, bridge, measured: new Map() }
}

async function timed({ measured }, what, work) {
  await setTimeout(rest)
  const before = process.cpuUsage()
  const start = performance.now()
  const result = await work()
  const wall = performance.now() - start
  const { user, system } = process.cpuUsage(before)
  measured.set(what, [...(measured.get(what) ?? []), { wall, cpu: (user + system) / 1_000 }])
  return result
}

async function linksAlone(one) {
  const { host, guest, bridge: master } = one
  const inner = { name: 'eth0', namespace: guest, up: true, ipv6: 'none' }
  const pair = { kind: 'veth', name: 'alone', master, up: true, ipv6: 'none', peer: inner }
  const { index } = await timed(one, 'the links alone', () => host.links.create(pair))
  await timed(one, 'their removal alone', () => host.links.delete(index))
}
async function withNetwork(one) {
  const { net, guest } = one
  await timed(one, 'connect', () => net.connect(guest))
  await timed(one, 'disconnect', () => net.disconnect(guest))
  await timed(one, 'both, one after the other', async () => {
    await net.connect(guest)
    await net.disconnect(guest)
  })
}
async function withPorts(one) {
  const { net, guest } = one
  const publish = [{ hostPort: 20_000, containerPort: 80 }]
  const endpoint = await timed(one, 'connect, one port', () => net.connect(guest, { publish }))
  await timed(one, 'publish', () => endpoint.publish({ hostPort: 20_001, containerPort: 81 }))
  await timed(one, 'unpublish', () => endpoint.unpublish({ hostPort: 20_001, containerPort: 81 }))
  await timed(one, 'disconnect, one port', () => endpoint.disconnect())
}

/** Runs the works in both worlds, in turns; true if every ratio of the networks' own is within the limit. */
async function compare(title, worlds, works) {
  const load = loadavg()[0].toFixed(2)
  for (let round = 0; round < rounds; round += row)
    for (const one of (round / row) % 2 ? worlds.toReversed() : worlds)
      for (let i = 0; i < Math.min(row, rounds - round); i++) for (const work of works) await work(one)
  const [small, large] = worlds
  const rows = [[title, 'ms', 'with many', 'ratio', 'CPU ms', 'with many', 'ratio']]
  let met = true
  for (const [what, runs] of small.measured) {
    const pairs = ['wall', 'cpu'].map(key => [runs, large.measured.get(what)].map(list => median(list.map(run => run[key]))))
    rows.push([what, ...pairs.flatMap(([a, b]) => [a.toFixed(2), b.toFixed(2), (b / a).toFixed(2)])])
    if (!what.endsWith('alone') && pairs[0][1] > most * pairs[0][0]) met = false
  }
  process.stdout.write(
    `medians of ${rounds} rounds in turn${row > 1 ? `, ${row} in a row` : ''}, load ${load} at the start\n${table(rows)}`,
  )
  return met
}

async function all() {
  const published = { count: few, published: Number(ports) }
  const cases = [
    [
      `${few} endpoints, and ${endpoints}`,
      [
        { count: few, published: 0 },
        { count: Number(endpoints), published: 0 },
      ],
      [withNetwork, linksAlone],
    ],
    [`10 published ports, and ${ports}`, [{ count: few, published: 10 }, published], [withNetwork, withPorts]],
    [
      `the same, held by serve`,
      [{ count: few, published: 10 }, published].map(one => ({ ...one, serve: { holdPorts: true, repair: true } })),
      [withNetwork, withPorts],
    ],
  ]
  for (const [number, [title, sizes, works]] of cases.entries()) {
    const worlds = []
    for (const [i, size] of sizes.entries()) worlds.push(await world(`b${number}${i}`, size))
    await setTimeout(2_000)
    if (!(await compare(title, worlds, works))) {
      process.stdout.write(`limit ${most} of the time: NOT MET\n`)
      process.exitCode = 1
    }
    for (const { networks, guest, host } of worlds) {
      await networks.close()
      await guest.close()
      await host.close()
    }
  }
}

try {
  if (inside === 'inside') await all()
  else {
    const isolated = fileURLToPath(new URL('../isolated.mjs', import.meta.url))
    const command = [isolated, '--fresh', process.execPath, self, endpoints, ports, 'inside']
    process.exitCode = spawnSync(process.execPath, command, { stdio: 'inherit' }).status ?? 1
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
