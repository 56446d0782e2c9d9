// Answers to messages of all kinds, without a socket.
import { type DecodedPacket, decode, encode, type Packet } from 'dns-packet'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { answerTo, reversed, type Transport } from '../../lib/network/dns-answer.js'
import { nameServers } from '../../lib/network/dns-forward.js'
import { framed, isTruncated, Unframer } from '../../lib/network/dns-frame.js'
import type { Names } from '../../lib/network/dns-names.js'

const names = {
  addresses: async (name: string, family: number) => {
    if (name === 'crowd') return Array.from({ length: 40 }, (_, i) => `10.0.1.${i}`)
    return name === 'web' ? (family === 4 ? ['10.0.0.2'] : []) : undefined
  },
  nameOf: async (address: string) => (address === '10.0.0.2' ? 'web.blue' : undefined),
} as unknown as Names
const nobody = async () => undefined
const answered = (message: Uint8Array, over: Transport = 'udp') => answerTo(Buffer.from(message), { names, forward: nobody, over })
const told = async (packet: Packet, over?: Transport): Promise<DecodedPacket | undefined> => {
  const answer = await answered(encode({ type: 'query', id: 5, ...packet }), over)
  return answer && decode(answer)
}

test('known names have answers, or nothing of that type', async () => {
  expect(await told({ questions: [{ type: 'A', name: 'web' }] })).toMatchObject({
    id: 5,
    type: 'response',
    rcode: 'NOERROR',
    answers: [{ data: '10.0.0.2' }],
  })
  expect(await told({ questions: [{ type: 'AAAA', name: 'web' }] })).toMatchObject({ rcode: 'NOERROR', answers: [] })
  expect(await told({ questions: [{ type: 'PTR', name: '2.0.0.10.in-addr.arpa' }] })).toMatchObject({ answers: [{ data: 'web.blue' }] })
})

test('what cannot be answered is refused in the words of the protocol', async () => {
  expect(await told({ questions: [{ type: 'A', name: 'other' }] })).toMatchObject({ id: 5, rcode: 'SERVFAIL' })
  expect(await told({ questions: [] })).toMatchObject({ rcode: 'FORMERR' })
  expect(await told({ flags: 0x2800, questions: [{ type: 'A', name: 'web' }] })).toMatchObject({ rcode: 'NOTIMP' })
  expect(await answered(encode({ type: 'response', questions: [{ type: 'A', name: 'web' }] }))).toBeUndefined()
})

test('any bytes at all do no harm', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async bytes => {
      const answer = await answered(bytes)
      if (answer) expect(answer.readUInt16BE(0)).toBe(Buffer.from(bytes).readUInt16BE(0))
    }),
  )
})

test('what does not fit into a datagram is cut off, and whole over TCP and for those who take more', async () => {
  const questions = [{ type: 'A' as const, name: 'crowd' }]
  const edns = (udpPayloadSize: number): Packet['additionals'] => [
    { type: 'OPT', name: '.', udpPayloadSize, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] },
  ]
  const count = async (additionals: Packet['additionals'], over?: Transport) => {
    const { answers = [], flag_tc, questions: asked = [] } = (await told({ questions, ...(additionals && { additionals }) }, over)) ?? {}
    return [answers.length, flag_tc, asked[0]?.name]
  }
  expect(await count(undefined)).toEqual([0, true, 'crowd'])
  expect(await count(edns(100))).toEqual([0, true, 'crowd'])
  expect(await count(edns(4096))).toEqual([40, false, 'crowd'])
  expect(await count(undefined, 'tcp')).toEqual([40, false, 'crowd'])
})

test('messages over TCP come out whole, however they are cut into pieces', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), fc.array(fc.nat(40)), (messages, cuts) => {
      const stream = Buffer.concat(messages.map(message => framed(message)))
      const unframer = new Unframer()
      const found: Buffer[] = []
      for (let at = 0, i = 0; at < stream.length; i++) {
        const size = (cuts[i % (cuts.length || 1)] ?? 0) + 1
        found.push(...unframer.add(stream.subarray(at, at + size)))
        at += size
      }
      expect(found.map(one => one.toString('hex'))).toEqual(messages.map(one => Buffer.from(one).toString('hex')))
    }),
  )
  expect(isTruncated(Buffer.from([0, 1, 2]))).toBe(false)
})

test('addresses backwards', () => {
  expect(reversed('2.0.0.10.in-addr.arpa.')).toBe('10.0.0.2')
  expect(reversed(`${'0.'.repeat(31)}f.ip6.arpa`)).toBe('f000::')
  for (const other of ['2.0.0.in-addr.arpa', '2.0.0.999.in-addr.arpa', '2.ip6.arpa', 'web']) expect(reversed(other)).toBeUndefined()
})

test('the name servers of resolv.conf', () => {
  const text =
    '# nameserver 9.9.9.9\nsearch x\nnameserver 10.0.0.1\n nameserver fd00::1 \nnameserver fe80::1%eth0\nnameserver x\nnameserver 1.1.1.1\nnameserver 2.2.2.2'
  expect(nameServers(text)).toEqual(['10.0.0.1', 'fd00::1', '1.1.1.1'])
})
