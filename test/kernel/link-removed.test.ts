// deleteLink(): when it resolves nobody finds the link any more, while the kernel may go on with what it kept of it.
import { beforeEach, expect, test } from 'vitest'
import { Namespace, NetloomError } from '../../lib/index.js'
import { scoped } from '../../lib/kernel/scope.js'
import { deleteLink } from '../../lib/plan/remove.js'
import { needs } from '../helpers/features.js'
import { linkNames, useOpenHost } from '../helpers/links.js'

const host = useOpenHost()
beforeEach(context => needs(context, 'tool:ip', 'veth'))

test('both ends of a cable are gone, and their names are free', async () => {
  await using inside = await Namespace.create(host.named('inside'))
  for (let round = 0; round < 20; round++) {
    const link = await host.namespace.links.create({
      kind: 'veth',
      name: 'out',
      up: true,
      peer: { name: 'in', namespace: inside, up: true },
    })
    await inside.addresses.add('in', '10.7.0.1/24')
    const { over } = await deleteLink(host.namespace[scoped], link.index)
    expect([await linkNames(host.name), await linkNames(inside.name ?? ''), await inside.routes.list()]).toEqual([[], [], []])
    await over
  }
})

test('many at a time end, each of them', async () => {
  const links = await Promise.all(Array.from({ length: 30 }, (_, i) => host.namespace.links.create({ kind: 'veth', name: `m${i}` })))
  const removals = await Promise.all(links.map(({ index }) => deleteLink(host.namespace[scoped], index)))
  expect(await linkNames(host.name)).toEqual([])
  await Promise.all(removals.map(({ over }) => over))
})

test('one that is not there is no error, and what is refused says why', async () => {
  const scope = host.namespace[scoped]
  await (await deleteLink(scope, 999)).over
  const refused = await deleteLink(scope, 1).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(NetloomError)
  expect(refused).toMatchObject({ code: 'EOPNOTSUPP', operation: 'delete links', namespace: host.name })
})
