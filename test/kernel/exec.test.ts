// Commands run inside a namespace to their end: what they print, how they fail, how they are stopped.
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type ExecOptions, exec } from '../../lib/namespace/exec.js'
import type { OpenNamespace } from '../../lib/namespace/info.js'
import { createAnonymous, createNamed, deleteNamed } from '../../lib/namespace/lifecycle.js'
import { useHost } from '../helpers/host.js'
import { descriptors, threadNamespaces } from '../helpers/state.js'

const host = useHost()
let blue: OpenNamespace
beforeAll(async () => {
  blue = await createNamed(host.named('blue'))
})
afterAll(async () => {
  blue.handle.close()
  await deleteNamed(blue.info.name!)
})
type Failed = Error & { code: unknown; signal?: unknown; killed?: boolean; stdout?: string; stderr?: string; cmd?: string; cause?: unknown }
const rejection = async (command: string, args?: readonly string[], options?: ExecOptions) =>
  (await exec(blue, command, args, options).catch((error: unknown) => error)) as Failed
const sh = (script: string, options?: ExecOptions) => exec(blue, 'sh', ['-c', script], options)

describe('a command', () => {
  test('is inside', async () => {
    expect((await exec(blue, 'readlink', ['/proc/self/ns/net'])).stdout.trim()).toBe(String(blue.info))
    expect(JSON.parse((await exec(blue, 'ip', ['-j', 'link'])).stdout)).toMatchObject([{ ifname: 'lo' }])
  })
  test('gives both streams as text', async () =>
    expect(await sh('printf "a\\303\\274"; echo b >&2')).toEqual({ stdout: 'aü', stderr: 'b\n' }))
  test('has its arguments untouched', async () =>
    expect((await exec(blue, 'printf', ['%s|', 'a b', '$HOME', '"', '*', 'ü', ''])).stdout).toBe('a b|$HOME|"|*|ü||'))
  test('reads its input, and /dev/null without one', async () => {
    expect((await exec(blue, 'cat', [], { input: 'to be read' })).stdout).toBe('to be read')
    expect((await exec(blue, 'cat', [], { input: Uint8Array.of(0x68, 0x69) })).stdout).toBe('hi')
    expect((await exec(blue, 'cat')).stdout).toBe('')
  })
  test('may ignore its input', async () =>
    expect(await exec(blue, 'true', [], { input: 'x'.repeat(1 << 20) })).toEqual({ stdout: '', stderr: '' }))
  test('may print much', async () => expect((await sh('head -c 20000000 /dev/zero')).stdout.length).toBe(20_000_000))
  test('has the environment, the folder and the name it is given', async () => {
    expect((await sh('echo $A', { env: { ...process.env, A: 'b' } })).stdout).toBe('b\n')
    expect((await exec(blue, 'pwd', [], { cwd: tmpdir() })).stdout.trim()).toBe(tmpdir())
    expect((await exec(blue, 'sh', ['-c', 'echo $0'], { argv0: 'mine' })).stdout.trim()).toBe('mine')
    expect((await exec(blue, 'echo $((1+1))', [], { shell: true })).stdout.trim()).toBe('2')
  })
  test('ten at once', async () => {
    const results = await Promise.all(Array.from({ length: 10 }, (_, i) => sh(`echo ${i}`)))
    expect(results.map(({ stdout }) => stdout.trim())).toEqual(Array.from({ length: 10 }, (_, i) => String(i)))
    expect(await threadNamespaces()).toHaveLength(1)
  })
  test('in an anonymous namespace, which its end frees', async () => {
    const before = await descriptors()
    const { handle, info } = await createAnonymous()
    expect((await exec({ handle, info }, 'readlink', ['/proc/self/ns/net'])).stdout.trim()).toBe(String(info))
    handle.close()
    await expect.poll(() => descriptors()).toEqual(before)
  })
})

