// Compiled, never run: what networks take and give. Each line fails the compiler if a mistake is let through, or something right is refused.
import {
  Endpoint,
  type EndpointInspect,
  type IptablesPlace,
  type Namespace,
  type Network,
  type NetworkInspect,
  Networks,
  type NftablesPlace,
  type PacketWalk,
  type PortRecord,
} from '../../lib/index.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>() => undefined as T | undefined

export async function opened(namespace: Namespace): Promise<void> {
  await Networks.open({ stateDir: '/run/a', host: namespace, serve: { dns: true, holdPorts: true, repair: true } })
  await using networks = await Networks.open({ stateDir: '/run/a', serve: { dns: { upstream: ['10.0.0.53'] } } })
  is<Equal<typeof networks, Networks>>()
  // @ts-expect-error a folder is needed
  await Networks.open({})
  // @ts-expect-error the host is an open namespace
  await Networks.open({ stateDir: '/run/a', host: 'blue' })
  // @ts-expect-error no such service
  await Networks.open({ stateDir: '/run/a', serve: { dhcp: true } })
  // @ts-expect-error only open() makes them
  new Networks()

  // ---- create: Docker's options, those of each driver, one subnet or several
  await using net = await networks.create({
    ...{
      name: 'a',
      driver: 'bridge',
      subnet: '10.0.0.0/16',
      ipRange: '10.0.5.0/24',
      gateway: '10.0.5.254',
      auxAddresses: { router: '10.0.0.9' },
    },
    ...{ ipv6: true, internal: false, attachable: true, ingress: false, scope: 'local', labels: { a: 'b' }, icc: false, masquerade: false },
    ...{ mtu: 1400, bridge: 'br9', hostBinding: '127.0.0.1', hostIpv4: '192.0.2.1', interfacePrefix: 'lan' },
    ...{ options: { 'com.docker.network.driver.mtu': '1400' }, ipam: { driver: 'default', options: {} } },
  })
  is<Equal<typeof net, Network>>()
  await networks.create({ name: 'b', subnets: [{ subnet: '10.0.0.0/24' }, { subnet: 'fd00::/64', gateway: 'fd00::1' }] })
  await networks.create({ name: 'c', driver: 'macvlan', parent: 'eth0', macvlanMode: 'private' })
  await networks.create({ name: 'd', driver: 'ipvlan', parent: 'eth0', ipvlanMode: 'l3s', ipvlanFlag: 'vepa' })
  await networks.create({ name: 'e', configFrom: 'f' })
  // @ts-expect-error it needs a name
  await networks.create({ subnet: '10.0.0.0/24' })
  // @ts-expect-error no such driver
  await networks.create({ name: 'a', driver: 'overlay' })
  // @ts-expect-error no such option
  await networks.create({ name: 'a', subnetz: '10.0.0.0/24' })
  // @ts-expect-error bytes, as a number
  await networks.create({ name: 'a', mtu: '1400' })
  // @ts-expect-error options are text, as Docker's are
  await networks.create({ name: 'a', options: { mtu: 1400 } })
  // @ts-expect-error no such mode
  await networks.create({ name: 'a', driver: 'ipvlan', ipvlanMode: 'l4' })
  // @ts-expect-error every entry has a subnet
  await networks.create({ name: 'a', subnets: [{ gateway: '10.0.0.1' }] })

  // ---- looking
  is<Equal<Awaited<ReturnType<typeof networks.find>>, Network | undefined>>()
  is<Equal<Awaited<ReturnType<typeof networks.endpoints>>, Endpoint[]>>()
  is<Equal<Awaited<ReturnType<typeof networks.adopt>>, Network[]>>()
  is<Equal<Awaited<ReturnType<typeof networks.prune>>, { deleted: string[] }>>()
  is<Equal<Awaited<ReturnType<typeof networks.gc>>, { removed: string[] }>>()
  is<Equal<Awaited<ReturnType<typeof networks.repair>>, boolean>>()
  await networks.list({ name: ['a', 'b'], driver: 'bridge', label: 'a=b', type: 'custom', dangling: true, id: 'ab' })
  await networks.endpoints({ pid: 1 })
  // @ts-expect-error no such type
  await networks.list({ type: 'mine' })
  // @ts-expect-error no such condition
  await networks.list({ names: 'a' })
  // @ts-expect-error a namespace is said by what it is
  await networks.endpoints('blue')
}

