// The way of a packet through the chains of a hook: where it may end, what decides it, and each rule on the way.

import type { Verdict } from './expression.js'
import type { Family } from './fields.js'
import type { RawRule } from './rule-object.js'
import type { Ending, Fate } from './verdict-machine.js'
import type { JudgedChain, JudgedRules } from './verdict-rules.js'
import { runRule } from './verdict-run.js'
import { type About, merged, type Traffic } from './verdict-traffic.js'

/** Where something was decided, or could not be. */
export interface NftablesPlace {
  readonly family: Family
  readonly table: string
  readonly chain: string
  /** Of the rule; absent: the chain's policy. */
  readonly handle?: number
  /** As nft prints it: 'iifname "br0" drop', or 'policy drop'. */
  readonly text: string
}
/** A chain that the packet comes to, a rule that it meets, as the kernel's trace tells it, or the policy at the end. */
export interface NftablesStep extends NftablesPlace {
  readonly type: 'chain' | 'rule' | 'policy'
  /** What the rule or the policy says; absent where somebody else decides, or it's one of several. */
  readonly verdict?: Verdict
  /** False where it can't be told whether the packet comes here, or fits. */
  readonly certain: boolean
}

/** One way in which the packet may end in a base chain, if no way before it did. */
interface Exit {
  readonly kind: 'accept' | 'drop' | 'unknown'
  readonly by: NftablesPlace
  readonly rejects: boolean
  readonly traffic: Traffic
  /** What would have to be known; none: it ends here. */
  readonly guards: readonly NftablesPlace[]
}
export interface Outcome {
  readonly kind: 'accept' | 'drop' | 'unknown'
  readonly by: NftablesPlace
  readonly rejects: boolean
  readonly places: readonly NftablesPlace[]
  /** The packet behind the chain, if it may come so far. */
  readonly traffic: Traffic | undefined
}

/** A chain that is gone through again within itself: the kernel would not have taken it. */
const deepest = 64
/** Conntrack sees packets at this priority of prerouting and output, as early as that. */
const conntrack = -200

export class Walk {
  readonly steps: NftablesStep[] = []
  readonly #rules: JudgedRules
  readonly #about: About
  /** Whether the packet surely comes so far. */
  #sure = true

  constructor(rules: JudgedRules, about: About) {
    this.#rules = rules
    this.#about = about
  }

  /** From the first rule of a base chain to its end; not `sure`: it may not come there at all. */
  base(chain: JudgedChain, traffic: Traffic, sure = true): Outcome {
    const exits: Exit[] = []
    this.#sure &&= sure
    this.#step('chain', this.#place(chain, this.#rules.headOf(chain)), this.#sure)
    const left = this.#through(chain, traffic, { exits, guards: [], depth: 0, base: chain })
    if (left) {
      const kind = chain.raw.policy === 'drop' ? 'drop' : 'accept'
      const by = this.#place(chain, `policy ${kind}`)
      this.#step('policy', by, this.#isCertain(exits, []), kind === 'drop' ? { drop: null } : { accept: null })
      exits.push({ kind, by, rejects: false, traffic: left, guards: [] })
    }
    const outcome = together(exits)
    if (outcome.kind === 'unknown') this.#sure = false
    return outcome
  }
  /** Nothing before may have ended the way, and nothing has to be known to come here. */
  #isCertain = (exits: readonly Exit[], guards: readonly NftablesPlace[]) => this.#sure && exits.length === 0 && guards.length === 0

