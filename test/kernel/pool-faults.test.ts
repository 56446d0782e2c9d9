// A pool that cannot make namespaces: take() tells why, the tries are few, nothing is left of them, and it recovers by itself.
import { afterEach, expect, test, vi } from 'vitest'
import { NamespacePool, type NamespacePoolOptions, type PlanNamespace } from '../../lib/index.js'
import { clear, useOpenHost } from '../helpers/links.js'
import { patience } from '../helpers/patience.js'
import { ip } from '../helpers/readers.js'
import { descriptors } from '../helpers/state.js'

const host = useOpenHost()
// The kernel takes its time with the devices of namespaces that are gone.
afterEach(() => clear(host.namespace))
const veths = async () => (await ip<{ ifname: string }>(host.name, 'link', 'show')).filter(({ ifname }) => ifname.startsWith('pf'))
const tryOnce = (pool: NamespacePool) =>
  pool.take().then(
    async namespace => {
      await namespace.delete()
      return 'taken'
    },
    (error: unknown) => error,
  )

test.each<[what: string, options: unknown, expected: object]>([
  ['no size', {}, { code: 'ERR_NETLOOM_MISSING_OPTION', path: 'size' }],
  ['a size of none', { size: 0 }, { code: 'ERR_NETLOOM_OUT_OF_RANGE', path: 'size' }],
  ['half a namespace', { size: 1.5 }, { code: 'ERR_NETLOOM_INVALID_NUMBER', path: 'size' }],
  ['another option', { size: 1, name: 'web' }, { code: 'ERR_NETLOOM_UNKNOWN_OPTION', path: 'name' }],
  ['no function', { size: 1, prepare: 'lo up' }, { code: 'ERR_NETLOOM_INVALID_OPTION', path: 'prepare' }],
  ['an unknown policy', { size: 1, ipv6: 'off' }, { code: 'ERR_NETLOOM_UNKNOWN_NAME', path: 'ipv6' }],
])('refused at once: %s', (_, options, expected) => {
  expect(() => new NamespacePool(options as NamespacePoolOptions)).toThrow(expect.objectContaining(expected))
})

test('what prepare throws, and what its plan meets, is what take() rejects with', async () => {
  const before = await descriptors()
  const fault = new Error('no such flavour')
  const cases: [NonNullable<NamespacePoolOptions['prepare']>, object][] = [
    [
      () => {
        throw fault
      },
      fault,
    ],
    [plan => plan.links.update('eth7', { up: true }), { code: 'ERR_NETLOOM_INVALID_PLAN', path: 'links[0].link' }],
    [plan => plan.routes.add({ to: '10.0.0.0/8', via: '10.99.0.1' }), { code: 'ENETUNREACH', path: 'routes[0].via' }],
    [(async () => undefined) as never, { code: 'ERR_NETLOOM_INVALID_OPTION', path: 'prepare' }],
    [
      plan => void plan.links.create({ kind: 'bridge', name: 'pfbr', namespace: host.namespace }),
      { code: 'ERR_NETLOOM_INVALID_PLAN', path: 'links[0]' },
    ],
    [
      plan => {
        const ports = plan.links.create({ kind: 'veth', name: 'left', peer: { name: 'right' } })
        plan.links.move(ports.peer, host.namespace, { name: 'pf-right' })
        plan.links.create({ kind: 'vxlan', name: 'tunnel', options: { id: 7 } })
        plan.links.move('tunnel', host.namespace)
      },
      { code: 'ERR_NETLOOM_INVALID_PLAN', path: 'links[3]' },
    ],
  ]
  for (const [prepare, expected] of cases) {
    await using pool = new NamespacePool({ size: 2, prepare })
    const outcomes = await Promise.all([tryOnce(pool), tryOnce(pool), tryOnce(pool)])
    for (const outcome of outcomes) expect(outcome).toMatchObject(expected)
    expect(pool.ready).toBe(0)
  }
  expect(await veths()).toEqual([])
  expect(await descriptors()).toEqual(before)
})

test('while it fails the tries become rarer, whoever asks and however often', async () => {
  let tries = 0
  const prepare = () => {
    tries++
    throw new Error(`try ${tries}`)
  }
  await using pool = new NamespacePool({ size: 8, prepare })
  const start = performance.now()
  const asking = async () => {
    const told: unknown[] = []
    while (performance.now() - start < 1000) told.push(await tryOnce(pool))
    return told
  }
  const told = (await Promise.all([asking(), asking(), asking()])).flat()
  expect(told.every(one => one instanceof Error && /^try \d+$/.test(one.message))).toBe(true)
  // 2 at 0 ms, then after 100, 400 and 1000 ms: never more than what the pauses allow.
  expect(tries).toBeLessThanOrEqual(12)
  expect(tries).toBeGreaterThanOrEqual(3)
})

test('a number is not given twice, and one that fails does not keep the others from being made', async () => {
  const numbers: number[] = []
  const prepare = (_: PlanNamespace, number: number) => {
    numbers.push(number)
    if (number % 3 === 1) throw new Error(`unlucky ${number}`)
  }
  await using pool = new NamespacePool({ size: 5, prepare })
  await vi.waitFor(() => expect(pool.ready).toBe(5), { timeout: patience(20_000) })
  expect(numbers).toEqual(numbers.map((_, i) => i))
  expect(numbers.length).toBeGreaterThanOrEqual(7)
})

test('it recovers when the obstacle is gone, and leaves nothing of what failed', async () => {
  await host.namespace.links.create({ kind: 'bridge', name: 'pf0' })
  const before = (await veths()).length
  const prepare = (plan: PlanNamespace) => {
    plan.links.create({ kind: 'veth', name: 'first', peer: { name: 'second' } })
    plan.links.create({ kind: 'veth', name: 'eth0', peer: { namespace: host.namespace, name: 'pf0' } })
  }
  await using pool = new NamespacePool({ size: 1, prepare })
  expect(await tryOnce(pool)).toMatchObject({ code: 'EEXIST', path: 'links[1].peer.name' })
  expect((await veths()).length).toBe(before)
  await host.namespace.links.delete('pf0')
  await vi.waitFor(() => expect(pool.ready).toBe(1), { timeout: patience(10_000) })
  await using namespace = await pool.take()
  expect((await namespace.links.list()).map(({ name }) => name).sort()).toEqual(['eth0', 'first', 'lo', 'second'])
})
