// Processes and worker threads end in the middle of work: at once, in the way they were told to, and with nothing left over.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { native } from '../../lib/socket/native.js'
import { attempt } from '../helpers/readers.js'
import { descriptors, threadCount, threadNamespaces } from '../helpers/state.js'

const program = fileURLToPath(new URL('busy.mjs', import.meta.url))
/** Far more than any of these takes: it only keeps a hanging process from holding up the suite. */
const guard = 20_000

/** A small generator with a seed, so that a failing run can be repeated: NETLOOM_SEED=… */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

async function run(...command: string[]) {
  const [file = process.execPath, ...args] = command
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
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
async function settle<T>(look: () => Promise<T>, wanted: T): Promise<T> {
  for (let round = 0; round < 50; round++) {
    if (JSON.stringify(await look()) === JSON.stringify(wanted)) break
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return look()
}

test('20 worker threads are terminated at random moments', { timeout: 120_000 }, async () => {
  const seed = Number(process.env.NETLOOM_SEED ?? Date.now() % 1_000_000)
  process.stderr.write(`workers: NETLOOM_SEED=${seed}\n`)
  const chance = random(seed)
  const home = native().currentNamespace()
  const start = async (delay: number, whenBusy: boolean) => {
    const worker = new Worker(program)
    const errors: Error[] = []
    worker.on('error', error => errors.push(error as Error))
    if (whenBusy) await once(worker, 'message')
    await new Promise(resolve => setTimeout(resolve, delay))
    await worker.terminate()
    expect(errors).toEqual([])
  }
  // One first: Node itself keeps some descriptors from then on.
  await start(20, true)
  const before = [await descriptors(), await threadCount()]
  for (let group = 0; group < 5; group++) await Promise.all(Array.from({ length: 4 }, () => start(chance() * 60, chance() < 0.7)))
  expect(await settle(async () => [await descriptors(), await threadCount()], before)).toEqual(before)
  expect(await threadNamespaces()).toEqual([`net:[${home.inode}]`])
})

const endings: [name: string, expected: object][] = [
  ['exit', { code: 7, output: '' }],
  ['throw', { code: 1, output: expect.stringContaining('on purpose') }],
  ['signal', { signal: 'SIGTERM' }],
  ['kill', { signal: 'SIGKILL' }],
]

test.each(endings)('a process ends in the middle of everything: %s', { timeout: 60_000 }, async (ending, expected) => {
  for (let round = 0; round < 5; round++) expect(await run(process.execPath, program, ending)).toMatchObject(expected)
})

test('a process lives until its requests are answered, and ends although its sockets are open', async () => {
  expect(await run(process.execPath, program, 'finish')).toEqual({ code: 0, signal: null, output: 'true\n' })
})

test('threads that may not return home end, and others take their place', async context => {
  // In a user namespace of its own a process may make namespaces, but not enter the one it was started in.
  const unshare = ['unshare', '--user', '--map-root-user', '--']
  const { code, stderr } = await attempt(undefined, 'unshare', ['--user', '--map-root-user', 'true'])
  if (code !== 0) context.skip(`no user namespaces: ${stderr.trim()}`)
  expect(await run(...unshare, process.execPath, program, 'strand')).toEqual({ code: 0, signal: null, output: '20 true setns 1\n' })
})
