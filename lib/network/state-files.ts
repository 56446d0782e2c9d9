// Files that are whole or not there: written beside and renamed, or symbolic links, which the kernel makes with their content in one step.
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, readlink, rename, rm, stat, symlink, unlink, utimes } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writeNew } from '../namespace/record-file.js'
import { NetloomError } from '../socket/error.js'

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : undefined)

/** What the promise gives, or undefined if the file or folder is not there. */
export async function ifThere<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}

/** Makes a folder and those above it. Node's own way of doing so goes on for ever where the kernel refuses a folder (in /proc). */
export async function makeFolder(path: string): Promise<void> {
  for (const attempt of [1, 2])
    try {
      await mkdir(path, { mode: 0o700 })
      return
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return
      if (codeOf(error) !== 'ENOENT' || attempt === 2 || dirname(path) === path) throw error
      await makeFolder(dirname(path))
    }
}

export interface WriteOptions {
  /** Waits until the disk has it. Only what is to outlive the machine's going down needs that: a process may end at any moment without it. */
  readonly durable?: boolean
}

/** Replaces a file in one step: whoever reads has the old text or the new one. */
export async function writeWhole(path: string, text: string, { durable = false }: WriteOptions = {}): Promise<void> {
  const beside = `${path}.${randomBytes(6).toString('hex')}~`
  try {
    if (durable) await writeSynced(beside, text)
    else await writeNew(beside, text)
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
  if (durable) await syncFolder(dirname(path))
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** What is in a folder, and what is gone from it, is on the disk only after this. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** The value of a JSON file, undefined if there is none. A damaged one is an error with its path: nothing is guessed. */
export async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await ifThere(readFile(path, 'utf8'))
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    const hint = 'put the file back from a copy, or remove it and call gc()'
    throw new NetloomError('EBADMSG', { operation: 'read state', subject: path, reason: 'the file is not JSON', hint, cause })
  }
}

/** The names in a folder, none if it is not there; without files that are being written. */
export async function namesIn(folder: string): Promise<string[]> {
  const names = (await ifThere(readdir(folder))) ?? []
  return names.filter(name => !name.endsWith('~'))
}

/** Nanoseconds within which the file system may give two changes the same time. */
const sameTime = 50_000_000n

/** When a folder changed last, to be asked for before it is read. Undefined if it is gone, or changed just now and may change again without the time showing it. */
export async function settledTime(folder: string): Promise<bigint | undefined> {
  const now = BigInt(Date.now()) * 1_000_000n
  const time = (await ifThere(stat(folder, { bigint: true })))?.mtimeNs
  return time !== undefined && now - time > sameTime ? time : undefined
}

/**
 * Gives a folder a time behind the one that it had, since two changes may come within one tick of the file system's clock, and a change in a
 * folder below does not show. A lock must be held.
 */
export async function moveTimeOn(folder: string, before: bigint | undefined): Promise<void> {
  const last = before === undefined ? 0 : Number(before / 1_000_000n)
  const next = Math.max(Date.now(), last + 2) / 1_000
  await utimes(folder, next, next)
}

/** Claims a name for an owner. False if it is taken: of several at once one has it. */
export async function claim(path: string, owner: string): Promise<boolean> {
  try {
    await symlink(owner, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Whose a claimed name is. */
export const ownerOf = (path: string): Promise<string | undefined> => ifThere(readlink(path))

/** Gives a name back if it is this owner's. */
export async function unclaim(path: string, owner: string): Promise<void> {
  if ((await ownerOf(path)) === owner) await ifThere(unlink(path))
}

/** A word that may be lost: kept as a link's target, which is one step to read where a file takes four. */
export async function note(path: string, word: string): Promise<void> {
  await ifThere(unlink(path))
  await symlink(word, path)
}
export async function noted(path: string): Promise<string | undefined> {
  try {
    return await ownerOf(path)
  } catch (error) {
    // A file, as earlier versions kept it.
    if (codeOf(error) === 'EINVAL') return undefined
    throw error
  }
}

/** Waits for all to end, and then throws what the first of them has thrown: nothing goes on behind the caller's back. */
export async function together(...works: readonly Promise<unknown>[]): Promise<void> {
  for (const ended of await Promise.allSettled(works)) if (ended.status === 'rejected') throw ended.reason
}

/** So many at a time: Node's pool for files has four threads, shared with everybody. */
export async function each<T>(values: readonly T[], work: (value: T, index: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < values.length) {
      const index = next++
      await work(values[index]!, index)
    }
  }
  await Promise.all(Array.from({ length: Math.min(8, values.length) }, worker))
}
