// 10,000 namespaces, connections, sockets and watches, made and closed one after another: descriptors, threads and memory stay what they were.
// NETLOOM_CYCLES says how many instead.
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { patience } from '../helpers/patience.js'
import { attempt } from '../helpers/readers.js'

const program = fileURLToPath(new URL('cycles.mjs', import.meta.url))
const cycles = Number(process.env.NETLOOM_CYCLES ?? 10_000)
/** Four of the pool, one that waits for notifications. */
const mostThreads = 5
/** In bytes, over a quarter of the cycles: what one small object left behind each time comes to is far more. */
const noise = { heap: 128 << 10, rss: 6 << 20 }

interface Sample {
  readonly descriptors: number
  readonly threads: number
  readonly heap: number
  readonly rss: number
}

/** The least of several samples: what comes and goes is left out of it, what stays is not. */
const least = (samples: readonly Sample[], what: 'heap' | 'rss') => Math.min(...samples.map(sample => sample[what]))

test.each([
  ['namespaces', 1],
  ['used namespaces', 0.2],
  ['named namespaces', 0.2],
  ['connections', 1],
  ['iterators', 0.2],
  ['listens', 0.5],
  ['udp', 0.2],
  ['connects', 0.5],
  ['watches', 1],
  ['watches of all', 0.5],
  ['pings', 0.1],
])('%s leave nothing behind (%f of all)', { timeout: patience(300_000) }, async (kind, share) => {
  const count = Math.ceil(cycles * share)
  const { code, stdout, stderr } = await attempt(undefined, process.execPath, ['--expose-gc', program, kind, String(count)])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const samples = JSON.parse(stdout) as Sample[]
  expect([...new Set(samples.map(({ descriptors }) => descriptors))]).toHaveLength(1)
  expect(Math.max(...samples.map(({ threads }) => threads))).toBeLessThanOrEqual(mostThreads)
  // The first half is for caches and pools to fill.
  const [third, fourth] = [samples.slice(10, 15), samples.slice(15)]
  // A sanitizer keeps what was freed, and finds leaks itself.
  for (const what of process.env.NETLOOM_SANITIZER === undefined ? (['heap', 'rss'] as const) : (['heap'] as const))
    expect(least(fourth, what) - least(third, what), `${what}: ${samples.map(sample => sample[what]).join(' ')}`).toBeLessThan(noise[what])
})
