// What is sent for named objects and flowtables, against what nft sends: byte by byte.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { viewOf } from '../../lib/codec/walk.js'
import { Writer } from '../../lib/codec/writer.js'
import { prepare, Recorder, type Transaction } from '../../lib/kernel/nftables/record.js'
import { World } from '../../lib/kernel/nftables/world.js'
import type { Scope } from '../../lib/kernel/scope.js'
import { flowtable } from '../../lib/protocol/nftables/flowtable.js'
import { object } from '../../lib/protocol/nftables/object.js'
import { encode, headerLength } from '../../lib/socket/frame.js'

const captured = JSON.parse(readFileSync(new URL('captured/nftables-objects.json', import.meta.url), 'utf8')) as readonly {
  readonly text: string
  readonly sent: string
}[]
const ip = { family: 'ip', table: 't', name: 'a' } as const
const ip6 = { ...ip, family: 'ip6' } as const
const inet = { ...ip, family: 'inet' } as const

/** The same as nft was told, in the order of the file. */
const ours: readonly ((t: Transaction) => void)[] = [
  t => t.counters.create({ ...inet, packets: 5, bytes: 700 }),
  t => t.quotas.create({ ...inet, bytes: 5 * 1024 * 1024, used: 3072, inv: true }),
  t => t.limits.create({ ...ip, rate: 400, rate_unit: 'mbytes', per: 'minute', burst: 9, burst_unit: 'kbytes', inv: true }),
  t => t.ctHelpers.create({ ...ip, type: 'ftp', protocol: 'tcp', l3proto: 'ip' }),
  t => t.ctHelpers.create({ ...inet, type: 'sip', protocol: 'udp', l3proto: 'ip6' }),
  t => t.ctTimeouts.create({ ...ip, protocol: 'tcp', policy: { unack: 8, established: 120, close: 20, syn_sent2: 7 } }),
  t => t.ctTimeouts.create({ ...ip6, protocol: 'udp', l3proto: 'ip6', policy: { unreplied: 10, replied: 500 } }),
  t => t.ctExpectations.create({ ...ip, protocol: 'udp', dport: 5432, timeout: 3_600_000, size: 12 }),
  t => t.synproxies.create({ ...ip, mss: 1460, wscale: 7, flags: ['timestamp', 'sack-perm'] }),
  t => t.synproxies.create({ ...inet, mss: 1220, wscale: 0 }),
  t => t.secmarks.create({ ...inet, context: 'system_u:object_r:ssh_server_packet_t:s0' }),
  t => t.flowtables.create({ ...inet, hook: 'ingress', prio: 'filter', dev: 'lo' }),
  t => t.flowtables.create({ ...ip, prio: 'filter + 10', dev: ['lo', 'eth9'], flags: 'offload' }),
  t => t.flowtables.create({ ...ip6, prio: -5, dev: ['lo'], flags: ['counter'] }),
]

async function written(build: (t: Transaction) => void): Promise<string[]> {
  const recorder = new Recorder()
  build(recorder.verbs)
  const { changes } = await prepare(new World({} as Scope, { echo: false }), recorder.recorded)
  return changes.map(change => {
    const writer = new Writer()
    encode(writer, change, change.flags ?? 0, 1)
    return Buffer.from(writer.copy(headerLength)).toString('hex')
  })
}
/** nft sends devices in another order, and some names without the zero at their end: what is read out of it is the same. */
const otherwise = /eth9|^ct helper|^secmark/
function decoded(text: string, hex: string): unknown {
  const bytes = Buffer.from(hex, 'hex')
  const value = (text.startsWith('flowtable') ? flowtable : object).read(viewOf(bytes), 0, bytes.length) as { hook?: { devs?: string[] } }
  value.hook?.devs?.sort()
  return value
}

test.each(captured.map(({ text, sent }, i) => [text, sent, ours[i]!] as const))('%s', async (text, sent, build) => {
  const [first = '', ...more] = await written(build)
  expect(more).toEqual([])
  expect(decoded(text, first)).toEqual(decoded(text, sent))
  if (!otherwise.test(text)) expect(first).toBe(sent)
})

test('every message that was captured is compared', () => {
  expect(ours).toHaveLength(captured.length)
})
