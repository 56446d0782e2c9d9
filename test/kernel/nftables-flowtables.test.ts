// Connections that a router's rules put into a flowtable go past its rules from then on.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Namespace, nft } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useOpenHost } from '../helpers/links.js'
import { attempt, nft as listed } from '../helpers/readers.js'

const host = useOpenHost()
const table = { family: 'inet', table: 'fast' } as const
let client: Namespace
let server: Namespace

// client 10.1.0.2 ── near, router, far ── 10.2.0.2 server
beforeEach(async context => {
  await needs(context, 'veth', 'nft:flowtable', 'conntrack')
  client = await Namespace.create(host.named('client'), { loopback: true })
  server = await Namespace.create(host.named('server'), { loopback: true })
  const { namespace: router } = host
  await router.sysctl.set('net.ipv4.ip_forward', 1)
  for (const [i, [name, end]] of Object.entries({ near: client, far: server }).entries()) {
    await router.links.create({ kind: 'veth', name, up: true, peer: { namespace: end, name: 'eth0', up: true } })
    await router.addresses.add(name, `10.${i + 1}.0.1/24`)
    await end.addresses.add('eth0', `10.${i + 1}.0.2/24`)
    await end.routes.add({ to: 'default', via: `10.${i + 1}.0.1` })
  }
  await router.nftables.tables.create({ family: 'inet', name: 'fast' })
  await router.nftables.chains.create({ ...table, name: 'forward', type: 'filter', hook: 'forward', prio: 0 })
})
afterEach(async () => {
  const { namespace: router } = host
  await router.nftables.flush()
  await router.conntrack.flush()
  for (const name of ['near', 'far']) await attempt(host.name, 'ip', ['link', 'delete', name])
  for (const end of [client, server]) await end?.delete()
})

test('a connection is marked as offloaded, and the rules see only its beginning', async () => {
  const { namespace: router } = host
  await router.nftables.flowtables.create({ ...table, name: 'f', prio: 0, dev: ['near', 'far'] })
  await router.nftables.rules.add({ ...table, chain: 'forward', ...nft.rule(nft.counter) })
  const rule = nft.rule(nft.ct.state('established'), nft.flow('@f'))
  await router.nftables.rules.add({ ...table, chain: 'forward', ...rule })
  expect(await router.nftables.rules.list({ table: 'fast' })).toMatchObject([
    {},
    { expr: expect.arrayContaining([{ flow: { op: 'add', flowtable: '@f' } }]) },
  ])

  const echo = createServer(socket => socket.pipe(socket))
  await server.listen(echo, { port: 80 })
  const socket = await client.connect({ host: '10.2.0.2', port: 80 })
  try {
    const counted = async () => {
      const [first] = await listed<{ rule?: { expr: { counter?: { packets: number } }[] } }>(
        host.name,
        'list',
        'chain',
        'inet',
        'fast',
        'forward',
      ).then(entries => entries.filter(entry => entry.rule !== undefined))
      return first?.rule?.expr[0]?.counter?.packets ?? 0
    }
    const say = async (text: string) => {
      socket.write(text)
      let heard = ''
      while (heard.length < text.length) heard += String((await once(socket, 'data'))[0])
      expect(heard).toBe(text)
    }
    for (let i = 0; i < 3; i++) await say('hello')
    const [connection] = await router.conntrack.list({ protocol: 'tcp', originalDestinationPort: 80 })
    expect(connection).toMatchObject({ status: expect.arrayContaining(['seenReply', 'offload']) })
    const before = await counted()
    // The first packet of either direction.
    expect(before).toBeGreaterThanOrEqual(2)
    for (let i = 0; i < 20; i++) await say('again')
    expect(await counted()).toBe(before)
  } finally {
    socket.destroy()
    echo.close()
  }
})

test('a flowtable that rules name is busy, and free without them', async () => {
  const { namespace: router } = host
  const flowtable = await router.nftables.flowtables.create({ ...table, name: 'f', prio: 'filter', dev: 'near' })
  const rule = await router.nftables.rules.add({ ...table, chain: 'forward', ...nft.rule(nft.flow('@f')) })
  await expect(router.nftables.flowtables.delete(flowtable)).rejects.toMatchObject({ code: 'EBUSY' })
  await router.nftables.rules.delete(rule)
  // A device leaves a flowtable when it goes.
  await router.links.delete('near')
  expect(await router.nftables.flowtables.list()).toMatchObject([{ name: 'f' }])
  await router.nftables.flowtables.delete(flowtable)
  expect(await router.nftables.flowtables.list()).toEqual([])
})
