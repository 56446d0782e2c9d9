// Links that cannot be made: a clear error, and nothing left behind in any namespace.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type LinkCreate, Namespace } from '../../lib/index.js'
import { runBuilt } from '../helpers/built.js'
import { needs } from '../helpers/features.js'
import { clear, linkNames, useOpenHost } from '../helpers/links.js'
import { attempt, run } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'
import { type NamespaceState, namespaceState } from '../helpers/state.js'

const host = useOpenHost()
const links = () => host.namespace.links
let blue: Namespace

beforeAll(async () => {
  blue = await Namespace.create(host.named('blue'))
})
afterAll(() => blue.delete())
beforeEach(async context => {
  await needs(context, 'veth', 'bridge')
  await links().create({ kind: 'veth', name: 'taken', altNames: ['taken-too'], index: 77, peer: { name: 'gone', namespace: blue } })
  await links().create({ kind: 'bridge', name: 'br0', mac: '02:00:00:00:00:b0' })
  await blue.links.create({ kind: 'bridge', name: 'br1', mac: '02:00:00:00:00:b1' })
})
afterEach(async () => {
  await clear(host.namespace)
  await clear(blue)
})

const look = async () => JSON.stringify([await namespaceState(host.name), await namespaceState(blue.name)].map(settled))
/** A bridge takes on the abilities of its ports, and keeps them for a while. */
const settled = ({ links, ...rest }: NamespaceState) => ({ links: links.map(({ tso_max_size, tso_max_segs, ...link }) => link), ...rest })

const refused = (spec: unknown): Promise<unknown> =>
  links()
    .create(spec as LinkCreate)
    .then(
      () => 'was accepted',
      (thrown: unknown) => thrown,
    )
const argument = (code: string, path: string) => ({ code: `ERR_NETLOOM_${code}`, path })
type Case = readonly [spec: object, error: object]
/** The rejection, between two looks at both namespaces: they must be as they were. */
async function check([spec, error]: Case): Promise<void> {
  const before = await look()
  expect(await refused(spec), JSON.stringify(spec)).toMatchObject(error)
  expect(await look()).toBe(before)
}

