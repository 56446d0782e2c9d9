// Requests and answers on one netlink socket: windows, early ends, errors, strangers, and closing in the middle.

import { expect, test } from 'vitest'
import { type NamespaceHandle, type NetlinkOptions, type NetlinkSocket, native } from '../../lib/socket/native.js'
import { descriptors } from '../helpers/state.js'
import {
  ACK,
  createBridge,
  deleteLink,
  dumpLinks,
  ENODEV,
  errorOf,
  getLink,
  join,
  message,
  NLMSG_DONE,
  NLMSG_ERROR,
  netlinkAddress,
  RTM_NEWLINK,
  split,
  u32,
} from './messages.js'

const EPERM = 1
const EBADF = 9
const EBUSY = 16
const EINVAL = 22
const ECANCELED = 125
const RTNLGRP_LINK = 1
const many = 5_000

async function withSocket(use: (socket: NetlinkSocket, namespace: NamespaceHandle) => Promise<void>, options?: NetlinkOptions) {
  const namespace = await native().createNamespace()
  const socket = await native().openNetlink(namespace, 0, options)
  try {
    await use(socket, namespace)
  } finally {
    socket.close()
    namespace.close()
  }
}

const sequences = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
const errnoOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 0,
    (error: { errno?: number }) => error.errno,
  )

test('5,000 requests in one exchange are all answered, in order', () =>
  withSocket(async socket => {
    const { data, done } = await socket.exchange(join(...sequences(many).map(sequence => getLink(sequence, 1))))
    expect(done).toBe(true)
    const messages = split(data)
    expect(messages.filter(({ type }) => type === RTM_NEWLINK).map(({ sequence }) => sequence)).toEqual(sequences(many))
    const acknowledged = messages.filter(({ type }) => type === NLMSG_ERROR)
    expect(acknowledged.map(errorOf).every(number => number === 0)).toBe(true)
    expect(acknowledged.at(-1)?.sequence).toBe(many)
  }))

test('5,000 exchanges at once on one socket are served in turn', () =>
  withSocket(async socket => {
    const answers = await Promise.all(sequences(many).map(sequence => socket.exchange(getLink(sequence, 1))))
    expect(answers.map(({ data }) => split(data).map(({ sequence }) => sequence))).toEqual(sequences(many).map(each => [each, each]))
  }))

test('acknowledgements that were asked for all arrive', () =>
  withSocket(async socket => {
    const { data } = await socket.exchange(join(...sequences(1_000).map(sequence => getLink(sequence, 1, ACK))))
    expect(split(data)).toHaveLength(2_000)
  }))

test('a request that fails does not keep the others from being served', () =>
  withSocket(async socket => {
    const { data } = await socket.exchange(join(getLink(1, 1), getLink(2, 999), getLink(3, 1)))
    const outcomes = split(data).map(one => [one.sequence, one.type === NLMSG_ERROR ? errorOf(one) : one.type])
    expect(outcomes).toEqual([
      [1, RTM_NEWLINK],
      [2, ENODEV],
      [3, RTM_NEWLINK],
      [3, 0],
    ])
  }))

test('an answer that is taken in parts is the whole answer', () =>
  withSocket(async socket => {
    const names = sequences(100).map(index => `br${index}`)
    await socket.exchange(join(...names.map((name, index) => createBridge(index + 1, name))))
    const whole = await socket.exchange(dumpLinks(500))
    let part = await socket.exchange(dumpLinks(501), 1)
    const parts = [part.data]
    expect(part.done).toBe(false)
    expect(await errnoOf(socket.exchange(getLink(600, 1)))).toBe(EBUSY)
    while (!part.done) {
      part = await socket.more(1)
      parts.push(part.data)
    }
    expect(parts.length).toBeGreaterThan(2)
    expect(split(join(...parts)).map(({ type }) => type)).toEqual(split(whole.data).map(({ type }) => type))
    expect(split(whole.data).filter(({ type }) => type === RTM_NEWLINK).length).toBeGreaterThan(100)
    expect(split(whole.data).at(-1)?.type).toBe(NLMSG_DONE)
    expect(await errnoOf(socket.more())).toBe(EINVAL)
  }))

test('a dump between other requests keeps the order', () =>
  withSocket(async socket => {
    const { data } = await socket.exchange(join(getLink(1, 1), dumpLinks(2), getLink(3, 1)))
    const order = split(data).map(({ sequence }) => sequence)
    expect(order).toEqual([...order].sort((a, b) => a - b))
    expect(new Set(order)).toEqual(new Set([1, 2, 3]))
  }))

test('bytes that are no messages are refused, and the socket stays of use', () =>
  withSocket(async socket => {
    const tooLong = message(18, 1, 1)
    tooLong[0] = 200
    const tooShort = message(18, 1, 1)
    tooShort[0] = 8
    for (const bytes of [new Uint8Array(0), new Uint8Array(15), tooLong, tooShort, join(getLink(1, 1), new Uint8Array(4))])
      expect(await errnoOf(socket.exchange(bytes))).toBe(EINVAL)
    expect(() => socket.exchange('text' as unknown as Uint8Array)).toThrow(TypeError)
    expect((await socket.exchange(getLink(1, 1))).done).toBe(true)
  }))

