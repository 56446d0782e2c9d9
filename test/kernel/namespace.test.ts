// Namespaces made, listed and deleted here are those of `ip netns`, and the other way round.
import { lstat, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { identify } from '../../lib/namespace/identity.js'
import { formatIdentity, type OpenNamespace, parseIdentity } from '../../lib/namespace/info.js'
import { createAnonymous, createNamed, deleteNamed } from '../../lib/namespace/lifecycle.js'
import { listNamespaces, readNames } from '../../lib/namespace/list.js'
import { ownershipMark } from '../../lib/namespace/marks.js'
import { NetloomError } from '../../lib/socket/error.js'
import { runBuilt } from '../helpers/built.js'
import { isKernel, needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { attempt, ip, run, start } from '../helpers/readers.js'
import { descriptors, mountPoints, namedNamespaces, threadNamespaces } from '../helpers/state.js'

const host = useHost()
const opened: OpenNamespace[] = []
const create = async (name: string) => {
  const ns = await createNamed(name)
  opened.push(ns)
  return ns
}
afterEach(async () => {
  for (const { handle, info } of opened.splice(0)) {
    handle.close()
    if (info.name && (await namedNamespaces(info.name)).length > 0) await deleteNamed(info.name)
  }
})
const ipNames = async () => (await ip<{ name: string }>(undefined, 'netns', 'list')).map(({ name }) => name)
const rejection = async (promise: Promise<unknown>): Promise<NetloomError> => {
  const error = await promise.then(
    () => new Error('was accepted'),
    (reason: unknown) => reason,
  )
  return error as NetloomError
}

describe('a namespace made here', () => {
  test('is one of ip netns, holds only lo, and lo is down', async () => {
    const blue = await create(host.named('blue'))
    expect(await ipNames()).toContain(blue.info.name)
    expect((await run(blue.info.name, 'readlink', '/proc/self/ns/net')).trim()).toBe(String(blue.info))
    const links = await ip(blue.info.name, 'link', 'show')
    expect(links).toMatchObject([{ ifname: 'lo', operstate: 'DOWN' }])
    expect(links[0]?.flags).not.toContain('UP')
    expect(blue.info).toMatchObject({ path: `/run/netns/${blue.info.name}`, device: blue.handle.device, inode: blue.handle.inode })
  })
  test('is deleted by ip netns', async () => {
    const name = host.named('gone')
    await create(name)
    await run(undefined, 'ip', 'netns', 'delete', name)
    expect(await listNamespaces()).not.toContainEqual(expect.objectContaining({ name }))
    expect(await rejection(deleteNamed(name))).toMatchObject({ code: 'ENOENT', operation: 'delete namespace', subject: name })
  })
  test('lives on without this handle', async () => {
    const { handle, info } = await create(host.named('stays'))
    handle.close()
    expect(await ip(info.name, 'link', 'show')).toHaveLength(1)
  })
  test('leaves its mark in the file underneath', async () => {
    const { info } = await create(host.named('marked'))
    await run(undefined, 'umount', info.path!)
    expect(await readFile(info.path!, 'utf8')).toBe(ownershipMark)
    expect(((await lstat(info.path!)).mode & 0o777).toString(8)).toBe('444')
  })
  test('whose name exists is refused, and nothing changes', async () => {
    const { info } = await create(host.named('twice'))
    const before = await descriptors()
    const error = await rejection(createNamed(info.name!))
    expect(error).toBeInstanceOf(NetloomError)
    expect(error).toMatchObject({ code: 'EEXIST', operation: 'create namespace', subject: info.name })
    expect(error.message).toContain(`Namespace.open({ name: '${info.name}' })`)
    expect(await identify({ name: info.name! })).toEqual(info)
    expect(await descriptors()).toEqual(before)
  })
  test.each(['with space', 'ünïcode', '-n', '...'])('may be named %j', async suffix => {
    const name = suffix === '-n' || suffix === '...' ? `${suffix}${host.named('x')}` : host.named(suffix)
    await create(name)
    expect((await listNamespaces()).map(info => info.name)).toContain(name)
    await deleteNamed(name)
    expect(await namedNamespaces(name)).toEqual([])
  })
})

test('a namespace made by ip netns is listed, identified and deleted here', async () => {
  const name = host.named('theirs')
  await run(undefined, 'ip', 'netns', 'add', name)
  const identity = (await run(name, 'readlink', '/proc/self/ns/net')).trim()
  const listed = (await listNamespaces()).find(info => info.name === name)
  expect(String(listed)).toBe(identity)
  expect(String(await identify({ name }))).toBe(identity)
  await deleteNamed(name)
  expect(await ipNames()).not.toContain(name)
  expect(await mountPoints()).not.toContain(`/run/netns/${name}`)
})

test('many at once, the directory being prepared by all of them', async () => {
  const names = Array.from({ length: 40 }, (_, i) => host.named(`many${i}`))
  const made = await Promise.all(names.map(create))
  expect(new Set(made.map(({ handle }) => handle.inode)).size).toBe(40)
  // Before Linux 5.14 there are none.
  expect(new Set(made.map(({ handle }) => handle.cookie)).size).toBe(isKernel('5.14') ? 40 : 1)
  expect(await ipNames()).toEqual(expect.arrayContaining(names))
  await Promise.all(names.map(deleteNamed))
  expect(await namedNamespaces(host.named('many'))).toEqual([])
  expect(await threadNamespaces()).toHaveLength(1)
})

test('the same name at once: one gets it', async () => {
  const name = host.named('race')
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => create(name)))
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'EEXIST' })
})

