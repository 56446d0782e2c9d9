// Which namespaces there are: those with a name, and those known only through a process.
import { readdir, readlink, stat } from 'node:fs/promises'
import { argumentError, expectOnly, shown } from '../codec/errors.js'
import { failure } from './failure.js'
import { type NamespaceInfo, namePath, namespaceDevice, namespaceDirectory, namespaceInfo, parseIdentity } from './info.js'

/** Files being looked at at a time: enough to keep libuv's four threads busy without flooding their queue. */
const PARALLEL = 16
const OPERATION = 'list namespaces'

export interface ListOptions {
  /** Look through all processes too: adds pids, and the namespaces that have no name. */
  readonly processes?: boolean
}

/**
 * The live namespaces: every name under /run/netns that a namespace is mounted on, sorted. Stale files are left out. With `processes`
 * also those that only a process holds, and the pids of all; other users' processes stay unseen without CAP_SYS_PTRACE.
 */
export async function listNamespaces(options: ListOptions = {}): Promise<NamespaceInfo[]> {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'the options of list are an object')
  expectOnly(options, ['processes'])
  if (options.processes !== undefined && typeof options.processes !== 'boolean')
    throw argumentError('ERR_NETLOOM_INVALID_BOOLEAN', `${shown(options.processes)} is not true or false`, 'processes')
  const [{ live }, processes] = await Promise.all([readNames(), options.processes ? readProcesses() : undefined])
  if (!processes) return live
  const named = live.map(info => namespaceInfo({ ...info, pids: processes.get(info.inode) ?? [] }))
  for (const { inode } of live) processes.delete(inode)
  const device = await deviceNumber()
  const unnamed = [...processes].map(([inode, pids]) => namespaceInfo({ device, inode, pids }))
  return [...named, ...unnamed]
}

/** The names under /run/netns: those that a namespace is mounted on, and the plain files that are left of others. */
export async function readNames(): Promise<{ live: NamespaceInfo[]; stale: string[] }> {
  const [names, device] = await Promise.all([listDirectory(), deviceNumber()])
  const live: NamespaceInfo[] = []
  const stale: string[] = []
  await forEach(names.sort(), async name => {
    const path = namePath(name)
    const file = await unlessGone(stat(path))
    if (file?.dev === device) live.push(namespaceInfo({ device, inode: file.ino, name, path }))
    else if (file) stale.push(name)
  })
  const order = new Map(names.map((name, i) => [name, i]))
  live.sort((a, b) => order.get(a.name!)! - order.get(b.name!)!)
  return { live, stale: stale.sort() }
}

/** Inode of a network namespace → the processes in it, ascending. */
async function readProcesses(): Promise<Map<number, number[]>> {
  const pids = (await readdir('/proc')).filter(entry => /^[1-9]\d*$/.test(entry)).map(Number)
  const found = new Map<number, number[]>()
  await forEach(pids, async pid => {
    const inode = parseIdentity((await unlessGone(readlink(`/proc/${pid}/ns/net`))) ?? '')
    if (inode === undefined) return
    const inside = found.get(inode)
    if (inside) inside.push(pid)
    else found.set(inode, [pid])
  })
  for (const inside of found.values()) inside.sort((a, b) => a - b)
  return found
}

async function listDirectory(): Promise<string[]> {
  try {
    return await readdir(namespaceDirectory)
  } catch (error) {
    // It is made with the first namespace.
    if (codeOf(error) === 'ENOENT') return []
    throw failure(error, { operation: OPERATION, subject: namespaceDirectory })
  }
}

async function deviceNumber(): Promise<number> {
  try {
    return await namespaceDevice()
  } catch (error) {
    throw failure(error, { operation: OPERATION }, { ENOENT: { hint: 'this kernel has no network namespaces, or /proc is not mounted' } })
  }
}

/** undefined for what vanished meanwhile, and for what only its owner may see. */
async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ELOOP'].includes(codeOf(error))) return undefined
    throw failure(error, { operation: OPERATION })
  }
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : '')

async function forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items[Symbol.iterator]()
  const worker = async () => {
    for (const item of rest) await work(item)
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
}
