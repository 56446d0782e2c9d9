// What the kernel keeps behind socket options, files of /proc/net and a lock that tools share: the tables of iptables, as bytes.
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { errnoNumbers } from '../socket/errno.js'
import { isSystemCallError } from '../socket/error.js'
import { native } from '../socket/native.js'
import { type Attempt, checkOpen, failure, type Meanings } from './failure.js'
import { type FileLock, lockFile } from './file-lock.js'
import type { OpenNamespace } from './info.js'

/** `sys/socket.h`, `netinet/in.h` */
const SOCK_RAW = 3
const IPPROTO_RAW = 255

/** Which option, of a raw socket of which family. */
export interface TableOption {
  readonly family: number
  readonly level: number
  readonly name: number
}

/** Asks: `value` says what, and is as long as the answer. */
export async function askTable(
  where: OpenNamespace,
  { family, level, name }: TableOption,
  value: Uint8Array,
  attempt: Attempt,
  meanings?: Meanings,
): Promise<Uint8Array> {
  checkOpen(where, attempt)
  try {
    return await native().getSocketOption(where.handle, family, SOCK_RAW, IPPROTO_RAW, level, name, value)
  } catch (error) {
    throw failure(error, attempt, meanings)
  }
}

/** Orders. With `output`, the kernel writes so many bytes to the address that it finds at that place of the value. */
export async function orderTable(
  where: OpenNamespace,
  { family, level, name }: TableOption,
  value: Uint8Array,
  attempt: Attempt,
  { output, meanings }: { readonly output?: { readonly at: number; readonly size: number }; readonly meanings?: Meanings } = {},
): Promise<Uint8Array> {
  checkOpen(where, attempt)
  try {
    const at = output ? [output.at, output.size] : []
    return await native().setSocketOption(where.handle, family, SOCK_RAW, IPPROTO_RAW, level, name, value, ...at)
  } catch (error) {
    throw failure(error, attempt, meanings)
  }
}

/** The lines of a file of /proc/net as the namespace has it; undefined where it may not be read. None: the kernel has no such file. */
export async function readNetFile(where: OpenNamespace, name: string, attempt: Attempt): Promise<string[] | undefined> {
  checkOpen(where, attempt)
  try {
    const text = await native().readSysctl(where.handle, `/proc/thread-self/net/${name}`)
    return text.split('\n').filter(Boolean)
  } catch (error) {
    const errno = isSystemCallError(error) ? Math.abs(error.errno) : 0
    if (errno === errnoNumbers.ENOENT) return []
    if (errno === errnoNumbers.EACCES || errno === errnoNumbers.EPERM) return undefined
    throw failure(error, attempt)
  }
}

/** The lock that iptables takes for every change: whoever reads a table, changes it and writes it back does so alone. */
export async function lockTables(signal?: AbortSignal): Promise<FileLock> {
  const path = process.env.XTABLES_LOCKFILE ?? '/run/xtables.lock'
  const { O_RDONLY, O_CREAT, O_NOFOLLOW } = constants
  await (await open(path, O_RDONLY | O_CREAT | O_NOFOLLOW, 0o600)).close()
  return lockFile(path, signal)
}
