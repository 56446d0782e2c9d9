// What cannot be is refused with the field and in clear words, before or after something was made: nothing is left behind.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Namespace, type Network, Networks } from '../../lib/index.js'
import { missing, needs } from '../helpers/features.js'
import { linkNames, useOpenHost } from '../helpers/links.js'
import { type Answering, answer } from '../helpers/reach.js'
import { run } from '../helpers/readers.js'
import { namespaceState } from '../helpers/state.js'

const host = useOpenHost()
let folder = ''
let networks: Networks
let blue: Network
let tiny: Network
let [web, other, lonely]: [Namespace?, Namespace?, Namespace?] = []
let program: Answering | undefined
beforeEach(context => needs(context, 'tool:ip', 'tool:nft', 'nftables'))
beforeAll(async () => {
  if ((await missing('tool:ip')) !== undefined || (await missing('nftables')) !== undefined) return
  folder = await mkdtemp(join(tmpdir(), 'netloom-refused-'))
  networks = await Networks.open({ stateDir: folder, host: host.namespace })
  web = await Namespace.create(host.named('web'), { loopback: true })
  other = await Namespace.create(host.named('other'), { loopback: true })
  blue = await networks.create({ name: 'blue', subnet: '10.150.0.0/24', gateway: '10.150.0.1', auxAddresses: { router: '10.150.0.9' } })
  tiny = await networks.create({ name: 'tiny', subnet: '10.151.0.0/30' })
  await networks.create({ name: 'config', configOnly: true })
  await networks.create({ name: 'configured', configFrom: 'config' })
  lonely = await Namespace.create(host.named('lonely'), { loopback: true })
  await (await networks.get('none')).connect(lonely)
  await blue.connect(web, { name: 'web', publish: [{ hostPort: 8080, containerPort: 80 }] })
  await tiny.connect(web)
  program = await answer(host.namespace, 9090)
})
afterAll(async () => {
  if (!web) return
  await program?.[Symbol.asyncDispose]()
  for (const network of await networks.list({ type: 'custom' })) await network.delete({ force: true })
  await web.delete()
  await other?.delete()
  await lonely?.delete()
  await networks.close()
  await rm(folder, { recursive: true })
  expect(await linkNames(host.name)).toEqual([])
})

/** Everything that could have been touched. */
async function everything() {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(one => !one.parentPath.endsWith('/last'))
  const text = async (one: (typeof files)[number]) => (one.isFile() ? await readFile(join(one.parentPath, one.name), 'utf8') : '')
  return {
    files: (await Promise.all(files.map(async one => `${join(one.parentPath, one.name)} ${await text(one)}`))).sort(),
    ruleset: await run(host.name, 'nft', 'list', 'ruleset'),
    kernel: await Promise.all([host.name, host.named('web'), host.named('other')].map(namespaceState)),
  }
}
const create = (options: object) => () => networks.create({ name: 'x', ...options } as never)
const connect = (options: object) => () => blue.connect(other!, options as never)

