// Questions that are asked on: to a server in a namespace of its own, over UDP and TCP, with others who would like to answer in its place.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode, encode, type Packet } from 'dns-packet'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Namespace, type Network, Networks } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { linkNames, useOpenHost } from '../helpers/links.js'
import { run } from '../helpers/readers.js'

const host = useOpenHost()
const server = '192.0.2.53'
let folder = ''
let networks: Networks
let net: Network
let [upstream, web]: [Namespace?, Namespace?] = []
let close = async () => undefined as unknown
/** What the server was asked. */
let asked: { over: 'udp' | 'tcp'; id: number; port: number; name: string }[] = []
let tcp = true

beforeEach(context => needs(context, 'nftables', 'bridge', 'veth'))
beforeEach(async () => {
  asked = []
  tcp = true
  folder = await mkdtemp(join(tmpdir(), 'netloom-forward-'))
  upstream = await Namespace.create(host.named('upstream'), { loopback: true })
  web = await Namespace.create(host.named('web'), { loopback: true })
  await host.namespace.links.create({ kind: 'veth', name: 'up0', up: true, peer: { name: 'eth0', namespace: upstream, up: true } })
  await host.namespace.addresses.add('up0', '192.0.2.1/24')
  await upstream.addresses.add('eth0', `${server}/24`)
  await serve(upstream)
  networks = await Networks.open({ stateDir: folder, host: host.namespace, serve: { dns: { upstream: [server] } } })
  net = await networks.create({ name: 'blue', subnet: '10.75.0.0/24' })
  await net.connect(web, { name: 'web' })
})
afterEach(async () => {
  await close()
  await web?.delete()
  await upstream?.delete()
  await net.delete({ force: true })
  await networks.close()
  if (await host.namespace.links.find('up0')) await host.namespace.links.delete('up0')
  await rm(folder, { recursive: true })
  expect(await linkNames(host.name)).toEqual([])
})

const records = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => ({ name, type: 'A' as const, ttl: 60, data: `198.51.100.${i}` }))
/** What the server says: a hundred addresses of big.test, of which nothing fits into a datagram, and one of all others. */
function answerOf({ id = 0, questions = [] }: Packet, over: 'udp' | 'tcp'): Buffer {
  const name = questions[0]?.name ?? ''
  const big = name === 'big.test'
  const answers = big ? (over === 'tcp' ? records(name, 100) : []) : records(name, 1)
  return encode({ type: 'response', id, flags: big && over === 'udp' ? 0x380 : 0x180, questions, answers })
}

async function serve(where: Namespace): Promise<void> {
  const [udp, stranger] = [await where.udp({ type: 'udp4', address: server, port: 53 }), await where.udp({ type: 'udp4', port: 5353 })]
  const note = (over: 'udp' | 'tcp', message: Buffer, port: number) => {
    const query = decode(message)
    asked.push({ over, id: query.id ?? 0, port, name: query.questions?.[0]?.name ?? '' })
    return query
  }
  udp.on('message', (message, { port, address }) => {
    const query = note('udp', message, port)
    const forged = (change: Partial<Packet>, from = udp) =>
      from.send(
        encode({
          type: 'response',
          flags: 0x180,
          ...query,
          ...change,
          answers: [{ ...records('x', 1)[0]!, data: '203.0.113.66' }],
        } as Packet),
        port,
        address,
      )
    if (query.questions?.[0]?.name === 'forged.test') {
      forged({ id: (query.id ?? 0) ^ 1 })
      forged({ questions: [{ type: 'A', name: 'other.test' }] })
      forged({ type: 'query' })
      forged({}, stranger)
    }
    udp.send(answerOf(query, 'udp'), port, address)
  })
  const open = new Set<Socket>()
  const listener = createServer(connection => {
    open.add(connection)
    connection.on('error', () => connection.destroy())
    if (!tcp) connection.resetAndDestroy()
    connection.on('data', data => {
      const answer = answerOf(note('tcp', data.subarray(2), connection.remotePort ?? 0), 'tcp')
      const length = Buffer.from([answer.length >> 8, answer.length & 255])
      // In two pieces.
      connection.write(Buffer.concat([length, answer.subarray(0, 700)]))
      setTimeout(() => connection.write(answer.subarray(700)), 5)
    })
  })
  await where.listen(listener, { host: server, port: 53 })
  close = async () => {
    udp.close()
    stranger.close()
    for (const connection of open) connection.destroy()
    listener.close()
    await once(listener, 'close')
  }
}

const program = `
import { Resolver } from 'node:dns/promises'
const resolver = new Resolver({ timeout: 3000, tries: 2 })
resolver.setServers(['10.75.0.1'])
const found = await Promise.all(process.argv.slice(1).map(name => resolver.resolve4(name).catch(error => error.code)))
console.log(JSON.stringify(found))`
const ask = async (...names: string[]) =>
  JSON.parse(await run(host.named('web'), process.execPath, '--input-type=module', '--eval', program, ...names)) as (string | string[])[]

test('an answer that does not fit comes over TCP, all the way', async () => {
  const [big, small] = await ask('big.test', 'small.test')
  expect([big?.length, small]).toEqual([100, ['198.51.100.0']])
  expect(asked.filter(({ name }) => name === 'small.test').map(({ over }) => over)).toEqual(['udp'])
  expect(asked.filter(({ name }) => name === 'big.test').map(({ over }) => over)).toContain('tcp')
})

test('a server that breaks off over TCP gives what it said over UDP', async () => {
  tcp = false
  const [big] = await ask('big.test')
  expect(big).toMatch(/^E[A-Z]+$/)
  expect(await ask('small.test')).toEqual([['198.51.100.0']])
})

test('many at once: each with a port and a number of its own, and an answer of its own', async () => {
  const names = Array.from({ length: 100 }, (_, i) => `n${i}.test`)
  expect(await ask(...names)).toEqual(names.map(() => ['198.51.100.0']))
  expect(new Set(asked.map(({ name }) => name)).size).toBe(100)
  // By chance some may be the same.
  expect(new Set(asked.map(({ port }) => port)).size).toBeGreaterThan(90)
  expect(new Set(asked.map(({ id }) => id)).size).toBeGreaterThan(90)
})

test('whoever answers with another number, another question or from another port is not heard', async () => {
  expect(await ask('forged.test', 'web')).toEqual([['198.51.100.0'], ['10.75.0.2']])
})
