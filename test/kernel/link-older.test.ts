// What older kernels don't tell is found out in other ways: no echo of what was made (before 6.2), no cookies (before 5.14).
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Namespace } from '../../lib/index.js'
import { deleteNamed } from '../../lib/namespace/lifecycle.js'
import type { NamespaceSource } from '../../lib/namespace/source.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { ipLink, linkNames } from '../helpers/links.js'

vi.mock('node:os', async original => ({ ...(await original<typeof import('node:os')>()), release: () => '5.4.0-generic' }))
/** Namespaces opened on the way have no cookie; those that a test holds keep theirs, which nobody looks at. */
vi.mock('../../lib/namespace/source.js', async original => {
  const real = await original<typeof import('../../lib/namespace/source.js')>()
  return {
    ...real,
    async openSource(source: NamespaceSource, path?: string) {
      const { handle, info } = await real.openSource(source, path)
      const { fd, device, inode } = handle
      return { info, handle: { fd, device, inode, cookie: undefined, closed: false, close: () => handle.close() } }
    },
  }
})

const host = useHost()
let here: Namespace
let blue: Namespace
beforeEach(async context => {
  await needs(context, 'veth')
  here = await Namespace.create(host.named('here'))
  blue = await Namespace.create(host.named('blue'))
})
afterEach(async () => {
  await Promise.all([here.delete(), blue.delete()])
})

describe('without an echo', () => {
  test('links of a given name', async () => {
    const made = await here.links.create({ kind: 'veth', name: 'near', peer: { name: 'far', namespace: blue } })
    expect(made).toMatchObject({ name: 'near', peer: { link: { name: 'far' } } })
    expect(made.index).toBeLessThan(100)
    expect((await ipLink(here.name, 'near'))?.ifindex).toBe(made.index)
  })
  test('names that the kernel chooses', async context => {
    await needs(context, 'bridge', 'tap')
    const [first, second] = [
      await here.links.create({ kind: 'veth', peer: { namespace: blue } }),
      await here.links.create({ kind: 'bridge', index: 5 }),
    ]
    const tap = await here.links.create({ kind: 'tun', options: { type: 'tap' } })
    expect([first.name, first.peer.link.name, second.name, second.index, tap.name]).toEqual(['veth0', 'veth0', 'bridge0', 5, 'tap0'])
    expect((await ipLink(here.name, 'veth0'))?.ifindex).toBe(first.index)
    expect((await ipLink(blue.name, 'veth0'))?.ifindex).toBe(first.peer.link.index)
  })
  test('nothing is left when a later step fails', async () => {
    await expect(here.links.create({ kind: 'veth', altNames: ['lo'], peer: { namespace: blue } })).rejects.toMatchObject({
      code: 'EEXIST',
      path: 'altNames[0]',
    })
    expect([...(await linkNames(here.name)), ...(await linkNames(blue.name))]).toEqual([])
  })
})

describe('without cookies', () => {
  test('a number is asked for each time', async () => {
    await here.links.create({ kind: 'veth', name: 'near', peer: { name: 'far', namespace: blue } })
    for (let i = 0; i < 3; i++)
      expect(await here.links.peer('near')).toMatchObject({ namespace: { name: blue.name, inode: blue.inode }, link: { name: 'far' } })
  })
  test('a namespace that took the place of another is told from it', async () => {
    await here.links.create({ kind: 'veth', name: 'near', peer: { name: 'far', namespace: blue } })
    expect((await here.links.peer('near'))?.namespace?.inode).toBe(blue.inode)
    const renamed = blue
    await deleteNamed(blue.name ?? '')
    blue = await Namespace.create(host.named('blue'))
    // The old one lives on without a name, as it is held open here.
    expect((await here.links.peer('near'))?.namespace).toBeUndefined()
    await here.links.create({ kind: 'veth', name: 'near2', peer: { name: 'far', namespace: blue } })
    expect((await here.links.peer('near2'))?.namespace?.inode).toBe(blue.inode)
    await renamed.close()
  })
})
