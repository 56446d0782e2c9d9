// The verbs on sets and maps of nftables.
import { requestFlags } from '../../protocol/netlink.js'
import { elementList } from '../../protocol/nftables/element.js'
import { nftablesMessages } from '../../protocol/nftables/messages.js'
import { set as setTable } from '../../protocol/nftables/set.js'
import { checkOptions, isBoolean } from '../arguments.js'
import type { Scope } from '../scope.js'
import { addition, readMembers } from './element-verbs.js'
import { change, type Entry, type Submit, silently } from './entry.js'
import { wireFamily } from './family.js'
import { changingHints, makingHints } from './hints.js'
import type { MapObject, SetObject } from './objects.js'
import { absent } from './read.js'
import { type NamedRef, namedRefChecks, namedText, type ObjectFilter, objectFilterChecks, reference } from './references.js'
import { formOf } from './set-form.js'
import { isMap, isNamed, setField, setMessage, toSet } from './set-object.js'
import { dumpSets, type RawSet, readSet, setReply } from './set-read.js'

type Sort = 'set' | 'map'

export function setChanges<Live extends boolean, T extends SetObject>(sort: Sort, submit: Submit<Live>) {
  return {
    /**
     * Makes a set or map, with its elements if there are some:
     * `sets.create({ family: 'inet', table: 'web', name: 'blocked', type: 'ipv4_addr', flags: 'interval', elem: ['10.0.0.0/8'] })`,
     * `maps.create({ …, name: 'ports', type: 'inet_service', map: ['ipv4_addr', 'inet_service'], elem: [[8080, { concat: ['10.0.0.2', 80] }]] })`.
     *
     * Errors: EEXIST there is one, or two elements overlap; ENOENT no such table.
     */
    create: (set: T) => submit(createSet(sort, set)),
    /** Removes one with its elements. Errors: ENOENT there is none, EBUSY rules use it. */
    delete: (set: NamedRef) => submit(deleteSet(sort, set)),
    /** Removes all elements. */
    flush: (set: NamedRef) => submit(flushSet(sort, set)),
  }
}

export function setReads<T extends SetObject>(sort: Sort, scope: Scope) {
  const fits = (raw: RawSet) => isNamed(raw) && isMap(raw) === (sort === 'map')
  const find = async (set: NamedRef): Promise<T | undefined> => {
    const raw = await readSet(scope, reference(set, namedRefChecks))
    return raw && fits(raw) ? (toSet(raw) as T) : undefined
  }
  return {
    /** A set or map, without its elements: elements.list() has those. Throws ENOENT if there is none. */
    async get(set: NamedRef): Promise<T> {
      const found = await find(set)
      if (!found) throw absent(scope, `get ${sort}`, namedText(set), sort)
      return found
    },
    /** A set or map, without its elements, or undefined. */
    find,
    /** All that have a name, of a family or table; with `elements: true`, what is in them too. */
    async list(options: ObjectFilter & { readonly elements?: boolean } = {}): Promise<T[]> {
      checkOptions(options, { ...objectFilterChecks, elements: isBoolean })
      const { elements = false, ...filter } = options
      const found: T[] = []
      for (const raw of (await dumpSets(scope, filter)).filter(fits)) {
        const set = toSet(raw) as T
        const elem = elements ? await readMembers(scope, set, formOf(raw), filter.signal) : []
        found.push(elem.length ? { ...set, elem } : set)
      }
      return found
    },
  }
}

const createSet = <T extends SetObject>(sort: Sort, set: T): Entry<T> => ({
  group: `${sort}s`,
  operation: `create ${sort}`,
  prepare(world, about) {
    const { value, form } = setMessage(set as SetObject | MapObject, world.nextId())
    const { family, table, name, elem } = set
    world.declare(family, table, name, form)
    const context = { ...about, subject: namedText(set), field: setField, hints: makingHints(sort) }
    const flags = requestFlags.create | requestFlags.exclusive
    const made = change(nftablesMessages.newSet, setTable, flags, value, context, world.echo ? setReply : undefined)
    return elem?.length ? [made, ...addition(set, form, elem, { ...context, elem: 'elem' })] : [made]
  },
  result: ([raw]) => toSet(raw as RawSet) as T,
})

const deleteSet = (sort: Sort, set: NamedRef) =>
  silently(`${sort}s`, `delete ${sort}`, (_, about) => {
    const { family, table, name } = reference(set, namedRefChecks)
    const context = { ...about, subject: namedText(set), field: setField, hints: changingHints(sort) }
    return [change(nftablesMessages.delSet, setTable, 0, { family: wireFamily(family), table, name }, context)]
  })

const flushSet = (sort: Sort, set: NamedRef) =>
  silently(`${sort}s`, `flush ${sort}`, (_, about) => {
    const { family, table, name } = reference(set, namedRefChecks)
    const field = ([first]: readonly string[]) => (first === 'set' ? 'name' : first)
    const context = { ...about, subject: namedText(set), field, hints: changingHints(sort) }
    return [change(nftablesMessages.delSetElem, elementList, 0, { family: wireFamily(family), table, set: name }, context)]
  })
