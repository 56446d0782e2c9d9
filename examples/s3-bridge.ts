// S3: several namespaces on one bridge: everybody reaches everybody, the bridge learns who is where, and two pings that fail.
import { Namespace, NetloomError } from 'netloom'

// A namespace that plays the host, so that your machine stays as it is; Namespace.current() would be the real one.
await using host = await Namespace.create('host', { loopback: true })
await using n1 = await Namespace.create('n1')
await using n2 = await Namespace.create('n2')
await using n3 = await Namespace.create('n3')
const containers = [n1, n2, n3]
const address = (number: number) => `10.0.1.${number}`

// The bridge, and for each namespace a cable from its eth0 to a port. The bridge has an address too: it is an interface of the host.
await host.links.create({ kind: 'bridge', name: 'br0', up: true })
await host.addresses.add('br0', `${address(254)}/24`)
for (const [i, namespace] of containers.entries()) {
  await host.links.create({ kind: 'veth', name: `port${i + 1}`, master: 'br0', up: true, peer: { name: 'eth0', namespace, up: true } })
  await namespace.addresses.add('eth0', `${address(i + 1)}/24`)
}
for (const { name, options } of await host.links.list({ kind: 'bridge' })) {
  const { bridgeId, stp, ageingTime } = options
  console.log(`${name}: id ${bridgeId}, spanning tree ${stp ? 'on' : 'off'}, ageing time ${ageingTime} s`)
}
const ports = await host.links.list({ master: 'br0' })
console.log(`ports: ${ports.map(({ name, port }) => `${name} (${port?.state})`).join(', ')}`)

for (const [i, from] of containers.entries()) {
  const targets = [1, 2, 3, 254].filter(number => number !== i + 1)
  const answers = await Promise.all(targets.map(number => from.ping(address(number), { count: 1 })))
  const texts = answers.map(({ rtt }, k) => `${address(targets[k] ?? 0)} ${rtt ? `${rtt.avg.toFixed(3)} ms` : 'lost'}`)
  console.log(`${from.name} pings ${texts.join(', ')}`)
}

// What the bridge learned from those packets.
console.log('\nMAC table of br0')
const nameOf = new Map((await host.links.list()).map(({ index, name }) => [index, name]))
for (const { mac, port, age } of (await host.fdb.list({ bridge: 'br0' })).filter(entry => !entry.permanent))
  console.log(`  ${mac} behind ${nameOf.get(port)}, heard of ${age?.toFixed(1)} s ago`)
await host.links.update('br0', { options: { ageingTime: 60 } })
console.log('entries now leave after 60 s')

// A port is pulled out and plugged in again.
const n1PingsN3 = async () => `n1 pings n3: ${(await n1.ping(address(3), { count: 1, timeout: 0.3 })).received} of 1 answered`
await host.links.update('port3', { master: null })
console.log(`\nport3 out: ${await n1PingsN3()}`)
await host.links.update('port3', { master: 'br0' })
console.log(`port3 in:  ${await n1PingsN3()}`)

// A ping that fails though every cable is right: n2's neighbours are in another subnet.
await n2.addresses.delete('eth0', `${address(2)}/24`)
await n2.addresses.add('eth0', '10.220.1.2/24')
try {
  await n1.ping('10.220.1.2')
} catch (error) {
  if (!(error instanceof NetloomError)) throw error
  console.log(`n1 pings 10.220.1.2: ${error.code}, ${error.reason}`)
}

// Another one: where Docker has switched it on, bridged packets pass the host's firewall, whose FORWARD policy may drop them.
// The setting exists once the kernel's br_netfilter is loaded; the cure is to switch it off.
try {
  console.log(`bridge-nf-call-iptables = ${await host.sysctl.get('net.bridge.bridge-nf-call-iptables')}`)
  await host.sysctl.set('net.bridge.bridge-nf-call-iptables', 0)
} catch (error) {
  if (!(error instanceof NetloomError && error.code === 'ENOENT')) throw error
  console.log('bridged packets pass no firewall here: br_netfilter is not loaded')
}
