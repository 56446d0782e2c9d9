// Opening a namespace by name, pid, path, descriptor or what list() said; and what is told when that is not possible.
import { execFile, spawn } from 'node:child_process'
import { open, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, test } from 'vitest'
import { type NamespaceInfo, namespaceInfo, type OpenNamespace } from '../../lib/namespace/info.js'
import { createAnonymous, createNamed, deleteNamed } from '../../lib/namespace/lifecycle.js'
import { listNamespaces } from '../../lib/namespace/list.js'
import { held, type NamespaceSource, openSource } from '../../lib/namespace/source.js'
import { runBuilt } from '../helpers/built.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { patience } from '../helpers/patience.js'
import { environment, run, start } from '../helpers/readers.js'
import { descriptors } from '../helpers/state.js'

const host = useHost()
const opened: OpenNamespace[] = []
const keep = (ns: OpenNamespace) => {
  opened.push(ns)
  return ns
}
afterEach(() => {
  for (const { handle } of opened.splice(0)) handle.close()
})
const identityOfHost = async () => (await run(host.name, 'readlink', '/proc/self/ns/net')).trim()
const rejection = (source: NamespaceSource, path?: string) =>
  openSource(source, path).then(
    ({ info }) => {
      throw new Error(`was opened: ${info}`)
    },
    (error: unknown) => error as Error & { code: string; path?: string; reason?: string; hint?: string },
  )

describe('opens', () => {
  test('by name', async () => {
    const { info, handle } = keep(await openSource({ name: host.name }))
    expect(String(info)).toBe(await identityOfHost())
    expect(info).toEqual({ device: handle.device, inode: handle.inode, name: host.name, path: host.path })
  })
  test('by pid', async () => {
    await using sleeper = await start(host.name, 'sleep', ['60'])
    const { info } = keep(await openSource({ pid: sleeper.pid }))
    expect(String(info)).toBe(await identityOfHost())
    expect(info.pids).toEqual([sleeper.pid])
  })
  test('by path, and knows the name that it means', async () => {
    expect(keep(await openSource({ path: host.path })).info).toMatchObject({ name: host.name, path: host.path })
    const { info } = keep(await openSource({ path: '/proc/self/ns/net' }))
    expect(info.name).toBeUndefined()
  })
  test('by descriptor, which stays the caller’s', async () => {
    const file = await open(host.path)
    const { info, handle } = keep(await openSource({ fd: file.fd }))
    expect(String(info)).toBe(await identityOfHost())
    expect(handle.fd).not.toBe(file.fd)
    handle.close()
    expect((await file.stat()).ino).toBe(info.inode)
    await file.close()
  })
  test('by an object that holds it, with a descriptor of its own', async () => {
    const { handle, info } = keep(await createAnonymous())
    const again = keep(await openSource({ ...info, [held]: handle }))
    handle.close()
    expect(again.info).toEqual(info)
    expect(again.handle.closed).toBe(false)
  })
  test('by what list() said', async () => {
    const listed = (await listNamespaces()).find(({ name }) => name === host.name)
    expect(keep(await openSource(listed!)).info).toEqual(listed)
    const throughJson: NamespaceInfo = JSON.parse(JSON.stringify(listed))
    expect(keep(await openSource(throughJson)).info).toEqual(listed)
  })
  test('what only processes hold, although its first process has ended since', async () => {
    await using first = await start(undefined, 'unshare', ['--net', 'sleep', '60'])
    const findIt = async () => (await listNamespaces({ processes: true })).find(({ pids, name }) => !name && pids?.[0] === first.pid)
    // unshare has not entered its new namespace at once.
    await expect.poll(findIt).toMatchObject({ pids: [first.pid] })
    const info = (await findIt())!
    await using second = await start({ pid: first.pid }, 'sleep', ['60'])
    await first.stop()
    const again = keep(await openSource(info))
    expect(again.info).toMatchObject({ inode: info.inode, pids: [second.pid] })
  })
  test('what has another name now', async () => {
    const ns = keep(await createNamed(host.named('old')))
    await using inside = await start(ns.info.name, 'sleep', ['60'])
    await run(undefined, 'ip', 'netns', 'attach', host.named('new'), String(inside.pid))
    await deleteNamed(host.named('old'))
    expect(keep(await openSource(ns.info)).info.name).toBe(host.named('new'))
    await deleteNamed(host.named('new'))
  })
})

