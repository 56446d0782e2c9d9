// Writing a plan down: what it holds afterwards, and which mistakes are refused where they are written.
import { expect, test } from 'vitest'
import { Plan } from '../../lib/plan/plan.js'

const refusal = (act: () => unknown): { name: string; code?: string; path?: string; message: string } => {
  try {
    act()
  } catch (error) {
    const { name, code, path, message } = error as Error & { code?: string; path?: string }
    return { name, message, ...(code && { code }), ...(path && { path }) }
  }
  throw new Error('was not refused')
}

/** A bridge and so many namespaces on it. */
function bridged(count: number): Plan {
  const plan = new Plan()
  const host = plan.in({ name: 'host' })
  const bridge = host.links.create({ kind: 'bridge', name: 'br0', up: true })
  host.addresses.add(bridge, '10.0.0.1/24')
  for (let i = 0; i < count; i++) {
    const web = plan.namespace(`web${i}`, { loopback: true })
    const port = host.links.create({
      kind: 'veth',
      name: `v${i}`,
      master: bridge,
      up: true,
      peer: { name: 'eth0', namespace: web, up: true },
    })
    web.addresses.add(port.peer, `10.0.0.${i + 2}/24`)
    web.routes.add({ to: 'default', via: '10.0.0.1', link: port.peer })
  }
  return plan
}

test('steps are data in the order in which they were said, objects are numbers', () => {
  const { ipv6, namespaces, items } = bridged(1).data()
  expect(ipv6).toBe('static')
  expect(namespaces).toEqual([{ use: { name: 'host' } }, { make: { name: 'web0', loopback: true } }])
  expect(items).toEqual([
    { verb: 'links.create', in: 0, path: 'links[0]', spec: { kind: 'bridge', name: 'br0', up: true } },
    { verb: 'addresses.add', in: 0, path: 'addresses[0]', link: { planned: 'link', item: 0 }, cidr: '10.0.0.1/24' },
    {
      verb: 'links.create',
      in: 0,
      path: 'links[1]',
      spec: {
        kind: 'veth',
        name: 'v0',
        up: true,
        master: { planned: 'link', item: 0 },
        peer: { name: 'eth0', up: true, namespace: { planned: 'namespace', number: 1 } },
      },
    },
    { verb: 'addresses.add', in: 1, path: 'addresses[1]', link: { planned: 'link', item: 2, peer: true }, cidr: '10.0.0.2/24' },
    {
      verb: 'routes.add',
      in: 1,
      path: 'routes[0]',
      route: { to: 'default', via: '10.0.0.1', link: { planned: 'link', item: 2, peer: true } },
    },
  ])
})

test('every verb is written down', () => {
  const plan = new Plan({ ipv6: 'kernel' })
  const a = plan.namespace('a')
  const link = a.links.create({ kind: 'dummy', name: 'd0' })
  a.links.update(link, { mtu: 1400, master: null })
  a.links.move(link, plan.namespace(), { name: 'd1' })
  a.links.delete('d2')
  a.addresses.replace('lo', '10.1.0.1/32', { scope: 'host' })
  a.addresses.delete('lo', '10.1.0.1/32')
  a.routes.replace({ to: '10.2.0.0/16', nexthops: [{ link }, { via: '10.0.0.9', weight: 2 }] })
  a.routes.delete({ to: '10.2.0.0/16' })
  a.neighbours.add({ address: '10.0.0.9', mac: '02:00:00:00:00:09', link })
  a.neighbours.replace({ address: '10.0.0.9', mac: '02:00:00:00:00:08', link })
  a.neighbours.delete({ address: '10.0.0.9', link })
  a.rules.add({ from: '10.0.0.0/24', table: 100 })
  a.rules.delete({ from: '10.0.0.0/24', table: 100 })
  a.sysctl.set('net.ipv4.ip_forward', 1)
  const { namespaces, items } = plan.data()
  expect(namespaces).toEqual([{ make: { name: 'a' } }, { make: {} }])
  expect(items.map(({ verb, path }) => [verb, path])).toEqual([
    ['links.create', 'links[0]'],
    ['links.update', 'links[1]'],
    ['links.move', 'links[2]'],
    ['links.delete', 'links[3]'],
    ['addresses.replace', 'addresses[0]'],
    ['addresses.delete', 'addresses[1]'],
    ['routes.replace', 'routes[0]'],
    ['routes.delete', 'routes[1]'],
    ['neighbours.add', 'neighbours[0]'],
    ['neighbours.replace', 'neighbours[1]'],
    ['neighbours.delete', 'neighbours[2]'],
    ['rules.add', 'rules[0]'],
    ['rules.delete', 'rules[1]'],
    ['sysctl.set', 'sysctl[0]'],
  ])
  expect(items[1]).toMatchObject({ link: { planned: 'link', item: 0 }, change: { mtu: 1400, master: null } })
  expect(items[2]).toMatchObject({ to: { planned: 'namespace', number: 1 }, options: { name: 'd1' } })
  expect(items[6]).toMatchObject({ route: { nexthops: [{ link: { planned: 'link', item: 0 } }, { via: '10.0.0.9', weight: 2 }] } })
})

