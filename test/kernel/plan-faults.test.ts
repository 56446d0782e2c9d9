// Plans that fail, at every kind of step and at random moments: afterwards everything is as it was before.
import { expect, test, vi } from 'vitest'
import { NetloomError, Plan } from '../../lib/index.js'
import { native } from '../../lib/socket/native.js'
import { Faults } from '../helpers/injected.js'
import { useOpenHost } from '../helpers/links.js'
import { patience } from '../helpers/patience.js'
import { everything, star } from '../helpers/plans.js'
import { attempt, run } from '../helpers/readers.js'
import { namedNamespaces, namespaceState } from '../helpers/state.js'

const host = useOpenHost()
const count = 60
const prefix = () => host.named('f')
const plan = () => star(host.namespace, count, { prefix: prefix() })

interface Fault {
  readonly what: string
  /** Puts something in the plan's way; gives what takes it out again. */
  arrange(): Promise<() => Promise<unknown>>
  /** Makes the plan itself one that the kernel refuses at some step. */
  spoil?(plan: Plan): void
  readonly code: string
  readonly path: RegExp
}
const nothing = async () => async () => undefined
const ip = (...words: string[]) => run(host.name, 'ip', ...words)
/** A bridge in the place of a link that the plan is to make. */
const taking = (name: string) => async () => {
  await ip('link', 'add', name, 'type', 'bridge')
  return () => ip('link', 'delete', name)
}

const faults: Fault[] = [
  { what: 'the bridge is there already', arrange: taking('star0'), code: 'EEXIST', path: /^links\[0\]\.name$/ },
  ...[0, 29, 59].map(i => ({
    what: `the end of link ${i} in the host is there already`,
    arrange: taking(`p${i}`),
    code: 'EEXIST',
    path: new RegExp(`^links\\[${i + 1}\\]\\.peer\\.name$`),
  })),
  ...[0, 31, 59].map(i => ({
    what: `namespace ${i} is there already`,
    arrange: async () => {
      await run(undefined, 'ip', 'netns', 'add', `${prefix()}${i}`)
      return () => run(undefined, 'ip', 'netns', 'delete', `${prefix()}${i}`)
    },
    code: 'EEXIST',
    path: /^namespaces\[\d+\]\.name$/,
  })),
  {
    what: 'a route in the host is there already',
    async arrange() {
      await ip('link', 'add', 'other0', 'type', 'bridge')
      await ip('link', 'set', 'other0', 'addrgenmode', 'none')
      await ip('link', 'set', 'other0', 'up')
      await ip('route', 'add', '10.78.0.40', 'dev', 'other0')
      return () => ip('link', 'delete', 'other0')
    },
    code: 'EEXIST',
    path: /^routes\[\d+\]/,
  },
  {
    what: 'a gateway that nothing leads to, in a namespace',
    arrange: nothing,
    spoil: wrong => wrong.namespace(`${prefix()}-late`).routes.add({ to: '10.99.0.0/16', via: '10.98.0.1' }),
    code: 'ENETUNREACH',
    path: /^routes\[\d+\]\.via$/,
  },
  {
    what: 'an entry on a link that is not there, after changes of every sort',
    arrange: nothing,
    spoil: wrong => {
      const here = wrong.in(host.namespace)
      const link = here.links.create({ kind: 'bridge', name: 'twice0' })
      here.addresses.add(link, '10.97.0.1/24')
      here.addresses.replace('lo', '127.0.0.9/8', { scope: 'host' })
      here.sysctl.set('net.ipv4.conf.default.rp_filter', 1)
      here.rules.add({ from: '10.97.0.0/24', table: 97, priority: 97 })
      here.neighbours.add({ address: '10.97.0.9', mac: '02:00:00:00:00:09', link: 'nosuchlink' })
    },
    code: 'ENODEV',
    path: /^neighbours\[0\]\.link$/,
  },
  {
    what: 'a setting that does not take the value',
    arrange: nothing,
    spoil: wrong => wrong.in(host.namespace).sysctl.set('net.ipv4.ip_default_ttl', 100000),
    code: 'EINVAL',
    path: /^sysctls?\[0\]/,
  },
]

/** Links that were there by the kernel's own doing change nothing here. */
const settled = async () => everything(host.name)

test.each(faults)('$what', async ({ arrange, spoil, code, path }) => {
  const remove = await arrange()
  try {
    const before = await settled()
    const wrong = plan()
    spoil?.(wrong)
    const error = await wrong.apply().then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ code })
    const problems =
      error instanceof NetloomError ? [error] : ((error as { errors?: { path: string }[] }).errors ?? [error as { path: string }])
    expect(problems[0]?.path).toMatch(path)
    expect((error as NetloomError).leftovers).toBeUndefined()
    await vi.waitFor(async () => expect(await settled()).toEqual(before), { timeout: patience(5000) })
  } finally {
    await remove()
  }
})

test('stopped at random moments, it leaves nothing', async () => {
  const seed = Number(process.env.NETLOOM_SEED ?? Date.now() % 1_000_000)
  process.stdout.write(`plan-faults: NETLOOM_SEED=${seed}\n`)
  const random = generator(seed)
  const before = await settled()
  const began = performance.now()
  await (await plan().apply()).delete({ drain: true })
  const whole = performance.now() - began
  for (let i = 0; i < 20; i++) {
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(new Error('enough')), random() * whole)
    const result = await plan()
      .apply({ signal: stop.signal })
      .then(
        made => made,
        (error: unknown) => error as Error,
      )
    clearTimeout(timer)
    if (result instanceof Error) expect(result).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: { message: 'enough' } })
    else await result.delete({ drain: true })
    await vi.waitFor(async () => expect(await settled()).toEqual(before), { timeout: patience(5000) })
  }
})

