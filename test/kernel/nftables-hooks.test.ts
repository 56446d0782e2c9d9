// The matrix of families, hooks and types of chains: what the kernel takes, cell by cell, is what it takes from nft.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type NftChainSpec as ChainSpec, Namespace, NetloomError } from '../../lib/index.js'
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

describe.each(families)('family %s', family => {
  test.each(hooks.flatMap(hook => types.map(type => [hook, type] as const)))('%s %s', async (hook, type) => {
    const device = hook === 'ingress' || hook === 'egress' ? { dev: 'lo' } : {}
    const chain = { family, table: 't', name: 'c', type, hook, prio: 7, policy: 'accept', ...device } as const satisfies ChainSpec
    await run(host.name, 'nft', 'add', 'table', family, 't')
    const words = `type ${type} hook ${hook} ${'dev' in device ? 'device lo ' : ''}priority 7; policy accept;`
    const { code, stderr } = await attempt(host.name, 'nft', ['add', 'chain', family, 't', 'c', `{ ${words} }`])
    const byNft = code === 0 ? await made() : undefined
    if (code === 0) await run(host.name, 'nft', 'delete', 'chain', family, 't', 'c')
    const outcome = await here.nftables.chains.create(chain).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (byNft) {
      expect(outcome).toBeUndefined()
      expect(await made()).toEqual(byNft)
      const [read] = await here.nftables.chains.list()
      expect(read).toEqual({ ...chain, handle: expect.any(Number) })
    } else {
      // What nft itself does not know it does not ask the kernel for: then we say so as well.
      const refusedBy = outcome instanceof NetloomError ? outcome.code : (outcome as { code?: string }).code
      expect([refusedBy, stderr]).toEqual([
        expect.stringMatching(/^(EOPNOTSUPP|ENOENT|EINVAL|ERR_NETLOOM_INVALID_OPTION)$/),
        expect.any(String),
      ])
      expect(await made()).toEqual([])
    }
  })
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

test('several devices', async context => {
  await needs(context, 'dummy')
  for (const name of ['d0', 'd1']) await run(host.name, 'ip', 'link', 'add', name, 'type', 'dummy')
  await here.nftables.tables.create({ family: 'netdev', name: 't' })
  await here.nftables.chains.create({ family: 'netdev', table: 't', name: 'c', hook: 'ingress', prio: 0, dev: ['d0', 'd1'] })
  expect(await run(host.name, 'nft', 'list', 'table', 'netdev', 't')).toMatch(/devices = \{ d0, d1 \}/)
  expect(await here.nftables.chains.list()).toMatchObject([{ hook: 'ingress', dev: ['d0', 'd1'] }])
  await here.nftables.flush({ family: 'netdev' })
  for (const name of ['d0', 'd1']) await run(host.name, 'ip', 'link', 'delete', name)
})
