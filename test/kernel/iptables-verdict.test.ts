// The ping over a bridge that iptables drops: told what drops it, cured, put back; and verdicts held against what packets really meet.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type IptablesPacket, Namespace } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { words } from '../helpers/iptables-rules.js'
import { attempt, run } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'

const host = useHost()
const machine = host.named('machine')
let box: Namespace
const ends: Namespace[] = []

beforeEach(context => needs(context, 'tool:iptables', 'iptables-legacy', 'iptables-nft', 'bridge', 'veth', 'bridge-netfilter'))
beforeAll(async () => {
  box = await Namespace.create(machine, { loopback: true })
  await box.links.create({ kind: 'bridge', name: 'br0', up: true })
  for (const i of [1, 2]) {
    const end = await Namespace.create(host.named(`end${i}`))
    ends.push(end)
    await box.links.create({ kind: 'veth', name: `veth${i}`, master: 'br0', up: true, peer: { namespace: end, name: 'eth0', up: true } })
    await end.addresses.add('eth0', `10.0.1.${i}/24`)
  }
  await box.sysctl.set('net.bridge.bridge-nf-call-iptables', 1)
})
afterAll(async () => {
  for (const namespace of [...ends, box]) await namespace?.delete()
})

const packet: IptablesPacket = {
  iif: 'br0',
  oif: 'br0',
  physicalIn: 'veth1',
  physicalOut: 'veth2',
  from: '10.0.1.1',
  to: '10.0.1.2',
  protocol: 'icmp',
  icmpType: 8,
  icmpCode: 0,
}
const passes = async () => (await ends[0]!.ping('10.0.1.2', { count: 1, timeout: 0.4 })).received === 1
const flush = async () => {
  for (const tool of ['iptables-legacy', 'iptables-nft']) {
    for (const table of ['filter', 'mangle', 'raw']) {
      for (const option of ['-F', '-X']) await attempt(machine, tool, ['-w', '-t', table, option])
      for (const chain of ['FORWARD', 'PREROUTING']) await attempt(machine, tool, ['-w', '-t', table, '-P', chain, 'ACCEPT'])
    }
  }
}

test.each(['legacy', 'nft'] as const)('a FORWARD policy of DROP in %s: explained, cured by an ACCEPT, put back', async backend => {
  await flush()
  await run(machine, `iptables-${backend}`, '-P', 'FORWARD', 'DROP')
  const before = await run(machine, `iptables-${backend}`, '-S')
  expect(await passes()).toBe(false)
  expect(await box.iptables.verdict(packet)).toMatchObject({
    verdict: 'drop',
    by: { backend, family: 4, table: 'filter', chain: 'FORWARD', text: 'policy DROP' },
  })
  expect(await box.iptables.insertAccept({ in: 'br0' })).toContain(backend)
  expect(await box.iptables.verdict(packet)).toEqual({ verdict: 'accept', unknown: [], unreadable: [] })
  expect(await passes()).toBe(true)
  await run(machine, `iptables-${backend}`, '-C', 'FORWARD', '-i', 'br0', '-j', 'ACCEPT')
  expect(await box.iptables.removeAccept({ in: 'br0' })).toContain(backend)
  expect(await run(machine, `iptables-${backend}`, '-S')).toBe(before)
  expect(await passes()).toBe(false)
})

test('an ACCEPT in one backend does not override a DROP in the other', async () => {
  await flush()
  for (const backend of ['legacy', 'nft']) await run(machine, `iptables-${backend}`, '-P', 'FORWARD', 'DROP')
  expect(await box.iptables.insertAccept({ in: 'br0' }, { backend: 'nft' })).toEqual(['nft'])
  expect(await passes()).toBe(false)
  expect(await box.iptables.verdict(packet)).toMatchObject({ verdict: 'drop', by: { backend: 'legacy' } })
  expect(await box.iptables.check({ in: 'br0' })).toBe(false)
  expect(await box.iptables.insertAccept({ in: 'br0' }, { backend: 'legacy' })).toEqual(['legacy'])
  expect(await passes()).toBe(true)
  expect(await box.iptables.check({ in: 'br0' })).toBe(true)
})