  /** What comes out at the end of a chain. */
  #through(chain: JudgedChain, first: Traffic, way: Way): Traffic | undefined {
    let traffic = first
    const returned: Traffic[] = []
    let guards = way.guards
    for (const rule of chain.rules) {
      const place = { about: this.#about, rules: this.#rules, chain, tracked: this.#tracked(way.base) }
      const run = runRule(rule.expressions ?? [], place, traffic)
      if (run.fits === false) {
        traffic = merged(run.broken)!
        continue
      }
      const at = this.#at(chain, rule)
      const sure = run.fits === true
      const inside = sure ? guards : [...guards, at]
      const onward = [...run.broken]
      const certain = this.#isCertain(way.exits, inside)
      for (const ending of run.endings) {
        this.#step('rule', at, certain, ending.fate)
        const next = this.#follow(chain, at, ending, { ...way, guards: inside })
        if (next === undefined) continue
        if (next !== 'returns' && !next.goto) {
          onward.push(next.traffic)
          continue
        }
        returned.push(next === 'returns' ? ending.traffic : next.traffic)
        // What stands behind it is met only where it does not fit.
        if (!sure) guards = inside
      }
      const rest = merged(onward)
      if (!rest) return merged(returned)
      traffic = rest
    }
    return merged([...returned, traffic])
  }

  /** Where the packet goes on; undefined if it ends here. */
  #follow(chain: JudgedChain, at: NftablesPlace, ending: Ending, way: Way): { traffic: Traffic; goto: boolean } | 'returns' | undefined {
    const { fate, traffic, rejects = false } = ending
    const exit = (kind: Exit['kind'], more: readonly NftablesPlace[] = []) => {
      way.exits.push({ kind, by: at, rejects, traffic, guards: [...way.guards, ...more] })
      return undefined
    }
    if (fate === 'unknown') return exit('unknown', [at])
    if ('accept' in fate) return exit('accept')
    if ('drop' in fate) return exit('drop')
    if ('continue' in fate) return { traffic, goto: false }
    if ('return' in fate) return 'returns'
    const target = 'jump' in fate ? fate.jump.target : fate.goto.target
    const next = this.#rules.chain(chain, target)
    if (!next || way.depth >= deepest) return exit('unknown', [at])
    this.#step('chain', this.#place(next, ''), this.#isCertain(way.exits, way.guards))
    const left = this.#through(next, traffic, { ...way, depth: way.depth + 1 })
    return left && { traffic: left, goto: 'goto' in fate }
  }

  #tracked({ raw, priority }: JudgedChain): boolean {
    const { hook } = this.#about
    if (hook === 'ingress' || hook === 'egress' || this.#about.packet.arp) return false
    return (hook !== 'prerouting' && hook !== 'output') || (raw.type === 'nat' ? priority : (raw.hook?.priority ?? 0)) >= conntrack
  }

  #step(type: NftablesStep['type'], place: NftablesPlace, certain: boolean, fate?: Fate): void {
    this.steps.push({ type, ...place, ...(fate === undefined || fate === 'unknown' ? {} : { verdict: fate }), certain })
  }
  #place = ({ family, table, name }: JudgedChain, text: string): NftablesPlace => ({ family, table, chain: name, text })
  #at(chain: JudgedChain, rule: RawRule): NftablesPlace {
    const { family, table, name } = chain
    return { family, table, chain: name, ...(rule.handle === undefined ? {} : { handle: rule.handle }), text: this.#rules.textOf(rule) }
  }
}

interface Way {
  readonly exits: Exit[]
  /** What the packet's coming here depends on. */
  readonly guards: readonly NftablesPlace[]
  readonly depth: number
  readonly base: JudgedChain
}

/** From the last exit, which it takes if it takes none before, to the first: those that lead elsewhere make it unsure. */
function together(exits: readonly Exit[]): Outcome {
  const last = exits.at(-1)!
  let kind = last.kind
  const places: NftablesPlace[] = kind === 'unknown' ? [...last.guards] : []
  for (const exit of exits.slice(0, -1).reverse()) {
    if (exit.kind === kind && kind !== 'unknown') continue
    kind = 'unknown'
    places.unshift(...exit.guards)
  }
  const going = exits.filter(exit => exit.kind !== 'drop').map(exit => exit.traffic)
  return { kind, by: last.by, rejects: last.rejects, places: unique(places), traffic: merged(going) }
}
export const unique = (places: readonly NftablesPlace[]): NftablesPlace[] => [
  ...new Map(places.map(place => [JSON.stringify([place.family, place.table, place.chain, place.handle, place.text]), place])).values(),
]
