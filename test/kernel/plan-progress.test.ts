// Callbacks that throw while a plan is applied, taken back or deleted: nothing is left half done by them.
import { expect, test } from 'vitest'
import { Namespace, type PlanProgress } from '../../lib/index.js'
import { recordsOf } from '../helpers/crowds.js'
import { useOpenHost } from '../helpers/links.js'
import { everything, star } from '../helpers/plans.js'
import { namedNamespaces } from '../helpers/state.js'

const host = useOpenHost()
const prefix = () => host.named('t')
const plan = () => star(host.namespace, 60, { prefix: prefix() })

const phases: readonly PlanProgress['phase'][] = ['prepare', 'namespaces', 'host']

test.for(phases.flatMap(phase => (['rollback', 'continue'] as const).map(onError => [phase, onError] as const)))(
  'a callback that throws from phase %s on ends the plan under %s: it rejects with that error, and everything is as before',
  async ([from, onError]) => {
    const before = await everything(host.name)
    const told: PlanProgress[] = []
    const error = new Error('no bar to draw on')
    const onProgress = (progress: PlanProgress) => {
      told.push(progress)
      if (phases.indexOf(progress.phase) >= phases.indexOf(from) || progress.phase === 'undo') throw error
    }
    await expect(plan().apply({ onProgress, onError })).rejects.toBe(error)
    expect(told.at(-1)?.phase).toBe(from)
    expect(await everything(host.name)).toEqual(before)
  },
)

test('one that throws at the very end, when all is done, does not leave a plan without a result', async () => {
  const before = await everything(host.name)
  const error = new Error('100 % was too much')
  const onProgress = ({ done, total }: PlanProgress) => {
    if (done === total) throw error
  }
  await expect(plan().apply({ onProgress })).rejects.toBe(error)
  expect(await everything(host.name)).toEqual(before)
  expect(await recordsOf(prefix())).toEqual([])
})

test('one that throws while a failed plan is taken back does not stop that: the plan rejects with its own error', async () => {
  const before = await everything(host.name)
  const spoilt = plan()
  spoilt.in(host.namespace).sysctl.set('net.ipv4.no_such_key', 1)
  const onProgress = ({ phase }: PlanProgress) => {
    if (phase === 'undo') throw new Error('an undo was not foreseen')
  }
  await expect(spoilt.apply({ onProgress })).rejects.toMatchObject({ code: 'ENOENT', path: 'sysctl[0]' })
  expect(await everything(host.name)).toEqual(before)
})

test('delete() and deleteMany() come to their end, and then reject with what the callback has thrown', async () => {
  const before = await everything(host.name)
  const error = new Error('nobody wants to know')
  const onProgress = () => {
    throw error
  }
  const result = await plan().apply()
  await expect(result.delete({ drain: true, onProgress })).rejects.toBe(error)
  expect(await everything(host.name)).toEqual(before)

  const names = Array.from({ length: 70 }, (_, i) => ({ name: `${prefix()}${i}` }))
  await Namespace.createMany(names.map(({ name }) => name))
  await expect(Namespace.deleteMany(names, { onProgress })).rejects.toBe(error)
  expect(await namedNamespaces(prefix())).toEqual([])
})
