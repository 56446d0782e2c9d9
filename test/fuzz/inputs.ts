// Messages for the fuzzers: bytes at random, attributes at random, and real messages that were tampered with.
import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import type { AnyCodec } from '../../lib/codec/codec.js'
import { littleEndian } from '../../lib/codec/writer.js'
import { captured, split, tableOf } from '../golden/message.js'

/** NETLOOM_FUZZ_SEED repeats a run, NETLOOM_FUZZ_RUNS lengthens it (1 is the usual length). */
export const seed = Number(process.env.NETLOOM_FUZZ_SEED ?? Date.now() % 0x7fff_ffff)
export const factor = Number(process.env.NETLOOM_FUZZ_RUNS ?? 1)
export const runs = (usual: number) => ({ seed, numRuns: Math.ceil(usual * factor) })

const areas = ['address', 'link-change', 'link-create', 'link-read', 'neighbour', 'nexthop', 'nsid', 'refused', 'route', 'rule']
/** What iproute2 and the kernel said to each other, less the headers of the messages. */
export const golden: readonly { readonly codec: AnyCodec; readonly body: Uint8Array; readonly name: string }[] = areas.flatMap(area =>
  captured(area).flatMap(({ name, request, reply }) =>
    [request, reply ?? '']
      .flatMap(hex => split(hex))
      .filter(({ type }) => type >= 16)
      .map(({ type, body }) => ({ codec: tableOf(type), body, name: `${area}: ${name}` })),
  ),
)

const folder = new URL('corpus/', import.meta.url)
/** Messages that once went wrong, or are made to: '<table>-<what>.hex'; lines that begin with # say why. */
export const corpus = readdirSync(folder)
  .filter(name => name.endsWith('.hex'))
  .map(name => {
    const hex = readFileSync(new URL(name, folder), 'utf8').replace(/^#.*$/gm, '').replace(/\s/g, '')
    return { name, table: name.split('-')[0]!, body: new Uint8Array(Buffer.from(hex, 'hex')) }
  })

const u16 = (value: number) => (littleEndian ? [value & 0xff, value >> 8] : [value >> 8, value & 0xff])
/** Attributes in attributes, well formed except where a length lies; numbers are those of our tables. */
export const attributeTree: fc.Arbitrary<number[]> = fc.letrec<{ tree: number[]; payload: number[] }>(tie => ({
  payload: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.array(fc.nat(255), { maxLength: 36 }),
    fc.constantFrom('veth', 'vxlan', 'bridge', 'tunnel', 'pair', 'port', 'word', 'x').map(kind => [...Buffer.from(`${kind}\0`)]),
    tie('tree'),
  ),
  tree: fc
    .array(
      fc.record({
        type: fc.oneof({ weight: 9, arbitrary: fc.nat(70) }, { weight: 1, arbitrary: fc.nat(0xffff) }),
        payload: tie('payload'),
        lie: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -8, max: 8 }) }),
      }),
      { maxLength: 8 },
    )
    .map(all =>
      all.flatMap(({ type, payload, lie }) => [
        ...u16((4 + payload.length + lie) & 0xffff),
        ...u16(type),
        ...payload,
        ...Array<number>(-payload.length & 3).fill(0),
      ]),
    ),
})).tree

const edit = fc.record({
  how: fc.constantFrom('set', 'flip', 'cut', 'repeat', 'length', 'swap'),
  at: fc.nat(0xffff),
  value: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 3, 4, 5, 0x7f, 0x80, 0xff)),
})
export const edits = fc.array(edit, { minLength: 1, maxLength: 6 })
export type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never

export function tamper(original: Uint8Array, changes: readonly Edit[]): Uint8Array {
  let bytes = original.slice()
  for (const { how, at: anywhere, value } of changes) {
    if (bytes.length === 0) return bytes
    const at = anywhere % bytes.length
    if (how === 'set') bytes[at] = value
    else if (how === 'flip') bytes[at]! ^= 1 << (value & 7)
    else if (how === 'cut') bytes = bytes.slice(0, bytes.length - (value % bytes.length))
    else if (how === 'repeat')
      bytes = Uint8Array.from([...bytes.subarray(0, at & ~3), ...bytes.subarray(at & ~3, (at & ~3) + value), ...bytes.subarray(at & ~3)])
    else if (how === 'length') bytes.set(u16(value).slice(0, bytes.length - (at & ~3)), at & ~3)
    else bytes.set(bytes.slice(anywhere % 64, (anywhere % 64) + 4).subarray(0, bytes.length - (at & ~3)), at & ~3)
  }
  return bytes
}