describe('a NamespaceInfo of what is gone', () => {
  test('is ESTALE, also when the name is there again', async () => {
    const first = await createNamed(host.named('again'))
    // It stays alive, so that its inode number is not used again, but nothing leads to it.
    keep(first)
    await deleteNamed(host.named('again'))
    expect(await rejection(first.info)).toMatchObject({ code: 'ESTALE', hint: expect.stringContaining('Namespace.list()') })
    const second = keep(await createNamed(host.named('again')))
    expect(second.info.inode).not.toBe(first.info.inode)
    const before = await descriptors()
    expect(await rejection(first.info)).toMatchObject({ code: 'ESTALE' })
    expect(await descriptors()).toEqual(before)
    await deleteNamed(host.named('again'))
  })
  test('says which one', async () => {
    const error = await rejection(namespaceInfo({ device: 4, inode: 12345, name: host.named('none') }))
    expect(error.message).toContain('net:[12345]')
    expect(error.message).toContain(host.named('none'))
  })
})

describe('what is not there', () => {
  test('a name', async () =>
    expect(await rejection({ name: host.named('none') })).toMatchObject({
      code: 'ENOENT',
      hint: expect.stringContaining('Namespace.list()'),
    }))
  test('a path', async () => expect(await rejection({ path: '/no/such/file' })).toMatchObject({ code: 'ENOENT' }))
  test('a process', async () => expect(await rejection({ pid: 2 ** 31 - 1 })).toMatchObject({ code: 'ESRCH', reason: 'no such process' }))
  test('a process that has ended, but is not collected', async () => {
    const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      const [line] = (await createInterface({ input: parent.stdout })[Symbol.asyncIterator]().next()).value.split('\n')
      await expect.poll(() => run(undefined, 'cat', `/proc/${line}/stat`)).toContain(') Z ')
      expect(await rejection({ pid: Number(line) })).toMatchObject({ code: 'ESRCH', reason: expect.stringContaining('has ended') })
    } finally {
      parent.kill()
    }
  })
  test('a descriptor', async () => expect(await rejection({ fd: 999_999 })).toMatchObject({ code: 'EBADF' }))
  test('what was closed', async () => {
    const { handle, info } = await createAnonymous()
    handle.close()
    expect(await rejection({ ...info, [held]: handle })).toMatchObject({ code: 'EBADF', hint: expect.stringContaining('Namespace.open') })
  })
})

describe('what is something else', () => {
  const temporary = () => join(tmpdir(), host.named('file'))
  afterEach(() => rm(temporary(), { force: true, recursive: true }))

  test('a namespace of another kind', async () => {
    for (const kind of ['mnt', 'pid', 'user', 'uts'])
      expect(await rejection({ path: `/proc/self/ns/${kind}` })).toMatchObject({
        code: 'EINVAL',
        reason: expect.stringContaining('another kind'),
      })
  })
  test('a plain file, a directory, a pipe', async () => {
    await writeFile(temporary(), '')
    expect(await rejection({ path: temporary() })).toMatchObject({ code: 'EINVAL', reason: expect.stringContaining('is not a namespace') })
    expect(await rejection({ path: tmpdir() })).toMatchObject({ code: 'EINVAL' })
    await rm(temporary())
    await run(undefined, 'mkfifo', temporary())
    expect(await rejection({ path: temporary() })).toMatchObject({ code: 'EINVAL' })
  })
  test('a stale file in /run/netns', async () => {
    const path = `/run/netns/${host.named('stale')}`
    await writeFile(path, '')
    for (const source of [{ name: host.named('stale') }, { path }])
      expect(await rejection(source)).toMatchObject({
        code: 'EINVAL',
        reason: expect.stringContaining('plain file'),
        hint: expect.stringContaining(`rm ${path}`),
      })
    await rm(path)
  })
  test('a descriptor of a file or a socket', async () => {
    const file = await open('/dev/null')
    expect(await rejection({ fd: file.fd })).toMatchObject({ code: 'EINVAL' })
    await file.close()
    const server = createServer().listen({ path: `\0${host.named('socket')}` })
    await new Promise(resolve => server.once('listening', resolve))
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle
    expect(await rejection({ fd })).toMatchObject({ code: 'EINVAL' })
    server.close()
  })
})

