// Nothing is left over: descriptors, mounts and threads are the same before and after, whatever failed or was forgotten.

import { readdir, readFile } from 'node:fs/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { native } from '../../lib/socket/native.js'
import { descriptors, mountPoints, threadNamespaces } from '../helpers/state.js'
import { getLink } from './messages.js'

const ENOENT = 2
const EBADF = 9
const EEXIST = 17
const EINVAL = 22
const mostThreads = 4
const directory = `/run/netns-lifecycle-${process.pid}`

/** How many threads the addon has, those that wait for notifications left out. */
async function ownThreads() {
  const threads = await readdir('/proc/self/task')
  const names = await Promise.all(threads.map(thread => readFile(`/proc/self/task/${thread}/comm`, 'utf8')))
  return names.filter(name => name === 'netloom\n').length
}

/** Starts the threads and whatever else comes into being on first use. */
async function warmUp() {
  await Promise.all(Array.from({ length: 20 }, cycle))
}

async function cycle() {
  const namespace = await native().createNamespace()
  const socket = await native().openNetlink(namespace, 0)
  await socket.exchange(getLink(1, 1))
  socket.close()
  namespace.close()
}

/** Closes nothing. */
async function forget() {
  const socket = await native().openNetlink(await native().createNamespace(), 0)
  return socket.exchange(getLink(1, 1))
}

