// What a plan asks of a machine, and which limits of a described machine it would meet.
import { expect, test } from 'vitest'
import { Plan } from '../../lib/plan/plan.js'
import { isLarge, limitsMet, needsOf } from '../../lib/plan/preflight.js'
import type { Machine } from '../../lib/plan/preflight-machine.js'

const roomy: Machine = {
  descriptors: { limit: 100_000, used: 20 },
  namespaces: { limit: 100_000, used: 10 },
  neighbours: { 4: { limit: 100_000, used: 3 }, 6: { limit: 100_000, used: 3 } },
  backlog: 10_000,
  memory: 16e9,
}
const needs = { namespaces: 1000, anonymous: 0, existing: 1, addresses: { 4: 1000, 6: 0 } }

test('what a plan needs is counted', () => {
  const plan = new Plan()
  const host = plan.in({ name: 'host' })
  host.addresses.add('br0', '10.0.0.1/24')
  const web = plan.namespace('web')
  web.addresses.add('lo', '10.1.0.1/32')
  web.addresses.add('eth0', '10.0.0.2/24')
  web.addresses.replace('eth0', 'fd00::2/64')
  plan.namespace()
  expect(needsOf(plan.data())).toEqual({ namespaces: 2, anonymous: 1, existing: 1, addresses: { 4: 1, 6: 1 } })
  expect(isLarge(plan.data())).toBe(false)
  for (let i = 0; i < 1000; i++) plan.namespace()
  expect(isLarge(plan.data())).toBe(true)
})

test('a machine with room has no limits that are met', () => {
  expect(limitsMet(needs, roomy, [{ label: 'br0', ports: 1000 }])).toEqual([])
})

test('each limit is told with what is needed, what there is and what to change', () => {
  const tight: Machine = {
    descriptors: { limit: 1024, used: 20 },
    namespaces: { limit: 1005, used: 10 },
    neighbours: { 4: { limit: 1024, used: 3 } },
    backlog: 1000,
    memory: 1e8,
  }
  const bridges = [
    { label: 'br0', ports: 1024 },
    { label: 'br1', ports: 5 },
  ]
  const met = limitsMet({ ...needs, anonymous: 1000 }, tight, bridges)
  expect(met.map(({ limit, have, fatal }) => [limit, have, fatal])).toEqual([
    ['descriptors', 1024, true],
    ['user.max_net_namespaces', 1005, true],
    ['ports of br0', 1023, true],
    ['net.core.netdev_max_backlog', 1000, false],
    ['net.ipv4.neigh.default.gc_thresh3', 1024, false],
    ['memory', 1e8, false],
  ])
  for (const { limit, need, have, fix } of met) {
    expect(need, limit).toBeGreaterThan(have as number)
    expect(fix).not.toBe('')
  }
  expect(met[1]).toMatchObject({ need: 1010, fix: 'sysctl -w user.max_net_namespaces=2020' })
  expect(met[4]).toMatchObject({ need: 2003 })
  expect(met[0]?.fix).toContain('names')
})

test('what cannot be read is told of only when the usual would not do', () => {
  const unknown: Machine = { descriptors: undefined, namespaces: undefined, neighbours: {}, backlog: undefined, memory: undefined }
  expect(limitsMet(needs, unknown, [{ label: 'br0', ports: 1000 }])).toEqual([])
  expect(limitsMet(needs, unknown, [{ label: 'br0', ports: 1001 }])).toEqual([
    expect.objectContaining({ limit: 'net.core.netdev_max_backlog', need: 1001, have: 'unknown', fatal: false }),
  ])
})