describe('before anything is sent', () => {
  const names = ['a-name-of-16-byt', '××××××××', 'a/b', '', '.', '..', 'a b', 'a:b', 'a%db', 'nul\0', 5, null]
  const cases: Case[] = [
    ...names.flatMap((name): Case[] => [
      [{ kind: 'veth', name }, argument('INVALID_NAME', 'name')],
      [{ kind: 'veth', peer: { name } }, argument('INVALID_NAME', 'peer.name')],
    ]),
    ...['02:00:00:00:00', '02:00:00:00:00:01:02', '02-00-00-00-00-01', 'x2:00:00:00:00:01', '', '0200.0000.0001', 5].flatMap(
      (mac): Case[] => [
        [{ kind: 'veth', mac }, argument('INVALID_MAC', 'mac')],
        [{ kind: 'veth', peer: { mac } }, argument('INVALID_MAC', 'peer.mac')],
      ],
    ),
    ...['a/b', '', 'a b', 'x'.repeat(128), 5].map(
      (name): Case => [{ kind: 'veth', altNames: ['fine', name] }, argument('INVALID_NAME', 'altNames[1]')],
    ),
    [{ kind: 'veth', mtu: '1500' }, argument('INVALID_NUMBER', 'mtu')],
    [{ kind: 'veth', mtu: 1500.5 }, argument('INVALID_NUMBER', 'mtu')],
    [{ kind: 'veth', peer: { mtu: -1 } }, argument('OUT_OF_RANGE', 'peer.mtu')],
    [{ kind: 'veth', group: 2 ** 32 }, argument('OUT_OF_RANGE', 'group')],
    [{ kind: 'veth', txQueues: 0 }, argument('OUT_OF_RANGE', 'txQueues')],
    [{ kind: 'veth', rxQueues: 4097 }, argument('OUT_OF_RANGE', 'rxQueues')],
    [{ kind: 'veth', index: 0 }, argument('OUT_OF_RANGE', 'index')],
    [{ kind: 'veth', index: 2 ** 31 }, argument('OUT_OF_RANGE', 'index')],
    [{ kind: 'veth', peer: { index: 5 } }, argument('INVALID_OPTION', 'peer.index')],
    [{ kind: 'veth', alias: 'x'.repeat(256) }, argument('INVALID_STRING', 'alias')],
    [{ kind: 'veth', up: 'yes' }, argument('INVALID_BOOLEAN', 'up')],
    [{ kind: 'veth', ipv6: true }, argument('UNKNOWN_NAME', 'ipv6')],
    [{ kind: 'veth', port: { cost: 1 } }, argument('INVALID_OPTION', 'port')],
    [{ kind: 'veth', master: 'br0', port: { cots: 1 } }, argument('UNKNOWN_OPTION', 'port.cots')],
    [{ kind: 'veth', master: 'br0', port: { cost: -1 } }, argument('OUT_OF_RANGE', 'port.cost')],
    [{ kind: 'veth', peer: { master: 'br0', port: { number: 1 } } }, argument('READ_ONLY', 'peer.port.number')],
    [{ kind: 'veth', peer: { port: { cost: 1 } } }, argument('INVALID_OPTION', 'peer.port')],
    [{ kind: 'veth', peer: { peer: {} } }, argument('UNKNOWN_OPTION', 'peer.peer')],
    [{ kind: 'veth', peer: null }, argument('INVALID_OPTION', 'peer')],
    [{ kind: 'veth', mtuu: 1500 }, argument('UNKNOWN_OPTION', 'mtuu')],
    [{ kind: 'veth', options: {} }, argument('UNKNOWN_OPTION', 'options')],
    [{ kind: 'veth', link: 'taken' }, argument('UNKNOWN_OPTION', 'link')],
    [
      { kind: 'veth', master: '' },
      { code: 'ERR_NETLOOM_INVALID_NAME', path: 'master' },
    ],
    [
      { kind: 'veth', master: -1 },
      { code: 'ERR_NETLOOM_INVALID_LINK', path: 'master' },
    ],
    [{ kind: 'veth', namespace: 'blue' }, argument('INVALID_NAMESPACE', 'namespace')],
    [{ kind: 'veth', namespace: { nam: 'blue' } }, argument('INVALID_NAMESPACE', 'namespace')],
    [{ kind: 'veth', peer: { namespace: { name: '../x' } } }, argument('INVALID_NAME', 'peer.namespace.name')],
    [{ kind: 'bridge', peer: {} }, argument('UNKNOWN_OPTION', 'peer')],
    [{ kind: 'bridge', options: { stpp: true } }, argument('UNKNOWN_OPTION', 'options.stpp')],
    [{ kind: 'bridge', options: [] }, { path: 'options' }],
    [{ kind: 'ifb', options: {} }, argument('UNKNOWN_OPTION', 'options')],
    [{ kind: 'macvlan' }, argument('MISSING_OPTION', 'link')],
    [{ kind: 'ipvlan' }, argument('MISSING_OPTION', 'link')],
    [{ kind: 'ipvlan', link: 'taken', options: { mode: 'l4' } }, argument('UNKNOWN_NAME', 'options.mode')],
    [{ kind: 'vlan', options: { id: 1 } }, argument('MISSING_OPTION', 'link')],
    [{ kind: 'vlan', link: 'taken', options: {} }, argument('MISSING_OPTION', 'options.id')],
    [{ kind: 'vlan', link: 'taken' }, argument('MISSING_OPTION', 'options.id')],
    [{ kind: 'vxlan' }, argument('MISSING_OPTION', 'options.id')],
    [{ kind: 'vxlan', options: { id: 5, link: 4 } }, argument('UNKNOWN_OPTION', 'options.link')],
    [{ kind: 'tun' }, argument('MISSING_OPTION', 'options.type')],
    [{ kind: 'tun', options: { type: 'tup' } }, argument('UNKNOWN_NAME', 'options.type')],
    [{ kind: 'tun', options: { type: 'tun' }, index: 5 }, argument('UNKNOWN_OPTION', 'index')],
    [{ kind: 'tun', options: { type: 'tun' }, txQueues: 5 }, argument('UNKNOWN_OPTION', 'txQueues')],
    [{ kind: 'geneve' }, argument('UNKNOWN_KIND', 'kind')],
    [{ kind: 'other:' }, argument('UNKNOWN_KIND', 'kind')],
    [{ kind: 'other:geneve', options: { id: 1 } }, argument('INVALID_OPTION', 'options')],
    [{ kind: undefined }, argument('UNKNOWN_KIND', 'kind')],
    [{ name: 'x' }, argument('UNKNOWN_KIND', 'kind')],
  ]
  test('what could never be', async () => {
    const before = await look()
    for (const [spec, error] of cases) expect(await refused(spec), JSON.stringify(spec)).toMatchObject(error)
    expect(await look()).toBe(before)
  })
  test('what is no object', async () => {
    for (const spec of [undefined, null, 5, 'veth'])
      expect(await refused(spec)).toMatchObject({ name: 'TypeError', code: 'ERR_NETLOOM_INVALID_OPTION' })
  })
})