async function collectGarbage() {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  for (let round = 0; round < 10; round++) {
    gc()
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

test('1,000 namespaces with a socket each, made and closed, leave no descriptor and no more threads than there may be', async () => {
  await warmUp()
  const before = await descriptors()
  for (let round = 0; round < 50; round++) await Promise.all(Array.from({ length: 20 }, cycle))
  expect(await descriptors()).toEqual(before)
  expect(await ownThreads()).toBeLessThanOrEqual(mostThreads)
})

test('named namespaces, made and removed, leave no file and no mount', async () => {
  await native().prepareNamespaceDirectory(directory)
  const before = [await descriptors(), await mountPoints(directory)]
  for (let round = 0; round < 200; round++) {
    const path = `${directory}/n${round}`
    const made = await native().createNamespace(path, `mark ${round}\n`)
    const opened = await native().openNamespace(path)
    expect([opened.device, opened.inode, opened.cookie]).toEqual([made.device, made.inode, made.cookie])
    await native().removeNamespace(path)
    made.close()
    opened.close()
  }
  expect([await descriptors(), await mountPoints(directory)]).toEqual(before)
})

test('the directory of names may be prepared by many at once', async () => {
  await Promise.all(Array.from({ length: 20 }, () => native().prepareNamespaceDirectory(directory)))
  expect((await mountPoints(directory)).filter(point => point === directory)).toHaveLength(1)
})

test('what fails is undone, and says which call failed on what', async () => {
  await native().prepareNamespaceDirectory(directory)
  const taken = `${directory}/taken`
  const namespace = await native().createNamespace(taken)
  const before = [await descriptors(), await mountPoints(directory)]
  const failures: [() => Promise<unknown>, object][] = [
    [() => native().createNamespace(taken), { errno: EEXIST, syscall: 'link', path: taken }],
    [() => native().createNamespace(`${directory}/none/x`), { errno: ENOENT, syscall: 'open' }],
    [() => native().openNamespace(`${directory}/none`), { errno: ENOENT, syscall: 'open' }],
    [() => native().openNamespace('/etc/passwd'), { errno: EINVAL, syscall: 'fstatfs', path: '/etc/passwd' }],
    [() => native().openNamespace('/proc/self/ns/mnt'), { errno: EINVAL, syscall: 'ioctl(NS_GET_NSTYPE)' }],
    [() => native().removeNamespace(`${directory}/none`), { errno: ENOENT, syscall: 'unlink' }],
    [() => native().readSysctl(namespace, '/etc/passwd'), { errno: EINVAL, syscall: 'open' }],
    [() => native().readSysctl(namespace, '/proc/sys/net/../../version'), { errno: EINVAL, syscall: 'open' }],
    [() => native().readSysctl(namespace, '/proc/sys/net/none'), { errno: ENOENT, syscall: 'open' }],
    [() => native().writeSysctl(namespace, '/proc/sys/net/ipv4/ip_forward', 'x'), { errno: EINVAL, syscall: 'write' }],
  ]
  for (const [attempt, expected] of failures) await expect(attempt()).rejects.toMatchObject(expected)
  expect([await descriptors(), await mountPoints(directory)]).toEqual(before)
  namespace.close()
  await native().removeNamespace(taken)
})

test('a setting is that of the namespace', async () => {
  const [one, other] = await Promise.all([native().createNamespace(), native().createNamespace()])
  const path = '/proc/sys/net/ipv4/ip_default_ttl'
  await native().writeSysctl(one, path, '77')
  expect([await native().readSysctl(one, path), await native().readSysctl(other, path)]).toEqual(['77\n', '64\n'])
  one.close()
  other.close()
})

test('a handle may be closed twice, keeps its identity, and is refused where an open one is needed', async () => {
  const namespace = await native().createNamespace()
  const { device, inode, cookie } = namespace
  expect(namespace.fd).toBeGreaterThan(2)
  namespace.close()
  namespace.close()
  expect(namespace).toMatchObject({ fd: -1, closed: true, device, inode, cookie })
  expect(() => native().openNetlink(namespace, 0)).toThrow(expect.objectContaining({ errno: EBADF }))
  expect(() => native().runInside(namespace, () => 0)).toThrow(expect.objectContaining({ errno: EBADF }))
  for (const stranger of [{}, null, 5, Object.create(Object.getPrototypeOf(namespace) as object)])
    expect(() => native().readSysctl(stranger as typeof namespace, '/proc/sys/net/core/somaxconn')).toThrow(TypeError)
})

test('work that is under way does not need the handle any more', async () => {
  const namespace = await native().createNamespace()
  const opening = Array.from({ length: 20 }, () => native().openNetlink(namespace, 0))
  namespace.close()
  for (const socket of await Promise.all(opening)) {
    expect((await socket.exchange(getLink(1, 1))).done).toBe(true)
    socket.close()
  }
})

test('handles and sockets that were forgotten are closed by the garbage collector, their work under way is not lost', async () => {
  await warmUp()
  await collectGarbage()
  const before = await descriptors()
  await (async () => {
    const answers: Promise<unknown>[] = []
    for (let round = 0; round < 100; round++) answers.push(forget())
    await collectGarbage()
    expect(await Promise.all(answers)).toHaveLength(100)
  })()
  await collectGarbage()
  expect(await descriptors()).toEqual(before)
})

test('every thread is at home after work in many namespaces at once, and after what went wrong in them', async () => {
  const home = native().currentNamespace()
  const namespaces = await Promise.all(Array.from({ length: 40 }, () => native().createNamespace()))
  const work = namespaces.flatMap(namespace => [
    native().readSysctl(namespace, '/proc/sys/net/ipv4/ip_forward'),
    native().readSysctl(namespace, '/proc/sys/net/none'),
    native().openDescriptor(namespace, 9_999, 1, 0, []),
    native()
      .openNetlink(namespace, 0)
      .then(socket => socket.close()),
  ])
  await Promise.allSettled(work)
  for (const namespace of namespaces) {
    expect(native().runInside(namespace, () => native().currentNamespace().inode)).toBe(namespace.inode)
    expect(() => native().runInside(namespace, () => JSON.parse('{'))).toThrow(SyntaxError)
  }
  const [one, other] = namespaces
  if (one === undefined || other === undefined) throw new Error('unreachable')
  const nested = native().runInside(one, () => [
    native().runInside(other, () => native().currentNamespace().inode),
    native().currentNamespace().inode,
  ])
  expect(nested).toEqual([other.inode, one.inode])
  expect(await threadNamespaces()).toEqual([`net:[${home.inode}]`])
  for (const namespace of namespaces) namespace.close()
})

test('work that begins while the thread is inside does not bring threads up there', async () => {
  const namespace = await native().createNamespace()
  const begun = native().runInside(namespace, () => Array.from({ length: 8 }, () => native().createNamespace()))
  for (const made of await Promise.all(begun)) made.close()
  expect(await threadNamespaces()).toHaveLength(1)
  namespace.close()
})
