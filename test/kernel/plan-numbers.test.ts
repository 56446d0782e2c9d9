// By which numbers a namespace knows those that a plan connects to it: among many the kernel finds the last ones first.
import { afterAll, expect, test } from 'vitest'
import { Plan } from '../../lib/index.js'
import { leastNumbered } from '../../lib/plan/execute-group.js'
import { linkNames, useOpenHost } from '../helpers/links.js'
import { ip, run } from '../helpers/readers.js'
import { settle } from '../lifecycle/ending.js'

const host = useOpenHost()
afterAll(async () => expect(await settle(() => linkNames(host.name), [], 20_000)).toEqual([]))

/** Namespaces with a cable to the host each; gives the numbers that the host knows them by, in the order of the plan. */
async function numbersOf(count: number, threads: 1 | 2): Promise<number[]> {
  const plan = new Plan({ ipv6: 'none' })
  for (let i = 0; i < count; i++)
    plan.namespace(host.named(`n${i}`)).links.create({ kind: 'veth', name: 'eth0', peer: { namespace: host.namespace, name: `p${i}` } })
  await using applied = await plan.apply({ threads })
  applied.namespace(host.named(`n${count - 1}`))
  const links = await ip<{ ifname: string; link_netnsid?: number }>(host.name, 'link', 'show')
  const byName = new Map(links.map(({ ifname, link_netnsid }) => [ifname, link_netnsid]))
  const told = await run(host.name, 'ip', 'netns', 'list-id')
  const numbers = Array.from({ length: count }, (_, i) => byName.get(`p${i}`) as number)
  // Each of those that ip tells of, which are the lowest, leads to the namespace that it should.
  const names = [...told.matchAll(/nsid (\d+) .*name: (\S+?)\)/g)]
  expect(names.length).toBeGreaterThanOrEqual(70)
  for (const [, nsid, name] of names) expect(host.named(`n${numbers.indexOf(Number(nsid))}`)).toBe(name)
  return numbers
}

test('few have those that the kernel gives by itself', async () => {
  const numbers = await numbersOf(70, 1)
  expect(Math.max(...numbers)).toBeLessThanOrEqual(70)
})

test.each([1, 2] as const)('of many each has a lower one than those before it, with %i threads', async threads => {
  const numbers = (await numbersOf(leastNumbered, threads)).filter(number => number > 2 ** 30)
  // The first has the kernel's own, because it is made before anything is known of the plan's namespaces.
  expect(numbers.length).toBeGreaterThanOrEqual(leastNumbered - 1)
  expect(numbers).toEqual(numbers.toSorted((a, b) => b - a))
})
