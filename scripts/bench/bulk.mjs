// Namespaces by the thousand: each with a veth to a bridge, an address and a default route, made by one plan and removed, next to a C++ program
// that does the same with the fewest system calls (floor.cc). Every run has a machine of its own, and they take turns.
// Usage: node scripts/bench/bulk.mjs [N …]; by default 100 and 1000. NETLOOM_ROUNDS is another number of rounds than 9.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { findProgram } from '../machine.mjs'
import { median, table } from './table.mjs'

const rounds = Number(process.env.NETLOOM_ROUNDS ?? 9)
const perBridge = 1000
const isolated = fileURLToPath(new URL('../isolated.mjs', import.meta.url))
const self = fileURLToPath(import.meta.url)
const WORK = '--work'

if (process.argv[2] === WORK) await work(Number(process.argv[3]), process.argv[4], process.argv[5] === 'drain')
else compare((process.argv.length > 2 ? process.argv.slice(2) : ['100', '1000']).map(Number))

/** One world: prints microseconds for each namespace, as floor.cc does. */
async function work(count, policy, drain) {
  const { Namespace } = await import('../../dist/index.js')
  const here = Namespace.current()
  const start = performance.now()
  const cpu = process.cpuUsage()
  const result = await star(await import('../../dist/index.js'), here, count, policy).apply()
  const createCpu = process.cpuUsage(cpu)
  const made = performance.now()
  const before = process.cpuUsage()
  await result.delete({ drain })
  const removeCpu = process.cpuUsage(before)
  const removed = performance.now()
  while ((await here.links.list()).length > 1) await new Promise(resolve => setTimeout(resolve, 2))
  const each = milliseconds => Math.round((milliseconds * 10_000) / count) / 10
  const spent = ({ user, system }) => each((user + system) / 1000)
  const times = { create: each(made - start), remove: each(removed - made), gone: each(performance.now() - made) }
  process.stdout.write(`${JSON.stringify({ ...times, createCpu: spent(createCpu), removeCpu: spent(removeCpu) })}\n`)
}

/** The plan is recorded within the measured time. */
function star({ Plan }, here, count, policy) {
  const plan = new Plan({ ipv6: policy === 'none' ? 'static' : 'kernel' })
  const host = plan.in(here)
  const ports = policy === 'none' ? { ipv6: 'none' } : {}
  const bridges = []
  for (let i = 0; i < count; i++) {
    const number = i % perBridge
    const net = `10.${100 + Math.floor(i / perBridge)}`
    if (number === 0) {
      bridges.push(
        host.links.create({ kind: 'bridge', name: `bench${bridges.length}`, mac: mac(3, bridges.length), up: true, ipv6: 'kernel' }),
      )
      host.addresses.add(bridges.at(-1), `${net}.0.1/16`)
    }
    const inside = plan.namespace(`b${i}`, { loopback: true })
    const peer = { name: `bp${i}`, mac: mac(2, i), namespace: host, master: bridges.at(-1), up: true, ...ports }
    const eth0 = inside.links.create({ kind: 'veth', name: 'eth0', mac: mac(1, i), up: true, peer })
    inside.addresses.add(eth0, `${net}.${Math.floor(number / 250) + 1}.${(number % 250) + 1}/16`)
    inside.routes.add({ to: 'default', via: `${net}.0.1`, link: eth0 })
  }
  return plan
}

function mac(side, i) {
  const hex = byte => byte.toString(16).padStart(2, '0')
  return `02:0${side}:00:00:${hex(i >> 8)}:${hex(i & 255)}`
}

function compare(sizes) {
  const folder = mkdtempSync(join(tmpdir(), 'netloom-bench-'))
  try {
    const floor = compile(folder)
    for (const size of sizes) measure(size, floor)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function compile(folder) {
  const program = join(folder, 'floor')
  const source = fileURLToPath(new URL('floor.cc', import.meta.url))
  const compiler = process.env.CXX ?? 'g++'
  if (!findProgram(compiler)) {
    process.stdout.write('the C++ floor is left out: Debian package g++\n')
    return undefined
  }
  const { status, stderr } = spawnSync(compiler, ['-std=c++17', '-O2', '-o', program, source], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${compiler}: ${stderr}`)
  return program
}

function measure(size, floor) {
  const ours = (policy, ...more) => [process.execPath, self, WORK, String(size), policy, ...more]
  const contenders = [
    ...['none', 'kernel'].flatMap(policy => [
      ...(floor ? [{ name: `C++ floor, IPv6 ${policy}`, base: policy, command: [floor, String(size), policy] }] : []),
      { name: `netloom, IPv6 ${policy}`, base: policy, command: ours(policy) },
    ]),
    { name: 'netloom, IPv6 none, drained', base: 'none', command: ours('none', 'drain') },
  ].map(one => ({ ...one, runs: [] }))
  for (let round = 0; round < rounds; round++)
    for (const contender of round % 2 ? contenders.toReversed() : contenders) contender.runs.push(run(contender))
  process.stdout.write(
    `\n${size} namespaces: microseconds each, medians of ${rounds} alternating rounds, load ${loadavg()[0].toFixed(2)}\n(“none”: addr_gen_mode none inside, IPv6 off on the ports; in brackets the ratio to the floor of the same policy)\n`,
  )
  const keys = ['create', 'createCpu', 'remove', 'removeCpu', 'gone']
  const middle = ({ runs }, key) => median(runs.map(one => one[key]))
  const rows = contenders.map(contender => {
    const base = contenders.find(({ name }) => name === `C++ floor, IPv6 ${contender.base}`)
    const cell = key =>
      `${Math.round(middle(contender, key))}${base ? ` (${(middle(contender, key) / middle(base, key)).toFixed(2)})` : ''}`
    return [contender.name, ...keys.map(cell)]
  })
  process.stdout.write(table([['', 'create', 'its CPU', 'remove', 'its CPU', 'links gone'], ...rows]))
}

function run({ name, command }) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [isolated, '--fresh', ...command], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${name}: ${stderr}`)
  return JSON.parse(stdout.trim().split('\n').at(-1))
}
