// Links changed, renamed and deleted by the library, seen by ip and bridge.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isKernel, needs } from '../helpers/features.js'
import { clear, ipLink, linkNames, useOpenHost } from '../helpers/links.js'
import { ip, run } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'

const host = useOpenHost()
const links = () => host.namespace.links

beforeEach(async context => {
  await needs(context, 'veth', 'bridge')
  await links().create({ kind: 'veth', name: 'cable', peer: { name: 'other' } })
})
afterEach(async () => {
  await clear(host.namespace)
})
const seen = async (name = 'cable') => (await ipLink(host.name, name))!

test('what the kernel refuses without a word of the reason is told by the field', async context => {
  const same = { code: 'EEXIST', path: 'peer.name', reason: 'both ends would be called new' }
  expect(await refusal(links().create({ kind: 'veth', name: 'new', peer: { name: 'new' } }))).toMatchObject(same)
  await needs(context, 'macvlan')
  const large = { code: 'EINVAL', path: 'mtu', reason: 'cable below has 1500' }
  expect(await refusal(links().create({ kind: 'macvlan', name: 'new', link: 'cable', mtu: 1501 }))).toMatchObject(large)
  expect(await linkNames(host.name)).toEqual(['cable', 'other'])
})

describe('update', () => {
  test('every field, and only what is given', async () => {
    const before = await seen()
    await links().update('cable', { mac: '02:00:00:00:00:09' })
    expect(await seen()).toEqual({ ...before, address: '02:00:00:00:00:09' })
    await links().update('cable', { mtu: 1234, group: 9, txQueueLength: 99, alias: 'named' })
    expect(await seen()).toMatchObject({ address: '02:00:00:00:00:09', mtu: 1234, group: '9', txqlen: 99, ifalias: 'named' })
    await links().update('cable', { alias: '', group: 0, txQueueLength: 0 })
    expect(await seen()).toMatchObject({ mtu: 1234, group: 'default' })
    expect((await seen()).ifalias).toBeUndefined()
    expect((await links().get('cable')).txQueueLength).toBe(0)
    await links().update('cable', {})
    await links().update('cable', { mtu: undefined })
    expect((await seen()).mtu).toBe(1234)
  })
  test('up and down', async () => {
    await links().update('cable', { up: true })
    await links().update('other', { up: true })
    expect((await seen()).flags).toEqual(expect.arrayContaining(['UP', 'LOWER_UP']))
    await links().update('cable', { up: false })
    expect((await seen()).flags).not.toContain('UP')
    expect(await links().get('cable')).toMatchObject({ up: false, operState: 'down' })
  })
  test('a new name, also while it is up where the kernel does that', async () => {
    const { index } = await links().get('cable')
    await links().update('cable', { name: 'wire', up: true })
    expect(await seen('wire')).toMatchObject({ ifindex: index })
    if (!isKernel('6.2')) {
      const hint = expect.stringContaining('while it is down')
      expect(await refusal(links().update(index, { name: 'cable' }))).toMatchObject({ code: 'EBUSY', hint })
      await links().update(index, { up: false })
    }
    await links().update(index, { name: 'cable' })
    expect(await linkNames(host.name)).toEqual(['cable', 'other'])
    expect(await refusal(links().update('cable', { name: 'other' }))).toMatchObject({ code: 'EEXIST', path: 'name' })
  })
  test('alternative names: those that are wanted, no others', async () => {
    const wanted = async (...altNames: string[]) => {
      await links().update('cable', { altNames })
      expect([...((await seen()).altnames ?? [])].sort()).toEqual([...altNames].sort())
      expect([...(await links().get('cable')).altNames].sort()).toEqual([...altNames].sort())
    }
    await wanted('one', 'two')
    await wanted('two', 'a-name-that-is-longer-than-any-other')
    await wanted('two', 'a-name-that-is-longer-than-any-other')
    expect((await links().get('a-name-that-is-longer-than-any-other')).name).toBe('cable')
    await links().update('two', { altNames: ['two', 'three'] })
    expect(await refusal(links().update('cable', { altNames: ['four', 'other'] }))).toMatchObject({ code: 'EEXIST', path: 'altNames[1]' })
    // Those that it had are still there to call it by.
    expect((await links().get('three')).name).toBe('cable')
    await links().update('three', { altNames: ['five', 'five'] })
    expect((await links().get('cable')).altNames).toEqual(['five'])
    await wanted()
  })
  test('a master, its port options, another master, none', async () => {
    const first = await links().create({ kind: 'bridge', name: 'first' })
    await links().create({ kind: 'bridge', name: 'second' })
    await links().update('cable', { master: 'first', up: true, port: { isolated: true, cost: 5 } })
    expect(await seen()).toMatchObject({ master: 'first', linkinfo: { info_slave_data: { isolated: true, cost: 5 } } })
    await links().update('cable', { port: { isolated: false } })
    expect(await seen()).toMatchObject({ master: 'first', linkinfo: { info_slave_data: { isolated: false, cost: 5 } } })
    await links().update('cable', { master: 'second' })
    expect((await seen()).master).toBe('second')
    await links().update('cable', { master: first })
    expect((await seen()).master).toBe('first')
    await links().update('cable', { master: null })
    expect((await seen()).master).toBeUndefined()
    expect(await links().get('cable')).not.toHaveProperty('port')
    await links().update('cable', { master: null })
    expect(await refusal(links().update('cable', { port: { isolated: true } }))).toMatchObject({
      code: 'EOPNOTSUPP',
      hint: expect.stringContaining('master'),
    })
    await links().update('cable', { master: first })
    for (const [port, path] of [
      [{ cost: 0 }, 'port.cost'],
      [{ priority: 64 }, 'port.priority'],
    ] as const)
      expect(await refusal(links().update('cable', { port }))).toMatchObject({
        code: 'ERANGE',
        path,
        hint: expect.stringContaining('65535'),
      })
  })
  test('options of the kind that it is', async context => {
    await needs(context, 'vxlan', 'macvlan')
    await links().create({ kind: 'bridge', name: 'switch' })
    await links().update('switch', { options: { ageingTime: 77, stp: true, noLinkLocalLearning: true } })
    expect((await seen('switch')).linkinfo?.info_data).toMatchObject({ ageing_time: 7700, stp_state: 1, no_linklocal_learn: 1 })
    await links().update('switch', { options: { noLinkLocalLearning: false } })
    expect((await seen('switch')).linkinfo?.info_data).toMatchObject({ ageing_time: 7700, no_linklocal_learn: 0 })
    await links().create({ kind: 'vxlan', name: 'tunnel', options: { id: 5, local: 'fd00::1' } })
    await links().update('tunnel', { options: { local: 'fd00::2', ageing: 9 } })
    expect((await seen('tunnel')).linkinfo?.info_data).toMatchObject({ local6: 'fd00::2', ageing: 9 })
    await links().create({ kind: 'macvlan', name: 'above', link: 'cable' })
    await links().update('above', { options: { mode: 'private' } })
    expect((await seen('above')).linkinfo?.info_data).toMatchObject({ mode: 'private' })
  })
  test('options that cannot be', async context => {
    await needs(context, 'vxlan')
    await links().create({ kind: 'bridge', name: 'switch', options: { stp: true } })
    await links().create({ kind: 'vxlan', name: 'tunnel', options: { id: 5 } })
    const cases = [
      ['switch', { id: 5 }, { code: 'ERR_NETLOOM_UNKNOWN_OPTION', path: 'options.id' }],
      ['switch', { stp: 2 }, { code: 'ERR_NETLOOM_INVALID_BOOLEAN', path: 'options.stp' }],
      ['switch', { rootId: '8000.000000000000' }, { code: 'ERR_NETLOOM_READ_ONLY', path: 'options.rootId' }],
      ['switch', { multicastIgmpVersion: 7 }, { code: 'EINVAL' }],
      ['switch', { forwardDelay: 4000 }, { code: 'ERANGE', path: 'options.forwardDelay' }],
      ['tunnel', { id: 6 }, { code: 'EOPNOTSUPP', reason: expect.stringContaining('VNI') }],
      ['cable', { stp: true }, { code: 'ERR_NETLOOM_INVALID_OPTION', path: 'options' }],
      ['lo', { stp: true }, { code: 'ERR_NETLOOM_INVALID_OPTION', path: 'options' }],
    ] as const
    for (const [name, options, error] of cases)
      await expect(links().update(name, { options: options as object }), JSON.stringify(options)).rejects.toMatchObject(error)
  })
  test('ipv6: switched off, without addresses of its own, and back', async context => {
    await needs(context, 'ipv6')
    const addresses = async () =>
      (await ip<{ addr_info: { local: string }[] }>(host.name, '-6', 'address', 'show', 'dev', 'cable')).flatMap(link => link.addr_info)
    await links().update('other', { up: true })
    await links().update('cable', { up: true })
    expect(await addresses()).toHaveLength(1)
    await links().update('cable', { ipv6: 'none' })
    expect((await run(host.name, 'cat', '/proc/sys/net/ipv6/conf/cable/disable_ipv6')).trim()).toBe('1')
    expect(await addresses()).toEqual([])
    await links().update('cable', { ipv6: 'static', up: false })
    await links().update('cable', { up: true })
    expect((await seen()).inet6_addr_gen_mode).toBe('none')
    expect(await addresses()).toEqual([])
    await links().update('cable', { ipv6: 'kernel', up: false })
    await links().update('cable', { up: true })
    expect((await seen()).inet6_addr_gen_mode).toBe('eui64')
    expect(await addresses()).toHaveLength(1)
  })
  test('ipv6 on a link that is too small for it', async context => {
    await needs(context, 'ipv6')
    await links().update('cable', { mtu: 1000 })
    await links().update('cable', { ipv6: 'none', up: true })
    const made = await links().create({ kind: 'veth', mtu: 1000, ipv6: 'none', up: true })
    expect(made).toMatchObject({ mtu: 1000, up: true })
  })
  test('fields that cannot be changed, or not like this', async () => {
    const before = await seen()
    const cases: [object, object][] = [
      [{ index: 5 }, { code: 'ERR_NETLOOM_UNKNOWN_OPTION', path: 'index' }],
      [{ txQueues: 5 }, { code: 'ERR_NETLOOM_UNKNOWN_OPTION', path: 'txQueues' }],
      [{ namespace: { name: 'x' } }, { code: 'ERR_NETLOOM_UNKNOWN_OPTION', path: 'namespace' }],
      [{ mtu: '1500' }, { code: 'ERR_NETLOOM_INVALID_NUMBER', path: 'mtu' }],
      [{ mtu: -1 }, { code: 'ERR_NETLOOM_OUT_OF_RANGE', path: 'mtu' }],
      [{ mtu: 10 }, { code: 'EINVAL', path: 'mtu' }],
      [{ mtu: 100_000 }, { code: 'EINVAL', path: 'mtu' }],
      [{ up: 1 }, { code: 'ERR_NETLOOM_INVALID_BOOLEAN', path: 'up' }],
      [{ mac: '02:00:00:00:00' }, { code: 'ERR_NETLOOM_INVALID_MAC', path: 'mac' }],
      [{ mac: '33:00:00:00:00:01' }, { code: 'EADDRNOTAVAIL', path: 'mac' }],
      [{ name: 'a/b' }, { code: 'ERR_NETLOOM_INVALID_NAME', path: 'name' }],
      [{ name: '' }, { code: 'ERR_NETLOOM_INVALID_NAME', path: 'name' }],
      [{ altNames: ['ok', 'a b'] }, { code: 'ERR_NETLOOM_INVALID_NAME', path: 'altNames[1]' }],
      [{ altNames: 'ok' }, { path: 'altNames' }],
      [{ alias: 'x'.repeat(256) }, { code: 'ERR_NETLOOM_INVALID_STRING', path: 'alias' }],
      [{ master: 'nonesuch' }, { code: 'ENODEV', path: 'master' }],
      [{ master: 9999 }, { code: 'ENODEV', path: 'master' }],
      [{ master: 'lo' }, { code: 'EOPNOTSUPP', path: 'master', reason: expect.stringMatching(/^lo takes no ports/) }],
      [{ port: { nonesuch: 1 } }, { code: 'ERR_NETLOOM_UNKNOWN_OPTION', path: 'port.nonesuch' }],
      [{ port: { cost: 'much' } }, { code: 'ERR_NETLOOM_INVALID_NUMBER', path: 'port.cost' }],
      [{ ipv6: 'off' }, { code: 'ERR_NETLOOM_UNKNOWN_NAME', path: 'ipv6' }],
    ]
    for (const [change, error] of cases) await expect(links().update('cable', change), JSON.stringify(change)).rejects.toMatchObject(error)
    expect(await seen()).toEqual(before)
    expect(await refusal(links().update('nonesuch', { up: true }))).toMatchObject({
      code: 'ENODEV',
      operation: 'update link',
      subject: 'nonesuch',
    })
  })
})

