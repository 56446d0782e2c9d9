// Two scenarios from beginning to end without a single other program: the system calls of the whole process are watched for it.

import { beforeEach, expect, test } from 'vitest'
import { needs } from '../helpers/features.js'
import { attempt } from '../helpers/readers.js'
import { sandbox } from '../helpers/sandbox.js'
import { expectNothingLeft, programOf } from './running.js'

beforeEach(context => needs(context, 'tool:ip', 'tool:nsenter', 'tool:strace', 'veth', 'bridge'))

test.each(['s2-veth', 's3-bridge'])('%s starts no program', async name => {
  await using box = await sandbox()
  const { starts, code } = await watch([process.execPath, programOf(name)])
  expect(code).toBe(0)
  // The first is node itself.
  expect(starts).toHaveLength(1)
  await expectNothingLeft(box)

  async function watch(command: readonly string[]) {
    const trace = await attempt(box.where, 'strace', ['-f', '-qq', '-e', 'trace=execve,execveat', '-e', 'signal=none', ...command])
    return { code: trace.code, starts: trace.stderr.split('\n').filter(line => /\bexecve(at)?\(/.test(line)) }
  }
})

test('the watch sees a program that is started', async () => {
  await using box = await sandbox()
  const args = ['-f', '-qq', '-e', 'trace=execve,execveat', process.execPath, programOf('s1-namespaces')]
  const { stderr } = await attempt(box.where, 'strace', args)
  expect(stderr).toMatch(/execve(at)?\(.*readlink/)
})
