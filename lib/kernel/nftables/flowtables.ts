// The verbs on flowtables: connections that rules have put there go past the rules from then on.
import type { Encodable } from '../../codec/codec.js'
import { requestFlags } from '../../protocol/netlink.js'
import { flowtable as flowtableTable } from '../../protocol/nftables/flowtable.js'
import { nftablesMessages } from '../../protocol/nftables/messages.js'
import type { Context } from '../../socket/request.js'
import { type Checks, checkOptions, isList, isOneOf, isRead, isText, lacking } from '../arguments.js'
import type { Scope } from '../scope.js'
import { change, type Entry, type Submit, silently } from './entry.js'
import { priorityNumber, wireFamily } from './family.js'
import { type RawFlowtable, toFlowtable } from './flowtable-object.js'
import { changingHints, makingHints } from './hints.js'
import type { FlowtableObject } from './objects.js'
import { absent, getOne } from './read.js'
import {
  asList,
  checkObjectFilter,
  isFamily,
  isName,
  type NamedRef,
  namedRefChecks,
  namedText,
  type ObjectFilter,
  reference,
} from './references.js'
import { readFlowtables } from './snapshot.js'

/** A flowtable to make; one that list() gave is one too. */
export type FlowtableSpec = Omit<FlowtableObject, 'prio'> & {
  /** A number, lower is earlier, or 'filter' with + or - a number. */
  readonly prio?: number | string
}

const reply = { type: nftablesMessages.newFlowtable, codec: flowtableTable }
const needed =
  'flowtables need CONFIG_NF_FLOW_TABLE and CONFIG_NF_FLOW_TABLE_INET in the kernel (modules nf_flow_table and nf_flow_table_inet)'
const hints = {
  ...makingHints('flowtable'),
  ENOENT: `the table or a device is not there, or this kernel has none: ${needed}`,
  EOPNOTSUPP: `not in a table of this family, not on this device, or this kernel has none: ${needed}`,
  EBUSY: 'a device is in another flowtable already',
}

export function flowtableChanges<Live extends boolean>(submit: Submit<Live>) {
  return {
    /**
     * Makes a flowtable, to which rules of a forward chain send connections by `{ flow: { op: 'add', flowtable: '@fast' } }`:
     * `create({ family: 'inet', table: 'web', name: 'fast', prio: 'filter', dev: ['eth0', 'br0'] })`.
     *
     * Errors: EEXIST there is one, ENOENT no such table or device, or a kernel without flowtables; EBUSY a device is in another one.
     */
    create: (flowtable: FlowtableSpec) => submit(createFlowtable(flowtable)),
    /** Removes one. Errors: ENOENT there is none, EBUSY rules name it. */
    delete: (flowtable: NamedRef) => submit(deleteFlowtable(flowtable)),
  }
}

export function flowtableReads(scope: Scope) {
  const find = async (flowtable: NamedRef): Promise<FlowtableObject | undefined> => {
    const { family, table, name } = reference(flowtable, namedRefChecks)
    const context: Context = { operation: 'get flowtable', subject: namedText(flowtable), namespace: scope.label, field }
    const value = { family: wireFamily(family), table, name }
    const raw = await getOne(scope, { type: nftablesMessages.getFlowtable, codec: flowtableTable, value, context }, reply)
    return raw && toFlowtable(raw)
  }
  return {
    /** A flowtable; throws ENOENT if there is none. */
    async get(flowtable: NamedRef): Promise<FlowtableObject> {
      const found = await find(flowtable)
      if (!found) throw absent(scope, 'get flowtable', namedText(flowtable), 'flowtable')
      return found
    },
    /** A flowtable, or undefined. */
    find,
    /** The flowtables, of one family or table or of all. */
    async list(filter: ObjectFilter = {}): Promise<FlowtableObject[]> {
      checkObjectFilter(filter)
      return (await readFlowtables(scope, filter)).map(toFlowtable)
    },
  }
}

/** The caller's name of a field of the message. */
function field([first, second]: readonly string[]): string | undefined {
  if (first !== 'hook') return first
  return second === 'priority' ? 'prio' : second?.startsWith('dev') ? 'dev' : 'hook'
}

const isDevice = isText(15)
const isFlag = isOneOf(['offload', 'counter'])
const checks: Checks<FlowtableSpec> = {
  family: isFamily,
  table: isName,
  name: isName,
  handle: isRead,
  // The kernel keeps none; nft has the field.
  comment: isRead,
  hook: isOneOf(['ingress']),
  prio: isRead,
  dev: value => (Array.isArray(value) ? isList(isDevice)(value) : isDevice(value)),
  flags: value => {
    for (const flag of asList(value)) isFlag(flag)
  },
}
const flagNames = { offload: 'hwOffload', counter: 'counter' } as const

export function flowtableMessage(flowtable: FlowtableSpec): Encodable<typeof flowtableTable> {
  reference(flowtable, namedRefChecks)
  checkOptions(flowtable, checks)
  const { family, table, name, prio = 0, dev, flags } = flowtable
  const devices = asList(dev)
  if (devices.length === 0) throw lacking('dev', 'a flowtable is on devices')
  return {
    family: wireFamily(family),
    table,
    name,
    hook: { num: 0, priority: priorityNumber('netdev', 'ingress', prio), devs: devices },
    flags: asList(flags).map(flag => flagNames[flag]),
  }
}

const createFlowtable = (flowtable: FlowtableSpec): Entry<FlowtableObject> => ({
  group: 'flowtables',
  operation: 'create flowtable',
  prepare(world, about) {
    const value = flowtableMessage(flowtable)
    const context = { ...about, subject: namedText(flowtable), field, hints }
    const flags = requestFlags.create | requestFlags.exclusive
    return [change(nftablesMessages.newFlowtable, flowtableTable, flags, value, context, world.echo ? reply : undefined)]
  },
  result: ([raw]) => toFlowtable(raw as RawFlowtable),
})

const deleteFlowtable = (flowtable: NamedRef) =>
  silently('flowtables', 'delete flowtable', (_, about) => {
    const { family, table, name } = reference(flowtable, namedRefChecks)
    const context = { ...about, subject: namedText(flowtable), field, hints: { ...changingHints('flowtable') } }
    return [change(nftablesMessages.delFlowtable, flowtableTable, 0, { family: wireFamily(family), table, name }, context)]
  })
