// Notifications, packets and descriptors for Node: what is read arrives whole, waiting holds no thread, closing ends it.

import { once } from 'node:events'
import { closeSync } from 'node:fs'
import { createServer, Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { type NamespaceHandle, type NetlinkOptions, native } from '../../lib/socket/native.js'
import { descriptors, threadNamespaces } from '../helpers/state.js'
import {
  attribute,
  createBridge,
  getLink,
  ipv4Address,
  join,
  message,
  REQUEST,
  RTM_NEWLINK,
  RTM_NEWNSID,
  setUp,
  split,
  u32,
} from './messages.js'

const ECANCELED = 125
const ECONNREFUSED = 111
const EADDRNOTAVAIL = 99
const RTNLGRP_LINK = 1
const AF_INET = 2
const IPPROTO_IP = 0
const IP_RECVERR = 11
const IP_RECVTTL = 12

async function makeNamespace(): Promise<NamespaceHandle> {
  const namespace = await native().createNamespace()
  onTestFinished(() => namespace.close())
  return namespace
}

async function openSocket(namespace: NamespaceHandle, options?: NetlinkOptions) {
  const socket = await native().openNetlink(namespace, 0, options)
  onTestFinished(() => socket.close())
  return socket
}

async function withLoopback(): Promise<NamespaceHandle> {
  const namespace = await makeNamespace()
  await (await openSocket(namespace)).exchange(setUp(1, 1))
  return namespace
}

async function openPacket(...request: Parameters<ReturnType<typeof native>['openPacket']>) {
  const socket = await native().openPacket(...request)
  onTestFinished(() => socket.close())
  return socket
}

const cancelled = { errno: ECANCELED, syscall: 'close' }

test('a notification ends the wait; the next call takes the next one', async () => {
  const namespace = await makeNamespace()
  const [socket, listener] = [await openSocket(namespace), await openSocket(namespace, { groups: [RTNLGRP_LINK] })]
  const [first, second] = [listener.receive(), listener.receive()]
  await socket.exchange(createBridge(1, 'br0'))
  expect(split((await first).data)[0]?.type).toBe(RTM_NEWLINK)
  await socket.exchange(createBridge(2, 'br1'))
  const { data, lost, origins } = await second
  expect(split(data).every(({ type }) => type === RTM_NEWLINK)).toBe(true)
  expect([lost, origins]).toEqual([false, []])
})

test('many that wait hold up nothing, and are all told when they are closed', async () => {
  const namespace = await makeNamespace()
  const listeners = await Promise.all(Array.from({ length: 30 }, () => openSocket(namespace, { groups: [RTNLGRP_LINK] })))
  const waiting = Promise.allSettled(listeners.flatMap(listener => [listener.receive(), listener.receive()]))
  expect((await (await openSocket(namespace)).exchange(getLink(1, 1))).done).toBe(true)
  for (const listener of listeners) listener.close()
  for (const outcome of await waiting) expect(outcome).toMatchObject({ status: 'rejected', reason: cancelled })
})

test('readable() tells that there is something and takes nothing; receiveNow() takes it, or nothing', async () => {
  const namespace = await makeNamespace()
  const [socket, listener] = [await openSocket(namespace), await openSocket(namespace, { groups: [RTNLGRP_LINK] })]
  expect((await listener.receiveNow()).data).toHaveLength(0)
  const waiting = listener.readable()
  await socket.exchange(createBridge(1, 'br0'))
  await waiting
  await listener.readable()
  const { data, lost } = await listener.receiveNow()
  expect([split(data)[0]?.type, lost]).toEqual([RTM_NEWLINK, false])
  expect((await listener.receiveNow()).data).toHaveLength(0)
  const cancelledWait = expect(listener.readable()).rejects.toMatchObject(cancelled)
  listener.close()
  await cancelledWait
  expect(() => listener.readable()).toThrow(expect.objectContaining({ errno: 9 }))
  expect(() => listener.receiveNow()).toThrow(expect.objectContaining({ errno: 9 }))
})

test('notifications that did not fit are reported as lost', async () => {
  const namespace = await makeNamespace()
  const [socket, listener] = [await openSocket(namespace), await openSocket(namespace, { groups: [RTNLGRP_LINK], receiveBuffer: 4_096 })]
  await socket.exchange(join(...Array.from({ length: 20 }, (_, index) => createBridge(index + 1, `br${index}`))))
  let lost = false
  for (let round = 0; round < 20 && !lost; round++) lost = (await listener.receive()).lost
  expect(lost).toBe(true)
  await socket.exchange(createBridge(99, 'br99'))
  expect((await listener.receive()).data.length).toBeGreaterThan(0)
})

test('notifications of other namespaces say which they are of', async () => {
  const [here, there] = [await makeNamespace(), await makeNamespace()]
  const nsid = 5
  const header = new Uint8Array(4)
  await (await openSocket(here)).exchange(message(RTM_NEWNSID, REQUEST, 1, header, attribute(1, u32(nsid)), attribute(3, u32(there.fd))))
  const listener = await openSocket(here, { groups: [RTNLGRP_LINK], allNamespaces: true })
  await (await openSocket(there)).exchange(createBridge(1, 'far'))
  expect((await listener.receive()).origins[0]).toEqual([0, nsid])
  await (await openSocket(here)).exchange(createBridge(1, 'near'))
  expect((await listener.receive()).origins.at(-1)?.[1]).toBe(-1)
})

test('an echo and its answer arrive with the times and the hops of each', async () => {
  const namespace = await withLoopback()
  const socket = await openPacket(namespace, AF_INET, 3, 1, [[IPPROTO_IP, IP_RECVTTL, u32(1)]])
  const echo = Uint8Array.of(8, 0, 0xf7, 0xfd, 0, 1, 0, 1)
  const sent = await socket.send(echo, ipv4Address(0, 127, 0, 0, 1))
  const packets = await socket.receive()
  while (packets.length < 2) packets.push(...(await socket.receive()))
  expect(packets.map(({ data }) => data[20])).toEqual([8, 0])
  for (const packet of packets) {
    expect(packet).toMatchObject({ address: ipv4Address(0, 127, 0, 0, 1), ttl: 64 })
    expect(packet.time >= sent && packet.time < sent + 60_000_000_000n).toBe(true)
    expect(packet.error).toBe(undefined)
  }
})

test('an ICMP error arrives with the packet that it is about, and does not fail the next one', async () => {
  const namespace = await withLoopback()
  const socket = await openPacket(namespace, AF_INET, 2, 0, [[IPPROTO_IP, IP_RECVERR, u32(1)]])
  const target = ipv4Address(9, 127, 0, 0, 1)
  for (const byte of [1, 2]) {
    await socket.send(Uint8Array.of(byte), target)
    const [report] = await socket.receive()
    expect(report).toMatchObject({
      data: Uint8Array.of(byte),
      address: target,
      error: { errno: ECONNREFUSED, origin: 2, type: 3, code: 3 },
    })
  }
  await socket.send(Uint8Array.of(3), target)
  await socket.send(Uint8Array.of(4), target)
})

test('a packet socket that is closed ends the wait', async () => {
  const socket = await openPacket(await withLoopback(), AF_INET, 3, 1, [])
  const waiting = Promise.allSettled([socket.receive(), socket.receive()])
  socket.close()
  socket.close()
  for (const outcome of await waiting) expect(outcome).toMatchObject({ status: 'rejected', reason: cancelled })
  expect(() => socket.receive()).toThrow(expect.objectContaining({ errno: 9 }))
})

test('Node serves and connects on descriptors made inside', async () => {
  const namespace = await withLoopback()
  const address = ipv4Address(7_000, 127, 0, 0, 1)
  const server = createServer(socket => socket.end('inside'))
  server.listen({ fd: (await native().openDescriptor(namespace, AF_INET, 1, 0, [], address, 16)).take() })
  await once(server, 'listening')
  const client = new Socket({ fd: (await native().openDescriptor(namespace, AF_INET, 1, 0, [])).take(), readable: true, writable: true })
  client.connect({ port: 7_000, host: '127.0.0.1' })
  const [data] = (await once(client, 'data')) as [Buffer]
  expect(data.toString()).toBe('inside')
  const outside = new Socket()
  outside.connect({ port: 7_000, host: '127.0.0.1' })
  await expect(once(outside, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  client.destroy()
  server.close()
  await once(server, 'close')
  expect(await threadNamespaces()).toHaveLength(1)
})

test('a descriptor that cannot be bound is closed again', async () => {
  const namespace = await withLoopback()
  const before = await descriptors()
  for (let round = 0; round < 20; round++) {
    const opening = native().openDescriptor(namespace, AF_INET, 1, 0, [], ipv4Address(7_000, 192, 0, 2, 1), 16)
    await expect(opening).rejects.toMatchObject({ errno: EADDRNOTAVAIL, syscall: 'bind' })
  }
  expect(await descriptors()).toEqual(before)
})

test('a descriptor is taken once, closed if it was not taken, and left alone if it was', async () => {
  const namespace = await withLoopback()
  const before = await descriptors()
  const closed = await native().openDescriptor(namespace, AF_INET, 2, 0, [])
  closed.close()
  expect(() => closed.take()).toThrow(expect.objectContaining({ errno: 9, syscall: 'take' }))
  const taken = await native().openDescriptor(namespace, AF_INET, 2, 0, [])
  const fd = taken.take()
  expect(() => taken.take()).toThrow(expect.objectContaining({ errno: 9 }))
  taken.close()
  closeSync(fd)
  expect(await descriptors()).toEqual(before)
})
