// list(): the rule set of a namespace as libnftables' JSON has it, read as one state.
import type { Scope } from '../scope.js'
import { toChain } from './chain-object.js'
import type { InterfaceNames } from './datatype-codecs.js'
import { elementForm } from './element-verbs.js'
import { decodeElements } from './elements.js'
import { toFlowtable } from './flowtable-object.js'
import { inOrder } from './intervals.js'
import { toRulesetObject } from './object-kinds.js'
import type { MapObject, Ruleset, RulesetObject, SetObject } from './objects.js'
import { checkObjectFilter, type ObjectFilter } from './references.js'
import { interfacesFor, toRule } from './rule-object.js'
import { formOf } from './set-form.js'
import { isMap, isNamed, toSet } from './set-object.js'
import { type RawSetWithElements, readSnapshot, type Snapshot } from './snapshot.js'
import { toTable } from './tables.js'

export interface RulesetListing extends Ruleset {
  /** The number of the state that this is; a transaction can be refused in any other. */
  readonly generation: number
}

export async function listRuleset(scope: Scope, filter: ObjectFilter = {}): Promise<RulesetListing> {
  checkObjectFilter(filter)
  const snapshot = await readSnapshot(scope, filter, 'list rule set')
  return { generation: snapshot.generation, nftables: rulesetObjects(snapshot, await interfacesFor(scope, snapshot.rules)) }
}

function rulesetObjects(
  { tables, chains, sets, objects, flowtables, rules }: Snapshot,
  interfaces: InterfaceNames | undefined,
): RulesetObject[] {
  return tables.flatMap((table): RulesetObject[] => {
    const within = <T extends { family: string | number; table?: string | undefined }>(raw: T) =>
      raw.family === table.family && raw.table === table.name
    const ownSets = sets.filter(({ raw }) => within(raw))
    const ownChains = chains.filter(within)
    const position = new Map(ownChains.map(({ name }, i) => [name, i]))
    const inChains = rules.filter(within).sort((a, b) => (position.get(a.chain) ?? 0) - (position.get(b.chain) ?? 0))
    return [
      { table: toTable(table) },
      ...objects.filter(within).flatMap(raw => toRulesetObject(raw) ?? []),
      ...ownSets.filter(({ raw }) => isNamed(raw)).map(withElements),
      ...flowtables.filter(within).map(raw => ({ flowtable: toFlowtable(raw) })),
      ...ownChains.map(raw => ({ chain: toChain(raw) })),
      ...inChains.map(raw => ({ rule: toRule(raw, ownSets, interfaces) })),
    ]
  })
}

function withElements({ raw, elements }: RawSetWithElements): RulesetObject {
  const form = formOf(raw)
  const elem = decodeElements(inOrder(elements, form.key), elementForm(form))
  const set = { ...toSet(raw), ...(elem.length ? { elem } : {}) }
  return isMap(raw) ? { map: set as MapObject } : { set: set as SetObject }
}
