// Cost of links.peer() with 10 and with 1,000 namespaces: the median of the second must stay under 1.5 times the first.
// Usage: node scripts/isolated.mjs node scripts/bench/peer.mjs [SMALL LARGE]. Each world is a machine of its own, and they take turns.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { isIsolated } from '../machine.mjs'

const LIMIT = 1.5
const ROUNDS = 30
const CALLS = 60
const self = fileURLToPath(import.meta.url)
const isolated = fileURLToPath(new URL('../isolated.mjs', import.meta.url))
const WORLD = '--world'

if (!isIsolated()) {
  process.stderr.write('run this in isolation: node scripts/isolated.mjs node scripts/bench/peer.mjs\n')
  process.exit(1)
}
if (process.argv[2] === WORLD) await world(Number(process.argv[3]))
else await compare(Number(process.argv[2] ?? 10), Number(process.argv[3] ?? 1000))

/** One machine with so many namespaces; for each line that it reads it measures some calls and prints their microseconds. */
async function world(count) {
  const { Namespace } = await import('netloom')
  const host = Namespace.current()
  for (let i = 0; i < count; i++) {
    const namespace = await Namespace.create(`n${i}`)
    await host.links.create({
      kind: 'veth',
      name: `v${i}`,
      txQueues: 1,
      rxQueues: 1,
      peer: { name: 'eth0', namespace, txQueues: 1, rxQueues: 1 },
    })
    await namespace.close()
  }
  // Nothing learned from making them.
  const fresh = await Namespace.open({ pid: process.pid })
  let next = 0
  const measure = async () => {
    next = (next + 377) % count
    const i = next
    const start = process.hrtime.bigint()
    const peer = await fresh.links.peer(`v${i}`)
    const time = Number(process.hrtime.bigint() - start) / 1000
    if (peer?.namespace?.name !== `n${i}`) throw new Error(`v${i}: its peer is not in ${peer?.namespace?.name}`)
    return time
  }
  const first = await measure()
  for (let i = 0; i < 2 * CALLS; i++) await measure()
  process.stdout.write(`${JSON.stringify([first])}\n`)
  for await (const _ of createInterface({ input: process.stdin })) {
    const times = []
    for (let i = 0; i < CALLS; i++) times.push(await measure())
    process.stdout.write(`${JSON.stringify(times)}\n`)
  }
}

async function compare(small, large) {
  const worlds = [small, large].map(count => {
    const child = spawn(process.execPath, [isolated, '--fresh', process.execPath, self, WORLD, String(count)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    return { count, child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](), times: [], first: 0 }
  })
  const read = async ({ count, lines }) => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`the world of ${count} namespaces ended early`)
    return JSON.parse(value)
  }
  for (const one of worlds) [one.first] = await read(one)
  for (let round = 0; round < ROUNDS; round++) {
    for (const one of round % 2 ? worlds.toReversed() : worlds) {
      one.child.stdin.write('go\n')
      one.times.push(...(await read(one)))
    }
  }
  for (const { child } of worlds) child.stdin.end()
  const [a, b] = worlds.map(({ times }) => median(times))
  for (const { count, times, first } of worlds)
    process.stdout.write(
      `peer() with ${count} namespaces: median ${median(times).toFixed(0)} µs of ${times.length} calls; the first, which searches, ${(first / 1000).toFixed(1)} ms\n`,
    )
  const ratio = b / a
  process.stdout.write(`ratio ${ratio.toFixed(2)}, limit ${LIMIT}: ${ratio <= LIMIT ? 'met' : 'NOT MET'}\n`)
  process.exitCode = ratio <= LIMIT ? 0 : 1
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}
