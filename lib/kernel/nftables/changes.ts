// The verbs that change the rule set, in one place: what a transaction records and what happens at once are the same.
import { chainChanges } from './chains.js'
import { ctExpectationKind, ctHelperKind, ctTimeoutKind, secmarkKind, synproxyKind } from './connection-objects.js'
import { elementChanges } from './element-verbs.js'
import type { Submit } from './entry.js'
import { flowtableChanges } from './flowtables.js'
import { counterKind, limitKind, quotaKind } from './named-objects.js'
import { objectChanges } from './object-verbs.js'
import type { MapObject, SetObject } from './objects.js'
import { ruleEntries } from './rules.js'
import { setChanges } from './sets.js'
import { tableChanges } from './tables.js'

export function changeVerbs<Live extends boolean>(submit: Submit<Live>) {
  return {
    tables: tableChanges(submit),
    chains: chainChanges(submit),
    rules: ruleEntries(submit),
    sets: setChanges<Live, SetObject>('set', submit),
    maps: setChanges<Live, MapObject>('map', submit),
    elements: elementChanges(submit),
    counters: objectChanges(counterKind, submit),
    quotas: objectChanges(quotaKind, submit),
    limits: objectChanges(limitKind, submit),
    ctHelpers: objectChanges(ctHelperKind, submit),
    ctTimeouts: objectChanges(ctTimeoutKind, submit),
    ctExpectations: objectChanges(ctExpectationKind, submit),
    secmarks: objectChanges(secmarkKind, submit),
    synproxies: objectChanges(synproxyKind, submit),
    flowtables: flowtableChanges(submit),
  }
}
