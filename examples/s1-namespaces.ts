// S1: what a network namespace is, how to make one, what is in a new one, and how a process gets inside.
import { Namespace } from 'netloom'

// Which namespace is this process in? The same text as `readlink /proc/self/ns/net`. A pid or a name can be asked about, too.
console.log('this process     ', String(await Namespace.identify('self')))
console.log('its parent       ', String(await Namespace.identify({ pid: process.ppid })))

// A named namespace is what `ip netns add` makes; `await using` removes it at the end of the program, whatever happens until then.
await using blue = await Namespace.create('blue')
console.log('blue             ', String(blue), blue.path)

// One without a name lives as long as somebody holds it. With `loopback`, lo is up from the start.
await using nameless = await Namespace.create(undefined, { loopback: true })
console.log('one without name ', String(nameless))
console.log('named ones       ', (await Namespace.list()).map(({ name }) => name).join(', '))

// A new namespace holds only lo, and that is down.
console.log('\nlinks in blue    ', await summary(blue))
await blue.links.update('lo', { up: true })
console.log('lo set up        ', await summary(blue))
const { sent, received, rtt } = await blue.ping('127.0.0.1', { count: 3, interval: 0.05 })
console.log(`ping 127.0.0.1    ${received} of ${sent} answered, ${rtt?.avg.toFixed(3)} ms on average`)

// The same device as ifconfig shows it.
console.log(`\n${await ifconfig(blue, 'lo')}`)

// A process inside: it runs to its end with exec(), and stays with spawn().
const { stdout } = await blue.exec('readlink', ['/proc/self/ns/net'])
console.log('\na process inside says ', stdout.trim())
const child = blue.spawn('sleep', ['60'], { stdio: 'ignore' })
try {
  console.log('seen from outside     ', String(await Namespace.identify({ pid: Number(child.pid) })))
} finally {
  child.kill()
}

// What is in one namespace is not in another: devices, addresses, routes, settings.
const cable = await blue.links.create({ kind: 'veth', name: 'only-blue', up: true })
await blue.addresses.add(cable, '10.0.9.1/24')
await blue.sysctl.set('net.ipv4.ip_forward', 1)
for (const [label, namespace] of [
  ['blue    ', blue],
  ['nameless', nameless],
] as const) {
  const links = await namespace.links.list()
  const local = await namespace.routes.list({ table: 'local', family: 4 })
  const forwarding = await namespace.sysctl.get('net.ipv4.ip_forward')
  console.log(`${label}  ${links.length} links, ${local.length} local routes, ip_forward = ${forwarding}`)
}

async function summary(namespace: Namespace): Promise<string> {
  const [links, addresses] = await Promise.all([namespace.links.list(), namespace.addresses.list()])
  return links
    .map(({ index, name, up }) => {
      const own = addresses.filter(({ link }) => link === index).map(({ cidr }) => cidr)
      return `${name} (${up ? 'up' : 'down'}${own.length > 0 ? `, ${own.join(' ')}` : ''})`
    })
    .join(', ')
}

async function ifconfig(namespace: Namespace, name: string): Promise<string> {
  const link = await namespace.links.get(name)
  const addresses = await namespace.addresses.list({ link })
  const { rxPackets, rxBytes, txPackets, txBytes } = link.statistics ?? {}
  return [
    `${link.name}: flags=<${link.flags.join(',')}>  mtu ${link.mtu}`,
    ...addresses.map(({ family, address, prefix, broadcast }) =>
      family === 4
        ? `        inet ${address}  netmask ${netmask(prefix)}${broadcast ? `  broadcast ${broadcast}` : ''}`
        : `        inet6 ${address}  prefixlen ${prefix}`,
    ),
    `        ${link.type} ${link.mac}  txqueuelen ${link.txQueueLength}`,
    `        RX packets ${rxPackets}  bytes ${rxBytes}`,
    `        TX packets ${txPackets}  bytes ${txBytes}`,
  ].join('\n')
}

function netmask(prefix: number): string {
  const bits = prefix === 0 ? 0 : (0xffff_ffff << (32 - prefix)) >>> 0
  return [24, 16, 8, 0].map(shift => (bits >>> shift) & 0xff).join('.')
}
