// What becomes of packets, rule by rule: trace notifications of nf_tables as an async iterator, the equivalent of `nft monitor trace`.
import type { Decoded } from '../../codec/codec.js'
import { labelOf } from '../../namespace/info.js'
import { netfilterGroups } from '../../protocol/netfilter.js'
import { NETLINK_NETFILTER } from '../../protocol/netlink.js'
import { nftablesMessages } from '../../protocol/nftables/messages.js'
import { trace as traceTable } from '../../protocol/nftables/trace.js'
import { AbortError, orAborted } from '../../socket/error.js'
import { Subscription } from '../../socket/subscription.js'
import { checkOptions, isInteger, isList, isOneOf, isSignal, present } from '../arguments.js'
import type { Scope } from '../scope.js'
import { throwUnlessLeft, WatchHold, WatchIterator } from '../watch-iterator.js'
import type { RulePart } from './builders.js'
import { decodeVerdict } from './element-values.js'
import { publicFamily } from './family.js'
import type { Family } from './fields.js'
import type { Rule } from './rule-object.js'
import type { Statement } from './statement.js'
import { readPacket, type TracePacket } from './trace-packet.js'
import { TraceNames } from './trace-rules.js'
import { legacyTraces, traceTable as makeTable, type TraceTable } from './trace-table.js'

/** What one rule, the end of a chain ('return') or the policy of a base chain has done with a packet. */
export interface TraceStep {
  readonly type: 'rule' | 'return' | 'policy'
  /** The same for all that one packet meets on its way. */
  readonly id: number
  readonly family: Family
  readonly table: string
  readonly chain: string
  readonly handle?: number
  /** The rule of that handle, unless it is gone. */
  readonly rule?: Rule
  /** As a statement: `{ accept: null }`, `{ jump: { target: 'sub' } }`; 'continue' if the rule left it open. */
  readonly verdict?: Statement
  readonly policy?: 'accept' | 'drop'
  /** Links are told with the packet's headers. */
  readonly iif?: string
  readonly oif?: string
  readonly mark?: number
  readonly nfproto?: string
  /** With the first step in each chain at a hook. */
  readonly packet?: TracePacket
}
/**
 * 'ready': packets from here on are told; `legacy` are the tables of iptables-legacy with a rule TRACE, which reach the kernel's log only, never
 * this iterator. 'lost': the reader was too slow and the kernel dropped some.
 */
export type TraceEvent = { readonly type: 'ready'; readonly legacy: readonly string[] } | { readonly type: 'lost' } | TraceStep
export interface TraceOptions {
  /** Traces the packets that this matches, `[nft.tcp.dport(80)]`, by a table of its own that goes with the iterator; without it, rules with `meta nftrace set 1` and iptables-nft's TRACE decide. */
  readonly match?: readonly RulePart[] | undefined
  /** Of the table for `match`; 'inet' by default. */
  readonly family?: 'ip' | 'ip6' | 'inet' | 'bridge'
  readonly signal?: AbortSignal | undefined
  /** Bytes that the kernel may keep for a reader that is behind, before events are lost. */
  readonly receiveBuffer?: number | undefined
}

export function tracePackets(scope: Scope, options: TraceOptions = {}): AsyncGenerator<TraceEvent, void> {
  checkOptions<TraceOptions>(options, {
    match: isList(() => undefined),
    family: isOneOf(['ip', 'ip6', 'inet', 'bridge']),
    signal: isSignal,
    receiveBuffer: isInteger(1, 0x7fff_ffff),
  })
  const hold = new WatchHold(options.signal)
  return new WatchIterator(told(scope, options, hold), hold, `a trace of packets in ${labelOf(scope.info)}`)
}

async function* told(scope: Scope, options: TraceOptions, hold: WatchHold): AsyncGenerator<TraceEvent, void> {
  const { match, family = 'inet', signal, receiveBuffer } = options
  if (signal?.aborted) throw new AbortError('watch', signal)
  const groups = [netfilterGroups.nftrace, netfilterGroups.nftables]
  const subscription = await Subscription.open(scope.handle, NETLINK_NETFILTER, groups, { receiveBuffer })
  let table: TraceTable | undefined
  const release = scope.onClose(() => subscription.close())
  hold.opened(() => {
    release()
    subscription.close()
    // Perhaps nobody asks the iterator any more, who could be told.
    table?.remove().catch(error => process.emitWarning(error as Error))
  })
  const names = new TraceNames(scope)
  try {
    table = match && (await makeTable(scope, family, match))
    // Ended while the table was made, perhaps by somebody who does not come back.
    if (signal?.aborted) throw new AbortError('watch', signal)
    if (hold.ended) return
    yield { type: 'ready', legacy: await legacyTraces(scope) }
    for (;;) {
      const { lost, messages } = await orAborted(subscription.next(), 'watch', signal)
      if (lost) {
        names.changed()
        yield { type: 'lost' }
      }
      for (const { type, view, from, to } of messages)
        if (type === nftablesMessages.newGen) names.changed()
        else if (type === nftablesMessages.trace) {
          const step = await toStep(names, traceTable.read(view, from, to) as Decoded<typeof traceTable>, signal)
          // The end of a chain is told as a rule without a handle before the policy is; it says nothing.
          const empty = step.type === 'rule' && step.handle === undefined && !step.packet
          if (!empty && step.table !== table?.name) yield step
        }
    }
  } catch (error) {
    throwUnlessLeft(error, signal, hold)
  } finally {
    hold.end()
    await table?.remove()
  }
}

async function toStep(names: TraceNames, raw: Decoded<typeof traceTable>, signal: AbortSignal | undefined): Promise<TraceStep> {
  const { id = 0, table = '', chain = '', ruleHandle, policy, verdict, iif, oif, mark, nfproto } = raw
  return present({
    type: raw.type as TraceStep['type'],
    id,
    family: publicFamily(raw.family),
    table,
    chain,
    handle: ruleHandle,
    rule: ruleHandle === undefined ? undefined : await names.rule(raw.family, table, ruleHandle, signal),
    verdict: verdict && (decodeVerdict(verdict) as Statement | undefined),
    policy,
    iif: iif ? await names.link(iif) : undefined,
    oif: oif ? await names.link(oif) : undefined,
    mark: mark || undefined,
    nfproto: nfproto === undefined ? undefined : String(nfproto),
    packet: readPacket(raw, raw.iiftype ?? raw.oiftype),
  }) as TraceStep
}
