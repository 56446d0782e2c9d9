// Why the ping fails, as people meet it: Docker's FORWARD policy, neighbours of another subnet, published ports, spanning trees, and what nobody can see.
import { beforeEach, expect, test, vi } from 'vitest'
import { explain, Namespace } from '../../lib/index.js'
import { gets, type Rig, rig, toldOf } from '../helpers/explain-rig.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { patience } from '../helpers/patience.js'
import { answer, reach } from '../helpers/reach.js'
import { attempt, run } from '../helpers/readers.js'

const host = useHost()
beforeEach(context => needs(context, 'bridge', 'veth'))

const bridged = ({ blue, green, all }: Rig) => ({ from: blue, to: green, namespaces: all })
const passing = { verdict: 'passes', causes: [] }

test.for(['legacy', 'nft'] as const)(
  'S3.5: Docker left FORWARD with the policy DROP (%s): told, cured in both ways, put back',
  async (backend, context) => {
    await needs(context, 'tool:iptables', `iptables-${backend}`, 'bridge-netfilter')
    await using there = await rig(host)
    const { machine } = there
    const tool = `iptables-${backend}`
    const rules = () => run(machine.name, tool, '-S')
    await run(machine.name, tool, '-P', 'FORWARD', 'DROP')
    const before = await rules()
    const explanation = await explain(bridged(there))
    expect(await gets(there, 'green')).toBe(false)
    expect(explanation.causes).toHaveLength(1)
    const { kind, by, cures, text } = explanation.causes[0]!
    expect({ kind, by }).toMatchObject({ kind: 'bridge-netfilter', by: { backend, family: 'ip', table: 'filter', chain: 'FORWARD' } })
    expect(text).toMatch(/policy drop of FORWARD drops it .* only bridged, by br0/i)
    expect(cures.map(({ calls }) => calls?.map(({ call }) => call))).toEqual([
      ["sysctl.set('net.bridge.bridge-nf-call-iptables', 0)"],
      [`iptables.insertAccept({ in: 'br0' }, { backend: '${backend}' })`],
    ])
    for (const [i, putBack] of [
      () => machine.sysctl.set('net.bridge.bridge-nf-call-iptables', 1),
      () => machine.iptables.removeAccept({ in: 'br0' }, { backend }),
    ].entries()) {
      await cures[i]!.apply!()
      expect(toldOf(await explain(bridged(there)))).toEqual(passing)
      expect(await gets(there, 'green')).toBe(true)
      await putBack()
      expect(await rules()).toBe(before)
      expect(toldOf(await explain(bridged(there)))).toEqual(toldOf(explanation))
      expect(await gets(there, 'green')).toBe(false)
    }
  },
)

test('both backends drop at once, and both are told', async context => {
  await needs(context, 'tool:iptables', 'iptables-legacy', 'iptables-nft', 'bridge-netfilter')
  await using there = await rig(host)
  for (const tool of ['iptables-legacy', 'iptables-nft']) await run(there.machine.name, tool, '-P', 'FORWARD', 'DROP')
  const { causes } = await explain(bridged(there))
  expect(causes.map(({ by }) => by?.backend)).toEqual(['legacy', 'nft'])
  await causes[0]!.cures[1]!.apply!()
  expect(await gets(there, 'green')).toBe(false)
  await causes[1]!.cures[1]!.apply!()
  expect(await gets(there, 'green')).toBe(true)
  expect(toldOf(await explain(bridged(there)))).toEqual(passing)
})

test('S3.6: one namespace has 10.0.1.1/24, its neighbours on the bridge 10.220.1.x/24', async () => {
  await using there = await rig(host)
  const { blue, green, machine } = there
  await blue.routes.delete({ to: 'default' })
  await green.addresses.delete('eth0', '10.0.1.2/24')
  await green.addresses.add('eth0', '10.220.1.2/24')
  await machine.addresses.delete('br0', '10.0.1.254/24')
  await machine.addresses.add('br0', '10.220.1.1/24')
  await expect(blue.ping('10.220.1.2', { count: 1 })).rejects.toMatchObject({ code: 'ENETUNREACH' })
  const explanation = await explain(bridged(there))
  expect(explanation.causes.map(({ text }) => text)).toEqual([
    `no route to that subnet: eth0 of ${blue.name} has 10.0.1.1/24, eth0 of ${green.name} has 10.220.1.2/24, on the same bridge br0`,
  ])
  const [address, routes] = explanation.causes[0]!.cures
  expect(address!.calls).toEqual([{ namespace: blue.name, call: "addresses.add('eth0', '10.220.1.3/24')" }])
  await routes!.apply!()
  expect(await gets(there, 'green')).toBe(true)
  expect(toldOf(await explain(bridged(there)))).toEqual(passing)
  await blue.routes.delete({ to: '10.220.1.2' })
  await green.routes.delete({ to: '10.0.1.1' })
  await address!.apply!()
  expect(await gets(there, 'green')).toBe(true)
  expect(toldOf(await explain(bridged(there)))).toEqual(passing)
})

