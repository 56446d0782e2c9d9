// Plans of other kinds of links, over several namespaces that are there, and up to the last port of a bridge.
import { expect, test } from 'vitest'
import { Namespace, Plan } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { type IpLink, linkNames, useOpenHost } from '../helpers/links.js'
import { everything } from '../helpers/plans.js'
import { bridge, ip, ping } from '../helpers/readers.js'
import { namedNamespaces, namespaceState } from '../helpers/state.js'

const host = useOpenHost()

test('macvlan, ifb, vxlan and tun, made by a plan where they are to be', async context => {
  await needs(context, 'macvlan', 'ifb', 'vxlan', 'tun', 'initial-user-namespace')
  const before = await everything(host.name)
  const plan = new Plan({ ipv6: 'none' })
  const here = plan.in(host.namespace)
  const name = host.named('kinds')
  const inside = plan.namespace(name, { loopback: true })
  const cable = here.links.create({ kind: 'veth', name: 'k0', up: true, peer: { namespace: inside, name: 'eth0', up: true } })
  inside.links.create({ kind: 'macvlan', name: 'mac0', link: cable.peer, up: true, options: { mode: 'bridge' } })
  inside.addresses.add('mac0', '10.70.0.2/24')
  here.links.create({ kind: 'macvlan', name: 'mac1', link: cable, namespace: inside, options: { mode: 'private' } })
  inside.links.create({ kind: 'ifb', name: 'ifb7', up: true })
  inside.links.create({ kind: 'vxlan', name: 'vx0', up: true, options: { id: 70, port: 4789, local: '10.70.0.2' } })
  inside.links.create({ kind: 'tun', name: 'tun0', options: { type: 'tap' } })
  here.links.create({ kind: 'vxlan', name: 'vx1', namespace: inside, options: { id: 71 } })
  here.links.create({ kind: 'ifb', name: 'ifb8', up: true })
  const result = await plan.apply()
  try {
    const found = new Map((await ip<IpLink>(name, 'link', 'show')).map(link => [link.ifname, link]))
    expect(found.get('mac0')).toMatchObject({ link: 'eth0', linkinfo: { info_kind: 'macvlan', info_data: { mode: 'bridge' } } })
    expect(found.get('mac1')).toMatchObject({ linkinfo: { info_kind: 'macvlan', info_data: { mode: 'private' } } })
    expect(found.get('ifb7')).toMatchObject({ flags: expect.arrayContaining(['UP']), linkinfo: { info_kind: 'ifb' } })
    expect(found.get('vx0')).toMatchObject({ linkinfo: { info_kind: 'vxlan', info_data: { id: 70, local: '10.70.0.2' } } })
    expect(found.get('vx1')).toMatchObject({ linkinfo: { info_data: { id: 71 } } })
    expect(found.get('tun0')).toMatchObject({ linkinfo: { info_kind: 'tun', info_data: { type: 'tap' } } })
    expect(await linkNames(host.name)).toEqual(['ifb8', 'k0'])
  } finally {
    await result.delete({ drain: true })
  }
  expect(await everything(host.name)).toEqual(before)
})

test('two namespaces that are there, connected with each other and with one that the plan makes', async () => {
  const [left, right] = [await Namespace.create(host.named('left')), await Namespace.create(host.named('right'))]
  try {
    const before = await Promise.all([left, right].map(one => namespaceState(one.name!)))
    const plan = new Plan()
    const [a, b, middle] = [plan.in(left), plan.in({ name: right.name! }), plan.namespace(host.named('middle'))]
    const direct = a.links.create({ kind: 'veth', name: 'to-right', up: true, peer: { namespace: b, name: 'to-left', up: true } })
    a.addresses.add(direct, '10.71.0.1/24')
    b.addresses.add(direct.peer, '10.71.0.2/24')
    for (const [i, [end, net]] of (
      [
        [a, '10.72.0'],
        [b, '10.73.0'],
      ] as const
    ).entries()) {
      const cable = middle.links.create({ kind: 'veth', name: `eth${i}`, up: true, peer: { namespace: end, name: 'to-middle', up: true } })
      middle.addresses.add(cable, `${net}.254/24`)
      end.addresses.add(cable.peer, `${net}.1/24`)
      end.routes.add({ to: i ? '10.72.0.0/24' : '10.73.0.0/24', via: `${net}.254` })
    }
    middle.sysctl.set('net.ipv4.ip_forward', 1)
    const result = await plan.apply()
    try {
      // More than one: a first packet may find links that have only just come up.
      const answers = async (from: Namespace, to: string) => (await ping(from.name, to, { count: 5, interval: 0.2 })).received > 0
      expect(await answers(left, '10.71.0.2')).toBe(true)
      expect(await answers(left, '10.73.0.1')).toBe(true)
      expect(await answers(right, '10.72.0.1')).toBe(true)
    } finally {
      await result.delete({ drain: true })
    }
    expect(await Promise.all([left, right].map(one => namespaceState(one.name!)))).toEqual(before)
  } finally {
    for (const one of [left, right]) await one.delete()
  }
})

/** So many ports of one bridge, and their other ends in one namespace. */
function ported(count: number): Plan {
  const plan = new Plan({ ipv6: 'none' })
  const here = plan.in(host.namespace)
  const hub = here.links.create({ kind: 'bridge', name: 'full0' })
  const inside = plan.namespace(host.named('ends'))
  for (let i = 0; i < count; i++)
    here.links.create({ kind: 'veth', name: `f${i}`, master: hub, peer: { namespace: inside, name: `e${i}` } })
  return plan
}

test('a bridge takes 1,023 ports, and the 1,024th is refused before anything is done', async () => {
  const result = await ported(1023).apply()
  expect(await bridge(host.name, 'link', 'show')).toHaveLength(1023)
  await result.delete({ drain: true })
  expect(await linkNames(host.name)).toEqual([])
  const refused = { code: 'ERR_NETLOOM_INVALID_PLAN', path: 'links[1024].master' }
  await expect(ported(1024).apply()).rejects.toMatchObject(refused)
  await expect(ported(1024).preflight()).rejects.toMatchObject(refused)
  expect(await linkNames(host.name)).toEqual([])
  expect(await namedNamespaces(host.named('ends'))).toEqual([])
})
