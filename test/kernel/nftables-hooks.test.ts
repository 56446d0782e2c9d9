// The matrix of families, hooks and types of chains: what the kernel takes, cell by cell, is what it takes from nft.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type NftChainSpec as ChainSpec, Namespace, type NetloomError } from '../../lib/index.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { attempt, nft, run } from '../helpers/readers.js'

const host = useHost()
let here: Namespace

beforeAll(async () => {
  here = await Namespace.open({ name: host.name })
})
beforeEach(context => needs(context, 'tool:nft', 'nftables'))
afterEach(() => here.nftables.flush())
afterAll(async () => {
  await here?.close()
})

const families = ['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'] as const
const hooks = ['ingress', 'prerouting', 'input', 'forward', 'output', 'postrouting', 'egress'] as const
const types = ['filter', 'nat', 'route'] as const

const made = async () =>
  ((await nft(host.name, 'list', 'ruleset')) as Record<string, Record<string, unknown>>[]).flatMap(({ chain }) => {
    if (!chain) return []
    const { handle: _, ...rest } = chain
    return [rest]
  })

/** What nft says of a refusal of the kernel's, as the error's code; what it refuses by itself is refused by us before anything is sent. */
function codeOf(stderr: string): RegExp {
  if (!stderr.includes('Could not process rule')) return /^ERR_NETLOOM_/
  if (stderr.includes('Operation not supported')) return /^(EOPNOTSUPP|ERR_NETLOOM_\w+)$/
  if (stderr.includes('No such file or directory')) return /^(ENOENT|ERR_NETLOOM_\w+)$/
  return /^(EINVAL|ERR_NETLOOM_\w+)$/
}
const devices = [undefined, 'lo'] as const
const cells = hooks.flatMap(hook => types.flatMap(type => devices.map(dev => [hook, type, dev] as const)))
const taken: string[] = []

describe.each(families)('family %s', family => {
  test.each(cells)('%s %s, device %s', async (hook, type, dev) => {
    const common = { family, table: 't', name: 'c', type, hook, prio: 7, policy: 'accept' } as const
    const chain: ChainSpec = dev ? { ...common, dev } : common
    await run(host.name, 'nft', 'add', 'table', family, 't')
    const words = `type ${type} hook ${hook} ${dev ? `device ${dev} ` : ''}priority 7; policy accept;`
    const { code, stderr } = await attempt(host.name, 'nft', ['add', 'chain', family, 't', 'c', `{ ${words} }`])
    const byNft = code === 0 ? await made() : []
    if (byNft.length > 0) await run(host.name, 'nft', 'delete', 'chain', family, 't', 'c')
    const outcome = await here.nftables.chains.create(chain).then(
      () => undefined,
      (error: NetloomError) => error,
    )
    if (code === 0) {
      taken.push(`${family} ${hook} ${type}`)
      expect(outcome).toBeUndefined()
      expect(await made()).toEqual(byNft)
      const [read] = await here.nftables.chains.list()
      expect(read).toEqual({ ...chain, handle: expect.any(Number) })
    } else {
      expect(outcome?.code, stderr).toMatch(codeOf(stderr))
      expect(await made()).toEqual([])
    }
  })
})

test('every family has chains of the hooks that it is known for', () => {
  const filters = (family: string, ...names: string[]) => names.map(hook => `${family} ${hook} filter`)
  const five = ['prerouting', 'input', 'forward', 'output', 'postrouting']
  const nat = ['ip', 'ip6', 'inet'].flatMap(family => ['prerouting', 'input', 'output', 'postrouting'].map(hook => `${family} ${hook} nat`))
  expect(taken).toEqual(
    expect.arrayContaining([
      ...['ip', 'ip6', 'inet', 'bridge'].flatMap(family => filters(family, ...five)),
      ...filters('arp', 'input', 'output'),
      ...filters('netdev', 'ingress'),
      ...nat,
      'ip output route',
      'ip6 output route',
    ]),
  )
  expect(taken.filter(cell => /^(arp|bridge|netdev) .* (nat|route)$|forward nat/.test(cell))).toEqual([])
})

test.each([
  ['ip', 'prerouting', 'raw', -300],
  ['ip', 'prerouting', 'mangle - 1', -151],
  ['ip6', 'prerouting', 'dstnat', -100],
  ['inet', 'prerouting', 'dstnat + 10', -90],
  ['inet', 'input', 'filter', 0],
  ['inet', 'input', 'security', 50],
  ['ip', 'postrouting', 'srcnat', 100],
  ['bridge', 'prerouting', 'dstnat', -300],
  ['bridge', 'forward', 'filter', -200],
  ['bridge', 'output', 'out', 100],
  ['bridge', 'postrouting', 'srcnat + 5', 305],
  ['arp', 'input', 'filter', 0],
] as const)('priority %s %s %s is %d', async (family, hook, prio, number) => {
  await here.nftables.tables.create({ family, name: 't' })
  expect(await here.nftables.chains.create({ family, table: 't', name: 'ours', hook, prio })).toMatchObject({ prio: number })
  await run(host.name, 'nft', 'add', 'chain', family, 't', 'theirs', `{ type filter hook ${hook} priority ${prio}; }`)
  const chains = await here.nftables.chains.list()
  expect(chains.map(chain => chain.prio)).toEqual([number, number])
})

test('several devices', async () => {
  await run(host.name, 'ip', 'link', 'add', 'd0', 'type', 'veth', 'peer', 'name', 'd1')
  await here.nftables.tables.create({ family: 'netdev', name: 't' })
  await here.nftables.chains.create({ family: 'netdev', table: 't', name: 'c', hook: 'ingress', prio: 0, dev: ['d0', 'd1'] })
  expect(await run(host.name, 'nft', 'list', 'table', 'netdev', 't')).toMatch(/devices = \{ d0, d1 \}/)
  expect(await here.nftables.chains.list()).toMatchObject([{ hook: 'ingress', dev: ['d0', 'd1'] }])
  await here.nftables.flush({ family: 'netdev' })
  await run(host.name, 'ip', 'link', 'delete', 'd0')
})
