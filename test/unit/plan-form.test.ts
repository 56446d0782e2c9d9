// Steps like one that was said before are not looked at in full again: that must change nothing but the time it takes.
import { describe, expect, test } from 'vitest'
import type { Item } from '../../lib/plan/items.js'
import { Plan } from '../../lib/plan/plan.js'

type Fields = Record<string, unknown>
/** A plan with what steps refer to. */
function world() {
  const plan = new Plan()
  const host = plan.in({ name: 'host' })
  const bridge = host.links.create({ kind: 'bridge', name: 'br0' })
  const pair = host.links.create({ kind: 'veth', name: 'v0' })
  const other = new Plan().in({ name: 'host' }).links.create({ kind: 'bridge', name: 'br0' })
  return { plan, host, inside: plan.namespace('web', { ipv6: 'kernel' }), bridge, pair, other }
}
type World = ReturnType<typeof world>

/** One step of each sort, and how the verb is called with it. */
const sorts: Readonly<Record<string, { readonly given: (at: World) => Fields; readonly say: (at: World, given: never) => unknown }>> = {
  bridge: {
    given: () => ({ kind: 'bridge', name: 'br1', mtu: 1400, options: { vlanFiltering: true }, altNames: ['one', 'two'] }),
    say: ({ host }, given) => host.links.create(given),
  },
  veth: {
    given: ({ bridge, inside, host }) => {
      const peer = { name: 'p1', mac: '02:00:00:00:00:02', namespace: host, master: bridge, up: true, ipv6: 'none' }
      return { kind: 'veth', name: 'eth0', mac: '02:00:00:00:00:01', up: true, namespace: inside, peer }
    },
    say: ({ inside }, given) => inside.links.create(given),
  },
  macvlan: {
    given: ({ pair }) => ({ kind: 'macvlan', link: pair, name: 'm0', mtu: undefined }),
    say: ({ host }, given) => host.links.create(given),
  },
  change: {
    given: ({ bridge }) => ({ master: bridge, up: true, alias: 'some' }),
    say: ({ host, pair }, given) => host.links.update(pair, given),
  },
  address: {
    given: ({ pair }) => ({ link: pair, cidr: '10.0.0.1/24', options: { label: 'v0:1', preferredLifetime: 60 } }),
    say: ({ host }, { link, cidr, options }: { link: never; cidr: never; options: never }) => host.addresses.add(link, cidr, options),
  },
  route: {
    given: ({ pair }) => ({ to: '10.1.0.0/16', via: '10.0.0.2', link: pair, metric: 7 }),
    say: ({ host }, given) => host.routes.add(given),
  },
  multipath: {
    given: ({ pair, bridge }) => ({
      to: '10.2.0.0/16',
      nexthops: [
        { via: '10.0.0.2', link: pair },
        { via: '10.0.0.3', link: bridge, weight: 2 },
      ],
    }),
    say: ({ host }, given) => host.routes.add(given),
  },
  neighbour: {
    given: ({ pair }) => ({ address: '10.0.0.9', mac: '02:00:00:00:00:09', link: pair }),
    say: ({ host }, given) => host.neighbours.add(given),
  },
  rule: { given: () => ({ from: '10.0.0.0/24', table: 100 }), say: ({ host }, given) => host.rules.add(given) },
  sysctl: {
    given: () => ({ key: 'net.ipv4.ip_forward', value: 1 }),
    say: ({ host }, { key, value }: { key: never; value: never }) => host.sysctl.set(key, value),
  },
}

const values: readonly ((at: World) => unknown)[] = [
  ...[undefined, null, true, -1, 5, 1e9, '', 'x', 'a/b', 'a-name-that-is-too-long', '02:00:00:00:00:0a', '02:00:00:00:00'].map(
    one => () => one,
  ),
  ...['10.0.0.7/24', '10.0.0.0/24', '10.0.0.300/24', '010.0.0.1/24', '10.3.0.0/16', '10.3.0.1/16', '10.3.0.1', '::1/64'].map(
    one => () => one,
  ),
  () => [],
  () => ({}),
  () => ({ 0: 'one', 1: 'two' }),
  () => ['one', 'two'],
  () => new Uint8Array(2),
  () => ({ kind: 'bridge', name: 'br0', index: 3 }),
  ({ pair }) => pair,
  ({ pair }) => pair.peer,
  ({ other }) => other,
  ({ inside }) => inside,
  () => ({ name: 'elsewhere' }),
]

/** All that can be another: each field by its path, one that nobody knows in each object. */
function places(given: unknown, path: readonly string[] = []): string[][] {
  if (typeof given !== 'object' || given === null || 'planned' in given) return []
  return [...Object.entries(given).flatMap(([name, value]) => [[...path, name], ...places(value, [...path, name])]), [...path, 'unheardOf']]
}

function put(given: Fields, path: readonly string[], value: unknown): void {
  const into = path.slice(0, -1).reduce((one, name) => one[name] as Fields, given)
  into[path.at(-1)!] = value
}

