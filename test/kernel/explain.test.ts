// Why the ping fails: each cause alone, held against real packets before, with it, and after its cure.
import { beforeEach, expect, test, vi } from 'vitest'
import { explain } from '../../lib/index.js'
import { linkLayer, routing } from '../helpers/explain-causes.js'
import { iptables, nftables } from '../helpers/explain-firewalls.js'
import { gets, rig, toldOf } from '../helpers/explain-rig.js'
import { needs, needsKernel } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { patience } from '../helpers/patience.js'

const host = useHost()
beforeEach(context => needs(context, 'bridge', 'veth'))

test.for(Object.entries({ ...routing, ...linkLayer, ...iptables, ...nftables }))(
  '%s',
  async ([, { to, inject, size, source, told, needs: features = [], since = '0' }], context) => {
    needsKernel(context, since)
    await needs(context, ...features)
    await using there = await rig(host)
    const { all, blue } = there
    const asked = {
      from: blue,
      to: there[to],
      namespaces: all,
      ...(size !== undefined && { size }),
      ...(source !== undefined && { source }),
    }
    const passing = { verdict: 'passes', causes: [], passes: true }
    const look = async () => {
      const explanation = await explain(asked)
      return { ...toldOf(explanation), explanation, passes: await gets(there, to, { size }) }
    }
    expect(await look()).toMatchObject(passing)
    await inject(there)
    const { explanation, ...now } = await look()
    expect(now, String(explanation)).toEqual({ verdict: 'dropped', causes: told, passes: false })
    for (const { cures } of explanation.causes) await cures[0]!.apply!()
    // A port forwards a moment after its link has come up.
    await vi.waitFor(async () => expect(await look()).toMatchObject(passing), { timeout: patience(10_000) })
  },
)
