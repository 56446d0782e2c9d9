// Answers to messages of all kinds, without a socket.
import { type DecodedPacket, decode, encode, type Packet } from 'dns-packet'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { answerTo, reversed } from '../../lib/network/dns-answer.js'
import { nameServers } from '../../lib/network/dns-forward.js'
import type { Names } from '../../lib/network/dns-names.js'

const names = {
  addresses: async (name: string, family: number) => (name === 'web' ? (family === 4 ? ['10.0.0.2'] : []) : undefined),
  nameOf: async (address: string) => (address === '10.0.0.2' ? 'web.blue' : undefined),
} as unknown as Names
const nobody = async () => undefined
const told = async (packet: Packet, forward = nobody): Promise<DecodedPacket | undefined> => {
  const answer = await answerTo(encode({ type: 'query', id: 5, ...packet }), names, forward)
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
  expect(await answerTo(encode({ type: 'response', questions: [{ type: 'A', name: 'web' }] }), names, nobody)).toBeUndefined()
})

test('any bytes at all do no harm', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async bytes => {
      const answer = await answerTo(Buffer.from(bytes), names, nobody)
      if (answer) expect(answer.readUInt16BE(0)).toBe(Buffer.from(bytes).readUInt16BE(0))
    }),
  )
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
