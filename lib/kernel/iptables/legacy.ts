// Legacy tables of a namespace: read, and replaced as a whole with one rule more or less. One that is not there is never asked for: asking makes it.
import { viewOf } from '../../codec/walk.js'
import { Writer } from '../../codec/writer.js'
import type { Attempt, Meanings } from '../../namespace/failure.js'
import { askTable, lockTables, orderTable, readNetFile } from '../../namespace/tables.js'
import { countersInfo, getEntries, getInfo, replace, tableOptions } from '../../protocol/iptables.js'
import { NetloomError } from '../../socket/error.js'
import type { Scope } from '../scope.js'
import type { Blob } from './blob.js'

const families = {
  4: { family: 2, level: 0, names: 'ip_tables_names' },
  6: { family: 10, level: 41, names: 'ip6_tables_names' },
} as const
/** How often a table that others change meanwhile is read anew. */
const attempts = 64
const counterSize = 16

const meanings: Meanings = {
  EPERM: { hint: 'reading and changing iptables needs CAP_NET_ADMIN: run as root, or in a user namespace of your own' },
  ENOPROTOOPT: { reason: 'this kernel has no iptables of old', hint: 'nothing can be in its tables then' },
  ELOOP: { reason: 'the chains of the table would lead in a circle' },
}
const attempt = (scope: Scope, operation: string, subject?: string): Attempt => ({ operation, subject, namespace: scope.label })

/** The tables that are there; undefined where that may not be known (the files belong to root of the namespace's owner). */
export function legacyTableNames(scope: Scope, family: 4 | 6): Promise<string[] | undefined> {
  return readNetFile(scope, families[family].names, attempt(scope, 'list iptables'))
}

/** The bytes of a table, which must be one of those that are there. */
export async function readBlob(scope: Scope, family: 4 | 6, name: string): Promise<Blob> {
  const what = attempt(scope, 'read iptables', name)
  for (let tries = 1; ; tries++) {
    const names = await legacyTableNames(scope, family)
    if (!names?.includes(name)) throw new NetloomError('ENOENT', { ...what, reason: 'there is no such legacy table here' })
    const option = { ...families[family], name: tableOptions.getInfo }
    const asked = written(getInfo, { name })
    const info = getInfo.read(viewOf(await askTable(scope, option, asked, what, meanings)), 0, getInfo.size)
    const request = new Uint8Array(getEntries.size + info.size)
    request.set(written(getEntries, { name, size: info.size }))
    try {
      const answer = await askTable(scope, { ...option, name: tableOptions.getEntries }, request, what, meanings)
      return { ...info, family, entries: answer.slice(getEntries.size) }
    } catch (error) {
      // It was replaced in between by one of another size.
      if (!isCode(error, 'EAGAIN') || tries === attempts) throw error
    }
  }
}

/**
 * Replaces a table by what `change` makes of it, and gives each entry that stays the packets and bytes that it had met by the moment of the
 * exchange. `change` says where an entry was put in or taken away; undefined leaves the table as it is.
 */
export async function changeTable(
  scope: Scope,
  family: 4 | 6,
  name: string,
  change: (blob: Blob) => { blob: Blob; at: number; added: boolean } | undefined,
): Promise<boolean> {
  const what = attempt(scope, 'change iptables', name)
  const lock = await lockTables()
  try {
    for (let tries = 1; ; tries++) {
      const before = await readBlob(scope, family, name)
      const changed = change(before)
      if (!changed) return false
      try {
        await exchange(scope, family, name, before, changed, what)
        return true
      } catch (error) {
        if (!isCode(error, 'EAGAIN') || tries === attempts) throw error
      }
    }
  } finally {
    lock.release()
  }
}

async function exchange(
  scope: Scope,
  family: 4 | 6,
  name: string,
  before: Blob,
  { blob, at, added }: { blob: Blob; at: number; added: boolean },
  what: Attempt,
): Promise<void> {
  const { validHooks, numEntries, size, hookEntry, underflow } = blob
  const head = { name, validHooks, numEntries, size, hookEntry, underflow, numCounters: before.numEntries }
  const order = new Uint8Array(replace.size + size)
  order.set(written(replace, head))
  order.set(blob.entries, replace.size)
  const option = { ...families[family], name: tableOptions.setReplace }
  // The kernel writes as many counters as it had entries, and refuses (EAGAIN) if those are not as many as it was told.
  const output = { at: replace.size - 8, size: before.numEntries * counterSize }
  const old = await orderTable(scope, option, order, what, { output, meanings })
  const counters = new Uint8Array(countersInfo.size + numEntries * counterSize)
  counters.set(written(countersInfo, { name, numCounters: numEntries }))
  const split = at * counterSize
  counters.set(old.subarray(0, split), countersInfo.size)
  if (added) counters.set(old.subarray(split), countersInfo.size + split + counterSize)
  else counters.set(old.subarray(split + counterSize), countersInfo.size + split)
  await orderTable(scope, { ...option, name: tableOptions.setAddCounters }, counters, what, { meanings })
}

const isCode = (error: unknown, code: string) => error instanceof NetloomError && error.code === code

/** The bytes of a struct, as long as it is. */
export function written<T extends object>(
  codec: { readonly size: number; writeMembers(writer: Writer, value: object): void },
  value: T,
): Uint8Array {
  const writer = new Writer(codec.size)
  codec.writeMembers(writer, value)
  return writer.copy()
}
