// Which way a packet would take: look-ups agree with `ip route get`, and say why there is none.
import { expect, test } from 'vitest'
import { type Route, routeFlags } from '../../lib/index.js'
import { ip } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'
import { type ShownRoute, table, useRoutedHost } from '../helpers/routes.js'

const host = useRoutedHost()
const nameOf = (index: number | undefined) => (index === host.eth0 ? 'eth0' : index === host.end ? 'end' : index === 1 ? 'lo' : index)

test('lookup: the host route before the longest prefix before the default route', async () => {
  await host.here.routes.add({ to: 'default', via: '10.0.1.9' })
  await host.here.routes.add({ to: '10.9.0.0/16', via: '10.0.1.8' })
  await host.here.routes.add({ to: '10.9.1.0/24', via: '10.0.2.8' })
  await host.here.routes.add({ to: '10.9.1.7', via: '10.0.1.7' })
  await host.here.routes.add({ to: 'default', via: 'fd00:1::9' })
  await host.here.routes.add({ to: 'fd09::/32', via: 'fd00:2::8' })
  for (const to of [
    '192.0.2.1',
    '10.9.0.1',
    '10.9.1.1',
    '10.9.1.7',
    '10.0.1.1',
    '10.0.1.77',
    '10.0.2.255',
    '127.0.0.1',
    '2001:db8::1',
    'fd09::5',
    'fd00:1::1',
  ]) {
    const found = await host.here.routes.lookup(to)
    const [entry] = await ip<ShownRoute>(host.name, 'route', 'get', to)
    expect([to, found.to, found.via, nameOf(found.link), found.src, found.type]).toEqual([
      to,
      entry?.dst,
      entry?.gateway,
      entry?.dev,
      entry?.prefsrc,
      entry?.type ?? 'unicast',
    ])
  }
  expect(await host.here.routes.lookup('10.9.1.1', { match: true })).toMatchObject({
    to: '10.9.1.0/24',
    via: '10.0.2.8',
    table: 254,
    protocol: 'boot',
  })
  expect(await host.here.routes.lookup('fd09::5', { match: true })).toMatchObject({ to: 'fd09::/32', via: 'fd00:2::8', table: 254 })
  expect(await host.here.routes.lookup('10.0.1.1')).toMatchObject({ type: 'local', src: '10.0.1.1' })
  expect(routeFlags(await host.here.routes.lookup('10.9.1.1', { match: true }))).toBe('UG')
})

test('lookup: by source, mark and link', async () => {
  await host.here.routes.add({ to: '10.9.0.0/16', via: '10.0.1.9' })
  await host.here.routes.add({ to: '10.9.0.0/16', via: '10.0.2.9', table })
  await host.here.routes.add({ to: 'fd09::/32', via: 'fd00:1::9' })
  await host.here.routes.add({ to: 'fd09::/32', via: 'fd00:2::9', table })
  for (const family of [4, 6] as const) await host.here.rules.add({ family, mark: 7, table, priority: 100 })
  await host.here.rules.add({ from: '10.0.2.1', table, priority: 101 })
  try {
    expect(await host.here.routes.lookup('10.9.0.1')).toMatchObject({ via: '10.0.1.9', table: 254 })
    expect(await host.here.routes.lookup('10.9.0.1', { mark: 7 })).toMatchObject({ via: '10.0.2.9', table })
    expect(await host.here.routes.lookup('10.9.0.1', { from: '10.0.2.1' })).toMatchObject({ via: '10.0.2.9', table })
    expect(await host.here.routes.lookup('fd09::1', { mark: 7 })).toMatchObject({ via: 'fd00:2::9' })
    expect(await host.here.routes.lookup('fd09::1', { from: 'fd00:1::1' })).toMatchObject({ via: 'fd00:1::9', from: 'fd00:1::1' })
    expect(await host.here.routes.lookup('10.9.0.1', { link: 'eth0' })).toMatchObject({ via: '10.0.1.9' })
    await host.here.sysctl.set('net.ipv4.ip_forward', 1)
    expect(await host.here.routes.lookup('10.0.2.77', { from: '10.0.1.77', iif: 'eth0' })).toMatchObject({ link: host.end })
  } finally {
    for (const family of [4, 6] as const) await host.here.rules.delete({ family, mark: 7, priority: 100 })
    await host.here.rules.delete({ from: '10.0.2.1', priority: 101 })
  }
})

test('lookup: why there is no way', async () => {
  const types = [
    ['unreachable', 'EHOSTUNREACH'],
    ['prohibit', 'EACCES'],
    ['blackhole', 'EINVAL'],
  ] as const
  for (const [i, [type]] of types.entries()) {
    await host.here.routes.add({ to: `10.9.${i}.0/24`, type })
    await host.here.routes.add({ to: `fd09:${i}::/32`, type })
  }
  for (const [i, [type, code]] of types.entries())
    for (const to of [`10.9.${i}.1`, `fd09:${i}::1`])
      expect(await refusal(host.here.routes.lookup(to))).toMatchObject({
        code,
        subject: to,
        namespace: host.name,
        hint: expect.stringContaining(type),
      })
  for (const to of ['10.220.1.1', '2001:db8::1'])
    expect(await refusal(host.here.routes.lookup(to))).toMatchObject({
      code: 'ENETUNREACH',
      subject: to,
      hint: expect.stringContaining('no route to that subnet'),
    })
  expect(await refusal(host.here.routes.lookup('10.0.1.1', { link: 'nobody' }))).toMatchObject({ code: 'ENODEV', path: 'options.link' })
})

test('lookup refuses what is no address, and options of other families', async () => {
  const lookup = host.here.routes.lookup as (to: unknown, options?: unknown) => Promise<Route>
  for (const to of ['10.9.0.0/16', 'default', '', undefined, 5])
    await expect(lookup(to)).rejects.toMatchObject({ code: 'ERR_NETLOOM_INVALID_ADDRESS', path: 'to' })
  await expect(lookup('10.9.0.1', { from: 'fd00::1' })).rejects.toMatchObject({ code: 'ERR_NETLOOM_INVALID_ADDRESS', path: 'options.from' })
  await expect(lookup('10.9.0.1', { form: '10.0.0.1' })).rejects.toMatchObject({ code: 'ERR_NETLOOM_UNKNOWN_OPTION', path: 'options.form' })
  await expect(host.here.routes.list({ tabel: 5 } as object)).rejects.toMatchObject({ code: 'ERR_NETLOOM_UNKNOWN_OPTION', path: 'tabel' })
})
