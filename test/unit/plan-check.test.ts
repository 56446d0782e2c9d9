// Looking through a whole plan: mistakes that show only when its steps are seen together, and plans that have none.
import { expect, test } from 'vitest'
import { check, checkSoon, survey } from '../../lib/plan/check.js'
import { compile } from '../../lib/plan/compile.js'
import { Pace } from '../../lib/plan/pace.js'
import { Plan } from '../../lib/plan/plan.js'
import type { PlanNamespace } from '../../lib/plan/plan-namespace.js'
import { endNames, standingLinks } from '../../lib/plan/standing.js'

interface Problems {
  readonly path?: string
  readonly message: string
  readonly errors: readonly { readonly path?: string; readonly message: string }[]
}
const problemsOf = (plan: Plan): Problems => {
  try {
    check(plan.data())
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ code: 'ERR_NETLOOM_INVALID_PLAN' })
    return error as Problems
  }
  return { message: '', errors: [] }
}
/** The problems of what is said in a new namespace, in an existing one, and in the plan. */
function problems(say: (made: PlanNamespace, host: PlanNamespace, plan: Plan) => void): string[] {
  const plan = new Plan()
  say(plan.namespace('web'), plan.in({ name: 'host' }), plan)
  return problemsOf(plan).errors.map(({ message }) => message)
}
const dummy = (name: string) => ({ kind: 'dummy' as const, name })

test('an address that is taken away may be given again, the first of a link like any other', () => {
  expect(
    problems(web => {
      web.addresses.add('lo', '10.0.0.1/24')
      web.addresses.delete('lo', '10.0.0.1/24')
      web.addresses.add('lo', '10.0.0.1/24')
      web.addresses.add('lo', '10.0.0.2/24')
      web.addresses.delete('lo', '10.0.0.2/24')
      web.addresses.add('lo', '10.0.0.2/24')
      web.addresses.add('lo', '10.0.0.1/24')
    }),
  ).toEqual(['addresses[6].cidr: lo gets 10.0.0.1/24 twice'])
})

test('names of namespaces are taken once', () => {
  expect(problems((_, __, plan) => plan.namespace('web'))).toEqual(['namespaces[2].name: the name web is that of namespaces[0] already'])
  expect(problems((_, __, plan) => plan.namespace('host'))).toEqual(['namespaces[2].name: the name host is that of namespaces[1] already'])
  expect(problems((_, __, plan) => void [plan.namespace(), plan.namespace(), plan.in({ name: 'host' })])).toEqual([])
})

test('names and indexes of links are taken once in a namespace, peers, alternative names and new names counted', () => {
  expect(
    problems((web, host) => {
      web.links.create(dummy('a'))
      host.links.create(dummy('a'))
      web.links.create(dummy('a'))
      host.links.create({ kind: 'veth', name: 'b', peer: { name: 'a', namespace: web } })
      host.links.create({ ...dummy('c'), altNames: ['d', 'b'] })
      host.links.update('c', { name: 'a' })
      host.links.create({ ...dummy('i'), index: 7 })
      host.links.create({ ...dummy('j'), index: 7 })
      web.links.create(dummy('lo'))
    }),
  ).toEqual([
    'links[2].name: the name a is that of links[0] already, in web',
    'links[3].peer.name: the name a is that of links[2] already, in web',
    'links[4].altNames[1]: the name b is that of links[3] already, in host',
    'links[5].name: the name a is that of links[1] already, in host',
    'links[7].index: the index 7 is that of links[6] already, in host',
    'links[8].name: every namespace has a link lo of its own',
  ])
})

test('a name is free again when its link is deleted, renamed or moved away', () => {
  expect(
    problems((web, host) => {
      const first = host.links.create(dummy('a'))
      host.links.update(first, { name: 'b' })
      const second = host.links.create(dummy('a'))
      host.links.delete(second)
      const third = host.links.create(dummy('a'))
      host.links.move(third, web)
      host.links.create(dummy('a'))
      host.links.delete('old')
      host.links.create(dummy('old'))
      web.links.update(third, { up: true })
      web.links.update('a', { up: true })
    }),
  ).toEqual([])
})

test('links that are gone, elsewhere, or not there yet are not used', () => {
  expect(
    problems((web, host) => {
      const pair = host.links.create({ kind: 'veth', name: 'v', peer: { name: 'eth0', namespace: web } })
      host.addresses.add(pair.peer, '10.0.0.1/24')
      web.links.delete(pair.peer)
      host.links.update(pair, { up: true })
      host.links.update('v', { up: true })
      const moved = host.links.create(dummy('m'))
      host.links.move(moved, web, { name: 'n' })
      host.links.update('m', { up: true })
      host.addresses.add(moved, '10.0.0.1/24')
      web.addresses.add('n', '10.0.0.1/24')
      host.routes.add({ to: 'default', nexthops: [{ link: 'late' }] })
      host.links.create(dummy('late'))
      web.neighbours.add({ address: '10.0.0.9', mac: '02:00:00:00:00:01', link: 'never' })
    }),
  ).toEqual([
    'addresses[0].link: eth0 is in web and not in host',
    'links[2].link: v is no longer there: it was deleted by links[1]',
    'links[3].link: v is no longer in host: it was deleted by links[1]',
    'links[6].link: m is no longer in host: it was moved away by links[5]',
    'addresses[1].link: m is in web and not in host',
    'routes[0].nexthops[0].link: late is made only later, by links[7]',
    'neighbours[0].link: there is no link never in web: the plan puts none of that name there',
  ])
})

