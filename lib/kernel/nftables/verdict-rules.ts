// A rule set in the form in which packets are judged by it: base chains in the order in which they see a packet, chains by name, sets and objects at hand.

import type { Decoded } from '../../codec/codec.js'
import type { object as objectTable } from '../../protocol/nftables/object.js'
import type { Scope } from '../scope.js'
import type { RawChain } from './chain-object.js'
import { toChain } from './chain-object.js'
import { hookName, publicFamily } from './family.js'
import type { Family, Hook } from './fields.js'
import { asList } from './references.js'
import { type RawRule, toRule } from './rule-object.js'
import { type RawSetWithElements, readSnapshot, type Snapshot } from './snapshot.js'
import { nftText } from './text.js'
import { chainLines } from './text-object.js'
import { type Facts, readFacts } from './verdict-facts.js'
import { trackedFamilies } from './verdict-tracking.js'
import type { About } from './verdict-traffic.js'

export type RawObject = Decoded<typeof objectTable>
export interface JudgedChain {
  readonly family: Family
  readonly table: string
  readonly name: string
  readonly raw: RawChain
  readonly rules: readonly RawRule[]
  /** The priority at which it sees packets. */
  readonly priority: number
}
export interface JudgedRules {
  readonly generation: number
  readonly facts: Facts
  /** Families for which conntrack is needed, as far as nftables tells. */
  readonly tracked: ReadonlySet<4 | 6 | 'bridge'>
  /** Of the hook and the families that see the packet, in their order. */
  bases(about: About): JudgedChain[]
  chain(like: JudgedChain, name: string): JudgedChain | undefined
  set(like: JudgedChain, name: string): RawSetWithElements | undefined
  object(like: JudgedChain, type: number | string, name: string): RawObject | undefined
  /** The rule as nft prints it. */
  textOf(rule: RawRule): string
  /** What nft prints before the rules of a base chain. */
  headOf(chain: JudgedChain): string
}

export async function readJudgedRules(scope: Scope, signal?: AbortSignal): Promise<JudgedRules> {
  const snapshot = await readSnapshot(scope, signal ? { signal } : {}, 'judge packet')
  return judgedRules(snapshot, await readFacts(scope, snapshot))
}

/** Chains for address translation are called at these, whatever their own priority, which only tells their order among themselves. */
const translation: Partial<Record<Hook, number>> = { prerouting: -100, output: -100, postrouting: 100, input: 100 }

export function judgedRules(snapshot: Snapshot, facts: Facts): JudgedRules {
  const { tables, chains, rules, sets, objects, generation } = snapshot
  const byChain = new Map<string, RawRule[]>()
  for (const rule of rules) {
    const key = keyOf(rule.family, rule.table, rule.chain)
    const known = byChain.get(key)
    if (known) known.push(rule)
    else byChain.set(key, [rule])
  }
  const judged = chains.map((raw): JudgedChain => {
    const { table = '', name = '', hook } = raw
    const family = publicFamily(raw.family)
    const priority = hook?.priority ?? 0
    const fixed = hook && raw.type === 'nat' ? translation[hookName(family, hook.hooknum ?? -1)] : undefined
    return { family, table, name, raw, rules: byChain.get(keyOf(raw.family, table, name)) ?? [], priority: fixed ?? priority }
  })
  const byName = new Map(judged.map(chain => [keyOf(chain.family, chain.table, chain.name), chain]))
  const ownSets = (family: string | number, table: string | undefined) =>
    sets.filter(({ raw }) => raw.family === family && raw.table === table)
  const setsByName = new Map(sets.map(set => [keyOf(publicFamily(set.raw.family), set.raw.table, set.raw.name), set]))
  const handles = new Map(tables.map(({ family, name, handle }) => [keyOf(publicFamily(family), name), handle ?? 0]))
  const asleep = new Set(
    tables.filter(({ flags }) => flags?.includes('dormant')).map(({ family, name }) => keyOf(publicFamily(family), name)),
  )
  const age = ({ family, table }: JudgedChain) => handles.get(keyOf(family, table)) ?? 0
  return {
    generation,
    facts,
    tracked: trackedFamilies(snapshot),
    bases: about =>
      judged
        .filter(chain => sees(chain, about) && !asleep.has(keyOf(chain.family, chain.table)))
        // Of equals the one that was registered last comes first; how old chains are the kernel tells by handles, within a table, and of tables.
        .sort(
          (a, b) =>
            a.priority - b.priority ||
            (a.raw.hook?.priority ?? 0) - (b.raw.hook?.priority ?? 0) ||
            age(b) - age(a) ||
            (b.raw.handle ?? 0) - (a.raw.handle ?? 0),
        ),
    chain: ({ family, table }, name) => byName.get(keyOf(family, table, name)),
    set: ({ family, table }, name) => setsByName.get(keyOf(family, table, name)),
    object: ({ family, table }, type, name) =>
      objects.find(one => publicFamily(one.family) === family && one.table === table && one.type === type && one.name === name),
    textOf: rule => nftText(toRule(rule, ownSets(rule.family, rule.table), facts.interfaces)),
    headOf: ({ raw }) => chainLines(toChain(raw)).at(-1) ?? '',
  }
}
const keyOf = (...words: (string | number | undefined)[]) => words.join('\0')

function sees({ family, raw }: JudgedChain, { hook, bridge, packet, iif, oif }: About): boolean {
  if (!raw.hook || hookName(family, raw.hook.hooknum ?? -1) !== hook) return false
  if (hook === 'ingress' || hook === 'egress') {
    const devices = raw.hook.devs ?? asList(raw.hook.dev)
    const device = hook === 'ingress' ? iif : oif
    return (family === 'netdev' || family === 'inet') && devices.some(name => isOfDevice(name, device ?? ''))
  }
  if (bridge) return family === 'bridge'
  if (packet.arp) return family === 'arp'
  return family === 'inet' || family === familyOf(packet.from, packet.to)
}
/** A name that ends in '*' stands for all that begin so (kernel ≥ 6.16). */
const isOfDevice = (name: string, device: string) => (name.endsWith('*') ? device.startsWith(name.slice(0, -1)) : name === device)
const familyOf = (from: string, to: string): Family => ((from === 'unknown' ? to : from).includes(':') ? 'ip6' : 'ip')
