// Many namespaces made and furnished in one call to the addon, and many names taken away in one: what is left when something fails in between.
import { readFile, writeFile } from 'node:fs/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { Writer } from '../../lib/codec/writer.js'
import { nsidsOf, tellNumber } from '../../lib/kernel/nsid.js'
import { Scope } from '../../lib/kernel/scope.js'
import { formatIdentity, namePath, namespaceDevice, namespaceInfo } from '../../lib/namespace/info.js'
import { deleteNames, notMade, notSet, perform } from '../../lib/namespace/jobs.js'
import { createAnonymous, createNamed, deleteNamed } from '../../lib/namespace/lifecycle.js'
import { openSource } from '../../lib/namespace/source.js'
import { link } from '../../lib/protocol/link.js'
import { requestFlags } from '../../lib/protocol/netlink.js'
import { rtm } from '../../lib/protocol/rtnetlink.js'
import { errnoNumbers } from '../../lib/socket/errno.js'
import { frame } from '../../lib/socket/frame.js'
import type { Job } from '../../lib/socket/native.js'
import { useHost } from '../helpers/host.js'
import { ip, run } from '../helpers/readers.js'
import { descriptors, mountPoints, namedNamespaces, threadNamespaces } from '../helpers/state.js'

const host = useHost()
const mark = 'a mark of this test\n'
const names = ['one', 'two', 'three'].map(name => host.named(name))
const [one, two, three] = names as [string, string, string]
afterEach(async () => {
  for (const name of names) if ((await namedNamespaces(name)).length > 0) await deleteNamed(name)
})

/** Bridges of those names, in one batch as a plan writes it. */
function bridges(...called: string[]): Uint8Array {
  const writer = new Writer()
  const flags = requestFlags.request | requestFlags.create | requestFlags.exclusive
  for (const [i, ifname] of called.entries()) frame(writer, rtm.newLink, flags, i + 1, link, { ifname, linkinfo: { kind: 'bridge' } })
  return writer.bytes.slice(0, writer.at)
}
const setting = (value: string) => ['/proc/sys/net/ipv4/ip_default_ttl', value] as const
const linksOf = async (name: string) => (await ip<{ ifname: string }>(name, 'link', 'show')).map(({ ifname }) => ifname)
const there = async () => (await Promise.all(names.map(name => namedNamespaces(name)))).flat().sort()

