// Several causes at once: all of them are named, in the order in which the packet meets them, and all their cures together cure.
import { beforeEach, expect, test, vi } from 'vitest'
import { explain } from '../../lib/index.js'
import { type Injected, linkLayer, routing } from '../helpers/explain-causes.js'
import { iptables, nftables } from '../helpers/explain-firewalls.js'
import { gets, rig, toldOf } from '../helpers/explain-rig.js'
import { needs, needsKernel } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { patience } from '../helpers/patience.js'

const host = useHost()
beforeEach(context => needs(context, 'bridge', 'veth'))

/** Numbers that look random and are the same ones in every run (a linear congruential generator). */
function random(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
}

/** Those that change one thing of their own, and leave the others' as it was. */
const apart = [
  'a blackhole at the router',
  'forwarding off',
  'echo requests ignored',
  'no way back',
  'a wrong neighbour on the way back',
  'a port that only learns',
  'isolated ports',
  'a port down',
  'a MAC that may not move, at the wrong port',
  'a wrong neighbour',
  'an MTU that only frames meet',
  'legacy: a rule in FORWARD',
  'nft: raw PREROUTING, by a chain of its own',
  'nft: INPUT',
  'legacy: FORWARD has the policy DROP, and the bridge asks it',
  'nftables: a rule for answers',
  'nftables: what goes out',
  'nftables: family bridge',
  'nftables: family netdev',
]
const all: Readonly<Record<string, Injected>> = { ...routing, ...linkLayer, ...iptables, ...nftables }

function chosen(): [string, ...string[]][] {
  const next = random(20_261_121)
  const groups: [string, ...string[]][] = []
  while (groups.length < 16) {
    const pool = apart.filter(name => all[name]!.to === (groups.length % 2 ? 'far' : 'green'))
    const names = new Set<string>()
    while (names.size < 2 + (groups.length % 3 === 0 ? 1 : 0)) names.add(pool[next(pool.length)]!)
    groups.push([...names] as [string, ...string[]])
  }
  return groups
}

test.for(chosen().map(names => [names.join(' + '), names] as const))('%s', async ([, names], context) => {
  const injected = names.map(name => all[name]!)
  for (const { needs: features = [], since = '0' } of injected) {
    needsKernel(context, since)
    await needs(context, ...features)
  }
  await using there = await rig(host)
  const { to } = injected[0]!
  const size = injected.find(one => one.size)?.size
  const asked = { from: there.blue, to: there[to], namespaces: there.all, ...(size !== undefined && { size }) }
  expect(toldOf(await explain(asked))).toEqual({ verdict: 'passes', causes: [] })
  expect(await gets(there, to, { size })).toBe(true)
  for (const { inject } of injected) await inject(there)
  const explanation = await explain(asked)
  const { verdict, causes } = toldOf(explanation)
  expect(await gets(there, to, { size })).toBe(false)
  expect({ verdict, causes: causes.map(String).sort() }, String(explanation)).toEqual({
    verdict: 'dropped',
    causes: injected.flatMap(({ told }) => told.map(String)).sort(),
  })
  expect(explanation.causes.map(({ behind }) => behind)).toEqual(causes.map((_, i) => i > 0))
  expect(places(explanation)).toEqual([...places(explanation)].sort((a, b) => a - b))
  for (const { cures } of explanation.causes) await cures[0]!.apply!()
  await vi.waitFor(
    async () => {
      expect(toldOf(await explain(asked))).toEqual({ verdict: 'passes', causes: [] })
      expect(await gets(there, to, { size })).toBe(true)
    },
    { timeout: patience(10_000) },
  )
})

/** At which step of the way each cause is. */
const places = ({ causes, steps }: Awaited<ReturnType<typeof explain>>) =>
  causes.map(({ text, way }) => steps.findIndex(step => step.text === text && step.way === way))
