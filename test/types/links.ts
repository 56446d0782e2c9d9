// Compiled, never run: what links.create() takes and gives by kind. Each line fails the compiler if it no longer holds.
import type { Link, LinkChange, LinkCreate, LinkOf, Namespace, NamespaceInfo, Peer } from '../../lib/index.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <T extends true>() => undefined as T | undefined
type Has<T, K extends PropertyKey> = K extends keyof T ? true : false

declare const here: Namespace
const { links } = here

/** Never called. */
export async function accepted(): Promise<void> {
  const veth = await links.create({
    kind: 'veth',
    name: 'a',
    up: true,
    peer: { name: 'b', namespace: { name: 'blue' }, master: 'br0', port: { isolated: true } },
  })
  const bare = await links.create({ kind: 'veth' })
  const bridge = await links.create({
    kind: 'bridge',
    options: { stp: true, ageingTime: 5, multicastSnooping: false, noLinkLocalLearning: true },
  })
  const vxlan = await links.create({ kind: 'vxlan', link: 2, options: { id: 5, group: 'ff02::1', portRange: { low: 1, high: 2 } } })
  const macvlan = await links.create({ kind: 'macvlan', link: veth, options: { mode: 'bridge' } })
  const macvtap = await links.create({ kind: 'macvtap', link: 'a' })
  const ipvlan = await links.create({ kind: 'ipvlan', link: 'a', options: { mode: 'l3s', flags: ['private'] } })
  const vlan = await links.create({ kind: 'vlan', link: { index: 5 }, options: { id: 5, protocol: '802.1ad', reorderHeader: false } })
  const tap = await links.create({ kind: 'tun', options: { type: 'tap', owner: 1000 } })
  const dummy = await links.create({ kind: 'dummy' })
  const ifb = await links.create({ kind: 'ifb', mtu: 9000 })
  const other = await links.create({ kind: 'other:geneve', link: 'a', options: new Uint8Array(8) })

  // The kind narrows what comes back.
  is<Equal<typeof veth.kind, 'veth'>>()
  is<Equal<typeof bridge.options.stp, boolean>>()
  is<Equal<typeof bridge.options.bridgeId, string>>()
  is<Equal<typeof bridge.options.ageingTime, number>>()
  is<Equal<typeof vxlan.options.id, number>>()
  is<Equal<typeof vlan.options.id, number>>()
  is<Equal<typeof macvtap.kind, 'macvtap'>>()
  is<Equal<typeof tap.options.persist, boolean>>()
  is<Equal<typeof other.kind, 'other:geneve'>>()
  is<Equal<typeof other.options, Uint8Array | undefined>>()
  const mode: 'private' | 'vepa' | 'bridge' | 'passthru' | 'source' | number = macvlan.options.mode
  void mode
  const ipvlanMode: 'l2' | 'l3' | 'l3s' | number = ipvlan.options.mode
  void ipvlanMode
  is<Equal<Has<typeof ipvlan.options, 'flags'>, true>>()

  // Only a veth has another end, and where it was made is known.
  is<Equal<typeof veth.peer.namespace, NamespaceInfo>>()
  is<Has<typeof bare, 'peer'>>()
  is<Equal<Has<typeof bridge, 'peer'>, false>>()
  is<Equal<Has<typeof dummy, 'peer'>, false>>()
  is<Equal<Has<typeof ifb, 'options'>, false>>()
  is<Equal<Has<typeof vxlan.options, 'link'>, false>>()
  is<Equal<Has<typeof vxlan.options, 'group6'>, false>>()

  // So do lists and the links of anybody.
  is<Equal<Awaited<ReturnType<typeof links.peer>>, Peer | undefined>>()
  for (const link of await links.list({ kind: 'bridge' })) is<Equal<typeof link.options.stp, boolean>>()
  for (const link of await links.list()) {
    is<Equal<typeof link, Link>>()
    if (link.kind === 'vxlan') is<Equal<typeof link.options.id, number>>()
    if (link.kind === 'bridge') is<Equal<typeof link.options.rootId, string>>()
    if (link.kind === undefined) is<Equal<typeof link.mtu, number>>()
  }
  is<Equal<LinkOf<'veth'>['kind'], 'veth'>>()

  // What was built up before is taken as well.
  const specs: LinkCreate[] = [{ kind: 'veth' }, { kind: 'vlan', link: 'a', options: { id: 1 } }, { kind: 'other:x' }]
  for (const spec of specs) is<Equal<Awaited<ReturnType<typeof links.create<typeof spec.kind>>>['name'], string>>()
  const change: LinkChange = { master: null, options: { ageingTime: 5 }, port: { cost: 1 } }
  await links.update('a', change)
  await links.update('a', { options: new Uint8Array(4) })
}