describe('jobs one after the other', () => {
  test('are done in new namespaces and in one that is there, and say which were made', async () => {
    // What the addon opens once is open from now on.
    for (const made of [await createAnonymous()]) made.handle.close()
    const [before, { handle, info }] = [await descriptors(), await createAnonymous()]
    const performed = await perform([[namePath(one), bridges('a', 'b'), setting('65\n')], [handle, bridges('c')], [namePath(two)]], mark)
    expect(performed).toMatchObject({ done: 3 })
    expect(performed.error).toBeUndefined()
    expect(performed.step).toBeUndefined()
    expect(performed.made.map(formatIdentity)).toEqual(
      await Promise.all([one, two].map(async name => (await run(name, 'readlink', '/proc/self/ns/net')).trim())),
    )
    expect(performed.made).not.toContain(info.inode)
    expect(await linksOf(one)).toEqual(['lo', 'a', 'b'])
    expect((await run(one, 'cat', '/proc/sys/net/ipv4/ip_default_ttl')).trim()).toBe('65')
    expect(await linksOf(two)).toEqual(['lo'])
    handle.close()
    expect(await threadNamespaces()).toHaveLength(1)
    expect(await descriptors()).toEqual(before)
  })

  test('end with the message that the kernel refuses: the rest of its step is carried out, and nothing after it', async () => {
    const performed = await perform([[namePath(one)], [namePath(two), bridges('a', 'a', 'b'), setting('65\n')], [namePath(three)]], mark)
    expect(performed).toMatchObject({ done: 1, step: 0 })
    expect(performed.error).toBeUndefined()
    const view = new DataView(performed.answer!.buffer, performed.answer!.byteOffset)
    expect([view.getUint32(8, true), view.getInt32(16, true)]).toEqual([2, -errnoNumbers.EEXIST!])
    expect(performed.made).toHaveLength(2)
    expect(await there()).toEqual([one, two].sort())
    expect(await linksOf(two)).toEqual(['lo', 'a', 'b'])
    expect((await run(two, 'cat', '/proc/sys/net/ipv4/ip_default_ttl')).trim()).toBe('64')
  })

  test('end with a setting that is not taken, in words', async () => {
    const { done, step, error } = await perform([[namePath(one), bridges('a'), setting('many\n'), bridges('b')], [namePath(two)]], mark)
    expect({ done, step }).toEqual({ done: 0, step: 1 })
    expect(notSet(error!, 'net.ipv4.ip_default_ttl', 'many', one)).toMatchObject({
      code: 'EINVAL',
      namespace: one,
      operation: 'set sysctl',
    })
    expect(await linksOf(one)).toEqual(['lo', 'a'])
    expect(await there()).toEqual([one])
  })

  test('end with a name that is taken, of which nothing changes', async () => {
    const { handle, info } = await createNamed(two)
    handle.close()
    const mounts = await mountPoints()
    const { done, step, error, made } = await perform([[namePath(two), bridges('a')], [namePath(three)]], mark)
    expect({ done, step, made: [...made] }).toEqual({ done: 0, step: -1, made: [] })
    expect(await notMade(error!, two)).toMatchObject({ code: 'EEXIST', subject: two, reason: `a namespace ${two} exists` })
    expect((await run(two, 'readlink', '/proc/self/ns/net')).trim()).toBe(formatIdentity(info.inode))
    expect(await mountPoints()).toEqual(mounts)
    expect(await threadNamespaces()).toHaveLength(1)
  })

  test('tell another namespace of their own, which then knows it by that number, and pass over what it refuses', async () => {
    const away = await createAnonymous()
    const [{ handle }, writer] = [await createNamed(two), new Writer()]
    try {
      const before = await descriptors()
      const known = tellNumber(writer)
      const jobs: Job[] = [
        [namePath(one), [away.handle, known], bridges('a')],
        [handle, [away.handle, tellNumber(writer)]],
        [handle, [away.handle, known]],
      ]
      expect(await perform(jobs, mark)).toMatchObject({ done: 3 })
      expect(await descriptors()).toEqual(before)
      expect(await linksOf(one)).toEqual(['lo', 'a'])
      const scope = new Scope(away)
      const made = await openSource({ name: one })
      const numbers = await nsidsOf(scope, [made.handle.fd, handle.fd])
      const [first, second] = numbers as [number, number]
      expect([first > 2 ** 30, second]).toEqual([true, first - 1])
      made.handle.close()
      await scope.close()
    } finally {
      handle.close()
    }
  })

  test('leave the mark of whoever made them under the names', async () => {
    await perform([[namePath(one)]], mark)
    await run(undefined, 'umount', namePath(one))
    expect(await readFile(namePath(one), 'utf8')).toBe(mark)
    await deleteNamed(one)
  })
})

describe('many names taken away', () => {
  const make = async () => {
    const { made } = await perform(
      names.map(name => [namePath(name)]),
      mark,
    )
    const device = await namespaceDevice()
    return names.map((name, i) => ({ ...namespaceInfo({ device, inode: made[i]! }), name }))
  }

  test('are gone, those too that were gone before', async () => {
    const infos = await make()
    await deleteNamed(two)
    expect(await deleteNames(infos)).toEqual([undefined, undefined, undefined])
    expect(await there()).toEqual([])
    expect(await deleteNames(infos)).toEqual([undefined, undefined, undefined])
  })

  test('stay if they lead elsewhere by now', async () => {
    const infos = await make()
    await deleteNamed(two)
    const { handle, info } = await createNamed(two)
    handle.close()
    // The number of a namespace that has just ended may be given again.
    const others = infos.map(other => (other.name === two && other.inode === info.inode ? { ...other, inode: other.inode + 1 } : other))
    expect(await deleteNames(others)).toEqual([undefined, undefined, undefined])
    expect(await there()).toEqual([two])
  })

  test('stay if only a plain file is left of them', async () => {
    const infos = await make()
    await deleteNamed(two)
    await writeFile(namePath(two), 'of somebody else')
    expect(await deleteNames(infos)).toEqual([undefined, undefined, undefined])
    expect(await readFile(namePath(two), 'utf8')).toBe('of somebody else')
    await deleteNamed(two)
  })
})
