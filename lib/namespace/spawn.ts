// Starting a process inside a namespace: an ordinary ChildProcess, with or without mounts of its own.
import { type ChildProcess, type SpawnOptions, spawn as spawnHere } from 'node:child_process'
import { argumentError } from '../codec/errors.js'
import { native } from '../socket/native.js'
import { execEntryPath } from './exec-path.js'
import { packRequest } from './exec-request.js'
import { checkOpen, failure, syscallOf } from './failure.js'
import { labelOf, type NamespaceInfo, type OpenNamespace } from './info.js'

export interface NamespaceSpawnOptions extends SpawnOptions {
  /**
   * false (default): only the network is the namespace's. Files are this process's, so /sys/class/net still shows the interfaces of the
   * namespace that mounted /sys, and /etc/resolv.conf is the machine's. Starting costs what child_process.spawn costs.
   *
   * true: as `ip netns exec`. The command gets a mount namespace of its own, with a /sys that shows this network namespace, and each file and
   * folder in /etc/netns/<name>/ in the place of its namesake in /etc; one without a namesake is told on
   * standard error, and left out. Mounts made in it stay in it. This needs CAP_SYS_ADMIN, and takes a
   * Node start-up (some 40 ms) longer, because a helper prepares the mounts and then becomes the command (same pid). Once the helper runs,
   * `spawn` has been emitted: a command that cannot be run is then told as a shell does it, on standard error and by the exit code: 127 not
   * found, 126 found but not runnable, 125 the mounts failed. `stdio: 'ipc'` and `shell` with an empty string are not possible.
   */
  readonly mounts?: boolean
}

/**
 * Starts a process inside the namespace, as child_process.spawn does outside: same options, same ChildProcess. `stdio: 'inherit'` gives an
 * interactive shell. Closing or deleting the namespace later leaves the process alone.
 *
 * Errors: EBADF closed, EPERM without CAP_SYS_ADMIN (thrown at once); what child_process.spawn reports, as it does ('error' event);
 * ERR_NETLOOM_INVALID_OPTION.
 */
export function spawn(
  where: OpenNamespace,
  command: string,
  args: readonly string[] = [],
  options: NamespaceSpawnOptions = {},
): ChildProcess {
  checkCommand(command, args, options)
  // A copy, so that no getter of the caller's object runs inside.
  const { mounts = false, ...settings } = options
  const attempt = { operation: 'spawn', subject: command, namespace: labelOf(where.info) }
  checkOpen(where, attempt)
  const start = mounts ? withMounts(where.info, command, args, settings) : { file: command, args: [...args], options: settings }
  try {
    // The fork is synchronous: the child is inside, and this thread is back home before anything else runs on it.
    return native().runInside(where.handle, () => spawnHere(start.file, start.args, start.options))
  } catch (error) {
    // What child_process throws is for the caller as it is.
    throw entering.includes(syscallOf(error)) ? failure(error, attempt, { EPERM: ENTERING }) : error
  }
}

/** The calls that take this thread inside; child_process makes none of these names. */
const entering = ['open', 'statx', 'setns']
const ENTERING = {
  hint: 'entering a network namespace needs CAP_SYS_ADMIN there and here: run as root, or in a user namespace of your own',
}

function checkCommand(command: unknown, args: unknown, options: unknown): void {
  const refuse = (why: string, path: string) => argumentError('ERR_NETLOOM_INVALID_OPTION', why, path)
  if (typeof command !== 'string' || command === '' || command.includes('\0')) throw refuse('not the name or path of a program', 'command')
  if (!Array.isArray(args)) throw refuse('not a list of strings', 'args')
  args.forEach((arg: unknown, i) => {
    if (typeof arg !== 'string' || arg.includes('\0')) throw refuse('not a string, or one with a NUL character', `args[${i}]`)
  })
  if (typeof options !== 'object' || options === null || Array.isArray(options)) throw refuse('not an object', 'options')
  const { mounts } = options as NamespaceSpawnOptions
  if (mounts !== undefined && typeof mounts !== 'boolean') throw refuse('not true or false', 'mounts')
}

/** The helper in the place of the command: it prepares the mounts, then becomes the command. */
function withMounts(info: NamespaceInfo, command: string, args: readonly string[], settings: SpawnOptions) {
  const { env = process.env, uid, gid, argv0, shell, ...rest } = settings
  const stdio: readonly unknown[] = Array.isArray(rest.stdio) ? rest.stdio : [rest.stdio]
  if (stdio.includes('ipc'))
    throw argumentError(
      'ERR_NETLOOM_INVALID_OPTION',
      "the helper that prepares the mounts would take the messages: no 'ipc' with mounts",
      'stdio',
    )
  const inShell = shell ? [typeof shell === 'string' ? shell : '/bin/sh', '-c', [command, ...args].join(' ')] : undefined
  const [file = command, ...words] = inShell ?? [command, ...args]
  const entries = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
  // Beyond the first three, child_process opens only what is asked for.
  const descriptors = [0, 1, 2, ...stdio.keys()].filter((fd, i) => i < 3 || (fd > 2 && (stdio[fd] ?? 'ignore') !== 'ignore'))
  const request = { namespaceName: info.name, command: file, args: words, descriptors, argv0, env: entries, uid, gid }
  const packed = packRequest(request, process.env.LD_LIBRARY_PATH)
  return { file: process.execPath, args: [execEntryPath(), ...packed.args], options: { ...rest, env: packed.env } }
}
