// Packets do what the rules say: a client, a router with the rules, and a server; counters agree with what was sent. IPv4 and IPv6.
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { Namespace, type NftRule, nft, type RulePart } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { patience } from '../helpers/patience.js'
import { type Answering, answer, reach } from '../helpers/reach.js'

const host = useHost()
let router: Namespace
let client: Namespace
let server: Namespace
const servers: Answering[] = []

const nets = {
  IPv4: {
    client: '10.1.0.2',
    near: '10.1.0.1',
    far: '10.2.0.1',
    server: '10.2.0.2',
    virtual: '198.51.100.7',
    bits: 24,
    ip: nft.ip,
    family: 'ip',
  },
  IPv6: { client: 'fd01::2', near: 'fd01::1', far: 'fd02::1', server: 'fd02::2', virtual: 'fd07::7', bits: 64, ip: nft.ip6, family: 'ip6' },
} as const
const mapped = Array.from({ length: 1_000 }, (_, i) => 20_000 + i)
const table = { family: 'inet', table: 'traffic' } as const

beforeAll(async () => {
  router = await Namespace.open({ name: host.name })
  client = await Namespace.create(host.named('client'))
  server = await Namespace.create(host.named('server'))
  const ends = [
    [client, 'near', nets.IPv4.client, nets.IPv4.near, nets.IPv6.client, nets.IPv6.near],
    [server, 'far', nets.IPv4.server, nets.IPv4.far, nets.IPv6.server, nets.IPv6.far],
  ] as const
  for (const key of ['ipv4.ip_forward', 'ipv6.conf.all.forwarding']) await router.sysctl.set(`net.${key}`, 1)
  for (const [namespace, name, four, fourAt, six, sixAt] of ends) {
    await namespace.links.update('lo', { up: true })
    await router.links.create({ kind: 'veth', name, up: true, peer: { name: 'eth0', namespace, up: true } })
    for (const [address, bits] of [
      [fourAt, 24],
      [sixAt, 64],
    ] as const)
      await router.addresses.add(name, `${address}/${bits}`)
    for (const [address, bits] of [
      [four, 24],
      [six, 64],
    ] as const)
      await namespace.addresses.add('eth0', `${address}/${bits}`)
    await namespace.routes.add({ to: 'default', via: fourAt })
    await namespace.routes.add({ to: '::/0', via: sixAt })
  }
  for (const port of [80, 81]) servers.push(await answer(server, port))
  servers.push(await answer(server, 53, 'udp'), await answer(router, 8080))
})
beforeEach(async context => {
  await needs(context, 'nftables')
  await router.nftables.tables.create({ family: 'inet', name: 'traffic' })
})
afterEach(async () => {
  await router.nftables.flush()
  await router.conntrack.flush()
})
afterAll(async () => {
  for (const one of servers) await one[Symbol.asyncDispose]()
  for (const name of ['near', 'far']) await router?.links.delete(name)
  for (const namespace of [client, server]) await namespace?.delete()
  await router?.close()
})

type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'
const chain = (name: Hook, type: 'filter' | 'nat', policy: 'accept' | 'drop' = 'accept') =>
  router.nftables.chains.create({
    ...table,
    name,
    type,
    hook: name,
    prio: type === 'nat' ? (name === 'prerouting' ? -100 : 100) : 0,
    policy,
  })
const rule = (name: Hook, ...parts: RulePart[]) => router.nftables.rules.add({ ...table, chain: name, ...nft.rule(...parts) })
const counts = async (): Promise<{ packets: number; bytes: number }[]> => {
  const rules: readonly NftRule[] = await router.nftables.rules.list({ table: 'traffic' })
  return rules.flatMap(({ expr = [] }) =>
    expr.flatMap(one => ('counter' in one && typeof one.counter === 'object' && one.counter ? [one.counter as never] : [])),
  )
}
/** What the server at the other end sees, however long it takes. */
async function asked(to: string, port: number): Promise<string> {
  const socket = await client.connect({ host: to, port })
  const [said] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return String(said).replace('::ffff:', '')
}

