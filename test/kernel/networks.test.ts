// Container networks against the kernel: the walk of scenario S7, seen by ip and by Docker's words.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { Namespace, Networks } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { ipLink, linkNames, useOpenHost } from '../helpers/links.js'
import { ip, ping, bridge as readBridge } from '../helpers/readers.js'

const host = useOpenHost()
interface IpAddress {
  readonly ifname: string
  readonly address: string
  readonly mtu: number
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number; readonly family: string }[]
}
interface IpRoute {
  readonly dst: string
  readonly gateway?: string
  readonly dev: string
}

let folder = ''
let networks: Networks
const made: Namespace[] = []
beforeEach(context => needs(context, 'tool:ip', 'tool:ping', 'nftables', 'bridge', 'veth'))
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'netloom-networks-'))
  networks = await Networks.open({ stateDir: folder, host: host.namespace })
})
afterEach(async () => {
  for (const namespace of made.splice(0)) await namespace.delete()
  for (const network of await networks.list({ type: 'custom' })) await network.delete({ force: true })
  await networks.close()
  if (await host.namespace.links.find('netloom0')) await host.namespace.links.delete('netloom0')
  await rm(folder, { recursive: true })
})
afterAll(async () => expect(await linkNames(host.name)).toEqual([]))

async function container(name: string): Promise<{ namespace: Namespace; name: string }> {
  const full = host.named(name)
  const namespace = await Namespace.create(full, { loopback: true })
  made.push(namespace)
  return { namespace, name: full }
}
/** What ip says of an interface: MAC, addresses. */
async function seen(where: string, name: string): Promise<[mac: string, ...addresses: string[]]> {
  const found = (await ip<IpAddress>(where, 'addr', 'show')).find(({ ifname }) => ifname === name)
  return [found?.address ?? 'missing', ...(found?.addr_info ?? []).map(one => `${one.local}/${one.prefixlen}`)]
}
async function routes(where: string, ...family: string[]): Promise<string[]> {
  const list = await ip<IpRoute>(where, ...family, 'route', 'show')
  return list.map(({ dst, gateway, dev }) => `${dst}${gateway ? ` via ${gateway}` : ''} dev ${dev}`)
}

