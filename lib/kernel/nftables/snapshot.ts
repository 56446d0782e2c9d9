// The rule set of a namespace, or one table of it, read as one state: read again if it has changed meanwhile.
import type { Decoded } from '../../codec/codec.js'
import { chain as chainTable } from '../../protocol/nftables/chain.js'
import { elementList } from '../../protocol/nftables/element.js'
import { flowtable as flowtableTable } from '../../protocol/nftables/flowtable.js'
import { nftablesMessages as messages } from '../../protocol/nftables/messages.js'
import { object as objectTable } from '../../protocol/nftables/object.js'
import { rule as ruleTable } from '../../protocol/nftables/rule.js'
import { table as tableTable } from '../../protocol/nftables/table.js'
import { AbortError, NetloomError } from '../../socket/error.js'
import type { Scope } from '../scope.js'
import { attempts, backOff } from './contention.js'
import type { ReadElement } from './elements.js'
import { wireFamily } from './family.js'
import { dumpAll, readGeneration } from './read.js'
import type { ObjectFilter } from './references.js'
import { dumpSets, type RawSet } from './set-read.js'

export interface RawSetWithElements {
  readonly raw: RawSet
  readonly elements: readonly ReadElement[]
}
export interface Snapshot {
  /** The number of the state; a batch that carries it is refused in any other. */
  readonly generation: number
  readonly tables: readonly Decoded<typeof tableTable>[]
  readonly chains: readonly Decoded<typeof chainTable>[]
  /** Those without a name too. */
  readonly sets: readonly RawSetWithElements[]
  readonly objects: readonly Decoded<typeof objectTable>[]
  readonly flowtables: readonly Decoded<typeof flowtableTable>[]
  readonly rules: readonly Decoded<typeof ruleTable>[]
}

/** Throws EAGAIN if the rule set never keeps still for long enough. */
export async function readSnapshot(scope: Scope, filter: ObjectFilter, operation: string): Promise<Snapshot> {
  const { signal } = filter
  for (let attempt = 1; attempt <= attempts; attempt++) {
    if (signal?.aborted) throw new AbortError(operation, signal)
    const generation = await readGeneration(scope, signal)
    const read = await readAll(scope, filter)
    if ((await readGeneration(scope, signal)) === generation) return { generation, ...read }
    await backOff(attempt, operation, signal)
  }
  const reason = 'others kept changing the rule set while it was read'
  throw new NetloomError('EAGAIN', { operation, namespace: scope.label, reason })
}

async function readAll(scope: Scope, filter: ObjectFilter): Promise<Omit<Snapshot, 'generation'>> {
  const { family, table, signal } = filter
  const context = { operation: 'list rule set', namespace: scope.label }
  const value = { family: wireFamily(family) }
  const inTable = { ...value, ...(table === undefined ? {} : { table }) }
  const fits = <T extends { table?: string | undefined }>(raw: T) => (table === undefined || raw.table === table ? raw : undefined)
  const request = { context, signal }
  const tables = await dumpAll(
    scope,
    { ...request, type: messages.getTable, codec: tableTable, value },
    { type: messages.newTable, codec: tableTable },
    raw => (table === undefined || raw.name === table ? raw : undefined),
  )
  const chains = await dumpAll(
    scope,
    { ...request, type: messages.getChain, codec: chainTable, value },
    { type: messages.newChain, codec: chainTable },
    fits,
  )
  const objects = await dumpAll(
    scope,
    { ...request, type: messages.getObj, codec: objectTable, value: inTable },
    { type: messages.newObj, codec: objectTable },
    fits,
  )
  const rules = await dumpAll(
    scope,
    { ...request, type: messages.getRule, codec: ruleTable, value: inTable },
    { type: messages.newRule, codec: ruleTable },
    fits,
  )
  const sets: RawSetWithElements[] = []
  for (const raw of await dumpSets(scope, filter)) sets.push({ raw, elements: await readElements(scope, raw, signal) })
  return { tables, chains, objects, flowtables: await readFlowtables(scope, filter), sets, rules }
}

export async function readElements(scope: Scope, raw: RawSet, signal?: AbortSignal): Promise<ReadElement[]> {
  const { family, table = '', name = '' } = raw
  const request = { type: messages.getSetElem, codec: elementList, value: { family, table, set: name }, signal }
  const context = { operation: 'list elements', subject: name, namespace: scope.label }
  const reply = { type: messages.newSetElem, codec: elementList }
  return (await dumpAll(scope, { ...request, context }, reply, list => list.elements)).flat()
}

/** None on a kernel that has no flowtables. */
export async function readFlowtables(scope: Scope, { family, table, signal }: ObjectFilter): Promise<Decoded<typeof flowtableTable>[]> {
  const context = { operation: 'list flowtables', namespace: scope.label }
  const request = { type: messages.getFlowtable, codec: flowtableTable, value: { family: wireFamily(family) }, context, signal }
  try {
    return await dumpAll(scope, request, { type: messages.newFlowtable, codec: flowtableTable }, raw =>
      table === undefined || raw.table === table ? raw : undefined,
    )
  } catch (error) {
    // A kernel without flowtables does not know the question.
    if (error instanceof NetloomError && (error.code === 'EOPNOTSUPP' || error.code === 'EINVAL')) return []
    throw error
  }
}
