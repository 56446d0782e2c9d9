// What other programs do to a namespace: routes of routing daemons, neighbours that come and go, addresses that are answered for.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Namespace, type Neighbour, type Route, type WatchEvent } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { patience } from '../helpers/patience.js'
import { attempt, ip, run, tcpdump } from '../helpers/readers.js'

const host = useHost()
const other = host.named('other')
const mac = '02:00:00:00:00:09'
let here: Namespace
let there: Namespace
let eth0: number

beforeAll(async () => {
  await run(undefined, 'ip', 'netns', 'add', other)
  await run(host.name, 'ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'address', mac, 'netns', other)
  await run(host.name, 'ip', 'link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'eth2')
  for (const link of ['eth0', 'eth1', 'eth2']) await run(host.name, 'ip', 'link', 'set', link, 'up')
  await run(host.name, 'ip', 'address', 'add', '10.0.1.1/24', 'dev', 'eth0')
  await run(host.name, 'ip', 'address', 'add', 'fd00:1::1/64', 'dev', 'eth0', 'nodad')
  await run(host.name, 'ip', 'address', 'add', '10.0.2.1/24', 'dev', 'eth1')
  await run(other, 'ip', 'link', 'set', 'eth0', 'up')
  await run(other, 'ip', 'address', 'add', '10.0.1.9/24', 'dev', 'eth0')
  here = await Namespace.open({ name: host.name })
  there = await Namespace.open({ name: other })
  eth0 = (await here.links.get('eth0')).index
})
afterAll(async () => {
  await here?.close()
  await there?.close()
  for (const link of ['eth0', 'eth1']) await attempt(host.name, 'ip', ['link', 'delete', link])
  await attempt(undefined, 'ip', ['netns', 'delete', other])
})

/** A watch that is past its first account of the present. */
async function watching(namespace: Namespace, kind: 'route' | 'neighbour'): Promise<AsyncGenerator<WatchEvent, void>> {
  const events = namespace.watch([kind]) as AsyncGenerator<WatchEvent, void>
  for (;;) {
    const { value, done } = await events.next()
    if (done) throw new Error('the watch ended')
    if (value.type === 'ready') return events
  }
}
async function nextRoute(events: AsyncGenerator<WatchEvent, void>, to: string): Promise<{ action: string; route: Route }> {
  for (;;) {
    const { value, done } = await events.next()
    if (done) throw new Error('the watch ended')
    if (value.type === 'route' && value.route.to === to) return value
  }
}

/** RTPROT_ numbers, linux/rtnetlink.h; 77 belongs to nobody. */
test.each<[string, number]>([
  ['zebra', 11],
  ['bird', 12],
  ['dhcp', 16],
  ['keepalived', 18],
  ['babel', 42],
  ['openr', 99],
  ['bgp', 186],
  ['isis', 187],
  ['ospf', 188],
  ['rip', 189],
  ['eigrp', 192],
  ['77', 77],
])('routes of %s: listed, watched, added and deleted by name and by number', async (name, number) => {
  const events = await watching(here, 'route')
  try {
    // What the daemon does.
    await run(host.name, 'ip', 'route', 'add', '10.9.0.0/16', 'via', '10.0.1.9', 'proto', String(number), 'metric', '20')
    await run(host.name, 'ip', '-6', 'route', 'add', 'fd00:9::/64', 'via', 'fd00:1::9', 'proto', String(number), 'metric', '20')
    const expected = { to: '10.9.0.0/16', via: '10.0.1.9', link: eth0, metric: 20, protocol: name, family: 4 }
    expect(await nextRoute(events, '10.9.0.0/16')).toMatchObject({ action: 'set', route: expected })
    for (const protocol of [name, number]) {
      const found = await here.routes.list({ protocol })
      expect(found).toMatchObject([expected, { to: 'fd00:9::/64', via: 'fd00:1::9', protocol: name, family: 6 }])
    }
    // Ours in its name, and what it deletes.
    await here.routes.add({ to: '10.10.0.0/16', via: '10.0.1.9', protocol: name === String(number) ? number : name })
    await here.routes.add({ to: '10.11.0.0/16', via: '10.0.1.9', protocol: number })
    const theirs = await ip<{ dst: string }>(host.name, 'route', 'show', 'proto', String(number))
    expect(theirs.map(({ dst }) => dst)).toEqual(['10.9.0.0/16', '10.10.0.0/16', '10.11.0.0/16'])
    await run(host.name, 'ip', 'route', 'delete', '10.9.0.0/16', 'proto', String(number))
    expect(await nextRoute(events, '10.9.0.0/16')).toMatchObject({ action: 'delete', route: { protocol: name } })
    for (const route of await here.routes.list({ protocol: number })) await here.routes.delete(route)
    expect(await here.routes.list({ protocol: number })).toEqual([])
  } finally {
    await events.return()
    for (const family of ['-4', '-6']) await run(host.name, 'ip', family, 'route', 'flush', 'proto', String(number))
  }
})

const stateOf = async (address: string) => (await here.neighbours.list({ link: 'eth0' })).find(entry => entry.address === address)?.state
const theirState = async (address: string) =>
  (await ip<{ state: string[] }>(host.name, 'neighbour', 'show', address, 'dev', 'eth0', 'nud', 'all'))[0]?.state?.[0]?.toLowerCase()

test('a neighbour through its states', async () => {
  const set = (settings: Record<string, number>) =>
    Promise.all(Object.entries(settings).map(([name, value]) => here.sysctl.set(`net.ipv4.neigh.eth0.${name}`, value)))
  await set({ base_reachable_time_ms: 400, delay_first_probe_time: 1, retrans_time_ms: 100 })
  const told: string[] = []
  const events = await watching(here, 'neighbour')
  const reading = (async () => {
    for await (const event of events)
      if (event.type === 'neighbour' && event.neighbour.address === '10.0.1.9') told.push(event.neighbour.state)
  })()
  const reaches = (address: string, state: string) =>
    vi.waitFor(async () => expect(await stateOf(address)).toBe(state), { timeout: patience(15_000), interval: 10 })
  try {
    // Used of late, so it is asked again as soon as it is no longer sure.
    await here.ping('10.0.1.9', { count: 1 })
    await reaches('10.0.1.9', 'delay')
    await reaches('10.0.1.9', 'reachable')
    await vi.waitFor(() => expect(told.join()).toContain('reachable,probe,reachable'), { timeout: patience(15_000) })
    // Not used of late.
    await set({ delay_first_probe_time: 0 })
    await reaches('10.0.1.9', 'stale')
    expect(await theirState('10.0.1.9')).toBe('stale')
    expect(await here.ping('10.0.1.9', { count: 1 })).toMatchObject({ received: 1 })

    const ping = here.ping('10.0.1.66', { count: 1, timeout: 1 })
    await reaches('10.0.1.66', 'incomplete')
    await ping
    await reaches('10.0.1.66', 'failed')
    expect(await theirState('10.0.1.66')).toBe('failed')
  } finally {
    await events.return()
    await reading
  }
})

test('an address that is answered for: others get our MAC', async context => {
  await needs(context, 'tool:tcpdump', 'capture')
  await here.sysctl.set('net.ipv4.conf.eth0.forwarding', 1)
  await here.sysctl.set('net.ipv4.neigh.eth0.proxy_delay', 0)
  const ours = (await here.links.get('eth0')).mac
  // It lives behind another link.
  await run(host.name, 'ip', 'route', 'add', '10.0.1.77', 'dev', 'eth1')
  const learned = async (): Promise<Neighbour | undefined> => (await there.neighbours.list()).find(entry => entry.address === '10.0.1.77')
  await there.ping('10.0.1.77', { count: 1, timeout: 0.2 })
  expect((await learned())?.mac).toBeUndefined()

  {
    // Before it is answered for: the kernel asks again by itself.
    await using capture = await tcpdump(other, 'eth0', 'arp')
    await here.neighbours.add({ address: '10.0.1.77', link: 'eth0', proxy: true })
    expect(await ip(host.name, 'neighbour', 'show', 'proxy')).toMatchObject([{ dst: '10.0.1.77', dev: 'eth0' }])
    expect((await here.neighbours.list()).filter(({ proxy }) => proxy)).toMatchObject([{ address: '10.0.1.77', link: eth0, state: 'none' }])
    await vi.waitFor(
      async () => {
        await there.ping('10.0.1.77', { count: 1, timeout: 0.2 })
        expect((await learned())?.mac).toBe(ours)
      },
      { timeout: patience(15_000) },
    )
    for await (const line of capture.lines) if (line.includes(`10.0.1.77 is-at ${ours}`)) break
  }
  await here.neighbours.delete({ address: '10.0.1.77', link: 'eth0', proxy: true })
  expect(await ip(host.name, 'neighbour', 'show', 'proxy')).toEqual([])
  await run(host.name, 'ip', 'route', 'delete', '10.0.1.77')
  await here.sysctl.set('net.ipv4.conf.eth0.forwarding', 0)
})
