// Records of work in progress, one file each: complete from its first moment, locked by whoever does the work, found by others if he dies.
import { type FileHandle, mkdir, open, readdir, readFile, stat, unlink } from 'node:fs/promises'
import { errnoNumbers } from '../socket/errno.js'
import { isSystemCallError } from '../socket/error.js'
import { type Descriptor, native } from '../socket/native.js'
import { failure, type Meanings } from './failure.js'

/** Beside the names that most of the work is about, and like them gone when the machine restarts. Only root may look into it. */
export const recordDirectory = '/run/netloom/plans'
const operation = 'write plan record'
const meanings: Meanings = {
  EACCES: { hint: `this needs the right to write to ${recordDirectory}: run as root, or with a /run of your own in a mount namespace` },
  EROFS: { hint: `${recordDirectory} is on a read-only file system: mount a tmpfs on /run` },
}
const pathOf = (id: string): string => `${recordDirectory}/${id}.json`

export class RecordFile {
  readonly #path: string
  readonly #lock: Descriptor
  #file: FileHandle | undefined

  private constructor(path: string, lock: Descriptor) {
    this.#path = path
    this.#lock = lock
  }

  /** A new record, found with all of these lines or not at all. Errors: EACCES, EPERM or EROFS where none can be written. */
  static async create(id: string, lines: readonly string[]): Promise<RecordFile> {
    const path = pathOf(id)
    const publish = () => native().publishFile(path, `${lines.join('\n')}\n`, 0o600)
    try {
      return new RecordFile(path, await publish().catch(error => madeAnew(error).then(publish)))
    } catch (error) {
      throw failure(error, { operation, subject: path }, meanings)
    }
  }

  /** The record of somebody who is gone; undefined while he is at work, and when somebody else was faster. */
  static async take(id: string): Promise<RecordFile | undefined> {
    const path = pathOf(id)
    try {
      return new RecordFile(path, await native().lockFile(path))
    } catch (error) {
      if (isSystemCallError(error) && [errnoNumbers.EAGAIN, errnoNumbers.ENOENT].includes(error.errno)) return undefined
      throw failure(error, { operation: 'take plan record', subject: path }, meanings)
    }
  }

  /** The complete lines. */
  async read(): Promise<string[]> {
    const lines = (await readFile(this.#path, 'utf8')).split('\n')
    // What follows the last end of a line was being written when the writer died.
    return lines.slice(0, -1)
  }

  /** When it was last written to, in milliseconds of the file system's clock. */
  async time(): Promise<number> {
    return (await stat(this.#path)).mtimeMs
  }

  /** Adds lines. When it resolves they stay, whatever becomes of this process. */
  async append(lines: readonly string[]): Promise<void> {
    try {
      this.#file ??= await open(this.#path, 'a')
      await this.#file.appendFile(`${lines.join('\n')}\n`)
    } catch (error) {
      throw failure(error, { operation, subject: this.#path }, meanings)
    }
  }

  /** The work is done, or taken back. */
  async remove(): Promise<void> {
    try {
      await unlink(this.#path)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw failure(error, { operation: 'remove plan record', subject: this.#path }, meanings)
    } finally {
      await this.close()
    }
  }

  /** Leaves it to whoever takes it. */
  async close(): Promise<void> {
    this.#lock.close()
    await this.#file?.close()
    this.#file = undefined
  }
}

/** A new file with its content, in one step for the event loop. Whoever may be killed meanwhile renames it to its place when it is there. */
export async function writeNew(path: string, content: string): Promise<void> {
  try {
    const descriptor = await native().publishFile(path, content, 0o600)
    descriptor.close()
  } catch (error) {
    throw failure(error, { operation: 'write file', subject: path })
  }
}

/** The records that are there, whoever is at work on them. */
export async function listRecords(): Promise<string[]> {
  try {
    const names = await readdir(recordDirectory)
    return names.flatMap(name => /^([0-9a-f]{16})\.json$/.exec(name)?.[1] ?? []).sort()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw failure(error, { operation: 'list plan records', subject: recordDirectory }, meanings)
  }
}

/** Makes the directory if that is what was missing. */
async function madeAnew(error: unknown): Promise<void> {
  if (!isSystemCallError(error) || error.errno !== errnoNumbers.ENOENT) throw error
  await mkdir(recordDirectory, { recursive: true, mode: 0o700 })
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : '')
