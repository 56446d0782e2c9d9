// Node's own servers and clients inside namespaces: http, net and dgram, reached from other namespaces and from nowhere else.
import { createServer as createHttpServer, get } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Namespace } from '../../lib/kernel/namespace.js'
import { runBuilt } from '../helpers/built.js'
import { useHost } from '../helpers/host.js'
import { patience } from '../helpers/patience.js'
import { attempt, run } from '../helpers/readers.js'
import { descriptors, threadNamespaces } from '../helpers/state.js'

const host = useHost()
let here: Namespace
let blue: Namespace
let red: Namespace

beforeAll(async () => {
  here = await Namespace.open({ name: host.name })
  blue = await Namespace.create(host.named('blue'), { loopback: true })
  red = await Namespace.create(host.named('red'), { loopback: true })
  await blue.links.create({
    kind: 'veth',
    name: 'eth0',
    up: true,
    mac: '02:00:00:00:00:01',
    peer: { namespace: red, name: 'eth0', up: true, mac: '02:00:00:00:00:02' },
  })
  for (const [namespace, number] of [
    [blue, 1],
    [red, 2],
  ] as const) {
    await namespace.addresses.add('eth0', `10.5.0.${number}/24`)
    await namespace.addresses.add('eth0', `fd05::${number}/64`)
  }
})
afterAll(async () => {
  await blue?.delete()
  await red?.delete()
  await here?.close()
})

/** One request through a connection that was made inside a namespace. */
async function fetchFrom(namespace: Namespace, address: string, port: number): Promise<string> {
  const socket = await namespace.connect({ host: address, port })
  return new Promise((resolve, reject) => {
    get({ createConnection: () => socket, host: address.includes(':') ? `[${address}]` : address, port, path: '/' }, response => {
      text(response).then(resolve, reject)
    }).on('error', reject)
  })
}

test('an http server is reached from the other namespace over IPv4 and IPv6, by curl-like programs too, and not from elsewhere', async () => {
  await using server = await blue.listen(
    createHttpServer((request, response) => response.end(`hello ${request.socket.remoteAddress}`)),
    { port: 8080 },
  )
  expect(server.address()).toMatchObject({ port: 8080 })
  expect(await fetchFrom(red, '10.5.0.1', 8080)).toBe('hello ::ffff:10.5.0.2')
  expect(await fetchFrom(red, 'fd05::1', 8080)).toBe('hello fd05::2')
  expect(await run(host.named('blue'), 'ss', '-Hltn', 'sport = :8080')).toContain('8080')
  expect(await run(host.name, 'ss', '-Hltn', 'sport = :8080')).toBe('')
  await expect(here.connect({ host: '127.0.0.1', port: 8080 })).rejects.toMatchObject({
    name: 'NetloomError',
    code: 'ECONNREFUSED',
    operation: 'connect',
    subject: '127.0.0.1:8080',
  })
  await expect(here.connect({ host: '10.5.0.1', port: 8080 })).rejects.toMatchObject({ code: 'ENETUNREACH' })
})