/** The call, the error's code, its path, and what its message says. */
const rows: readonly (readonly [what: string, call: () => Promise<unknown>, code: string, path: string | undefined, says: RegExp])[] = [
  [
    'a subnet within that of another network',
    create({ subnet: '10.150.0.128/25' }),
    'ERR_NETLOOM_SUBNET_OVERLAP',
    'subnet',
    /10\.150\.0\.128\/25 overlaps 10\.150\.0\.0\/24 of network blue/,
  ],
  [
    'a subnet around that of another network',
    create({ subnet: '10.0.0.0/8' }),
    'ERR_NETLOOM_SUBNET_OVERLAP',
    'subnet',
    /overlaps .* of network/,
  ],
  [
    'two subnets that overlap',
    create({ subnets: [{ subnet: '10.160.0.0/24' }, { subnet: '10.160.0.0/25' }] }),
    'ERR_NETLOOM_SUBNET_OVERLAP',
    'subnets[1].subnet',
    /of the same network/,
  ],
  [
    'a subnet without room for a gateway',
    create({ subnet: '10.160.0.0/31', auxAddresses: { a: '10.160.0.0', b: '10.160.0.1' } }),
    'ERR_NETLOOM_SUBNET_TOO_SMALL',
    'subnet',
    /no address left for the gateway/,
  ],
  ['a subnet that is full', () => tiny.connect(other!), 'EADDRNOTAVAIL', undefined, /no address of 10\.151\.0\.0\/30 is free/],
  [
    "a host's address as a subnet",
    create({ subnet: '10.160.0.1/24' }),
    'ERR_NETLOOM_INVALID_SUBNET',
    'subnet',
    /the subnet is 10\.160\.0\.0\/24/,
  ],
  ['a subnet without a length', create({ subnet: '10.160.0.0' }), 'ERR_NETLOOM_INVALID_SUBNET', 'subnet', /no prefix length/],
  [
    'a gateway outside the subnet',
    create({ subnet: '10.160.0.0/24', gateway: '10.161.0.1' }),
    'ERR_NETLOOM_OUTSIDE_SUBNET',
    'gateway',
    /not within the subnet 10\.160\.0\.0\/24/,
  ],
  [
    "a gateway with the subnet's own address",
    create({ subnet: '10.160.0.0/24', gateway: '10.160.0.0' }),
    'ERR_NETLOOM_ADDRESS_RESERVED',
    'gateway',
    /the address of the subnet itself/,
  ],
  [
    'a gateway that is reserved',
    create({ subnet: '10.160.0.0/24', gateway: '10.160.0.5', auxAddresses: { a: '10.160.0.5' } }),
    'ERR_NETLOOM_ADDRESS_RESERVED',
    'auxAddresses.a',
    /is the gateway/,
  ],
  [
    'a range outside the subnet',
    create({ subnet: '10.160.0.0/24', ipRange: '10.161.0.0/28' }),
    'ERR_NETLOOM_OUTSIDE_SUBNET',
    'ipRange',
    /not within the subnet/,
  ],
  ['a name that is taken', create({ name: 'blue' }), 'EEXIST', 'name', /a network of that name/],
  ['a predefined name', create({ name: 'host' }), 'EEXIST', 'name', /a network of that name/],
  ['a name with a slash', create({ name: '../x' }), 'ERR_NETLOOM_INVALID_NAME', 'name', /name/],
  ['an unknown driver', create({ driver: 'weave' }), 'ERR_NETLOOM_UNKNOWN_NAME', 'driver', /one of bridge/],
  ['a driver for clusters', create({ driver: 'overlay' }), 'ERR_NETLOOM_UNSUPPORTED_OPTION', 'driver', /need a cluster/],
  ['an unknown option', create({ subnetz: '10.0.0.0/8' }), 'ERR_NETLOOM_UNKNOWN_OPTION', 'subnetz', /subnet/],
  [
    "an unknown option of the driver's",
    create({ options: { 'com.docker.network.nope': '1' } }),
    'ERR_NETLOOM_UNKNOWN_OPTION',
    'options.com.docker.network.nope',
    /option/,
  ],
  ['a bridge that is there', create({ bridge: 'lo' }), 'EEXIST', undefined, /another link of that name/],
  ['a configuration that is not there', create({ configFrom: 'nope' }), 'ENOENT', 'configFrom', /there is no network nope/],
  ['an address outside', connect({ ip: '10.152.0.6' }), 'ERR_NETLOOM_OUTSIDE_SUBNET', 'ip', /the network has 10\.150\.0\.0\/24/],
  ['an address of a family that the network lacks', connect({ ip6: 'fd00::6' }), 'ERR_NETLOOM_OUTSIDE_SUBNET', 'ip6', /no IPv6 subnet/],
  ['an address that is taken', connect({ ip: '10.150.0.2' }), 'EADDRINUSE', 'ip', /10\.150\.0\.2 is that of endpoint web/],
  ["the gateway's address", connect({ ip: '10.150.0.1' }), 'ERR_NETLOOM_ADDRESS_RESERVED', 'ip', /is the gateway/],
  ['a reserved address', connect({ ip: '10.150.0.9' }), 'ERR_NETLOOM_ADDRESS_RESERVED', 'ip', /reserved for router/],
  ["the subnet's broadcast address", connect({ ip: '10.150.0.255' }), 'ERR_NETLOOM_ADDRESS_RESERVED', 'ip', /broadcast/],
  ['what is no address', connect({ ip: '10.150.0.256' }), 'ERR_NETLOOM_INVALID_ADDRESS', 'ip', /not an IPv4 address/],
  ["an endpoint's name that is taken", connect({ name: 'web' }), 'EEXIST', 'name', /has an endpoint web/],
  ['an interface that is there', connect({ interface: 'lo' }), 'EEXIST', 'interface', /has a link lo/],
  [
    'a port that an endpoint has',
    connect({ publish: [{ hostPort: 8080, containerPort: 81 }] }),
    'EADDRINUSE',
    'publish[0].hostPort',
    /an endpoint has the port/,
  ],
  [
    'a port that a program has',
    connect({ publish: [{ hostPort: 9090, containerPort: 81 }] }),
    'EADDRINUSE',
    'publish[0].hostPort',
    /a program of the host has the port/,
  ],
  [
    'a port twice',
    connect({ publish: [1, 2].map(containerPort => ({ hostPort: 7777, containerPort })) }),
    'EADDRINUSE',
    'publish[1].hostPort',
    /another of these endpoints/,
  ],
  [
    'a port out of range',
    connect({ publish: [{ hostPort: 65_536, containerPort: 81 }] }),
    'ERR_NETLOOM_OUT_OF_RANGE',
    'publish[0].hostPort',
    /1 to 65535/,
  ],
  [
    'a port of two protocols',
    connect({ publish: [{ hostPort: '53/tcp', containerPort: '53/udp' }] }),
    'ERR_NETLOOM_INVALID_OPTION',
    'publish[0].hostPort',
    /says udp/,
  ],
  ['an unknown option of connect', connect({ ipv4: '10.150.0.3' }), 'ERR_NETLOOM_UNKNOWN_OPTION', 'ipv4', /ip/],
  [
    "an unknown one of Docker's options of an endpoint",
    connect({ options: { 'com.docker.network.endpoint.nope': '1' } }),
    'ERR_NETLOOM_UNKNOWN_OPTION',
    'options.com.docker.network.endpoint.nope',
    /com\.docker\.network\.endpoint\.ifname/,
  ],
  [
    'an interface that cannot be called so',
    connect({ options: { 'com.docker.network.endpoint.ifname': 'a/b' } }),
    'ERR_NETLOOM_INVALID_NAME',
    'options.com.docker.network.endpoint.ifname',
    /a\/b/,
  ],
  [
    'an interface by both its names',
    connect({ interface: 'eth5', options: { 'com.docker.network.endpoint.ifname': 'eth6' } }),
    'ERR_NETLOOM_INVALID_OPTION',
    'options.com.docker.network.endpoint.ifname',
    /interface is given too/,
  ],
  [
    'settings that are none',
    connect({ options: { 'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.arp_ignore' } }),
    'ERR_NETLOOM_INVALID_STRING',
    'options.com.docker.network.endpoint.sysctls',
    /no list of settings/,
  ],
  [
    'a setting that is not there',
    connect({ sysctls: { 'net.ipv4.conf.IFNAME.nope': 1 } }),
    'ENOENT',
    'sysctls.net.ipv4.conf.IFNAME.nope',
    /nope/,
  ],
  ['a namespace that is on the network', () => blue.connect(web!), 'EEXIST', 'source', /on the network already/],
  ['a pid that nobody has', () => blue.connect({ pid: 2 ** 22 + 1 }), 'ESRCH', undefined, /no such process/i],
  ['a name that nothing has', () => blue.connect({ name: host.named('nobody') }), 'ENOENT', undefined, /nobody/],
  ['many, of which one cannot be', () => blue.connectMany([other!, web!]), 'EEXIST', 'sources[1]', /on the network already/],
  ['the subnet of the loopback', create({ subnet: '127.5.0.0/16' }), 'ERR_NETLOOM_INVALID_SUBNET', 'subnet', /for the loopback/],
  [
    'a subnet of groups',
    create({ subnets: [{ subnet: '224.0.1.0/24' }] }),
    'ERR_NETLOOM_INVALID_SUBNET',
    'subnets[0].subnet',
    /for groups/,
  ],
  ['the subnet of every link', create({ subnet: 'fe80::/64', ipv6: true }), 'ERR_NETLOOM_INVALID_SUBNET', 'subnet', /for the link/],
  ['an MTU that IPv6 does not take', create({ ipv6: true, mtu: 1000 }), 'ERR_NETLOOM_OUT_OF_RANGE', 'mtu', /too small for IPv6/],
  ['a bridge with a name of the settings', create({ bridge: 'all' }), 'ERR_NETLOOM_INVALID_NAME', 'bridge', /for all interfaces/],
  ['interfaces that are numbers', create({ interfacePrefix: '' }), 'ERR_NETLOOM_INVALID_NAME', 'interfacePrefix', /numbers alone/],
  [
    'a configuration that is internal',
    create({ configOnly: true, internal: true }),
    'ERR_NETLOOM_INVALID_OPTION',
    'internal',
    /configuration/,
  ],
  ['a configuration that is used', async () => (await networks.get('config')).delete(), 'EBUSY', undefined, /configuration of configured/],
  ['the host namespace on a bridge', () => blue.connect(host.namespace), 'ERR_NETLOOM_INVALID_NAMESPACE', 'source', /host namespace/],
  ['a namespace that is to be alone', () => blue.connect(lonely!), 'ERR_NETLOOM_INVALID_NAMESPACE', 'source', /on the network none/],
  [
    'an interface where there is none',
    async () => (await networks.get('host')).connect(host.namespace, { ip: '10.150.0.7' }),
    'ERR_NETLOOM_INVALID_OPTION',
    'ip',
    /no interface/,
  ],
  ['a name of an endpoint', connect({ name: 'a b' }), 'ERR_NETLOOM_INVALID_NAME', 'name', /cannot name an endpoint/],
  ['a MAC address of zeros', connect({ mac: '00:00:00:00:00:00' }), 'ERR_NETLOOM_INVALID_MAC', 'mac', /zeros/],
  [
    'an interface with a name of the settings',
    connect({ interface: 'all' }),
    'ERR_NETLOOM_INVALID_NAME',
    'interface',
    /for all interfaces/,
  ],
  ['no list of namespaces', () => blue.connectMany('ab' as never), 'ERR_NETLOOM_INVALID_OPTION', 'sources', /array/],
  ['no list to take off', () => blue.disconnectMany(undefined as never), 'ERR_NETLOOM_INVALID_OPTION', 'sources', /array/],
  ['no signal', () => blue.connectMany([other!], { signal: 5 } as never), 'ERR_NETLOOM_INVALID_OPTION', 'signal', /AbortSignal/],
  ['no callback', () => blue.connectMany([other!], { onProgress: 5 } as never), 'ERR_NETLOOM_INVALID_OPTION', 'onProgress', /function/],
  ['what delete() does not know', () => blue.delete({ forced: true } as never), 'ERR_NETLOOM_UNKNOWN_OPTION', 'forced', /force/],
  ['what prune() does not know', () => networks.prune({ name: 'x' } as never), 'ERR_NETLOOM_UNKNOWN_OPTION', 'name', /label, until/],
  ['what is no moment', () => networks.prune({ until: '24h' } as never), 'ERR_NETLOOM_INVALID_OPTION', 'until', /not a Date/],
  ['what adopt() does not know', () => networks.adopt({ socket: '/x' } as never), 'ERR_NETLOOM_UNKNOWN_OPTION', 'socket', /dockerSocket/],
  [
    'another source of a packet',
    () => networks.packetWalk(web!, other!, { source: '::' } as never),
    'ERR_NETLOOM_UNKNOWN_OPTION',
    'options.source',
    /family/,
  ],
  ['a predefined network', async () => (await networks.get('host')).delete(), 'EPERM', undefined, /predefined \(bridge, host and none/],
  ['taking off what is not on it', () => blue.disconnect(other!), 'ENOENT', 'sources[0]', /not on the network/],
  ['removing a network that is in use', () => blue.delete(), 'EBUSY', undefined, /endpoints are on it \(web/],
]

test.each(rows)('%s', async (_, call, code, path, says) => {
  const before = await everything()
  const error = await call().then(
    () => ({ code: 'nothing was thrown' }),
    (thrown: unknown) => thrown as { code: string; path?: string; message?: string },
  )
  expect(error).toMatchObject({ code, ...(path !== undefined && { path }), message: expect.stringMatching(says) })
  expect(await everything()).toEqual(before)
})

test('an MTU above that of the interface below', async context => {
  await needs(context, 'macvlan')
  const quiet = { up: true, ipv6: 'none' } as const
  await host.namespace.links.create({ kind: 'veth', name: 'wire', mtu: 1400, ...quiet, peer: { name: 'wire-end', ...quiet } })
  const lan = await networks.create({ name: 'lan', driver: 'macvlan', parent: 'wire', subnet: '10.152.0.0/24' })
  const before = await everything()
  const refused = { code: 'EINVAL', path: 'mtu', reason: 'wire below has 1400' }
  await expect(lan.connect(other!, { mtu: 1500 })).rejects.toMatchObject(refused)
  await expect(lan.connectMany([{ namespace: other!, mtu: 1500 }])).rejects.toMatchObject({ ...refused, path: 'sources[0].mtu' })
  expect(await everything()).toEqual(before)
  await lan.delete()
  await host.namespace.links.delete('wire')
})

test('a process that has just ended', async () => {
  const before = await everything()
  const pid = Number((await run(undefined, 'sh', '-c', 'echo $$')).trim())
  await expect(blue.connect({ pid })).rejects.toMatchObject({ code: 'ESRCH' })
  expect(await everything()).toEqual(before)
})

test('a folder for the state that cannot be', async () => {
  await writeFile(join(folder, 'file'), '')
  const opening = (stateDir: string) => Networks.open({ stateDir, host: host.namespace })
  for (const [stateDir, code] of [
    [join(folder, 'file'), 'ENOTDIR'],
    [join(folder, 'file', 'beneath'), 'ENOTDIR'],
    ['/proc/there-is-none', 'ENOENT'],
    ['/proc/there-is/none', 'ENOENT'],
    [join(folder, 'x'.repeat(256)), 'ENAMETOOLONG'],
  ] as const)
    await expect(opening(stateDir), stateDir).rejects.toMatchObject({ name: 'NetloomError', code, path: 'stateDir' })
  await rm(join(folder, 'file'))
  const deep = await opening(join(folder, 'deep', 'er', 'still'))
  await deep.close()
  await rm(join(folder, 'deep'), { recursive: true })
})
