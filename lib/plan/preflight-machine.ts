// The limits of this machine that a large plan can meet, and how much of each is in use.
import { readdirSync, readFileSync } from 'node:fs'
import { Scope } from '../kernel/scope.js'
import { openCurrent } from '../namespace/current.js'
import { namespaceDirectory } from '../namespace/info.js'
import { listNamespaces } from '../namespace/list.js'
import { neighbourTable } from '../protocol/neighbour.js'
import { rtm } from '../protocol/rtnetlink.js'

/** How much there may be, and how much there is. */
export interface Room {
  readonly limit: number
  readonly used: number
}
/** What is undefined could not be read. */
export interface Machine {
  /** Of this process. */
  readonly descriptors: Room | undefined
  /** Of this user; those that nobody but another user's process holds are not counted. */
  readonly namespaces: Room | undefined
  /** Of the whole kernel. */
  readonly neighbours: Readonly<Partial<Record<4 | 6, Room>>>
  /** Packets waiting for one processor; visible in the initial namespace only. */
  readonly backlog: number | undefined
  /** Bytes. */
  readonly memory: number | undefined
}

/** Counting namespaces by their processes takes a while, and is of no interest far from the limit. */
const nearLimit = 10_000

/** Files of the kernel are read at once: each takes it microseconds, and the event loop's way to another thread and back a hundred times that. */
export async function readMachine(namespaces: number): Promise<Machine> {
  return {
    descriptors: descriptors(),
    namespaces: await namespaceRoom(namespaces),
    neighbours: await neighbours(),
    backlog: number('/proc/sys/net/core/netdev_max_backlog'),
    memory: memory(),
  }
}

function descriptors(): Room | undefined {
  const limit = /^Max open files\s+(\S+)/m.exec(text('/proc/self/limits') ?? '')?.[1]
  if (limit === undefined || limit === 'unlimited') return undefined
  return { limit: Number(limit), used: readdirSync('/proc/self/fd').length }
}

async function namespaceRoom(more: number): Promise<Room | undefined> {
  const limit = number('/proc/sys/user/max_net_namespaces')
  if (limit === undefined) return undefined
  const names = unlessAbsent(() => readdirSync(namespaceDirectory))
  const named = names?.length ?? 0
  if (limit - named - more > nearLimit) return { limit, used: named }
  return { limit, used: (await listNamespaces({ processes: true })).length }
}

async function neighbours(): Promise<Machine['neighbours']> {
  const scope = new Scope(openCurrent())
  try {
    const connection = await scope.connection()
    const context = { operation: 'read neighbour tables' }
    const request = { type: rtm.getNeightbl, codec: neighbourTable, value: { family: 'unspec' as const }, context }
    const tables = await connection.dump(request, { type: rtm.newNeightbl, codec: neighbourTable })
    const rooms: Partial<Record<4 | 6, Room>> = {}
    // Each link has a message of its own besides, without the thresholds.
    for (const { name, thresh3, config } of tables)
      if (thresh3 !== undefined && (name === 'arp_cache' || name === 'ndisc_cache'))
        rooms[name === 'arp_cache' ? 4 : 6] = { limit: thresh3, used: config?.entries ?? 0 }
    return rooms
  } finally {
    scope.close()
  }
}

function memory(): number | undefined {
  const kilobytes = /^MemAvailable:\s+(\d+) kB/m.exec(text('/proc/meminfo') ?? '')?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}

function number(path: string): number | undefined {
  const content = text(path)
  return content === undefined ? undefined : Number(content)
}

const text = (path: string) => unlessAbsent(() => readFileSync(path, 'utf8'))

function unlessAbsent<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EACCES') return undefined
    throw error
  }
}
