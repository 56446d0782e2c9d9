// Tables read in part: what is picked reads as in the whole table, and of the rest nothing is kept.
import { expect, test } from 'vitest'
import { string, u8, u16, u32 } from '../../lib/codec/scalars.js'
import { struct } from '../../lib/codec/struct.js'
import { attributes, by, message, pick } from '../../lib/codec/table.js'
import { linkReplies, toLink } from '../../lib/kernel/link-object.js'
import { link } from '../../lib/protocol/link.js'
import { captured, split } from '../golden/message.js'
import { decode, encode } from './codec-helpers.js'

const inner = attributes('INNER', { kind: [1, string], data: [2, by('kind', { one: attributes('ONE', { id: [1, u32] }) })] })
const whole = message(struct({ family: u8, _pad: u8, flags: u16 }), 'OUTER', { a: [1, u32], b: [2, string], c: [3, inner] })
const value = {
  family: 7,
  flags: 9,
  a: 5,
  b: 'bee',
  c: { kind: 'one', data: { id: 3 } },
  unknown: [{ type: 60, data: new Uint8Array(8) }],
} as const

test('only the picked attributes are read, with the header', () => {
  const bytes = encode(whole, value)
  expect(decode(whole, bytes)).toEqual(value)
  expect(decode(pick(whole, ['b']), bytes)).toEqual({ family: 7, flags: 9, b: 'bee' })
  expect(decode(pick(whole, ['c', 'a']), bytes)).toEqual({ family: 7, flags: 9, a: 5, c: { kind: 'one', data: { id: 3 } } })
  expect(decode(pick(whole, []), bytes)).toEqual({ family: 7, flags: 9 })
})

test('of those in the wrong form only the picked are an error', () => {
  const wrong = encode(whole, { unknown: [{ type: 1, data: new Uint8Array(1) }] })
  expect(() => decode(pick(whole, ['a']), wrong)).toThrow('OUTER a: 1 bytes where 4 are needed')
  expect(decode(pick(whole, ['b']), wrong)).toEqual({ family: 0, flags: 0 })
})

test('what chooses the form of another has to be picked with it', () => {
  expect(() => pick(inner, ['data'])).toThrow('is chosen by "kind"')
})

test.each(captured('link-read').concat(captured('link-create'), captured('link-change')))('$name: the same link from less', ({ reply }) => {
  for (const { type, body } of reply ? split(reply) : []) {
    if (type !== linkReplies.plain.type) continue
    expect(toLink(decode(linkReplies.plain.codec, body))).toEqual(toLink(decode(link, body)))
    expect(toLink(decode(linkReplies.withStatistics.codec, body), true)).toEqual(toLink(decode(link, body), true))
  }
})
