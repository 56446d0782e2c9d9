// Files under /run/netns that no namespace is mounted on, left by processes that were killed: of names never finished, and of names half taken away.
import { readFile, stat, unlink } from 'node:fs/promises'
import { errnoNumbers } from '../socket/errno.js'
import { isSystemCallError } from '../socket/error.js'
import { type Descriptor, native } from '../socket/native.js'
import { failure } from './failure.js'
import { namePath } from './info.js'
import { readNames } from './list.js'
import { isUnfinished } from './marks.js'

/** Of names that we were making when the process died. Others' files stay, and those of namespaces that are mounted only elsewhere, which are finished. */
export async function removeUnfinished(): Promise<string[]> {
  const removed: string[] = []
  for (const name of (await readNames()).stale) if (await unlessInUse(name)) removed.push(name)
  return removed
}

/** Of names that were being taken away at that time (of the file system's clock): whatever is there since then is somebody's. */
export async function removeHalfRemoved(names: readonly string[], time: number): Promise<string[]> {
  const wanted = new Set(names)
  const removed: string[] = []
  for (const name of (await readNames()).stale) {
    if (!wanted.has(name)) continue
    const changed = await stat(namePath(name)).then(({ mtimeMs }) => mtimeMs, gone)
    if (changed !== undefined && changed <= time && (await removeFile(name))) removed.push(name)
  }
  return removed
}

/** Takes the lock that whoever makes a name has until it is finished. */
async function unlessInUse(name: string): Promise<boolean> {
  let lock: Descriptor
  try {
    lock = await native().lockFile(namePath(name))
  } catch (error) {
    if (isSystemCallError(error) && notOurs.has(error.errno)) return false
    throw failure(error, { operation: 'collect garbage', subject: `namespace ${name}` })
  }
  try {
    const content = await readFile(namePath(name), 'utf8').catch(gone)
    return content !== undefined && isUnfinished(content) && (await removeFile(name))
  } finally {
    lock.close()
  }
}

/** Not deleteNamed(): what is mounted there by now stays, and the kernel then refuses. */
async function removeFile(name: string): Promise<boolean> {
  try {
    await unlink(namePath(name))
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EBUSY') return false
    const lost = gone(error)
    return lost !== undefined
  }
}

const { EAGAIN, ENOENT, ELOOP, EACCES, EPERM, ENXIO, EISDIR, EROFS } = errnoNumbers
/** Locked, gone, or of a kind that we do not make. */
const notOurs: ReadonlySet<number | undefined> = new Set([EAGAIN, ENOENT, ELOOP, EACCES, EPERM, ENXIO, EISDIR, EROFS])

/** undefined for what somebody has taken away meanwhile, or mounted a namespace on. */
function gone(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && ['ENOENT', 'EINVAL'].includes(String(error.code))) return undefined
  throw failure(error, { operation: 'collect garbage' })
}
