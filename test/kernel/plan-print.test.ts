// The commands that a plan prints: a shell that runs them gets what the plan says, and what applying the plan gives.

import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Plan } from '../../lib/plan/plan.js'
import { useHost } from '../helpers/host.js'
import { type Entry, ip, run } from '../helpers/readers.js'

const host = useHost()
const web = host.named('web')
const other = host.named('other')

function plan(): Plan {
  const plan = new Plan()
  const here = plan.in({ name: host.name })
  const bridge = here.links.create({ kind: 'bridge', name: 'br0', up: true, options: { ageingTime: 30, multicastSnooping: false } })
  here.addresses.add(bridge, '10.9.0.1/24')
  const inside = plan.namespace(web, { loopback: true })
  const port = here.links.create({
    ...{
      kind: 'veth',
      name: 'v-web',
      master: bridge,
      up: true,
      ipv6: 'none',
      alias: 'to the web',
      port: { isolated: true, hairpin: true },
    },
    peer: { name: 'eth0', namespace: inside, mac: '02:00:00:00:00:02', mtu: 1400, up: true, altNames: ['uplink'] },
  })
  inside.addresses.add(port.peer, '10.9.0.2/24', { broadcast: '10.9.0.255' })
  inside.addresses.add(port.peer, 'fd09::2/64')
  inside.routes.add({ to: 'default', via: '10.9.0.1', metric: 5 })
  inside.routes.add({ to: 'fd0a::/16', via: 'fd09::1' })
  inside.routes.add({ to: '10.8.0.0/16', nexthops: [{ via: '10.9.0.3', weight: 2 }, { via: '10.9.0.4' }] })
  inside.routes.add({ to: '10.7.0.0/16', type: 'blackhole' })
  inside.neighbours.add({ address: '10.9.0.1', mac: '02:00:00:00:00:01', link: port.peer })
  inside.rules.add({ from: '10.9.0.0/24', table: 100, priority: 7 })
  inside.sysctl.set('net.ipv4.ip_forward', 1)
  const last = plan.namespace(other)
  const pair = inside.links.create({ kind: 'veth', name: 'p0', peer: { name: 'd0', namespace: last } })
  inside.links.update(pair, { name: 'pair', mtu: 1300 })
  last.links.create({ kind: 'bridge', name: 'up', up: true })
  last.links.move(pair.peer, inside, { name: 'd1' })
  return plan
}

const linkFields = ['ifname', 'mtu', 'master', 'ifalias', 'altnames', 'inet6_addr_gen_mode'] as const
const pick = (entry: Entry, names: readonly string[]) => Object.fromEntries(names.map(name => [name, entry[name]]))

/** What is to be the same, whoever made it. */
async function stateOf(name: string): Promise<unknown> {
  const links = await ip(name, 'link', 'show')
  const addresses = await ip<{ ifname: string; addr_info: Entry[] }>(name, 'address', 'show')
  const made = links.filter(link => link.ifname === 'lo' || link.linkinfo !== undefined)
  const kind = (link: Entry) => (link.linkinfo as { info_kind?: string } | undefined)?.info_kind
  const port = (link: Entry) => (link.linkinfo as { info_slave_data?: Entry } | undefined)?.info_slave_data
  return {
    links: made
      .filter(link => !['ipip', 'sit', 'gre', 'gretap', 'erspan', 'vti', 'vti6', 'ip6tnl', 'ip6gre'].includes(kind(link) ?? ''))
      .map(link => ({
        ...pick(link, linkFields),
        kind: kind(link),
        up: (link.flags as string[]).includes('UP'),
        port: port(link) && pick(port(link)!, ['isolated', 'hairpin']),
      }))
      .sort((a: Entry, b: Entry) => (String(a.ifname) < String(b.ifname) ? -1 : 1)),
    addresses: addresses.flatMap(({ ifname, addr_info }) =>
      addr_info.map(one => `${ifname} ${one.local}/${one.prefixlen} ${one.broadcast} ${one.scope} ${one.nodad === true}`),
    ),
    routes: [...(await ip(name, 'route')), ...(await ip(name, '-6', 'route'))].map(route =>
      pick(route, ['type', 'dst', 'gateway', 'metric', 'nexthops', 'dev']),
    ),
    neighbours: (await ip(name, 'neighbour')).map(one => pick(one, ['dst', 'lladdr', 'dev', 'state'])),
    rules: (await ip(name, 'rule')).map(rule => pick(rule, ['priority', 'src', 'srclen', 'table'])),
    forwards: await run(name, 'cat', '/proc/sys/net/ipv4/ip_forward'),
  }
}
const all = async () => ({ host: await stateOf(host.name), web: await stateOf(web), other: await stateOf(other) })

async function printed(): Promise<unknown> {
  const script = join(tmpdir(), `netloom-plan-${process.pid}.sh`)
  await writeFile(script, `set -e\n${plan()}`)
  try {
    await run(undefined, 'sh', script)
    return await all()
  } finally {
    await rm(script)
    for (const [program, ...args] of [
      ['ip', 'netns', 'delete', web],
      ['ip', 'netns', 'delete', other],
      ['ip', '-n', host.name, 'link', 'delete', 'br0'],
    ] as const)
      await run(undefined, program, ...args)
    // The kernel removes the devices of a namespace after its name.
    while ((await ip(host.name, 'link', 'show')).length > 1) await setTimeout(20)
  }
}

test('a shell that runs them makes what the plan says', async () => {
  const state = (await printed()) as Record<string, { links: Entry[]; addresses: string[]; routes: Entry[] }>
  expect(state.host?.links).toMatchObject([
    { ifname: 'br0', kind: 'bridge', up: true },
    { ifname: 'lo' },
    { ifname: 'v-web', kind: 'veth', up: true, master: 'br0', ifalias: 'to the web', port: { isolated: true, hairpin: true } },
  ])
  expect(state.web?.links).toMatchObject([
    { ifname: 'd1', kind: 'veth' },
    { ifname: 'eth0', kind: 'veth', up: true, mtu: 1400, altnames: ['uplink'], inet6_addr_gen_mode: 'none' },
    { ifname: 'lo', up: true },
    { ifname: 'pair', kind: 'veth', mtu: 1300 },
  ])
  expect(state.web?.addresses).toContain('eth0 10.9.0.2/24 10.9.0.255 global false')
  expect(state.web?.addresses).toContain('eth0 fd09::2/64 undefined global true')
  expect(state.web?.routes).toContainEqual(expect.objectContaining({ dst: 'default', gateway: '10.9.0.1', metric: 5 }))
  expect(state.other?.links).toMatchObject([{ ifname: 'lo' }, { ifname: 'up', up: true }])
})

test('applying the plan gives the same', async () => {
  const expected = await printed()
  const result = await plan().apply()
  try {
    expect(await all()).toEqual(expected)
  } finally {
    await result.delete({ drain: true })
  }
})
