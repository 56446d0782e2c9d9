// Addresses of links: what is added is what `ip address` shows, and what it adds is what list() says.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Address, type AddressOptions, Namespace } from '../../lib/index.js'
import { isKernel } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { attempt, ip, run } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'

const host = useHost()
let here: Namespace
/** ifindex of the veth that everything is done to; its other end is `end`, in the same namespace. */
let index: number

beforeAll(async () => {
  await run(host.name, 'ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'end')
  await run(host.name, 'ip', 'link', 'add', 'br0', 'type', 'bridge')
  for (const link of ['eth0', 'end', 'br0']) {
    await run(host.name, 'ip', 'link', 'set', link, 'addrgenmode', 'none')
    await run(host.name, 'ip', 'link', 'set', link, 'up')
  }
  here = await Namespace.open({ name: host.name })
  index = (await here.links.get('eth0')).index
})
beforeEach(async () => {
  for (const link of ['eth0', 'br0']) await run(host.name, 'ip', 'address', 'flush', 'dev', link)
})
afterAll(async () => {
  await here?.close()
  for (const link of ['eth0', 'br0']) await attempt(host.name, 'ip', ['link', 'delete', link])
})

interface Shown {
  readonly family: 'inet' | 'inet6'
  readonly local: string
  readonly address?: string
  readonly prefixlen: number
  readonly broadcast?: string
  readonly scope: string
  readonly label?: string
  readonly metric?: number
  readonly valid_life_time: number
  readonly preferred_life_time: number
  readonly [flag: string]: unknown
}
const shown = async (link = 'eth0'): Promise<Shown[]> =>
  (await ip<{ addr_info: Shown[] }>(host.name, 'address', 'show', 'dev', link)).flatMap(entry => entry.addr_info)
const ours = (link = 'eth0'): Promise<Address[]> => here.addresses.list({ link })
/** What `ip -j` says, in our words. */
const forever = 0xffff_ffff
function translated(entry: Shown): Partial<Address> {
  const { local, address, prefixlen, broadcast, scope, label, metric, valid_life_time, preferred_life_time } = entry
  const said = {
    address: local,
    prefix: prefixlen,
    cidr: `${local}/${prefixlen}`,
    family: entry.family === 'inet' ? 4 : 6,
    scope,
    flags: Object.keys(entry).filter(name => entry[name] === true),
    peer: address,
    broadcast,
    label,
    metric,
    noDad: entry.nodad,
    noPrefixRoute: entry.noprefixroute,
    validLifetime: valid_life_time === forever ? undefined : valid_life_time,
    preferredLifetime: preferred_life_time === forever ? undefined : preferred_life_time,
  }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as Partial<Address>
}
test.each<[string, string, AddressOptions]>([
  ['IPv4', '10.0.1.2/24', {}],
  ['IPv4 without a prefix length', '10.0.1.2', {}],
  ['a point-to-point network', '10.0.1.2/31', {}],
  ['broadcast address', '10.0.1.2/24', { broadcast: '10.0.1.255' }],
  ['peer', '10.0.1.2/32', { peer: '10.0.9.9' }],
  ['label', '10.0.1.2/24', { label: 'eth0:web' }],
  ['scope site', '10.0.1.2/24', { scope: 'site' }],
  ['scope link', '10.0.1.2/24', { scope: 'link' }],
  ['scope host', '10.0.1.2/24', { scope: 'host' }],
  ['no connected route', '10.0.1.2/24', { noPrefixRoute: true }],
  ['metric', '10.0.1.2/24', { metric: 77 }],
  ['lifetimes', '10.0.1.2/24', { validLifetime: 5000, preferredLifetime: 3000 }],
  ['valid lifetime', '10.0.1.2/24', { validLifetime: 5000 }],
  ['deprecated', '10.0.1.2/24', { preferredLifetime: 0 }],
  ['endless lifetimes', '10.0.1.2/24', { validLifetime: Number.POSITIVE_INFINITY, preferredLifetime: Number.POSITIVE_INFINITY }],
  ['IPv6', 'fd00::2/64', {}],
  ['IPv6 with duplicate address detection', 'fd00::2/64', { noDad: false }],
  ['IPv6 link-local', 'fe80::2/64', {}],
  ['IPv6 peer', 'fd00::2/128', { peer: 'fd00::9' }],
  ['IPv6 without a connected route', 'fd00::2/64', { noPrefixRoute: true }],
  ['IPv6 metric', 'fd00::2/64', { metric: 77 }],
  ['IPv6 lifetimes', 'fd00::2/64', { validLifetime: 5000, preferredLifetime: 3000 }],
  ['IPv6 deprecated', 'fd00::2/64', { preferredLifetime: 0 }],
])('added: %s', async (_, cidr, options) => {
  await here.addresses.add('eth0', cidr, options)
  const [entry, ...others] = await shown()
  expect(others).toEqual([])
  const [read] = await ours()
  // A second may pass between the two readers.
  const close = (a: number | undefined, b: number | undefined) => a === b || Math.abs((a ?? 0) - (b ?? 0)) <= 2
  const { validLifetime, preferredLifetime, ...rest } = translated(entry!)
  expect({ ...read, validLifetime: undefined, preferredLifetime: undefined }).toEqual({ ...rest, link: index })
  expect(close(read?.validLifetime, validLifetime) && close(read?.preferredLifetime, preferredLifetime)).toBe(true)
  for (const [name, value] of Object.entries(options)) {
    const got = read?.[name as keyof AddressOptions]
    if (value === Number.POSITIVE_INFINITY || value === false) expect(got).toBeUndefined()
    else if (typeof value === 'number' && name.endsWith('Lifetime')) expect(close(got as number, value)).toBe(true)
    else expect(got).toBe(value)
  }
})

test('an IPv6 address on a veth is usable at once; elsewhere the kernel looks for duplicates', async () => {
  await here.addresses.add('eth0', 'fd00::2/64')
  await here.addresses.add('br0', 'fd01::2/64')
  await here.addresses.add('br0', 'fd01::3/64', { noDad: true })
  expect((await shown())[0]).toMatchObject({ local: 'fd00::2', nodad: true })
  expect(Object.fromEntries((await ours('br0')).map(address => [address.address, address.noDad]))).toEqual({
    'fd01::2': undefined,
    'fd01::3': true,
  })
})

test('no broadcast address is set unless it is asked for, as ip does it', async () => {
  await here.addresses.add('eth0', '10.0.1.2/24')
  await run(host.name, 'ip', 'address', 'add', '10.0.2.2/24', 'dev', 'eth0')
  expect((await shown()).map(address => address.broadcast)).toEqual([undefined, undefined])
})

test('what ip adds is listed with the same flags', async () => {
  await run(host.name, 'ip', 'address', 'add', '10.0.1.2/24', 'broadcast', '+', 'dev', 'eth0')
  await run(host.name, 'ip', 'address', 'add', '10.0.1.3/24', 'dev', 'eth0', 'label', 'eth0:1')
  await run(host.name, 'ip', 'address', 'add', 'fd00::5/64', 'dev', 'eth0', 'home', 'mngtmpaddr', 'nodad')
  const read = (await ours()).map(({ link: _, ...address }) => address)
  // The kernel makes temporary addresses from a 'mngtmpaddr' one by itself, if it may.
  const expected = (await shown()).map(translated)
  expect(read).toEqual(expected)
  expect(read.find(address => address.address === '10.0.1.3')?.flags).toContain('secondary')
  expect(read.find(address => address.address === 'fd00::5')?.flags).toEqual(expect.arrayContaining(['home', 'mngtmpaddr', 'nodad']))
})

test('list chooses by link and family', async () => {
  await here.addresses.add('eth0', '10.0.1.2/24')
  await here.addresses.add('eth0', 'fd00::2/64')
  await here.addresses.add('br0', '10.0.2.2/24')
  const cidrs = async (filter: Parameters<Namespace['addresses']['list']>[0]) => (await here.addresses.list(filter)).map(({ cidr }) => cidr)
  expect(await cidrs({ link: 'eth0' })).toEqual(['10.0.1.2/24', 'fd00::2/64'])
  expect(await cidrs({ link: index, family: 6 })).toEqual(['fd00::2/64'])
  expect(await cidrs({ family: 4 })).toEqual(['127.0.0.1/8', '10.0.1.2/24', '10.0.2.2/24'])
  expect(await cidrs({ link: { index }, family: 4 })).toEqual(['10.0.1.2/24'])
  expect(await refusal(here.addresses.list({ link: 'nobody' }))).toMatchObject({ code: 'ENODEV', path: 'link', subject: 'nobody' })
  expect(await refusal(here.addresses.list({ link: 99_999 }))).toMatchObject({ code: 'ENODEV' })
})

test('replace changes what is there and adds what is not', async () => {
  await here.addresses.replace('eth0', '10.0.1.2/24')
  await here.addresses.replace('eth0', '10.0.1.2/24', { validLifetime: 900 })
  expect((await shown())[0]).toMatchObject({ local: '10.0.1.2', dynamic: true })
  await here.addresses.replace('eth0', 'fd00::2/64', { validLifetime: 900 })
  await here.addresses.replace('eth0', 'fd00::2/64')
  const [, six] = await ours()
  expect(six?.validLifetime).toBeUndefined()
})

test('delete needs the prefix length and the peer', async () => {
  await here.addresses.add('eth0', '10.0.1.2/24')
  expect(await refusal(here.addresses.delete('eth0', '10.0.1.2'))).toMatchObject({ code: 'EADDRNOTAVAIL', subject: '10.0.1.2 of eth0' })
  expect(await refusal(here.addresses.delete('eth0', '10.0.1.2/25'))).toMatchObject({ code: 'EADDRNOTAVAIL' })
  await here.addresses.delete('eth0', '10.0.1.2/24')
  await here.addresses.add('eth0', '10.0.1.2/32', { peer: '10.0.9.9' })
  expect(await refusal(here.addresses.delete('eth0', '10.0.1.2/32'))).toMatchObject({ code: 'EADDRNOTAVAIL' })
  await here.addresses.delete('eth0', '10.0.1.2/32', { peer: '10.0.9.9' })
  await here.addresses.add('eth0', 'fd00::2/64')
  expect(await refusal(here.addresses.delete('eth0', 'fd00::2'))).toMatchObject({ code: 'EADDRNOTAVAIL' })
  await here.addresses.delete('eth0', 'fd00::2/64')
  await here.addresses.add('eth0', 'fd00::2/128', { peer: 'fd00::9' })
  await here.addresses.delete('eth0', 'fd00::2/128', { peer: 'fd00::9' })
  expect(await shown()).toEqual([])
})

test('the connected route and the local one appear by themselves', async () => {
  await here.addresses.add('eth0', '10.0.1.2/24')
  expect(await here.routes.list({ link: 'eth0', family: 4 })).toMatchObject([
    { to: '10.0.1.0/24', link: index, src: '10.0.1.2', protocol: 'kernel', scope: 'link' },
  ])
  expect((await here.routes.list({ table: 'local', link: 'eth0', family: 4 })).map(({ to, type }) => [to, type])).toEqual([
    // Older kernels take the lowest address of a subnet for one that all listen to.
    ...(isKernel('5.14') ? [] : [['10.0.1.0', 'broadcast']]),
    ['10.0.1.2', 'local'],
    ['10.0.1.255', 'broadcast'],
  ])
})

test('the address of the network itself is taken, with a warning', async () => {
  const warned = new Promise<Error & { code?: string }>(resolve => process.once('warning', resolve))
  await here.addresses.add('br0', '10.0.5.0/24')
  const warning = await warned
  expect(warning).toMatchObject({ name: 'NetloomWarning', code: 'NETLOOM_NETWORK_ADDRESS' })
  expect(warning.message).toContain('10.0.5.0/24')
  expect((await shown('br0'))[0]).toMatchObject({ local: '10.0.5.0', prefixlen: 24 })
})

test('what the kernel refuses names the operation, the subject, the namespace and the field', async () => {
  await here.addresses.add('eth0', '10.0.1.2/24')
  await here.addresses.add('eth0', 'fd00::2/64')
  for (const cidr of ['10.0.1.2/24', 'fd00::2/64'])
    expect(await refusal(here.addresses.add('eth0', cidr))).toMatchObject({
      code: 'EEXIST',
      operation: 'add address',
      subject: `${cidr} of eth0`,
      namespace: host.name,
      hint: expect.stringContaining('replace'),
    })
  expect(await refusal(here.addresses.add('nobody', '10.0.1.2/24'))).toMatchObject({
    code: 'ENODEV',
    path: 'link',
    operation: 'add address',
  })
  for (const cidr of ['10.0.1.2/24', 'fd00::2/64', 'fd00::2/128'])
    expect(await refusal(here.addresses.add(99_999, cidr))).toMatchObject({ code: 'ENODEV', path: 'link' })
  expect(await refusal(here.addresses.delete('nobody', '10.0.1.2/24'))).toMatchObject({
    code: 'ENODEV',
    path: 'link',
    operation: 'delete address',
  })
  expect(await refusal(here.addresses.add('eth0', 'ff02::5/128'))).toMatchObject({ operation: 'add address' })
})

test('IPv6 switched off on the link is said', async () => {
  await here.sysctl.set('net.ipv6.conf.br0.disable_ipv6', 1)
  try {
    const error = await refusal(here.addresses.add('br0', 'fd00::2/64'))
    expect(error).toMatchObject({ code: 'EACCES', hint: expect.stringContaining('disable_ipv6') })
  } finally {
    await here.sysctl.set('net.ipv6.conf.br0.disable_ipv6', 0)
  }
})

test.each<[string, unknown[], string, string]>([
  ['not an address', ['eth0', 'ten'], 'ERR_NETLOOM_INVALID_ADDRESS', 'cidr'],
  ['an octet too large', ['eth0', '10.0.1.256/24'], 'ERR_NETLOOM_INVALID_ADDRESS', 'cidr'],
  ['a leading zero', ['eth0', '010.0.0.1/24'], 'ERR_NETLOOM_INVALID_ADDRESS', 'cidr'],
  ['a prefix too long', ['eth0', '10.0.1.2/33'], 'ERR_NETLOOM_INVALID_ADDRESS', 'cidr'],
  ['an IPv6 prefix too long', ['eth0', 'fd00::/129'], 'ERR_NETLOOM_INVALID_ADDRESS', 'cidr'],
  ['an empty prefix', ['eth0', '10.0.1.2/'], 'ERR_NETLOOM_INVALID_ADDRESS', 'cidr'],
  ['no address at all', ['eth0', undefined], 'ERR_NETLOOM_INVALID_ADDRESS', 'cidr'],
  ['no link', [undefined, '10.0.1.2/24'], 'ERR_NETLOOM_INVALID_LINK', 'link'],
  ['an empty link name', ['', '10.0.1.2/24'], 'ERR_NETLOOM_INVALID_NAME', 'link'],
  ['a negative index', [-1, '10.0.1.2/24'], 'ERR_NETLOOM_INVALID_LINK', 'link'],
  ['a misspelt option', ['eth0', '10.0.1.2/24', { brodcast: '10.0.1.255' }], 'ERR_NETLOOM_UNKNOWN_OPTION', 'options.brodcast'],
  ['a malformed option', ['eth0', '10.0.1.2/24', { broadcast: 'all' }], 'ERR_NETLOOM_INVALID_ADDRESS', 'options.broadcast'],
  ['mixed families', ['eth0', '10.0.1.2/24', { peer: 'fd00::1' }], 'ERR_NETLOOM_INVALID_ADDRESS', 'options.peer'],
  ['broadcast in IPv6', ['eth0', 'fd00::2/64', { broadcast: 'fd00::ff' }], 'ERR_NETLOOM_INVALID_OPTION', 'options.broadcast'],
  ['noDad in IPv4', ['eth0', '10.0.1.2/24', { noDad: true }], 'ERR_NETLOOM_INVALID_OPTION', 'options.noDad'],
  ['a long label', ['eth0', '10.0.1.2/24', { label: 'sixteen-bytes-xx' }], 'ERR_NETLOOM_INVALID_STRING', 'options.label'],
  ['another scope', ['eth0', '10.0.1.2/24', { scope: 'universe' }], 'ERR_NETLOOM_UNKNOWN_NAME', 'options.scope'],
  ['a wrong type', ['eth0', '10.0.1.2/24', { noPrefixRoute: 1 }], 'ERR_NETLOOM_INVALID_BOOLEAN', 'options.noPrefixRoute'],
  ['a negative metric', ['eth0', '10.0.1.2/24', { metric: -1 }], 'ERR_NETLOOM_OUT_OF_RANGE', 'options.metric'],
  ['a lifetime of nothing', ['eth0', '10.0.1.2/24', { validLifetime: 0 }], 'ERR_NETLOOM_OUT_OF_RANGE', 'options.validLifetime'],
  ['a fraction of a second', ['eth0', '10.0.1.2/24', { validLifetime: 0.5 }], 'ERR_NETLOOM_INVALID_NUMBER', 'options.validLifetime'],
  [
    'preferred for longer than valid',
    ['eth0', '10.0.1.2/24', { validLifetime: 5, preferredLifetime: 6 }],
    'ERR_NETLOOM_OUT_OF_RANGE',
    'options.preferredLifetime',
  ],
  ['options that are none', ['eth0', '10.0.1.2/24', 'noDad'], 'ERR_NETLOOM_INVALID_OPTION', 'options'],
])('refused before anything is sent: %s', async (_, args, code, path) => {
  const add = here.addresses.add as (...args: unknown[]) => Promise<void>
  await expect(add(...args)).rejects.toMatchObject({ code, path })
  expect(await shown()).toEqual([])
})
