// Networks with many namespaces: every one reaches its gateway, all are connected or none, and neighbours are told.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Namespace, Networks } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { linkNames, useOpenHost } from '../helpers/links.js'
import { patience } from '../helpers/patience.js'
import { ip, ping, tcpdump } from '../helpers/readers.js'

const host = useOpenHost()

let folder = ''
let networks: Networks
beforeEach(context => needs(context, 'tool:ip', 'tool:ping', 'nftables', 'bridge', 'veth'))
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'netloom-networks-'))
  networks = await Networks.open({ stateDir: folder, host: host.namespace })
})
afterEach(async () => {
  for (const network of await networks.list({ type: 'custom' })) await network.delete({ force: true })
  await networks.close()
  await rm(folder, { recursive: true })
})
/** The kernel removes the devices of a namespace some time after its name is gone. */
const noCables = () =>
  expect
    .poll(() => linkNames(host.name).then(names => names.filter(name => name.startsWith('veth'))), { timeout: patience(10_000) })
    .toEqual([])

test('250 namespaces, each of which reaches its gateway', async () => {
  const names = Array.from({ length: 250 }, (_, i) => host.named(`n${i}`))
  await using made = await Namespace.createMany(names)
  expect(made.done).toBe(250)
  const net = await networks.create({ name: 'wide', subnet: '10.64.0.0/16', ipv6: true })
  const steps: number[] = []
  const endpoints = await net.connectMany(
    names.map(name => ({ namespace: { name }, name })),
    { onProgress: ({ done }) => void steps.push(done) },
  )
  expect(steps.at(-1)).toBe(250)
  expect(new Set(endpoints.flatMap(({ addresses }) => addresses)).size).toBe(500)
  expect(endpoints.map(({ addresses }) => addresses[0])).toEqual(names.map((_, i) => `10.64.${(i + 2) >> 8}.${(i + 2) & 255}/16`))
  const ports = await ip<{ ifname: string; master?: string }>(host.name, 'link', 'show', 'master', `br-${net.id.slice(0, 12)}`)
  expect(ports.map(({ ifname }) => ifname).sort()).toEqual(endpoints.map(({ hostInterface }) => hostInterface ?? '').sort())
  const answers = { ipv4: 0, ipv6: 0 }
  const gateway6 = (await net.inspect()).IPAM.Config[1]?.Gateway ?? ''
  for (const name of names) {
    const inside = await Namespace.open({ name })
    const [one, other] = await Promise.all([inside.ping('10.64.0.1', { count: 1 }), inside.ping(gateway6, { count: 1 })])
    answers.ipv4 += one.received
    answers.ipv6 += other.received
    await inside.close()
  }
  expect(answers).toEqual({ ipv4: 250, ipv6: 250 })
  expect((await ping(names[249], '10.64.0.2')).received).toBe(1)
  expect(Object.keys((await net.inspect()).Containers)).toHaveLength(250)
  await net.disconnectMany(names.map(name => ({ name })))
  expect(await linkNames(names[0])).toEqual([])
  expect((await net.endpoints()).length).toBe(0)
  await noCables()
})

test('the 1,024th endpoint of a bridge is refused before anything is made', { timeout: patience(300_000) }, async () => {
  const most = 1_023
  const names = Array.from({ length: most + 1 }, (_, i) => host.named(`f${i}`))
  await using _made = await Namespace.createMany(names)
  const net = await networks.create({ name: 'full', subnet: '10.68.0.0/16' })
  const refused = { code: 'EXFULL', subject: 'full', message: expect.stringContaining('takes 1023 endpoints: it has') }
  const files = async () => (await readdir(folder, { recursive: true })).filter(file => !file.includes('/last/')).sort()
  const before = await files()
  await expect(net.connectMany(names.map(name => ({ name })))).rejects.toMatchObject(refused)
  expect(await files()).toEqual(before)
  await noCables()

  await net.connectMany(names.slice(1).map(name => ({ name })))
  const full = [await files(), await linkNames(host.name)]
  expect(full[1]?.filter(name => name.startsWith('veth'))).toHaveLength(most)
  await expect(net.connect({ name: names[0]! })).rejects.toMatchObject(refused)
  expect([await files(), await linkNames(host.name), await linkNames(names[0])]).toEqual([...full, []])

  // What somebody else plugs in only the kernel counts.
  await net.disconnect({ name: names[1]! })
  const bridge = `br-${net.id.slice(0, 12)}`
  await host.namespace.links.create({ kind: 'veth', name: 'theirs', master: bridge, peer: { name: 'theirs-end' } })
  const [plugged, links] = [await files(), await linkNames(host.name)]
  await expect(net.connect({ name: names[0]! })).rejects.toMatchObject({ code: 'EXFULL', message: expect.stringContaining('1,023 ports') })
  expect([await files(), await linkNames(host.name), await linkNames(names[0])]).toEqual([plugged, links, []])
  await host.namespace.links.delete('theirs')
  // One whose namespace is gone makes room.
  await net.connect({ name: names[0]! })
  await (await Namespace.open({ name: names[2]! })).delete()
  await expect.poll(() => linkNames(host.name).then(({ length }) => length), { timeout: patience(10_000) }).toBe(links.length - 2)
  expect((await net.connect({ name: names[1]! })).addresses).toHaveLength(1)
  // The network is removed while its namespaces are going.
})