/** Never called. */
export async function refused(): Promise<void> {
  // @ts-expect-error a misspelt field
  await links.create({ kind: 'veth', mtuu: 1500 })
  // @ts-expect-error a misspelt field of the peer
  await links.create({ kind: 'veth', peer: { nmae: 'b' } })
  // @ts-expect-error a misspelt option
  await links.create({ kind: 'bridge', options: { ageing: 5 } })
  // @ts-expect-error the kernel's abbreviation
  await links.create({ kind: 'bridge', options: { mcastSnooping: true } })
  // @ts-expect-error another kind's option
  await links.create({ kind: 'bridge', options: { id: 5 } })
  // @ts-expect-error another kind's option
  await links.create({ kind: 'vxlan', options: { id: 5, stp: true } })
  // @ts-expect-error a veth has no options
  await links.create({ kind: 'veth', options: {} })
  // @ts-expect-error neither has a dummy
  await links.create({ kind: 'dummy', options: { id: 5 } })
  // @ts-expect-error a bridge has no peer
  await links.create({ kind: 'bridge', peer: {} })
  // @ts-expect-error a bridge sits on nothing
  await links.create({ kind: 'bridge', link: 'a' })
  // @ts-expect-error a vxlan needs options
  await links.create({ kind: 'vxlan' })
  // @ts-expect-error a vxlan needs an id
  await links.create({ kind: 'vxlan', options: { port: 4789 } })
  // @ts-expect-error a vlan needs an id
  await links.create({ kind: 'vlan', link: 'a', options: { protocol: '802.1q' } })
  // @ts-expect-error a vlan needs a device below
  await links.create({ kind: 'vlan', options: { id: 5 } })
  // @ts-expect-error a macvlan needs a device below
  await links.create({ kind: 'macvlan' })
  // @ts-expect-error no such mode
  await links.create({ kind: 'macvlan', link: 'a', options: { mode: 'bridged' } })
  // @ts-expect-error no such flag
  await links.create({ kind: 'ipvlan', link: 'a', options: { flags: ['bridge'] } })
  // @ts-expect-error a tun needs a type
  await links.create({ kind: 'tun', options: {} })
  // @ts-expect-error the index of a tun cannot be chosen
  await links.create({ kind: 'tun', index: 5, options: { type: 'tun' } })
  // @ts-expect-error no such kind
  await links.create({ kind: 'geneve' })
  // @ts-expect-error a kind is needed
  await links.create({ name: 'a' })
  // @ts-expect-error of another type
  await links.create({ kind: 'bridge', options: { stp: 1 } })
  // @ts-expect-error the kernel reports this and does not take it
  await links.create({ kind: 'bridge', options: { bridgeId: '8000.000000000000' } })
  // @ts-expect-error the kernel reports this and does not take it
  await links.create({ kind: 'veth', master: 'br0', port: { number: 1 } })
  // @ts-expect-error no such port option
  await links.create({ kind: 'veth', master: 'br0', port: { hairpinMode: true } })
  // @ts-expect-error bytes only
  await links.create({ kind: 'other:geneve', options: { id: 5 } })
  // @ts-expect-error only null frees a port
  await links.update('a', { master: false })
  // @ts-expect-error chosen when it is made
  await links.update('a', { index: 5 })
  // @ts-expect-error no kind has such an option
  await links.update('a', { options: { nonesuch: 5 } })
  // @ts-expect-error no such kind
  await links.list({ kind: 'nonesuch' })
  // @ts-expect-error no such filter
  await links.list({ knid: 'veth' })
  const bridge = await links.create({ kind: 'bridge' })
  // @ts-expect-error only a veth has one
  void bridge.peer
  // @ts-expect-error what was made is not changed by assignment
  bridge.mtu = 5
  for (const link of await links.list()) {
    // @ts-expect-error the kind is not known yet
    void link.options?.stp
  }
}
