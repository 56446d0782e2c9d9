// What a namespace and this process look like now, as plain data: taken before and after, two of them must be equal.

import { readdir, readFile, readlink, statfs } from 'node:fs/promises'
import { type Entry, ip, type Where } from './readers.js'

export interface NamespaceState {
  readonly links: Entry[]
  readonly addresses: Entry[]
  readonly routes: Entry[]
}

/** Links, addresses and routes of one namespace, without what moves by itself (lifetimes, operational state, counters). */
export async function namespaceState(where: Where): Promise<NamespaceState> {
  const [links, addresses, ipv4, ipv6] = await Promise.all([
    ip(where, 'link', 'show'),
    ip<Entry & { ifname: string; addr_info: Entry[] }>(where, 'address', 'show'),
    ip(where, '-4', 'route', 'show', 'table', 'all'),
    ip(where, '-6', 'route', 'show', 'table', 'all'),
  ])
  return {
    links: links.map(link => ({ ...without(link, 'operstate'), ...withoutTimers(link.linkinfo) })),
    addresses: addresses.flatMap(link =>
      (link.addr_info ?? []).map(address => ({
        link: link.ifname,
        ...without(address, 'valid_life_time', 'preferred_life_time', 'tentative'),
      })),
    ),
    routes: [...ipv4, ...ipv6].map(route => without(route, 'expires')),
  }
}

/** A bridge's timers run; the rest of its description stands still. */
function withoutTimers(linkinfo: unknown): Entry {
  if (typeof linkinfo !== 'object' || linkinfo === null) return {}
  const data = 'info_data' in linkinfo ? (linkinfo.info_data as Entry) : {}
  const timers = Object.keys(data).filter(name => name.endsWith('_timer'))
  return { linkinfo: { ...linkinfo, info_data: without(data, ...timers) } }
}

function without(entry: Entry, ...fields: string[]): Entry {
  return Object.fromEntries(Object.entries(entry).filter(([name]) => !fields.includes(name)))
}

/** The entries of /run/netns. A prefix picks those of one test file: others run at the same time. */
export async function namedNamespaces(prefix = ''): Promise<string[]> {
  const names = await readdir('/run/netns')
  return names.filter(name => name.startsWith(prefix)).sort()
}

/** Mount points of a process's mount namespace, those below a folder only. */
export async function mountPoints(below = '/run', pid: number | 'self' = 'self'): Promise<string[]> {
  const lines = (await readFile(`/proc/${pid}/mountinfo`, 'utf8')).trimEnd().split('\n')
  return lines
    .map(line => line.split(' ')[4] ?? '')
    .filter(point => point === below || point.startsWith(`${below}/`))
    .sort()
}

/** How many descriptors a process has of each sort: { 'socket': 3, 'net': 1, '/dev/null': 2 }. */
export async function descriptors(pid: number | 'self' = 'self'): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    const target = await linkTarget(`/proc/${pid}/fd/${fd}`)
    // The addon's threads keep one each once they have opened many settings.
    if (target === '/' && (await isProcfs(`/proc/${pid}/fd/${fd}`))) continue
    // readdir's own descriptor is gone by now; numbers of sockets and inodes say nothing.
    if (target !== undefined) counts[sortOf(target)] = (counts[sortOf(target)] ?? 0) + 1
  }
  return counts
}

/** PROC_SUPER_MAGIC, linux/magic.h. */
const isProcfs = async (path: string) => (await statfs(path)).type === 0x9fa0
const sortOf = (target: string) => target.replace(/:\[\d+\]$/, '')

/** The network namespaces (inode numbers) of the threads of a process: more than one means that a thread strayed. */
export async function threadNamespaces(pid: number | 'self' = 'self'): Promise<string[]> {
  const threads = await readdir(`/proc/${pid}/task`)
  const inodes = await Promise.all(threads.map(thread => linkTarget(`/proc/${pid}/task/${thread}/ns/net`)))
  return [...new Set(inodes.filter(inode => inode !== undefined))].sort()
}

/** How many threads a process has. */
export async function threadCount(pid: number | 'self' = 'self'): Promise<number> {
  return (await readdir(`/proc/${pid}/task`)).length
}

/** Descriptors and threads may end while they are being listed. */
async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return undefined
    throw error
  }
}
