// The ways a caller names a namespace (by name, pid, path, descriptor, or what list() said), and opening it by them.
import { access } from 'node:fs/promises'
import { argumentError, shown } from '../codec/errors.js'
import { NetloomError } from '../socket/error.js'
import { type NamespaceHandle, native } from '../socket/native.js'
import { checkOpen, failure, type Meanings, syscallOf } from './failure.js'
import {
  formatIdentity,
  labelOf,
  type NamespaceInfo,
  namePath,
  namespaceDirectory,
  namespaceInfo,
  type OpenNamespace,
  sameNamespace,
} from './info.js'
import { listNamespaces } from './list.js'
import { checkNamespaceName } from './names.js'

/** Where an object that holds a namespace open keeps its handle. */
export const held: unique symbol = Symbol('netloom.held')
/** An object that holds a namespace open. */
export interface Held extends NamespaceInfo {
  readonly [held]: NamespaceHandle
}

/** Every way to say which namespace is meant. A NamespaceInfo is checked against device and inode when it is opened (ESTALE). */
export type NamespaceSource =
  | Held
  | NamespaceInfo
  | { readonly name: string }
  | { readonly pid: number }
  | { readonly path: string }
  | { readonly fd: number }

const INVALID_SOURCE = 'ERR_NETLOOM_INVALID_NAMESPACE'
const OPERATION = 'open namespace'
/** pid_t is a signed 32-bit number, and so are descriptors. */
const LARGEST = 0x7fff_ffff

/**
 * Opens a namespace.
 *
 * Errors: ENOENT no such name or path, ESRCH no such process, EACCES another user's process, EINVAL not a network namespace (a stale file
 * under /run/netns included), ESTALE the namespace that a NamespaceInfo told of is gone, EBADF closed; TypeError or RangeError with
 * ERR_NETLOOM_INVALID_NAMESPACE or ERR_NETLOOM_INVALID_NAME for a source that cannot be one.
 */
export async function openSource(source: NamespaceSource, path?: string): Promise<OpenNamespace> {
  const checked = checkSource(source, path)
  switch (checked.by) {
    case 'held':
      return openHeld(checked.held)
    case 'info':
      return openInfo(checked.info)
    case 'name':
      return openName(checked.name)
    case 'pid':
      return openPid(checked.pid)
    case 'path':
      return openPath(checked.path)
    case 'fd':
      return openDescriptor(checked.fd)
  }
}

type CheckedSource =
  | { by: 'held'; held: Held }
  | { by: 'info'; info: NamespaceInfo }
  | { by: 'name'; name: string }
  | { by: 'pid'; pid: number }
  | { by: 'path'; path: string }
  | { by: 'fd'; fd: number }

/** Tells the ways apart, and refuses what is none, before anything is opened. */
export function checkSource(source: NamespaceSource, path?: string): CheckedSource {
  const refuse = (why: string) =>
    argumentError(INVALID_SOURCE, `${why}; say { name }, { pid }, { path } or { fd }, or give a Namespace`, path)
  if (typeof source !== 'object' || source === null) throw refuse(`${shown(source)} does not say which namespace`)
  if (held in source) return { by: 'held', held: source }
  const given: Partial<Record<keyof NamespaceInfo | 'pid' | 'fd', unknown>> = source
  if (given.inode !== undefined) return { by: 'info', info: checkInfo(source as NamespaceInfo, path) }
  const ways = (['name', 'pid', 'path', 'fd'] as const).filter(way => given[way] !== undefined)
  const [way] = ways
  if (way === undefined) throw refuse('the object does not say which namespace')
  if (ways.length > 1) throw refuse(`${ways.join(' and ')} together may mean two different namespaces`)
  const field = path === undefined ? way : `${path}.${way}`
  const value = given[way]
  switch (way) {
    case 'name':
      return { by: way, name: checkNamespaceName(value, field) }
    case 'path':
      if (typeof value !== 'string' || value === '' || value.includes('\0'))
        throw argumentError(INVALID_SOURCE, `${shown(value)} is not a file path`, field)
      return { by: way, path: value }
    case 'pid':
      return { by: way, pid: wholeNumber(value, 1, 'process id', field) }
    case 'fd':
      return { by: way, fd: wholeNumber(value, 0, 'descriptor', field) }
  }
}

function checkInfo(info: NamespaceInfo, path: string | undefined): NamespaceInfo {
  for (const field of ['device', 'inode'] as const) {
    if (!Number.isSafeInteger(info[field]) || info[field] < 0)
      throw argumentError(
        INVALID_SOURCE,
        'a NamespaceInfo has whole numbers as device and inode',
        path === undefined ? field : `${path}.${field}`,
      )
  }
  if (info.name !== undefined) checkNamespaceName(info.name, path === undefined ? 'name' : `${path}.name`)
  return info
}

function wholeNumber(value: unknown, least: number, what: string, path: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= LARGEST) return value
  throw argumentError(
    INVALID_SOURCE,
    `${typeof value === 'number' ? value : typeof value} is not a ${what}: a whole number from ${least}`,
    path,
  )
}

const openName = (name: string) => openFile(namePath(name), { name, path: namePath(name) }, name, fileMeanings(namePath(name)))

