// Reading which namespace something is in, without opening or holding it.
import { stat } from 'node:fs/promises'
import { argumentError } from '../codec/errors.js'
import { NetloomError } from '../socket/error.js'
import { failure, type Meanings } from './failure.js'
import { type NamespaceInfo, namePath, namespaceDevice, namespaceInfo } from './info.js'
import { checkSource } from './source.js'

/** Whose namespace: that of this process's main thread, of a name, or of a process. */
export type Identifiable = 'self' | { readonly name: string } | { readonly pid: number }

/**
 * The identity of a namespace; String() of it is what `readlink /proc/<pid>/ns/net` prints.
 *
 * Errors: ENOENT no such name, ESRCH no such process, EACCES another user's process, EINVAL a stale file instead of a namespace.
 */
export async function identify(whose: Identifiable): Promise<NamespaceInfo> {
  const { file, known, subject, meanings } = whereabouts(whose)
  const attempt = { operation: 'identify namespace', subject }
  let found: NamespaceInfo
  try {
    const [{ dev, ino }, device] = await Promise.all([stat(file), namespaceDevice()])
    found = namespaceInfo({ ...known, device: dev, inode: ino })
    if (dev === device) return found
  } catch (error) {
    throw failure(error, attempt, meanings)
  }
  throw new NetloomError('EINVAL', {
    ...attempt,
    reason: `${file} is a plain file: the namespace of that name is gone`,
    hint: `remove it with: rm ${file}`,
  })
}

function whereabouts(whose: Identifiable): { file: string; known: Partial<NamespaceInfo>; subject: string; meanings: Meanings } {
  if (whose === 'self') return { file: '/proc/self/ns/net', known: { pids: [process.pid] }, subject: 'of this process', meanings: {} }
  const source = checkSource(whose)
  if (source.by === 'name') {
    const file = namePath(source.name)
    return {
      file,
      known: { name: source.name, path: file },
      subject: source.name,
      meanings: { ENOENT: { reason: `no such file: ${file}` } },
    }
  }
  if (source.by !== 'pid') throw argumentError('ERR_NETLOOM_INVALID_NAMESPACE', "identify takes 'self', { name } or { pid }")
  const noProcess = { code: 'ESRCH', reason: 'no such process, or it has ended' }
  const notOurs = { hint: "another user's process: this needs CAP_SYS_PTRACE (root)" }
  return {
    file: `/proc/${source.pid}/ns/net`,
    known: { pids: [source.pid] },
    subject: `of pid ${source.pid}`,
    meanings: { ENOENT: noProcess, ESRCH: noProcess, EACCES: notOurs, EPERM: notOurs },
  }
}
