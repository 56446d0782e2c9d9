// The walk of scenario S7, taken with any engine: what it shows after each step, as plain data in which ids and times are blanked out.

import { existsSync } from 'node:fs'
import { Namespace } from '../../lib/index.js'
import type { Container, Engine, Inspected } from './engines.js'
import { type Answering, answer, reach } from './reach.js'
import { ip, ping } from './readers.js'

/** By step and what was looked at. */
export type Seen = Readonly<Record<string, unknown>>

interface IpAddress {
  readonly ifname: string
  readonly address: string
  readonly mtu: number
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number; readonly scope: string }[]
}
interface IpRoute {
  readonly dst: string
  readonly gateway?: string
  readonly dev: string
}

/** A machine with a neighbour that has a way to the networks behind it. */
export async function neighbour(host: Namespace, name: string): Promise<Namespace> {
  // As a fresh machine has it: Docker then closes FORWARD.
  await host.sysctl.set('net.ipv4.ip_forward', 0)
  // What a bridge only passes on is no business of either firewall.
  if (existsSync('/proc/sys/net/bridge')) await host.sysctl.set('net.bridge.bridge-nf-call-iptables', 0)
  const outside = await Namespace.create(name, { loopback: true })
  await host.links.create({ kind: 'veth', name: 'up0', up: true, peer: { name: 'eth0', namespace: outside, up: true } })
  for (const [where, link, last] of [[host, 'up0', 1] as const, [outside, 'eth0', 2] as const]) {
    await where.addresses.add(link, `192.0.2.${last}/24`)
    await where.addresses.add(link, `2001:db8::${last}/64`, { noDad: true })
  }
  for (const to of ['172.16.0.0/12', '10.0.0.0/8']) await outside.routes.add({ to, via: '192.0.2.1' })
  await outside.routes.add({ to: 'fd00::/8', via: '2001:db8::1' })
  return outside
}

const myNet = { name: 'my-net', subnet: '172.28.0.0/16', ipRange: '172.28.5.0/24', gateway: '172.28.5.254' }

export async function walk(engine: Engine, host: Container, outside: Namespace): Promise<Seen> {
  const seen: Record<string, unknown> = {}
  const look = async (step: string, networks: readonly string[], containers: Readonly<Record<string, Container>>) => {
    for (const network of networks) seen[`${step}: inspect ${network}`] = blank(byName(await engine.inspect(network)))
    for (const [name, one] of Object.entries(containers)) {
      seen[`${step}: entries of ${name}`] = blank(await engine.entries(name))
      seen[`${step}: inside ${name}`] = await inside(one)
    }
  }
  seen['at first: list'] = await engine.list()
  await look('at first', ['bridge', 'host', 'none'], {})

  await engine.create({ ...myNet, aux: { router: '172.28.1.5' } })
  await look('created', ['my-net'], {})
  const web = await engine.start('web', 'bridge')
  await look('started', ['bridge'], { web })
  await engine.connect('my-net', 'web')
  await look('connected', ['my-net'], { web })
  const ports = ['8080:7000/tcp', '5353:7000/udp']
  const api = await engine.start('api', 'my-net', { ip: '172.28.5.10', alias: 'backend', publish: ports })
  await look('static address', ['my-net'], { api })
  seen['static address: ports'] = await engine.ports('api')
  const options = { 'com.docker.network.driver.mtu': '1400', 'com.docker.network.bridge.name': 'other0' }
  await engine.create({ name: 'other-net', subnet: '10.90.0.0/24', subnet6: 'fd90::/64', labels: { tier: 'back' }, options })
  await engine.create({ name: 'sealed', subnet: '10.91.0.0/24', internal: true })
  const other = await engine.start('other', 'other-net')
  const cell = await engine.start('cell', 'sealed')
  await look('other networks', ['other-net', 'sealed'], { other, cell })
  seen['all: list'] = await engine.list()
  seen['all: bridge other0'] = await inside(host, 'other0')
  seen['all: reach'] = await matrix({ web, api, other, cell }, { host, outside: { namespace: outside, where: undefined } })

  await engine.connect('other-net', 'api', { ip6: 'fd90::77' })
  await look('on both', ['other-net'], { api })
  seen['on both: ping'] = { v4: (await ping(api.where, '10.90.0.2')).received, v6: (await ping(api.where, 'fd90::2')).received }
  await engine.disconnect('my-net', 'web')
  await look('disconnected', ['my-net'], { web })
  await engine.disconnect('bridge', 'web')
  await look('disconnected from bridge', ['bridge'], { web })
  seen['in use: remove'] = await engine.remove('my-net')
  await engine.disconnect('my-net', 'api')
  await look('disconnected from the first', ['my-net'], { api })
  seen['unused: remove'] = await engine.remove('my-net')
  await engine.disconnect('sealed', 'cell')
  seen['unused: prune'] = await engine.prune()
  seen['at last: list'] = await engine.list()
  return seen
}