/** What a step comes to in a world in which others have been said, without what tells which of its verb it is. */
function outcome(sort: string, before: number, path: readonly string[], value: (at: World) => unknown): unknown {
  const { given, say } = sorts[sort]!
  const at = world()
  for (let i = 0; i < before; i++) say(at, given(at) as never)
  const { namespaces } = at.plan.data()
  const own = given(at)
  put(own, path, value(at))
  try {
    say(at, own as never)
  } catch (error) {
    expect(at.plan.data().namespaces).toEqual(namespaces)
    const { name, code, message, path: where } = error as Error & { code?: string; path?: string }
    return { name, code, message: message.replace(/\[\d+\]/, '[]'), where: where?.replace(/\[\d+\]/, '[]') }
  }
  const { items, namespaces: all } = at.plan.data()
  const { path: _, ...item } = items.at(-1)!
  return { item: plainly(item), namespaces: all }
}
/** Fields with undefined are a difference here. */
const plainly = (item: unknown) => JSON.parse(JSON.stringify(item, (_, value) => (value === undefined ? 'undefined' : value)))

describe.each(Object.keys(sorts))('%s', sort => {
  test('a step comes to the same, whatever was said before it', () => {
    let refused = 0
    for (const path of places(sorts[sort]!.given(world())))
      for (const value of values) {
        const alone = outcome(sort, 0, path, value)
        expect({ path, value: String(value), is: outcome(sort, 2, path, value) }).toEqual({ path, value: String(value), is: alone })
        if ('code' in (alone as object)) refused++
      }
    expect(refused).toBeGreaterThan(20)
  })

  test('one like another has its pattern, and is a copy of its own', () => {
    const at = world()
    const { given, say } = sorts[sort]!
    const own = [given(at), given(at), given(at)]
    for (const one of own) say(at, one as never)
    const { items, patterns } = at.plan.data()
    const [first, ...others] = patterns!.slice(-3)
    expect(others).toEqual([first, first])
    const written = structured(items.slice(-3))
    for (const one of own) for (const name of Object.keys(one)) spoil(one, name)
    expect(structured(items.slice(-3))).toEqual(written)
  })
})

const structured = (items: readonly Item[]) => JSON.stringify(items)
function spoil(object: Fields, name: string): void {
  const value = object[name]
  if (typeof value === 'object' && value !== null && !('planned' in value))
    for (const inner of Object.keys(value)) spoil(value as Fields, inner)
  else object[name] = 'spoiled'
}

test('bytes are copied, not taken for like others', () => {
  const { plan, host } = world()
  const bytes = new Uint8Array([1, 2])
  for (let i = 0; i < 2; i++) host.links.create({ kind: 'other:foo', name: `foo${i}`, options: bytes })
  bytes.fill(9)
  const options = plan.data().items.map(item => (item as { spec: { options?: unknown } }).spec.options)
  expect(options.slice(2)).toEqual([new Uint8Array([1, 2]), new Uint8Array([1, 2])])
})

test('a field that is not given is not one that nobody knows', () => {
  const { host, pair } = world()
  host.links.create({ kind: 'macvlan', link: pair, name: 'm0', mtu: undefined } as never)
  expect(() => host.links.create({ kind: 'macvlan', link: pair, name: 'm1', unheardOf: 5 } as never)).toThrow('links[3].unheardOf')
})

test('values that stand for themselves may differ', () => {
  const { plan, host, bridge } = world()
  for (let i = 0; i < 3; i++) {
    const inside = plan.namespace(`in${i}`)
    const peer = { name: `port${i}`, mac: `02:00:00:00:01:0${i}`, namespace: host, master: bridge }
    const eth0 = inside.links.create({ kind: 'veth', name: `eth${i}`, mac: `02:00:00:00:00:0${i}`, peer })
    inside.addresses.add(eth0, `10.0.${i}.1/16`)
    inside.routes.add({ to: `10.${i + 1}.0.0/16`, via: '10.0.0.1', link: eth0 })
  }
  const { items, patterns } = plan.data()
  expect(patterns!.slice(2)).toEqual([2, 3, 4, 2, 3, 4, 2, 3, 4])
  expect(items.slice(-3)).toMatchObject([
    { spec: { name: 'eth2', mac: '02:00:00:00:00:02', peer: { name: 'port2', namespace: { number: 0 }, master: { item: 0 } } } },
    { link: { planned: 'link', item: 8 }, cidr: '10.0.2.1/16' },
    { route: { to: '10.3.0.0/16', link: { planned: 'link', item: 8 } } },
  ])
})

test('links of two sorts in turn, and what namespaces say of IPv6, are told apart', () => {
  const plan = new Plan()
  const [one, two] = [plan.namespace('one', { ipv6: 'none' }), plan.namespace('two', { ipv6: 'kernel' })]
  for (const here of [one, two, one, two]) {
    here.links.create({ kind: 'bridge', name: 'br0' })
    here.links.create({ kind: 'veth', name: 'v0', peer: { namespace: two } })
  }
  const { items, patterns } = plan.data()
  expect(patterns).toEqual([0, 1, 2, 3, 0, 1, 2, 3])
  const specs = items.map(item => (item as { spec: { ipv6?: string; peer?: { ipv6?: string } } }).spec)
  expect(specs.map(({ ipv6 }) => ipv6)).toEqual(['none', 'none', 'kernel', 'kernel', 'none', 'none', 'kernel', 'kernel'])
  expect(specs.filter(({ peer }) => peer).map(({ peer }) => peer!.ipv6)).toEqual(['kernel', 'kernel', 'kernel', 'kernel'])
})