test('net servers on one address, on a port that the kernel chooses, on a link-local address', async () => {
  await using one = await blue.listen(
    createServer(socket => socket.end('one')),
    { port: 0, host: '10.5.0.1' },
  )
  const { port } = one.address() as AddressInfo
  expect(await text(await red.connect({ host: '10.5.0.1', port }))).toBe('one')
  await expect(blue.connect({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  const linkLocal = async () => (await blue.addresses.list({ link: 'eth0', family: 6 })).find(({ scope }) => scope === 'link')
  // Duplicate address detection: until then nothing can be bound to it.
  while ((await linkLocal())?.flags.includes('tentative')) await setTimeout(50)
  const address = await linkLocal()
  await using local = await blue.listen(
    createServer(socket => socket.end('local')),
    { port: 9000, host: `${address?.address}%eth0` },
  )
  expect(local.listening).toBe(true)
  expect(await text(await red.connect({ host: `${address?.address}%eth0`, port: 9000 }))).toBe('local')
})

test('udp sockets send and receive inside', async () => {
  const server = await blue.udp({ type: 'udp4', port: 5353, address: '10.5.0.1' })
  const client = await red.udp({ type: 'udp4' })
  server.on('message', (message, { port, address }) => server.send(`${message} back`, port, address))
  const answer = new Promise<string>(resolve => client.once('message', message => resolve(String(message))))
  client.send('there and', 5353, '10.5.0.1')
  expect(await answer).toBe('there and back')
  const refused = new Promise<Error>(resolve => client.send('x', 5353, 'localhost', error => resolve(error as Error)))
  expect(await refused).toMatchObject({ code: 'ERR_NETLOOM_HOST_NAME' })
  server.close()
  client.close()
  const six = await blue.udp({ type: 'udp6', port: 5353 })
  expect(six.address()).toMatchObject({ family: 'IPv6', port: 5353 })
  six.close()
})

test('names are refused unless the caller gives a lookup', async () => {
  await expect(blue.connect({ host: 'localhost', port: 1 })).rejects.toMatchObject({
    name: 'TypeError',
    code: 'ERR_NETLOOM_HOST_NAME',
    path: 'host',
  })
  await expect(blue.listen(createServer(), { host: 'localhost', port: 1 })).rejects.toMatchObject({ code: 'ERR_NETLOOM_HOST_NAME' })
  await expect(blue.udp({ type: 'udp4', address: 'localhost' })).rejects.toMatchObject({ code: 'ERR_NETLOOM_HOST_NAME' })
  await using server = await blue.listen(
    createServer(socket => socket.end('found')),
    { port: 8081 },
  )
  expect(server.listening).toBe(true)
  const socket = await red.connect({ host: 'blue', port: 8081, lookup: (_name, _options, callback) => callback(null, '10.5.0.1', 4) })
  expect(await text(socket)).toBe('found')
})

test('an address that is not there, a port that is taken, a server that listens already: clear errors, no descriptor left', async () => {
  await using first = await blue.listen(createServer(), { port: 7000 })
  const before = await descriptors()
  await expect(blue.listen(createServer(), { port: 7000 })).rejects.toMatchObject({
    name: 'NetloomError',
    code: 'EADDRINUSE',
    operation: 'listen',
    subject: '*:7000',
  })
  await expect(blue.listen(createServer(), { port: 7001, host: '10.5.0.99' })).rejects.toMatchObject({
    code: 'EADDRNOTAVAIL',
    namespace: blue.name,
  })
  await expect(blue.udp({ type: 'udp4', address: '10.5.0.99' })).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
  await expect(blue.listen(first, { port: 7002 })).rejects.toMatchObject({ code: 'ERR_SERVER_ALREADY_LISTEN' })
  await expect(blue.listen(createServer(), { port: 70000 })).rejects.toMatchObject({ name: 'RangeError', path: 'port' })
  await expect(blue.connect({ host: '10.5.0.2', port: 7003, localAddress: 'fd05::1' })).rejects.toMatchObject({ path: 'localAddress' })
  const signal = AbortSignal.abort(new Error('no'))
  await expect(blue.connect({ host: '10.5.0.2', port: 7003, signal })).rejects.toMatchObject({ name: 'AbortError' })
  // An address that answers nothing: the waiting can be cancelled.
  const controller = new AbortController()
  const waiting = blue.connect({ host: '10.5.0.77', port: 1, signal: controller.signal })
  setTimeout(50).then(() => controller.abort())
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  await new Promise(resolve => setImmediate(resolve))
  expect(await descriptors()).toEqual(before)
})

test('a server outlives the name of its namespace', async () => {
  const green = await Namespace.create(host.named('green'), { loopback: true })
  await using server = await green.listen(
    createServer(socket => socket.end('alive')),
    { port: 80 },
  )
  const socket = await green.connect({ host: '127.0.0.1', port: 80 })
  await green.delete()
  expect(await text(socket)).toBe('alive')
  expect(server.listening).toBe(true)
  await expect(green.connect({ host: '127.0.0.1', port: 80 })).rejects.toMatchObject({ code: 'EBADF' })
})

test('no thread of the process has left its namespace, with a cold thread pool too', async () => {
  expect(new Set(await threadNamespaces()).size).toBe(1)
  const program = `
    const { readdirSync, readlinkSync } = await import('node:fs')
    const { createServer } = await import('node:net')
    const inside = await Namespace.create()
    await inside.links.update('lo', { up: true })
    const server = await inside.listen(createServer(socket => socket.end('x')), { port: 80 })
    const socket = await inside.connect({ host: '127.0.0.1', port: 80 })
    for await (const _ of socket);
    inside.spawn('true')
    await (await import('node:fs/promises')).stat('/')
    const seen = new Set(readdirSync('/proc/self/task').map(task => readlinkSync('/proc/self/task/' + task + '/ns/net')))
    console.log(JSON.stringify({ seen: [...seen], own: readlinkSync('/proc/self/ns/net') }))
    server.close()
    await inside.delete()
  `
  const { stdout } = await runBuilt({ index: ['Namespace'] }, program)
  const { seen, own } = JSON.parse(stdout) as { seen: string[]; own: string }
  expect(seen).toEqual([own])
})

test('an http server in each of 200 namespaces, each fetched from another one over a bridge, none reachable from the host', {
  timeout: patience(120_000),
}, async () => {
  const bridge = await here.links.create({ kind: 'bridge', name: 'many', up: true })
  const namespaces: Namespace[] = []
  const servers = []
  try {
    for (let i = 0; i < 200; i++) {
      const namespace = await Namespace.create(host.named(`s${i}`), { ipv6: 'none' })
      namespaces.push(namespace)
      await here.links.create({
        kind: 'veth',
        name: `s${i}`,
        master: bridge,
        up: true,
        ipv6: 'none',
        peer: { namespace, name: 'eth0', up: true },
      })
      await namespace.addresses.add('eth0', `10.4.${Math.floor(i / 100)}.${(i % 100) + 1}/16`)
      servers.push(
        await namespace.listen(
          createHttpServer((_, response) => response.end(`server ${i}`)),
          { port: 80 },
        ),
      )
    }
    for (let i = 0; i < 200; i++) {
      const j = (i * 7 + 1) % 200
      expect(await fetchFrom(namespaces[i]!, `10.4.${Math.floor(j / 100)}.${(j % 100) + 1}`, 80)).toBe(`server ${j}`)
    }
    await expect(here.connect({ host: '10.4.0.1', port: 80 })).rejects.toMatchObject({ code: 'ENETUNREACH' })
    expect((await attempt(host.name, 'ping', ['-c1', '-W1', '10.4.0.1'])).code).not.toBe(0)
  } finally {
    for (const server of servers) server.close()
    for (const namespace of namespaces) await namespace.delete()
    await here.links.delete('many')
    while ((await here.links.list({ kind: 'veth' })).length > 0) await setTimeout(20)
  }
})