describe('delete', () => {
  test('by name, index, object and alternative name', async () => {
    await links().update('cable', { altNames: ['an-alternative-name-of-the-cable'] })
    await links().delete('an-alternative-name-of-the-cable')
    expect(await linkNames(host.name)).toEqual([])
    const made = await links().create({ kind: 'veth' })
    await links().delete(made)
    const { index } = await links().create({ kind: 'bridge' })
    await links().delete(index)
    expect(await linkNames(host.name)).toEqual([])
  })
  test('twice, and of what cannot be deleted', async () => {
    await links().delete('cable')
    expect(await refusal(links().delete('cable'))).toMatchObject({
      code: 'ENODEV',
      operation: 'delete link',
      subject: 'cable',
      namespace: host.name,
    })
    expect(await refusal(links().delete('lo'))).toMatchObject({ code: 'EOPNOTSUPP', hint: expect.stringMatching(/^lo, /) })
    await expect(links().delete('')).rejects.toMatchObject({ code: 'ERR_NETLOOM_INVALID_NAME' })
    await expect(links().delete(0)).rejects.toMatchObject({ code: 'ERR_NETLOOM_INVALID_LINK' })
    await expect(links().delete(undefined as unknown as string)).rejects.toMatchObject({ code: 'ERR_NETLOOM_INVALID_LINK' })
  })
  test('a bridge sets its ports free', async () => {
    await links().create({ kind: 'bridge', name: 'switch' })
    await links().update('cable', { master: 'switch' })
    await links().delete('switch')
    expect((await seen()).master).toBeUndefined()
  })
})