test('a published port: translated on the way there and back, and closed by a rule for that port alone', async context => {
  await needs(context, 'tool:nft', 'nftables')
  await using there = await rig(host)
  const { blue, green, far, machine, all } = there
  const nft = (text: string) => run(machine.name, 'nft', text)
  await nft(
    'add table ip pub; add chain ip pub pre { type nat hook prerouting priority -100; }; add rule ip pub pre tcp dport 8080 dnat to 10.0.1.1:80',
  )
  await nft('add chain ip pub post { type nat hook postrouting priority 100; }; add rule ip pub post oifname "br0" masquerade')
  await using server = await answer(blue, 80)
  expect(server.port).toBe(80)
  const asked = { from: far, to: '10.0.2.254', proto: 'tcp', port: 8080, namespaces: all } as const
  expect(await reach(far, '10.0.2.254', 8080)).toBe('10.0.1.254')
  const { verdict, steps } = await explain(asked)
  expect(verdict).toBe('passes')
  expect(steps.filter(({ kind }) => kind === 'translation').map(({ way, text }) => [way, text.replace(machine.name!, 'it')])).toEqual([
    ['there', 'it translates it: from 10.0.2.2 to 10.0.1.1 port 80'],
    ['there', 'it translates it: from 10.0.1.254 to 10.0.1.1 port 80'],
    ['back', 'it knows the connection: the answer goes to 10.0.2.2'],
    ['back', 'it knows the connection: the answer comes from 10.0.2.254'],
  ])
  expect(steps.at(-1)).toMatchObject({ kind: 'delivery', namespace: far.name })
  await nft(
    'add table inet fw; add chain inet fw c { type filter hook forward priority 0; }; add rule inet fw c tcp dport 80 ct status dnat drop',
  )
  const { causes } = await explain(asked)
  expect(causes.map(({ kind, by }) => [kind, by?.text])).toEqual([['firewall', 'tcp dport 80 ct status dnat drop']])
  expect(await reach(far, '10.0.2.254', 8080)).toBe('nothing')
  expect(toldOf(await explain({ ...asked, to: green, port: 81 }))).toEqual(passing)
  await causes[0]!.cures[0]!.apply!()
  expect(await reach(far, '10.0.2.254', 8080)).toBe('10.0.1.254')
  expect(toldOf(await explain(asked))).toEqual(passing)
})

test.for([
  ['a mark', 'meta mark set meta mark | 0x10', 'meta mark & 0x10 == 0x10 drop'],
  ['no tracking', 'notrack', 'ct state untracked drop'],
] as const)('what one hook notes beside the packet the next one sees: %s', async ([, noting, dropping], context) => {
  await needs(context, 'tool:nft', 'nftables')
  await using there = await rig(host)
  const { blue, machine, all } = there
  await run(
    machine.name,
    'nft',
    `add table inet n; add chain inet n pre { type filter hook prerouting priority -300; }; add rule inet n pre ${noting};
     add chain inet n later { type filter hook forward priority 0; }; add rule inet n later ${dropping}`,
  )
  const asked = { from: blue, to: '10.0.2.2', namespaces: all } as const
  expect(await gets(there, 'far')).toBe(false)
  const { verdict, causes } = await explain(asked)
  expect(verdict).toBe('dropped')
  expect(new Set(causes.map(({ kind, by }) => `${kind} ${by?.chain}`))).toEqual(new Set(['firewall later']))
  await run(machine.name, 'nft', 'delete table inet n')
  expect(await gets(there, 'far')).toBe(true)
  expect(toldOf(await explain(asked))).toEqual(passing)
})

