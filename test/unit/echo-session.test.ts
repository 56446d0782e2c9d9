// One run of ping against a socket that answers as the test wants: what counts as an answer, and what does not.
import { describe, expect, test } from 'vitest'
import { EchoSession, type EchoSettings } from '../../lib/namespace/echo-session.js'
import { encodeEchoRequest, internetChecksum } from '../../lib/namespace/icmp.js'
import { encodeSocketAddress } from '../../lib/namespace/sockaddr.js'
import type { Packet, PacketSocket } from '../../lib/socket/native.js'

const MILLISECOND = 1_000_000n
const address = encodeSocketAddress({ ip: Uint8Array.of(10, 0, 0, 2) })
const settings: EchoSettings = {
  family: 4,
  raw: true,
  address,
  identifier: 0x1234,
  payload: Uint8Array.from({ length: 24 }, (_, i) => i * 7),
  count: 1,
  interval: 0.001,
  timeout: 0.05,
}

type Answer = (request: { sequence: number; sent: bigint; bytes: Uint8Array }) => Packet[]

/** A socket whose clock says `sent` milliseconds after start: request number × 1000. */
class FakeSocket {
  readonly #answer: Answer
  #queue: Packet[] = []
  #wake: () => void = () => {}
  constructor(answer: Answer) {
    this.#answer = answer
  }
  async send(bytes: Uint8Array): Promise<bigint> {
    const sequence = (bytes[6]! << 8) | bytes[7]!
    const sent = BigInt(sequence) * 1000n * MILLISECOND
    this.#queue.push(...this.#answer({ sequence, sent, bytes }))
    this.#wake()
    return sent
  }
  async receive(): Promise<Packet[]> {
    if (this.#queue.length === 0) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    return this.#queue.splice(0)
  }
  close(): void {}
}

function reply(request: Uint8Array, time: bigint, change: (bytes: Uint8Array) => void = () => {}): Packet {
  const icmp = request.slice()
  icmp[0] = 0
  change(icmp)
  icmp.fill(0, 2, 4)
  new DataView(icmp.buffer).setUint16(2, internetChecksum(icmp))
  const header = new Uint8Array(20)
  header[0] = 0x45
  header[8] = 61
  return { data: Uint8Array.from([...header, ...icmp]), address, time } as Packet
}

const refusal = (request: Uint8Array, fields: Partial<NonNullable<Packet['error']>> = {}): Packet =>
  ({
    data: request,
    address,
    time: 0n,
    error: { errno: 113, origin: 2, type: 3, code: 1, offender: encodeSocketAddress({ ip: Uint8Array.of(10, 0, 0, 9) }), ...fields },
  }) as Packet

const run = (answer: Answer, changes: Partial<EchoSettings> = {}) =>
  new EchoSession(new FakeSocket(answer) as PacketSocket, { ...settings, ...changes }).run()

describe('answers', () => {
  test('are counted and timed by the clock of the kernel', async () => {
    const result = await run(({ sequence, sent, bytes }) => [reply(bytes, sent + BigInt(sequence) * MILLISECOND)], { count: 3 })
    expect(result).toEqual({
      sent: 3,
      received: 3,
      unreachable: 0,
      loss: 0,
      duplicates: 0,
      rtt: { min: 1, avg: 2, max: 3 },
      replies: [1, 2, 3].map(sequence => ({ sequence, time: sequence, ttl: 61 })),
      errors: [],
    })
  })
  test('twice the same is one answer', async () => {
    const twice: Answer = ({ sent, bytes }) => [reply(bytes, sent + MILLISECOND), reply(bytes, sent + 2n * MILLISECOND)]
    expect(await run(twice)).toMatchObject({ received: 1, duplicates: 1, rtt: { min: 1, max: 1 } })
  })
  test('out of order', async () => {
    const kept: Packet[] = []
    const result = await run(
      ({ sequence, sent, bytes }) => {
        kept.unshift(reply(bytes, sent + 5n * MILLISECOND))
        return sequence === 3 ? kept : []
      },
      { count: 3 },
    )
    expect(result.replies.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
  })
  test('later than the timeout by the clock do not count', async () =>
    expect(await run(({ sent, bytes }) => [reply(bytes, sent + 51n * MILLISECOND)])).toMatchObject({ received: 0, loss: 1, replies: [] }))
  test('a clock set back gives no negative time', async () =>
    expect((await run(({ sent, bytes }) => [reply(bytes, sent - MILLISECOND)])).rtt?.min).toBe(0))
})

describe('no answers', () => {
  const none = { sent: 1, received: 0, unreachable: 0, loss: 1 }
  test('silence', async () => {
    const result = await run(() => [])
    expect(result).toMatchObject(none)
    expect(result).not.toHaveProperty('rtt')
  })
  test.each<[string, (bytes: Uint8Array) => void]>([
    ['another identifier', bytes => void bytes.set([0xab], 4)],
    ['a sequence number never sent', bytes => void bytes.set([9, 9], 6)],
    ['other random bytes', bytes => void bytes.set([0xee], 8)],
    ['another type', bytes => void bytes.set([13], 0)],
  ])('%s', async (_, change) => expect(await run(({ sent, bytes }) => [reply(bytes, sent, change)])).toMatchObject(none))
  test('a payload cut off inside the random bytes', async () =>
    expect(await run(({ sent, bytes }) => [reply(bytes.subarray(0, 12), sent)])).toMatchObject(none))
  test('a damaged one', async () =>
    expect(
      await run(({ sent, bytes }) => {
        const packet = reply(bytes, sent)
        packet.data[40]! ^= 1
        return [packet]
      }),
    ).toMatchObject(none))
  test('bytes of nothing', async () =>
    expect(await run(({ sent }) => [{ data: new Uint8Array(3), address, time: sent } as Packet])).toMatchObject(none))
})

describe('refusals', () => {
  test('say who and why', async () => {
    const result = await run(({ bytes }) => [refusal(bytes)])
    expect(result).toMatchObject({ received: 0, unreachable: 1, loss: 1 })
    expect(result.errors).toEqual([{ sequence: 1, code: 'EHOSTUNREACH', reason: 'host unreachable', from: '10.0.0.9' }])
  })
  test('with only the 8 quoted bytes that are promised', async () =>
    expect(await run(({ bytes }) => [refusal(bytes.subarray(0, 8))])).toMatchObject({ unreachable: 1 }))
  test("of somebody else's packet are not ours", async () => {
    const other = encodeEchoRequest(4, { identifier: 1, sequence: 1, payload: new Uint8Array(8) })
    expect(await run(() => [refusal(other)])).toMatchObject({ unreachable: 0 })
  })
  test('twice are one', async () => expect(await run(({ bytes }) => [refusal(bytes), refusal(bytes)])).toMatchObject({ unreachable: 1 }))
  test('end the waiting at once', async () => {
    const start = performance.now()
    await run(({ bytes }) => [refusal(bytes)], { timeout: 20 })
    expect(performance.now() - start).toBeLessThan(2000)
  })
})

test('a stop ends the run with its reason', async () => {
  const session = new EchoSession(new FakeSocket(() => []) as PacketSocket, { ...settings, timeout: 20 })
  const running = session.run()
  const reason = new Error('enough')
  setTimeout(() => session.stop(reason), 5)
  await expect(running).rejects.toBe(reason)
})

test('a socket that fails ends the run', async () => {
  const broken = { send: async () => 0n, receive: () => Promise.reject(new Error('broken')), close() {} } as unknown as PacketSocket
  await expect(new EchoSession(broken, { ...settings, timeout: 20 }).run()).rejects.toThrow('broken')
})

test('answers that a busy loop could not look at in time count all the same', async () => {
  // The timer and the answer are both due when the loop gets to them.
  const session = new EchoSession(new FakeSocket(({ sent, bytes }) => [reply(bytes, sent + MILLISECOND)]) as PacketSocket, settings)
  const running = session.run()
  const end = performance.now() + 120
  while (performance.now() < end);
  expect(await running).toMatchObject({ received: 1, rtt: { max: 1 } })
})