test('a network, a container on it, another one, and on two at once', async () => {
  const web = await container('web')
  const net = await networks.create({ name: 'my-net', subnet: '172.28.0.0/16', ipRange: '172.28.5.0/24', gateway: '172.28.5.254' })
  const bridge = `br-${net.id.slice(0, 12)}`
  expect(await seen(host.name, bridge)).toEqual(['02:42:ac:1c:05:fe', '172.28.5.254/16'])
  expect((await ipLink(host.name, bridge))?.linkinfo?.info_data).toMatchObject({ stp_state: 0, nf_call_iptables: 0 })

  const endpoint = await net.connect({ name: web.name }, { name: 'web', aliases: ['www'] })
  expect([endpoint.interface, endpoint.addresses, endpoint.mac, endpoint.gateway]).toEqual([
    'eth0',
    ['172.28.5.0/16'],
    '02:42:ac:1c:05:00',
    '172.28.5.254',
  ])
  expect(await seen(web.name, 'eth0')).toEqual(['02:42:ac:1c:05:00', '172.28.5.0/16'])
  expect(await routes(web.name)).toEqual(['default via 172.28.5.254 dev eth0', '172.28.0.0/16 dev eth0'])
  const { hostInterface = '' } = endpoint
  expect(await ipLink(host.name, hostInterface)).toMatchObject({ master: bridge, address: '02:42:ac:1c:05:fe' })
  // The bridge's own address, so that its MAC table has no entry for the port.
  const entries = await readBridge<{ mac: string; ifname: string }>(host.name, 'fdb', 'show', 'br', bridge)
  const own = entries.filter(({ mac, ifname }) => ifname === hostInterface && !/^(33:33|01:00)/.test(mac) && mac !== endpoint.mac)
  expect(own).toEqual([])
  expect((await ping(web.name, '172.28.5.254')).received).toBe(1)

  const other = await container('other')
  await net.connect(
    { name: other.name },
    { ip: '172.28.9.9', mac: '02:00:00:00:00:09', mtu: 1400, interface: 'blue0', sysctls: { 'net.ipv4.conf.IFNAME.arp_ignore': 1 } },
  )
  expect(await seen(other.name, 'blue0')).toEqual(['02:00:00:00:00:09', '172.28.9.9/16'])
  expect((await ipLink(other.name, 'blue0'))?.mtu).toBe(1400)
  expect(await other.namespace.sysctl.get('net.ipv4.conf.blue0.arp_ignore')).toBe('1')
  expect((await ping(web.name, '172.28.9.9')).received).toBe(1)

  // The same by Docker's names, which inspect gives back.
  const third = await container('third')
  const driverOpts = {
    'com.docker.network.endpoint.ifname': 'red0',
    'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.arp_ignore=1,net.ipv4.conf.IFNAME.arp_announce=2',
  }
  const named = await net.connect(third.namespace, { options: driverOpts })
  expect([named.interface, await linkNames(third.name)]).toEqual(['red0', ['red0']])
  const { sysctl } = third.namespace
  expect([await sysctl.get('net.ipv4.conf.red0.arp_ignore'), await sysctl.get('net.ipv4.conf.red0.arp_announce')]).toEqual(['1', '2'])
  expect([(await named.inspect()).DriverOpts, (await endpoint.inspect()).DriverOpts]).toEqual([driverOpts, null])
  await named.disconnect()

  const second = await networks.create({ name: 'second', subnet: '10.55.0.0/24', ipv6: true, mtu: 1300 })
  const both = await second.connect(web.namespace, { ip6: undefined as never })
  const [, ipv6 = ''] = both.addresses
  expect([both.interface, both.addresses[0]]).toEqual(['eth1', '10.55.0.2/24'])
  expect(ipv6).toMatch(/^fd.*::2\/64$/)
  expect(await seen(web.name, 'eth1')).toEqual(['02:42:0a:37:00:02', '10.55.0.2/24', ipv6])
  // The default route stays where it was: m comes before s. Of IPv6 there was none.
  expect(await routes(web.name)).toContain('default via 172.28.5.254 dev eth0')
  expect((await routes(web.name, '-6')).filter(route => route.startsWith('default'))).toEqual([
    `default via ${ipv6.replace('2/64', '1')} dev eth1`,
  ])
  expect((await networks.endpoints(web.namespace)).map(one => one.network).sort()).toEqual([net.id, second.id].sort())

  await net.disconnect({ name: web.name })
  expect(await linkNames(web.name)).toEqual(['eth1'])
  expect(await routes(web.name)).toEqual(['default via 10.55.0.1 dev eth1', '10.55.0.0/24 dev eth1'])
  expect(await ipLink(host.name, endpoint.hostInterface ?? '')).toBeUndefined()
  await endpoint.disconnect()
})