describe('by what there is', () => {
  const cases: Case[] = [
    [
      { kind: 'veth', name: 'taken' },
      { code: 'EEXIST', path: 'name' },
    ],
    [
      { kind: 'veth', name: 'taken-too' },
      { code: 'EEXIST', path: 'name' },
    ],
    [
      { kind: 'bridge', name: 'taken' },
      { code: 'EEXIST', path: 'name' },
    ],
    [
      { kind: 'tun', name: 'taken', options: { type: 'tap' } },
      { code: 'EEXIST', path: 'name' },
    ],
    [
      { kind: 'veth', name: 'new', index: 77 },
      { code: 'EEXIST', path: 'index' },
    ],
    [
      { kind: 'veth', name: 'new', altNames: ['fine', 'taken'] },
      { code: 'EEXIST', path: 'altNames[1]' },
    ],
    [
      { kind: 'veth', name: 'new', peer: { name: 'taken' } },
      { code: 'EEXIST', path: 'peer.name' },
    ],
    [
      { kind: 'veth', name: 'new', peer: { altNames: ['taken-too'] } },
      { code: 'EEXIST', path: 'peer.altNames[0]' },
    ],
    [
      { kind: 'veth', master: 'nonesuch' },
      { code: 'ENODEV', path: 'master' },
    ],
    [
      { kind: 'veth', master: 9999 },
      { code: 'ENODEV', path: 'master' },
    ],
    [
      { kind: 'veth', master: { index: 9999 }, up: true },
      { code: 'ENODEV', path: 'master' },
    ],
    [
      { kind: 'veth', peer: { master: 'nonesuch' } },
      { code: 'ENODEV', path: 'peer.master' },
    ],
    [
      { kind: 'veth', peer: { master: 9999, up: true } },
      { code: 'ENODEV', path: 'peer.master' },
    ],
    [
      { kind: 'veth', master: 'lo' },
      { code: 'EOPNOTSUPP', path: 'master', reason: expect.stringMatching(/^lo takes no ports/) },
    ],
    [
      { kind: 'veth', peer: { master: 'lo' } },
      { code: 'EOPNOTSUPP', path: 'peer.master' },
    ],
    [{ kind: 'bridge', master: 'br0' }, { code: 'ELOOP' }],
    [
      { kind: 'veth', mac: '01:00:00:00:00:01' },
      { code: 'EADDRNOTAVAIL', path: 'mac' },
    ],
    [
      { kind: 'veth', peer: { mac: '00:00:00:00:00:00' } },
      { code: 'EADDRNOTAVAIL', path: 'peer.mac' },
    ],
    [
      { kind: 'veth', mtu: 1 },
      { code: 'EINVAL', path: 'mtu' },
    ],
    [
      { kind: 'veth', peer: { mtu: 70_000 } },
      { code: 'EINVAL', path: 'peer.mtu' },
    ],
    [
      { kind: 'macvlan', link: 'nonesuch' },
      { code: 'ENODEV', path: 'link' },
    ],
    [
      { kind: 'macvlan', link: 9999 },
      { code: 'ENODEV', path: 'link' },
    ],
    [{ kind: 'macvlan', link: 'lo' }, { code: 'EINVAL' }],
    [
      { kind: 'vxlan', options: { id: 2 ** 24 } },
      { code: 'ERANGE', path: 'options.id', attribute: 'IFLA_VXLAN_ID', reason: expect.stringContaining('16777216') },
    ],
    [{ kind: 'bridge', options: { groupForwardMask: 1 } }, { code: 'EINVAL' }],
    [
      { kind: 'tun', options: { type: 'tap' }, mac: '01:00:00:00:00:01' },
      { code: 'EADDRNOTAVAIL', path: 'mac' },
    ],
    [
      { kind: 'tun', options: { type: 'tap' }, altNames: ['taken'] },
      { code: 'EEXIST', path: 'altNames[0]' },
    ],
    [{ kind: 'other:nonesuch' }, { code: 'EOPNOTSUPP', path: 'kind', hint: expect.stringContaining('nonesuch') }],
    [
      { kind: 'veth', namespace: { name: 'nonesuch' } },
      { code: 'ENOENT', path: 'namespace' },
    ],
    [
      { kind: 'veth', peer: { namespace: { pid: 2 ** 31 - 1 } } },
      { code: 'ESRCH', path: 'peer.namespace' },
    ],
    [
      { kind: 'veth', peer: { namespace: { path: '/etc/hostname' } } },
      { code: 'EINVAL', path: 'peer.namespace' },
    ],
  ]
  test.for(cases)('%j', async ([spec, error], context) => {
    if ('kind' in spec && spec.kind === 'tun') await needs(context, 'tap')
    await check([spec, error])
  })

  test('steps that fail in another namespace', async () => {
    const peer = { name: 'new', namespace: blue }
    await check([
      { kind: 'veth', name: 'new', peer: { ...peer, name: 'gone' } },
      { code: 'EEXIST', path: 'peer.name', namespace: host.name },
    ])
    await check([
      { kind: 'veth', name: 'new', peer: { ...peer, altNames: ['br1'] } },
      { code: 'EEXIST', path: 'peer.altNames[0]', namespace: blue.name },
    ])
    await check([
      { kind: 'veth', name: 'new', peer: { ...peer, master: 'br0' } },
      { code: 'ENODEV', path: 'peer.master', namespace: blue.name },
    ])
    await check([
      { kind: 'veth', name: 'new', peer: { ...peer, master: 9999 } },
      { code: 'ENODEV', path: 'peer.master', namespace: blue.name },
    ])
    await check([
      { kind: 'veth', name: 'new', namespace: blue, master: 'br0', peer: {} },
      { code: 'ENODEV', path: 'master', namespace: blue.name },
    ])
    await check([
      { kind: 'veth', name: 'new', namespace: blue, altNames: ['gone'], peer: {} },
      { code: 'EEXIST', path: 'altNames[0]', namespace: blue.name },
    ])
    await check([
      { kind: 'veth', name: 'new', up: true, peer: { ...peer, up: true, master: 'br1', port: { priority: 64 } } },
      { code: 'ERANGE', namespace: blue.name },
    ])
  })

  test('a step of a tap that fails in another namespace', async context => {
    await needs(context, 'tap')
    await check([
      { kind: 'tun', name: 'new', namespace: blue, options: { type: 'tap' }, altNames: ['br1'] },
      { code: 'EEXIST', path: 'altNames[0]' },
    ])
  })

  test('a kind that this kernel lacks', async () => {
    const kinds: [string, object][] = [
      ['dummy', {}],
      ['vlan', { link: 'taken', options: { id: 5 } }],
      ['ipvlan', { link: 'taken' }],
    ]
    for (const [kind, more] of kinds) {
      const { code } = await attempt(host.name, 'ip', [
        'link',
        'add',
        'probe',
        ...('link' in more ? ['link', 'taken'] : []),
        'type',
        kind,
        ...('options' in more ? ['id', '5'] : []),
      ])
      if (code === 0) await run(host.name, 'ip', 'link', 'delete', 'probe')
      else
        await check([
          { kind, ...more },
          { code: 'EOPNOTSUPP', path: 'kind', reason: 'Unknown device type', hint: expect.stringContaining(kind) },
        ])
    }
  })

  test('a namespace that is closed', async () => {
    const closed = await Namespace.open({ name: blue.name ?? '' })
    await closed.close()
    await check([
      { kind: 'veth', namespace: closed },
      { code: 'EBADF', path: 'namespace' },
    ])
    await check([
      { kind: 'veth', peer: { namespace: closed } },
      { code: 'EBADF', path: 'peer.namespace' },
    ])
    for (const call of [
      closed.links.list(),
      closed.links.get('lo'),
      closed.links.create({ kind: 'veth' }),
      closed.links.delete('lo'),
      closed.links.peer('lo'),
    ])
      expect(await refusal(call)).toMatchObject({ code: 'EBADF', subject: blue.name })
  })

  test('the same thing twice at once: one is made', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, () => links().create({ kind: 'veth', name: 'race', peer: { name: 'race2', namespace: blue } })),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await linkNames(host.name)).filter(name => name !== 'race')).toEqual(['br0', 'taken'])
    expect(await linkNames(blue.name)).toEqual(['br1', 'gone', 'race2'])
  })
})