/** Rules, and the number and text of what drops the ping; undefined: nothing does. */
const cases: [string[], string | undefined][] = [
  [['-A FORWARD -i br0 -j DROP'], '-i br0 -j DROP'],
  [['-A FORWARD ! -i br0 -j DROP'], undefined],
  [['-A FORWARD -i br+ -o br+ -j REJECT'], '-i br+ -o br+ -j REJECT --reject-with icmp-port-unreachable'],
  [['-A FORWARD -s 10.0.1.0/30 -d 10.0.1.2 -j DROP'], '-s 10.0.1.0/30 -d 10.0.1.2/32 -j DROP'],
  [['-A FORWARD ! -s 10.0.1.0/24 -j DROP'], undefined],
  [['-A FORWARD -p tcp -j DROP'], undefined],
  [['-A FORWARD ! -p tcp -j DROP'], '! -p tcp -j DROP'],
  [['-A FORWARD -p icmp --icmp-type 8 -j DROP'], '-p icmp -m icmp --icmp-type 8 -j DROP'],
  [['-A FORWARD -p icmp --icmp-type 3 -j DROP'], undefined],
  [['-A FORWARD -m physdev --physdev-in veth1 -j DROP'], '-m physdev --physdev-in veth1 -j DROP'],
  [['-A FORWARD -m physdev --physdev-in veth2 --physdev-out veth1 -m mark --mark 1 -j DROP'], undefined],
  [['-A FORWARD -m physdev ! --physdev-is-bridged -j DROP'], undefined],
  [['-A FORWARD -m conntrack --ctstate NEW -j DROP'], '-m conntrack --ctstate NEW -j DROP'],
  [['-A FORWARD -m conntrack --ctstate INVALID -j DROP'], undefined],
  [['-A FORWARD -m state --state NEW -j DROP'], '-m state --state NEW -j DROP'],
  [['-A FORWARD -m comment --comment "for a test" -j DROP'], '-m comment --comment "for a test" -j DROP'],
  [['-A FORWARD -f -j DROP'], undefined],
  [['-N A', '-A A -j DROP', '-A FORWARD -j A'], '-j DROP'],
  [['-N A', '-A A -j RETURN', '-A A -j DROP', '-A FORWARD -j A'], undefined],
  [['-N A', '-A A -s 10.9.0.0/16 -j ACCEPT', '-A FORWARD -g A', '-A FORWARD -j ACCEPT', '-P FORWARD DROP'], 'policy DROP'],
  [['-N A', '-A A -s 10.9.0.0/16 -j ACCEPT', '-A FORWARD -j A', '-A FORWARD -j ACCEPT', '-P FORWARD DROP'], undefined],
  [['-A FORWARD -j ACCEPT', '-A FORWARD -j DROP'], undefined],
  [['-A FORWARD -j RETURN', '-A FORWARD -j DROP'], undefined],
  [['-t mangle -A FORWARD -i br0 -j DROP'], '-i br0 -j DROP'],
  [['-A FORWARD -m mark --mark 0x0/0xff -j DROP'], '-m mark --mark 0x0/0xff -j DROP'],
]
test.each(['legacy', 'nft'] as const)('verdicts in %s are what packets meet', async backend => {
  for (const [rules, text] of cases) {
    await flush()
    for (const rule of rules) await run(machine, `iptables-${backend}`, ...words(rule))
    const { verdict, by, unknown } = await box.iptables.verdict(packet)
    expect({ rules, verdict, text: by?.text, unknown }).toEqual({
      rules,
      verdict: text === undefined ? 'accept' : 'drop',
      text,
      unknown: [],
    })
    await box.conntrack.flush()
    expect({ rules, passes: await passes() }).toEqual({ rules, passes: text === undefined })
  }
})

test.each(['legacy', 'nft'] as const)('what cannot be judged in %s is said, and only where it decides', async backend => {
  const tool = (line: string) => run(machine, `iptables-${backend}`, ...words(line))
  await flush()
  await tool('-A FORWARD -p icmp -m string --string abc --algo bm -j DROP')
  expect(await box.iptables.verdict(packet)).toMatchObject({ verdict: 'unknown', unknown: [{ backend, chain: 'FORWARD', number: 1 }] })
  await tool('-A FORWARD -j DROP')
  expect(await box.iptables.verdict(packet)).toMatchObject({ verdict: 'drop', by: { number: 2 } })
  await tool('-I FORWARD -p tcp --dport 80 -j ACCEPT')
  const { icmpType: _, icmpCode: __, ...tcp } = { ...packet, protocol: 'tcp' }
  expect(await box.iptables.verdict(tcp)).toMatchObject({
    verdict: 'unknown',
    unknown: [{ number: 1, text: '-p tcp -m tcp --dport 80 -j ACCEPT' }],
  })
  expect(await box.iptables.verdict({ ...tcp, destinationPort: 80 })).toMatchObject({ verdict: 'accept' })
  expect(await box.iptables.verdict({ ...tcp, destinationPort: 81 })).toMatchObject({ verdict: 'drop' })
  await tool('-t mangle -A FORWARD -j MARK --set-mark 7')
  await tool('-I FORWARD -m mark --mark 7 -j ACCEPT')
  expect(await box.iptables.verdict(packet)).toMatchObject({ verdict: 'unknown', unknown: [{ text: '-m mark --mark 0x7 -j ACCEPT' }] })
})

test('a rule that nobody of iptables would write makes no promise', async () => {
  await flush()
  await run(machine, 'iptables-nft', '-P', 'FORWARD', 'DROP')
  await run(machine, 'nft', 'add rule ip filter FORWARD meta pkttype host accept')
  const { verdict, unknown } = await box.iptables.verdict(packet)
  expect({ verdict, unknown }).toMatchObject({ verdict: 'unknown', unknown: [{ backend: 'nft', number: 1 }] })
  const [filter] = await box.iptables.list({ backend: 'nft', table: 'filter', family: 4 })
  expect(filter!.chains.find(({ name }) => name === 'FORWARD')!.rules[0]).toMatchObject({ foreign: ['meta', 'cmp'] })
})

test('what a packet must say', async () => {
  await expect(box.iptables.verdict({ to: '10.0.0.1' } as IptablesPacket)).rejects.toMatchObject({ path: 'from' })
  await expect(box.iptables.verdict({ from: '10.0.0.1', to: 'fd00::1' })).rejects.toMatchObject({ path: 'to' })
  await expect(box.iptables.verdict({ ...packet, hook: 'ingress' as 'input' })).rejects.toMatchObject({ path: 'hook' })
  expect(await refusal(box.iptables.insertAccept({ chain: 'NOBODY' }))).toMatchObject({ code: 'ENOENT' })
})
