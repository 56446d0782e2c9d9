// Namespaces of endpoints: what tells one from all others for ever, and finding it again by what was written down.
import { createHash } from 'node:crypto'
import { Namespace } from '../kernel/namespace.js'
import { held, type NamespaceSource } from '../namespace/source.js'
import { NetloomError } from '../socket/error.js'
import type { NamespaceKey } from './records.js'

/** The cookie is never given twice; device and inode, on kernels before 5.14, are given again as soon as a namespace is gone. */
export function keyOf(namespace: Namespace): string {
  const { cookie, device, inode } = namespace[held]
  return cookie === undefined ? `i${device}-${inode}` : `c${cookie}`
}

/** What is written down about a namespace: its key, and the ways that lead to it. */
export function namespaceKey(namespace: Namespace, source: NamespaceSource): NamespaceKey {
  const { device, inode, name, path } = namespace
  const ways = { ...(name !== undefined && { name }), ...(path !== undefined && { path }) }
  const pid = 'pid' in source && typeof source.pid === 'number' ? { pid: source.pid } : {}
  return { key: keyOf(namespace), device, inode, ...ways, ...pid }
}

/** Opens the namespace that a record tells of; undefined if it is gone, or none of the ways leads to it any more. */
export async function openRecorded({ key, name, path, pid }: NamespaceKey): Promise<Namespace | undefined> {
  const ways: NamespaceSource[] = []
  if (name !== undefined) ways.push({ name })
  if (path !== undefined) ways.push({ path })
  if (pid !== undefined) ways.push({ pid })
  for (const way of ways) {
    const namespace = await Namespace.open(way).catch(gone)
    if (!namespace) continue
    if (keyOf(namespace) === key) return namespace
    await namespace.close()
  }
  return undefined
}

function gone(error: unknown): undefined {
  if (!(error instanceof NetloomError) || !['ENOENT', 'ESRCH', 'EINVAL', 'ESTALE', 'EACCES'].includes(error.code)) throw error
}

/** In the place of a container's id, which a namespace does not have. */
export const containerId = (key: string): string => createHash('sha256').update(key).digest('hex')
