// Reading of sets: their definitions, without their elements.
import type { Decoded } from '../../codec/codec.js'
import { nftablesMessages } from '../../protocol/nftables/messages.js'
import { set as setTable } from '../../protocol/nftables/set.js'
import type { Context } from '../../socket/request.js'
import type { Scope } from '../scope.js'
import { wireFamily } from './family.js'
import { dumpAll, getOne } from './read.js'
import { type NamedRef, namedText, type ObjectFilter } from './references.js'
import { formOf, type SetForm } from './set-form.js'

export type RawSet = Decoded<typeof setTable>
export const setReply = { type: nftablesMessages.newSet, codec: setTable }

export async function readSet(scope: Scope, { family, table, name }: NamedRef, signal?: AbortSignal): Promise<RawSet | undefined> {
  const context: Context = { operation: 'get set', subject: namedText({ family, table, name }), namespace: scope.label }
  const value = { family: wireFamily(family), table, name }
  return getOne(scope, { type: nftablesMessages.getSet, codec: setTable, value, context, signal }, setReply)
}

export async function readForm(scope: Scope, set: NamedRef, signal?: AbortSignal): Promise<SetForm | undefined> {
  const raw = await readSet(scope, set, signal)
  return raw && formOf(raw)
}

/** All sets and maps, those without a name that rules have included. */
export function dumpSets(scope: Scope, { family, table, signal }: ObjectFilter): Promise<RawSet[]> {
  const context: Context = { operation: 'list sets', namespace: scope.label }
  const value = { family: wireFamily(family), ...(table === undefined ? {} : { table }) }
  return dumpAll(scope, { type: nftablesMessages.getSet, codec: setTable, value, context, signal }, setReply, raw =>
    table === undefined || raw.table === table ? raw : undefined,
  )
}
