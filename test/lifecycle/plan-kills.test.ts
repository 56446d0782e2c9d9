// Processes killed at random moments while they apply a plan or take one back: gc() leaves everything as it was before, and nobody else's things alone.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Namespace } from '../../lib/index.js'
import { native } from '../../lib/socket/native.js'
import { crowd, furnish, unfurnish, whole } from '../helpers/crowds.js'
import { useOpenHost } from '../helpers/links.js'
import { run } from '../helpers/readers.js'
import { namedNamespaces } from '../helpers/state.js'
import { random, seed, settle } from './ending.js'

const host = useOpenHost()
const program = fileURLToPath(new URL('victim.mjs', import.meta.url))
const count = 200
/** The whole table: NETLOOM_FAULTS=all. */
const kills = process.env.NETLOOM_FAULTS === 'all' ? 50 : 8
const prefix = () => host.named('k')
const names = () => namedNamespaces(prefix())

beforeAll(() => furnish(host.name))
afterAll(() => unfurnish(host.name))

interface Life {
  /** Milliseconds after each line that it said. */
  readonly said: Readonly<Record<string, number>>
  readonly errors: string
}

/** Runs the program and kills it so many milliseconds after it has said that, or when something else has happened then, or never. */
async function live(after?: string, delay: number | (() => Promise<boolean>) = 0, size = count): Promise<Life> {
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(JSON.stringify(crowd({ name: host.name }, size, prefix())))
  const said: Record<string, number> = {}
  let errors = ''
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString()
  })
  child.stdout.on('data', (data: Buffer) => {
    for (const line of data.toString().trim().split('\n')) {
      said[line] = performance.now()
      if (line === after) void moment(delay).then(() => child.kill('SIGKILL'))
    }
  })
  await once(child, 'close')
  return { said, errors }
}

async function moment(delay: number | (() => Promise<boolean>)): Promise<void> {
  if (typeof delay === 'number') await setTimeout(delay)
  else while (!(await delay())) await setTimeout(1)
}

test(`${kills} processes with plans of ${count} namespaces are killed`, { timeout: 600_000 }, async () => {
  const chance = random(seed())
  await Namespace.gc()
  const before = await whole(host.name)
  const { said, errors } = await live()
  expect(errors).toBe('')
  expect(await settle(() => whole(host.name), before)).toEqual(before)
  const applying = said.applied! - said.applying!
  const deleting = said.deleted! - said.applied!
  let found = 0
  for (let i = 0; i < kills; i++) {
    const last = i % 4 === 3
    const delay = chance() * (last ? deleting : applying)
    const { said: heard } = await live(last ? 'applied' : 'applying', delay)
    const { removed, left } = await Namespace.gc()
    const gone = await names()
    // It was faster than usual, and is gone.
    if (heard.deleted !== undefined) expect([removed, gone]).toEqual([[], []])
    else if (gone.length > 0) {
      // Complete, whether it had said so or not, and not yet being deleted: it stays as it is.
      expect([removed, gone.length], `kill ${i} after ${delay} ms`).toEqual([[], count + 1])
      await restore()
    }
    expect(left, `kill ${i} after ${delay} ms`).toEqual([])
    found += removed.length ? 1 : 0
    expect(await settle(() => whole(host.name), before, 3000), `kill ${i} after ${delay} ms`).toEqual(before)
  }
  expect(found).toBeGreaterThan(kills / 3)
})

test('what others made under the same names after the crash, or changed since, is left alone', async () => {
  const before = await whole(host.name)
  const crowded = async () => (await names()).filter(name => name !== `${prefix()}away`)
  await live('applying', async () => (await crowded()).length > 0)
  const made = await crowded()
  expect(made.length).toBeGreaterThan(0)
  const theirs = made[0]!
  const ip = (...words: string[]) => run(host.name, 'ip', ...words)
  await run(undefined, 'ip', 'netns', 'delete', theirs)
  await run(undefined, 'ip', 'netns', 'add', theirs)
  await ip('link', 'delete', 'pa0')
  await ip('link', 'add', 'pa0', 'type', 'bridge')
  await ip('link', 'set', 'old0', 'mtu', '1290')
  const { removed, left } = await Namespace.gc()
  expect(removed).toContain('link hub0')
  expect(removed).not.toContain('link pa0')
  expect(removed).not.toContain(`namespace ${theirs}`)
  expect(left).toEqual(['mtu of link old0'])
  expect(await names()).toEqual([theirs])
  await run(undefined, 'ip', 'netns', 'delete', theirs)
  await ip('link', 'delete', 'pa0')
  await ip('link', 'set', 'old0', 'mtu', '1480')
  expect(await settle(() => whole(host.name), before)).toEqual(before)
})

test('one that dies when it has recorded that it will take a plan back, and done nothing yet, is not different', async () => {
  const before = await whole(host.name)
  const result = await crowd(host.namespace, 3, prefix()).apply()
  const addon = native()
  const { publishFile } = addon
  addon.publishFile = async (...file) => {
    // As when its process ends: the lock is free.
    const lock = await publishFile(...file)
    lock.close()
    throw new Error('dead')
  }
  await expect(result.delete()).rejects.toThrow('dead')
  addon.publishFile = publishFile
  const { removed, left } = await Namespace.gc()
  expect(removed).toEqual(expect.arrayContaining(['link hub0', 'change of sysctl net.ipv4.ip_forward', 'move of link old1']))
  expect(left).toEqual([])
  expect(await settle(() => whole(host.name), before)).toEqual(before)
})

test('a plan that is being applied, and one that is complete, are left alone', async () => {
  const applying = crowd(host.namespace, 40, prefix()).apply()
  expect(await Namespace.gc()).toEqual({ removed: [], left: [] })
  const result = await applying
  expect(await Namespace.gc()).toEqual({ removed: [], left: [] })
  expect(await names()).toHaveLength(41)
  await result.delete({ drain: true })
})

/** What deleting the result of a complete plan does, by other means. */
async function restore(): Promise<void> {
  const ip = (...words: string[]) => run(host.name, 'ip', ...words)
  await run(undefined, 'ip', '-n', `${prefix()}away`, 'link', 'set', 'old1', 'netns', host.name)
  await Namespace.deleteMany((await names()).map(name => ({ name })))
  await ip('link', 'delete', 'pa0')
  await ip('link', 'delete', 'hub0')
  await ip('link', 'set', 'old0', 'mtu', '1480', 'alias', '')
  await ip('rule', 'delete', 'priority', '777')
  await ip('address', 'delete', '10.3.1.1/24', 'dev', 'old0')
  await ip('route', 'delete', '10.5.0.0/16')
  await ip('route', 'replace', '10.4.0.0/16', 'via', '10.3.0.9', 'metric', '5')
  await ip('route', 'add', '10.4.0.0/16', 'via', '10.3.0.7', 'metric', '9')
  await ip('neighbour', 'replace', '10.3.0.7', 'lladdr', '02:00:00:00:00:07', 'dev', 'old0', 'nud', 'permanent')
  await run(host.name, 'sysctl', '-qw', 'net.ipv4.ip_forward=0')
}