describe('names that cannot be', () => {
  test.each(['', '.', '..', 'a/b', '../up', 'x'.repeat(256), 'nul\0'])('%j is refused by create, delete and identify', async name => {
    // Other files of tests come and go meanwhile, with names of this form.
    const strange = async () => (await readdir('/run/netns')).filter(one => !/^\w+-\w+$/.test(one))
    const before = await strange()
    for (const attempted of [createNamed(name), deleteNamed(name), identify({ name })])
      expect(await rejection(attempted)).toMatchObject({ name: 'TypeError', code: 'ERR_NETLOOM_INVALID_NAME' })
    expect(await strange()).toEqual(before)
  })
})

describe('a stale file in /run/netns', () => {
  const name = () => host.named('stale')
  const path = () => `/run/netns/${name()}`
  afterEach(() => rm(path(), { force: true, recursive: true }))

  test('is not listed, and told from a namespace', async () => {
    await writeFile(path(), '')
    expect((await listNamespaces()).map(info => info.name)).not.toContain(name())
    expect((await readNames()).stale).toContain(name())
    const error = await rejection(identify({ name: name() }))
    expect(error).toMatchObject({
      code: 'EINVAL',
      reason: expect.stringContaining('plain file'),
      hint: expect.stringContaining(`rm ${path()}`),
    })
  })
  test('is in the way of a new one, which says so', async () => {
    await writeFile(path(), 'theirs')
    const error = await rejection(createNamed(name()))
    expect(error).toMatchObject({
      code: 'EEXIST',
      reason: expect.stringContaining('plain file'),
      hint: expect.stringContaining(`rm ${path()}`),
    })
    expect(await readFile(path(), 'utf8')).toBe('theirs')
  })
  test('is removed by delete', async () => {
    await writeFile(path(), '')
    await deleteNamed(name())
    expect(await namedNamespaces(name())).toEqual([])
  })
  test('a directory of that name is left alone', async () => {
    await mkdir(path())
    expect(await rejection(deleteNamed(name()))).toBeInstanceOf(NetloomError)
    expect(await rejection(createNamed(name()))).toMatchObject({ code: 'EEXIST' })
    expect(await readdir(path())).toEqual([])
  })
  test('a symbolic link is not followed by create', async () => {
    const target = `${path()}-target`
    await symlink(target, path())
    expect(await rejection(createNamed(name()))).toMatchObject({ code: 'EEXIST' })
    expect(await namedNamespaces(`${name()}-target`)).toEqual([])
    expect((await listNamespaces()).map(info => info.name)).not.toContain(name())
  })
})

