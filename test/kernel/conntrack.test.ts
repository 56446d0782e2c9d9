// Connections that the kernel remembers: what conntrack and /proc/net/nf_conntrack say, chosen, changed, forgotten.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type ConntrackEntry, type ConntrackFilter, type ConntrackTuple, Namespace } from '../../lib/index.js'
import { prepare } from '../../lib/kernel/conntrack-filter.js'
import { toConntrack } from '../../lib/kernel/conntrack-object.js'
import { conntrack, conntrackMessages, openConnection } from '../../lib/netlink.js'
import { isKernel, needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { attempt, ping, run } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'

const host = useHost()
let here: Namespace
const tool = (...args: string[]) => run(host.name, 'conntrack', ...args)

beforeEach(context => needs(context, 'tool:conntrack', 'conntrack', 'tool:nft', 'nftables'))
beforeAll(async () => {
  here = await Namespace.open({ name: host.name })
})
afterEach(async () => {
  await attempt(host.name, 'conntrack', ['-F'])
})
afterAll(async () => {
  await here?.close()
})

/** What a line of conntrack or of /proc/net/nf_conntrack says of both directions. */
function parsed(line: string) {
  const all = (key: string) => [...line.matchAll(new RegExp(`\\b${key}=(\\S+)`, 'g'))].map(([, value = '']) => value)
  const direction = (i: number) => ({
    source: all('src')[i],
    destination: all('dst')[i],
    ports: [all('sport')[i], all('dport')[i], all('type')[i], all('code')[i], all('id')[i]],
  })
  return {
    protocol: /(?:^| )(tcp|udp|sctp|icmp|icmpv6|gre|esp|unknown) +\d+/.exec(line)?.[1],
    original: direction(0),
    reply: direction(1),
    mark: Number(all('mark')[0]),
    zone: Number(all('zone')[0] ?? 0),
    unreplied: line.includes('[UNREPLIED]'),
    assured: line.includes('[ASSURED]'),
  }
}
type Direction = ConntrackEntry['original']
const text = (value: number | undefined) => value?.toString()
const seen = (one: ConntrackEntry) => {
  const direction = ({ source, destination, ...rest }: Direction) => ({
    source,
    destination,
    ports: [rest.sourcePort, rest.destinationPort, rest.icmpType, rest.icmpCode, rest.icmpId].map(text),
  })
  return {
    protocol: one.protocol,
    original: direction(one.original),
    reply: direction(one.reply),
    mark: one.mark,
    zone: one.zone,
    unreplied: !one.status.includes('seenReply'),
    assured: one.status.includes('assured'),
  }
}
const sorted = <T>(values: readonly T[]) => values.map(value => JSON.stringify(value)).sort()

const udp: ConntrackTuple = { protocol: 'udp', source: '10.0.0.1', destination: '10.0.0.2', sourcePort: 5000, destinationPort: 53 }

test('what packets left behind is listed as the tools list it', async () => {
  await run(
    host.name,
    'nft',
    'add table inet t; add chain inet t c { type filter hook output priority 0; }; add rule inet t c ct state new counter',
  )
  try {
    await here.sysctl.set('net.netfilter.nf_conntrack_acct', 1)
    await here.sysctl.set('net.netfilter.nf_conntrack_timestamp', 1)
    for (const address of ['127.0.0.1', '::1']) {
      expect(await ping(host.name, address)).toMatchObject({ received: 1 })
      const code = `import socket
s=socket.socket(socket.AF_INET6 if ':' in '${address}' else socket.AF_INET,socket.SOCK_STREAM);s.bind(('${address}',7001));s.listen()
c=socket.create_connection(('${address}',7001));c.send(b'x');c.close()
u=socket.socket(s.family,socket.SOCK_DGRAM);u.bind(('${address}',7002));v=socket.socket(s.family,socket.SOCK_DGRAM);v.sendto(b'y',('${address}',7002))
`
      await run(host.name, 'python3', '-c', code)
    }
    const list = await here.conntrack.list()
    const lines = (await tool('-L')).split('\n').filter(line => line.includes('src=127'))
    const six = (await tool('-L', '-f', 'ipv6')).split('\n').filter(line => line.includes('src=::1'))
    expect(list.length).toBeGreaterThanOrEqual(6)
    expect(sorted(list.map(seen))).toEqual(sorted([...lines, ...six].map(parsed)))
    // The file writes IPv6 addresses in full.
    const file = (await run(host.name, 'cat', '/proc/net/nf_conntrack')).split('\n').filter(line => line.startsWith('ipv4'))
    const four = list.filter(({ family }) => family === 4)
    expect(sorted(four.map(seen))).toEqual(sorted(file.map(parsed)))
    const datagram = list.find(({ protocol, family }) => protocol === 'udp' && family === 4)
    expect(datagram?.original).toMatchObject({ packets: 1, bytes: 29, destinationPort: 7002 })
    expect(datagram?.reply).toMatchObject({ packets: 0 })
    expect(Math.abs(datagram!.started! - Date.now() / 1000)).toBeLessThan(60)
    expect(list.find(({ protocol }) => protocol === 'tcp')).toMatchObject({ state: expect.any(String), timeout: expect.any(Number) })
    expect(list.find(({ protocol }) => protocol === 'icmpv6')?.original).toMatchObject({ icmpType: 128, icmpCode: 0 })
    const iterated: ConntrackEntry[] = []
    for await (const entry of here.conntrack.iterate()) iterated.push(entry)
    expect(sorted(iterated.map(seen))).toEqual(sorted(list.map(seen)))
  } finally {
    await run(host.name, 'nft', 'delete table inet t')
  }
})

test('made, found from both sides, changed and forgotten', async () => {
  await here.conntrack.create({
    ...udp,
    timeout: 600,
    mark: 7,
    reply: { source: '10.0.0.9', destination: '10.0.0.1', sourcePort: 5353, destinationPort: 5000 },
  })
  expect(parsed(await tool('-L', '-p', 'udp'))).toMatchObject({
    protocol: 'udp',
    original: { source: '10.0.0.1' },
    reply: { source: '10.0.0.9' },
    mark: 7,
  })
  const entry = await here.conntrack.get(udp)
  const back = { protocol: 'udp', source: '10.0.0.9', destination: '10.0.0.1', sourcePort: 5353, destinationPort: 5000 }
  expect((await here.conntrack.get(back)).id).toBe(entry.id)
  expect(entry).toMatchObject({ family: 4, mark: 7, zone: 0, status: expect.arrayContaining(['confirmed']) })
  expect(await refusal(here.conntrack.create({ ...udp, timeout: 5 }))).toMatchObject({
    code: 'EEXIST',
    subject: 'udp 10.0.0.1:5000 → 10.0.0.2:53',
  })
  await here.conntrack.update(entry, { mark: 0x10, markMask: 0xf0, timeout: 90 })
  await here.conntrack.update(udp, { status: ['assured', 'seenReply'] })
  expect(parsed(await tool('-L', '-p', 'udp'))).toMatchObject({ mark: 0x17, assured: true, unreplied: false })
  expect((await here.conntrack.get(udp)).timeout).toBeLessThanOrEqual(90)
  await here.conntrack.delete(entry)
  expect(await tool('-L', '-p', 'udp')).toBe('')
  expect(await here.conntrack.find(udp)).toBeUndefined()
  expect(await refusal(here.conntrack.get(udp))).toMatchObject({ code: 'ENOENT', operation: 'get connection', namespace: host.name })
  expect(await refusal(here.conntrack.delete(udp))).toMatchObject({ code: 'ENOENT', operation: 'delete connection' })
  expect(await refusal(here.conntrack.update(udp, { mark: 1 }))).toMatchObject({ code: 'ENOENT' })
})

test('an entry that was read is deleted only if it is still that one', async () => {
  await here.conntrack.create({ ...udp, timeout: 600 })
  const entry = await here.conntrack.get(udp)
  await here.conntrack.delete(udp)
  await here.conntrack.create({ ...udp, timeout: 600 })
  expect(await refusal(here.conntrack.delete({ ...entry, id: (entry.id ^ 0xffff) >>> 0 }))).toMatchObject({ code: 'ENOENT' })
  expect(await here.conntrack.find(udp)).toBeDefined()
})

/** A table of connections of all sorts. */
async function fill(): Promise<ConntrackEntry[]> {
  for (let i = 0; i < 8; i++) {
    const source = `10.0.${i % 2}.${i}`
    await here.conntrack.create({ ...udp, source, sourcePort: 5000 + i, destinationPort: i % 3 ? 8080 : 53, timeout: 600, mark: i })
    await here.conntrack.create({
      ...udp,
      protocol: 'tcp',
      source,
      zone: i % 4,
      timeout: 600,
      mark: 0x100 + i,
      status: i % 2 ? ['assured'] : [],
    })
    await here.conntrack.create({ protocol: 'icmp', source, destination: '10.0.0.2', icmpType: 8, icmpCode: 0, icmpId: i, timeout: 600 })
    const six = { source: `fd00::${i + 1}`, destination: 'fd00::99' }
    const reply = { source: 'fd00::aa', destination: `fd00::${i + 1}`, sourcePort: 80, destinationPort: 9000 }
    await here.conntrack.create({ protocol: i % 2 ? 'udp' : 'tcp', ...six, sourcePort: 9000, destinationPort: 8080, reply, timeout: 600 })
  }
  return here.conntrack.list()
}
const inside = (start: string) => (address: string) => address.startsWith(start)
/** Filters, each with what it means, written down a second time. */
const filters: [string, ConntrackFilter, (one: ConntrackEntry) => boolean][] = [
  ['family', { family: 6 }, one => one.family === 6],
  ['protocol', { protocol: 'udp' }, one => one.protocol === 'udp'],
  ['protocol of one family', { protocol: 17, family: 4 }, one => one.protocol === 'udp' && one.family === 4],
  ['mark', { mark: 3 }, one => one.mark === 3],
  ['masked mark', { mark: 0x100, markMask: 0xf00 }, one => (one.mark & 0xf00) === 0x100],
  ['mark and family', { mark: 0, markMask: 1, family: 4 }, one => one.family === 4 && one.mark % 2 === 0],
  ['zone', { zone: 2 }, one => one.zone === 2],
  ['no zone', { zone: 0, protocol: 'tcp' }, one => one.zone === 0 && one.protocol === 'tcp'],
  ['status set', { status: { assured: true } }, one => one.status.includes('assured')],
  ['status unset', { status: { assured: false, confirmed: true } }, one => !one.status.includes('assured')],
  ['source', { originalSource: '10.0.1.1' }, one => one.original.source === '10.0.1.1'],
  ['IPv6 source', { originalSource: 'fd00::3' }, one => one.original.source === 'fd00::3'],
  ['prefix', { originalSource: '10.0.1.0/24' }, one => inside('10.0.1.')(one.original.source)],
  [
    'destination and port',
    { protocol: 'udp', originalDestination: '10.0.0.2', originalDestinationPort: 8080 },
    one => one.protocol === 'udp' && one.original.destination === '10.0.0.2' && one.original.destinationPort === 8080,
  ],
  [
    'port in both families',
    { protocol: 'udp', originalDestinationPort: 8080 },
    one => one.protocol === 'udp' && one.original.destinationPort === 8080,
  ],
  ['port of any protocol', { originalDestinationPort: 8080 }, one => one.original.destinationPort === 8080],
  ['source port', { protocol: 'udp', originalSourcePort: 5003 }, one => one.protocol === 'udp' && one.original.sourcePort === 5003],
  ['reply source', { replySource: 'fd00::aa' }, one => one.reply.source === 'fd00::aa'],
  [
    'reply source and port',
    { protocol: 'udp', replySource: 'fd00::aa', replySourcePort: 80 },
    one => one.protocol === 'udp' && one.reply.source === 'fd00::aa' && one.reply.sourcePort === 80,
  ],
  [
    'reply destination',
    { replyDestination: '10.0.0.4', replyDestinationPort: 5004, protocol: 'udp' },
    one => one.protocol === 'udp' && one.reply.destination === '10.0.0.4',
  ],
  [
    'both directions',
    { originalSource: '10.0.1.3', replySource: '10.0.0.2', protocol: 'icmp' },
    one => one.protocol === 'icmp' && one.original.source === '10.0.1.3',
  ],
  ['port of what has none', { protocol: 'icmp', originalDestinationPort: 1 }, () => false],
  ['nobody', { originalSource: '192.0.2.1' }, () => false],
]

test('filters choose what they say; where the kernel is told all of it, it alone finds exactly that', async () => {
  const all = await fill()
  expect(all).toHaveLength(32)
  await using connection = await openConnection({ name: host.name }, 12)
  for (const [name, filter, predicate] of filters) {
    const wanted = sorted(all.filter(predicate).map(seen))
    expect(sorted((await here.conntrack.list(filter)).map(seen)), name).toEqual(wanted)
    const { requests, exact } = prepare(filter)
    const found: ConntrackEntry[] = []
    for (const value of requests) {
      const request = { type: conntrackMessages.get, codec: conntrack, value, context: { operation: 'list' } }
      found.push(...(await connection.dump(request, { type: conntrackMessages.new, codec: conntrack }, toConntrack)))
    }
    // Older kernels pass over the status.
    if (exact && (filter.status === undefined || isKernel('5.15')))
      expect(sorted(found.map(seen)), `${name}, by the kernel alone`).toEqual(wanted)
    else expect(found.length, name).toBeGreaterThanOrEqual(wanted.length)
  }
  expect(filters.filter(([, filter]) => prepare(filter).exact).length).toBeGreaterThanOrEqual(15)
})

test.each(filters)('deleteMatching forgets what it says and nothing else: %s', async (_, filter, predicate) => {
  const all = await fill()
  await here.conntrack.deleteMatching(filter)
  expect(sorted((await here.conntrack.list()).map(seen))).toEqual(sorted(all.filter(one => !predicate(one)).map(seen)))
})

test.each<[string, unknown, string | undefined]>([
  ['an empty filter', {}, 'filter'],
  ['undefined fields', { protocol: undefined, mark: undefined }, 'filter'],
  ['a misspelt field', { destinationPort: 80 }, 'destinationPort'],
  ['nothing', undefined, undefined],
])('deleteMatching of %s is refused, and nothing is deleted', async (_, filter, path) => {
  await here.conntrack.create({ ...udp, timeout: 600 })
  await expect(here.conntrack.deleteMatching(filter as ConntrackFilter)).rejects.toMatchObject({
    code: expect.stringMatching(/^ERR_NETLOOM_/),
    ...(path && { path }),
  })
  await expect(here.conntrack.delete({} as ConntrackTuple)).rejects.toMatchObject({ code: 'ERR_NETLOOM_MISSING_OPTION' })
  expect(await here.conntrack.list()).toHaveLength(1)
})

test('flush forgets everything, and the numbers agree with the tools', async () => {
  await fill()
  const { entries, maxEntries, cpus } = await here.conntrack.statistics()
  expect(entries).toBe(Number(await tool('-C')))
  expect(entries).toBe(Number(await here.sysctl.get('net.netfilter.nf_conntrack_count')))
  expect(maxEntries).toBe(Number(await here.sysctl.get('net.netfilter.nf_conntrack_max')))
  const shown = [...(await tool('-S')).matchAll(/cpu=(\d+)\s+found=(\d+) invalid=(\d+) insert=(\d+)/g)].map(
    ([, cpu, found, invalid, insert]) => ({
      cpu: Number(cpu),
      found: Number(found),
      invalid: Number(invalid),
      insert: Number(insert),
    }),
  )
  expect(cpus.map(({ cpu, found, invalid, insert }) => ({ cpu, found, invalid, insert }))).toEqual(shown)
  expect(await here.conntrack.expectations()).toEqual([])
  await here.conntrack.flush()
  expect(await here.conntrack.list()).toEqual([])
})
