// Processes started inside a namespace, without and with mounts of their own; and the threads of this process, which must all stay home.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { identify } from '../../lib/namespace/identity.js'
import type { OpenNamespace } from '../../lib/namespace/info.js'
import { createAnonymous, createNamed, deleteNamed } from '../../lib/namespace/lifecycle.js'
import { type NamespaceSpawnOptions, spawn } from '../../lib/namespace/spawn.js'
import { distFolder, runBuilt } from '../helpers/built.js'
import { needs } from '../helpers/features.js'
import { useHost } from '../helpers/host.js'
import { run } from '../helpers/readers.js'
import { mountPoints, threadNamespaces } from '../helpers/state.js'

const host = useHost()
let blue: OpenNamespace
beforeAll(async () => {
  blue = await createNamed(host.named('blue'))
})
afterAll(async () => {
  blue.handle.close()
  await deleteNamed(blue.info.name!)
})

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}
async function ended(child: ChildProcess): Promise<Ended> {
  const text = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) child[name]?.setEncoding('utf8').on('data', (part: string) => (text[name] += part))
  const [code, signal] = await once(child, 'close')
  return { code, signal, ...text }
}
const start = (command: string, args: readonly string[] = [], options: NamespaceSpawnOptions = {}) => spawn(blue, command, args, options)