test('what the caller does with the arguments later changes nothing', () => {
  const plan = new Plan()
  const spec = { kind: 'bridge' as const, name: 'br0', altNames: ['a'], options: { stp: true } }
  plan.namespace('a').links.create(spec)
  spec.name = 'other'
  spec.altNames.push('b')
  spec.options.stp = false
  expect(plan.data().items[0]).toMatchObject({ spec: { name: 'br0', altNames: ['a'], options: { stp: true } } })
})

test('a link that was read is meant by its index, a namespace that is used twice is one', () => {
  const plan = new Plan()
  const host = plan.in({ name: 'host' })
  host.addresses.add({ index: 4 }, '10.0.0.1/24')
  plan.in({ name: 'host' }).links.create({ kind: 'dummy', namespace: { path: '/run/netns/other' } })
  expect(plan.data().items[0]).toMatchObject({ link: 4 })
  expect(plan.data().namespaces).toEqual([{ use: { name: 'host' } }, { use: { path: '/run/netns/other' } }])
})

test('a namespace says what the links in it do with IPv6, unless they do', () => {
  const plan = new Plan()
  const host = plan.in({ name: 'host' })
  const a = plan.namespace('a', { ipv6: 'none' })
  host.links.create({ kind: 'veth', peer: { namespace: a } })
  host.links.create({ kind: 'veth', peer: { namespace: a, ipv6: 'kernel' } })
  a.links.create({ kind: 'veth' })
  a.links.create({ kind: 'dummy', namespace: plan.in({ name: 'host' }) })
  const specs = plan.data().items.map(item => ('spec' in item ? item.spec : undefined))
  expect(specs[0]).toMatchObject({ peer: { ipv6: 'none' } })
  expect(specs[0]).not.toHaveProperty('ipv6')
  expect(specs[1]).toMatchObject({ peer: { ipv6: 'kernel' } })
  expect(specs[2]).toMatchObject({ ipv6: 'none', peer: { ipv6: 'none' } })
  expect(specs[3]).not.toHaveProperty('ipv6')
})