test("what another process sends to the socket's port is dropped", () =>
  withSocket(async (socket, namespace) => {
    const stranger = await native().openPacket(namespace, 16, 3, 0, [])
    const forged = message(NLMSG_ERROR, 0, 7, u32(-EPERM >>> 0), message(18, 1, 7))
    await stranger.send(forged, netlinkAddress(socket.port))
    const outcomes = split((await socket.exchange(getLink(7, 1))).data).map(({ type }) => type)
    expect(outcomes).toEqual([RTM_NEWLINK, NLMSG_ERROR])
    stranger.close()
  }))

test('so is what would be too large for the buffer', context =>
  withSocket(async (socket, namespace) => {
    const SO_SNDBUFFORCE = 32
    const opening = native().openPacket(namespace, 16, 3, 0, [[1, SO_SNDBUFFORCE, u32(4 << 20)]])
    const stranger = await opening.catch((error: { errno?: number }) => {
      if (error.errno === EPERM) context.skip('SO_SNDBUFFORCE needs CAP_NET_ADMIN in the initial user namespace')
      throw error
    })
    // Larger than a read, smaller than the receive buffer.
    await stranger.send(new Uint8Array(0x11_0000), netlinkAddress(socket.port))
    expect((await socket.exchange(getLink(7, 1))).done).toBe(true)
    stranger.close()
  }))

test('what is peeked at stays to be read, and strangers are not shown', () =>
  withSocket(
    async (socket, namespace) => {
      const [maker, stranger] = await Promise.all([native().openNetlink(namespace, 0), native().openPacket(namespace, 16, 3, 0, [])])
      await stranger.send(message(NLMSG_ERROR, 0, 9, u32(0), message(18, 1, 9)), netlinkAddress(socket.port))
      const peeked = socket.peek()
      expect((await socket.receiveNow()).data).toHaveLength(0)
      await maker.exchange(createBridge(1, 'seen'))
      const shown = await peeked
      expect(split(shown).map(({ type }) => type)).toEqual([RTM_NEWLINK])
      expect([...(await socket.peek())]).toEqual([...shown])
      expect([...(await socket.receive()).data.subarray(0, shown.length)]).toEqual([...shown])
      const last = errnoOf(socket.peek())
      for (const one of [maker, stranger, socket]) one.close()
      expect(await last).toBe(ECANCELED)
      expect(() => socket.peek()).toThrow(expect.objectContaining({ errno: EBADF }))
    },
    { groups: [RTNLGRP_LINK] },
  ))

test('what only waits in the kernel keeps nothing else waiting, however much of it there is', async () => {
  const namespace = await native().createNamespace()
  const other = await native().openNetlink(namespace, 0)
  const count = 24
  const sockets = await Promise.all(Array.from({ length: count }, () => native().openNetlink(namespace, 0)))
  for (let i = 0; i < count; i++) expect(split((await other.exchange(createBridge(i + 1, `b${i}`))).data).map(errorOf)).toEqual([0])
  const ended: string[] = []
  const removals = sockets.map(async (socket, i) => {
    const { data } = await socket.exchange(deleteLink(count + i, `b${i}`), undefined, true)
    ended.push('removal')
    return split(data).map(errorOf)
  })
  // What takes no lock of the kernel's that a removal has.
  const asked = native()
    .openNamespace('/proc/self/ns/net')
    .then(opened => {
      ended.push('answer')
      opened.close()
    })
  expect(await Promise.all(removals)).toEqual(sockets.map(() => [0]))
  await asked
  // All but a few of them would come before it if they took all threads.
  expect(ended.indexOf('answer')).toBeLessThan(count / 2)
  for (const socket of [other, ...sockets]) socket.close()
  namespace.close()
})

test('closed during an exchange: what runs is finished, what waits is cancelled, no descriptor stays', async () => {
  await withSocket(async socket => void (await socket.exchange(getLink(1, 1))))
  const before = await descriptors()
  let cancelled = 0
  for (let round = 0; round < 50; round++) {
    const namespace = await native().createNamespace()
    const socket = await native().openNetlink(namespace, 0)
    const running = errnoOf(socket.exchange(join(...sequences(500).map(sequence => getLink(sequence, 1)))))
    const waiting = errnoOf(socket.exchange(getLink(1, 1)))
    const dump = errnoOf(socket.exchange(dumpLinks(2)))
    if (round % 2 === 1) await new Promise(resolve => setImmediate(resolve))
    socket.close()
    socket.close()
    const outcomes = await Promise.all([running, waiting, dump])
    // In the order in which they were asked for: once one is cancelled, so are those behind it.
    expect(outcomes).toEqual([...outcomes].sort((a, b) => Number(a) - Number(b)))
    for (const outcome of outcomes) expect([0, ECANCELED]).toContain(outcome)
    cancelled += outcomes.filter(outcome => outcome === ECANCELED).length
    expect(() => socket.exchange(getLink(1, 1))).toThrow(expect.objectContaining({ errno: EBADF, syscall: 'sendmsg' }))
    namespace.close()
  }
  expect(cancelled).toBeGreaterThan(0)
  expect(await descriptors()).toEqual(before)
})
