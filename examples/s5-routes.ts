// S5: routes: the tables, adding and removing all sorts of them, and asking the kernel which way a packet would take.
import { Namespace, NetloomError, type Route, routeFlags } from 'netloom'

// A router with two cables, to a left and a right neighbour.
await using router = await Namespace.create('router', { loopback: true })
await using left = await Namespace.create('left')
await using right = await Namespace.create('right')
for (const [name, namespace, network] of [
  ['to-left', left, '10.0.1'],
  ['to-right', right, '10.0.2'],
] as const) {
  await router.links.create({ kind: 'veth', name, up: true, peer: { name: 'eth0', namespace, up: true } })
  await router.addresses.add(name, `${network}.1/24`)
  await namespace.addresses.add('eth0', `${network}.2/24`)
  await namespace.routes.add({ to: 'default', via: `${network}.1` })
}
await router.sysctl.set('net.ipv4.ip_forward', 1)
const { received, replies } = await left.ping('10.0.2.2', { count: 1 })
console.log(`left pings right through the router: ${received} answer, TTL ${replies[0]?.ttl}`)

// A host, a network, several ways at once, a way that refuses, and where everything else goes.
await router.routes.add({ to: '192.0.2.7', via: '10.0.1.2', metric: 50 })
await router.routes.add({ to: '192.0.2.0/24', via: '10.0.2.2', protocol: 'static' })
await router.routes.add({ to: '198.51.100.0/24', nexthops: [{ via: '10.0.1.2', weight: 3 }, { via: '10.0.2.2' }] })
await router.routes.add({ to: '203.0.113.0/24', type: 'unreachable' })
await router.routes.add({ to: 'default', via: '10.0.1.2' })
await router.routes.replace({ to: 'default', via: '10.0.2.2' })

for (const table of ['main', 'local'] as const) {
  console.log(
    `\n${table} table\n  ${'destination'.padEnd(26)}${'gateway'.padEnd(12)}${'flags'.padEnd(7)}${'metric'.padEnd(8)}${'protocol'.padEnd(10)}interface`,
  )
  for (const route of await router.routes.list({ table, family: 4 })) console.log(`  ${await line(route)}`)
}

// Which way would a packet take? The host route comes before the network, the longest prefix before the default.
console.log()
for (const to of ['192.0.2.7', '192.0.2.8', '8.8.8.8', '10.0.1.1']) {
  const { via, link, type } = await router.routes.lookup(to)
  console.log(`${to} goes ${type === 'local' ? 'to this host itself' : via ? `via ${via}` : 'straight'} by ${await nameOf(link)}`)
}

// Where nothing leads, look-up and ping say so.
await router.routes.delete({ to: 'default', via: '10.0.2.2' })
try {
  await router.routes.lookup('8.8.8.8')
} catch (error) {
  if (!(error instanceof NetloomError)) throw error
  console.log(`without a default route, 8.8.8.8: ${error.code}: ${error.reason}`)
}
const { unreachable, errors } = await left.ping('203.0.113.9', { count: 1 })
console.log(`left pings an address that the router refuses: ${unreachable} unreachable (${errors[0]?.reason}, says ${errors[0]?.from})`)

async function line(route: Route): Promise<string> {
  const { to, via = '', nexthops, type = 'unicast', protocol, metric = 0, link } = route
  const ways = nexthops?.map(hop => `${hop.via} ×${hop.weight}`).join(', ')
  const destination = type === 'unicast' ? to : `${type} ${to}`
  const columns = [destination.padEnd(26), via.padEnd(12), routeFlags(route).padEnd(7), String(metric).padEnd(8), protocol.padEnd(10)]
  return columns.join('') + (ways ?? (await nameOf(link)))
}

async function nameOf(link: number | undefined): Promise<string> {
  return link === undefined ? '' : (await router.links.get(link)).name
}
