// The kinds of named objects that there are verbs for, in one place.
import { ctExpectationKind, ctHelperKind, ctTimeoutKind, secmarkKind, synproxyKind } from './connection-objects.js'
import { counterKind, limitKind, type ObjectKind, quotaKind, type RawObject, toObject } from './named-objects.js'
import type { RulesetObject } from './objects.js'
import type { NamedRef } from './references.js'

const kinds = [counterKind, quotaKind, limitKind, ctHelperKind, ctTimeoutKind, ctExpectationKind, secmarkKind, synproxyKind]
const byType = new Map(kinds.map(kind => [kind.type as string, kind as unknown as ObjectKind<NamedRef>]))

/** Any object as an entry of a rule set; undefined for kinds that JSON has no words for. */
export function toRulesetObject(raw: RawObject): RulesetObject | undefined {
  const kind = byType.get(raw.type ?? '')
  return kind && ({ [kind.what]: toObject(kind, raw) } as unknown as RulesetObject)
}
