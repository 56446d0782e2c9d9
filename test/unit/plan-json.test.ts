// Plans as JSON: there and back without a difference, and everything that JSON from elsewhere can get wrong is refused with its path.
import { expect, test } from 'vitest'
import type { PlanData } from '../../lib/plan/items.js'
import { Plan } from '../../lib/plan/plan.js'

function everything(): Plan {
  const plan = new Plan({ ipv6: 'kernel' })
  const host = plan.in({ name: 'host' })
  const web = plan.namespace('web', { loopback: true, ipv6: 'none' })
  const anonymous = plan.namespace()
  plan.in({ path: '/run/netns/other' })
  plan.in({ pid: 7 })
  const bridge = host.links.create({ kind: 'bridge', name: 'br0', options: { stp: true, ageingTime: 30 } })
  const port = host.links.create({
    kind: 'veth',
    name: 'v0',
    master: bridge,
    port: { isolated: true },
    peer: { name: 'eth0', namespace: web, mac: '02:00:00:00:00:01' },
  })
  host.links.create({ kind: 'other:foo', options: new Uint8Array([1, 2, 255]) })
  host.links.update(bridge, { up: true, master: null })
  host.links.move('x', anonymous, { name: 'y' })
  host.links.delete('z')
  web.addresses.add(port.peer, '10.0.0.2/24', { validLifetime: Number.POSITIVE_INFINITY })
  web.addresses.delete('lo', '10.0.0.2/24')
  web.routes.add({ to: '10.1.0.0/16', nexthops: [{ link: port.peer, weight: 2 }, { via: '10.0.0.1' }] })
  web.neighbours.add({ address: '10.0.0.1', mac: '02:00:00:00:00:02', link: port.peer })
  web.rules.add({ from: '10.0.0.0/24', table: 100 })
  web.sysctl.set('net.ipv4.ip_forward', 1)
  return plan
}

test('a plan comes back as it was', () => {
  const plan = everything()
  const text = JSON.stringify(plan)
  const back = Plan.fromJSON(JSON.parse(text))
  expect(back.data()).toEqual(plan.data())
  expect(JSON.stringify(back)).toBe(text)
})

test('what is written is versioned and plain', () => {
  const plan = new Plan()
  plan.namespace('web').links.create({ kind: 'dummy', name: 'a' })
  expect(JSON.parse(JSON.stringify(plan))).toEqual({
    netloom: 1,
    ipv6: 'static',
    namespaces: [{ make: { name: 'web' } }],
    items: [{ in: 0, verb: 'links.create', spec: { kind: 'dummy', name: 'a' } }],
  })
})

test('a plan that was read goes on', () => {
  const plan = Plan.fromJSON(JSON.parse(JSON.stringify(everything())))
  plan.in({ name: 'host' }).links.create({ kind: 'dummy' })
  const { namespaces, items } = plan.data()
  expect(namespaces).toHaveLength(5)
  expect(items.at(-1)).toMatchObject({ in: 0, path: 'links[6]' })
})

