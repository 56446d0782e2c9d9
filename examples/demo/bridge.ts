// The demo's third part (S3): many namespaces on one bridge.
import { type Namespace, Plan, routeFlags } from 'netloom'
import { type Lab, many } from './lab.js'
import type { Options, Subnet } from './options.js'
import { heading, since, step, strong, table, thousands } from './show.js'

/** A namespace on the bridge. */
export interface Member {
  readonly namespace: Namespace
  readonly name: string
  readonly address: string
  /** Its port of the bridge, in the host. */
  readonly port: string
}
export interface Network {
  readonly host: Namespace
  readonly members: readonly Member[]
  readonly subnet: Subnet
  /** The bridge's own address, through which the members reach everything else. */
  readonly gateway: string
}

export async function buildBridge(lab: Lab, { count, subnet }: Options): Promise<Network> {
  heading(`A bridge and ${thousands(count)} namespaces`)
  const gateway = subnet.host(1)
  const host = await lab.namespace('host', { loopback: true, ipv6: 'none' })
  step(`host, ${host}, plays the machine; yours stays as it is`, 'ip netns add host')
  await host.links.create({ kind: 'bridge', name: 'br0', up: true })
  step('bridge br0, up', 'ip -n host link add br0 up type bridge')
  await host.addresses.add('br0', `${gateway}/${subnet.prefix}`)
  step(
    `br0 has ${gateway}/${subnet.prefix}: it is an interface of the host, too`,
    `ip -n host address add ${gateway}/${subnet.prefix} dev br0`,
  )

  const digits = String(count).length
  const places = Array.from({ length: count }, (_, i) => {
    const name = `n${String(i + 1).padStart(digits, '0')}`
    return { name, address: subnet.host(i + 2), port: `v-${name}` }
  })
  const build = count < many ? oneByOne : byPlan
  const { members, time, how } = await build(lab, host, places, { gateway, prefix: subnet.prefix })
  const [first, last] = [members[0]?.name ?? '', members.at(-1)?.name ?? '']
  step(`namespaces ${first} to ${last}`, `ip netns add ${first}`)
  step(
    'each with a cable from its eth0 to a port of br0',
    `ip -n host link add v-${first} master br0 up type veth peer name eth0 netns ${first}`,
  )
  step(
    `addresses ${members[0]?.address} to ${members.at(-1)?.address}`,
    `ip -n ${first} address add ${members[0]?.address}/${subnet.prefix} dev eth0`,
  )
  step(`and a default route: all ${thousands(count)} made in ${strong(time)}`, `ip -n ${first} route add default via ${gateway}`)
  if (how) step(how)
  const ports = await host.links.list({ master: 'br0' })
  const forwarding = ports.filter(({ port }) => port?.state === 'forwarding')
  step(`br0 has ${thousands(ports.length)} ports, ${thousands(forwarding.length)} of them forwarding`, 'bridge -n host link')
  return { host, members, subnet, gateway }
}

type Place = Omit<Member, 'namespace'>
interface Around {
  readonly gateway: string
  readonly prefix: number
}
interface Built {
  readonly members: readonly Member[]
  readonly time: string
  readonly how?: string
}

/** A few: each verb by itself. */
async function oneByOne(lab: Lab, host: Namespace, places: readonly Place[], { gateway, prefix }: Around): Promise<Built> {
  const started = performance.now()
  const make = async (place: Place) => ({ namespace: await lab.namespace(place.name, { ipv6: 'none' }), ...place })
  // One after the other, so that the ports are in order.
  const plug = async (member: Member) => {
    const { port, namespace } = member
    await host.links.create({ kind: 'veth', name: port, master: 'br0', up: true, peer: { name: 'eth0', namespace, up: true } })
    return member
  }
  const members = await lab.each('cables', await lab.each('namespaces', places, make), plug, 1)
  await lab.each('addresses', members, async ({ namespace, address }) => {
    await namespace.addresses.add('eth0', `${address}/${prefix}`)
    await namespace.routes.add({ to: 'default', via: gateway })
  })
  return { members, time: since(started) }
}

/** Many: the same verbs, written down and carried out together, all or nothing. */
async function byPlan(lab: Lab, host: Namespace, places: readonly Place[], { gateway, prefix }: Around): Promise<Built> {
  const started = performance.now()
  const plan = new Plan({ ipv6: 'none' })
  const here = plan.in(host)
  for (const { name, address, port } of places) {
    const inside = plan.namespace(name)
    const peer = { name: 'eth0', namespace: inside, up: true }
    const cable = here.links.create({ kind: 'veth', name: port, master: 'br0', up: true, peer })
    inside.addresses.add(cable.peer, `${address}/${prefix}`)
    inside.routes.add({ to: 'default', via: gateway })
  }
  const { result, phases } = await lab.apply(plan, places.length)
  const time = since(started)
  const open = async (place: Place) => ({ namespace: await lab.open(result.namespace(place.name)), ...place })
  const members = await lab.each('opening', places, open)
  return { members, time, how: `by one plan of ${thousands(result.done)} things: ${phases}` }
}

export async function showRoutes({ members }: Network): Promise<void> {
  const [first] = members
  if (first === undefined) return
  const { namespace, name } = first
  const names = new Map((await namespace.links.list()).map(link => [link.index, link.name]))
  const rows: string[][] = []
  for (const which of ['main', 'local'] as const) {
    for (const route of await namespace.routes.list({ table: which, family: 4 })) {
      const { to, type = 'unicast', via = '', link, protocol, scope = '' } = route
      const interfaceName = link === undefined ? '' : (names.get(link) ?? '')
      rows.push([which, type === 'unicast' ? to : `${type} ${to}`, via, routeFlags(route), interfaceName, protocol, scope])
    }
  }
  step(`the routes of ${name}`, `ip -n ${name} route show table all`)
  table(['table', 'destination', 'gateway', 'flags', 'interface', 'protocol', 'scope'], rows)
}

/** What the bridge learned from the pings: which MAC is behind which port, and when it was last heard of. */
export async function showMacTable({ host, members }: Network): Promise<void> {
  const ports = new Map((await host.links.list({ master: 'br0' })).map(({ index, name }) => [index, name]))
  const owners = new Map(members.map(({ port, name, address }) => [port, `${name}, ${address}`]))
  const entries = (await host.fdb.list({ bridge: 'br0' })).filter(entry => !entry.permanent)
  const rows = entries
    .map(({ mac, port, age = 0 }) => [mac, ports.get(port) ?? '', owners.get(ports.get(port) ?? '') ?? '', `${age.toFixed(2)} s`])
    .sort((a, b) => ((a[1] ?? '') < (b[1] ?? '') ? -1 : 1))
  step(`br0 has learned ${thousands(entries.length)} MAC addresses from these pings`, 'bridge -n host -s fdb show br br0')
  table(['MAC', 'port', 'behind it', 'heard of'], rows)
  await host.links.update('br0', { options: { ageingTime: 60 } })
  step('from now on, br0 forgets after 60 s in place of 300 s', 'ip -n host link set br0 type bridge ageing_time 6000')
}
