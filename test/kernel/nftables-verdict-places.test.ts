// What nftables.verdict() says in other places: rule sets of iptables-nft, bridges, chains where connections are not tracked, half a description.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type IptablesPacket, Namespace, type NftablesPacket } from '../../lib/index.js'
import { isKernel, needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { load } from '../helpers/nftables-rows.js'
import { agrees, type Bench, bench } from '../helpers/nftables-traffic.js'
import { attempt } from '../helpers/readers.js'

const host = useHost()
let here: Bench
beforeEach(context => needs(context, 'tool:nft', 'nftables', 'veth', 'bridge'))
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
const six = { from: 'fd01::2', to: 'fd02::2' }

test('what is accepted comes out at the other side, what is dropped does not', async () => {
  await here.rules(
    'table inet f {\nchain through { type filter hook forward priority 0; policy drop;\ntcp dport { 22, 80-90 } accept\nip6 nexthdr udp reject\n}\n}\n',
  )
  for (const [packet, verdict, by] of [
    [tcp, 'accept', undefined],
    [{ ...tcp, ...six, destinationPort: 22 }, 'accept', undefined],
    [{ ...tcp, destinationPort: 91 }, 'drop', 'policy drop'],
    [{ ...tcp, ...six, protocol: 'udp', tcpFlags: undefined }, 'drop', 'ip6 nexthdr udp reject'],
  ] as const) {
    const before = await here.delivered()
    const { tcpFlags, ...rest } = packet
    const sent: NftablesPacket = { ...rest, ...(tcpFlags ? { tcpFlags } : {}) }
    const verdicts = await here.predict(sent)
    const last = verdicts.at(-1)
    expect([last?.verdict, last?.by?.text]).toEqual([verdict, by && expect.stringContaining(by)])
    if (by?.includes('reject')) expect(verdicts.at(-1)?.rejects).toBe(true)
    expect(agrees(verdicts, await here.send(sent), sent)).toBe(true)
    // The marker that follows each packet is no TCP to these ports: it never comes out.
    while (verdict === 'accept' && (await here.delivered()) === before);
    expect((await here.delivered()) - before).toBe(verdict === 'accept' ? 1 : 0)
  }
})

/** As Docker 20.10 leaves them, with a published port. */
const docker = `*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o veth2 -j MASQUERADE
-A DOCKER -i veth2 -j RETURN
-A DOCKER ! -i veth2 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
*mangle
:FORWARD ACCEPT [0:0]
-A FORWARD -p udp -j MARK --set-xmark 0x7/0xff
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m comment --comment "ssh in" -j ACCEPT
-A FORWARD -j DOCKER-USER
-A FORWARD -m mark --mark 0x7 -j ACCEPT
-A FORWARD -o veth2 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o veth2 -j DOCKER
-A FORWARD -i veth2 ! -o veth2 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 ! -i veth2 -o veth2 -p tcp -m multiport --dports 80,443 -j ACCEPT
-A DOCKER-USER -s 10.0.1.66/32 -j REJECT --reject-with icmp-host-prohibited
-A DOCKER-USER -j RETURN
COMMIT
`
test('rule sets of iptables-nft, with their own matches and targets', async context => {
  await needs(context, 'iptables-nft')
  await here.rules('')
  const { code, stderr } = await attempt(here.where, 'iptables-nft-restore', [], docker)
  expect({ code, stderr }).toMatchObject({ code: 0 })
  for (const [packet, to, verdict] of [
    [{ ...tcp, to: '10.0.1.1', destinationPort: 8080 }, '172.17.0.2', 'accept'],
    [{ ...tcp, to: '10.0.1.1', destinationPort: 22 }, '10.0.1.1', 'accept'],
    [tcp, '10.0.2.2', 'drop'],
    [{ ...tcp, from: '10.0.1.66', to: '172.17.0.2' }, '172.17.0.2', 'drop'],
    [{ from: '10.0.1.2', to: '10.0.2.2', protocol: 'udp', sourcePort: 7, destinationPort: 9 }, '10.0.2.2', 'accept'],
  ] as const) {
    const verdicts = await here.predict(packet)
    expect({ packet, to: verdicts[0]?.packet.to, verdict: verdicts.at(-1)?.verdict }).toEqual({ packet, to, verdict })
    expect(agrees(verdicts, await here.send(packet), packet)).toBe(true)
  }
  // The tables of iptables, asked as such, know kinds of addresses too.
  const { tcpFlags: _, ...plain } = tcp
  const { verdict } = await here.box.iptables.verdict({ ...plain, hook: 'prerouting', iif: 'veth1' } as IptablesPacket)
  expect(verdict).toBe('accept')
})

test('without conntrack chains for address translation may not be met', async () => {
  const name = host.named('plain')
  await using plain = await Namespace.create(name)
  await load(name, 'table ip n {\nchain pre { type nat hook prerouting priority dstnat;\ntcp dport 80 drop\n}\n}\n')
  const packet = { ...tcp, hook: 'prerouting', iif: 'eth0' } as const
  expect(await plain.nftables.verdict(packet)).toMatchObject({ verdict: 'unknown', unknown: [{ table: 'n', text: 'tcp dport 80 drop' }] })
  await load(name, 'table ip c {\nchain aside { ct state new; }\n}\n')
  expect(await plain.nftables.verdict(packet)).toMatchObject({ verdict: 'drop', by: { table: 'n', text: 'tcp dport 80 drop' } })
  expect(await plain.nftables.verdict({ ...packet, state: 'established' })).toMatchObject({ verdict: 'accept', steps: [] })
  await plain.nftables.tables.update({ family: 'ip', name: 'n' }, { dormant: true })
  expect(await plain.nftables.verdict(packet)).toMatchObject({ verdict: 'accept', steps: [] })
})

test('only what decides is unknown, and it is said', async () => {
  await here.rules(
    'table ip f {\nchain through { type filter hook forward priority 0;\nmeta cpu 1 counter\nlimit rate 1/second accept\ntcp dport 22 drop\n}\n}\n',
  )
  const { destinationPort: _, ...portless } = { ...tcp, iif: 'veth1', oif: 'veth2' } as const
  const texts = async (packet: NftablesPacket) => {
    const { verdict, unknown } = await here.box.nftables.verdict(packet)
    return [verdict, ...unknown.map(({ text }) => text.replace(' burst 5 packets', ''))]
  }
  expect(await texts({ ...portless, destinationPort: 23 })).toEqual(['accept'])
  expect(await texts({ ...portless, destinationPort: 22 })).toEqual(['unknown', 'limit rate 1/second accept'])
  expect(await texts(portless)).toEqual(['unknown', 'limit rate 1/second accept', 'tcp dport 22 drop']) // Behind a goto that may be taken the rest of the chain may not be met.
  for (const way of ['goto', 'jump']) {
    await here.rules(
      `table ip f {\nchain aside {\n${way === 'jump' ? 'accept' : ''}\n}\nchain through { type filter hook forward priority 0;\ntcp dport 22 ${way} aside\nip saddr 10.0.1.2 drop\n}\n}\n`,
    )
    expect(await texts({ ...portless, destinationPort: 22 })).toEqual(['accept'])
    expect(await texts({ ...portless, destinationPort: 23 })).toEqual(['drop'])
    expect(await texts(portless)).toEqual(['unknown', `tcp dport 22 ${way} aside`])
  }
})

/** Older kernels, 6.1 too, lead frames past chains of priority 0 where br_netfilter has them filtered by iptables too. */
const priority = isKernel('6.12') ? 0 : 1
test('bridges: frames from port to port', async () => {
  const name = host.named('switch')
  await using box = await Namespace.create(name, { loopback: true })
  await box.links.create({ kind: 'bridge', name: 'br0', up: true })
  const ends: Namespace[] = []
  const macs: string[] = []
  try {
    for (const i of [1, 2]) {
      const end = await Namespace.create(host.named(`port${i}`))
      ends.push(end)
      await box.links.create({ kind: 'veth', name: `p${i}`, master: 'br0', up: true, peer: { namespace: end, name: 'eth0', up: true } })
      await end.addresses.add('eth0', `10.0.3.${i}/24`)
      macs.push((await end.links.get('eth0')).mac ?? '')
    }
    const frame: NftablesPacket = {
      layer: 'bridge',
      iif: 'p1',
      oif: 'p2',
      from: '10.0.3.1',
      to: '10.0.3.2',
      protocol: 'icmp',
      icmpType: 8,
      icmpCode: 0,
      sourceMac: macs[0]!,
      destinationMac: macs[1]!,
    }
    for (const [rules, policy, by] of [
      ['ip saddr 10.0.3.1 drop', 'accept', 'ip saddr 10.0.3.1 drop'],
      ['ip saddr 10.0.3.3 drop', 'accept', undefined],
      [`ether saddr ${macs[0]} drop`, 'accept', `ether saddr ${macs[0]} drop`],
      ['iifname "p1" oifname "p2" ip protocol icmp drop', 'accept', 'iifname "p1" oifname "p2" ip protocol icmp drop'],
      ['ether type arp accept', 'drop', 'policy drop'],
      ['vlan id 5 drop', 'accept', undefined],
      ['ether type { arp, ip } accept', 'drop', undefined],
      ['meta mark set 3\nmeta mark 3 drop', 'accept', 'meta mark 0x00000003 drop'],
    ] as const) {
      await box.nftables.flush()
      await load(
        name,
        `table bridge f {\nchain through { type filter hook forward priority ${priority}; policy ${policy};\n${rules}\n}\n}\n`,
      )
      const verdict = await box.nftables.verdict({ ...frame, iif: 'br0', oif: 'br0', physicalIn: 'p1', physicalOut: 'p2' })
      expect({ rules, verdict: verdict.verdict, by: verdict.by?.text }).toEqual({ rules, verdict: by ? 'drop' : 'accept', by })
      expect(await box.nftables.verdict(frame)).toMatchObject({ verdict: by ? 'drop' : 'accept' })
      expect({ rules, passes: (await ends[0]!.ping('10.0.3.2', { count: 1, timeout: 0.3 })).received === 1 }).toEqual({
        rules,
        passes: !by,
      })
    }
    await box.nftables.flush()
    await load(name, 'table bridge f {\nchain through { type filter hook forward priority 0;\narp operation request drop\n}\n}\n')
    const asked = { layer: 'bridge', iif: 'p1', oif: 'p2', from: '10.0.3.1', to: '10.0.3.2' } as const
    expect(await box.nftables.verdict({ ...asked, arp: 'request' })).toMatchObject({ verdict: 'drop' })
    expect(await box.nftables.verdict({ ...asked, arp: 'reply' })).toMatchObject({ verdict: 'accept' })
  } finally {
    for (const end of ends) await end.delete()
  }
})

test('what no packet can be is said before anything is read', async () => {
  const refused = (packet: object) => expect(here.box.nftables.verdict(packet as NftablesPacket)).rejects
  await refused({ ...tcp, hook: 'elsewhere' }).toMatchObject({ path: 'hook' })
  await refused({ ...tcp, to: 'fd00::1' }).toMatchObject({ path: 'to' })
  await refused({ ...tcp, from: 'unknown', to: 'unknown' }).toMatchObject({ path: 'to' })
  await refused({ ...tcp, hook: 'ingress' }).toMatchObject({ path: 'iif' })
  await refused({ ...tcp, connection: { status: ['odd'] } }).toMatchObject({ path: 'connection.status[0]' })
  await refused({ ...tcp, connection: { original: { sourcePort: -1 } } }).toMatchObject({ path: 'connection.original.sourcePort' })
})