describe.each([false, true])('a process (mounts: %s)', mounts => {
  test('is inside, as seen from within and from outside', async () => {
    const child = start('cat', [], { mounts })
    await expect.poll(async () => (await run(undefined, 'cat', `/proc/${child.pid}/comm`)).trim()).toBe('cat')
    expect(String(await identify({ pid: child.pid! }))).toBe(String(blue.info))
    expect((await run(undefined, 'ip', 'netns', 'identify', String(child.pid))).trim()).toBe(blue.info.name)
    expect((await run(undefined, 'ip', 'netns', 'pids', blue.info.name!)).trim().split('\n')).toContain(String(child.pid))
    child.stdin?.end('to be read')
    expect(await ended(child)).toMatchObject({ code: 0, stdout: 'to be read' })
  })
  test('gives its exit code and its signal', async () => {
    expect(await ended(start('sh', ['-c', 'exit 7'], { mounts }))).toMatchObject({ code: 7, signal: null })
    const child = start('sh', ['-c', 'echo up; exec sleep 60'], { mounts })
    await once(child.stdout!, 'data')
    child.kill('SIGUSR1')
    expect(await ended(child)).toMatchObject({ code: null, signal: 'SIGUSR1' })
  })
  test('has the environment, the folder, the name and the streams it is given', async () => {
    const file = join(tmpdir(), host.named('out'))
    const env = { PATH: process.env.PATH, NODE_OPTIONS: '--no-such-option', LD_LIBRARY_PATH: '/no/such', A: 'ü =b\n', NETLOOM_EXEC: 'x' }
    const script = 'pwd; echo "$0"; tr "\\0" "\\n" < /proc/self/environ; echo four >&4; exit 0'
    const child = start('sh', ['-c', script], {
      mounts,
      env,
      cwd: tmpdir(),
      argv0: 'mine',
      stdio: ['ignore', 'pipe', 'pipe', 'ignore', 'pipe'],
    })
    let four = ''
    child.stdio[4]?.on('data', part => (four += part))
    const { code, stdout, stderr } = await ended(child)
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(four).toBe('four\n')
    expect(stdout.startsWith(`${tmpdir()}\nmine\n`)).toBe(true)
    for (const [name, value] of Object.entries(env)) expect(stdout).toContain(`${name}=${value}\n`)
    expect(stdout).not.toContain('NETLOOM_EXEC_')
    await rm(file, { force: true })
  })
  test('has only the descriptors it is given', async () => {
    const child = start('sh', ['-c', 'ls -l /proc/$$/fd'], { mounts, stdio: ['ignore', 'pipe', 'inherit'] })
    const plain = (await ended(child)).stdout
    // Of ours, nothing: neither namespaces nor what Node polls with.
    expect(plain).not.toMatch(/net:\[|anon_inode/)
  })
  test('has signals as a shell gives them', async () => {
    const masks = async (options: NamespaceSpawnOptions) =>
      (await ended(start('grep', ['-E', 'SigBlk|SigIgn|SigCgt', '/proc/self/status'], options))).stdout
    expect(await masks({ mounts })).toMatch(/^SigBlk:\t0+\nSigIgn:\t0+\n/)
  })
  test('leads a session of its own when detached', async () => {
    const { stdout } = await ended(start('sh', ['-c', 'cut -d" " -f6 /proc/self/stat; echo $$'], { mounts, detached: true }))
    const [session, pid] = stdout.trim().split('\n')
    expect(session).toBe(pid)
  })
  test('may be another user', async context => {
    await needs(context, 'initial-user-namespace')
    const { stdout, stderr } = await ended(
      start('sh', ['-c', 'id -u; id -g; id -G; grep CapEff /proc/self/status'], { mounts, uid: 65534, gid: 65533 }),
    )
    expect(stderr).toBe('')
    expect(stdout).toBe('65534\n65533\n65533\nCapEff:\t0000000000000000\n')
  })
  test('may be a shell line', async () =>
    expect((await ended(start('echo', ['$((1+1))', '|', 'cat'], { mounts, shell: true }))).stdout).toBe('2\n'))
  test('outlives the handle, and the name', async () => {
    const red = await createNamed(host.named('red'))
    const child = spawn(red, 'sh', ['-c', 'read line; readlink /proc/self/ns/net'], { mounts })
    if (mounts) await once(child, 'spawn')
    await expect.poll(async () => (await run(undefined, 'cat', `/proc/${child.pid}/comm`)).trim()).toBe('sh')
    red.handle.close()
    await deleteNamed(red.info.name!)
    child.stdin?.end('\n')
    expect((await ended(child)).stdout.trim()).toBe(String(red.info))
  })
  test('is ended by an AbortSignal, with its reason', async () => {
    const stop = new AbortController()
    const child = start('sleep', ['60'], { mounts, signal: stop.signal })
    setTimeout(() => stop.abort('enough'), 20)
    const [error] = await once(child, 'error')
    expect(error).toMatchObject({ name: 'AbortError', cause: 'enough' })
  })
})

describe('without mounts', () => {
  test('a command that is not there is an error event, as child_process has it', async () => {
    const [error] = await once(start('no-such-command', [], { env: { PATH: '/usr/bin:/bin' } }), 'error')
    expect(error).toMatchObject({ code: 'ENOENT', syscall: 'spawn no-such-command' })
    expect(await threadNamespaces()).toHaveLength(1)
  })
  test('an interactive shell with a prompt of its own', async context => {
    await needs(context, 'tool:bash')
    const folder = await mkdtemp(join(tmpdir(), 'netloom-'))
    const file = join(folder, 'rc')
    await writeFile(file, `PS1='(${blue.info.name}) '\n`)
    const child = start('bash', ['--rcfile', file, '-i'])
    child.stdin?.end('readlink /proc/self/ns/net\nexit 4\n')
    const { code, stdout, stderr } = await ended(child)
    await rm(folder, { recursive: true })
    expect(stderr).toContain(`(${blue.info.name}) `)
    expect(stdout.trim()).toBe(String(blue.info))
    expect(code).toBe(4)
  })
})

describe('with mounts', () => {
  const started = (command: string, args: string[] = [], options: NamespaceSpawnOptions = {}) =>
    ended(start(command, args, { mounts: true, ...options }))
  /** The module of bonds has a file between the links there. */
  const links = (listing: string) =>
    listing
      .trim()
      .split('\n')
      .filter(name => name !== 'bonding_masters')
      .sort()
  test('/sys is that of the namespace; this process keeps its own', async context => {
    await needs(context, 'tool:brctl')
    const before = await mountPoints('/sys')
    const outside = await readdir('/sys/class/net')
    await run(blue.info.name, 'ip', 'link', 'add', 'br-mounts', 'type', 'bridge')
    expect(links((await started('ls', ['/sys/class/net'])).stdout)).toEqual(['br-mounts', 'lo'])
    expect((await started('brctl', ['show'])).stdout).toContain('br-mounts')
    expect(await readdir('/sys/class/net')).toEqual(outside)
    expect(await mountPoints('/sys')).toEqual(before)
    await run(blue.info.name, 'ip', 'link', 'delete', 'br-mounts')
  })
  test('mounts that the command makes are its own', async () => {
    const before = await mountPoints('/')
    const { code } = await started('sh', ['-c', `mount -t tmpfs none ${tmpdir()} && mountpoint -q ${tmpdir()}`])
    expect(code).toBe(0)
    expect(await mountPoints('/')).toEqual(before)
  })
  test('an anonymous namespace has a /sys too', async () => {
    const ns = await createAnonymous()
    expect(links((await ended(spawn(ns, 'ls', ['/sys/class/net'], { mounts: true }))).stdout)).toEqual(['lo'])
    ns.handle.close()
  })
  test('what cannot be run is told as a shell does', async () => {
    expect(await started('no-such-command', [], { env: { PATH: '/usr/bin:/bin' } })).toMatchObject({
      code: 127,
      stderr: 'netloom: no-such-command: command not found\n',
    })
    expect(await started('/etc/passwd')).toMatchObject({ code: 126, stderr: expect.stringContaining('Permission denied (EACCES)') })
  })
  test('the command is looked for in the PATH that it is given', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'netloom-'))
    await writeFile(join(folder, 'mine'), '#!/bin/sh\necho found\n', { mode: 0o755 })
    expect((await started('mine', [], { env: { PATH: `${folder}:/usr/bin:/bin` } })).stdout).toBe('found\n')
    expect(await started('mine', [], { env: { PATH: '/usr/bin' } })).toMatchObject({ code: 127 })
    await rm(folder, { recursive: true })
  })
  test('messages to the command are refused', () => {
    const error = expect.objectContaining({ code: 'ERR_NETLOOM_INVALID_OPTION', path: 'stdio' })
    expect(() => start('true', [], { mounts: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })).toThrow(error)
  })
  test('the same files under /etc as with ip netns exec', async context => {
    await needs(context, 'tool:bash')
    const name = host.named('etc')
    const ns = await createNamed(name)
    // In an /etc of its own, so that nothing of the machine's changes.
    const script = `mount -t tmpfs tmpfs /etc && mkdir -p /etc/netns/${name}/folder && touch /etc/netns/${name}/homeless && cd /etc && touch resolv.conf other && mkdir folder
      echo theirs > other; echo "nameserver 192.0.2.1" > netns/${name}/resolv.conf; echo inside > netns/${name}/folder/file; "$@"
      ip netns exec ${name} sh -c 'cat /etc/resolv.conf /etc/folder/file /etc/other' > /run/${name}; cat /run/${name}; rm /run/${name}; cat /etc/resolv.conf`
    const before = ['unshare', '--mount', '--propagation', 'private', 'bash', '-c', script, 'bash']
    const program = `const ns = await openSource({ name: '${name}' })
      const { stdout, stderr } = await exec(ns, 'cat', ['/etc/resolv.conf', '/etc/folder/file', '/etc/other'], { mounts: true })
      console.log(stdout.trim())
      console.error(stderr.trim())`
    const { stdout, stderr } = await runBuilt({ 'namespace/source': ['openSource'], 'namespace/exec': ['exec'] }, program, { before })
    const once = 'nameserver 192.0.2.1\ninside\ntheirs\n'
    expect(stdout).toBe(once + once)
    // What has no place to be shown in is told, by the tool too, and the command runs all the same.
    expect(stderr).toContain(`netloom: /etc/netns/${name}/homeless is not shown: there is no /etc/homeless`)
    expect(stderr).toMatch(/^Bind .*homeless failed/m)
    ns.handle.close()
    await deleteNamed(name)
  })
  test('without the right to mount, the error says so', async context => {
    await needs(context, 'tool:setpriv')
    const program = `
      const said = error => console.log(JSON.stringify({ code: error.code, message: error.message }))
      await exec(await openSource({ name: '${blue.info.name}' }), 'true', [], { mounts: true }).catch(said)`
    const before = ['setpriv', '--inh-caps=-sys_admin', '--bounding-set=-sys_admin']
    const { json } = await runBuilt({ 'namespace/source': ['openSource'], 'namespace/exec': ['exec'] }, program, { before })
    expect(json).toMatchObject({ code: 'EPERM', message: expect.stringContaining('CAP_SYS_ADMIN') })
  })
})