export async function connected(networks: Networks, net: Network, namespace: Namespace): Promise<void> {
  await using endpoint = await net.connect(
    { name: 'blue' },
    {
      ...{ name: 'web', aliases: ['www'], ip: '10.0.0.2', ip6: 'fd00::2', mac: '02:00:00:00:00:01', interface: 'eth7', mtu: 1400 },
      ...{
        gatewayPriority: 3,
        sysctls: { 'net.ipv4.conf.IFNAME.arp_ignore': 1 },
        options: { 'com.docker.network.endpoint.ifname': 'eth7' },
        expose: [80, '53/udp'],
        publishAll: true,
      },
      publish: [{ hostPort: '8000-8009', containerPort: '80-89', hostIp: '127.0.0.1', protocol: 'sctp' }],
    },
  )
  is<Equal<typeof endpoint, Endpoint>>()
  await net.connectMany([namespace, { pid: 1 }, { path: '/run/netns/a' }, { namespace, name: 'b', ip: '10.0.0.3' }], {
    onProgress: ({ done, total }) => void (done + total),
    signal: AbortSignal.timeout(1),
  })
  await net.disconnectMany([{ pid: 1 }, namespace])
  // @ts-expect-error no such protocol
  await net.connect(namespace, { publish: [{ containerPort: 80, protocol: 'icmp' }] })
  // @ts-expect-error the port inside is needed
  await net.connect(namespace, { publish: [{ hostPort: 80 }] })
  // @ts-expect-error no such option
  await net.connect(namespace, { ipv4: '10.0.0.2' })
  // @ts-expect-error of many, too
  await net.connectMany([{ namespace, ipv4: '10.0.0.2' }])
  // @ts-expect-error what it has is not changed by assignment
  endpoint.mac = '02:00:00:00:00:02'
  // @ts-expect-error only connect() makes them
  new Endpoint()

  is<Equal<typeof endpoint.ports, readonly PortRecord[]>>()
  is<Equal<typeof endpoint.gateway, string | undefined>>()
  is<Equal<Awaited<ReturnType<typeof endpoint.publish>>, readonly PortRecord[]>>()
  is<Equal<Awaited<ReturnType<typeof endpoint.inspect>>, EndpointInspect>>()
  is<Equal<Awaited<ReturnType<typeof net.inspect>>, NetworkInspect>>()
  is<Equal<Awaited<ReturnType<typeof net.toMermaid>>, string>>()
  await net.delete({ force: true })

  // ---- what drops is of iptables or of nftables, and each has its own words
  for (const { code, direction, by } of [...(await net.warnings()), ...(await net.cure())]) {
    is<Equal<typeof code, 'forward-dropped'>>()
    is<Equal<typeof direction, 'out' | 'in' | 'within'>>()
    if ('backend' in by) is<Equal<typeof by, IptablesPlace>>()
    else is<Equal<typeof by, NftablesPlace>>()
  }

  // ---- walks lead between endpoints, namespaces and to addresses
  is<Equal<Awaited<ReturnType<typeof networks.packetWalk>>, PacketWalk>>()
  await networks.packetWalk(endpoint, namespace, { proto: 'tcp', port: 80 })
  await networks.packetWalk({ pid: 1 }, '192.0.2.1', { family: 4 })
  // @ts-expect-error who sends is somebody, no address
  await networks.packetWalk('192.0.2.1', endpoint)
}
