// Processes killed at random moments while they apply a plan or take one back: gc() leaves everything as it was before, and nobody else's things alone.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Namespace } from '../../lib/index.js'
import { native } from '../../lib/socket/native.js'
import { crowd, furnish, takeAway, unfurnish, whole } from '../helpers/crowds.js'
import { useOpenHost } from '../helpers/links.js'
import { patience } from '../helpers/patience.js'
import { run } from '../helpers/readers.js'
import { namedNamespaces } from '../helpers/state.js'
import { settle } from './ending.js'
import { kills, useAlone } from './killing.js'
import { killAtRandom, liveWith } from './plan-victims.js'

useAlone()
const host = useOpenHost()
const count = 200
const prefix = () => host.named('k')
const names = () => namedNamespaces(prefix())

beforeAll(() => furnish(host.name))
afterAll(() => unfurnish(host.name))

const plan = () => crowd({ name: host.name }, count, prefix())

test(`${kills} processes with plans of ${count} namespaces are killed`, { timeout: patience(3_600_000) }, () =>
  killAtRandom({
    what: `applying a plan of ${count} namespaces and taking it back`,
    ...{ host: host.name, prefix: prefix(), kills, plan: plan() },
    takeAway: () => takeAway(host.name, prefix()),
  }),
)

test('what others made under the same names after the crash, or changed since, is left alone', async () => {
  const before = await whole(host.name)
  const crowded = async () => (await names()).filter(name => name !== `${prefix()}away`)
  await liveWith(plan(), { after: 'applying', delay: async () => (await crowded()).length > 0 })
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
