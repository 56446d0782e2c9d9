// Topologies read back from the kernel, against what ip and bridge say of the same namespaces.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { Namespace, readTopology, type Topology, topologyDot, topologyMermaid, topologyText } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { attempt, bridge, ip, run } from '../helpers/readers.js'

const host = useHost()
const [blue, green] = [host.named('blue'), host.named('green')]

beforeEach(context => needs(context, 'veth', 'bridge', 'tool:bridge'))
beforeEach(async () => {
  await run(undefined, 'ip', 'netns', 'add', blue)
  await run(undefined, 'ip', 'netns', 'add', green)
  const lines = [
    'link add br0 type bridge',
    'link set br0 up',
    'address add 10.0.1.254/24 dev br0',
    'address add 2001:db8::254/64 dev br0 nodad',
    `link add to-blue master br0 up type veth peer name eth0 netns ${blue}`,
    `link add to-green up type veth peer name eth0 netns ${green}`,
    'link set to-green master br0',
    'link add here0 type veth peer name here1',
  ]
  await batch(host.name, ...lines)
  for (const [name, number] of [
    [blue, 1],
    [green, 2],
  ] as const)
    await batch(name, 'link set eth0 up', `address add 10.0.1.${number}/24 dev eth0`, 'route add default via 10.0.1.254')
  await batch(blue, `link add straight type veth peer name straight netns ${green}`)
})
afterEach(async () => {
  for (const name of [blue, green]) await attempt(undefined, 'ip', ['netns', 'delete', name])
  for (const link of ['br0', 'here0', 'to-blue', 'to-green']) await attempt(host.name, 'ip', ['link', 'delete', link])
})

const batch = async (where: string, ...lines: string[]) => {
  const { code, stderr } = await attempt(where, 'ip', ['-batch', '-'], lines.join('\n'))
  if (code !== 0) throw new Error(stderr)
}

async function read(...names: string[]): Promise<Topology> {
  const opened = await Promise.all(names.map(name => Namespace.open({ name })))
  try {
    return await readTopology(opened)
  } finally {
    await Promise.all(opened.map(namespace => namespace.close()))
  }
}

interface IpAddress {
  readonly ifname: string
  readonly addr_info: readonly { local: string; prefixlen: number }[]
}
interface IpLink {
  readonly ifindex: number
  readonly ifname: string
  readonly mtu: number
  readonly address: string
  readonly link_type: string
  readonly flags: readonly string[]
  readonly master?: string
  readonly linkinfo?: { readonly info_kind?: string }
}

test('links, addresses, masters and default routes are those that ip shows', async () => {
  const { namespaces } = await read(host.name, blue, green)
  expect(namespaces.map(({ name }) => name)).toEqual([host.name, blue, green])
  for (const { name, id, current, links, defaultRoutes } of namespaces) {
    expect(id).toBe(`net:[${(await run(undefined, 'stat', '--format=%i', `/run/netns/${name}`)).trim()}]`)
    expect(current).toBe(false)
    const addresses = await ip<IpAddress>(name, 'address', 'show')
    const expected = (await ip<IpLink>(name, 'link', 'show')).map(link => ({
      index: link.ifindex,
      name: link.ifname,
      kind: link.linkinfo?.info_kind,
      type: link.link_type,
      mac: link.address,
      mtu: link.mtu,
      up: link.flags.includes('UP'),
      // Of a link that is down, ip does not tell.
      carrier: link.flags.includes('UP') ? link.flags.includes('LOWER_UP') : expect.any(Boolean),
      master: link.master,
      addresses: addresses.find(({ ifname }) => ifname === link.ifname)?.addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    }))
    expect(links.map(({ ports, lower, ...link }) => ({ kind: undefined, master: undefined, ...link }))).toEqual(expected)
    const routes = await ip<{ gateway: string; dev: string }>(name, '-4', 'route', 'show', 'default')
    expect(defaultRoutes).toEqual(routes.map(({ gateway, dev }) => ({ family: 4, via: gateway, link: dev })))
  }
  expect(namespaces.map(({ defaultRoutes }) => defaultRoutes.length)).toEqual([0, 1, 1])
})