describe('with less than root', () => {
  const program = (call: string) => `
const here = Namespace.current()
const failed = error => ({ code: error.code, hint: error.hint, operation: error.operation })
console.log(JSON.stringify(await (${call}).then(() => ({ code: 'OK' }), failed)))`
  const calls = [
    "here.links.create({ kind: 'veth' })",
    "here.links.update('lo', { mtu: 1500 })",
    "here.links.delete('lo')",
    "here.links.move('lo', here)",
  ]

  test('the error says which right is missing, and reading works', async context => {
    await needs(context, 'tool:setpriv')
    const before = ['setpriv', '--inh-caps=-net_admin', '--bounding-set=-net_admin']
    for (const call of calls) {
      const { json } = await runBuilt({ index: ['Namespace'] }, program(call), { before, where: host.name })
      expect(json, call).toMatchObject({ code: 'EPERM', hint: expect.stringContaining('CAP_NET_ADMIN') })
    }
    const { json } = await runBuilt({ index: ['Namespace'] }, program("here.links.get('taken')"), { before, where: host.name })
    expect(json).toEqual({ code: 'OK' })
  })
  test('as a user namespace’s root in a network namespace of somebody else', async context => {
    await needs(context, 'user-namespaces', 'initial-user-namespace')
    for (const call of calls) {
      const { json } = await runBuilt({ index: ['Namespace'] }, program(call), {
        before: ['unshare', '--user', '--map-root-user'],
        where: host.name,
      })
      expect(json, call).toMatchObject({ code: 'EPERM', hint: expect.stringContaining('CAP_NET_ADMIN') })
    }
  })
})

test('the 1,024th port of a bridge: the limit is in the hint', async context => {
  await needs(context, 'veth', 'bridge')
  const ports = Array.from(
    { length: 1023 },
    (_, i) => `link add p${i} type veth peer name q${i} netns ${blue.name}\nlink set p${i} master br0\n`,
  )
  const { code, stderr } = await attempt(host.name, 'ip', ['-batch', '-'], ports.join(''))
  expect(code, stderr).toBe(0)
  const error = { code: 'EXFULL', hint: expect.stringContaining('1,023 ports') }
  await check([{ kind: 'veth', name: 'last', master: 'br0', up: true, peer: { namespace: blue } }, error])
  await check([{ kind: 'veth', name: 'last', peer: { name: 'last2', master: 'br0' } }, error])
  expect(await refusal(links().update('taken', { master: 'br0' }))).toMatchObject(error)
  // Faster than one by one: the other ends go with the group.
  await run(host.name, 'ip', 'link', 'delete', 'br0')
  const rest = Array.from({ length: 1023 }, (_, i) => `link set p${i} group 1023\n`)
  await attempt(host.name, 'ip', ['-batch', '-'], rest.join(''))
  await run(host.name, 'ip', 'link', 'delete', 'group', '1023')
})
