// Worker threads and processes that use all of the library end at any moment: at once, as they were told to, and with nothing left over.
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { Namespace } from '../../lib/kernel/namespace.js'
import { useHost } from '../helpers/host.js'
import { patience } from '../helpers/patience.js'
import { ip } from '../helpers/readers.js'
import { descriptors, namedNamespaces, threadNamespaces } from '../helpers/state.js'
import { ownMounts, random, run, seed, settle } from './ending.js'

const host = useHost()
const program = fileURLToPath(new URL('at-work.mjs', import.meta.url))
const workers = Number(process.env.NETLOOM_WORKERS ?? 50)
const atOnce = 5

async function begin(whenBusy: boolean, delay: number): Promise<void> {
  const worker = new Worker(program, { workerData: { common: host.name, names: host.named('w'), sockets: whenBusy } })
  const errors: unknown[] = []
  worker.on('error', error => errors.push(error))
  if (whenBusy) await once(worker, 'message')
  await setTimeout(delay)
  await worker.terminate()
  expect(errors).toEqual([])
}

test(`${workers} worker threads with all of it under way are terminated at random moments`, { timeout: patience(300_000) }, async () => {
  const chance = random(seed())
  // One first, and the library here: both keep something from then on.
  await begin(true, 50)
  for (let round = 0; round < 4; round++) await (await Namespace.open({ name: host.name })).close()
  const state = async () => [await ours(), await otherThreads(), await ownMounts(host)]
  await removeNames()
  const before = await state()
  for (let group = 0; group < workers; group += atOnce)
    await Promise.all(Array.from({ length: atOnce }, () => begin(chance() < 0.8, chance() * 150)))
  // A name stays when the thread ends between making and removing it, but always as a whole namespace.
  await removeNames()
  expect(await settle(state, before)).toEqual(before)
  expect(await threadNamespaces()).toHaveLength(1)
  // Cables go with the namespaces at their other end, so nothing holds those any more.
  const links = async () => (await ip<{ ifname: string }>(host.name, 'link', 'show')).map(({ ifname }) => ifname)
  expect(await settle(links, ['lo'], 10_000)).toEqual(['lo'])
})

/** Without the files of modules that Node was loading when it was ended, which it leaves open. */
async function ours(): Promise<[string, number][]> {
  return Object.entries(await descriptors()).filter(([sort]) => !/\.[mc]?js(on)?$/.test(sort))
}

/** Those that are not the library's here, which has up to four of them and takes them when there is much to do. */
async function otherThreads(): Promise<number> {
  const names = await Promise.all(
    (await readdir('/proc/self/task')).map(task => readFile(`/proc/self/task/${task}/comm`, 'utf8').catch(() => '')),
  )
  return names.length - Math.min(names.filter(name => name.startsWith('netloom')).length, 4)
}

async function removeNames(): Promise<void> {
  for (const name of await namedNamespaces(host.named('w'))) await (await Namespace.open({ name })).delete()
}

test.each(['request', 'dump', 'iterated dump', 'watch', 'watch of all', 'ping', 'creation', 'everything'])(
  'process.exit() in the middle of: %s',
  { timeout: patience(120_000) },
  async what => {
    const ends = await Promise.all([1, 2, 3].map(() => run(process.execPath, program, what)))
    for (const end of ends) expect(end).toEqual({ code: 7, signal: null, output: '' })
  },
)

test('events that nobody asks for keep no process alive', async () => {
  expect(await run(process.execPath, program, 'unread watches')).toEqual({ code: 0, signal: null, output: '' })
})

test('answers that are under way do', async () => {
  expect(await run(process.execPath, program, 'answers under way')).toEqual({ code: 0, signal: null, output: '1' })
})
