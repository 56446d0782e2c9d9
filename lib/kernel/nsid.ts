// The numbers under which one namespace knows others.

import { littleEndian, Writer } from '../codec/writer.js'
import type { NamespaceSource } from '../namespace/source.js'
import { requestFlags } from '../protocol/netlink.js'
import { nsid as nsidTable } from '../protocol/nsid.js'
import { rtm } from '../protocol/rtnetlink.js'
import { frame } from '../socket/frame.js'
import { lacking } from './arguments.js'
import { type Scope, scopeFor } from './scope.js'

/** The number that `here` has for another namespace; undefined if it has none. The kernel gives one when a link's other end is first read. */
export async function nsidOf(here: Scope, other: NamespaceSource): Promise<number | undefined> {
  if (other === undefined) throw lacking('other', 'which namespace is meant must be said')
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

/** The same, but those that had none are given one for good. */
export async function ensureNsids(here: Scope, descriptors: readonly number[]): Promise<(number | undefined)[]> {
  const known = await nsidsOf(here, descriptors)
  const without = descriptors.filter((_, i) => known[i] === undefined)
  if (without.length === 0) return known
  const connection = await here.connection()
  const context = { operation: 'set namespace id', namespace: here.label }
  const requests = without.map(fd => ({ type: rtm.newNsid, codec: nsidTable, value: { fd, nsid: automatic }, context }))
  // Somebody else may be faster: then it has one now.
  for (const { error } of await connection.batch(requests)) if (error && error.code !== 'EEXIST') throw error
  const given = await nsidsOf(here, without)
  return known.map((number, i) => number ?? given[without.indexOf(descriptors[i]!)])
}

/**
 * Gives our own namespace a number, as reading a peer does sooner or later. The kernel looks through the numbers from the lowest each time it
 * tells of a peer, and ours is among what it tells: given before the others, it is found at once.
 */
export async function numberOurselves(here: Scope): Promise<void> {
  const connection = await here.connection()
  const context = { operation: 'set namespace id', namespace: here.label }
  // Whatever the outcome, everything works; without it, a little slower among thousands.
  await connection.batch([{ type: rtm.newNsid, codec: nsidTable, value: { fd: here.handle.fd, nsid: automatic }, context }])
}
/**
 * Says the number by which a namespace shall know the one that a thread is in; the addon knows which thread (JobTelling). Each has a lower one than those before
 * it, also of other processes, so that the kernel, which looks through the numbers from the lowest whenever it tells of the other end of a link, finds those first
 * of whose links there is most to tell: otherwise the time goes with the square of how many there are.
 */
export function tellNumber(writer: Writer): Uint8Array {
  const now = highest - (Number(process.hrtime.bigint() / tick) % reach)
  last = Math.min(last - 1, now)
  template ??= telling()
  const start = writer.reserve(template.length)
  writer.bytes.set(template, start)
  writer.view.setInt32(start + template.length - fromEnd, last, littleEndian)
  return writer.bytes.subarray(start, writer.at)
}

/** The message about any number. A plan says thousands: written field by field they would make V8 optimise the writing, which costs more than a copy of this. */
function telling(): Uint8Array {
  const writer = new Writer(64)
  frame(writer, rtm.newNsid, requestFlags.request, 0, nsidTable, { nsid: 0, pid: 0 })
  return writer.copy()
}
let template: Uint8Array | undefined
/** In front of the attribute with the thread: four bytes, and eight with their head. */
const fromEnd = 12
/** Nanoseconds for which one number is enough on the average: all of them last for months. */
const tick = 10_000_000n
const highest = 2 ** 31 - 2
const reach = 2 ** 30
let last = highest
/** NETNSA_NSID_NOT_ASSIGNED: the kernel chooses. */
const automatic = -1
