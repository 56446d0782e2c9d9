// namespace.nftables: the rule set of one namespace.
import type { Scope } from '../scope.js'
import { chainReads } from './chains.js'
import { changeVerbs } from './changes.js'
import { elementReads } from './element-verbs.js'
import { counterKind, limitKind, quotaKind } from './named-objects.js'
import { objectReads } from './object-verbs.js'
import type { MapObject, RulesetObject, SetObject } from './objects.js'
import { setReads } from './sets.js'
import { tableReads } from './tables.js'
import { atOnce, type Transaction, type TransactionOptions, transact } from './transaction.js'

export function nftablesVerbs(scope: Scope) {
  const changes = changeVerbs<true>(atOnce(scope))
  return {
    tables: { ...changes.tables, ...tableReads(scope) },
    chains: { ...changes.chains, ...chainReads(scope) },
    sets: { ...changes.sets, ...setReads<SetObject>('set', scope) },
    maps: { ...changes.maps, ...setReads<MapObject>('map', scope) },
    elements: { ...changes.elements, ...elementReads(scope) },
    counters: { ...changes.counters, ...objectReads(counterKind, scope) },
    quotas: { ...changes.quotas, ...objectReads(quotaKind, scope) },
    limits: { ...changes.limits, ...objectReads(limitKind, scope) },

    /**
     * Carries out everything that `build` asks for, or nothing: `transaction(t => { t.tables.create(…); t.chains.create(…) })`.
     * An error names the change that was refused, 'chains[1]', and in `errors` has all of them. With `echo` it gives what was made.
     */
    transaction(build: (transaction: Transaction) => void, options?: TransactionOptions): Promise<RulesetObject[]> {
      return transact(scope, build, options)
    },
  }
}
