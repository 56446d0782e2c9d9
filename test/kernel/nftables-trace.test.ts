// What becomes of packets, rule by rule, beside what `nft monitor trace` prints of the same.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { Namespace, type NftTraceEvent, type NftTraceStep, traceText, nft as words } from '../../lib/index.js'
import { isKernel, needs, needsKernel } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { attempt, ping, run, start } from '../helpers/readers.js'

const host = useHost()
let here: Namespace
beforeEach(context => needs(context, 'tool:nft', 'tool:ping', 'nftables'))
beforeAll(async () => {
  here = await Namespace.open({ name: host.name })
})
afterEach(() => here.nftables.flush())
afterAll(async () => {
  await here?.close()
})

const nft = (...commands: string[]) => run(host.name, 'nft', commands.join('; '))
const made = [
  'add table inet web',
  'add chain inet web pre { type filter hook prerouting priority -300; policy accept; }',
  'add chain inet web sub',
  'add rule inet web pre icmp type echo-request meta nftrace set 1',
  'add rule inet web pre ip daddr { 127.0.0.1, 127.0.0.2 } mark set 7 jump sub',
  'add rule inet web sub ip ttl 64 return',
]
/** A step that kernels up to 6.1 at least tell at the end of a base chain. */
const atEnd = <T>(step: T): T[] => (isKernel('6.12') ? [] : [step])
async function steps(events: AsyncIterator<NftTraceEvent>, last: (step: NftTraceStep) => boolean): Promise<NftTraceStep[]> {
  const all: NftTraceStep[] = []
  for (;;) {
    const event = (await events.next()).value!
    if (event.type === 'ready' || event.type === 'lost') continue
    all.push(event)
    if (last(event)) return all
  }
}

test('the way of a packet is told as nft tells it', async () => {
  await nft(...made)
  await using events = here.nftables.trace()
  expect((await events.next()).value).toEqual({ type: 'ready', legacy: [] })
  await using theirs = await start(host.name, 'nft', ['monitor', 'trace'])
  const first = theirs.lines.next()
  let heard = false
  void first.then(() => {
    heard = true
  })
  while (!heard) await ping(host.name, '127.0.0.1')
  const id = /trace id (\w+)/.exec((await first).value ?? '')?.[1] ?? ''
  let line = ''
  const lines: string[] = []
  while (!line.includes('policy')) {
    line = ((await theirs.lines.next()).value ?? '').trim()
    lines.push(line)
  }
  const all = await steps(events, step => step.type === 'policy' && step.id === Number.parseInt(id, 16))
  const ours = all.filter(step => step.id === Number.parseInt(id, 16))
  expect(ours.flatMap(step => traceText(step).split('\n')).slice(1)).toEqual(lines)
  expect(ours[0]).toMatchObject({
    type: 'rule',
    family: 'inet',
    table: 'web',
    chain: 'pre',
    iif: 'lo',
    verdict: { continue: null },
    packet: { source: '127.0.0.1', destination: '127.0.0.1', protocol: 'icmp', ttl: 64, length: 84, icmpType: 8, icmpCode: 0 },
  })
  expect(ours.map(({ type, chain, verdict, policy }) => [type, chain, verdict ?? policy])).toEqual([
    ['rule', 'pre', { continue: null }],
    ['rule', 'pre', { jump: { target: 'sub' } }],
    [isKernel('6.12') ? 'rule' : 'return', 'sub', { return: null }],
    ...atEnd(['return', 'pre', { continue: null }]),
    ['policy', 'pre', 'accept'],
  ])
  expect(ours.at(-1)?.mark).toBe(7)
})

test('a match is traced by a table of our own, which goes with the iterator', async context => {
  needsKernel(context, '5.12')
  await nft('add table ip f', 'add chain ip f in { type filter hook input priority 0; }', 'add rule ip f in udp dport 9 drop')
  const before = await run(host.name, 'nft', 'list', 'ruleset')
  const controller = new AbortController()
  const events = here.nftables.trace({ match: [words.udp.dport(9)], signal: controller.signal })
  await events.next()
  expect(await run(host.name, 'nft', 'list', 'ruleset')).toContain('udp dport 9 meta nftrace set 1')
  await run(host.name, 'bash', '-c', 'echo hi > /dev/udp/127.0.0.1/9')
  const [dropped] = await steps(events, () => true)
  expect(dropped).toMatchObject({
    table: 'f',
    chain: 'in',
    verdict: { drop: null },
    packet: { protocol: 'udp', destinationPort: 9, udpLength: 11 },
  })
  expect(dropped?.rule?.expr).toEqual((await here.nftables.rules.list({ family: 'ip', table: 'f' }))[0]?.expr)
  const waiting = events.next()
  controller.abort()
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  expect(await run(host.name, 'nft', 'list', 'ruleset')).toBe(before)
  const left = here.nftables.trace({ match: [words.ip6.saddr('::1')], family: 'ip6' })
  await left.next()
  await left.return()
  expect(await run(host.name, 'nft', 'list', 'ruleset')).toBe(before)
})

test('a match cannot be traced by kernels whose tables have no owner, and they say so', async context => {
  if (isKernel('5.12')) context.skip('this kernel has tables with an owner')
  const events = here.nftables.trace({ match: [words.udp.dport(9)] })
  await expect(events.next()).rejects.toMatchObject({
    code: 'EINVAL',
    path: 'tables[0]',
    hint: expect.stringContaining('Linux before 5.12'),
  })
})

test('TRACE of iptables-nft is told', async context => {
  await needs(context, 'tool:iptables')
  for (const chain of ['PREROUTING', 'OUTPUT'])
    await run(host.name, 'iptables-nft', '-t', 'raw', '-A', chain, '-p', 'icmp', '--icmp-type', '8', '-j', 'TRACE')
  await using events = here.nftables.trace()
  await events.next()
  await ping(host.name, '127.0.0.1')
  const all = await steps(events, ({ type, chain }) => type === 'policy' && chain === 'PREROUTING')
  expect(all.map(({ table, chain, type, oif, iif }) => [table, chain, type, iif ?? oif])).toEqual([
    ['raw', 'OUTPUT', 'rule', 'lo'],
    ...atEnd(['raw', 'OUTPUT', 'return', undefined]),
    ['raw', 'OUTPUT', 'policy', undefined],
    ['raw', 'PREROUTING', 'rule', 'lo'],
    ...atEnd(['raw', 'PREROUTING', 'return', undefined]),
    ['raw', 'PREROUTING', 'policy', undefined],
  ])
})

test('TRACE of iptables-legacy, which goes to the log, is said', async context => {
  await needs(context, 'tool:iptables')
  const { code } = await attempt(host.name, 'iptables-legacy', ['-t', 'raw', '-A', 'PREROUTING', '-j', 'TRACE'])
  if (code !== 0) context.skip('this kernel has no legacy table raw, or no TRACE in it')
  await using events = here.nftables.trace()
  expect((await events.next()).value).toEqual({ type: 'ready', legacy: ['ip raw'] })
  await run(host.name, 'iptables-legacy', '-t', 'raw', '-F')
})