describe('threads', () => {
  // require() loads without libuv's pool, which import does not.
  const program = (mounts: boolean) => `
    const { readdirSync, readlinkSync } = require('node:fs')
    const { createAnonymous } = require(${JSON.stringify(join(distFolder, 'namespace/lifecycle.js'))})
    const { spawn } = require(${JSON.stringify(join(distFolder, 'namespace/spawn.js'))})
    const threads = () => readdirSync('/proc/self/task').map(id => readlinkSync('/proc/self/task/' + id + '/ns/net'))
    const main = async () => {
      const ns = await createAnonymous()
      const before = threads().length
      const child = spawn(ns, 'readlink', ['/proc/self/ns/net'], { mounts: ${mounts}, stdio: ['ignore', 'pipe', 'inherit'] })
      const more = threads().length - before
      let inside = ''
      for await (const part of child.stdout) inside += part
      const home = readlinkSync('/proc/self/ns/net')
      console.log(JSON.stringify({ home, inside: inside.trim(), expected: String(ns.info), threads: [...new Set(threads())], more }))
    }
    main()`
  test.each([false, true])('of a process whose first asynchronous work is a spawn stay home (mounts: %s)', async mounts => {
    const said = JSON.parse(await run(undefined, process.execPath, '--no-warnings', '--eval', program(mounts)))
    const { home, inside, expected, threads, more } = said as Record<'home' | 'inside' | 'expected', string> & {
      threads: string[]
      more: number
    }
    expect(inside).toBe(expected)
    expect(inside).not.toBe(home)
    expect(threads).toEqual([home])
    // The pool was cold before: that is what this test is about.
    expect(more).toBeGreaterThanOrEqual(4)
  })
  test('are home after failures', async () => {
    const noFolder = start('true', [], { cwd: '/no/such' })
    await once(noFolder, 'error')
    expect(() => start('true', [], { uid: 1.5 })).toThrow()
    expect(() => start('true', [], { stdio: 'nonsense' as 'pipe' })).toThrow()
    expect(await threadNamespaces()).toEqual([await readlink('/proc/self/ns/net')])
  })
})

test('a closed namespace', () => {
  const red = { ...blue, handle: { ...blue.handle, closed: true } as OpenNamespace['handle'] }
  expect(() => spawn(red, 'true')).toThrow(expect.objectContaining({ code: 'EBADF', operation: 'spawn', subject: 'true' }))
})