describe('a command that fails', () => {
  test('rejects as execFile does', async () => {
    const script = ['-c', 'echo out; echo err >&2; exit 3']
    const ours = await rejection('sh', script)
    const node = (await promisify(execFile)('sh', script).catch((error: unknown) => error)) as Failed
    for (const field of ['code', 'signal', 'killed', 'stdout', 'stderr', 'cmd'] as const) expect(ours[field], field).toEqual(node[field])
    expect(ours.message).toContain(`Command failed in ${blue.info.name}`)
    expect(ours.message).toContain('exit code 3')
    expect(ours.message).toContain('err')
  })
  test('by a signal', async () =>
    expect(await rejection('sh', ['-c', 'kill -9 $$'])).toMatchObject({ code: null, signal: 'SIGKILL', killed: false }))
  test('after its time', async () => {
    const error = await rejection('sleep', ['60'], { timeout: 50 })
    expect(error).toMatchObject({ code: null, signal: 'SIGTERM', killed: true })
  })
  test('after its time, although grandchildren hold the streams', async () => {
    const start = performance.now()
    const error = await rejection('sh', ['-c', 'echo out; sleep 5 & wait'], { timeout: 100, killSignal: 'SIGKILL' })
    expect(error).toMatchObject({ code: null, signal: 'SIGKILL', killed: true, stdout: 'out\n' })
    expect(performance.now() - start).toBeLessThan(3000)
  })
  test('is not found', async () => {
    const error = await rejection('no-such-command', [], { env: { PATH: '/usr/bin:/bin' } })
    expect(error).toMatchObject({
      name: 'NetloomError',
      code: 'ENOENT',
      operation: 'exec',
      subject: 'no-such-command',
      reason: 'command not found',
    })
    expect(error.cause).toMatchObject({ syscall: 'spawn no-such-command' })
  })
  test('is not executable', async () =>
    expect(await rejection('/etc/passwd')).toMatchObject({ code: 'EACCES', reason: expect.stringContaining('not executable') }))
  test('in a folder that is not there', async () =>
    expect(await rejection('true', [], { cwd: '/no/such' })).toMatchObject({
      code: 'ENOENT',
      reason: 'no such working directory: /no/such',
    }))
})

describe('stopping', () => {
  test('by a signal that is raised already: nothing starts', async () => {
    const reason = new Error('enough')
    const error = await rejection('sh', ['-c', 'exit 3'], { signal: AbortSignal.abort(reason) })
    expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: reason })
  })
  test('kills the command', async () => {
    const stop = new AbortController()
    onTestFinished(() => stop.abort())
    // Other runs of this suite on the machine have sleepers of their own.
    const length = `4711${process.pid}`
    const running = rejection('sh', ['-c', `exec sleep ${length}`], { signal: stop.signal })
    const sleepers = async () => (await exec(blue, 'sh', ['-c', `ps -eo args | grep -c "[s]leep ${length}" || true`])).stdout.trim()
    await expect.poll(sleepers).toBe('1')
    stop.abort('no longer wanted')
    expect(await running).toMatchObject({ name: 'AbortError', cause: 'no longer wanted' })
    await expect.poll(sleepers).toBe('0')
  })
  test('does not wait for grandchildren that hold the streams', async () => {
    const stop = new AbortController()
    const running = rejection('sh', ['-c', 'sleep 3 & echo started; wait'], { signal: stop.signal })
    setTimeout(() => stop.abort(), 100)
    const start = performance.now()
    expect(await running).toMatchObject({ name: 'AbortError' })
    expect(performance.now() - start).toBeLessThan(2000)
  })
  test('a command that prints more than it may is killed', async () => {
    const error = await rejection('yes', [], { maxBuffer: 1000 })
    expect(error).toMatchObject({ name: 'RangeError', code: 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER' })
    expect(error.message).toContain('stdout')
    expect((await exec(blue, 'printf', ['12345'], { maxBuffer: 5 })).stdout).toBe('12345')
  })
})

describe('wrong arguments', () => {
  const invalid = 'ERR_NETLOOM_INVALID_OPTION'
  test.each<[string, unknown, unknown, unknown]>([
    ['command', '', [], {}],
    ['command', undefined, [], {}],
    ['command', 'a\0b', [], {}],
    ['args', 'ls', 'x', {}],
    ['args[1]', 'ls', ['-l', 4], {}],
    ['args[0]', 'ls', ['\0'], {}],
    ['stdio', 'ls', [], { stdio: 'inherit' }],
    ['input', 'ls', [], { input: 5 }],
    ['maxBuffer', 'ls', [], { maxBuffer: -1 }],
    ['maxBuffer', 'ls', [], { maxBuffer: 'x' }],
    ['timeout', 'ls', [], { timeout: -1 }],
  ])('%s', async (path, command, args, options) => {
    const error = await rejection(command as string, args as string[], options as ExecOptions)
    expect(error).toMatchObject({ code: invalid, path })
  })
  test('a closed namespace', async () => {
    const { handle, info } = await createAnonymous()
    handle.close()
    expect(await exec({ handle, info }, 'true').catch((error: unknown) => error)).toMatchObject({ code: 'EBADF', operation: 'spawn' })
  })
})