type Json = Record<string, never> & PlanData
const refusals: [what: string, path: string, change: (json: Json) => unknown][] = [
  ['no object', '', () => []],
  ['nothing', '', () => null],
  ['another version', 'netloom', json => ({ ...json, netloom: 2 })],
  ['an unknown field', 'more', json => ({ ...json, more: 1 })],
  ['no policy', 'ipv6', ({ ipv6: _, ...json }) => json],
  ['another policy', 'ipv6', json => ({ ...json, ipv6: 'off' })],
  ['no list of namespaces', 'namespaces', json => ({ ...json, namespaces: {} })],
  ['no list of steps', 'items', ({ items: _, ...json }) => json],
]
const namespaceRefusals: [what: string, path: string, namespace: unknown][] = [
  ['null', '', null],
  ['neither', '', {}],
  ['both', '', { make: {}, use: { name: 'a' } }],
  ['a bad name', 'make.name', { make: { name: '../a' } }],
  ['a bad switch', 'make.loopback', { make: { loopback: 'yes' } }],
  ['an unknown field', 'make.more', { make: { more: 1 } }],
  ['another name', 'use.name', { use: { name: 'a/b' } }],
  ['no process', 'use.pid', { use: { pid: -1 } }],
  ['a descriptor', 'use.fd', { use: { fd: 3 } }],
  ['two ways', 'use', { use: { name: 'a', pid: 1 } }],
  ['not current', 'use.current', { use: { current: false } }],
  ['held', 'use.held', { use: { held: true } }],
]
const link = { planned: 'link', item: 0 }
const stepRefusals: [what: string, path: string, step: unknown][] = [
  ['null', '', null],
  ['no verb', 'verb', { in: 0 }],
  ['an inherited verb', 'verb', { in: 0, verb: 'toString' }],
  ['no namespace', 'in', { verb: 'links.delete', link: 'a' }],
  ['a namespace that is not there', 'in', { in: 2, verb: 'links.delete', link: 'a' }],
  ['an unknown field', 'more', { in: 0, verb: 'links.delete', link: 'a', more: 1 }],
  ['no spec', 'spec', { in: 0, verb: 'links.create' }],
  ['a bad name', 'spec.peer.name', { in: 0, verb: 'links.create', spec: { kind: 'veth', peer: { name: 'a/b' } } }],
  ['a bad option', 'spec.options.id', { in: 0, verb: 'links.create', spec: { kind: 'vxlan', options: { id: 'x' } } }],
  ['bytes that are none', 'spec.options', { in: 0, verb: 'links.create', spec: { kind: 'other:foo', options: { $bytes: '%' } } }],
  ['an unknown special value', 'spec.mtu', { in: 0, verb: 'links.create', spec: { kind: 'dummy', mtu: { $date: '1' } } }],
  ['a namespace by name', 'spec.namespace', { in: 0, verb: 'links.create', spec: { kind: 'dummy', namespace: 'web' } }],
  [
    'no namespace of the plan',
    'spec.namespace',
    { in: 0, verb: 'links.create', spec: { kind: 'dummy', namespace: { planned: 'namespace', number: 9 } } },
  ],
  ['a source', 'spec.namespace.name', { in: 0, verb: 'links.create', spec: { kind: 'dummy', namespace: { name: 'a' } } }],
  ['a later link', 'link', { in: 0, verb: 'links.delete', link: { planned: 'link', item: 5 } }],
  ['the step itself', 'spec.link', { in: 0, verb: 'links.create', spec: { kind: 'macvlan', link: { planned: 'link', item: 2 } } }],
  ['a step that makes none', 'link', { in: 0, verb: 'links.delete', link: { planned: 'link', item: 1 } }],
  ['the peer of a bridge', 'link.peer', { in: 0, verb: 'links.delete', link: { ...link, peer: true } }],
  ['an object as link', 'link.index', { in: 0, verb: 'links.delete', link: { index: 1 } }],
  ['a bad link', 'link', { in: 0, verb: 'links.update', link: '', change: {} }],
  ['a bad change', 'change.mtu', { in: 0, verb: 'links.update', link, change: { mtu: 'x' } }],
  ['a bad master', 'change.master.item', { in: 0, verb: 'links.update', link, change: { master: { item: { $bigint: 'x' } } } }],
  ['nowhere', 'to', { in: 0, verb: 'links.move', link }],
  ['a name as the way to go', 'to', { in: 0, verb: 'links.move', link, to: 'web' }],
  ['a number as destination', 'route.to', { in: 0, verb: 'routes.add', route: { to: 7 } }],
  ['a name as namespace', 'spec.namespace', { in: 0, verb: 'links.create', spec: { kind: 'veth', namespace: 'web' } }],
  ['no namespace', 'spec.namespace', { in: 0, verb: 'links.create', spec: { kind: 'veth', namespace: null } }],
  ['a bad new name', 'options.name', { in: 0, verb: 'links.move', link, to: { planned: 'namespace', number: 1 }, options: { name: '' } }],
  ['a bad address', 'cidr', { in: 0, verb: 'addresses.add', link, cidr: 7 }],
  [
    'a bad way',
    'route.nexthops[0].link',
    { in: 0, verb: 'routes.add', route: { to: 'default', nexthops: [{ link: { planned: 'link', item: 9 } }] } },
  ],
  ['nexthops that are none', 'route.nexthops', { in: 0, verb: 'routes.add', route: { to: 'default', nexthops: 'x' } }],
  ['a bad neighbour', 'entry.mac', { in: 0, verb: 'neighbours.add', entry: { address: '10.0.0.1', link, mac: 'x' } }],
  ['a bad rule', 'rule.from', { in: 0, verb: 'rules.add', rule: { from: 'x' } }],
  ['a bad key', 'key', { in: 0, verb: 'sysctl.set', key: 'net/../kernel', value: 1 }],
  ['a bad value', 'value', { in: 0, verb: 'sysctl.set', key: 'net.x', value: { a: 1 } }],
]

const base = () => ({
  netloom: 1,
  ipv6: 'static',
  namespaces: [{ make: { name: 'web' } }, { make: {} }] as unknown[],
  items: [
    { in: 0, verb: 'links.create', spec: { kind: 'bridge', name: 'br0' } },
    { in: 0, verb: 'links.delete', link: 'a' },
  ] as unknown[],
})
const pathOf = (json: unknown) => {
  try {
    Plan.fromJSON(json as object)
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_NETLOOM_/) })
    return (error as { path?: string }).path ?? ''
  }
  throw new Error('was not refused')
}

test.each(refusals)('JSON with %s is refused at %j', (_, path, change) => {
  expect(pathOf(change(base() as never))).toBe(path)
})
test.each(namespaceRefusals)('a namespace with %s is refused at %j', (_, path, namespace) => {
  const json = base()
  json.namespaces.push(namespace)
  expect(pathOf(json)).toBe(path ? `namespaces[2].${path}` : 'namespaces[2]')
})
test.each(stepRefusals)('a step with %s is refused at %j', (_, path, step) => {
  const json = base()
  json.items.push(step)
  expect(pathOf(json)).toBe(path ? `items[2].${path}` : 'items[2]')
})

test('names from another prototype are only names', () => {
  const json = JSON.parse(
    '{"netloom":1,"ipv6":"static","namespaces":[{"make":{}}],"items":[{"in":0,"verb":"links.create","spec":{"kind":"dummy","__proto__":{"up":true}}}]}',
  )
  expect(pathOf(json)).toBe('items[0].spec.__proto__')
})

test('what is nested without an end is refused before it uses up the stack', () => {
  const json = base()
  const turning: Record<string, unknown> = { kind: 'bridge' }
  turning.options = turning
  json.items.push({ in: 0, verb: 'links.create', spec: turning })
  expect(pathOf(json)).toMatch(/^items\[2\]\.spec\.options\.options/)
  const deep = Array.from({ length: 50_000 }).reduce<object>(inner => ({ inner }), {})
  json.items[2] = { in: 0, verb: 'links.create', spec: { kind: 'bridge', options: deep } }
  expect(pathOf(json)).toMatch(/^items\[2\]\.spec\.options\.inner/)
})
