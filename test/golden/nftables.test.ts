// What the translation of statements makes, against what nft sends for the JSON that it lists itself.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AnyCodec } from '../../lib/codec/codec.js'
import { typesOfNumber } from '../../lib/kernel/nftables/datatypes.js'
import { delinearize } from '../../lib/kernel/nftables/delinearize.js'
import type { KnownSet } from '../../lib/kernel/nftables/delinearize-context.js'
import type { Family } from '../../lib/kernel/nftables/fields.js'
import { type Linearized, linearize } from '../../lib/kernel/nftables/linearize.js'
import type { ObjectType } from '../../lib/kernel/nftables/linearize-context.js'
import type { Statement } from '../../lib/kernel/nftables/statement.js'
import { elementList } from '../../lib/protocol/nftables/element.js'
import { expressions } from '../../lib/protocol/nftables/expression.js'
import { verdictDataType } from '../../lib/protocol/nftables/set.js'
import {
  asKept,
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
  // The shift in nft's JSON is one that nft adds by itself: it would shift twice.
  const sent = golden.rule === 'ip dscp . ip saddr { cs1 . 10.0.0.1 }' ? golden.text! : (golden.json ?? golden.text!)
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

/** The statements that a golden must give, where they are not those that nft lists. */
const otherwise = new Map<string, string>([
  // nft shows a shift that the rule did not have, and doubles it when it reads its own words.
  ['ip dscp . ip saddr { cs1 . 10.0.0.1 }', '{"concat":[{"payload":{"protocol":"ip","field":"dscp"}},'],
  // nft orders texts as numbers of the host's byte order.
  ['ct helper { "ftp", "sip" }', '{"set":["ftp","sip"]}'],
  // nft forgets the message, and names the ports that lie at its place.
  ['icmp type set echo-reply', '{"mangle":{"key":{"payload":{"protocol":"icmp","field":"type"}},"value":"echo-reply"}}'],
  // nft leaves out that the packet is IPv6: that does not follow from its being ICMPv6.
  ['meta nfproto ipv6 meta l4proto ipv6-icmp accept', '{"meta":{"key":"nfproto"}},"right":"ipv6"'],
])

describe('back to statements', () => {
  test.each(rows)('%s', (_, golden) => {
    const { expressions: kept, sets } = asKept(golden.text ?? golden.json!)
    const statements = JSON.stringify(delinearize(kept, { family: golden.family, sets, interfaces }))
    const other = typeof golden.rule === 'string' ? otherwise.get(golden.rule) : undefined
    if (other) expect(statements).toContain(other)
    else expect(JSON.parse(statements)).toEqual(golden.statements)
  })

  test('what nft has no JSON for', () => {
    const all = JSON.parse(readFileSync(new URL('captured/nftables-rules.json', import.meta.url), 'utf8')) as readonly Golden[]
    const back = (rule: string) => {
      const golden = all.find(one => one.rule === rule)!
      const { expressions: kept, sets } = asKept(golden.text!)
      return delinearize(kept, { family: golden.family, sets, interfaces })
    }
    const elem = { payload: { protocol: 'ip', field: 'saddr' } }
    expect(back('update @dm { ip saddr : meta mark }')).toEqual([
      { map: { op: 'update', elem, data: { meta: { key: 'mark' } }, map: '@dm' } },
    ])
    expect(back('add @dm { ip saddr : 0x5 }')).toEqual([{ map: { op: 'add', elem, data: 5, map: '@dm' } }])
    expect(back('tcp option @5,8,16 3')).toEqual([
      { match: { op: '==', left: { 'tcp option': { base: 5, offset: 8, len: 16 } }, right: 3 } },
    ])
  })
})

/** Sets as the statements that were translated brought them. */
function brought({ anonymousSets }: Linearized): (name: string) => KnownSet | undefined {
  return name => {
    const found = anonymousSets.find(one => `__set${one.id}` === name)
    if (!found) return namedSets(name)
    const { keyType = 0, dataType, dataLen = 0, objType, flags } = found.set as ReadSet
    const types = dataType === undefined ? undefined : dataType === verdictDataType ? ('verdict' as const) : typesOfNumber(dataType)!
    return {
      key: typesOfNumber(keyType)!,
      interval: flags?.includes('interval') ?? false,
      elements: found.elements as ReadElement[],
      ...(typeof objType === 'string' ? { data: 'object' as const, objectType: objType as ObjectType } : {}),
      ...(types ? { data: types, dataLength: dataLen } : {}),
    }
  }
}
const named = (list: readonly ReadExpression[]) =>
  list.map(one => {
    const data = { ...(one.data as { set?: string; setName?: string; setId?: number } | undefined) }
    for (const field of ['set', 'setName'] as const) if (data[field]?.includes('%')) data[field] = `__set${data.setId}`
    return one.data === undefined || one.data instanceof Uint8Array ? one : ({ ...one, data } as ReadExpression)
  })

describe('there and back', () => {
  const pieces = new Map<string, Statement[]>()
  for (const { family, statements } of goldens) {
    const known = pieces.get(family) ?? []
    pieces.set(family, [...known, ...statements])
  }
  /** What must be the same again: statements in the form in which they are read. */
  const again = (family: Family, statements: readonly Statement[]) => {
    const there = linearize(statements, { family, sets: namedSets, interfaces })
    const bytes = encode(expressions as AnyCodec, there.expressions)
    return delinearize(named(readExpressions(bytes)), { family, sets: brought(there), interfaces })
  }

  test.each([...pieces.keys()] as Family[])('several statements of %s', family => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces.get(family)!), { maxLength: 6 }), statements => {
        let normal: readonly Statement[] = statements
        try {
          normal = again(family, statements)
        } catch (error) {
          // Protocols that exclude each other, or ports without a protocol.
          expect((error as { code?: string }).code).toBe('ERR_NETLOOM_INVALID_VALUE')
          return
        }
        // Each time at most what an earlier match says already is left out; then nothing changes any more.
        for (let left = statements.length; left > 0 && again(family, normal).length < normal.length; left--) normal = again(family, normal)
        expect(again(family, normal)).toEqual(normal)
      }),
      { numRuns: 300 },
    )
  })
})
