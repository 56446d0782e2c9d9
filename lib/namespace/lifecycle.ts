// Making and removing namespaces, as `ip netns add` and `ip netns delete` do: either side sees and removes what the other made.

import { stat } from 'node:fs/promises'
import { errnoNumbers } from '../socket/errno.js'
import { isSystemCallError } from '../socket/error.js'
import { type NamespaceHandle, native } from '../socket/native.js'
import { failure, type Meanings } from './failure.js'
import { namePath, namespaceDevice, namespaceDirectory, namespaceInfo, type OpenNamespace } from './info.js'
import { ownershipMark } from './marks.js'
import { checkNamespaceName } from './names.js'

const LIMITS: Meanings = {
  EPERM: { hint: 'making a network namespace needs CAP_SYS_ADMIN: run as root, or in a user namespace of your own' },
  EACCES: { hint: `this needs the right to write to ${namespaceDirectory}: run as root, or with a /run of your own in a mount namespace` },
  ENOSPC: {
    reason: 'no more network namespaces are allowed',
    hint: 'raise user.max_net_namespaces, or delete some: the kernel frees them a little later',
  },
  EROFS: { hint: `${namespaceDirectory} is on a read-only file system: mount a tmpfs on /run` },
}

/**
 * Makes a namespace that lives under /run/netns until it is deleted, however long this process lives.
 *
 * Errors: EEXIST the name is taken, EPERM without CAP_SYS_ADMIN, ENOSPC over user.max_net_namespaces; nothing stays behind on any of them.
 */
export async function createNamed(name: string): Promise<OpenNamespace> {
  checkNamespaceName(name)
  await prepareNames(name)
  return createPrepared(name)
}

/** Makes the directory for names, as createNamed does each time: the kernel then looks at every name that is there. */
export async function prepareNames(subject?: string): Promise<void> {
  try {
    await native().prepareNamespaceDirectory(namespaceDirectory)
  } catch (error) {
    throw failure(error, { operation: 'create namespace', subject }, LIMITS)
  }
}

/** createNamed for one of many, after prepareNames. `mark`: what the file under the name contains. */
export async function createPrepared(name: string, mark = ownershipMark): Promise<OpenNamespace> {
  const path = namePath(name)
  let handle: NamespaceHandle
  try {
    handle = await native().createNamespace(path, mark)
  } catch (error) {
    throw await creationFailure(error, name)
  }
  return { handle, info: namespaceInfo({ device: handle.device, inode: handle.inode, name, path }) }
}

/** What went wrong when a namespace of that name was to be made, in words. */
export async function creationFailure(error: unknown, name: string): Promise<unknown> {
  const taken = isSystemCallError(error) && error.errno === errnoNumbers.EEXIST
  const meanings = taken ? { EEXIST: await whatExists(namePath(name), name) } : LIMITS
  return failure(error, { operation: 'create namespace', subject: name }, meanings)
}

/** Makes a namespace without a name, which lives as long as somebody holds it: a handle, a process inside, a mount. */
export async function createAnonymous(): Promise<OpenNamespace> {
  try {
    const handle = await native().createNamespace()
    return { handle, info: namespaceInfo({ device: handle.device, inode: handle.inode }) }
  } catch (error) {
    throw failure(error, { operation: 'create namespace' }, LIMITS)
  }
}

/**
 * Removes the name, as `ip netns delete` does; a stale file of that name too. The namespace itself ends when nothing holds it any more:
 * processes inside go on, and virtual devices in it are removed with it.
 *
 * Errors: ENOENT no such name, EPERM without CAP_SYS_ADMIN.
 */
export async function deleteNamed(name: string): Promise<void> {
  checkNamespaceName(name)
  try {
    await native().removeNamespace(namePath(name))
  } catch (error) {
    throw removalFailure(error, name)
  }
}

/** What went wrong when a name was to be taken away, in words. */
export function removalFailure(error: unknown, name: string): unknown {
  const path = namePath(name)
  return failure(
    error,
    { operation: 'delete namespace', subject: name },
    {
      ENOENT: { reason: `no such file: ${path}`, hint: 'Namespace.list() says which namespaces there are' },
      EPERM: { hint: 'removing a named namespace needs CAP_SYS_ADMIN: run as root, or in a user namespace of your own' },
      EBUSY: {
        reason: `${path} is still mounted in another mount namespace`,
        hint: 'try again when the process that copied the mounts has ended',
      },
      EISDIR: { reason: `${path} is a directory` },
    },
  )
}

async function whatExists(path: string, name: string): Promise<{ reason: string; hint: string }> {
  const alive = await Promise.all([stat(path), namespaceDevice()]).then(
    ([file, device]) => file.dev === device,
    // Gone again, or a link to nowhere: only the words depend on it.
    () => true,
  )
  if (alive) return { reason: `a namespace ${name} exists`, hint: `open it with Namespace.open({ name: '${name}' }), or delete it first` }
  return {
    reason: `${path} is a plain file: the namespace of that name is gone`,
    hint: `a reboot, a killed process or another mount namespace left it behind; remove it with: rm ${path}`,
  }
}