describe('wrong arguments are told before anything is opened', () => {
  const invalid = 'ERR_NETLOOM_INVALID_NAMESPACE'
  test.each<[unknown, string, string?]>([
    [undefined, invalid],
    [null, invalid],
    ['blue', invalid],
    [42, invalid],
    [{}, invalid],
    [{ nmae: 'blue' }, invalid],
    [{ name: 'blue', pid: 1 }, invalid],
    [{ name: '' }, 'ERR_NETLOOM_INVALID_NAME', 'name'],
    [{ name: '../x' }, 'ERR_NETLOOM_INVALID_NAME', 'name'],
    [{ pid: 0 }, invalid, 'pid'],
    [{ pid: -1 }, invalid, 'pid'],
    [{ pid: 1.5 }, invalid, 'pid'],
    [{ pid: '1' }, invalid, 'pid'],
    [{ pid: 2 ** 31 }, invalid, 'pid'],
    [{ fd: -1 }, invalid, 'fd'],
    [{ fd: Number.NaN }, invalid, 'fd'],
    [{ path: '' }, invalid, 'path'],
    [{ path: 'a\0b' }, invalid, 'path'],
    [{ inode: 1 }, invalid, 'device'],
    [{ device: 4, inode: -1 }, invalid, 'inode'],
    [{ device: 4, inode: 1, name: 'a/b' }, 'ERR_NETLOOM_INVALID_NAME', 'name'],
  ])('%j', async (source, code, field) => {
    const error = await rejection(source as NamespaceSource, 'peer.namespace')
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ code, path: field === undefined ? 'peer.namespace' : `peer.namespace.${field}` })
  })
})

test("another user's process: the error says what is missing", async context => {
  await needs(context, 'tool:setpriv', 'initial-user-namespace')
  const report = `openSource({ pid: ${process.pid} }).catch(error => console.log(JSON.stringify({ code: error.code, hint: error.hint })))`
  const before = ['setpriv', '--inh-caps=-all', '--bounding-set=-all']
  const { json } = await runBuilt({ 'namespace/source': ['openSource'] }, report, { before })
  expect(json).toMatchObject({ code: expect.stringMatching(/^E(ACCES|PERM)$/), hint: expect.stringContaining('CAP_SYS_PTRACE') })
})

test('opening and failing leaves no descriptor behind', async () => {
  await rejection({ name: host.named('none') })
  const before = await descriptors()
  for (let i = 0; i < 10; i++) {
    const { handle } = await openSource({ name: host.name })
    handle.close()
    await rejection({ path: '/proc/self/ns/mnt' })
    await rejection({ path: '/etc/passwd' })
    await rejection({ pid: 2 ** 31 - 1 })
  }
  expect(await descriptors()).toEqual(before)
})

test('a program that holds an open namespace still ends by itself', async () => {
  const { code } = await new Promise<{ code: number | null }>(resolve => {
    const program = `import { openSource } from ${JSON.stringify(new URL('../../dist/namespace/source.js', import.meta.url).href)}; await openSource({ name: '${host.name}' })`
    const options = { timeout: patience(10_000), env: environment([process.execPath]) }
    execFile(process.execPath, ['--input-type=module', '--eval', program], options, error => resolve({ code: error ? 1 : 0 }))
  })
  expect(code).toBe(0)
})