describe('an anonymous namespace', () => {
  test('is nobody else’s, has no name, and ends with its handle', async () => {
    const before = await readdir('/run/netns')
    const { handle, info } = await createAnonymous()
    expect(await readdir('/run/netns')).toEqual(before)
    expect(info.name).toBeUndefined()
    expect(await readlink(`/proc/self/fd/${handle.fd}`)).toBe(String(info))
    const { fd } = handle
    handle.close()
    handle.close()
    expect(handle.closed).toBe(true)
    expect(await readlink(`/proc/self/fd/${fd}`).catch((error: NodeJS.ErrnoException) => error.code)).not.toBe(String(info))
  })
})

describe('identity', () => {
  test('of this process, as readlink shows it', async () => {
    const [self, byPid] = await Promise.all([identify('self'), identify({ pid: process.pid })])
    expect(String(self)).toBe(await readlink('/proc/self/ns/net'))
    expect(byPid).toEqual(self)
    expect(JSON.parse(JSON.stringify(self))).toEqual(self)
    expect(structuredClone(self)).toEqual(self)
  })
  test('of another process', async () => {
    await using sleeper = await start(host.name, 'sleep', ['60'])
    expect(String(await identify({ pid: sleeper.pid }))).toBe(String(await identify({ name: host.name })))
  })
  test('of nobody', async () => {
    expect(await rejection(identify({ pid: 2 ** 31 - 1 }))).toMatchObject({ code: 'ESRCH', subject: 'of pid 2147483647' })
    for (const pid of [0, -1, 1.5, Number.NaN, 2 ** 31, '1'])
      expect(await rejection(identify({ pid: pid as number }))).toMatchObject({ name: 'TypeError', code: 'ERR_NETLOOM_INVALID_NAMESPACE' })
    expect(await rejection(identify({ name: host.named('none') }))).toMatchObject({ code: 'ENOENT' })
  })
  test('as text and back', () => {
    expect(formatIdentity(4026531956)).toBe('net:[4026531956]')
    expect(parseIdentity('net:[4026531956]')).toBe(4026531956)
    for (const text of ['', 'net:[]', 'mnt:[4026531956]', 'net:[1] ']) expect(parseIdentity(text)).toBeUndefined()
  })
})

describe('the list', () => {
  test('is that of ip netns', async () => {
    await create(host.named('listed'))
    const ours = (name: string) => name.startsWith(host.named(''))
    expect((await listNamespaces()).map(info => info.name!).filter(ours)).toEqual((await ipNames()).filter(ours).sort())
  })
  test('with processes: which are where, as ip netns pids says, and namespaces without a name', async () => {
    await using inside = await start(host.name, 'sleep', ['60'])
    await using nameless = await start(undefined, 'unshare', ['--net', 'sleep', '60'])
    // unshare becomes sleep once it is inside.
    while ((await readFile(`/proc/${nameless.pid}/comm`, 'utf8')) !== 'sleep\n') await new Promise(resolve => setTimeout(resolve, 5))
    const list = await listNamespaces({ processes: true })
    const pids = (await run(undefined, 'ip', 'netns', 'pids', host.name)).trim().split('\n').map(Number)
    expect(pids).toContain(inside.pid)
    expect(list.find(info => info.name === host.name)?.pids).toEqual(pids)
    const unnamed = list.find(info => info.pids?.includes(nameless.pid))
    expect(unnamed).toMatchObject({ pids: [nameless.pid] })
    expect(unnamed?.name).toBeUndefined()
    expect(String(unnamed)).toBe(await readlink(`/proc/${nameless.pid}/ns/net`))
    expect(list.find(info => info.pids?.includes(process.pid))?.inode).toBe((await identify('self')).inode)
  })
  test('shows each name of a namespace that has two', async () => {
    const blue = await create(host.named('first'))
    const second = host.named('second')
    await using inside = await start(blue.info.name, 'sleep', ['60'])
    await run(undefined, 'ip', 'netns', 'attach', second, String(inside.pid))
    const both = (await listNamespaces({ processes: true })).filter(info => info.inode === blue.info.inode)
    expect(both.map(info => info.name)).toEqual([blue.info.name, second])
    for (const info of both) expect(info.pids).toEqual([inside.pid])
    await deleteNamed(second)
    expect(await ip(blue.info.name, 'link', 'show')).toHaveLength(1)
  })
})