/** Interfaces with what they have, and routes, as ip tells. */
async function inside({ where }: Container, only?: string) {
  const links = (await ip<IpAddress>(where, 'addr', 'show')).filter(
    ({ ifname }) => ifname !== 'lo' && (only === undefined || ifname === only),
  )
  const interfaces = links.map(({ ifname, address, mtu, addr_info }) => {
    const global = addr_info.filter(one => one.scope === 'global').map(one => `${one.local}/${one.prefixlen}`)
    return [ifname, { ...(only === undefined && { mac: address }), mtu, addresses: global.sort() }] as const
  })
  const routes = [...(await ip<IpRoute>(where, 'route', 'show')), ...(await ip<IpRoute>(where, '-6', 'route', 'show'))]
  const kept = routes.filter(({ dst, dev }) => !/^(fe80|multicast|ff00)/.test(dst) && (only === undefined || dev === only))
  const way = ({ dst, gateway, dev }: IpRoute) => [
    gateway?.includes(':') ? `${dst} in IPv6` : dst,
    gateway ? `via ${gateway} dev ${dev}` : `dev ${dev}`,
  ]
  return { interfaces: Object.fromEntries(interfaces), routes: Object.fromEntries(kept.map(way)) }
}

/** Everybody asks everybody: what address the asked one sees, or how it fails. */
async function matrix(
  containers: Readonly<Record<string, Container>>,
  beside: Readonly<Record<'host' | 'outside', Container>>,
): Promise<Seen> {
  const everyone = { ...containers, ...beside }
  const servers: Answering[] = []
  for (const { namespace } of Object.values(everyone))
    for (const protocol of ['tcp', 'udp'] as const) servers.push(await answer(namespace, 7000, protocol))
  const targets: [what: string, address: string, port: number][] = [
    ['outside', '192.0.2.2', 7000],
    ['the host', '192.0.2.1', 7000],
    ['published', '192.0.2.1', 8080],
    ['published', '192.0.2.1', 5353],
    ['unpublished', '192.0.2.1', 8081],
    ['gateway of my-net', '172.28.5.254', 7000],
  ]
  for (const [name, { namespace }] of Object.entries(containers))
    for (const { address, link } of await namespace.addresses.list())
      if (link !== 1 && !address.startsWith('fe80')) targets.push([name, address, 7000])
  const results: Record<string, string> = {}
  for (const [from, { namespace }] of Object.entries(everyone))
    await Promise.all(
      targets.flatMap(([what, address, port]) =>
        (['tcp', 'udp'] as const)
          .filter(protocol => what !== 'published' || (port === 8080) === (protocol === 'tcp'))
          .map(async protocol => {
            results[`${from} to ${what} ${address} ${protocol}`] = await reach(namespace, address, port, protocol)
          }),
      ),
    )
  for (const server of servers) await server[Symbol.asyncDispose]()
  return results
}

/** Containers by name in the place of their ids. */
const byName = (network: Inspected) => ({
  ...network,
  Containers: Object.fromEntries(Object.values(network.Containers).map(one => [one.Name, one])),
})

/** Ids and times are never the same twice. */
function blank(value: unknown): unknown {
  const text = JSON.stringify(value)
  const ids = text.replace(/"[0-9a-f]{64}"/g, '"<id>"').replace(/"[0-9a-f]{12}"/g, '"<short id>"')
  return JSON.parse(ids.replace(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"<time>"'))
}

/** Every leaf with the way to it, of both; those that differ. */
export function differences(docker: unknown, here: unknown, path = ''): { path: string; docker: string; here: string }[] {
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && Object.keys(value).length > 0
  if (!isObject(docker) || !isObject(here)) {
    const [a, b] = [docker, here].map(value => (value === undefined ? '—' : JSON.stringify(value)))
    return a === b ? [] : [{ path, docker: a as string, here: b as string }]
  }
  const keys = [...new Set([...Object.keys(docker), ...Object.keys(here)])]
  return keys.flatMap(key => differences(docker[key], here[key], path === '' ? key : `${path}.${key}`))
}
