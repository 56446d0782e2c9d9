// Processes killed at random moments while they make or remove names of namespaces: after gc() each name is a whole namespace, or gone.
import { readFile, unlink, utimes, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { Namespace } from '../../lib/index.js'
import { readNames } from '../../lib/namespace/list.js'
import { RecordFile } from '../../lib/namespace/record-file.js'
import { native } from '../../lib/socket/native.js'
import { recordsOf } from '../helpers/crowds.js'
import { useHost } from '../helpers/host.js'
import { patience } from '../helpers/patience.js'
import { attempt, run } from '../helpers/readers.js'
import { mountPoints, namedNamespaces } from '../helpers/state.js'
import { random, seed } from './ending.js'
import { type Ending, type Fate, kills, live, Tally, useAlone } from './killing.js'

useAlone()
const host = useHost()
const program = fileURLToPath(new URL('victim-names.mjs', import.meta.url))
const prefix = () => host.named('n')
const there = () => namedNamespaces(prefix())
const start = (way: string, count: number, ending?: Ending) => live([program, way, prefix(), String(count)], '', ending)
/** Files without a namespace. */
const stale = async () => (await readNames()).stale.filter(name => name.startsWith(prefix()))
const mounts = async () => (await mountPoints('/run/netns')).filter(point => point.startsWith(`/run/netns/${prefix()}`))

afterEach(async () => {
  for (const name of await there()) await attempt(undefined, 'ip', ['netns', 'delete', name])
})

interface Collected {
  /** Files without a namespace, before. */
  readonly halves: readonly string[]
  readonly begun: boolean
  readonly names: readonly string[]
}

/** After gc() nothing is half-done, and nothing is mounted that has no name. */
async function collected(moment: string): Promise<Collected> {
  const halves = await stale()
  const begun = (await recordsOf(prefix())).length > 0
  expect((await Namespace.gc()).left, moment).toEqual([])
  expect([await recordsOf(prefix()), await stale()], moment).toEqual([[], []])
  const names = await there()
  expect(await mounts(), moment).toEqual(names.map(name => `/run/netns/${name}`))
  return { halves, begun, names }
}

test(`${kills} processes that make names in bulk are killed`, { timeout: patience(3_600_000) }, async () => {
  const count = 300
  const first = seed()
  const chance = random(first)
  const tally = new Tally(`Namespace.createMany() of ${count}`, first)
  const took = (await start('make', count)).took('begun')
  await Namespace.deleteMany((await there()).map(name => ({ name })))
  for (let i = 0; i < kills; i++) {
    const delay = chance() * took
    const moment = `kill ${i} after ${delay} ms`
    await start('make', count, { after: 'begun', delay })
    const { begun, names } = await collected(moment)
    if (names.length > 0) expect([begun, names.length], moment).toEqual([false, count])
    tally.add(names.length > 0 ? 'complete, left as it is' : begun ? 'taken back by gc()' : 'nothing done yet')
    await Namespace.deleteMany(names.map(name => ({ name })))
  }
  tally.tell()
  expect(tally.of('taken back by gc()')).toBeGreaterThan(0)
})

/** Whatever is still there is whole. */
const fateOf = (halves: readonly string[], names: readonly string[], began: readonly string[]): Fate =>
  halves.length > 0
    ? 'taken back by gc()'
    : names.length === 0
      ? 'gone by itself'
      : names.length === began.length
        ? 'nothing done yet'
        : 'complete, left as it is'

test(`${kills} processes that remove names in bulk are killed`, { timeout: patience(3_600_000) }, async () => {
  const count = 60
  const first = seed()
  const chance = random(first)
  const tally = new Tally(`Namespace.deleteMany() of ${count}, half of them ip's`, first)
  const furnish = async () => {
    const names = Array.from({ length: count }, (_, i) => `${prefix()}${i}`)
    await Namespace.createMany(names.filter((_, i) => i % 2))
    const theirs = names.filter((_, i) => i % 2 === 0)
    const { code, stderr } = await attempt(undefined, 'ip', ['-batch', '-'], theirs.map(name => `netns add ${name}\n`).join(''))
    expect([code, stderr]).toEqual([0, ''])
    return names
  }
  await furnish()
  const took = (await start('remove', count)).took('begun')
  for (let i = 0; i < kills; i++) {
    const began = await furnish()
    const delay = chance() * took
    await start('remove', count, { after: 'begun', delay })
    const { halves, names } = await collected(`kill ${i} after ${delay} ms`)
    tally.add(fateOf(halves, names, began))
    await Namespace.deleteMany(names.map(name => ({ name })))
  }
  tally.tell()
})

test(`${kills} processes that make and delete single namespaces are killed`, { timeout: patience(3_600_000) }, async () => {
  const first = seed()
  const chance = random(first)
  const tally = new Tally('Namespace.create() and delete(), 8 at a time', first)
  for (let i = 0; i < kills; i++) {
    await start('one', 8, { after: 'begun', delay: chance() * 100 })
    const halves = await stale()
    await Namespace.gc()
    // Between the two steps of a deletion, as `ip netns delete` has them, a file stays that nothing tells from one that is mounted elsewhere.
    for (const name of await stale()) {
      expect(await readFile(`/run/netns/${name}`, 'utf8'), `kill ${i}`).toBe('netloom 1\n')
      await unlink(`/run/netns/${name}`)
    }
    const names = await there()
    expect(await mounts(), `kill ${i}`).toEqual(names.map(name => `/run/netns/${name}`))
    tally.add(halves.length > 0 ? 'taken back by gc()' : names.length > 0 ? 'complete, left as it is' : 'nothing done yet')
    await Namespace.deleteMany(names.map(name => ({ name })))
  }
  tally.tell()
})

test('a file of a name that was never finished is taken away, and no other', async () => {
  const file = (suffix: string) => `/run/netns/${prefix()}${suffix}`
  const contents = { mine: 'netloom 1', plan: 'netloom 1 plan 0123456789abcdef', whole: 'netloom 1\n', ip: '', other: 'netloom 1 and more' }
  for (const [name, content] of Object.entries(contents)) await writeFile(file(name), content)
  await writeFile(file('busy'), contents.mine)
  const lock = await native().lockFile(file('busy'))
  await Namespace.gc()
  expect(await stale()).toEqual(['busy', 'ip', 'other', 'whole'].map(name => prefix() + name))
  lock.close()
  await Namespace.gc()
  expect(await stale()).toEqual(['ip', 'other', 'whole'].map(name => prefix() + name))
  for (const name of ['ip', 'other', 'whole']) await unlink(file(name))
})

test('what a complete name has underneath is a whole line', async () => {
  await Namespace.create(`${prefix()}a`).then(made => made.close())
  await run(undefined, 'umount', `/run/netns/${prefix()}a`)
  expect(await readFile(`/run/netns/${prefix()}a`, 'utf8')).toBe('netloom 1\n')
  // It may be mounted in another mount namespace, whoever made it.
  await Namespace.gc()
  expect(await stale()).toEqual([`${prefix()}a`])
  await unlink(`/run/netns/${prefix()}a`)
})

test('of names that were being removed only files of that time are taken away', async () => {
  const [old, since, whole] = ['a', 'b', 'c'].map(suffix => prefix() + suffix) as [string, string, string]
  const record = {
    ...{ netloom: 1, operation: 'names', boot: '', writer: { pid: 2 ** 22 + 1, start: '1' }, mark: '' },
    ...{ names: [old, since, whole, `${prefix()}none`], existing: [], links: [] },
  }
  await writeFile(`/run/netns/${old}`, '')
  await run(undefined, 'ip', 'netns', 'add', whole)
  await (await RecordFile.create('00000000000000ab', [JSON.stringify(record)])).close()
  await writeFile(`/run/netns/${since}`, '')
  const later = new Date(Date.now() + 1000)
  await utimes(`/run/netns/${since}`, later, later)
  await Namespace.gc()
  expect(await there()).toEqual([since, whole])
  await unlink(`/run/netns/${since}`)
})
