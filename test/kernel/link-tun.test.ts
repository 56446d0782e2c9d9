// tun and tap devices: made through their device file, all of it or nothing, and used by a program as those of ip are.
import { afterEach, expect, test } from 'vitest'
import { runBuilt } from '../helpers/built.js'
import { needs } from '../helpers/features.js'
import { clear, ipLink, linkNames, useOpenHost } from '../helpers/links.js'
import { attempt, run } from '../helpers/readers.js'
import { refusal } from '../helpers/refusal.js'
import { descriptors, threadNamespaces } from '../helpers/state.js'

const host = useOpenHost()
const links = () => host.namespace.links
afterEach(() => clear(host.namespace))

test('stays without a program, and is opened by one', async context => {
  await needs(context, 'tap', 'tun')
  await links().get('lo')
  const before = await descriptors()
  await links().create({ kind: 'tun', name: 'tap7', up: true, options: { type: 'tap' } })
  expect(await descriptors()).toEqual(before)
  expect(await threadNamespaces()).toHaveLength(1)
  expect(await links().get('tap7')).toMatchObject({ carrier: false, options: { persist: true } })
  // TUNSETIFF attaches to a device that is there, if the form is the same.
  const open = (flags: number) =>
    `import fcntl, struct\nf = open('/dev/net/tun', 'r+b', buffering=0)\nfcntl.ioctl(f, 0x400454ca, struct.pack('16sH22x', b'tap7', ${flags}))\nprint('attached')`
  expect(await run(host.name, 'python3', '-c', open(0x1002))).toBe('attached\n')
  expect((await attempt(host.name, 'python3', ['-c', open(0x1001)])).code).not.toBe(0)
  await run(host.name, 'ip', 'tuntap', 'del', 'dev', 'tap7', 'mode', 'tap')
  expect(await linkNames(host.name)).toEqual([])
})

test('with all its options', async context => {
  await needs(context, 'tap', 'tun', 'initial-user-namespace')
  const made = await links().create({
    kind: 'tun',
    name: 'tun7',
    mtu: 1300,
    options: { type: 'tun', owner: 0xffff_fffe, group: 4711, pi: true, vnetHdr: true, multiQueue: true },
  })
  expect(made).toMatchObject({
    type: 'none',
    mtu: 1300,
    options: { type: 'tun', owner: 0xffff_fffe, group: 4711, pi: true, vnetHdr: true, multiQueue: true },
  })
  expect(made.mac).toBeUndefined()
  const data = (await ipLink(host.name, 'tun7'))?.linkinfo?.info_data
  expect(data).toMatchObject({ type: 'tun', group: 4711, pi: true, vnet_hdr: true, multi_queue: true, persist: true })
})

test('a name that is taken, by one of them too, is refused and stays what it was', async context => {
  await needs(context, 'tap', 'tun', 'veth')
  await run(host.name, 'ip', 'tuntap', 'add', 'dev', 'theirs', 'mode', 'tap')
  await links().create({ kind: 'veth', name: 'cable', altNames: ['wire'] })
  const before = await ipLink(host.name, 'theirs')
  for (const name of ['theirs', 'cable', 'wire', 'lo'])
    expect(await refusal(links().create({ kind: 'tun', name, options: { type: 'tap' } }))).toMatchObject({
      code: 'EEXIST',
      path: 'name',
      subject: name,
    })
  expect(await ipLink(host.name, 'theirs')).toEqual(before)
})

test('what a tun cannot have is undone', async context => {
  await needs(context, 'tun', 'bridge')
  const spec = { kind: 'tun', name: 'tun7', options: { type: 'tun' } } as const
  await expect(links().create({ ...spec, mac: '02:00:00:00:00:01' })).rejects.toMatchObject({
    code: 'ERR_NETLOOM_INVALID_OPTION',
    path: 'mac',
  })
  await links().create({ kind: 'bridge', name: 'switch' })
  const error = await refusal(links().create({ ...spec, master: 'switch' }))
  expect(error).toMatchObject({ code: 'EINVAL', operation: 'create link', subject: 'tun7', namespace: host.name })
  expect(await linkNames(host.name)).toEqual(['switch'])
})

test('users that a user namespace does not have are refused by the option’s name', async context => {
  await needs(context, 'tap', 'user-namespaces', 'tool:bash')
  const call = (options: string) => `
const here = Namespace.current()
const told = await here.links.create({ kind: 'tun', options: { type: 'tap', ${options} } }).then(() => ({ code: 'OK' }), ({ code, path }) => ({ code, path }))
console.log(JSON.stringify([told, (await here.links.list()).length]))`
  const before = ['unshare', '--user', '--map-root-user', '--net']
  for (const name of ['owner', 'group']) {
    const { json } = await runBuilt({ index: ['Namespace'] }, call(`${name}: 4321`), { before })
    expect(json).toEqual([{ code: 'EINVAL', path: `options.${name}` }, 1])
  }
})

const program = `
const here = Namespace.current()
const told = await here.links.create({ kind: 'tun', options: { type: 'tap' } }).then(() => ({ code: 'OK' }), ({ code, hint, reason }) => ({ code, hint, reason }))
console.log(JSON.stringify(told))`

test('without the right, and without the device file', async context => {
  await needs(context, 'tap', 'tool:setpriv', 'tool:bash')
  const wanted = { index: ['Namespace'] }
  const powerless = await runBuilt(wanted, program, {
    before: ['setpriv', '--inh-caps=-net_admin', '--bounding-set=-net_admin'],
    where: host.name,
  })
  expect(powerless.json).toMatchObject({
    code: 'EPERM',
    reason: expect.stringContaining('TUNSETIFF'),
    hint: expect.stringContaining('CAP_NET_ADMIN'),
  })
  const before = ['unshare', '--mount', '--propagation', 'private', 'bash', '-c', 'mount -t tmpfs tmpfs /dev/net && "$@"', 'bash']
  const fileless = await runBuilt(wanted, program, { before, where: host.name })
  expect(fileless.json).toMatchObject({ code: 'ENOENT', hint: expect.stringContaining('/dev/net/tun') })
  expect(await linkNames(host.name)).toEqual([])
})