test('a published port in legacy iptables', async context => {
  await needs(context, 'tool:iptables', 'iptables-legacy')
  await using there = await rig(host)
  const { blue, far, machine, all } = there
  const iptables = (line: string) => run(machine.name, 'iptables-legacy', '-t', 'nat', ...line.split(' '))
  await iptables('-N DOCKER')
  await iptables('-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER')
  await iptables('-A DOCKER -p tcp --dport 8080 -j DNAT --to-destination 10.0.1.1:80')
  await iptables('-A POSTROUTING -o br0 -j MASQUERADE')
  await using server = await answer(blue, 80)
  expect(await reach(far, '10.0.2.254', 8080)).toBe('10.0.1.254')
  const asked = { from: far, to: '10.0.2.254', proto: 'tcp', port: 8080, namespaces: all } as const
  const { verdict, steps } = await explain(asked)
  // Whether an address is one of the machine's own, iptables' rule asks and its words do not say.
  expect(verdict).toBe('unknown')
  expect(steps.filter(({ kind }) => kind === 'translation')).toMatchObject([{ way: 'there', outcome: 'unknown' }])
  await iptables('-D PREROUTING 1')
  await iptables('-A PREROUTING -j DOCKER')
  const plain = await explain(asked)
  expect(plain.verdict).toBe('passes')
  expect(plain.steps.some(({ namespace, kind, way }) => namespace === blue.name && kind === 'delivery' && way === 'there')).toBe(true)
  expect(server.port).toBe(80)
})

test('of two cables between bridges the spanning tree leaves one, and the packet is followed there', async () => {
  await using there = await rig(host)
  const { machine, green } = there
  await machine.links.update('to-green', { master: null })
  await using other = await Namespace.create(host.named('other'), { loopback: true, ipv6: 'static' })
  const stp = { kind: 'bridge', up: true, options: { stp: true, forwardDelay: 2, helloTime: 1 } } as const
  await other.links.create({ name: 'br1', ...stp })
  await machine.links.update('br0', { options: { stp: true, forwardDelay: 2, helloTime: 1, priority: 0x1000 } })
  for (const i of [1, 2])
    await machine.links.create({
      kind: 'veth',
      name: `up${i}`,
      master: 'br0',
      up: true,
      peer: { namespace: other, name: `down${i}`, up: true },
    })
  await other.links.create({ kind: 'veth', name: 'to-green', master: 'br1', up: true, peer: { namespace: green, name: 'eth1', up: true } })
  // The dearer one of the two is given up.
  await other.links.update('down1', { master: 'br1', port: { cost: 200 } })
  await other.links.update('down2', { master: 'br1', port: { cost: 10 } })
  await green.links.update('eth0', { up: false })
  await green.addresses.add('eth1', '10.0.1.3/24')
  const states = async () => Promise.all([1, 2].map(async i => (await other.links.get(`down${i}`)).port?.state))
  await vi.waitFor(async () => expect(await states()).toEqual(['blocking', 'forwarding']), { timeout: patience(30_000), interval: 200 })
  const asked = { from: there.blue, to: '10.0.1.3', namespaces: [...there.all, other] }
  await vi.waitFor(async () => expect((await there.blue.ping('10.0.1.3', { count: 1, timeout: 1 })).received).toBe(1), {
    timeout: patience(30_000),
  })
  const { verdict, steps } = await explain(asked)
  expect(verdict).toBe('passes')
  expect(steps.some(({ text }) => text.includes('down2'))).toBe(true)
  expect(steps.some(({ text }) => text.includes('down1'))).toBe(false)
})

test('an address that nobody has, a link without ARP, and what leads to where nobody can look', async context => {
  await needs(context, 'tool:ip')
  await using there = await rig(host)
  const { blue, green, machine, all } = there
  const to = (address: string) => explain({ from: blue, to: address, namespaces: all })
  expect(toldOf(await to('10.0.1.77'))).toEqual({ verdict: 'dropped', causes: [['unresolved', 'there', 'blue', 'eth0']] })
  expect((await blue.ping('10.0.1.77', { count: 1, timeout: 0.3 })).received).toBe(0)
  await run(green.name, 'ip', 'link', 'set', 'eth0', 'arp', 'off')
  expect(toldOf(await to('10.0.1.2'))).toEqual({ verdict: 'dropped', causes: [['no-arp', 'there', 'green', 'eth0']] })
  expect(await gets(there, 'green')).toBe(false)
  await run(green.name, 'ip', 'link', 'set', 'eth0', 'arp', 'on')
  expect(toldOf(await to('10.0.1.2'))).toEqual(passing)
  await machine.links.create({ kind: 'ifb', name: 'wan', up: true })
  await machine.addresses.add('wan', '192.0.2.1/24')
  expect(toldOf(await to('192.0.2.9'))).toEqual({ verdict: 'unknown', causes: [] })
})

