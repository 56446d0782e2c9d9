// ARP and neighbour tables: what `ip neighbour` shows, IPv4 and IPv6, proxy entries too.
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { Namespace, type Neighbour, type NeighbourSpec } from '../../lib/index.js'
import { useHost } from '../helpers/host.js'
import { patience } from '../helpers/patience.js'
import { attempt, ip, ping, run } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'

const host = useHost()
const other = host.named('other')
let here: Namespace
let eth0: number
const mac = '02:00:00:00:00:09'

beforeAll(async () => {
  await run(undefined, 'ip', 'netns', 'add', other)
  await run(host.name, 'ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'address', mac, 'netns', other)
  const lines = (address: string) => [
    'link set eth0 up',
    `address add 10.0.1.${address}/24 dev eth0`,
    `address add fd00::${address}/64 dev eth0 nodad`,
  ]
  for (const [where, address] of [
    [host.name, '1'],
    [other, '9'],
  ] as const)
    await attempt(where, 'ip', ['-batch', '-'], `${lines(address).join('\n')}\n`)
  here = await Namespace.open({ name: host.name })
  eth0 = (await here.links.get('eth0')).index
})
afterEach(async () => {
  for (const address of ['10.0.1.7', 'fd00::7'])
    for (const proxy of [[], ['proxy']]) await attempt(host.name, 'ip', ['neighbour', 'delete', ...proxy, address, 'dev', 'eth0'])
})
afterAll(async () => {
  await here?.close()
  await attempt(host.name, 'ip', ['link', 'delete', 'eth0'])
  await attempt(undefined, 'ip', ['netns', 'delete', other])
})

interface Shown {
  readonly dst: string
  readonly dev: string
  readonly lladdr?: string
  readonly state?: string[]
  readonly router?: null
  readonly proxy?: null
}
const translated = ({ dst, lladdr, state, ...entry }: Shown) => ({
  address: dst,
  mac: lladdr,
  state: state?.[0]?.toLowerCase() ?? 'none',
  router: 'router' in entry || undefined,
  proxy: 'proxy' in entry || undefined,
})
const ours = ({ address, mac, state, router, proxy }: Neighbour) => ({ address, mac, state, router, proxy })
const byAddress = (a: { address: string }, b: { address: string }) => (a.address < b.address ? -1 : 1)
/** What both say now; entries for multicast come by themselves, so that the two may be told different things. */
const compare = () => vi.waitFor(compareOnce, { timeout: patience(5_000), interval: 20 })
/** States move by themselves too, so entries that age are compared without theirs. */
async function compareOnce(): Promise<Neighbour[]> {
  const read = await here.neighbours.list({ link: 'eth0' })
  const shown = [
    ...(await ip<Shown>(host.name, 'neighbour', 'show', 'dev', 'eth0', 'nud', 'all')),
    ...(await ip<Shown>(host.name, 'neighbour', 'show', 'proxy', 'dev', 'eth0')),
  ]
  const settled = (entry: { state: string }) =>
    ['permanent', 'noarp', 'none', 'failed'].includes(entry.state) ? entry : { ...entry, state: 'moving' }
  expect(read.map(ours).sort(byAddress).map(settled)).toEqual(shown.map(translated).sort(byAddress).map(settled))
  return read
}

test.each<[string, Omit<NeighbourSpec, 'link'>]>([
  ['IPv4', { address: '10.0.1.7', mac }],
  ['IPv6', { address: 'fd00::7', mac }],
  ['permanent', { address: '10.0.1.7', mac, state: 'permanent' }],
  ['noarp', { address: '10.0.1.7', mac, state: 'noarp' }],
  ['reachable', { address: '10.0.1.7', mac, state: 'reachable' }],
  ['stale', { address: 'fd00::7', mac, state: 'stale' }],
  ['router', { address: 'fd00::7', mac, router: true }],
  ['proxy', { address: '10.0.1.7', proxy: true }],
  ['IPv6 proxy', { address: 'fd00::7', proxy: true }],
])('added and deleted: %s', async (_, entry) => {
  const spec = { ...entry, link: 'eth0' }
  await here.neighbours.add(spec)
  const read = (await compare()).find(({ address }) => address === entry.address)
  expect(read).toMatchObject({ ...entry, link: eth0, state: entry.state ?? (entry.proxy ? 'none' : 'permanent') })
  if (!entry.proxy)
    expect(await refusal(here.neighbours.add(spec))).toMatchObject({ code: 'EEXIST', operation: 'add neighbour', namespace: host.name })
  await here.neighbours.delete(read!)
  expect((await here.neighbours.list({ link: 'eth0' })).some(({ address, state }) => address === entry.address && state !== 'failed')).toBe(
    false,
  )
})

test('what packets have taught is listed, with its state', async () => {
  expect(await ping(host.name, '10.0.1.9')).toMatchObject({ received: 1 })
  expect(await ping(host.name, 'fd00::9')).toMatchObject({ received: 1 })
  await ping(host.name, '10.0.1.66', { timeout: 0.2 })
  const read = await compare()
  for (const address of ['10.0.1.9', 'fd00::9'])
    expect(read.find(entry => entry.address === address)).toMatchObject({
      mac,
      link: eth0,
      state: expect.stringMatching(/^(reachable|delay|stale|probe)$/),
    })
  expect(read.find(entry => entry.address === '10.0.1.66')).toMatchObject({ state: expect.stringMatching(/^(incomplete|failed)$/) })
})

test('replace changes the MAC', async () => {
  await here.neighbours.replace({ address: '10.0.1.7', mac, link: 'eth0' })
  await here.neighbours.replace({ address: '10.0.1.7', mac: '02:00:00:00:00:0a', link: 'eth0', state: 'noarp' })
  expect(await compare()).toContainEqual(expect.objectContaining({ address: '10.0.1.7', mac: '02:00:00:00:00:0a', state: 'noarp' }))
})

test('list chooses by link and family', async () => {
  await here.neighbours.add({ address: '10.0.1.7', mac, link: eth0 })
  await here.neighbours.add({ address: 'fd00::7', mac, link: eth0 })
  const addresses = async (filter: Parameters<Namespace['neighbours']['list']>[0]) =>
    (await here.neighbours.list(filter)).filter(({ state }) => state === 'permanent').map(({ address }) => address)
  expect(await addresses({})).toEqual(['10.0.1.7', 'fd00::7'])
  expect(await addresses({ family: 6 })).toEqual(['fd00::7'])
  expect(await addresses({ family: 4, link: 'eth0' })).toEqual(['10.0.1.7'])
  expect(await addresses({ link: 'lo' })).toEqual([])
  expect(await refusal(here.neighbours.list({ link: 'nobody' }))).toMatchObject({ code: 'ENODEV', path: 'link' })
})

test('what the kernel refuses', async () => {
  expect(await refusal(here.neighbours.delete({ address: '10.0.1.7', link: 'eth0' }))).toMatchObject({
    code: 'ENOENT',
    subject: '10.0.1.7 on eth0',
  })
  expect(await refusal(here.neighbours.add({ address: '10.0.1.7', link: 'eth0' }))).toMatchObject({ code: 'EINVAL', path: 'mac' })
  expect(await refusal(here.neighbours.add({ address: '10.0.1.7', mac: '02:00:00:00:09', link: 'eth0' }))).toMatchObject({
    code: 'EINVAL',
    path: 'mac',
  })
  expect(await refusal(here.neighbours.add({ address: '10.0.1.7', mac, link: 'nobody' }))).toMatchObject({ code: 'ENODEV', path: 'link' })
})

test.each<[string, unknown, string, string]>([
  ['no address', { mac, link: 'eth0' }, 'ERR_NETLOOM_MISSING_OPTION', 'address'],
  ['no link', { address: '10.0.1.7', mac }, 'ERR_NETLOOM_MISSING_OPTION', 'link'],
  ['a prefix', { address: '10.0.1.7/24', mac, link: 'eth0' }, 'ERR_NETLOOM_INVALID_ADDRESS', 'address'],
  ['a malformed MAC', { address: '10.0.1.7', mac: '2:0:0:0:0:9', link: 'eth0' }, 'ERR_NETLOOM_INVALID_MAC', 'mac'],
  ['a misspelt option', { address: '10.0.1.7', lladdr: mac, link: 'eth0' }, 'ERR_NETLOOM_UNKNOWN_OPTION', 'lladdr'],
  ['an unknown state', { address: '10.0.1.7', mac, link: 'eth0', state: 'PERMANENT' }, 'ERR_NETLOOM_UNKNOWN_NAME', 'state'],
  ['a proxy with a MAC', { address: '10.0.1.7', mac, link: 'eth0', proxy: true }, 'ERR_NETLOOM_INVALID_OPTION', 'mac'],
  ['a router in IPv4', { address: '10.0.1.7', mac, link: 'eth0', router: true }, 'ERR_NETLOOM_INVALID_OPTION', 'router'],
])('refused before anything is sent: %s', async (_, spec, code, path) => {
  await expect(here.neighbours.add(spec as NeighbourSpec)).rejects.toMatchObject({ code, path })
})