describe.each(Object.keys(nets) as (keyof typeof nets)[])('%s', version => {
  const net = nets[version]
  const { ip, family } = net

  test('without rules the server sees the client', async () => {
    expect(await asked(net.server, 80)).toBe(net.client)
  })

  test('masquerade: the address of the link that it leaves by', async () => {
    await chain('postrouting', 'nat')
    await rule('postrouting', nft.oifname('far'), ip.saddr(`${net.client}/${net.bits}`), nft.counter, nft.masquerade())
    expect(await asked(net.server, 80)).toBe(net.far)
    expect(await asked(net.server, 81)).toBe(net.far)
    // Only the first packet of a connection comes to a chain of NAT.
    expect(await counts()).toMatchObject([{ packets: 2 }])
  })

  test('snat: the address that is said', async () => {
    await chain('postrouting', 'nat')
    await rule('postrouting', ip.daddr(net.server), nft.snat({ to: net.far }))
    expect(await asked(net.server, 80)).toBe(net.far)
  })

  test('dnat by a map of 1,000 ports in one rule', async () => {
    await chain('prerouting', 'nat')
    const pairs = mapped.map((port, i) => [port, { concat: [net.server, i % 2 ? 81 : 80] }] as const)
    await router.nftables.rules.add({
      ...table,
      chain: 'prerouting',
      expr: [
        ...nft.rule(ip.daddr(net.near)).expr,
        {
          dnat: {
            family,
            addr: { map: { key: { payload: { protocol: 'tcp', field: 'dport' } }, data: { set: pairs } } },
          },
        },
      ],
    })
    expect(await router.nftables.rules.list({ table: 'traffic' })).toHaveLength(1)
    for (const port of [mapped[0]!, mapped[499]!, mapped[999]!]) expect(await asked(net.near, port)).toBe(net.client)
    expect(await reach(client, net.near, 21_000)).toBe('refused')
    const entries = await router.conntrack.list()
    expect(entries.filter(({ original }) => original?.destinationPort === mapped[499]).map(({ reply }) => reply?.sourcePort)).toEqual([81])
  })

  test('redirect: to the router itself', async () => {
    await chain('prerouting', 'nat')
    await rule('prerouting', ip.daddr(net.server), nft.tcp.dport(80), nft.redirect({ port: 8080 }))
    expect(await asked(net.server, 80)).toBe(net.client)
    await router.nftables.chains.flush({ ...table, name: 'prerouting' })
    await rule('prerouting', ip.daddr(net.server), nft.tcp.dport(80), nft.redirect({ port: 8081 }))
    expect(await reach(client, net.server, 80)).toBe('refused')
  })

  test('reject says so, drop says nothing', async () => {
    await chain('forward', 'filter')
    await rule('forward', nft.tcp.dport(80), nft.counter, nft.reject('tcp reset'))
    await rule('forward', nft.tcp.dport(81), nft.counter, nft.drop)
    expect(await reach(client, net.server, 80)).toBe('refused')
    expect(await reach(client, net.server, 81)).toBe('nothing')
    const [rejected, dropped] = await counts()
    expect(rejected).toMatchObject({ packets: 1 })
    expect(dropped!.packets).toBeGreaterThan(0)
  })

  test('ct state and the policy drop: answers pass, the other direction does not begin', async () => {
    await chain('forward', 'filter', 'drop')
    expect(await reach(client, net.server, 80)).toBe('nothing')
    await rule('forward', nft.ct.state('established', 'related'), nft.counter, nft.accept)
    await rule('forward', nft.iifname('near'), nft.ct.state('new'), nft.counter, nft.accept)
    expect(await asked(net.server, 80)).toBe(net.client)
    expect(await reach(server, net.client, 80)).toBe('nothing')
    const [established, first] = await counts()
    expect(established!.packets).toBeGreaterThan(2)
    expect(first!.packets).toBeGreaterThanOrEqual(1)
  })

  test('a rate limit lets through what it says, and counters agree with the packets', async () => {
    await chain('forward', 'filter')
    await rule('forward', nft.udp.dport(53), nft.counter, nft.limit('1/hour', { burst: 5 }), nft.counter, nft.accept)
    await rule('forward', nft.udp.dport(53), nft.counter, nft.drop)
    const socket = await client.udp({ type: version === 'IPv4' ? 'udp4' : 'udp6' })
    const heard: unknown[] = []
    socket.on('message', message => heard.push(message))
    const payload = Buffer.alloc(100)
    for (let i = 0; i < 20; i++)
      await new Promise<void>((resolve, reject) => {
        socket.send(payload, 53, net.server, error => (error ? reject(error) : resolve()))
      })
    await vi.waitFor(async () => expect(await counts()).toMatchObject([{ packets: 20 }, { packets: 5 }, { packets: 15 }]), {
      timeout: patience(20_000),
    })
    await vi.waitFor(() => expect(heard).toHaveLength(5), { timeout: patience(20_000) })
    socket.close()
    const size = 100 + 8 + (version === 'IPv4' ? 20 : 40)
    expect((await counts()).map(({ bytes }) => bytes)).toEqual([20 * size, 5 * size, 15 * size])
  })
})
