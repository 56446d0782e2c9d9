// Limits of this machine: a plan that fits meets none, bridges that are there count, and a large plan is refused before anything is done.
import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { Plan } from '../../lib/plan/plan.js'
import { readMachine } from '../../lib/plan/preflight-machine.js'
import { useOpenHost } from '../helpers/links.js'
import { attempt, run } from '../helpers/readers.js'

const host = useOpenHost()

test('the machine is read as it is', async () => {
  const { descriptors, namespaces, neighbours, memory } = await readMachine(0)
  expect(descriptors?.limit).toBeGreaterThan(descriptors?.used ?? Number.POSITIVE_INFINITY)
  expect(Math.abs((descriptors?.used ?? 0) - (await readdir('/proc/self/fd')).length)).toBeLessThan(5)
  expect(namespaces?.limit).toBe(Number(await run(undefined, 'cat', '/proc/sys/user/max_net_namespaces')))
  expect(neighbours[4]?.limit).toBeGreaterThan(0)
  expect(neighbours[6]?.limit).toBeGreaterThan(0)
  expect(memory).toBeGreaterThan(1e6)
})

test('namespaces close to the limit are counted by their processes', async () => {
  const { namespaces } = await readMachine(1e9)
  expect(namespaces?.used).toBeGreaterThanOrEqual((await readdir('/run/netns')).length)
})

test('a plan that fits meets no limit', async () => {
  const plan = new Plan()
  plan.namespace(host.named('web'))
  plan.in({ name: host.name }).links.create({ kind: 'bridge', name: 'br0' })
  expect(await plan.preflight()).toEqual([])
})

test('ports that a bridge has already count, also where it is meant by its index', async () => {
  const { namespace } = host
  const bridge = await namespace.links.create({ kind: 'bridge', name: 'br0' })
  await namespace.links.create({ kind: 'veth', name: 'port', master: 'br0', peer: { name: 'other' } })
  try {
    for (const [master, source] of [
      ['br0', namespace],
      [bridge, { name: host.name }],
    ] as const) {
      const plan = new Plan()
      const here = plan.in(source)
      for (let i = 0; i < 1023; i++) here.links.create({ kind: 'dummy', name: `d${i}`, master })
      const [limit, ...others] = (await plan.preflight()).filter(one => one.limit.startsWith('ports'))
      expect(limit).toMatchObject({ limit: `ports of br0 in ${host.name}`, need: 1024, have: 1023, fatal: true })
      expect(others).toEqual([])
      await expect(plan.apply()).rejects.toMatchObject({ code: 'EXFULL', operation: 'apply plan' })
    }
    const plan = new Plan()
    for (const master of ['other', 'missing']) plan.in(namespace).links.create({ kind: 'dummy', master })
    expect(await plan.preflight()).toEqual([])
  } finally {
    for (const link of ['port', bridge]) await namespace.links.delete(link)
  }
})

test('a plan that cannot work has no preflight', async () => {
  const plan = new Plan()
  const web = plan.namespace(host.named('web'))
  web.links.update('eth0', { up: true })
  await expect(plan.preflight()).rejects.toMatchObject({ code: 'ERR_NETLOOM_INVALID_PLAN', path: 'links[0].link' })
  await expect(plan.apply()).rejects.toMatchObject({ code: 'ERR_NETLOOM_INVALID_PLAN', errors: [expect.any(TypeError)] })
  const nowhere = new Plan()
  nowhere.in({ name: host.named('nowhere') })
  await expect(nowhere.preflight()).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a process that may open few files is told so, and its plan is refused before anything is done', async () => {
  const program = `
    import { Plan } from '${new URL('../../dist/index.js', import.meta.url).href}'
    const plan = new Plan()
    for (let i = 0; i < 1500; i++) plan.namespace()
    const [limit] = await plan.preflight()
    const { code, operation } = await plan.apply().then(() => 'applied', error => error)
    console.log(JSON.stringify({ limit, code, operation }))`
  const { stdout, stderr } = await attempt(undefined, 'prlimit', [
    '--nofile=300:300',
    process.execPath,
    '--input-type=module',
    '-e',
    program,
  ])
  expect(stderr).toBe('')
  const { limit, ...refusal } = JSON.parse(stdout) as { limit: { limit: string; need: number; have: number; fix: string; fatal: boolean } }
  expect(limit).toMatchObject({ limit: expect.stringContaining('descriptors'), fatal: true })
  expect(limit.need).toBeGreaterThan(1500)
  expect(limit.have).toBeLessThanOrEqual(300)
  expect(refusal).toEqual({ code: 'EMFILE', operation: 'apply plan' })
})
