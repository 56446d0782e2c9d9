// What a namespace is, without holding it: NamespaceInfo, and where named ones are.
import { stat } from 'node:fs/promises'
import type { NamespaceHandle } from '../socket/native.js'

/** Where `ip netns` and netloom keep names: one file each, on which the namespace is mounted. */
export const namespaceDirectory = '/run/netns'

/** The file of a named namespace. */
export const namePath = (name: string): string => `${namespaceDirectory}/${name}`

/** What a namespace is, without holding it: plain data. String() gives 'net:[4026531956]', as readlink of /proc/<pid>/ns/net does. */
export interface NamespaceInfo {
  /** Device number of the kernel's namespace file system. */
  readonly device: number
  /** Inode number: with the device it tells live namespaces apart. The kernel reuses it when a namespace is gone. */
  readonly inode: number
  /** The name under /run/netns, if it has one. */
  readonly name?: string
  /** The file it can be opened by, if there is one. */
  readonly path?: string
  /** Processes inside, where they were asked for. */
  readonly pids?: readonly number[]
}

/** A namespace that is held open, and what it is. */
export interface OpenNamespace {
  /** Belongs to whoever opened it: close() it. */
  readonly handle: NamespaceHandle
  readonly info: NamespaceInfo
}

/** A NamespaceInfo of the fields that are there. */
export function namespaceInfo(fields: NamespaceInfo): NamespaceInfo {
  const { device, inode, name, path, pids } = fields
  const info = {
    device,
    inode,
    ...(name !== undefined && { name }),
    ...(path !== undefined && { path }),
    ...(pids !== undefined && { pids }),
  }
  // Not enumerable: equality, JSON and structuredClone see plain data.
  Object.defineProperty(info, 'toString', identityText)
  return info
}

/** One for all: there may be thousands. */
const identityText = {
  value(this: NamespaceInfo) {
    return formatIdentity(this.inode)
  },
}

/** 4026531956 → 'net:[4026531956]'. */
export const formatIdentity = (inode: number): string => `net:[${inode}]`

/** 'net:[4026531956]' → 4026531956; undefined for other text. */
export function parseIdentity(text: string): number | undefined {
  const digits = /^net:\[(\d+)\]$/.exec(text)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** How messages call a namespace: by its name, else its path, a process in it, or its identity. */
export const labelOf = ({ name, path, pids, inode }: NamespaceInfo): string =>
  name ?? path ?? (pids?.[0] === undefined ? formatIdentity(inode) : `the namespace of pid ${pids[0]}`)

/** Are these the same namespace? Only as long as both live: inode numbers are used again. */
export const sameNamespace = (a: NamespaceInfo, b: NamespaceInfo): boolean => a.inode === b.inode && a.device === b.device

let device: Promise<number> | undefined
/**
 * The device number that all namespace files of this kernel share (there is one such file system), so that a namespace file is told
 * from a plain one by a single stat.
 */
export function namespaceDevice(): Promise<number> {
  device ??= stat('/proc/self/ns/net').then(({ dev }) => dev)
  device.catch(() => {
    // The caller gets the error; the next one shall try again.
    device = undefined
  })
  return device
}
