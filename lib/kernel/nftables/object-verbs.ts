// The verbs on named objects of nftables, the same for all kinds of them.
import { requestFlags } from '../../protocol/netlink.js'
import { nftablesMessages } from '../../protocol/nftables/messages.js'
import { object as objectTable } from '../../protocol/nftables/object.js'
import type { Context } from '../../socket/request.js'
import type { Scope } from '../scope.js'
import { change, type Entry, type Submit, silently } from './entry.js'
import { wireFamily } from './family.js'
import { changingHints, makingHints } from './hints.js'
import { type ObjectKind, type ObjectMessage, objectField, objectMessage, type RawObject, toObject } from './named-objects.js'
import { absent, dumpAll, getOne } from './read.js'
import { checkObjectFilter, type NamedRef, namedRefChecks, namedText, type ObjectFilter, reference } from './references.js'

const reply = { type: nftablesMessages.newObj, codec: objectTable }

export function objectChanges<Live extends boolean, T extends NamedRef>(kind: ObjectKind<T>, submit: Submit<Live>) {
  return {
    /** Makes one. Errors: EEXIST there is one, ENOENT no such table. */
    create: (object: T) => submit(createObject(kind, object)),
    /** Removes one. Errors: ENOENT there is none, EBUSY rules or elements use it. */
    delete: (object: NamedRef) => submit(deleteObject(kind, object)),
  }
}

/** The verbs of those that have a state. */
export function countedReads<T extends NamedRef>(kind: ObjectKind<T>, scope: Scope) {
  const field = objectField(kind)
  const read = async (object: NamedRef, type: number): Promise<T | undefined> => {
    const { family, table, name } = reference(object, namedRefChecks)
    const context: Context = { operation: `get ${kind.what}`, subject: namedText(object), namespace: scope.label, field }
    const value = { family: wireFamily(family), table, name, type: kind.type } as ObjectMessage
    const raw = await getOne(scope, { type, codec: objectTable, value, context }, reply)
    return raw && toObject(kind, raw)
  }
  const dump = (filter: ObjectFilter, type: number): Promise<T[]> => {
    checkObjectFilter(filter)
    const { family, table, signal } = filter
    const context: Context = { operation: `list ${kind.what}s`, namespace: scope.label, field }
    const value = { family: wireFamily(family), type: kind.type, ...(table === undefined ? {} : { table }) } as ObjectMessage
    const fits = (raw: RawObject) => raw.type === kind.type && (table === undefined || raw.table === table)
    return dumpAll(scope, { type, codec: objectTable, value, context, signal }, reply, raw => (fits(raw) ? toObject(kind, raw) : undefined))
  }
  const orAbsent = async (object: NamedRef, found: Promise<T | undefined>): Promise<T> => {
    const there = await found
    if (!there) throw absent(scope, `get ${kind.what}`, namedText(object), kind.what)
    return there
  }
  return {
    /** One of them; throws ENOENT if there is none. */
    get: (object: NamedRef): Promise<T> => orAbsent(object, read(object, nftablesMessages.getObj)),
    /** One of them, or undefined. */
    find: (object: NamedRef): Promise<T | undefined> => read(object, nftablesMessages.getObj),
    /** All, or those of a family or table. */
    list: (filter: ObjectFilter = {}): Promise<T[]> => dump(filter, nftablesMessages.getObj),
    /** What one has counted, which begins at 0 again. */
    reset: (object: NamedRef): Promise<T> => orAbsent(object, read(object, nftablesMessages.getObjReset)),
    /** The same for all, or those of a family or table. */
    resetAll: (filter: ObjectFilter = {}): Promise<T[]> => dump(filter, nftablesMessages.getObjReset),
  }
}

/** The verbs of those that have none. */
export function objectReads<T extends NamedRef>(kind: ObjectKind<T>, scope: Scope) {
  const { get, find, list } = countedReads(kind, scope)
  return { get, find, list }
}

const createObject = <T extends NamedRef>(kind: ObjectKind<T>, object: T): Entry<T> => ({
  group: kind.verbs,
  sort: kind.what,
  operation: `create ${kind.what}`,
  prepare(world, about) {
    const value = objectMessage(kind, object)
    const context = { ...about, subject: namedText(object), field: objectField(kind), hints: makingHints(kind.what) }
    const flags = requestFlags.create | requestFlags.exclusive
    return [change(nftablesMessages.newObj, objectTable, flags, value, context, world.echo ? reply : undefined)]
  },
  result: ([raw]) => toObject(kind, raw as RawObject),
})

const deleteObject = <T extends NamedRef>(kind: ObjectKind<T>, object: NamedRef) =>
  silently(kind.verbs, `delete ${kind.what}`, (_, about) => {
    const { family, table, name } = reference(object, namedRefChecks)
    const context = { ...about, subject: namedText(object), field: objectField(kind), hints: changingHints(kind.what) }
    const value = { family: wireFamily(family), table, name, type: kind.type } as ObjectMessage
    return [change(nftablesMessages.delObj, objectTable, 0, value, context)]
  })