const lifecycle = { 'namespace/lifecycle': ['createNamed', 'createAnonymous', 'deleteNamed'] }
/** Prints how a promise of the program ends. */
const report = (expression: string) => `
const failed = error => ({ code: error.code, message: error.message, hint: error.hint })
console.log(JSON.stringify(await (${expression}).then(() => ({ code: 'OK' }), failed)))`

describe('with less than root', () => {
  test('the error says which right is missing', async context => {
    await needs(context, 'tool:setpriv')
    const before = ['setpriv', '--inh-caps=-sys_admin', '--bounding-set=-sys_admin']
    const name = host.named('denied')
    for (const call of [`createNamed('${name}')`, 'createAnonymous()', `deleteNamed('${host.name}')`]) {
      const { json } = await runBuilt(lifecycle, report(call), { before })
      expect(json).toMatchObject({ code: 'EPERM', hint: expect.stringContaining('CAP_SYS_ADMIN') })
    }
    expect(await namedNamespaces(name)).toEqual([])
    expect(await namedNamespaces(host.name)).toEqual([host.name])
  })
})

test('a /run without netns is prepared as iproute2 does, and used by it', async context => {
  await needs(context, 'tool:bash')
  const script = `mount -t tmpfs tmpfs /run; "$@" && ip netns list && grep -c ' /run/netns .* shared:' /proc/self/mountinfo`
  const before = ['unshare', '--mount', '--propagation', 'private', 'bash', '-c', script, 'bash']
  const { stdout } = await runBuilt(lifecycle, `await createNamed('red'); await createNamed('green'); await deleteNamed('red')`, { before })
  expect(stdout.trim().split('\n')).toEqual(['green', '1'])
})

test('a read-only /run/netns is a clear error', async context => {
  await needs(context, 'tool:bash')
  const script = 'mount -t tmpfs -o ro tmpfs /run; "$@"'
  const before = ['unshare', '--mount', '--propagation', 'private', 'bash', '-c', script, 'bash']
  const { json } = await runBuilt(lifecycle, report(`createNamed('red')`), { before })
  expect(json).toMatchObject({ code: 'EROFS', hint: expect.stringContaining('tmpfs') })
})

test('too many namespaces: the error names the limit', async context => {
  await needs(context, 'tool:bash', 'user-namespaces')
  const script = 'mount -t tmpfs tmpfs /run; mkdir /run/netns; echo 0 > /proc/sys/user/max_net_namespaces; "$@"; ls /run/netns'
  const before = ['unshare', '--user', '--map-root-user', '--mount', '--net', 'bash', '-c', script, 'bash']
  const { stdout } = await runBuilt(lifecycle, report(`createNamed('red')`), { before })
  expect(JSON.parse(stdout)).toMatchObject({ code: 'ENOSPC', hint: expect.stringContaining('user.max_net_namespaces') })
})

test('no descriptor, mount or strayed thread is left of all this', async () => {
  const mounts = await mountPoints()
  const before = await descriptors()
  for (let i = 0; i < 10; i++) {
    const { handle, info } = await createNamed(host.named('brief'))
    handle.close()
    await deleteNamed(info.name!)
    const anonymous = await createAnonymous()
    anonymous.handle.close()
  }
  expect(await descriptors()).toEqual(before)
  expect((await mountPoints()).filter(point => point.includes(host.named('')))).toEqual(
    mounts.filter(point => point.includes(host.named(''))),
  )
  expect(await threadNamespaces()).toEqual([await readlink('/proc/self/ns/net')])
  expect((await attempt(undefined, 'ip', ['netns', 'list'])).stdout).not.toContain(host.named('brief'))
})
