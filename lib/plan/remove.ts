// Removing many things at once: links by one request for a group that only they are in, namespaces by their names.
import { randomInt } from 'node:crypto'
import { pick } from '../codec/table.js'
import { type Scope, skipProtocolStatistics } from '../kernel/scope.js'
import type { NamespaceInfo } from '../namespace/info.js'
import { deleteNames as deleteNamed } from '../namespace/jobs.js'
import { link as linkTable } from '../protocol/link.js'
import { requestFlags } from '../protocol/netlink.js'
import { rtm } from '../protocol/rtnetlink.js'
import { requestUntilDone } from '../socket/connection.js'
import { NetloomError } from '../socket/error.js'
import type { NamespaceHandle } from '../socket/native.js'
import type { AnyRequest } from '../socket/request.js'
import type { ProgressReporter } from './progress.js'

/** Names that are removed by one call, and such calls at a time: each name waits for the kernel's mount lock most of the time. */
const names = 32
const parallel = 2
/** Up to so many links one request each is no slower. */
const fewLinks = 2
const attempts = 8
const context = { operation: 'delete links' } as const
/** One that nobody uses: the lower numbers are those that people do. */
export const randomGroup = (): number => randomInt(0x1000_0000, 0x7fff_ffff)
/** Only what tells links apart: a description of everything costs more to read than the rest of the removal. */
const brief = pick(linkTable, ['ifname', 'link', 'group', 'linkNetnsid'])

/**
 * Removes links of one namespace by their indexes; those that are gone already are no error. The kernel takes tens of milliseconds for each
 * when they are deleted one by one, and hardly more for a thousand that share a group. A link that somebody else puts into our random
 * group between the look and the request would be deleted too. `own`: a group that others may know these links by until they are gone.
 */
export async function deleteLinks(scope: Scope, indexes: readonly number[], own?: number): Promise<void> {
  const connection = await scope.connection()
  const about = { ...context, namespace: scope.label }
  const request = (type: number, value: object): AnyRequest => ({ type, codec: linkTable, value, context: about })
  const check = (outcomes: readonly { error?: NetloomError }[]) => {
    for (const { error } of outcomes) if (error && error.code !== 'ENODEV') throw error
  }
  if (indexes.length <= fewLinks) return check(await connection.batch(indexes.map(index => request(rtm.delLink, { index }))))
  const ours = new Set(indexes)
  for (let attempt = 1; ; attempt++) {
    const group = attempt === 1 && own !== undefined ? own : randomGroup()
    const outcomes = await connection.batch(
      indexes.map(index => request(rtm.setLink, { index, group })),
      { quiet: true },
    )
    check(outcomes)
    if (outcomes.every(({ error }) => error)) return
    const links = await briefLinks(scope)
    if (links.some(link => link.group === group && !ours.has(link.index))) {
      if (attempt < attempts) continue
      throw new NetloomError('EAGAIN', { ...about, reason: 'other links keep joining the group that is to be deleted' })
    }
    // All may have gone by themselves since, with namespaces that were on their way out.
    return check(await connection.batch([request(rtm.delLink, { group })]))
  }
}

interface Removal {
  readonly over: Promise<void>
  /** False if it was gone already. */
  readonly found: boolean
}

/**
 * Removes a link, and resolves once nobody has it any more; one that is gone already is no error. The kernel goes on for tens of milliseconds
 * with what it kept of it, which `over` waits for (from 6.2 on: an older one tells when all is over).
 */
export async function deleteLink(scope: Scope, index: number): Promise<Removal> {
  scope.checkOpen()
  try {
    const { over } = await requestUntilDone(scope.handle, {
      ...{ type: rtm.delLink, codec: linkTable, value: { index } },
      context: { ...context, namespace: scope.label },
    })
    return { over, found: true }
  } catch (error) {
    if (error instanceof NetloomError && error.code === 'ENODEV') return { over: Promise.resolve(), found: false }
    throw error
  }
}

const briefRequest = (scope: Scope) => ({
  ...{ type: rtm.getLink, codec: linkTable, value: { extMask: skipProtocolStatistics } },
  context: { ...context, namespace: scope.label },
})
const briefReply = { type: rtm.newLink, codec: brief }

/** All links of a namespace, as far as removing needs to know them. */
export async function briefLinks(scope: Scope) {
  const connection = await scope.connection()
  return connection.dump(briefRequest(scope), briefReply)
}

/**
 * Those of them that are ports of a bridge. In the other list each end of a veth pair has the number of the namespace that the other is in, which the kernel
 * looks for among those of all namespaces: the square of their number in all.
 */
export async function bridgePorts(scope: Scope) {
  const connection = await scope.connection()
  const { value, ...request } = briefRequest(scope)
  return connection.dump({ ...request, value: { ...value, family: 'bridge' } }, briefReply)
}

/** The same by one request, for a namespace that has few, and whose links nobody changes at the moment. */
export async function briefLinksOfFew(scope: Scope) {
  const connection = await scope.connection()
  return connection.call({ ...briefRequest(scope), flags: requestFlags.dump }, briefReply)
}

interface Named {
  readonly info: NamespaceInfo
  readonly handle?: NamespaceHandle
}

interface NamesOptions {
  readonly progress?: ProgressReporter | undefined
  readonly signal?: AbortSignal | undefined
  /** Places in the list of those that stay. */
  readonly except?: ReadonlySet<number>
}

/** Takes the names away and lets go of what has none. What is gone is taken out of the list; gives what could not be removed. */
export async function deleteNames(
  namespaces: (Named | undefined)[],
  { progress, signal, except }: NamesOptions = {},
): Promise<{ name: string; error: unknown }[]> {
  const failed: { name: string; error: unknown }[] = []
  const named: number[] = []
  for (const [number, one] of namespaces.entries()) {
    if (except?.has(number)) continue
    if (one && one.info.name === undefined) {
      one.handle?.close()
      namespaces[number] = undefined
      progress?.add()
    } else if (one) named.push(number)
  }
  let next = 0
  const worker = async () => {
    while (next < named.length) {
      const numbers = named.slice(next, next + names)
      next += names
      const infos = numbers.map(number => namespaces[number]!.info as NamespaceInfo & { readonly name: string })
      const errors = signal?.aborted ? infos.map(() => signal.reason as unknown) : await deleteNamed(infos)
      for (const [i, number] of numbers.entries()) {
        if (errors[i] === undefined) namespaces[number] = undefined
        else failed.push({ name: infos[i]!.name, error: errors[i] })
      }
      progress?.add(numbers.length)
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  return failed
}
