// Speed of the reading side: 10,000 links, 1,000,000 routes and a single link, next to others that read the same, in worlds of their own.
// What is not installed is left out by name; docs/performance.md says what to install and what the numbers mean.
// NETLOOM_LINKS and NETLOOM_ROUTES are other sizes, NETLOOM_ROUNDS another number of rounds.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import * as netlink from 'netloom/netlink'
import { findProgram, isIsolated } from '../machine.mjs'
import { preparePeers, startPeer } from './peers/start.mjs'
import { makeLinks, makeRoutes } from './peers/world.mjs'
import { median, table } from './table.mjs'

const links = Number(process.env.NETLOOM_LINKS ?? 10_000)
const routes = Number(process.env.NETLOOM_ROUTES ?? 1_000_000)
const rounds = Number(process.env.NETLOOM_ROUNDS ?? 9)
const getsPerRound = 300
const here = { pid: process.pid }
const [, self, world, prepared] = process.argv
const worlds = { links: readLinks, routes: readRoutes, get: readOne }

function everything() {
  const folder = mkdtempSync(join(tmpdir(), 'netloom-bench-'))
  try {
    const peers = preparePeers(folder)
    for (const [name, { missing }] of Object.entries(peers)) if (missing) say(`${name} is left out: ${missing}`)
    if (!findProgram('ip')) say('ip is left out: Debian package iproute2')
    const isolated = fileURLToPath(new URL('../isolated.mjs', import.meta.url))
    for (const name of Object.keys(worlds)) {
      const { status, error } = spawnSync(process.execPath, [isolated, '--fresh', process.execPath, self, name, JSON.stringify(peers)], {
        stdio: 'inherit',
      })
      if (error) throw error
      if (status !== 0) process.exitCode = 1
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function readLinks(peers) {
  say(`\n${links + 1} links, made in ${(await makeLinks(netlink, here, links / 2)).toFixed(0)} ms`)
  const contenders = [
    ...start(peers, ['netloom', 'Go', 'C++']).map(peer => called(peer, 'links')),
    ...(findProgram('ip') ? [program('ip -j link', ['ip', '-j', 'link']), program('ip link', ['ip', 'link'])] : []),
    program('node that imports netloom and lists', [...peers.netloom.command, 'once']),
    program('node that does nothing', [process.execPath, '-e', '0']),
  ]
  const first = (await contenders[0].measure()).times[0]
  await measure(contenders)
  report(contenders, 1000, 'ms')
  const { count } = await contenders[0].peer.ask('delay', 5, 'links')
  say(`netloom: the first list of a process ${(first / 1000).toFixed(1)} ms; the event loop was held up ${count.toFixed(1)} ms at most`)
  limit(contenders, 'Go', 1)
  limit(contenders, 'ip -j link', 1.3)
  await end(contenders)
}

async function readRoutes(peers) {
  say(`\n${routes.toLocaleString('en')} routes, made in ${(await makeRoutes(netlink, here, routes)).toFixed(0)} ms`)
  const contenders = start(peers, ['netloom', 'Go', 'C++']).map(peer => called(peer, 'routes'))
  await measure(contenders, Math.ceil(rounds / 2))
  report(contenders, 1000, 'ms')
  for (const { peer, name } of contenders) say(`${name} occupied ${megabytes(peer.mostMemory())} at most`)
  const { count: delay } = await contenders[0].peer.ask('delay', 1, 'routes')
  const { count: held } = await contenders[0].peer.ask('held', 1)
  say(`netloom held ${megabytes(held)} more while iterating than before; the event loop was held up ${delay.toFixed(1)} ms at most`)
  limit(contenders, 'Go', 1.5)
  await end(contenders)
}

async function readOne(peers) {
  await makeLinks(netlink, here, 50)
  say(`\none link of 101, by name: ${getsPerRound} calls in a row per round`)
  const contenders = [
    ...start(peers, ['netloom', 'Go', 'pyroute2', 'npm netlink']).map(peer => called(peer, 'get', getsPerRound, 'a7')),
    ...(findProgram('ip') ? [program('ip -j link show a7', ['ip', '-j', 'link', 'show', 'a7'])] : []),
  ]
  for (const { measure } of contenders) await measure()
  await measure(contenders)
  report(contenders, 1, 'µs')
  await end(contenders)
}

const start = (peers, names) => names.filter(name => !peers[name].missing).map(name => startPeer(name, peers[name].command))

/** A peer that measures its own calls. */
const called = (peer, operation, times = 1, argument = '') => ({
  name: peer.name,
  peer,
  measure: () => peer.ask(operation, times, argument),
})

/** A program that is started, prints to nowhere and ends. Its processor time is not asked for. */
const program = (name, [command, ...options]) => ({
  name: `${name} (process)`,
  async measure() {
    const begin = performance.now()
    const { status } = spawnSync(command, options, { stdio: 'ignore' })
    if (status !== 0) throw new Error(`${name} failed`)
    return { times: [(performance.now() - begin) * 1000] }
  },
})

/** In turns, so that what else the machine does falls on all of them. */
async function measure(contenders, repetitions = rounds) {
  for (const one of contenders) {
    one.times = []
    one.cpu = []
  }
  for (let round = 0; round < repetitions; round++) {
    for (const one of round % 2 ? contenders.toReversed() : contenders) {
      const { times, cpu } = await one.measure()
      one.times.push(...times)
      if (cpu !== undefined) one.cpu.push(cpu / times.length)
    }
  }
}

function report(contenders, unit, name) {
  const digits = unit === 1 ? 0 : 1
  const shown = value => (value / unit).toFixed(digits)
  const base = median(contenders[0].times)
  const rows = contenders.map(({ name: who, times, cpu }) => {
    const sorted = times.toSorted((a, b) => a - b)
    const middle = median(times)
    return [who, shown(middle), shown(sorted[0]), shown(sorted.at(-1)), cpu.length ? shown(median(cpu)) : '–', (middle / base).toFixed(2)]
  })
  say(table([['', `median ${name}`, 'fastest', 'slowest', 'processor', 'ratio'], ...rows]).trimEnd())
}

/** The first of them may take so many times as long as another. */
function limit(contenders, other, most) {
  const found = contenders.find(({ name }) => name.split(' (')[0] === other)
  if (!found) return
  const ratio = median(contenders[0].times) / median(found.times)
  const met = ratio <= most
  say(`netloom / ${other}: ${ratio.toFixed(2)}, limit ${most}: ${met ? 'met' : 'NOT MET'}`)
  if (!met) process.exitCode = 1
}

const end = contenders => Promise.all(contenders.map(({ peer }) => peer?.end()))
const megabytes = bytes => `${(bytes / 2 ** 20).toFixed(1)} MiB`
function say(line) {
  process.stdout.write(`${line}\n`)
}

if (!isIsolated()) {
  process.stderr.write('run this in isolation: npm run bench -- read\n')
  process.exit(1)
}
if (world) await worlds[world](JSON.parse(prepared))
else everything()
