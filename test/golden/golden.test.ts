// Our messages against those of iproute2 and the kernel, byte for byte where bytes matter.
import { describe, expect, test } from 'vitest'
import type { AnyCodec } from '../../lib/codec/codec.js'
import { annotate } from '../../lib/codec/dump.js'
import { viewOf, walk } from '../../lib/codec/walk.js'
import { captured, decode, difference, encode, normalised, split, tableOf } from './message.js'
import { address, nsid } from './recipes/address.js'
import { linkChange, linkRead } from './recipes/link-change.js'
import { linkCreate } from './recipes/link-create.js'
import { neighbour } from './recipes/neighbour.js'
import type { Recipes } from './recipes/recipe.js'
import { nexthop, route, rule } from './recipes/route.js'

const areas: Readonly<Record<string, Recipes>> = {
  'link-create': linkCreate,
  'link-change': linkChange,
  'link-read': linkRead,
  address,
  route,
  rule,
  neighbour,
  nsid,
  nexthop,
}

const unknownIn = (codec: AnyCodec, body: Uint8Array) =>
  [...walk(codec, viewOf(body))].filter(visited => !visited.codec).map(visited => visited.path.join('.'))

/** The kernel reports ttlInherit as a byte and takes it as a flag: `false` is said by leaving it out. */
function asWritten(decoded: unknown): unknown {
  const data = (decoded as { linkinfo?: { data?: { ttlInherit?: boolean } } }).linkinfo?.data
  if (data?.ttlInherit === false) delete data.ttlInherit
  return decoded
}

for (const [area, recipes] of Object.entries(areas)) {
  const entries = captured(area)

  describe(`${area}: requests`, () => {
    test('each recipe was captured, each captured command has a recipe', () => {
      expect(entries.map(entry => entry.name).sort()).toEqual(Object.keys(recipes).sort())
    })
    for (const { name, recipe: command, request } of entries)
      test(`${name}: ${command}`, () => {
        const recipe = recipes[name]
        const [message] = split(request)
        if (!recipe || !message) throw new Error(`no recipe for "${name}"`)
        const codec = tableOf(message.type)
        expect(unknownIn(codec, message.body), annotate(codec, message.body)).toEqual([])
        expect(recipe.codec).toBe(codec)
        const ours = encode(codec, recipe.value)
        expect({ type: recipe.type, flags: recipe.flags }).toEqual({ type: message.type, flags: message.flags })
        expect(normalised(codec, ours), difference(codec, message.body, ours)).toBe(normalised(codec, message.body))
      })
  })

  describe(`${area}: replies`, () => {
    for (const { name, errno, reply } of entries) {
      if (!reply || errno) continue
      const messages = split(reply)
      test(`${name} (${messages.length})`, () => {
        for (const { type, body } of messages) {
          const codec = tableOf(type)
          expect(unknownIn(codec, body), annotate(codec, body)).toEqual([])
          const decoded = decode(codec, body)
          expect(decode(codec, encode(codec, decoded))).toEqual(asWritten(decoded))
        }
      })
    }
  })
}

test('what no table knows survives decoding and encoding', () => {
  const entry = captured('link-read').find(({ name }) => name === 'get port')
  const [message] = split(entry?.reply ?? '')
  if (!message) throw new Error('no reply')
  const extra = Uint8Array.of(8, 0, 0xe7, 0x03, 1, 2, 3, 4)
  const body = Uint8Array.of(...message.body, ...extra)
  const codec = tableOf(message.type)
  const decoded = decode(codec, body) as { unknown?: unknown }
  expect(decoded.unknown).toEqual([{ type: 999, data: Uint8Array.of(1, 2, 3, 4) }])
  expect(decode(codec, encode(codec, decoded))).toEqual(decoded)
})