test('IPv6: the same questions, other settings', async context => {
  await needs(context, 'ipv6', 'tool:nft', 'nftables')
  await using there = await rig(host)
  const { blue, green, far, machine, all } = there
  for (const [namespace, link, cidr] of [
    [machine, 'br0', 'fd00:1::fe/64'],
    [machine, 'to-far', 'fd00:2::fe/64'],
    [blue, 'eth0', 'fd00:1::1/64'],
    [green, 'eth0', 'fd00:1::2/64'],
    [far, 'eth0', 'fd00:2::2/64'],
  ] as const)
    await namespace.addresses.add(link, cidr)
  const asked = { from: blue, to: far, family: 6, namespaces: all } as const
  const pings = async () => {
    try {
      return (await blue.ping('fd00:2::2', { count: 1, timeout: 1 })).received === 1
    } catch {
      return false
    }
  }
  const explanation = await explain(asked)
  expect(toldOf(explanation)).toEqual({
    verdict: 'dropped',
    causes: [
      ['no-route', 'there', 'blue', 'eth0'],
      ['forwarding-off', 'there', 'machine'],
      ['no-link-local', 'there', 'machine', 'to-far'],
      ['no-route', 'back', 'far', 'eth0'],
    ],
  })
  for (const { cures } of explanation.causes) {
    expect(await pings()).toBe(false)
    await cures[0]!.apply!()
  }
  await vi.waitFor(async () => expect(await pings()).toBe(true), { timeout: patience(10_000) })
  expect(toldOf(await explain(asked))).toEqual(passing)
  await run(
    machine.name,
    'nft',
    'add table inet fw; add chain inet fw c { type filter hook forward priority 0; }; add rule inet fw c icmpv6 type echo-reply drop',
  )
  expect(toldOf(await explain(asked))).toEqual({ verdict: 'dropped', causes: [['firewall', 'back', 'machine', 'br0']] })
  expect(await pings()).toBe(false)
})

test('nothing is changed and nothing is sent by asking', async () => {
  await using there = await rig(host)
  const state = async () => {
    const seen: unknown[] = []
    for (const { name } of there.all) {
      for (const what of ['link', 'address', 'route', 'neigh', 'rule']) seen.push((await attempt(name, 'ip', ['-j', what, 'show'])).stdout)
      // Asking for a table of legacy iptables would make it.
      seen.push((await attempt(name, 'cat', ['/proc/net/ip_tables_names'])).stdout)
      // What has been sent, less the memberships that bridges tell of unasked.
      const counts = (await run(name, 'cat', '/proc/net/snmp')).split('\n')
      seen.push(counts.filter(line => /^(Icmp|Tcp|Udp): \d/.test(line)))
    }
    return seen
  }
  // What the links' coming up has brought about is still being noted.
  let before = await state()
  await vi.waitFor(async () => {
    const last = before
    before = await state()
    expect(before).toEqual(last)
  }, patience(10_000))
  await explain(bridged(there))
  await explain({ from: there.blue, to: there.far, proto: 'udp', port: 53 })
  expect(await state()).toEqual(before)
})

test('what is asked for must be something that can be asked for', async () => {
  const { name } = host
  const from = { name }
  await expect(explain({ to: '10.0.0.1' } as never)).rejects.toMatchObject({ path: 'from' })
  await expect(explain({ from } as never)).rejects.toMatchObject({ path: 'to' })
  await expect(explain({ from, to: 'green' })).rejects.toMatchObject({ path: 'to', code: 'ERR_NETLOOM_INVALID_ADDRESS' })
  await expect(explain({ from, to: '10.0.0.1', family: 6 })).rejects.toMatchObject({ path: 'family' })
  await expect(explain({ from, to: '10.0.0.1', source: 'fd00::1' })).rejects.toMatchObject({ path: 'family' })
  await expect(explain({ from, to: '10.0.0.1', proto: 'carrier-pigeon' })).rejects.toMatchObject({ path: 'proto' })
  await expect(explain({ from, to: '10.0.0.1', port: 70_000 })).rejects.toMatchObject({ path: 'port' })
  await expect(explain({ from, to: '10.0.0.1', ports: 7 } as never)).rejects.toMatchObject({
    path: 'ports',
    code: 'ERR_NETLOOM_UNKNOWN_OPTION',
  })
  await expect(explain({ from, to: '10.0.0.1', namespaces: 7 as never })).rejects.toMatchObject({ path: 'namespaces' })
  await expect(explain({ from, to: { name: host.named('nobody') } })).rejects.toMatchObject({ code: 'ENOENT' })
})
