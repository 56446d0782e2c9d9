// The verbs on the tables of nftables in one namespace.
import type { Decoded } from '../../codec/codec.js'
import { requestFlags } from '../../protocol/netlink.js'
import { nftablesMessages } from '../../protocol/nftables/messages.js'
import { rule as ruleTable } from '../../protocol/nftables/rule.js'
import { table as tableTable } from '../../protocol/nftables/table.js'
import type { Context } from '../../socket/request.js'
import { type Checks, checkOptions, isBoolean, isList, isOneOf, isRead, present } from '../arguments.js'
import type { Scope } from '../scope.js'
import type { Change } from './commit.js'
import { change, type Entry, type Submit, silently } from './entry.js'
import { publicFamily, wireFamily } from './family.js'
import type { TableFlag } from './fields.js'
import { changingHints, makingHints } from './hints.js'
import type { TableObject } from './objects.js'
import { dumpAll, getOne, missingTable } from './read.js'
import {
  asList,
  checkTableFilter,
  isComment,
  isFamily,
  isName,
  reference,
  type TableFilter,
  type TableRef,
  tableRefChecks,
  tableText,
} from './references.js'
import { commentData, commentOf } from './userdata.js'

export type TableSpec = Omit<TableObject, 'handle'>
export interface TableChange {
  /** A dormant table's chains see no packets. */
  readonly dormant?: boolean
}

const flagNames = ['dormant', 'owner', 'persist'] as const satisfies readonly TableFlag[]
const isFlag = isOneOf(flagNames)
const specChecks: Checks<TableObject> = {
  family: isFamily,
  name: isName,
  flags: value => (Array.isArray(value) ? isList(isFlag)(value) : isFlag(value)),
  comment: isComment,
  handle: isRead,
}
const reply = { type: nftablesMessages.newTable, codec: tableTable }
/** Newer kernels say EOPNOTSUPP. */
const unknownFlag = "Linux before 5.12 knows no flag but 'dormant'"
const field = ([first]: readonly string[]) => (first === 'userdata' ? 'comment' : first)

export function toTable(raw: Decoded<typeof tableTable>): TableObject {
  const flags = (raw.flags ?? []) as TableFlag[]
  return present({
    family: publicFamily(raw.family),
    name: raw.name ?? '',
    handle: raw.handle,
    flags: flags.length > 1 ? flags : flags[0],
    comment: commentOf(raw.userdata),
  }) as TableObject
}

export function tableChanges<Live extends boolean>(submit: Submit<Live>) {
  return {
    /**
     * Makes a table: `create({ family: 'inet', name: 'web' })`. With the flag 'owner' nobody else can change it, and it goes when the namespace is closed.
     *
     * Errors: EEXIST there is one, EPERM without CAP_NET_ADMIN, EOPNOTSUPP this kernel lacks the family or the flag
     * ('owner' ≥ 5.12, before which it is EINVAL, 'persist' ≥ 6.9).
     */
    create: (table: TableSpec) => submit(createTable(table)),
    /** Puts a table to sleep or wakes it: `update(table, { dormant: true })`. */
    update: (table: TableRef, changes: TableChange) => submit(updateTable(table, changes)),
    /** Removes a table with all that is in it. Errors: ENOENT there is none, EPERM it has another owner. */
    delete: (table: TableRef) => submit(deleteTable(table)),
    /** Removes all rules of a table; chains, sets and counters stay. */
    flush: (table: TableRef) => submit(flushTable(table)),
  }
}

export function tableReads(scope: Scope) {
  const find = async (table: TableRef): Promise<TableObject | undefined> => {
    const { family, name } = reference(table, tableRefChecks)
    const value = { family: wireFamily(family), name }
    const context: Context = { operation: 'get table', subject: tableText(table), namespace: scope.label, field }
    const raw = await getOne(scope, { type: nftablesMessages.getTable, codec: tableTable, value, context }, reply)
    return raw && toTable(raw)
  }
  return {
    /** A table; throws ENOENT if there is none. */
    get: async (table: TableRef): Promise<TableObject> => (await find(table)) ?? missingTable(scope, table),
    /** A table, or undefined. */
    find,
    /** The tables, of one family or of all. */
    async list(filter: TableFilter = {}): Promise<TableObject[]> {
      checkTableFilter(filter)
      const context: Context = { operation: 'list tables', namespace: scope.label, field }
      const value = { family: wireFamily(filter.family) }
      const { signal } = filter
      return dumpAll(scope, { type: nftablesMessages.getTable, codec: tableTable, value, context, signal }, reply, toTable)
    },
  }
}

function createTable(table: TableSpec): Entry<TableObject> {
  return {
    group: 'tables',
    operation: 'create table',
    prepare(world, about) {
      checkOptions<TableObject>(table, specChecks)
      const { family, name, flags, comment } = { ...table, ...reference<TableRef>(table, tableRefChecks) }
      const value = present({ family: wireFamily(family), name, flags: flags && asList(flags), userdata: commentData(comment) })
      const hints = { ...makingHints('table'), ...(flags !== undefined && { EINVAL: unknownFlag }) }
      const context = { ...about, subject: tableText(table), field, hints }
      return [
        change(
          nftablesMessages.newTable,
          tableTable,
          requestFlags.create | requestFlags.exclusive,
          value,
          context,
          world.echo ? reply : undefined,
        ),
      ]
    },
    result: ([raw]) => toTable(raw as Decoded<typeof tableTable>),
  }
}

const updateTable = (table: TableRef, changes: TableChange) =>
  silently('tables', 'update table', async (world, about) => {
    const { family, name } = reference(table, tableRefChecks)
    checkOptions(changes, { dormant: isBoolean })
    const context = { ...about, subject: tableText(table), field, hints: changingHints('table') }
    const now = asList((await tableReads(world.scope).get(table)).flags)
    const flags = [
      ...now.filter(flag => flag !== 'dormant'),
      ...((changes.dormant ?? now.includes('dormant')) ? (['dormant'] as const) : []),
    ]
    return [change(nftablesMessages.newTable, tableTable, 0, { family: wireFamily(family), name, flags }, context)]
  })

const deleteTable = (table: TableRef) =>
  silently('tables', 'delete table', (_, about) => {
    const { family, name } = reference(table, tableRefChecks)
    const context = { ...about, subject: tableText(table), field, hints: changingHints('table') }
    return [change(nftablesMessages.delTable, tableTable, 0, { family: wireFamily(family), name }, context)]
  })

const flushTable = (table: TableRef) =>
  silently('tables', 'flush table', (_, about) => {
    const { family, name } = reference(table, tableRefChecks)
    const context = { ...about, subject: tableText(table), field: ruleInTable, hints: changingHints('table') }
    return [change(nftablesMessages.delRule, ruleTable, 0, { family: wireFamily(family), table: name }, context)]
  })

/** The caller's name for a field of the message about a table's rules. */
const ruleInTable = ([first]: readonly string[]) => (first === 'table' ? 'name' : first)

/** Without a name every table of the family is meant, without a family every table. */
export const flushRuleset = (scope: Scope, { family }: TableFilter): Change =>
  change(nftablesMessages.delTable, tableTable, 0, { family: wireFamily(family) }, { operation: 'flush rule set', namespace: scope.label })