async function openPid(pid: number): Promise<OpenNamespace> {
  const process = `/proc/${pid}`
  try {
    return await openFile(`${process}/ns/net`, { pids: [pid] }, `of pid ${pid}`, {
      EACCES: PROCESS_OF_ANOTHER,
      EPERM: PROCESS_OF_ANOTHER,
    })
  } catch (error) {
    // The kernel says ENOENT both when there is no process and when it has ended but its parent has not asked for the exit code yet.
    if (!(error instanceof NetloomError) || (error.code !== 'ENOENT' && error.code !== 'ESRCH')) throw error
    const ended = await access(process).then(
      () => true,
      () => false,
    )
    const reason = ended ? 'the process has ended (its parent has not collected it yet) and left its namespaces' : 'no such process'
    throw new NetloomError('ESRCH', { operation: OPERATION, subject: `of pid ${pid}`, reason, cause: error })
  }
}
const PROCESS_OF_ANOTHER = { hint: "another user's process: this needs CAP_SYS_PTRACE (root), or a path or descriptor from its owner" }

function openPath(path: string): Promise<OpenNamespace> {
  const name = path.startsWith(`${namespaceDirectory}/`) ? path.slice(namespaceDirectory.length + 1) : undefined
  return openFile(path, { path, ...(name && !name.includes('/') && { name }) }, path, fileMeanings(path))
}

const openDescriptor = (fd: number) =>
  openFile(`/proc/self/fd/${fd}`, {}, `of descriptor ${fd}`, {
    ENOENT: { code: 'EBADF', reason: 'no such open descriptor' },
    EINVAL: { reason: 'the descriptor is of something else than a network namespace' },
    // Sockets and other files that have no name cannot be opened anew.
    ENXIO: { code: 'EINVAL', reason: 'the descriptor is of something else than a network namespace' },
  })

/** A second descriptor of the same namespace, so that each can be closed by itself. */
async function openHeld(source: Held): Promise<OpenNamespace> {
  const attempt = { operation: OPERATION, subject: labelOf(source) }
  const handle = source[held]
  checkOpen({ handle, info: source }, attempt)
  const { device, inode } = handle
  const opened = await openFile(
    `/proc/self/fd/${handle.fd}`,
    { name: source.name, path: source.path, pids: source.pids },
    labelOf(source),
    {},
  )
  if (sameNamespace(opened.info, { device, inode })) return opened
  // Closed by another part of the program in the meantime, and the number given to another file.
  opened.handle.close()
  checkOpen({ handle, info: source }, attempt)
  throw stale(source)
}

/** By the name, path or processes of the info, else wherever a namespace of that inode is found. */
async function openInfo(info: NamespaceInfo): Promise<OpenNamespace> {
  const ways = [
    ...(info.name === undefined ? [] : [() => openName(info.name!)]),
    ...(info.path === undefined || (info.name !== undefined && info.path === namePath(info.name)) ? [] : [() => openPath(info.path!)]),
    ...(info.pids ?? []).map(pid => () => openPid(pid)),
  ]
  const found = await openFirst(ways, info)
  if (found) return found
  // Renamed, or its first process ended, but still alive.
  const elsewhere = (await listNamespaces({ processes: true })).filter(other => sameNamespace(other, info))
  const again = elsewhere.flatMap(({ name, pids = [] }) => [
    ...(name === undefined ? [] : [() => openName(name)]),
    ...pids.map(pid => () => openPid(pid)),
  ])
  const opened = await openFirst(again, info)
  if (opened) return opened
  throw stale(info)
}

async function openFirst(ways: readonly (() => Promise<OpenNamespace>)[], info: NamespaceInfo): Promise<OpenNamespace | undefined> {
  for (const way of ways) {
    try {
      const opened = await way()
      if (sameNamespace(opened.info, info)) return opened
      opened.handle.close()
    } catch (error) {
      // A way that no longer leads there is what the next one is for; a lack of rights or descriptors is for the caller to know.
      if (!(error instanceof NetloomError) || !['ENOENT', 'ESRCH', 'EINVAL', 'ENOTDIR'].includes(error.code)) throw error
    }
  }
  return undefined
}

const stale = (info: NamespaceInfo) =>
  new NetloomError('ESTALE', {
    operation: OPERATION,
    subject: labelOf(info),
    reason: `${formatIdentity(info.inode)} is gone, or nothing but a descriptor somewhere holds it any more`,
    hint: 'ask Namespace.list() again, or open it by name or pid if whatever is there now will do',
  })

const fileMeanings = (path: string): Meanings => ({
  ENOENT: { reason: `no such file: ${path}`, hint: 'Namespace.list() says which namespaces there are' },
})

async function openFile(
  file: string,
  known: Omit<NamespaceInfo, 'device' | 'inode'>,
  subject: string,
  meanings: Meanings,
): Promise<OpenNamespace> {
  try {
    const handle = await native().openNamespace(file)
    const { device, inode } = handle
    return { handle, info: namespaceInfo({ ...known, device, inode }) }
  } catch (error) {
    throw failure(error, { operation: OPERATION, subject }, { EINVAL: notANamespace(error, file), ...meanings })
  }
}

function notANamespace(error: unknown, file: string): { reason: string; hint?: string } {
  if (syscallOf(error).startsWith('ioctl')) return { reason: `${file} is a namespace of another kind, not a network namespace` }
  if (!file.startsWith(`${namespaceDirectory}/`)) return { reason: `${file} is not a namespace` }
  return {
    reason: `${file} is a plain file: the namespace of that name is gone`,
    hint: `a reboot, a killed process or another mount namespace left it behind; remove it with: rm ${file}`,
  }
}