test('the ports of a bridge are those that bridge shows', async () => {
  const { namespaces } = await read(host.name)
  const ports = await bridge<{ ifname: string; master: string }>(host.name, 'link', 'show')
  const byBridge = namespaces[0]?.links.filter(({ kind }) => kind === 'bridge').map(({ name, ports }) => [name, ports])
  expect(byBridge).toEqual([['br0', ports.filter(({ master }) => master === 'br0').map(({ ifname }) => ifname)]])
  expect(namespaces[0]?.links.filter(({ kind }) => kind !== 'bridge').map(({ ports }) => ports)).toEqual(Array(5).fill(undefined))
})

test('each cable once, whichever end is read first', async () => {
  const ends = ({ cables, namespaces }: Topology) => {
    const names = new Map(namespaces.map(({ id, name }) => [id, name]))
    return cables
      .map(cable =>
        cable.ends
          .map(({ namespace, namespaceName, link }) => `${names.get(namespace ?? '') ?? `(${namespaceName})`} ${link}`)
          .sort()
          .join(' = '),
      )
      .sort()
  }
  const all = [
    `${host.name} here0 = ${host.name} here1`,
    [`${blue} eth0`, `${host.name} to-blue`].sort().join(' = '),
    [`${green} eth0`, `${host.name} to-green`].sort().join(' = '),
    `${blue} straight = ${green} straight`,
  ].sort()
  expect(ends(await read(host.name, blue, green))).toEqual(all)
  expect(ends(await read(green, blue, host.name))).toEqual(all)
  // The same namespace twice is one namespace.
  expect(ends(await read(green, blue, host.name, blue))).toEqual(all)
  // An end that is elsewhere is named all the same.
  expect(ends(await read(blue))).toEqual([`(${green}) straight = ${blue} straight`, `(${host.name}) to-blue = ${blue} eth0`].sort())
})

test('it is plain data, and all three pictures show it', async () => {
  const topology = await read(host.name, blue, green)
  expect(JSON.parse(JSON.stringify(topology))).toEqual(topology)
  expect(structuredClone(topology)).toEqual(topology)
  const text = topologyText(topology)
  expect(text).toMatch(/br0 +bridge {2}10\.0\.1\.254\/24 {2}2001:db8::254\/64/)
  expect(text).toMatch(new RegExp(`├─ to-blue ─+┼─── ${blue} +eth0`))
  expect(text).toMatch(new RegExp(`└─ to-green ─+┼─── ${green} +eth0`))
  for (const picture of [text, topologyMermaid(topology), topologyDot(topology)])
    for (const word of [host.name, blue, green, 'br0', 'to-blue', 'to-green', '10.0.1.1/24', '10.0.1.2/24', 'here0', 'straight'])
      expect(picture).toContain(word)
})

test('the namespace of this process is marked, and needs no name', async () => {
  const { namespaces } = await readTopology([Namespace.current()])
  expect(namespaces).toMatchObject([{ current: true, id: String(await Namespace.identify('self')) }])
  expect(namespaces[0]?.name).toBeUndefined()
})

test('nothing to read gives nothing', async () => {
  expect(await readTopology([])).toEqual({ namespaces: [], cables: [] })
})

test('a device that sits on another one says which', async context => {
  await needs(context, 'macvlan')
  await run(host.name, 'ip', 'link', 'add', 'link', 'here0', 'name', 'on-here0', 'type', 'macvlan', 'mode', 'bridge')
  const topology = await read(host.name)
  expect(topology.namespaces[0]?.links.find(({ name }) => name === 'on-here0')).toMatchObject({ kind: 'macvlan', lower: 'here0' })
  expect(topologyText(topology)).toMatch(/here0 .*\n│ └─ on-here0 +macvlan/)
})

test('two veth ends with the same indexes in many namespaces are told apart', async () => {
  const { cables, namespaces } = await read(host.name, blue, green)
  const inner = cables.flatMap(({ ends }) => ends).filter(({ link }) => link === 'eth0')
  expect(new Set(inner.map(({ namespace }) => namespace))).toEqual(new Set(namespaces.slice(1).map(({ id }) => id)))
})