test('wrong arguments are refused at the verb, with their path', () => {
  const plan = bridged(3)
  const host = plan.in({ name: 'host' })
  const cases: [() => unknown, string, string?][] = [
    [() => host.links.create({ kind: 'veth', name: 'x', peer: { name: 'a/b' } }), 'links[4].peer.name', 'ERR_NETLOOM_INVALID_NAME'],
    [() => host.links.create({ kind: 'vxlan', options: { id: -1 } }), 'links[4].options.id'],
    [() => host.links.create({ kind: 'dummy', nmae: 'x' } as never), 'links[4].nmae', 'ERR_NETLOOM_UNKNOWN_OPTION'],
    [() => host.links.create({ kind: 'dummy', namespace: 'web' as never }), 'links[4].namespace', 'ERR_NETLOOM_INVALID_NAMESPACE'],
    [() => host.links.create({ kind: 'dummy', namespace: { fd: 7 } as never }), 'links[4].namespace', 'ERR_NETLOOM_INVALID_NAMESPACE'],
    [() => host.links.create(undefined as never), 'links[4]'],
    [() => host.links.update('br0', { mtu: -1 }), 'links[4].mtu'],
    [() => host.links.update('', {}), 'links[4].link'],
    [() => host.links.move('v0', { name: 'a/b' }), 'links[4].to.name'],
    [() => host.links.move('v0', { name: 'a' }, { name: '' }), 'links[4].name'],
    [() => host.links.delete(undefined as never), 'links[4].link'],
    [() => host.addresses.add('br0', '10.0.0.300/24'), 'addresses[4].cidr', 'ERR_NETLOOM_INVALID_ADDRESS'],
    [() => host.addresses.add('br0', 'fd00::1/64', { label: 'x' }), 'addresses[4].options.label'],
    [() => host.routes.add({ to: '10.0.0.1/24', via: '10.0.0.2' }), 'routes[3].to'],
    [() => host.routes.add({ to: '10.0.0.0/24', nexthops: [{ via: 'x' }] }), 'routes[3].nexthops[0].via'],
    [() => host.neighbours.add({ address: 'x', link: 'br0' }), 'neighbours[0].address'],
    [() => host.rules.delete({}), 'rules[0].priority'],
    [() => host.sysctl.set('kernel.hostname', 'x'), 'sysctl[0].key', 'ERR_NETLOOM_INVALID_SYSCTL'],
    [() => host.sysctl.set('net.ipv4.ip_forward', {} as never), 'sysctl[0].value', 'ERR_NETLOOM_INVALID_VALUE'],
    [() => plan.namespace('a/b'), 'name', 'ERR_NETLOOM_INVALID_NAME'],
    [() => plan.namespace('a', { loopback: 1 as never }), 'options.loopback'],
    [() => new Plan({ ipv6: 'off' as never }), 'ipv6'],
  ]
  const before = plan.data()
  for (const [act, path, code] of cases) expect(refusal(act), path).toMatchObject({ path, ...(code && { code }) })
  expect(plan.data()).toEqual(before)
})

test('links and namespaces of another plan are refused', () => {
  const other = new Plan()
  const theirs = other.namespace('a')
  const link = theirs.links.create({ kind: 'veth' })
  const plan = new Plan()
  const host = plan.in({ name: 'host' })
  const refused = { name: 'TypeError', code: 'ERR_NETLOOM_OTHER_PLAN' }
  expect(refusal(() => host.links.delete(link))).toMatchObject({ ...refused, path: 'links[0].link' })
  expect(refusal(() => host.addresses.add(link.peer, '10.0.0.1/24'))).toMatchObject({ ...refused, path: 'addresses[0].link' })
  expect(refusal(() => host.routes.add({ to: 'default', nexthops: [{ link }] }))).toMatchObject({
    ...refused,
    path: 'routes[0].nexthops[0].link',
  })
  expect(refusal(() => host.links.create({ kind: 'dummy', namespace: theirs }))).toMatchObject({ ...refused, path: 'links[0].namespace' })
  expect(refusal(() => host.links.create({ kind: 'veth', peer: { master: link } }))).toMatchObject({
    ...refused,
    path: 'links[0].peer.master',
  })
  expect(refusal(() => host.links.move('x', theirs))).toMatchObject({ ...refused, path: 'links[0].to' })
  expect(refusal(() => plan.in(theirs as never))).toMatchObject({ path: 'namespace' })
})

test('an object that is no link is refused also where a link may be left out', () => {
  const plan = new Plan()
  const a = plan.namespace('a')
  const nothing = {} as { index: number }
  const refused = { name: 'TypeError', code: 'ERR_NETLOOM_INVALID_LINK' }
  expect(refusal(() => a.links.create({ kind: 'veth', master: nothing }))).toMatchObject({ ...refused, path: 'links[0].master' })
  expect(refusal(() => a.links.create({ kind: 'veth', peer: { master: nothing } }))).toMatchObject({
    ...refused,
    path: 'links[0].peer.master',
  })
  expect(refusal(() => a.links.update('lo', { master: nothing }))).toMatchObject({ ...refused, path: 'links[0].master' })
  expect(refusal(() => a.routes.add({ to: '10.0.0.0/8', link: nothing }))).toMatchObject({ ...refused, path: 'routes[0].link' })
  expect(refusal(() => a.routes.add({ to: '10.0.0.0/8', nexthops: [{ link: nothing }] }))).toMatchObject({
    ...refused,
    path: 'routes[0].nexthops[0].link',
  })
  expect(plan.data().items).toEqual([])
})
