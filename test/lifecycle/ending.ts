// What tests of ends have in common: a seeded chance, a program that is run to its end, waiting until things have settled, and looking at what is one's own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Host } from '../helpers/host.js'
import { patience } from '../helpers/patience.js'
import { environment } from '../helpers/readers.js'
import { mountPoints } from '../helpers/state.js'

/** Far more than any of these takes: it only keeps a hanging process from holding up the suite. */
const guard = patience(20_000)

/** A small generator with a seed, so that a failing run can be repeated: NETLOOM_SEED=… */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export async function run(...command: string[]) {
  const [file = process.execPath, ...args] = command
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment([file, ...args]) })
  let output = ''
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString()
  })
  child.stderr.on('data', (data: Buffer) => {
    output += data.toString()
  })
  const hang = setTimeout(() => child.kill('SIGKILL'), guard)
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(hang)
  return { code, signal, output }
}

/** What ended workers hold is freed a little after they are gone. */
export async function settle<T>(look: () => Promise<T>, wanted: T, longest = patience(1_000)): Promise<T> {
  for (const end = performance.now() + longest; performance.now() < end; ) {
    if (JSON.stringify(await look()) === JSON.stringify(wanted)) break
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return look()
}

/** Printed, so that a failing run can be repeated with it. */
export function seed(): number {
  const seed = Number(process.env.NETLOOM_SEED ?? Date.now() % 1_000_000)
  process.stderr.write(`workers: NETLOOM_SEED=${seed}\n`)
  return seed
}

/** Those of this test file: others make namespaces at the same time. */
export async function ownMounts(host: Host): Promise<string[]> {
  return (await mountPoints('/run/netns')).filter(point => point.startsWith(`/run/netns/${host.named('')}`))
}