test('a link that is there is moved into a namespace of the plan', () => {
  const move = (web: PlanNamespace, host: PlanNamespace) => {
    host.links.move('eth7', web, { name: 'eth0' })
    web.links.update('eth0', { up: true })
  }
  expect(problems(move)).toEqual([])
})

test('what sits on a link goes with it', () => {
  expect(
    problems(web => {
      const base = web.links.create(dummy('d'))
      const vlan = web.links.create({ kind: 'vlan', name: 'd.5', link: base, options: { id: 5 } })
      web.links.delete(base)
      web.links.update(vlan, { up: true })
    }),
  ).toEqual(['links[3].link: d.5 is no longer there: it was deleted by links[2]'])
})

test('a link that the kernel names may have any name', () => {
  expect(
    problems((web, host) => {
      host.links.create({ kind: 'veth', peer: { namespace: web } })
      web.links.update('veth0', { up: true })
      web.links.update('lo', { up: true })
      web.links.update(2, { up: true })
    }),
  ).toEqual([])
})

test('a bridge has 1,023 ports', () => {
  const plan = new Plan()
  const host = plan.in({ name: 'host' })
  const bridge = host.links.create({ kind: 'bridge', name: 'br0' })
  for (let i = 0; i < 1024; i++) host.links.create({ kind: 'veth', name: `v${i}`, ...(i % 2 ? { master: 'br0' } : { master: bridge }) })
  for (let i = 0; i < 2; i++) host.links.create({ ...dummy(`d${i}`), master: 'other' })
  const { errors } = problemsOf(plan)
  expect(errors.map(({ path }) => path)).toEqual(['links[1024].master'])
  host.links.update('v7', { master: null })
  const steps = survey(plan.data())
  let step = steps.next()
  while (!step.done) step = steps.next()
  expect(step.value.masters).toEqual([{ namespace: 0, link: 'other', ports: 2, path: 'links[1025].master' }])
  expect(step.value.largest).toEqual({ label: 'br0', ports: 1023 })
})

test('bridges stay where they are', () => {
  expect(problems((web, host) => host.links.move(host.links.create({ kind: 'bridge' }), web))).toEqual([
    'links[1].link: a bridge cannot leave its namespace: make it where it is to be (namespace)',
  ])
})

test('an address is given to a link once', () => {
  expect(
    problems((web, host) => {
      web.addresses.add('lo', '10.0.0.1/32')
      web.addresses.add('lo', '10.0.0.1/24')
      host.addresses.add('lo', '10.0.0.1/32')
      web.addresses.replace('lo', '10.0.0.1/32')
      web.addresses.add('lo', 'fd00::1/64')
      web.addresses.add('lo', 'fd00:0::1/128')
      web.addresses.delete('lo', '10.0.0.1/32')
      web.addresses.add('lo', '10.0.0.1')
      web.addresses.add('lo', '10.0.0.1/32')
    }),
  ).toEqual(['addresses[5].cidr: lo gets fd00:0::1/128 twice', 'addresses[8].cidr: lo gets 10.0.0.1/32 twice'])
})

test('a link without IPv6 gets none', () => {
  expect(
    problems(web => {
      const link = web.links.create({ ...dummy('a'), ipv6: 'none' })
      web.addresses.add(link, 'fd00::1/64')
      web.addresses.add('lo', 'fd00::1/64')
      web.routes.add({ to: 'fd01::/64', link })
      web.links.update(link, { ipv6: 'static' })
      web.addresses.add(link, 'fd00::1/64')
    }),
  ).toEqual([
    "addresses[0].cidr: a has no IPv6, by its policy 'none': give the link, its namespace or the plan ipv6: 'static'",
    "routes[0].link: a has no IPv6, by its policy 'none'",
  ])
})

test('all problems are in one error, and a plan that repeats its mistakes says so', async () => {
  const plan = new Plan()
  const web = plan.namespace('web')
  for (let i = 0; i < 151; i++) web.links.create(dummy('a'))
  const error = problemsOf(plan)
  expect(error.path).toBe('links[1].name')
  expect(error.message).toBe('links[1].name: the name a is that of links[0] already, in web (and 149 more problems: see errors)')
  expect(error.errors).toHaveLength(100)
  await expect(checkSoon(plan.data(), new Pace())).rejects.toThrow(error.message)
})

test('a large plan leaves the event loop free', async () => {
  const plan = new Plan()
  const web = plan.namespace('web')
  for (let i = 0; i < 20_000; i++) web.links.create(dummy(`d${i}`))
  const data = plan.data()
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  const { problems } = await checkSoon(data, new Pace())
  expect(problems).toEqual([])
  expect(turns).toBeGreaterThan(0)
  clearInterval(timer)
  await expect(checkSoon(data, new Pace(AbortSignal.abort()))).rejects.toMatchObject({ name: 'AbortError' })
  for (const work of [checkSoon, compile, standingLinks, endNames]) {
    let rests = 0
    const pace = { isDue: true, rest: async () => void rests++ } as unknown as Pace
    await work(data, pace)
    expect(rests).toBeGreaterThanOrEqual(data.items.length)
  }
})
