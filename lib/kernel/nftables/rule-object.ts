// Rules as callers see them.
import type { Decoded } from '../../codec/codec.js'
import type { rule as ruleTable } from '../../protocol/nftables/rule.js'
import { present } from '../arguments.js'
import type { Scope } from '../scope.js'
import type { InterfaceNames } from './datatype-codecs.js'
import { delinearize } from './delinearize.js'
import type { KnownSet } from './delinearize-context.js'
import { publicFamily } from './family.js'
import { readInterfaces } from './interfaces.js'
import type { RuleObject } from './objects.js'
import { setTypes } from './rule-message.js'
import { formOf } from './set-form.js'
import { isNamed } from './set-object.js'
import type { RawSetWithElements } from './snapshot.js'
import { commentOf } from './userdata.js'

export type RawRule = Decoded<typeof ruleTable>
/** A rule that is there. */
export type Rule = RuleObject & { readonly handle: number }

function knownSet({ raw, elements }: RawSetWithElements): KnownSet {
  const { dataLen, objType, desc } = raw
  return {
    ...setTypes(formOf(raw)),
    ...(isNamed(raw) ? {} : { elements, ...present({ size: desc?.size || undefined }) }),
    ...present({ dataLength: dataLen, objectType: typeof objType === 'string' ? objType : undefined }),
  }
}

/** `sets` are those of the rule's table. */
export function toRule(raw: RawRule, sets: readonly RawSetWithElements[], interfaces: InterfaceNames | undefined): Rule {
  const { table = '', chain = '', handle = 0, userdata, expressions = [] } = raw
  const family = publicFamily(raw.family)
  const find = (name: string): KnownSet | undefined => {
    const found = sets.find(set => set.raw.name === name)
    return found && knownSet(found)
  }
  const expr = delinearize(expressions, { family, sets: find, ...present({ interfaces }) })
  return present({ family, table, chain, handle, comment: commentOf(userdata), expr }) as Rule
}

const byIndex = ['iif', 'oif']
/** The names of links, if a rule has the number of one. */
export async function interfacesFor(scope: Scope, rules: readonly RawRule[]): Promise<InterfaceNames | undefined> {
  const numbered = rules.some(({ expressions = [] }) =>
    expressions.some(({ name, data }) => name === 'dup' || name === 'fwd' || (name === 'meta' && byIndex.includes(String(data?.key)))),
  )
  return numbered ? readInterfaces(scope) : undefined
}
