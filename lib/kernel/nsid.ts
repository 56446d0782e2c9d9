// The numbers under which one namespace knows others.

import type { NamespaceSource } from '../namespace/source.js'
import { nsid as nsidTable } from '../protocol/nsid.js'
import { rtm } from '../protocol/rtnetlink.js'
import { type Scope, scopeFor } from './scope.js'

/** The number that `here` has for another namespace; undefined if it has none. The kernel gives one when a link's other end is first read. */
export async function nsidOf(here: Scope, other: NamespaceSource): Promise<number | undefined> {
  const { scope, release } = await scopeFor(here, other, 'other')
  try {
    const [answer] = await nsidsOf(here, [scope.handle.fd])
    return answer
  } finally {
    release()
  }
}

/** The same for many at once, by descriptor. */
export async function nsidsOf(here: Scope, descriptors: readonly number[]): Promise<(number | undefined)[]> {
  const connection = await here.connection()
  const context = { operation: 'get namespace id', namespace: here.label }
  const requests = descriptors.map(fd => ({ type: rtm.getNsid, codec: nsidTable, value: { fd }, context }))
  const outcomes = await connection.batch(requests, { reply: { type: rtm.newNsid, codec: nsidTable } })
  return outcomes.map(({ objects: [answer] }) => (answer?.nsid === undefined || answer.nsid < 0 ? undefined : answer.nsid))
}

/** The number for a namespace; one is given for good if there was none. */
export async function ensureNsid(here: Scope, fd: number): Promise<number | undefined> {
  const [known] = await nsidsOf(here, [fd])
  if (known !== undefined) return known
  const connection = await here.connection()
  const context = { operation: 'set namespace id', namespace: here.label }
  const [{ error } = {}] = await connection.batch([{ type: rtm.newNsid, codec: nsidTable, value: { fd, nsid: automatic }, context }])
  // Somebody else was faster: then it has one now.
  if (error && error.code !== 'EEXIST') throw error
  const [given] = await nsidsOf(here, [fd])
  return given
}
/** NETNSA_NSID_NOT_ASSIGNED: the kernel chooses. */
const automatic = -1
