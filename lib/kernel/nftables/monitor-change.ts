// One notification of nf_tables as the change that it tells of, in libnftables' JSON.
import type { AnyCodec, Decoded } from '../../codec/codec.js'
import { requestFlags } from '../../protocol/netlink.js'
import { chain as chainTable } from '../../protocol/nftables/chain.js'
import { elementList } from '../../protocol/nftables/element.js'
import { flowtable as flowtableTable } from '../../protocol/nftables/flowtable.js'
import { generation as generationTable } from '../../protocol/nftables/generation.js'
import { nftablesMessages as messages } from '../../protocol/nftables/messages.js'
import { object as objectTable } from '../../protocol/nftables/object.js'
import { rule as ruleTable } from '../../protocol/nftables/rule.js'
import { set as setTable } from '../../protocol/nftables/set.js'
import { table as tableTable } from '../../protocol/nftables/table.js'
import type { Notification } from '../../socket/subscription.js'
import type { Scope } from '../scope.js'
import { toChain } from './chain-object.js'
import { elementForm } from './element-verbs.js'
import { decodeElements, type ReadElement } from './elements.js'
import { publicFamily } from './family.js'
import { toFlowtable } from './flowtable-object.js'
import { inOrder } from './intervals.js'
import type { KnownSets } from './known-sets.js'
import type { MonitorEvent } from './monitor.js'
import { toRulesetObject } from './object-kinds.js'
import type { MapObject, RulesetObject, SetObject } from './objects.js'
import { interfacesFor, toRule } from './rule-object.js'
import { formOf } from './set-form.js'
import { isMap, isNamed, toSet } from './set-object.js'
import { toTable } from './tables.js'

const read = <C extends AnyCodec>(codec: C, { view, from, to }: Notification) => codec.read(view, from, to) as Decoded<C>

interface ElementChange {
  readonly list: Decoded<typeof elementList>
  readonly action: 'add' | 'insert' | 'delete'
  readonly elements: readonly ReadElement[]
}

export class ChangeReader {
  readonly #scope: Scope
  readonly #sets: KnownSets
  /** A range whose end has not been told yet. */
  #open: ElementChange | undefined

  constructor(scope: Scope, sets: KnownSets) {
    this.#scope = scope
    this.#sets = sets
  }

  /** Nothing for what callers do not see: sets that are part of a rule, and what the library has no words for. */
  async read(message: Notification): Promise<MonitorEvent[]> {
    if (message.type === messages.newSetElem || message.type === messages.delSetElem) return this.#elements(message)
    const events = this.#finish()
    if (message.type === messages.newGen) {
      this.#sets.complete()
      const { id = 0, procPid = 0, procName = '' } = read(generationTable, message)
      return [...events, { type: 'generation', generation: id, process: { pid: procPid, name: procName } }]
    }
    const object = await this.#object(message)
    return object ? [...events, { type: 'change', action: actionOf(message), object }] : events
  }

  /** Nothing will follow what was heard last. */
  forget(): void {
    this.#open = undefined
  }

  async #object(message: Notification): Promise<RulesetObject | undefined> {
    switch (message.type) {
      case messages.newTable:
      case messages.delTable:
        return { table: toTable(read(tableTable, message)) }
      case messages.newChain:
      case messages.delChain:
        return { chain: toChain(read(chainTable, message)) }
      case messages.newObj:
      case messages.delObj:
        return toRulesetObject(read(objectTable, message))
      case messages.newFlowtable:
      case messages.delFlowtable:
        return { flowtable: toFlowtable(read(flowtableTable, message)) }
      case messages.newRule:
      case messages.delRule: {
        const raw = read(ruleTable, message)
        return { rule: toRule(raw, this.#sets.ofTable(raw.family, raw.table), await interfacesFor(this.#scope, [raw])) }
      }
      case messages.newSet:
      case messages.delSet:
        return this.#set(message)
      default:
        return undefined
    }
  }

  #set(message: Notification): RulesetObject | undefined {
    const said = read(setTable, message)
    // Of one that went the kernel says the name only.
    const known = this.#sets.find({ family: said.family, table: said.table, set: said.name })
    const raw = message.type === messages.delSet && known ? known.raw : said
    if (message.type === messages.delSet) this.#sets.delete(said)
    else this.#sets.add(said)
    if (!isNamed(raw)) return undefined
    return isMap(raw) ? { map: toSet(raw) as MapObject } : { set: toSet(raw) as SetObject }
  }

  #elements(message: Notification): MonitorEvent[] {
    const list = read(elementList, message)
    const action = actionOf(message)
    if (action === 'add') this.#sets.addElements(list)
    const known = this.#sets.find(list)
    if (!known || !isNamed(known.raw)) return this.#finish()
    const { interval, key } = formOf(known.raw)
    const elements = list.elements ?? []
    if (!interval || key.length !== 1) return [...this.#finish(), ...this.#told({ list, action, elements })]
    return elements.flatMap(one => this.#bound({ list, action, elements: [one] }))
  }

  /** The kernel tells of the beginning and the end of a range in two messages; a range up to the last value has no end. */
  #bound(change: ElementChange): MonitorEvent[] {
    const { list, action, elements } = change
    const flags = elements[0]?.flags ?? []
    if (flags.includes('intervalEnd')) {
      const open = this.#open
      if (open?.action !== action || open.list.set !== list.set || open.list.table !== list.table || open.list.family !== list.family)
        return this.#finish()
      this.#open = undefined
      return this.#told({ ...open, elements: [...open.elements, ...elements] })
    }
    const before = this.#finish()
    if (flags.includes('catchall')) return [...before, ...this.#told(change)]
    this.#open = change
    return before
  }

  #finish(): MonitorEvent[] {
    const open = this.#open
    this.#open = undefined
    return open ? this.#told(open) : []
  }

  #told({ list: { family, table = '', set = '' }, action, elements }: ElementChange): MonitorEvent[] {
    const known = this.#sets.find({ family, table, set })
    if (!known) return []
    const form = formOf(known.raw)
    const elem = decodeElements(inOrder(elements, form.key), elementForm(form))
    if (elem.length === 0) return []
    return [{ type: 'change', action, object: { element: { family: publicFamily(family), table, name: set, elem } } }]
  }
}

const deletions: readonly number[] = [
  messages.delTable,
  messages.delChain,
  messages.delRule,
  messages.delSet,
  messages.delSetElem,
  messages.delObj,
  messages.delFlowtable,
]
function actionOf({ type, flags }: Notification): 'add' | 'insert' | 'delete' {
  if (deletions.includes(type)) return 'delete'
  return type === messages.newRule && !(flags & requestFlags.append) ? 'insert' : 'add'
}
