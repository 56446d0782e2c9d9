// Random rule sets: each step that nftables.verdict() foretells is what a real packet meets, and what it says of half a description holds for the whole.
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { NftablesPacket } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { agrees, type Bench, bench } from '../helpers/nftables-traffic.js'
import { randomPacket, randomRules } from '../helpers/random-rules.js'

const host = useHost()
let here: Bench
beforeEach(context => needs(context, 'tool:nft', 'nftables', 'veth'))
beforeAll(async () => {
  here = await bench(host)
})
afterAll(async () => {
  await here?.[Symbol.asyncDispose]()
})

/** What may be left out of a description. */
const parts = ['protocol', 'sourcePort', 'destinationPort', 'tcpFlags', 'icmpType', 'ttl', 'dscp', 'type', 'length'] as const
const less = (packet: NftablesPacket, without: readonly (typeof parts)[number][]): NftablesPacket =>
  Object.fromEntries(Object.entries(packet).filter(([name]) => !(without as readonly string[]).includes(name))) as NftablesPacket & object

test('random rules and packets', async () => {
  await fc.assert(
    fc.asyncProperty(
      randomRules,
      fc.array(randomPacket, { minLength: 3, maxLength: 5 }),
      fc.subarray([...parts]),
      async (rules, packets, without) => {
        await here.rules(rules)
        for (const packet of packets) {
          const whole = await here.predict(packet)
          const sure = agrees(whole, await here.send(packet), { packet, rules })
          expect({ packet, sure, unknown: whole.flatMap(({ unknown }) => unknown) }).toEqual({ packet, sure: true, unknown: [] })
          const [half] = await here.predict({ ...less(packet, without), from: packet.from, to: packet.to })
          const [first] = whole
          if (half?.verdict === 'unknown') expect(half.unknown.length).toBeGreaterThan(0)
          else expect(half?.verdict).toBe(first?.verdict)
          // Of two worlds the real one is always among those foretold.
          expect(half?.steps.map(({ handle, chain }) => [handle, chain])).toEqual(
            expect.arrayContaining(first?.steps.map(({ handle, chain }) => [handle, chain]) ?? []),
          )
        }
      },
    ),
    { numRuns: 40, endOnFailure: true, includeErrorInReport: true },
  )
})
