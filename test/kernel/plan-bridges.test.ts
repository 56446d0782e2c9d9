// Bridges that get many ports from the plan that makes them end like any other, whatever they leave out until the ports are in place.
import { expect, test } from 'vitest'
import { Plan, type PlanLink, type PlanResult } from '../../lib/index.js'
import { leastPorts } from '../../lib/plan/compile-bridge.js'
import { useOpenHost } from '../helpers/links.js'
import { bridge, ip, run, start } from '../helpers/readers.js'

const host = useOpenHost()

/** A bridge with so many ports, all in the host; `more` says what else the plan does with it. */
function crowded(count: number, options: object | undefined, more: (plan: Plan, hub: PlanLink) => void = () => undefined): Plan {
  const plan = new Plan({ ipv6: 'none' })
  const here = plan.in(host.namespace)
  const mac = '02:00:00:00:00:01'
  const hub = here.links.create({ kind: 'bridge', name: 'hub', mac, up: true, ipv6: 'kernel', ...(options && { options }) })
  for (let i = 0; i < count; i++)
    here.links.create({ kind: 'veth', name: `p${i}`, master: hub, up: true, peer: { name: `q${i}`, up: true } })
  more(plan, hub)
  return plan
}

/** What the kernel tells of the bridge, and whether the plan ever had it without multicast snooping. */
async function looked(plan: Plan, count: number): Promise<{ link: unknown; groups: string; snooping: number; quiet: boolean }> {
  await using monitor = await start(host.name, 'ip', ['-o', '-d', 'monitor', 'link'])
  const told = async (name: string): Promise<string[]> => {
    const lines: string[] = []
    // It listens a moment after it has begun: until then nobody hears of what is changed.
    const changing = setInterval(() => void run(host.name, 'ip', 'link', 'set', 'lo', 'alias', name), 20)
    for (let line = await monitor.lines.next(); !line.done && !line.value.includes(`alias ${name}`); line = await monitor.lines.next())
      lines.push(line.value)
    clearInterval(changing)
    return lines
  }
  await told('first')
  let result: PlanResult | undefined
  try {
    result = await plan.apply()
    const quiet = (await told('last')).some(line => / hub: .* mcast_snooping 0 /.test(line))
    const [link] = await ip<Record<string, never>>(host.name, '-d', 'link', 'show', 'hub')
    const ports = await bridge<{ master?: string; state: string }>(host.name, 'link', 'show')
    expect(ports.filter(({ master, state }) => master === 'hub' && state === 'forwarding')).toHaveLength(count)
    const data = (link as unknown as { linkinfo: { info_data: Record<string, number> } }).linkinfo.info_data
    const text = JSON.stringify(link, (name, value) => (name === 'ifindex' || /timer|gc_/.test(name) ? undefined : (value as unknown)))
    return {
      link: JSON.parse(text),
      groups: await run(host.name, 'ip', 'maddr', 'show', 'dev', 'hub'),
      snooping: data.mcast_snooping!,
      quiet,
    }
  } finally {
    await result?.delete({ drain: true })
  }
}

const sorted = (text: string) => text.replace(/^\d+:/gm, '').split('\n').sort()

test('a bridge with many ports ends as one with few, and is without snooping only meanwhile', async () => {
  const few = await looked(crowded(leastPorts - 1, undefined), leastPorts - 1)
  const many = await looked(crowded(leastPorts, undefined), leastPorts)
  expect([few.quiet, many.quiet]).toEqual([false, true])
  expect(many.snooping).toBe(1)
  expect(many.link).toEqual(few.link)
  expect(sorted(many.groups)).toEqual(sorted(few.groups))
})

const kept: [name: string, options: object | undefined, more: ((plan: Plan, hub: PlanLink) => void) | undefined, snooping: number][] = [
  ['snooping on', { multicastSnooping: true }, undefined, 1],
  ['a querier', { multicastQuerier: true }, undefined, 1],
  ['snooping off later', undefined, (plan, hub) => plan.in(host.namespace).links.update(hub, { options: { multicastSnooping: false } }), 0],
  [
    'snooping off later, by name',
    undefined,
    plan => plan.in(host.namespace).links.update('hub', { options: { multicastSnooping: false } }),
    0,
  ],
]

test.each(kept)('a bridge of whose multicast the plan says something is made as it says: %s', async (_, options, more, snooping) => {
  const found = await looked(crowded(leastPorts, options, more), leastPorts)
  expect(found.snooping).toBe(snooping)
  if (more === undefined) expect(found.quiet).toBe(false)
})

test.each([90_000, 'hub-of-old'])('the second of two bridges, changed as %s, is as it was changed to', async link => {
  const plan = crowded(leastPorts, undefined, plan => {
    const here = plan.in(host.namespace)
    const other = here.links.create({ kind: 'bridge', name: 'hub1', index: 90_000, altNames: ['hub-of-old'] })
    for (let i = 0; i < leastPorts; i++) here.links.create({ kind: 'veth', name: `r${i}`, master: other, peer: { name: `s${i}` } })
    here.links.update(link, { options: { multicastSnooping: false } })
  })
  const result = await plan.apply()
  try {
    const links = await ip<{ ifname: string; linkinfo: { info_data: { mcast_snooping: number } } }>(
      host.name,
      '-d',
      'link',
      'show',
      'type',
      'bridge',
    )
    expect(Object.fromEntries(links.map(({ ifname, linkinfo }) => [ifname, linkinfo.info_data.mcast_snooping]))).toEqual({
      hub: 1,
      hub1: 0,
    })
  } finally {
    await result.delete({ drain: true })
  }
})

test('snooping off stays off', async () => {
  expect((await looked(crowded(leastPorts, { multicastSnooping: false }), leastPorts)).snooping).toBe(0)
})

test('a port that fails leaves the bridge as the others have it', async () => {
  const plan = crowded(leastPorts, undefined, plan => plan.in(host.namespace).addresses.add('nowhere', '10.1.1.1/24'))
  const result = await plan.apply({ onError: 'continue' })
  try {
    expect(result.failed).toHaveLength(1)
    const [link] = await ip<{ linkinfo: { info_data: { mcast_snooping: number } } }>(host.name, '-d', 'link', 'show', 'hub')
    expect(link?.linkinfo.info_data.mcast_snooping).toBe(1)
  } finally {
    await result.delete({ drain: true })
  }
})
