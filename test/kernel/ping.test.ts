// Ping from inside a namespace, next to ping(8) and tcpdump: answers, refusals by the kernel here and by others, silence.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { OpenNamespace } from '../../lib/namespace/info.js'
import { createAnonymous, createNamed, deleteNamed } from '../../lib/namespace/lifecycle.js'
import { type PingOptions, ping, pingThrough } from '../../lib/namespace/ping.js'
import { openSource } from '../../lib/namespace/source.js'
import { setSysctl } from '../../lib/namespace/sysctl.js'
import { runBuilt } from '../helpers/built.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { patience } from '../helpers/patience.js'
import { ip, ping as ping8, run, tcpdump } from '../helpers/readers.js'
import { descriptors, threadNamespaces } from '../helpers/state.js'

// blue 10.0.1.1 ── 10.0.1.254 router 10.0.2.254 ── 10.0.2.1 red
const host = useHost()
const names = ['blue', 'router', 'red'] as const
const ns = {} as Record<(typeof names)[number], OpenNamespace>
const inside = (name: (typeof names)[number], ...args: string[]) => run(host.named(name), 'ip', ...args)

beforeAll(async () => {
  for (const name of names) {
    ns[name] = await createNamed(host.named(name))
    await inside(name, 'link', 'set', 'lo', 'up')
  }
  for (const [end, subnet] of [
    ['blue', 1],
    ['red', 2],
  ] as const) {
    await inside('router', 'link', 'add', `to-${end}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host.named(end))
    await inside('router', 'address', 'add', `10.0.${subnet}.254/24`, 'dev', `to-${end}`)
    await inside('router', 'address', 'add', `fd00:${subnet}::254/64`, 'dev', `to-${end}`, 'nodad')
    await inside('router', 'link', 'set', `to-${end}`, 'up')
    await inside(end, 'address', 'add', `10.0.${subnet}.1/24`, 'dev', 'eth0')
    await inside(end, 'address', 'add', `fd00:${subnet}::1/64`, 'dev', 'eth0', 'nodad')
    await inside(end, 'link', 'set', 'eth0', 'up')
    await inside(end, 'route', 'add', 'default', 'via', `10.0.${subnet}.254`)
    await inside(end, '-6', 'route', 'add', 'default', 'via', `fd00:${subnet}::254`)
  }
  await setSysctl(ns.router, 'net.ipv4.ip_forward', 1)
  await setSysctl(ns.router, 'net.ipv6.conf.all.forwarding', 1)
  // So that the errors that several tests ask for are not held back; older kernels count redirects with them.
  for (const name of ['router', 'red'] as const) await setSysctl(ns[name], 'net.ipv4.icmp_ratelimit', 0)
  await setSysctl(ns.router, 'net.ipv6.icmp.ratelimit', 0)
  // Neighbours have been found, and addresses looked for twice, when the tests begin.
  for (const address of ['10.0.2.1', 'fd00:2::1']) {
    await vi.waitFor(async () => expect(await ping8(host.named('blue'), address)).toMatchObject({ received: 1 }), {
      timeout: patience(10_000),
    })
  }
})
afterAll(async () => {
  for (const { handle, info } of Object.values(ns)) {
    handle.close()
    await deleteNamed(info.name!)
  }
})

const quick: PingOptions = { interval: 0.01, timeout: 1 }
type Failed = Error & {
  code?: string
  reason?: string
  hint?: string
  path?: string
  cause?: unknown
  subject?: string
  namespace?: string
}
const rejection = (from: OpenNamespace, address: string, options: PingOptions = quick) =>
  ping(from, address, options).then(
    result => {
      throw new Error(`was accepted: ${JSON.stringify(result)}`)
    },
    (error: unknown) => error as Failed,
  )

describe.each([
  ['IPv4', '10.0.2.1', '10.0.1.1'],
  ['IPv6', 'fd00:2::1', 'fd00:1::1'],
])('answers (%s)', (_, red, blue) => {
  test('through a router, in both directions, as ping(8) gets them', async () => {
    for (const [from, to] of [
      ['blue', red],
      ['red', blue],
    ] as const) {
      const result = await ping(ns[from], to, { ...quick, count: 5 })
      expect(result).toMatchObject({ sent: 5, received: 5, unreachable: 0, loss: 0, duplicates: 0, errors: [] })
      expect(result.replies.map(({ sequence, ttl }) => [sequence, ttl])).toEqual([1, 2, 3, 4, 5].map(sequence => [sequence, 63]))
      const { min, avg, max } = result.rtt!
      expect(min).toBeGreaterThan(0)
      expect(avg).toBeGreaterThanOrEqual(min)
      expect(max).toBeGreaterThanOrEqual(avg)
      expect(max).toBeLessThan(100)
      expect(await ping8(host.named(from), to, { count: 5 })).toMatchObject({ sent: 5, received: 5 })
    }
  })
  test('three without being asked, in the order of sending', async () => {
    const start = performance.now()
    const { sent, replies } = await ping(ns.blue, red)
    expect(sent).toBe(3)
    expect(replies).toHaveLength(3)
    expect(performance.now() - start).toBeGreaterThanOrEqual(390)
  })
  test.each([0, 1, 15, 16, 56, 1472, 8000, 65507])('of %i bytes', async size =>
    expect(await ping(ns.blue, red, { ...quick, count: 2, size })).toMatchObject({ received: 2 }),
  )
  test('many at once, from and to the same', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, () => ping(ns.blue, red, { ...quick, count: 5 })))
    for (const result of results) expect(result).toMatchObject({ received: 5, duplicates: 0 })
  })
  test('in a round trip that a busy event loop does not lengthen', async () => {
    const running = ping(ns.blue, red, { count: 4, interval: 0.05, timeout: 0.2 })
    const busy = setInterval(() => {
      const end = performance.now() + 150
      while (performance.now() < end);
    }, 1)
    const result = await running.finally(() => clearInterval(busy))
    expect(result).toMatchObject({ received: 4 })
    expect(result.rtt!.max).toBeLessThan(50)
  })
})

test('round trips are those that ping(8) measures', async () => {
  const { output } = await ping8(host.named('blue'), '10.0.2.1', { count: 20 })
  const theirs = Number(/rtt [^=]+= [\d.]+\/([\d.]+)\//.exec(output)?.[1])
  const ours = (await ping(ns.blue, '10.0.2.1', { count: 20, interval: 0.01 })).rtt!.avg
  // The machine is shared: only the order of magnitude can be asked for.
  expect(ours).toBeLessThan(theirs * 10)
  expect(ours).toBeGreaterThan(theirs / 10)
})

test('what tcpdump sees of it', async context => {
  // In a user namespace tcpdump may not give up the groups that it wants to give up.
  await needs(context, 'tool:tcpdump', 'initial-user-namespace')
  await using capture = await tcpdump(host.named('red'), 'eth0', 'icmp')
  await ping(ns.blue, '10.0.2.1', { count: 2, interval: 0.01, size: 100 })
  const seen: string[] = []
  for await (const line of capture.lines) if (seen.push(line) === 4) break
  expect(seen.map(line => /10\.\S+ > \S+: ICMP echo (request|reply), id (\d+), seq (\d+), length (\d+)/.exec(line)?.slice(1))).toEqual(
    [1, 2].flatMap(sequence => ['request', 'reply'].map(kind => [kind, expect.stringMatching(/^\d+$/), String(sequence), '108'])),
  )
})

test('loopback and its own address', async () => {
  for (const address of ['127.0.0.1', '::1', '10.0.1.1', 'fd00:1::1'])
    expect(await ping(ns.blue, address, quick)).toMatchObject({ received: 3 })
})

describe('link-local IPv6', () => {
  const linkLocal = async () => {
    const [link] = await ip<{ addr_info: { local?: string }[] }>(
      host.named('router'),
      '-6',
      'address',
      'show',
      'dev',
      'to-blue',
      'scope',
      'link',
    )
    return link?.addr_info.find(({ local }) => local !== undefined)?.local
  }
  const indexOfEth0 = async () => JSON.parse(await inside('blue', '-j', 'link', 'show', 'dev', 'eth0'))[0].ifindex as number
  test('with the interface as zone, by name and by number', async () => {
    const address = await linkLocal()
    // Both ends look for duplicates of their addresses first.
    await expect
      .poll(async () => (await ping(ns.blue, `${address}%eth0`, quick).catch(() => ({ received: 0 }))).received, {
        timeout: patience(5000),
      })
      .toBe(3)
    expect(await ping(ns.blue, `${address}%${await indexOfEth0()}`, quick)).toMatchObject({ received: 3 })
    expect(await ping(ns.blue, 'ff02::1%eth0', { ...quick, count: 1 })).toMatchObject({ received: 1 })
  })
  test('needs the zone', async () => {
    expect(await rejection(ns.blue, 'fe80::1')).toMatchObject({ name: 'TypeError', code: 'ERR_NETLOOM_INVALID_ADDRESS', path: 'address' })
    expect((await rejection(ns.blue, 'fe80::1')).message).toContain('fe80::1%eth0')
  })
  test('of an interface that is not there', async () =>
    expect(await rejection(ns.blue, 'fe80::1%eth9')).toMatchObject({ code: 'ENODEV', reason: expect.stringContaining('eth9') }))
})

describe('no route to that subnet (the kernel here refuses to send)', () => {
  test('says so, and what to do', async () => {
    const green = await createAnonymous()
    await run({ path: `/proc/${process.pid}/fd/${green.handle.fd}` }, 'ip', 'link', 'set', 'lo', 'up')
    for (const address of ['10.220.1.5', 'fd00:9::1']) {
      const error = await rejection(green, address)
      expect(error).toMatchObject({ name: 'NetloomError', code: 'ENETUNREACH', subject: address, reason: 'no route to that subnet' })
      expect(error.hint).toContain('routes.add()')
    }
    green.handle.close()
  })
  test('lo is down', async () => {
    const green = await createAnonymous()
    expect(await rejection(green, '127.0.0.1')).toMatchObject({ code: 'ENETUNREACH', hint: "lo is down: links.update('lo', { up: true })" })
    // IPv6 has ::1 only once lo is up.
    expect(await rejection(green, '::1')).toMatchObject({ code: expect.stringMatching(/^E(NETUNREACH|ADDRNOTAVAIL)$/) })
    green.handle.close()
  })
  test.each([
    ['unreachable', 'EHOSTUNREACH', 'type unreachable'],
    ['blackhole', 'EINVAL', 'blackhole'],
    ['prohibit', 'EACCES', 'prohibit'],
  ])('a route of type %s', async (type, code, reason) => {
    await inside('blue', 'route', 'add', type, '10.9.0.0/24')
    expect(await rejection(ns.blue, '10.9.0.1')).toMatchObject({ code, reason: expect.stringContaining(reason) })
    await inside('blue', 'route', 'delete', type, '10.9.0.0/24')
  })
  test('a broadcast address', async () =>
    expect(await rejection(ns.blue, '10.0.1.255')).toMatchObject({ code: 'EACCES', reason: expect.stringContaining('broadcast') }))
  test('a firewall that lets nothing out', async context => {
    await needs(context, 'nftables')
    await run(host.named('blue'), 'nft', 'add table inet t; add chain inet t o { type filter hook output priority 0; policy drop; }')
    expect(await rejection(ns.blue, '10.0.2.1')).toMatchObject({ code: 'EPERM', reason: expect.stringContaining('firewall') })
    await run(host.named('blue'), 'nft', 'delete', 'table', 'inet', 't')
  })
})

describe('refused by others', () => {
  test('a neighbour that does not answer to ARP: the kernel here says so after three seconds', async () => {
    const start = performance.now()
    const result = await ping(ns.blue, '10.0.1.77', { count: 2, interval: 0.1 })
    expect(result).toMatchObject({ sent: 2, received: 0, unreachable: 2, loss: 1 })
    expect(result.errors).toEqual(
      [1, 2].map(sequence => ({ sequence, code: 'EHOSTUNREACH', reason: 'host unreachable', from: '10.0.1.1' })),
    )
    // Not the full time of waiting.
    expect(performance.now() - start).toBeLessThan(3900)
  })
  test.each([
    ['10.8.0.1', '10.0.1.254', 'EHOSTUNREACH', 'host unreachable'],
    ['fd00:8::1', 'fd00:1::254', 'ENETUNREACH', 'no route to destination'],
  ])('a router that has no way to %s', async (address, from, code, reason) => {
    const family = address.includes(':') ? ['-6'] : []
    await inside('router', ...family, 'route', 'add', 'unreachable', address)
    // One only: the kernel holds back further errors of this kind, whatever icmp_ratelimit says.
    const result = await ping(ns.blue, address, { ...quick, count: 1 })
    expect(result).toMatchObject({ sent: 1, received: 0, unreachable: 1, loss: 1 })
    expect(result.errors).toEqual([{ sequence: 1, code, reason, from }])
    await inside('router', ...family, 'route', 'delete', 'unreachable', address)
  })
  test('a loop in the routes', async () => {
    await inside('router', 'route', 'add', '10.7.0.0/24', 'via', '10.0.2.1')
    await setSysctl(ns.red, 'net.ipv4.ip_forward', 1)
    try {
      const result = await ping(ns.blue, '10.7.0.1', { ...quick, count: 1 })
      expect(result.errors).toEqual([
        { sequence: 1, code: 'EHOSTUNREACH', reason: 'time to live exceeded in transit', from: expect.stringMatching(/^10\.0\.2\./) },
      ])
    } finally {
      await setSysctl(ns.red, 'net.ipv4.ip_forward', 0)
      await inside('router', 'route', 'delete', '10.7.0.0/24')
    }
  })
  test('a rule that rejects, while others are answered', async context => {
    await needs(context, 'nftables')
    await run(
      host.named('router'),
      'nft',
      'add table inet t; add chain inet t f { type filter hook forward priority 0; }; add rule inet t f icmp type echo-request numgen inc mod 2 0 reject with icmp type admin-prohibited',
    )
    const result = await ping(ns.blue, '10.0.2.1', { ...quick, count: 4 })
    expect(result).toMatchObject({ sent: 4, received: 2, unreachable: 2, loss: 0.5 })
    expect(result.errors[0]).toMatchObject({ code: 'EHOSTUNREACH', reason: 'packet filtered', from: '10.0.1.254' })
    await run(host.named('router'), 'nft', 'delete', 'table', 'inet', 't')
  })
})

describe('silence', () => {
  test('is loss, after the time that each request has', async context => {
    await needs(context, 'nftables')
    await run(host.named('red'), 'nft', 'add table inet t; add chain inet t i { type filter hook input priority 0; policy drop; }')
    const start = performance.now()
    const result = await ping(ns.blue, '10.0.2.1', { count: 3, interval: 0.05, timeout: 0.2 })
    expect(result).toEqual({ sent: 3, received: 0, unreachable: 0, loss: 1, duplicates: 0, replies: [], errors: [] })
    const took = performance.now() - start
    expect(took).toBeGreaterThanOrEqual(290)
    expect(took).toBeLessThan(1500)
    expect(await ping8(host.named('blue'), '10.0.2.1', { count: 1, timeout: 1 })).toMatchObject({ sent: 1, received: 0 })
    await run(host.named('red'), 'nft', 'delete', 'table', 'inet', 't')
  })
})

describe('ping sockets', () => {
  const through = (address: string, options: PingOptions = quick) => pingThrough(['ping'], ns.blue, address, options)
  const range = () => run(host.named('red'), 'cat', '/proc/sys/net/ipv4/ping_group_range')
  test('are closed in a fresh namespace, which is told with the cure, and not changed', async () => {
    const before = await range()
    for (const address of ['10.0.1.1', 'fd00:1::1']) {
      const error = (await pingThrough(['ping'], ns.red, address, quick).catch((reason: unknown) => reason)) as Failed
      expect(error).toMatchObject({ name: 'NetloomError', code: 'EACCES', hint: expect.stringContaining('net.ipv4.ping_group_range') })
    }
    expect(await range()).toBe(before)
  })
  test('give the same answers once opened', async () => {
    await setSysctl(ns.blue, 'net.ipv4.ping_group_range', '0 0')
    for (const address of ['10.0.2.1', 'fd00:2::1', '127.0.0.1', '::1']) {
      const [raw, plain] = [await ping(ns.blue, address, quick), await through(address)]
      expect(plain).toMatchObject({ received: 3, duplicates: 0, errors: [] })
      expect(plain.replies.map(({ ttl }) => ttl)).toEqual(raw.replies.map(({ ttl }) => ttl))
    }
    expect(await through('10.0.2.1', { ...quick, size: 8000 })).toMatchObject({ received: 3 })
    const many = await Promise.all(Array.from({ length: 10 }, () => through('10.0.2.1')))
    for (const result of many) expect(result).toMatchObject({ received: 3, duplicates: 0 })
  })
  test('and the same refusals', async () => {
    await inside('router', 'route', 'add', 'unreachable', '10.8.0.1')
    const once = { ...quick, count: 1, timeout: 0.2 }
    const expected = [{ sequence: 1, code: 'EHOSTUNREACH', reason: 'host unreachable', from: '10.0.1.254' }]
    for (const socket of ['raw', 'ping'] as const) {
      const refused = async () => (await pingThrough([socket], ns.blue, '10.8.0.1', once)).errors
      // Again, as the kernel over there holds back errors of this kind when it has sent several.
      await expect.poll(refused, { timeout: patience(10_000), interval: 500 }).toEqual(expected)
    }
    await inside('router', 'route', 'delete', 'unreachable', '10.8.0.1')
  })
  test('are what is used without CAP_NET_RAW', async context => {
    await needs(context, 'tool:setpriv')
    const from = async (name: 'blue' | 'red') => {
      const program = `
        const said = error => ({ code: error.code, hint: error.hint })
        const where = await openSource({ name: '${host.named(name)}' })
        console.log(JSON.stringify(await ping(where, '10.0.1.254', { interval: 0.01 }).catch(said)))`
      const before = ['setpriv', '--inh-caps=-net_raw', '--bounding-set=-net_raw']
      return (await runBuilt({ 'namespace/source': ['openSource'], 'namespace/ping': ['ping'] }, program, { before })).json
    }
    expect(await from('blue')).toMatchObject({ sent: 3, received: 3 })
    expect(await from('red')).toMatchObject({ code: 'EACCES', hint: expect.stringContaining('ping_group_range') })
  })
})

describe('stopping', () => {
  test('rejects at once with the reason', async () => {
    const stop = new AbortController()
    const running = rejection(ns.blue, '10.0.1.78', { count: 100, timeout: 60, signal: stop.signal })
    setTimeout(() => stop.abort('enough'), 50)
    const start = performance.now()
    expect(await running).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'enough' })
    expect(performance.now() - start).toBeLessThan(1000)
  })
  test('beforehand sends nothing', async () =>
    expect(await rejection(ns.blue, '10.0.2.1', { signal: AbortSignal.abort('no') })).toMatchObject({ name: 'AbortError', cause: 'no' }))
  test('by a timeout', async () =>
    expect(await rejection(ns.blue, '10.0.1.78', { signal: AbortSignal.timeout(20) })).toMatchObject({
      name: 'AbortError',
      cause: { name: 'TimeoutError' },
    }))
})

test('through a namespace closed meanwhile, what runs is finished', async () => {
  const again = await openSource({ name: ns.blue.info.name! })
  const running = ping(again, '10.0.2.1', { ...quick, count: 5 })
  setTimeout(() => again.handle.close(), 10)
  expect(await running).toMatchObject({ received: 5 })
})

test('no descriptor or strayed thread is left of all this', async () => {
  const before = await descriptors()
  await Promise.all([ping(ns.blue, '10.0.2.1', quick), ping(ns.blue, 'fd00:2::1', quick)])
  await rejection(ns.blue, '10.0.1.255')
  await rejection(ns.blue, '10.0.1.78', { signal: AbortSignal.timeout(20) })
  await expect.poll(() => descriptors()).toEqual(before)
  expect(await threadNamespaces()).toHaveLength(1)
})
