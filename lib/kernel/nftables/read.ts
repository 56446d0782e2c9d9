// Reading of the rule set: one object, or all of a sort, over the namespace's netfilter connection.
import type { AnyCodec, Decoded } from '../../codec/codec.js'
import { generation as generationTable } from '../../protocol/nftables/generation.js'
import { nftablesMessages } from '../../protocol/nftables/messages.js'
import { NetloomError } from '../../socket/error.js'
import type { Context, Reply, Request } from '../../socket/request.js'
import type { Scope } from '../scope.js'
import { type TableRef, tableText } from './references.js'

/** The object, or undefined if it is not there. */
export async function getOne<C extends AnyCodec, R extends AnyCodec>(
  scope: Scope,
  request: Request<C>,
  reply: Reply<R>,
): Promise<Decoded<R> | undefined> {
  try {
    return await (await scope.netfilter()).get(request, reply)
  } catch (error) {
    if (error instanceof NetloomError && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** All of a sort, as `choose` makes them; none where the table that was asked for is not there. */
export async function dumpAll<C extends AnyCodec, R extends AnyCodec, T>(
  scope: Scope,
  request: Request<C>,
  reply: Reply<R>,
  choose: (raw: Decoded<R>) => T | undefined,
): Promise<T[]> {
  try {
    return [...(await (await scope.netfilter()).dump(request, reply, choose))]
  } catch (error) {
    if (error instanceof NetloomError && error.code === 'ENOENT') return []
    throw error
  }
}

/** The number of the state that the rule set is in. */
export async function readGeneration(scope: Scope, signal?: AbortSignal): Promise<number> {
  const context: Context = { operation: 'read generation', namespace: scope.label }
  const request = { type: nftablesMessages.getGen, codec: generationTable, value: {}, context, signal }
  const raw = await (await scope.netfilter()).get(request, { type: nftablesMessages.newGen, codec: generationTable })
  return raw.id ?? 0
}

export function absent(scope: Scope, operation: string, subject: string, what: string): NetloomError {
  return new NetloomError('ENOENT', { operation, subject, namespace: scope.label, reason: `there is no such ${what}` })
}
export const missingTable = (scope: Scope, table: TableRef): never => {
  throw absent(scope, 'get table', tableText(table), 'table')
}
