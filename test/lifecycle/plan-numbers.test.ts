// By which numbers a namespace knows those that a plan connects to it: among many the kernel finds the last ones first.
import { fileURLToPath } from 'node:url'
import { beforeEach, expect, test } from 'vitest'
import { leastNumbered } from '../../lib/plan/execute-group.js'
import { needs } from '../helpers/features.js'
import { run } from '../helpers/readers.js'

const isolated = fileURLToPath(new URL('../../scripts/isolated.mjs', import.meta.url))
const program = fileURLToPath(new URL('plan-numbers.mjs', import.meta.url))
beforeEach(context => needs(context, 'tool:ip', 'veth'))

/** In the order of the plan. */
async function numbersOf(count: number, threads: number): Promise<number[]> {
  const command = [isolated, '--fresh', process.execPath, program, `${count}`, `${threads}`]
  const { numbers, named } = JSON.parse(await run(undefined, process.execPath, ...command)) as {
    numbers: number[]
    named: [number, string][]
  }
  expect(numbers).toHaveLength(count)
  // Each of those that ip tells of, which are the lowest, leads to the namespace that it should.
  expect(named.length).toBeGreaterThanOrEqual(70)
  for (const [number, name] of named) expect(`n${numbers.indexOf(number)}`).toBe(name)
  return numbers
}

test('few have those that the kernel gives by itself', async () => {
  expect(Math.max(...(await numbersOf(70, 1)))).toBeLessThanOrEqual(70)
})

test.each([1, 2])('of many each has a lower one than those before it, with %i threads', async threads => {
  const numbers = (await numbersOf(leastNumbered, threads)).filter(number => number > 2 ** 30)
  // The first has the kernel's own, because it is made before anything is known of the plan's namespaces.
  expect(numbers.length).toBeGreaterThanOrEqual(leastNumbered - 1)
  expect(numbers).toEqual(numbers.toSorted((a, b) => b - a))
})
