// Whatever bytes arrive: a value or a MalformedError, nothing read outside, and what was read can be written again.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { AnyCodec } from '../../lib/codec/codec.js'
import { annotate } from '../../lib/codec/dump.js'
import { isArgumentError, MalformedError } from '../../lib/codec/errors.js'
import { locate, missing, viewOf, walk } from '../../lib/codec/walk.js'
import { decode, encode } from '../unit/codec-helpers.js'
import { everything, everyValue } from './everything.js'
import { attributeTree, corpus, edits, factor, golden, runs, seed, tamper } from './inputs.js'
import { tables as all } from './tables.js'

const tables: Readonly<Record<string, AnyCodec>> = all
const anyTable = fc.constantFrom(...Object.values(tables))

vi.setConfig({ testTimeout: 60_000 * Math.max(1, factor) })
beforeAll(() => console.log(`fuzz: repeat with NETLOOM_FUZZ_SEED=${seed}`))

/** The value, or undefined where the bytes are refused. Anything but a MalformedError is a bug. */
function outcome<T>(read: () => T): { value: T } | undefined {
  try {
    return { value: read() }
  } catch (error) {
    if (error instanceof MalformedError) return undefined
    throw error
  }
}

/** A reading that depends on bytes outside of its container differs between these surroundings, or fails in the tight one. */
function staysInside(codec: AnyCodec, message: Uint8Array, from: number, to: number): void {
  const tight = message.slice(from, to)
  const wide = new Uint8Array(tight.length + 80).fill(0xa5)
  wide.set(tight, 40)
  const inPlace = outcome(() => codec.read(viewOf(message), from, to))
  for (const other of [
    outcome(() => codec.read(viewOf(tight), 0, tight.length)),
    outcome(() => codec.read(viewOf(wide), 40, 40 + tight.length)),
  ])
    if (!isDeepStrictEqual(inPlace, other)) expect(other).toEqual(inPlace)
}

/** Everything that can be done to a message. */
function exercise(codec: AnyCodec, message: Uint8Array): void {
  staysInside(codec, message, 0, message.length)
  outcome(() => {
    for (const { codec: inner, from, to } of walk(codec, viewOf(message)))
      if (inner && to - from >= inner.min) staysInside(inner, message, from, to)
  })
  annotate(codec, message)
  for (const offset of [0, 17, message.length >> 1, message.length - 1]) {
    outcome(() => locate(codec, message, offset))
    outcome(() => missing(codec, message, 1, offset))
  }
}

/** All that `part` says, `whole` says too. A struct that was cut comes back whole, and a length is what it is now. */
function contains(whole: unknown, part: unknown, key = ''): boolean {
  if (Array.isArray(part)) return Array.isArray(whole) && part.length === whole.length && part.every((one, i) => contains(whole[i], one))
  if (typeof part !== 'object' || part === null || part instanceof Uint8Array)
    return key === 'length' || (part === false && whole === undefined) || isDeepStrictEqual(whole, part)
  if (typeof whole !== 'object' || whole === null) return false
  return Object.entries(part).every(([name, value]) => contains((whole as Record<string, unknown>)[name], value, name))
}

/** One attribute given twice may have been read by another kind than the one that stands in the end. */
function repeatsItself(codec: AnyCodec, message: Uint8Array): boolean {
  const paths = [...walk(codec, viewOf(message))].map(({ path }) => path.join('.'))
  return new Set(paths).size !== paths.length
}

function survives(codec: AnyCodec, message: Uint8Array): void {
  const first = outcome(() => decode(codec, message))
  if (!first || repeatsItself(codec, message)) return
  let again: unknown
  try {
    again = decode(codec, encode(codec, first.value as never))
  } catch (error) {
    // Read, but too large to write: a counter over 2^53, an address of 0 or 40 bytes.
    if (isArgumentError(error)) return
    throw error
  }
  if (!contains(again, first.value)) expect(again).toEqual(first.value)
  expect(isDeepStrictEqual(decode(codec, encode(codec, again as never)), again)).toBe(true)
}

const padded = (header: AnyCodec['header'], tree: readonly number[]) =>
  Uint8Array.from([...Array<number>(((header?.size ?? 0) + 3) & ~3).fill(0), ...tree])

describe('odd bytes', () => {
  test('at random', () => {
    fc.assert(
      fc.property(anyTable, fc.uint8Array({ maxLength: 200 }), (codec, bytes) => {
        exercise(codec, bytes)
      }),
      runs(1500),
    )
  })
  test('attributes at random', () => {
    fc.assert(
      fc.property(anyTable, attributeTree, fc.constantFrom(0, 2, 7), (codec, tree, family) => {
        const message = padded(codec.header, tree)
        if (codec.header) message[0] = family
        exercise(codec, message)
        survives(codec, message)
      }),
      runs(3000),
    )
  })
  test('what the kernel and iproute2 said, tampered with', () => {
    fc.assert(
      fc.property(fc.constantFrom(...golden), edits, ({ codec, body }, changes) => {
        const message = tamper(body, changes)
        exercise(codec, message)
        survives(codec, message)
      }),
      runs(1500),
    )
  })
  test('values of every codec, tampered with', () => {
    fc.assert(
      fc.property(everyValue, edits, (value, changes) => {
        const message = tamper(encode(everything, value), changes)
        exercise(everything, message)
        survives(everything, message)
      }),
      runs(1000),
    )
  })
  test.each(corpus)('$name', ({ table, body }) => {
    const codec = tables[table]!
    exercise(codec, body)
    survives(codec, body)
    for (let length = 0; length < body.length; length++) exercise(codec, body.subarray(0, length))
  })
  test('every cut of every kind of message', () => {
    const shortest = [...new Set(golden.map(({ codec }) => codec))].map(codec => golden.find(one => one.codec === codec)!)
    for (const { codec, body } of shortest)
      for (let length = 0; length < Math.min(body.length, 400); length++) exercise(codec, body.subarray(0, length))
  })
  test('a megabyte of the smallest attributes is read in no time', () => {
    const bytes = new Uint8Array(1 << 20)
    const words = new Uint16Array(bytes.buffer)
    for (let i = 6; i < words.length; i += 2) {
      words[i] = 4
      words[i + 1] = 29
    }
    const start = performance.now()
    expect((decode(everything, bytes) as { ports: unknown[] }).ports).toHaveLength((1 << 18) - 3)
    for (let i = 7; i < words.length; i += 2) words[i] = 999
    expect(decode(everything, bytes).unknown).toHaveLength((1 << 18) - 3)
    expect(performance.now() - start).toBeLessThan(3000)
  })
})

describe('there and back', () => {
  test('decode(encode(value)) is the value', () => {
    fc.assert(
      fc.property(everyValue, value => {
        const read = decode(everything, encode(everything, value))
        const { hops, ...rest } = read as { hops?: { length?: number }[] }
        expect({ ...rest, ...(hops && { hops: hops.map(({ length: _, ...hop }) => hop) }) }).toEqual(value)
      }),
      runs(1500),
    )
  })
  test('encode(decode(message)) decodes the same, for all that the kernel and iproute2 said', () => {
    for (const { codec, body, name } of golden) {
      // Written by hand to be wrong.
      if (name.startsWith('refused')) continue
      const value = decode(codec, body)
      const again = decode(codec, encode(codec, value as never))
      if (!contains(again, value)) expect(again, name).toEqual(value)
      expect(decode(codec, encode(codec, again as never)), name).toEqual(again)
    }
  })
})
