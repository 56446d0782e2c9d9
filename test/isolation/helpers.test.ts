// The test helpers themselves, against a veth pair and a bridge that iproute2 makes: what every kernel test rests on.

import { describe, expect, test } from 'vitest'
import { missing, needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { brctlPorts, bridge, ethtoolStatistics, ip, ping, run, start, tcpdump } from '../helpers/readers.js'
import { sandbox } from '../helpers/sandbox.js'
import { descriptors, mountPoints, namedNamespaces, namespaceState } from '../helpers/state.js'

const host = useHost()

describe('two namespaces and a bridge', () => {
  test('are made, seen by every reader, and gone again', async context => {
    await needs(context, 'veth', 'bridge', 'tool:bridge', 'tool:ethtool', 'tool:ping', 'tool:tcpdump', 'tool:brctl')
    const empty = await namespaceState(host.name)
    const blue = host.named('blue')
    await run(undefined, 'ip', 'netns', 'add', blue)
    await run(host.name, 'ip', 'link', 'add', 'br0', 'type', 'bridge')
    await run(host.name, 'ip', 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', blue)
    await run(host.name, 'ip', 'link', 'set', 'v0', 'master', 'br0', 'up')
    await run(host.name, 'ip', 'address', 'add', '10.0.1.1/24', 'dev', 'br0')
    await run(host.name, 'ip', 'link', 'set', 'br0', 'up')
    await run(blue, 'ip', 'address', 'add', '10.0.1.2/24', 'dev', 'eth0')
    await run(blue, 'ip', 'link', 'set', 'eth0', 'up')

    expect(await namespaceState(host.name)).not.toEqual(empty)
    const [inner] = await ip<{ ifindex: number; linkinfo: object }>(blue, 'link', 'show', 'dev', 'eth0')
    expect(inner).toMatchObject({ linkinfo: { info_kind: 'veth' } })
    expect(await ethtoolStatistics(host.name, 'v0')).toMatchObject({ peer_ifindex: inner?.ifindex })
    expect(await brctlPorts(host.name)).toEqual({ br0: ['v0'] })
    if ((await missing('capture')) === undefined) {
      await using capture = await tcpdump(host.name, 'br0', 'icmp')
      expect(await ping(host.name, '10.0.1.2', { count: 2 })).toMatchObject({ sent: 2, received: 2 })
      expect((await capture.lines.next()).value).toMatch(/10\.0\.1\.1 > 10\.0\.1\.2: ICMP echo request/)
    }
    expect(await bridge(host.name, 'fdb', 'show', 'br', 'br0')).toContainEqual(expect.objectContaining({ ifname: 'v0' }))
    expect(await namedNamespaces(`${blue}`)).toEqual([blue])
    expect(await mountPoints('/run/netns')).toContain(`/run/netns/${blue}`)

    await run(host.name, 'ip', 'link', 'delete', 'br0')
    await run(undefined, 'ip', 'netns', 'delete', blue)
    await expect.poll(() => namespaceState(host.name)).toEqual(empty)
  })

  test('an unreachable address is neither received nor thrown', async context => {
    await needs(context, 'tool:ping')
    expect(await ping(host.name, '10.9.9.9', { timeout: 0.2 })).toMatchObject({ received: 0 })
  })
})

test('a program in a namespace can be found from outside by its pid', async () => {
  await using sleeper = await start(host.name, 'sleep', ['60'])
  expect((await namespaceState({ pid: sleeper.pid })).links).toEqual((await namespaceState(host.name)).links)
})

test('descriptors are counted by sort', async () => {
  expect(Object.keys(await descriptors())).toContain('anon_inode:[eventpoll]')
})

test('a feature that no kernel has is missing with a reason', async () => {
  expect(await missing('tool:ip')).toBeUndefined()
  expect((await missing('dummy')) ?? 'this kernel lacks dummy: ').toMatch(/^this kernel lacks dummy: /)
})

test('a sandbox shares neither links nor named namespaces with the suite', async () => {
  await using box = await sandbox()
  await run(box.where, 'ip', 'netns', 'add', 'blue')
  await run(box.where, 'ip', '-n', 'blue', 'link', 'set', 'lo', 'up')
  expect(await run(box.where, 'ip', 'netns', 'list')).toBe('blue\n')
  expect(await ip(box.where, '-n', 'blue', 'address', 'show', 'lo')).toMatchObject([
    { addr_info: [{ local: '127.0.0.1' }, { local: '::1' }] },
  ])
  expect(await namedNamespaces('blue')).toEqual([])
})
