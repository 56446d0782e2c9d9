// Rules as any bytes: reading them back into statements never throws, and nothing is lost on the way.
import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AnyCodec } from '../../lib/codec/codec.js'
import { viewOf } from '../../lib/codec/walk.js'
import { dataTypes } from '../../lib/kernel/nftables/datatypes.js'
import { delinearize } from '../../lib/kernel/nftables/delinearize.js'
import type { KnownSet, ReadExpression } from '../../lib/kernel/nftables/delinearize-context.js'
import { linearize } from '../../lib/kernel/nftables/linearize.js'
import { expressions } from '../../lib/protocol/nftables/expression.js'
import { encode, type Golden, interfaces } from '../golden/nftables-sets.js'

const families = ['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'] as const
const known: KnownSet = {
  key: [dataTypes.ipv4_addr, dataTypes.inet_service],
  data: [dataTypes.mark],
  interval: true,
  elements: [{ flags: [] }],
}
const sets = (name: string) => (name.length % 2 ? known : undefined)

const goldens = (
  JSON.parse(readFileSync(new URL('../golden/captured/nftables-rules.json', import.meta.url), 'utf8')) as readonly Golden[]
).map(golden => Buffer.from((golden.text ?? golden.json!).expressions, 'hex'))

function read(bytes: Uint8Array): ReadExpression[] | undefined {
  try {
    return (expressions as AnyCodec).read(viewOf(bytes), 0, bytes.length) as ReadExpression[]
  } catch (error) {
    expect((error as { code?: string }).code).toBe('ERR_NETLOOM_MALFORMED')
    return undefined
  }
}
function check(bytes: Uint8Array, family: (typeof families)[number]): void {
  const list = read(bytes)
  if (list) expect(JSON.parse(JSON.stringify(delinearize(list, { family, sets, interfaces })))).toBeInstanceOf(Array)
}

test('rules that were tampered with', () => {
  const change = fc.tuple(fc.nat(), fc.nat(255))
  fc.assert(
    fc.property(
      fc.constantFrom(...goldens),
      fc.array(change, { minLength: 1, maxLength: 6 }),
      fc.constantFrom(...families),
      (rule, changes, family) => {
        const bytes = Uint8Array.from(rule)
        for (const [place, value] of changes) bytes[place % bytes.length] = value
        check(bytes, family)
      },
    ),
    { numRuns: 4000 },
  )
})

test('expressions of several rules one after the other', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...goldens), { maxLength: 5 }), fc.constantFrom(...families), (rules, family) => {
      check(Buffer.concat(rules), family)
    }),
    { numRuns: 2000 },
  )
})

test('single expressions of any rule in any order', () => {
  const all = goldens.flatMap(bytes => read(bytes) ?? [])
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...all), { maxLength: 8 }), fc.constantFrom(...families), (list, family) => {
      const statements = delinearize(list, { family, interfaces })
      expect(JSON.parse(JSON.stringify(statements))).toEqual(statements)
      // Each expression is told, or kept in its own bytes.
      expect(statements.length > 0 || list.length === 0 || list.every(one => one.name !== 'immediate')).toBe(true)
    }),
    { numRuns: 4000 },
  )
})

test('what has no words goes back as the bytes that it was', () => {
  const name = fc.stringMatching(/^[a-z]{3,12}$/).map(text => `x${text}`)
  const one = fc.record({ name, data: fc.uint8Array({ maxLength: 40 }) })
  fc.assert(
    fc.property(fc.array(one, { maxLength: 5 }), fc.constantFrom(...families), (list, family) => {
      const wire = list.map(({ name, data }) => ({ name: `other:${name}` as const, data }))
      const { expressions: back } = linearize(delinearize(wire, { family }), { family })
      const kept = wire.map(({ name, data }) => (data.length ? { name, data } : { name }))
      expect(encode(expressions as AnyCodec, back)).toBe(encode(expressions as AnyCodec, kept))
    }),
  )
})
