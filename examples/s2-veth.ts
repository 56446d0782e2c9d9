// S2: two namespaces and the cable between them, a veth pair: made in place or moved there, with addresses, routes and pings.
import { Namespace } from 'netloom'

// A namespace that plays the host, so that your machine stays as it is; Namespace.current() would be the real one.
await using host = await Namespace.create('host')
await using blue = await Namespace.create('blue')
await using green = await Namespace.create('green')
const linkNames = async (namespace: Namespace) => (await namespace.links.list()).map(({ name }) => name).join(' ')

// Names may be left to the kernel, which numbers them: veth0, veth1 … What it made is reported back.
const unnamed = await host.links.create({ kind: 'veth' })
console.log(`the kernel called the ends ${unnamed.name} and ${unnamed.peer.link.name}`)

// One way to put the ends into namespaces: move them there, here with a new name at the same time.
await host.links.move(unnamed.name, blue, { name: 'moved' })
await host.links.move(unnamed.peer.link, green)
console.log(`after the move: host has ${await linkNames(host)}; blue ${await linkNames(blue)}; green ${await linkNames(green)}`)

// A pair is one thing: deleting one end removes the other.
await blue.links.delete('moved')
console.log(`one end deleted: blue has ${await linkNames(blue)}; green ${await linkNames(green)}`)

// The other way, in one step: each end is created right where it belongs.
const pair = await blue.links.create({ kind: 'veth', name: 'cable', peer: { name: 'eth0', namespace: green, up: true } })
console.log(
  `\n${pair.name} (index ${pair.index}) in blue ⇄ ${pair.peer.link.name} (index ${pair.peer.link.index}) in ${pair.peer.namespace?.name}`,
)
await blue.links.update('cable', { name: 'eth0', up: true })

// An address brings two routes by itself: the network (MAIN table) and the address itself (LOCAL table).
await blue.addresses.add('eth0', '10.0.0.1/24')
await green.addresses.add('eth0', '10.0.0.2/24')
for (const table of ['main', 'local'] as const) {
  const routes = await blue.routes.list({ table, family: 4 })
  console.log(`${table.padEnd(5)} table of blue:`, routes.map(({ type, to }) => `${type === 'unicast' ? '' : `${type} `}${to}`).join(', '))
}

for (const [from, to] of [
  [blue, '10.0.0.2'],
  [green, '10.0.0.1'],
] as const) {
  const { sent, received, loss, rtt } = await from.ping(to, { count: 5, interval: 0.02 })
  const times = rtt && [rtt.min, rtt.avg, rtt.max].map(time => time.toFixed(3)).join(' / ')
  console.log(`${from.name} pings ${to}: ${received} of ${sent} answered, ${loss * 100} % loss, min / avg / max ${times} ms`)
}
