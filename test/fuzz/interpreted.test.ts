// The readers that are generated and those that are interpreted, where a runtime forbids code from strings, give the same.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { AnyCodec } from '../../lib/codec/codec.js'
import { viewOf } from '../../lib/codec/walk.js'
import { encode } from '../unit/codec-helpers.js'
import { everything, everyValue } from './everything.js'
import { attributeTree, corpus, edits, factor, golden, runs, seed, tamper } from './inputs.js'
import { tables as generated } from './tables.js'

let interpreted: typeof generated
vi.setConfig({ testTimeout: 60_000 * Math.max(1, factor) })
beforeAll(async () => {
  console.log(`fuzz: repeat with NETLOOM_FUZZ_SEED=${seed}`)
  vi.resetModules()
  vi.stubGlobal('Function', () => {
    throw new EvalError('code from strings is forbidden')
  })
  try {
    interpreted = (await import('./tables.js')).tables
  } finally {
    vi.unstubAllGlobals()
  }
})
afterAll(() => vi.resetModules())

function outcome(codec: AnyCodec, bytes: Uint8Array): unknown {
  try {
    return codec.read(viewOf(bytes), 0, bytes.length)
  } catch (error) {
    return String(error)
  }
}
function same(name: keyof typeof generated, bytes: Uint8Array): void {
  const [one, other] = [outcome(generated[name], bytes), outcome(interpreted[name], bytes)]
  if (!isDeepStrictEqual(one, other)) expect(other).toEqual(one)
}
const names = Object.keys(generated) as (keyof typeof generated)[]
const nameOf = (codec: AnyCodec) => names.find(name => generated[name] === codec)

test('they are two readers', () => {
  expect(interpreted.link.read.toString()).not.toBe(generated.link.read.toString())
  expect(interpreted.link.read.toString()).not.toContain('case 1:')
  expect(generated.link.read.toString()).toContain('case 1:')
})
test('of real messages', () => {
  for (const { codec, body } of golden) {
    const name = nameOf(codec)
    if (name) same(name, body)
  }
})
test('of messages that were tampered with', () => {
  fc.assert(
    fc.property(fc.constantFrom(...golden), edits, ({ codec, body }, changes) => {
      const name = nameOf(codec)
      if (name) same(name, tamper(body, changes))
    }),
    runs(3000),
  )
})
test('of values of every codec, whole and tampered with', () => {
  fc.assert(
    fc.property(everyValue, edits, (value, changes) => {
      const bytes = encode(everything, value)
      same('everything', bytes)
      same('everything', tamper(bytes, changes))
    }),
    runs(1000),
  )
})
test('of attributes at random', () => {
  fc.assert(
    fc.property(attributeTree, fc.constantFrom('everything', 'link', 'route'), (tree, name) => {
      same(name, Uint8Array.from([...Array<number>(name === 'link' ? 16 : 12).fill(0), ...tree]))
    }),
    runs(3000),
  )
})
test('of the corpus', () => {
  for (const { table, body } of corpus) {
    const name = names.find(one => one === table)
    if (name) for (let length = 0; length <= body.length; length++) same(name, body.subarray(0, length))
  }
})