test('inspect has the shapes of Docker', async () => {
  const web = await container('web')
  const net = await networks.create({
    ...{ name: 'my-net', subnet: '172.28.0.0/16', ipRange: '172.28.5.0/24', gateway: '172.28.5.254', attachable: true },
    ...{ auxAddresses: { router: '172.28.1.5' }, labels: { tier: 'front' }, mtu: 1400 },
  })
  const endpoint = await net.connect(web.namespace, { name: 'web', aliases: ['www'], ip: '172.28.5.7' })
  const { Containers, Created, ...rest } = await net.inspect()
  expect(new Date(Created).toISOString()).toBe(Created)
  expect(rest).toEqual({
    ...{ Name: 'my-net', Id: net.id, Scope: 'local', Driver: 'bridge', EnableIPv6: false },
    IPAM: {
      ...{ Driver: 'default', Options: {} },
      Config: [
        {
          ...{ Subnet: '172.28.0.0/16', IPRange: '172.28.5.0/24', Gateway: '172.28.5.254' },
          AuxiliaryAddresses: { router: '172.28.1.5' },
        },
      ],
    },
    ...{ Internal: false, Attachable: true, Ingress: false, ConfigFrom: { Network: '' }, ConfigOnly: false },
    Options: { 'com.docker.network.driver.mtu': '1400' },
    Labels: { tier: 'front' },
  })
  expect(Object.keys(Containers)[0]).toMatch(/^[0-9a-f]{64}$/)
  expect(Object.values(Containers)).toEqual([
    { Name: 'web', EndpointID: endpoint.id, MacAddress: '02:42:ac:1c:05:07', IPv4Address: '172.28.5.7/16', IPv6Address: '' },
  ])
  expect(await endpoint.inspect()).toEqual({
    ...{ IPAMConfig: { IPv4Address: '172.28.5.7' }, Links: null, Aliases: ['www'], NetworkID: net.id, EndpointID: endpoint.id },
    ...{
      Gateway: '172.28.5.254',
      IPAddress: '172.28.5.7',
      IPPrefixLen: 16,
      IPv6Gateway: '',
      GlobalIPv6Address: '',
      GlobalIPv6PrefixLen: 0,
    },
    ...{ MacAddress: '02:42:ac:1c:05:07', DriverOpts: null },
  })
})