test('many are all or none', async () => {
  const names = Array.from({ length: 20 }, (_, i) => host.named(`a${i}`))
  await using _made = await Namespace.createMany(names)
  const net = await networks.create({ name: 'narrow', subnet: '10.65.0.0/28' })
  await expect(net.connectMany(names.map(name => ({ name })))).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
  const controller = new AbortController()
  const stopped = net.connectMany(
    names.slice(0, 10).map(name => ({ name })),
    { signal: controller.signal },
  )
  controller.abort('enough')
  await expect(stopped).rejects.toMatchObject({ name: 'AbortError' })
  expect(await net.endpoints()).toEqual([])
  expect(await readdir(join(folder, 'networks', net.id, 'addresses'))).toEqual([])
  await noCables()
})

test('what is told to the neighbours once the port forwards', async context => {
  await needs(context, 'capture')
  const [listener, speaker] = [host.named('hears'), host.named('speaks')]
  await using _made = await Namespace.createMany([listener, speaker])
  const net = await networks.create({ name: 'loud', subnet: '10.66.0.0/24', ipv6: true })
  await net.connect({ name: listener })
  await using dump = await tcpdump(listener, 'eth0', 'arp or icmp6')
  const { addresses } = await net.connect({ name: speaker }, { mac: '02:00:00:00:00:77' })
  const heard: string[] = []
  const [ipv4 = '', ipv6 = ''] = addresses.map(address => address.split('/')[0])
  const wanted = [
    `02:00:00:00:00:77 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: Request who-has ${ipv4} tell ${ipv4}`,
    `neighbor advertisement, tgt is ${ipv6}`,
  ]
  while (!wanted.every(text => heard.some(line => line.includes(text)))) {
    const { value, done } = await dump.lines.next()
    if (done) break
    heard.push(value)
  }
  for (const text of wanted) expect(heard.join('\n')).toContain(text)
})

test('among many endpoints only what is new is told: an IPv4 address whose MAC address follows from it is not, and the others are', async context => {
  await needs(context, 'capture')
  const [listener, ...rest] = Array.from({ length: 66 }, (_, i) => host.named(`m${i}`))
  const [plain, chosen] = [host.named('plain'), host.named('chosen')]
  await using _made = await Namespace.createMany([listener!, ...rest, plain, chosen])
  const net = await networks.create({ name: 'crowd', subnet: '10.67.0.0/24', ipv6: true })
  await net.connectMany([listener!, ...rest].map(name => ({ name })))
  await using dump = await tcpdump(listener!, 'eth0', 'arp or (icmp6 and ip6[40] == 136)')
  const addresses: string[] = []
  const connect = async (name: string, options: object) => {
    const endpoint = await net.connect({ name }, options)
    addresses.push(...endpoint.addresses.map(address => address.split('/')[0]!))
  }
  await connect(plain, {})
  await connect(chosen, { mac: '02:00:00:00:00:78' })
  const heard: string[] = []
  const [ipv4OfPlain, ipv6OfPlain, ipv4OfChosen, ipv6OfChosen] = addresses
  const wanted = [`tgt is ${ipv6OfPlain}`, `tell ${ipv4OfChosen}`, `tgt is ${ipv6OfChosen}`]
  while (!wanted.every(text => heard.some(line => line.includes(text)))) {
    const { value, done } = await dump.lines.next()
    if (done) break
    heard.push(value)
  }
  for (const text of wanted) expect(heard.join('\n')).toContain(text)
  expect(heard.join('\n')).not.toContain(`tell ${ipv4OfPlain},`)
})
