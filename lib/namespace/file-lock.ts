// A lock on a file that several processes share: waited for off the event loop, given up by a signal, released by the kernel when its holder dies.
import { constants } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { AbortError, isSystemCallError, orAborted, systemError } from '../socket/error.js'
import { type Descriptor, native } from '../socket/native.js'

export interface FileLock {
  /** May be called twice. */
  release(): void
}

/** Milliseconds between two attempts; the file says nothing when it becomes free. */
const soonest = 1
const latest = 16

/** The last in the queue for each file. Within the process they take turns, so that a single one asks the kernel. */
const queues = new Map<string, Promise<void>>()

/**
 * Waits for a file's lock, for as long as it takes.
 *
 * Errors: EACCES, ENOENT, AbortError.
 */
export async function lockFile(path: string, signal?: AbortSignal): Promise<FileLock> {
  const operation = 'lock state'
  const before = queues.get(path) ?? Promise.resolve()
  let leave: () => void = () => undefined
  const turn = new Promise<void>(resolve => {
    leave = resolve
  })
  const last = before.then(() => turn)
  queues.set(path, last)
  const end = () => {
    leave()
    if (queues.get(path) === last) queues.delete(path)
  }
  try {
    await orAborted(before, operation, signal)
    const descriptor = await poll(path, operation, signal)
    return {
      release() {
        descriptor.close()
        end()
      },
    }
  } catch (error) {
    end()
    throw systemError(error, { operation, subject: path })
  }
}

/** Takes the lock if nobody has it. Errors: EACCES, ENOENT. */
export async function tryLockFile(path: string): Promise<FileLock | undefined> {
  try {
    const descriptor = await native().lockFile(path).catch(taken)
    return descriptor && { release: () => descriptor.close() }
  } catch (error) {
    throw systemError(error, { operation: 'lock state', subject: path })
  }
}

async function poll(path: string, operation: string, signal: AbortSignal | undefined): Promise<Descriptor> {
  for (let pause = soonest; ; pause = Math.min(2 * pause, latest)) {
    if (signal?.aborted) throw new AbortError(operation, signal)
    const descriptor = await native().lockFile(path).catch(taken)
    if (descriptor) return descriptor
    // Of many that wait none should be always the last to look.
    await setTimeout(pause * (0.5 + Math.random()))
  }
}

function taken(error: unknown): undefined {
  if (!isSystemCallError(error) || Math.abs(error.errno) !== constants.errno.EAGAIN) throw error
}
