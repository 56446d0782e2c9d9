// The part of the state folder that says which of the host's ports lead to which endpoint: ports/ (state.ts has the form of all of it).
import { lstat, mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Port } from '../namespace/hold-port.js'
import { type Entry, removeEntries } from '../namespace/remove-entries.js'
import { NetloomError } from '../socket/error.js'
import { type EndpointRecord, isAny, type PortRecord } from './records.js'
import { claim, ifThere, moveTimeOn, namesIn } from './state-files.js'

/** A symbolic link, and what it leads to. */
export type Claim = readonly [path: string, owner: string]

/** Throws EEXIST if somebody has it. */
export async function claimFor({ id, name = id }: EndpointRecord, [path, owner]: Claim): Promise<void> {
  if (!(await claim(path, owner))) throw new NetloomError('EEXIST', { operation: 'connect', subject: name, reason: `${path} exists` })
}

export class PublishedPorts {
  /** Called for each port that this process claims or gives back, while the lock is held. */
  changed: ((port: Port, published: boolean) => void) | undefined
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** All ports that are published, of whichever endpoint, and the time to which that belongs. */
  async all(): Promise<{ ports: Port[]; time: bigint | undefined }> {
    const time = await this.time()
    const ports: Port[] = []
    for (const entry of (await ifThere(readdir(this.#folder, { withFileTypes: true }))) ?? []) {
      const [protocol = '', port, family] = entry.name.split('-')
      const any = family === '6' ? '::' : '0.0.0.0'
      for (const address of entry.isSymbolicLink() ? [any] : await namesIn(join(this.#folder, entry.name)))
        ports.push({ protocol: protocol as Port['protocol'], address, port: Number(port) })
    }
    return { ports, time }
  }

  /** When all() last changed: never the same twice. */
  async time(): Promise<bigint | undefined> {
    return (await ifThere(stat(this.#folder, { bigint: true })))?.mtimeNs
  }

  /** The host addresses on which a port is published. */
  async addresses(port: Pick<PortRecord, 'protocol' | 'hostPort' | 'hostIp'>): Promise<string[]> {
    const path = this.#path(port)
    const found = await ifThere(lstat(path))
    if (found?.isSymbolicLink()) return [port.hostIp.includes(':') ? '::' : '0.0.0.0']
    return found ? namesIn(path) : []
  }

  /** Where it is written whose a port is. */
  claimOf(port: PortRecord): string {
    const path = this.#path(port)
    return isAny(port.hostIp) ? path : join(path, port.hostIp)
  }

  async claim(record: EndpointRecord, ports: readonly PortRecord[]): Promise<void> {
    if (ports.length === 0) return
    const before = await this.time()
    for (const port of ports) {
      if (!isAny(port.hostIp)) await mkdir(this.#path(port), { recursive: true, mode: 0o700 })
      await claimFor(record, [this.claimOf(port), record.id])
      this.changed?.(portOf(port), true)
    }
    await moveTimeOn(this.#folder, before)
  }

  async unclaim({ id }: EndpointRecord, ports: readonly PortRecord[]): Promise<void> {
    if (ports.length === 0) return
    const before = await this.time()
    await removeEntries(
      ports.flatMap((port): Entry[] => [[this.claimOf(port), id], ...(isAny(port.hostIp) ? [] : [folderOf(this.#path(port))])]),
    )
    for (const port of ports) this.changed?.(portOf(port), false)
    await moveTimeOn(this.#folder, before)
  }

  #path({ protocol, hostPort, hostIp }: Pick<PortRecord, 'protocol' | 'hostPort' | 'hostIp'>): string {
    return join(this.#folder, `${protocol}-${hostPort}-${hostIp.includes(':') ? 6 : 4}`)
  }
}

const portOf = ({ protocol, hostIp, hostPort }: PortRecord): Port => ({ protocol, address: hostIp, port: hostPort })
const folderOf = (path: string): Entry => [`${path}/`]