test('the predefined networks, and what is listed', async () => {
  await networks.create({ name: 'blue', labels: { tier: 'front' } })
  await networks.create({ name: 'green', labels: { tier: 'back' } })
  const names = async (filter: Parameters<Networks['list']>[0]) =>
    (await networks.list(filter)).map(({ name, driver }) => `${name}/${driver}`)
  expect(await names({})).toEqual(['blue/bridge', 'bridge/bridge', 'green/bridge', 'host/host', 'none/null'])
  expect(await names({ type: 'builtin' })).toEqual(['bridge/bridge', 'host/host', 'none/null'])
  expect(await names({ label: 'tier=back' })).toEqual(['green/bridge'])
  expect(await names({ label: 'tier', name: ['lue', 'x'] })).toEqual(['blue/bridge'])
  expect([await names({ driver: 'null' }), await names({ driver: 'none' })]).toEqual([['none/null'], ['none/null']])
  const configs = await Promise.all(
    ['bridge', 'blue', 'green'].map(async name => (await (await networks.get(name)).inspect()).IPAM.Config[0]),
  )
  expect(configs).toEqual([
    { Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' },
    { Subnet: '172.18.0.0/16', Gateway: '172.18.0.1' },
    { Subnet: '172.19.0.0/16', Gateway: '172.19.0.1' },
  ])
  expect(await linkNames(host.name)).not.toContain('netloom0')
  const web = await container('web')
  const standard = await networks.get('bridge')
  expect((await standard.connect(web.namespace)).addresses).toEqual(['172.17.0.2/16'])
  expect(await seen(host.name, 'netloom0')).toEqual(['02:42:ac:11:00:01', '172.17.0.1/16'])
  await standard.disconnect(web.namespace)
  await expect(standard.delete({ force: true })).rejects.toMatchObject({ code: 'EPERM' })
  expect((await networks.prune()).deleted).toEqual(['blue', 'green'])
  expect(await networks.find('blue')).toBeUndefined()
})

test('pruning by label and by age', async () => {
  for (const tier of ['front', 'back']) await networks.create({ name: tier, labels: { tier } })
  expect((await networks.prune({ label: 'tier=front', until: new Date(0) })).deleted).toEqual([])
  expect((await networks.prune({ label: 'tier=front' })).deleted).toEqual(['front'])
  expect((await networks.prune({ until: new Date(Date.now() + 1_000) })).deleted).toEqual(['back'])
})

test('a configuration shows what it gives, and stays while it is used', async () => {
  const config = await networks.create({ name: 'config', configOnly: true, subnet: '10.30.0.0/24', labels: { a: 'b' } })
  expect(await config.inspect()).toMatchObject({ ConfigOnly: true, IPAM: { Config: [{ Subnet: '10.30.0.0/24' }] }, Labels: { a: 'b' } })
  const net = await networks.create({ name: 'net', configFrom: 'config' })
  await expect(config.delete()).rejects.toMatchObject({ code: 'EBUSY', message: expect.stringContaining('the configuration of net') })
  await net.delete()
  await config.delete()
  expect(await networks.list({ type: 'custom' })).toEqual([])
})

test('an endpoint is inspected as it is now, by whichever handle', async () => {
  const web = await container('web')
  const net = await networks.create({ name: 'net', subnet: '10.31.0.0/24' })
  const endpoint = await net.connect(web.namespace)
  await using other = await Networks.open({ stateDir: folder, host: host.namespace })
  const [same] = await other.endpoints(web.namespace)
  await same?.publish({ hostPort: 8080, containerPort: 80 })
  expect((await endpoint.inspect()).Ports).toEqual({ '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] })
  expect(endpoint.portsText).toBe('0.0.0.0:8080->80/tcp')
  await net.disconnect(web.namespace)
  await expect(endpoint.inspect()).rejects.toMatchObject({ code: 'ENOENT' })
})

test('an interface with a dot in its name has its settings', async () => {
  const web = await container('web')
  const net = await networks.create({ name: 'net', subnet: '10.32.0.0/24' })
  await net.connect(web.namespace, {
    interface: 'eth0.5',
    sysctls: { 'net.ipv4.conf.IFNAME.arp_ignore': 2, 'net/ipv4/conf/IFNAME/arp_filter': 1 },
  })
  expect(await web.namespace.sysctl.get('net/ipv4/conf/eth0.5/arp_ignore')).toBe('2')
  expect(await web.namespace.sysctl.get('net/ipv4/conf/eth0.5/arp_filter')).toBe('1')
})

test('a folder named relative to the working folder stays where it is', async () => {
  const before = process.cwd()
  try {
    process.chdir(dirname(folder))
    await using relative = await Networks.open({ stateDir: basename(folder), host: host.namespace })
    process.chdir('/')
    expect((await relative.create({ name: 'net', subnet: '10.33.0.0/24' })).name).toBe('net')
  } finally {
    process.chdir(before)
  }
  expect((await networks.get('net')).name).toBe('net')
})

test('the beginning of several ids means none of them', async () => {
  // With the predefined ones more than there are first digits.
  for (let i = 0; i < 16; i++) await networks.create({ name: `config${i}`, configOnly: true })
  const digits = (await networks.list()).map(({ id }) => id[0] ?? '')
  const shared = digits.find((digit, i) => digits.indexOf(digit) !== i) ?? ''
  await expect(networks.get(shared)).rejects.toMatchObject({ code: 'ENOTUNIQ', message: expect.stringContaining('networks begin with it') })
})

test('host and none', async () => {
  const [none, hosts] = await Promise.all(['none', 'host'].map(name => networks.get(name)))
  const web = await container('web')
  const alone = await none!.connect(web.namespace)
  expect([alone.addresses, alone.interface, await linkNames(web.name)]).toEqual([[], '', []])
  await expect(hosts!.connect(web.namespace)).rejects.toMatchObject({ code: 'ERR_NETLOOM_INVALID_NAMESPACE' })
  await using onHost = await hosts!.connect(host.namespace)
  expect(onHost.addresses).toEqual([])
  await alone.disconnect()
})

test('macvlan', async context => {
  await needs(context, 'macvlan')
  await host.namespace.links.create({ kind: 'veth', name: 'wire', up: true, peer: { name: 'wire-end', up: true } })
  const net = await networks.create({ name: 'lan', driver: 'macvlan', parent: 'wire', subnet: '192.168.7.0/24' })
  const [a, b] = [await container('a'), await container('b')]
  await net.connectMany([a.namespace, b.namespace])
  expect(await seen(a.name, 'eth0')).toEqual(['02:42:c0:a8:07:02', '192.168.7.2/24'])
  expect((await ipLink(a.name, 'eth0'))?.linkinfo).toMatchObject({ info_kind: 'macvlan', info_data: { mode: 'bridge' } })
  expect((await ping(a.name, '192.168.7.3')).received).toBe(1)
  await net.disconnect(a.namespace)
  expect(await linkNames(a.name)).toEqual([])
  // However its address is written, the interface is known again.
  const written = await net.connect(a.namespace, { mac: '02:AA:BB:CC:DD:EE' })
  expect([written.mac, (await seen(a.name, 'eth0'))[0]]).toEqual(['02:aa:bb:cc:dd:ee', '02:aa:bb:cc:dd:ee'])
  await written.disconnect()
  expect(await linkNames(a.name)).toEqual([])
  await net.delete({ force: true })
  expect(await linkNames(b.name)).toEqual([])
  await host.namespace.links.delete('wire')
})

test('what cannot be is refused with the field, and nothing is left behind', async () => {
  const [web, other] = [await container('web'), await container('other')]
  const net = await networks.create({ name: 'blue', subnet: '10.40.0.0/29', auxAddresses: { router: '10.40.0.6' } })
  await net.connect(web.namespace, { name: 'web' })
  const before = [await linkNames(host.name), await readdir(join(folder, 'networks')), await readdir(join(folder, 'names'))]
  const refused = async (call: Promise<unknown>) => {
    const error = (await call.then(
      () => ({ code: 'nothing was thrown' }),
      (error: unknown) => error,
    )) as { code: string; path?: string; message: string }
    return [error.code, error.path]
  }
  expect(await refused(networks.create({ name: 'blue' }))).toEqual(['EEXIST', 'name'])
  expect(await refused(networks.create({ name: 'x', subnet: '10.0.0.0/8' }))).toEqual(['ERR_NETLOOM_SUBNET_OVERLAP', 'subnet'])
  expect(await refused(networks.create({ name: 'x', subnet: 'fd00::/64' }))).toEqual(['ERR_NETLOOM_INVALID_OPTION', 'subnet'])
  expect(await refused(networks.create({ name: 'x', bridge: `br-${net.id.slice(0, 12)}` }))).toEqual(['EEXIST', 'bridge'])
  expect(await refused(networks.create({ name: 'x', bridge: 'lo' }))).toEqual(['EEXIST', undefined])
  expect(await refused(networks.create({ name: 'x', driver: 'host' }))).toEqual(['ERR_NETLOOM_INVALID_OPTION', 'driver'])
  expect(await refused(networks.create({ name: 'x', driver: 'macvlan', parent: 'nope' }))).toEqual(['ENODEV', 'parent'])
  expect(await refused(net.connect(web.namespace))).toEqual(['EEXIST', 'source'])
  expect(await refused(net.connect(other.namespace, { name: 'web' }))).toEqual(['EEXIST', 'name'])
  expect(await refused(net.connect(other.namespace, { interface: 'lo' }))).toEqual(['EEXIST', 'interface'])
  expect(await refused(net.connect(other.namespace, { ip: '10.40.0.2' }))).toEqual(['EADDRINUSE', 'ip'])
  expect(await refused(net.connect(other.namespace, { ip: '10.40.0.6' }))).toEqual(['ERR_NETLOOM_ADDRESS_RESERVED', 'ip'])
  expect(await refused(net.connect(other.namespace, { ip: '10.41.0.6' }))).toEqual(['ERR_NETLOOM_OUTSIDE_SUBNET', 'ip'])
  expect(await refused(net.connect(other.namespace, { ip6: 'fd00::2' }))).toEqual(['ERR_NETLOOM_OUTSIDE_SUBNET', 'ip6'])
  expect(await refused(net.connect(other.namespace, { mac: '01:00:00:00:00:01' }))).toEqual(['ERR_NETLOOM_INVALID_MAC', 'mac'])
  expect(await refused(net.connect({ pid: 2 ** 22 + 1 }))).toEqual(['ESRCH', undefined])
  expect(await refused(net.connectMany([other.namespace, web.namespace]))).toEqual(['EEXIST', 'sources[1]'])
  expect(await refused(net.disconnect(other.namespace))).toEqual(['ENOENT', 'sources[0]'])
  expect(await refused(net.delete())).toEqual(['EBUSY', undefined])
  expect(await refused(networks.get('nope'))).toEqual(['ENOENT', undefined])
  expect(await linkNames(other.name)).toEqual([])
  expect([await linkNames(host.name), await readdir(join(folder, 'networks')), await readdir(join(folder, 'names'))]).toEqual(before)
  expect(await readdir(join(folder, 'pending'))).toEqual([])
})

test('what a namespace had is free once it is gone', async () => {
  const net = await networks.create({ name: 'small', subnet: '10.40.0.0/30' })
  const web = await container('web')
  await net.connect(web.namespace, { name: 'web' })
  await web.namespace.delete()
  while ((await host.namespace.links.list({ kind: 'veth' })).length) await new Promise(resolve => setTimeout(resolve, 5))
  const next = await container('next')
  // The only address and the name, without gc().
  expect((await net.connect(next.namespace, { name: 'web' })).addresses).toEqual(['10.40.0.2/30'])
  await next.namespace.delete()
  while ((await host.namespace.links.list({ kind: 'veth' })).length) await new Promise(resolve => setTimeout(resolve, 5))
  expect(await networks.gc()).toEqual({ removed: ['web'] })
  expect(await networks.gc()).toEqual({ removed: [] })
})

test('ownership: what create and connect gave is undone, what was looked up stays', async () => {
  const web = await container('web')
  {
    await using net = await networks.create({ name: 'blue' })
    {
      await using endpoint = await net.connect(web.namespace)
      expect(endpoint.interface).toBe('eth0')
      await using same = (await networks.endpoints(web.namespace))[0]!
      expect(same.id).toBe(endpoint.id)
    }
    expect(await linkNames(web.name)).toEqual([])
    await using again = await networks.get('blue')
    expect(again.id).toBe(net.id)
  }
  expect(await networks.find('blue')).toBeUndefined()
  expect(await linkNames(host.name)).toEqual([])
})

test('a configuration, a network from it, and one that comes back after its bridge is gone', async () => {
  await networks.create({ name: 'config', configOnly: true, subnet: '10.60.0.0/24', mtu: 1400 })
  const net = await networks.create({ name: 'real', configFrom: 'config' })
  expect((await net.inspect()).ConfigFrom).toEqual({ Network: 'config' })
  const bridge = `br-${net.id.slice(0, 12)}`
  expect((await ipLink(host.name, bridge))?.mtu).toBe(1400)
  await expect((await networks.get('config')).connect({ name: host.name })).rejects.toMatchObject({ path: 'configOnly' })
  await host.namespace.links.delete(bridge)
  const web = await container('web')
  await net.connect(web.namespace)
  expect(await seen(host.name, bridge)).toEqual(['02:42:0a:3c:00:01', '10.60.0.1/24'])
})

test('what the kernel refuses of the short way is done step by step: an MTU at which links have no IPv6 switch', async () => {
  const [web, other] = [await container('tiny'), await container('normal')]
  const net = await networks.create({ name: 'narrow', subnet: '10.61.0.0/24', icc: false })
  const ends: unknown[] = []
  for (const [{ name }, options] of [
    [web, { mtu: 1000 }],
    [other, {}],
  ] as const) {
    const { hostInterface = '', id } = await net.connect({ name }, options)
    const port = await ipLink(host.name, hostInterface)
    expect(port).toMatchObject({ ifalias: `netloom ${id}`, master: `br-${net.id.slice(0, 12)}`, num_tx_queues: 1, group: 'default' })
    ends.push([port?.mtu, (await ipLink(name, 'eth0'))?.mtu, (await seen(name, 'eth0')).slice(1), await routes(name)])
    expect((await ping(name, '10.61.0.1')).received).toBe(1)
  }
  const routed = ['default via 10.61.0.1 dev eth0', '10.61.0.0/24 dev eth0']
  expect(ends).toEqual([
    [1000, 1000, ['10.61.0.2/24'], routed],
    [1500, 1500, ['10.61.0.3/24'], routed],
  ])
  expect((await linkNames(host.name)).filter(name => name.startsWith('veth'))).toHaveLength(2)
})