test("with onError: 'continue' the rest is done, what needs a failed thing is not, and nothing foreign is touched", async () => {
  const remove = await taking('p7')()
  const [foreign] = (await namespaceState(host.name)).links.filter(link => link.ifname === 'p7')
  await run(undefined, 'ip', 'netns', 'add', `${prefix()}9`)
  await host.namespace.links.list()
  const before = await settled()
  const result = await plan().apply({ onError: 'continue' })
  try {
    const failed = result.failed.map(({ path, error }) => `${path} ${(error as NetloomError).code}`)
    expect(failed).toContain('links[8].peer.name EEXIST')
    expect(failed.some(line => /^namespaces\[\d+\]\.name EEXIST$/.test(line))).toBe(true)
    expect(failed.every(line => /EEXIST|ENODEV|ECANCELED|ENETUNREACH/.test(line))).toBe(true)
    expect((await host.namespace.links.list({ master: 'star0' })).length).toBe(count - 2)
    expect((await namespaceState(host.name)).links.find(link => link.ifname === 'p7')).toEqual(foreign)
  } finally {
    await result.delete({ drain: true })
  }
  expect(await settled()).toEqual(before)
  await run(undefined, 'ip', 'netns', 'delete', `${prefix()}9`)
  await remove()
})

test('what the undo cannot take back is named', async () => {
  await ip('link', 'add', 'doomed0', 'type', 'bridge')
  const wrong = plan()
  const here = wrong.in(host.namespace)
  here.links.delete('doomed0')
  here.routes.add({ to: '10.99.0.0/16', via: '10.98.0.1' })
  await expect(wrong.apply()).rejects.toMatchObject({ code: 'ENETUNREACH', leftovers: ['link doomed0 (deleted)'] })
  expect(await namedNamespaces(prefix())).toEqual([])
  expect((await attempt(host.name, 'ip', ['link', 'show', 'star0'])).code).not.toBe(0)
})

test('what the addon has not come to when a thread of its ends before its time is done by another', async () => {
  const before = await everything(host.name)
  const addon = native()
  const { perform } = addon
  const done: number[] = []
  addon.perform = async (jobs, ...rest) => {
    const some = jobs.length > 4 ? jobs.slice(0, jobs.length - 3) : jobs
    done.push(jobs.length - some.length)
    return perform(some, ...rest)
  }
  const result = await plan().apply()
  addon.perform = perform
  expect(done.filter(Boolean).length).toBeGreaterThan(1)
  expect(await namedNamespaces(prefix())).toHaveLength(count)
  expect((await run(host.name, 'ip', '-o', 'link', 'show', 'master', 'star0')).split(',UP,').length - 1).toBe(count)
  expect(await run(`${prefix()}${count - 1}`, 'ip', 'route')).toContain('default via 10.77.0.1')
  await result.delete({ drain: true })
  expect(await everything(host.name)).toEqual(before)
})

/** Mulberry32: the same numbers for the same seed. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

test('a link that cannot be brought home keeps its namespace, until another try brings it', async () => {
  await ip('link', 'add', 'old0', 'type', 'ifb')
  const before = await namespaceState(host.name)
  const moving = new Plan()
  moving.in(host.namespace).links.move('old0', moving.namespace(`${prefix()}-away`))
  const result = await moving.apply()
  using faults = new Faults()
  let opened = 0
  faults.arm(call => (call === 'openNetlink' && opened++ === 0 ? 'refused' : undefined))
  const error: unknown = await result.delete({ drain: true }).catch((refusal: unknown) => refusal)
  faults.disarm()
  expect(error).toMatchObject({ code: 'ENOMEM', leftovers: ['links[0]', `namespace ${prefix()}-away`] })
  expect(await run(`${prefix()}-away`, 'ip', '-o', 'link', 'show')).toContain('old0')
  await result.delete({ drain: true })
  expect(await namedNamespaces(prefix())).toEqual([])
  const links = async () => (await namespaceState(host.name)).links.map(link => ({ ...link, ifindex: 0 }))
  expect(await links()).toEqual(before.links.map(link => ({ ...link, ifindex: 0 })))
  await ip('link', 'delete', 'old0')
})

test('a link that cannot be made as it was is, by another try, and what the plan had put on it does not come back', async () => {
  await ip('link', 'add', 'old0', 'mtu', '1400', 'type', 'bridge')
  const changing = new Plan()
  const here = changing.in(host.namespace)
  here.addresses.add('old0', '10.3.1.1/24')
  here.links.update('old0', { mtu: 1300 })
  const result = await changing.apply()
  using faults = new Faults()
  await host.namespace.links.list()
  let opened = 0
  faults.arm(call => (call === 'openNetlink' && opened++ === 0 ? 'refused' : undefined))
  await expect(result.delete()).rejects.toMatchObject({ code: 'ENOMEM' })
  faults.disarm()
  await result.delete()
  expect(await ip('-o', 'address', 'show', 'dev', 'old0')).not.toContain('10.3.1.1')
  expect(await ip('-o', 'link', 'show', 'dev', 'old0')).toContain('mtu 1400')
  await ip('link', 'delete', 'old0')
})
