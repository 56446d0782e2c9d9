// What the translation of statements makes, against what nft sends for the JSON that it lists itself.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { AnyCodec } from '../../lib/codec/codec.js'
import { linearize } from '../../lib/kernel/nftables/linearize.js'
import { elementList } from '../../lib/protocol/nftables/element.js'
import { expressions } from '../../lib/protocol/nftables/expression.js'
import {
  encode,
  type Golden,
  interfaces,
  namedSets,
  nameOf,
  type ReadElement,
  type ReadExpression,
  type ReadSet,
  readExpressions,
  readSets,
} from './nftables-sets.js'

const goldens = (JSON.parse(readFileSync(new URL('captured/nftables-rules.json', import.meta.url), 'utf8')) as readonly Golden[]).filter(
  golden => golden.refused === undefined,
)
const rows = goldens.map(golden => [nameOf(golden), golden] as const)

function translated(golden: Golden) {
  const sent = golden.json ?? golden.text!
  const ids = readSets(sent).map(({ set }) => set.id!)
  let next = 0
  return { sent, ours: linearize(golden.statements, { ...golden, sets: namedSets, interfaces, nextSetId: () => ids[next++] ?? 0 }) }
}

/** nft tells the kernel also the number of a set that it has loaded from it. */
function withoutNumbers(list: readonly ReadExpression[]): ReadExpression[] {
  return list.map(one => {
    const data = one.data as { setId?: number; set?: string; setName?: string } | undefined
    if (!data?.setId || (data.set ?? data.setName)?.includes('%')) return one
    const { setId: _, ...rest } = data
    return { ...one, data: rest } as ReadExpression
  })
}
/** nft loads and compares fields that lie side by side at once: taken apart into bytes. */
function inBytes(list: readonly ReadExpression[]) {
  const out: unknown[] = []
  for (let i = 0; i < list.length; i++) {
    const [load, cmp] = [list[i]!, list[i + 1]]
    if (load.name !== 'payload' || load.data?.dreg === undefined || cmp?.name !== 'cmp' || cmp.data?.op !== 'eq') {
      out.push(load)
      continue
    }
    Array.from(cmp.data.data?.value ?? [], (byte, place) => out.push([load.data?.base, load.data!.offset! + place, byte]))
    i++
  }
  return out
}
const shape = (hex: string) => inBytes(withoutNumbers(readExpressions(hex)))

test('there are many rules of every family', () => {
  const families = new Set(goldens.map(one => one.family))
  expect([...families].sort()).toEqual(['arp', 'bridge', 'inet', 'ip', 'ip6', 'netdev'])
  expect(goldens.length).toBeGreaterThan(700)
})

describe('expressions', () => {
  test.each(rows)('%s', (_, golden) => {
    const { sent, ours } = translated(golden)
    expect(shape(encode(expressions as AnyCodec, ours.expressions))).toEqual(shape(sent.expressions))
  })
})

test('byte for byte', () => {
  const other: string[] = []
  for (const golden of goldens) {
    const { sent, ours } = translated(golden)
    if (encode(expressions as AnyCodec, ours.expressions) !== sent.expressions) other.push(nameOf(golden))
  }
  // Names of objects without a zero byte at their end, numbers of named sets, fields that nft compares at once.
  const known =
    /counter name|quota name|limit name|ct helper set|ct timeout set|@|sport|icmp.*code|arp htype|ether saddr 00:11:22:33:44:55 (?:ether|ip)/
  expect(other.filter(name => !known.test(name))).toEqual([])
  expect(other.length).toBeLessThan(60)
})

// What nft keeps beside a set for itself: byte orders and whether values are ranges, but not the expressions that it has types from.
const kept = new Set([0, 1, 6])
function notes(userdata: Uint8Array | undefined): string[] {
  const out: string[] = []
  for (let at = 0; userdata && at + 2 <= userdata.length; at += 2 + userdata[at + 1]!)
    if (kept.has(userdata[at]!)) out.push(Buffer.from(userdata.subarray(at, at + 2 + userdata[at + 1]!)).toString('hex'))
  // A type of 0 says nothing.
  return out.filter(note => note !== '010400000000' && note !== '060400000000')
}
const asSet = ({ table: _, family: __, version: ___, resId: ____, ...set }: ReadSet) => ({
  ...set,
  // nft counts also the ends of intervals that it leaves out since the next one begins there.
  desc: { ...set.desc, size: undefined },
  userdata: notes(set.userdata),
})
const asElements = (list: readonly ReadElement[]) => list.map(one => encode(elementList as AnyCodec, { elements: [one] })).sort()

describe('sets without a name', () => {
  const bringing = rows.filter(([, golden]) => (golden.json ?? golden.text!).sets.length > 0)
  test.each(bringing)('%s', (_, golden) => {
    const { sent, ours } = translated(golden)
    const theirs = readSets(sent)
    expect(ours.anonymousSets.map(({ set }) => asSet(set as ReadSet))).toEqual(theirs.map(({ set }) => asSet(set)))
    expect(ours.anonymousSets.map(({ elements }) => asElements(elements as ReadElement[]))).toEqual(
      theirs.map(({ elements }) => asElements(elements)),
    )
  })
})
