// What nftables.verdict() says of packets, held against what real packets meet as the kernel's trace tells it.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { NftablesPacket } from '../../lib/index.js'
import { needs, needsKernel } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { agrees, type Bench, bench } from '../helpers/nftables-traffic.js'
import { packetsFor, scriptOf } from '../helpers/row-traffic.js'
import { realRules } from '../oracle/nftables-rules/all.js'

const host = useHost()
let here: Bench
beforeEach(context => needs(context, 'tool:nft', 'nftables', 'veth'))
beforeAll(async () => {
  here = await bench(host)
})
afterAll(async () => {
  await here?.[Symbol.asyncDispose]()
})

const tcp: NftablesPacket = {
  from: '10.0.1.2',
  to: '10.0.2.2',
  protocol: 'tcp',
  sourcePort: 40_000,
  destinationPort: 80,
  tcpFlags: ['syn'],
}
const udp: NftablesPacket = { ...tcp, protocol: 'udp', destinationPort: 53 }
const ping: NftablesPacket = { from: '10.0.1.2', to: '10.0.2.2', protocol: 'icmp', icmpType: 8, icmpCode: 0 }
const six = { from: 'fd01::2', to: 'fd02::2' }

test('a policy', async () => {
  await here.rules(
    'table inet f {\nchain through { type filter hook forward priority 0; policy drop;\ntcp dport 22 accept\nip6 nexthdr udp accept\n}\n}\n',
  )
  for (const packet of [tcp, { ...tcp, destinationPort: 22 }, udp, ping, { ...udp, ...six }]) {
    const verdicts = await here.predict(packet)
    expect(agrees(verdicts, await here.send(packet), packet)).toBe(true)
  }
})

/** What a description of a packet says nothing about, or only the kernel knows. */
const open =
  /limit|ct count|quota|queue|numgen|jhash|skuid|tcp option|tcp sequence|socket|tproxy|synproxy|pkttype|meta day|ct original bytes|sctp chunk|fib saddr . mark/
const counted = { rules: 0, packets: 0, sure: 0 }
for (const row of realRules) {
  const script = scriptOf(row)
  // A packet that is doubled to the loopback comes by again and again.
  if (script === undefined || row.text.startsWith('dup ')) continue
  test(`${row.origin}: ${row.text}`, async context => {
    if (row.needs) await needs(context, row.needs)
    // Before, packets that are stolen are not traced.
    if (row.text.includes('synproxy')) needsKernel(context, '5.19')
    await here.rules(script)
    counted.rules++
    for (const packet of packetsFor(row)) {
      const sure = agrees(await here.predict(packet), await here.send(packet), packet)
      counted.packets++
      if (sure) counted.sure++
      else expect(row.text).toMatch(open)
    }
  })
}
test('real-life rules were judged, and nearly all without a doubt', () => {
  expect(counted.rules).toBeGreaterThanOrEqual(140)
  expect(counted.sure / counted.packets).toBeGreaterThan(0.9)
})
