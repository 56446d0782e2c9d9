// Kernel settings of one namespace, next to what a program inside reads.
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OpenNamespace } from '../../lib/namespace/info.js'
import { createNamed, deleteNamed } from '../../lib/namespace/lifecycle.js'
import { getSysctl, setSysctl } from '../../lib/namespace/sysctl.js'
import { NetloomError } from '../../lib/socket/error.js'
import { runBuilt } from '../helpers/built.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { run } from '../helpers/readers.js'
import { threadNamespaces } from '../helpers/state.js'

const host = useHost()
let blue: OpenNamespace
beforeAll(async () => {
  blue = await createNamed(host.named('blue'))
  await run(blue.info.name, 'ip', 'link', 'add', 'a.b', 'type', 'bridge')
})
afterAll(async () => {
  blue.handle.close()
  await deleteNamed(blue.info.name!)
})
const inside = async (path: string) => (await run(blue.info.name, 'cat', `/proc/sys/${path}`)).trimEnd()
const rejection = async (promise: Promise<unknown>) => (await promise.catch((error: unknown) => error)) as NetloomError

test('what is set is seen inside, and nowhere else', async () => {
  const outside = await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8')
  for (const value of [1, '0', 1]) {
    await setSysctl(blue, 'net.ipv4.ip_forward', value)
    expect(await inside('net/ipv4/ip_forward')).toBe(String(value))
    expect(await getSysctl(blue, 'net/ipv4/ip_forward')).toBe(String(value))
  }
  expect(await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8')).toBe(outside)
})

test('an interface with a dot in its name, in both ways of writing', async () => {
  await setSysctl(blue, 'net/ipv4/conf/a.b/forwarding', 1)
  expect(await getSysctl(blue, 'net.ipv4.conf.a/b.forwarding')).toBe('1')
  expect(await inside('net/ipv4/conf/a.b/forwarding')).toBe('1')
})

test('a switch of IPv6, of which old kernels say that they took less than they did', async () => {
  for (const value of [1, 0]) {
    await setSysctl(blue, 'net.ipv6.conf.all.forwarding', value)
    expect(await inside('net/ipv6/conf/all/forwarding')).toBe(String(value))
  }
})

test('values of several words', async () => {
  await setSysctl(blue, 'net.ipv4.ip_local_port_range', '2000 3000')
  expect(await getSysctl(blue, 'net.ipv4.ip_local_port_range')).toBe('2000\t3000')
})

test('a list is emptied by an empty value', async () => {
  await setSysctl(blue, 'net.ipv4.ip_local_reserved_ports', '8080,9000-9010')
  expect(await inside('net/ipv4/ip_local_reserved_ports')).toBe('8080,9000-9010')
  await setSysctl(blue, 'net.ipv4.ip_local_reserved_ports', '')
  expect(await getSysctl(blue, 'net.ipv4.ip_local_reserved_ports')).toBe('')
})

test('many at once, with the threads back home afterwards', async () => {
  const ports = Array.from({ length: 30 }, (_, i) => 10_000 + i)
  await Promise.all(ports.map(port => setSysctl(blue, 'net.ipv4.ip_local_port_range', `${port} 60000`)))
  expect(await getSysctl(blue, 'net.ipv4.ip_local_port_range')).toMatch(/^100\d\d\t60000$/)
  expect(await threadNamespaces()).toHaveLength(1)
})

describe('errors', () => {
  test('no such key', async () => {
    const error = await rejection(getSysctl(blue, 'net.ipv4.no_such_key'))
    expect(error).toBeInstanceOf(NetloomError)
    expect(error).toMatchObject({
      code: 'ENOENT',
      operation: 'get sysctl',
      subject: 'net.ipv4.no_such_key',
      namespace: blue.info.name,
      reason: 'no such key',
    })
    expect(await rejection(setSysctl(blue, 'net.ipv4.conf.eth9.forwarding', 1))).toMatchObject({ code: 'ENOENT', operation: 'set sysctl' })
  })
  test('a group instead of a key', async () => expect(await rejection(getSysctl(blue, 'net.ipv4'))).toMatchObject({ code: 'EISDIR' }))
  test('a value that the kernel does not take', async () => {
    const before = await inside('net/ipv4/ip_forward')
    expect(await rejection(setSysctl(blue, 'net.ipv4.ip_forward', 'yes'))).toMatchObject({
      code: 'EINVAL',
      reason: expect.stringContaining('"yes"'),
    })
    expect(await inside('net/ipv4/ip_forward')).toBe(before)
    const unknown = await rejection(setSysctl(blue, 'net.ipv4.tcp_congestion_control', 'no-such-way'))
    expect(unknown).toMatchObject({ code: 'ENOENT', reason: 'the kernel knows no "no-such-way" here' })
    expect(unknown).not.toHaveProperty('hint')
  })
  test.each([[undefined], [null], [Number.NaN], [Number.POSITIVE_INFINITY], [true], ['1\n2'], ['1\0']])(
    'a value that is none: %j',
    async value => {
      const error = await rejection(setSysctl(blue, 'net.ipv4.ip_forward', value as number))
      expect(error).toMatchObject({ name: 'TypeError', code: 'ERR_NETLOOM_INVALID_VALUE', path: 'value' })
    },
  )
  test.each(['', 'kernel.hostname', 'net/../kernel/hostname', '/etc/passwd'])('a key that leads elsewhere: %j', async key => {
    for (const attempted of [getSysctl(blue, key), setSysctl(blue, key, 1)])
      expect(await rejection(attempted)).toMatchObject({ name: 'TypeError', code: 'ERR_NETLOOM_INVALID_SYSCTL', path: 'key' })
  })
  test('a closed namespace', async () => {
    const red = await createNamed(host.named('red'))
    red.handle.close()
    await deleteNamed(host.named('red'))
    expect(await rejection(getSysctl(red, 'net.ipv4.ip_forward'))).toMatchObject({
      code: 'EBADF',
      hint: expect.stringContaining('Namespace.open'),
    })
    expect(await rejection(setSysctl(red, 'net.ipv4.ip_forward', 1))).toMatchObject({ code: 'EBADF' })
  })
  test('without the right', async context => {
    await needs(context, 'tool:setpriv')
    const program = `
      const { handle, info } = await openSource({ name: '${blue.info.name}' }).catch(error => ({ info: error }))
      const said = error => ({ code: error.code, hint: error.hint })
      console.log(JSON.stringify(handle ? await setSysctl({ handle, info }, 'net.ipv4.ip_forward', 1).then(() => ({}), said) : said(info)))`
    const before = ['setpriv', '--inh-caps=-all', '--bounding-set=-all']
    const { json } = await runBuilt({ 'namespace/source': ['openSource'], 'namespace/sysctl': ['setSysctl'] }, program, { before })
    expect(json).toMatchObject({ code: expect.stringMatching(/^E(PERM|ACCES)$/), hint: expect.stringContaining('CAP_') })
  })
})
