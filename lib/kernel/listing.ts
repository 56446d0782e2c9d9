// The objects of one sort in a namespace, as callers see them: all at once, or one by one in bounded memory.
import type { AnyCodec, Decoded } from '../codec/codec.js'
import type { Each } from '../socket/dump.js'
import { Elements } from '../socket/elements.js'
import { NetloomError } from '../socket/error.js'
import type { Reply, Request } from '../socket/request.js'
import type { Scope } from './scope.js'

/** What to ask, in this order, and what of the answers is wanted. */
export interface Listing<C extends AnyCodec, R extends AnyCodec, T> {
  readonly requests: readonly Request<C>[]
  readonly reply: Reply<R>
  /** Makes of the kernel's object what callers see, or undefined if it is none of those that they asked for. */
  readonly choose: Each<Decoded<R>, T>
  /** An error that means that there are none. */
  readonly none?: string
  /** Asked of netfilter, not of rtnetlink. */
  readonly netfilter?: boolean
}

const connectionOf = (scope: Scope, netfilter = false) => (netfilter ? scope.netfilter() : scope.connection())

/** All of them. */
export async function listAll<C extends AnyCodec, R extends AnyCodec, T>(
  scope: Scope,
  { requests, reply, choose, none, netfilter }: Listing<C, R, T>,
): Promise<T[]> {
  const connection = await connectionOf(scope, netfilter)
  const found: T[][] = []
  for (const request of requests) {
    try {
      found.push(await connection.dump(request, reply, choose))
    } catch (error) {
      if (!means(error, none)) throw error
    }
  }
  return found.flat()
}

/** One by one; nothing is asked, and wrong arguments are not refused, before the first is wanted. */
export const iterateAll = <C extends AnyCodec, R extends AnyCodec, T>(
  scope: Scope,
  prepare: () => Promise<Listing<C, R, T>>,
): AsyncIterableIterator<T, void> => new Elements(slices(scope, prepare))

async function* slices<C extends AnyCodec, R extends AnyCodec, T>(
  scope: Scope,
  prepare: () => Promise<Listing<C, R, T>>,
): AsyncGenerator<T[], void, void> {
  const { requests, reply, choose, none, netfilter } = await prepare()
  const connection = await connectionOf(scope, netfilter)
  for (const request of requests) {
    try {
      yield* connection.slices(request, reply, choose)
    } catch (error) {
      if (!means(error, none)) throw error
    }
  }
}

const means = (error: unknown, code: string | undefined) => code !== undefined && error instanceof NetloomError && error.code === code
