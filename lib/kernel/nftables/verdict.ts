// nftables.verdict(): what becomes of a packet at one hook of the rule set, and by which rule.
import type { Scope } from '../scope.js'
import { ctStateNames } from './datatype-names.js'
import type { NftablesPacket } from './verdict-packet.js'
import { type JudgedChain, type JudgedRules, readJudgedRules } from './verdict-rules.js'
import { type About, enter, leave, merged, numberOf, type Traffic } from './verdict-traffic.js'
import { type NftablesPlace, type NftablesStep, type Outcome, unique, Walk } from './verdict-walk.js'

export interface NftablesVerdict {
  readonly verdict: 'accept' | 'drop' | 'unknown'
  /** What drops it; where it can't be told which of several does, the last of them. */
  readonly by?: NftablesPlace
  /** It is dropped by `reject`: the sender is told. */
  readonly rejects?: boolean
  /** Each chain and rule that it meets, in order; of rules those that fit, or may. */
  readonly steps: readonly NftablesStep[]
  /** What could not be judged, where that decides. */
  readonly unknown: readonly NftablesPlace[]
  /** The packet behind this hook: with the addresses and marks that rules have given it. */
  readonly packet: NftablesPacket
}

export async function nftablesVerdict(scope: Scope, packet: NftablesPacket): Promise<NftablesVerdict> {
  // What can't be is said before anything is read.
  enter(packet)
  return judge(await readJudgedRules(scope), packet)
}

/** The same by a rule set that was read before. */
export function judge(rules: JudgedRules, packet: NftablesPacket): NftablesVerdict {
  const { about, traffic: first } = enter(packet)
  const walk = new Walk(rules, about)
  const unknown: NftablesPlace[] = []
  let traffic = first
  for (const chain of rules.bases(about)) {
    const meets = chain.raw.type === 'nat' ? meetsTranslation(rules, about, traffic) : true
    if (meets === false) continue
    const outcome = meets ? walk.base(chain, traffic) : perhaps(walk, chain, traffic)
    if (outcome.kind === 'drop') {
      const { by, rejects } = outcome
      return { verdict: 'drop', by, ...(rejects ? { rejects } : {}), steps: walk.steps, unknown: [], packet: leave(about, traffic) }
    }
    if (outcome.kind === 'unknown') unknown.push(...outcome.places)
    traffic = outcome.traffic ?? traffic
  }
  return { verdict: unknown.length > 0 ? 'unknown' : 'accept', steps: walk.steps, unknown: unique(unknown), packet: leave(about, traffic) }
}

const icmp = [1, 58]
/** Chains for address translation see the first packet of a connection only, and no more than one of them translates it. */
function meetsTranslation(
  { tracked }: JudgedRules,
  { protocol, family, bridge }: About,
  { state, translated }: Traffic,
): boolean | undefined {
  const number = numberOf(state)
  if (translated) return false
  if (number === ctStateNames.related) return protocol === undefined ? undefined : !icmp.includes(protocol)
  if (number !== undefined && number !== ctStateNames.new) return false
  // Where no rule needs conntrack, there's no connection either, unless iptables-legacy needs it.
  return number === undefined || translated === undefined || !tracked.has(bridge ? 'bridge' : family) ? undefined : true
}

/** A base chain that the packet may not come to. */
function perhaps(walk: Walk, chain: JudgedChain, before: Traffic): Outcome {
  const outcome = walk.base(chain, before, false)
  const traffic = merged([before, ...(outcome.traffic ? [outcome.traffic] : [])])
  return outcome.kind === 'drop' ? { ...outcome, kind: 'unknown', places: [outcome.by], traffic } : { ...outcome, traffic }
}
