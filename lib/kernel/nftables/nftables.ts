// namespace.nftables: the rule set of one namespace.
import { present } from '../arguments.js'
import type { Scope } from '../scope.js'
import { type Applied, type ApplyOptions, apply } from './apply.js'
import { chainReads } from './chains.js'
import { changeVerbs } from './changes.js'
import { commit } from './commit.js'
import { ctExpectationKind, ctHelperKind, ctTimeoutKind, secmarkKind, synproxyKind } from './connection-objects.js'
import { elementReads } from './element-verbs.js'
import { flowtableReads } from './flowtables.js'
import { listRuleset, type RulesetListing } from './list.js'
import { type MonitorEvent, type MonitorOptions, monitorRuleset } from './monitor.js'
import { counterKind, limitKind, quotaKind } from './named-objects.js'
import { countedReads, objectReads } from './object-verbs.js'
import type { MapObject, Ruleset, RulesetObject, SetObject } from './objects.js'
import type { Transaction } from './record.js'
import { checkTableFilter, type ObjectFilter, type TableFilter } from './references.js'
import { ruleReads } from './rules.js'
import { setReads } from './sets.js'
import { flushRuleset, tableReads } from './tables.js'
import { type TraceEvent, type TraceOptions, tracePackets } from './trace.js'
import { atOnce, type TransactionOptions, transact } from './transaction.js'
import { type NftablesVerdict, nftablesVerdict } from './verdict.js'
import type { NftablesPacket } from './verdict-packet.js'

export function nftablesVerbs(scope: Scope) {
  const changes = changeVerbs<true>(atOnce(scope))
  return {
    tables: { ...changes.tables, ...tableReads(scope) },
    chains: { ...changes.chains, ...chainReads(scope) },
    rules: { ...changes.rules, ...ruleReads(scope) },
    sets: { ...changes.sets, ...setReads<SetObject>('set', scope) },
    maps: { ...changes.maps, ...setReads<MapObject>('map', scope) },
    elements: { ...changes.elements, ...elementReads(scope) },
    counters: { ...changes.counters, ...countedReads(counterKind, scope) },
    quotas: { ...changes.quotas, ...countedReads(quotaKind, scope) },
    limits: { ...changes.limits, ...countedReads(limitKind, scope) },
    /** What connections of a protocol are helped by, FTP's second one for example; rules assign it with `{ 'ct helper': name }`. */
    ctHelpers: { ...changes.ctHelpers, ...objectReads(ctHelperKind, scope) },
    /** How long connections are remembered; rules assign it with `{ 'ct timeout': name }`. */
    ctTimeouts: { ...changes.ctTimeouts, ...objectReads(ctTimeoutKind, scope) },
    /** Connections that are to be expected because of another one; rules assign it with `{ 'ct expectation': name }`. */
    ctExpectations: { ...changes.ctExpectations, ...objectReads(ctExpectationKind, scope) },
    /** Labels of a security module for packets. Kernels without CONFIG_NETWORK_SECMARK refuse them. */
    secmarks: { ...changes.secmarks, ...objectReads(secmarkKind, scope) },
    /** How a SYN proxy answers for the servers behind it; rules name it with `{ synproxy: name }`. */
    synproxies: { ...changes.synproxies, ...objectReads(synproxyKind, scope) },
    flowtables: { ...changes.flowtables, ...flowtableReads(scope) },

    /**
     * The whole rule set, or that of a family or table, as `nft -j list ruleset` has it, in one state: read again if others change it meanwhile.
     *
     * Errors: EAGAIN they never stopped.
     */
    list: (filter?: ObjectFilter): Promise<RulesetListing> => listRuleset(scope, filter),

    /** Removes everything, of all tables or of those of a family; also what others have made. */
    async flush(filter: TableFilter = {}): Promise<void> {
      checkTableFilter(filter)
      await commit(
        scope,
        () => ({ changes: [flushRuleset(scope, filter)] }),
        present({ operation: 'flush rule set', signal: filter.signal }),
      )
    },

    /**
     * Carries out everything that `build` asks for, or nothing: `transaction(t => { t.tables.create(…); t.chains.create(…) })`.
     * An error names the change that was refused, 'chains[1]', and in `errors` has all of them. With `echo` it gives what was made.
     */
    transaction(build: (transaction: Transaction) => void, options?: TransactionOptions): Promise<RulesetObject[]> {
      return transact(scope, build, options)
    },

    /**
     * Makes one table what `desired` says: its chains, rules, sets and named objects, all that it shall have. Only what differs is sent, in one transaction;
     * rules that stay keep their handles and what they have counted, and so do counters and quotas. No other table is touched. Told apart are rules by what they
     * were made from: a rule that somebody else has put into the table goes. A second call changes nothing, and says so: `{ changes: 0 }`.
     */
    apply(desired: Ruleset | readonly RulesetObject[], options?: ApplyOptions): Promise<Applied> {
      return apply(scope, desired, options)
    },

    /**
     * Changes of the rule set as they happen, as `nft -j monitor` prints them, whoever makes them: `for await (const event of nftables.monitor())`.
     * Ends when its loop is left, or with AbortError by the signal.
     */
    monitor: (options?: MonitorOptions): AsyncGenerator<MonitorEvent, void> => monitorRuleset(scope, options),

    /**
     * What becomes of packets, rule by rule, as `nft monitor trace` tells it: `for await (const step of nftables.trace({ match: [nft.tcp.dport(80)] }))`.
     * With `match` a table of our own marks them, which goes with the iterator. Errors: EOPNOTSUPP, EINVAL with `match` on kernels before 5.12.
     */
    trace: (options?: TraceOptions): AsyncGenerator<TraceEvent, void> => tracePackets(scope, options),

    /**
     * What becomes of a packet at one hook: 'accept'; 'drop', with the rule or policy that does it; 'unknown', with the rules that decide and could not be
     * judged by what was said of the packet. All base chains of that hook are gone through in their order, those of iptables-nft among them, but not the
     * tables of iptables-legacy: see iptables.verdict().
     *
     * `verdict({ hook: 'forward', iif: 'br0', oif: 'eth0', from: '10.0.0.2', to: '192.0.2.1', protocol: 'tcp', destinationPort: 80 })`
     */
    verdict: (packet: NftablesPacket): Promise<NftablesVerdict> => nftablesVerdict(scope, packet),
  }
}
