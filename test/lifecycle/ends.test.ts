// Processes and worker threads end in the middle of work: at once, in the way they were told to, and with nothing left over.

import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { native } from '../../lib/socket/native.js'
import { attempt } from '../helpers/readers.js'
import { descriptors, threadCount, threadNamespaces } from '../helpers/state.js'
import { random, run, seed, settle } from './ending.js'

const program = fileURLToPath(new URL('busy.mjs', import.meta.url))
test('20 worker threads are terminated at random moments', async () => {
  const chance = random(seed())
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

/** What makes an object of the addon's, or reads one that is given to it: that takes several steps, and the thread may be told to end between any two. */
const steps = [
  'currentNamespace',
  'openNamespace',
  'openNetlink',
  'openDescriptor',
  'ping',
  'readSysctl',
  'readUnderneath',
  'perform',
  'removeEntries',
  'createNamespaces',
  'refused',
]

test.each(steps)('worker threads are terminated in the middle of: %s', async what => {
  const chance = random(seed())
  for (let round = 0; round < 25; round++) {
    const worker = new Worker(program, { workerData: what })
    const errors: unknown[] = []
    worker.on('error', error => errors.push(error))
    await once(worker, 'message')
    await new Promise(resolve => setTimeout(resolve, chance() * 5))
    await worker.terminate()
    expect(errors).toEqual([])
  }
})

const endings: [name: string, expected: object][] = [
  ['exit', { code: 7, output: '' }],
  ['throw', { code: 1, output: expect.stringContaining('on purpose') }],
  ['signal', { signal: 'SIGTERM' }],
  ['kill', { signal: 'SIGKILL' }],
]

test.each(endings)('a process ends in the middle of everything: %s', async (ending, expected) => {
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
  expect(await run(...unshare, process.execPath, program, 'strand')).toEqual({
    code: 0,
    signal: null,
    output: '20 true setns 1 {"done":1,"made":[]}\n',
  })
})
