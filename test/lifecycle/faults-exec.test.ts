// Calls of the process that becomes a command, each made to fail: the command does not run with other rights than were asked for, and the error says why.
import { fileURLToPath } from 'node:url'
import { beforeEach, expect, test } from 'vitest'
import { needs } from '../helpers/features.js'
import { attempt } from '../helpers/readers.js'
import { sandbox } from '../helpers/sandbox.js'

const program = fileURLToPath(new URL('faulty/exec.mjs', import.meta.url))

beforeEach(context => needs(context, 'tool:strace', 'tool:nsenter', 'initial-user-namespace'))

/** What the program said of a command that was to run as another user, and of the next one. */
async function withFault(inject: string | undefined): Promise<unknown[]> {
  await using box = await sandbox()
  const faults = inject === undefined ? [] : ['-e', `inject=${inject}`]
  const args = ['-f', '-qq', '-o', '/dev/null', '-e', 'signal=none', ...faults, process.execPath, program]
  const { stdout } = await attempt(box.where, 'strace', args)
  return stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as unknown)
}

const ran = { stdout: 'here\n' }
const again = { stdout: 'again\n' }

test('without a fault both commands run', async () => {
  expect(await withFault(undefined)).toEqual([ran, again])
})

test.each([
  ['setgroups:error=ENOMEM', 125, 'setgroups: Cannot allocate memory (ENOMEM)'],
  ['setgid:error=EPERM', 125, 'changing the user of /bin/echo: setgid: Operation not permitted (EPERM)'],
  ['setuid:error=EPERM', 125, 'setuid: Operation not permitted (EPERM)'],
  ['setuid:error=EAGAIN', 125, 'setuid: '],
  ['mount:error=ENOMEM:when=2+', 125, 'mount '],
  // The first of the process is Node itself.
  ['execve:error=ENOMEM:when=2', 126, '/bin/echo: Cannot allocate memory (ENOMEM)'],
  ['execve:error=EACCES:when=2', 126, '/bin/echo: Permission denied (EACCES)'],
])('%s', async (inject, code, words) => {
  const [first, second] = await withFault(inject)
  expect(first).toEqual({ code, stderr: expect.stringContaining(words) })
  expect(second).toEqual(again)
})

test('whether /sys is read-only is not worth failing for', async () => {
  expect(await withFault('statfs:error=ENOMEM')).toEqual([ran, again])
})

test('who may not give up groups, in a user namespace of his own, has none to give up', async () => {
  expect(await withFault('setgroups:error=EPERM')).toEqual([ran, again])
})
