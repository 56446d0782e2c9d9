// Deleting connections: the one message of conntrack that means all of them when it says too little, so everything that is sent passes here.
import { conntrackMessages, conntrack as conntrackTable } from '../protocol/conntrack.js'
import type { Connection } from '../socket/connection.js'
import { NetloomError } from '../socket/error.js'
import type { Context, Request } from '../socket/request.js'
import { type ConntrackEntry, type ConntrackMessage, type ConntrackTuple, describeConntrack, named } from './conntrack-object.js'

/** What deletes one connection. */
export const deletionOf = (which: ConntrackTuple | ConntrackEntry): ConntrackMessage => exactly(named(which))

/** The message, provided that it names connections: one without a tuple and a filter would delete all there are. */
export function exactly(value: ConntrackMessage): ConntrackMessage {
  const whole = value.tupleOrig?.ip !== undefined && value.tupleOrig.proto?.num !== undefined && value.family !== 'unspec'
  if (!whole || value.filter !== undefined) throw new Error('a deletion that names no connection')
  return value
}
export function filtered(value: ConntrackMessage): ConntrackMessage {
  const { filter, mark, statusMask, family } = value
  const parts = (filter?.origFlags?.length ?? 0) + (filter?.replyFlags?.length ?? 0)
  if (parts === 0 && mark === undefined && !statusMask?.length && family === 'unspec')
    throw new Error('a deletion that names no connection')
  // With an empty filter kernels look at the family too, which they otherwise pass over.
  return { ...value, version: 1, filter: filter ?? {} }
}

const deletion = (value: ConntrackMessage, about: Context): Request<typeof conntrackTable> => ({
  type: conntrackMessages.delete,
  codec: conntrackTable,
  value,
  context: about,
})

const known = new WeakMap<Connection, Promise<boolean>>()
/**
 * Does the kernel take filters in deletions? One that can fit nothing is tried: kernels that pass over the filter look for exactly this
 * connection, and say that there is none.
 */
export function takesFilters(connection: Connection, about: Context): Promise<boolean> {
  const nobody = {
    family: 'ipv4' as const,
    tupleOrig: { ip: { v4Src: '0.0.0.0', v4Dst: '0.0.0.0' }, proto: { num: 255 } },
    filter: { origFlags: ['ipSrc', 'ipDst', 'protoNum'] as const },
  }
  const answer =
    known.get(connection) ??
    connection.request(deletion(nobody, about)).then(
      () => true,
      (error: unknown) => {
        if (error instanceof NetloomError && ['ENOENT', 'EINVAL', 'EOPNOTSUPP'].includes(error.code)) return false
        known.delete(connection)
        throw error
      },
    )
  known.set(connection, answer)
  return answer
}

/** In one message, or two where the family is open. */
export async function deleteFiltered(connection: Connection, requests: readonly ConntrackMessage[], about: Context): Promise<void> {
  for (const value of requests) await connection.request(deletion(filtered(value), about))
}

/** Each by all of its tuple and its number. */
export async function deleteEach(connection: Connection, entries: readonly ConntrackEntry[], about: Context): Promise<void> {
  const requests = entries.map(entry => deletion(deletionOf(entry), { ...about, subject: describeConntrack(entry) }))
  // Whatever has gone by itself meanwhile is gone.
  for (const { error } of await connection.batch(requests, { quiet: true })) if (error && error.code !== 'ENOENT') throw error
}
