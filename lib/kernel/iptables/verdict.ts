// What becomes of a packet in the tables of iptables: let through, dropped by this rule or that policy, or not to be told from what is known.
import { type IptablesPacket, type Judged, judged, type PacketHook } from './packet.js'
import type { IptablesBackend, ReadChain, ReadRule, ReadTable } from './rule.js'
import { passing, refusing, translating } from './targets.js'

/** Where something was decided, or could not be. */
export interface IptablesPlace {
  readonly backend: IptablesBackend
  readonly family: 4 | 6
  readonly table: string
  readonly chain: string
  /** The rule's number in its chain; absent: the chain's policy. */
  readonly number?: number
  /** '-i br0 -j DROP', or 'policy DROP'. */
  readonly text: string
}
export interface IptablesVerdict {
  readonly verdict: 'accept' | 'drop' | 'unknown'
  /** What drops it. */
  readonly by?: IptablesPlace
  /** What could not be judged, where that decides. */
  readonly unknown: readonly IptablesPlace[]
  /** Backends whose tables may not be read. */
  readonly unreadable: readonly IptablesBackend[]
}

/** The order in which a hook's tables see a packet (NF_IP_PRI_). */
const tableOrder = ['raw', 'mangle', 'nat', 'filter', 'security']
const late = ['raw', 'mangle', 'filter', 'security', 'nat']

/** The packet as it is by now. */
interface Journey {
  packet: Judged
}
type Outcome = { readonly kind: 'accept' | 'fall' } | { readonly kind: 'drop'; readonly by: IptablesPlace } | Unsure
type Unsure = { readonly kind: 'unknown'; readonly places: readonly IptablesPlace[] }
const accept: Outcome = { kind: 'accept' }
const fall: Outcome = { kind: 'fall' }
/** A chain that is gone through again within itself: the kernel would not have taken it. */
const deepest = 64

export function verdictOf(
  tables: readonly ReadTable[],
  packet: IptablesPacket,
  unreadable: readonly IptablesBackend[],
  more: Pick<Judged, 'kindsOf'> = {},
): IptablesVerdict {
  const asked = judged(packet, more)
  const journey: Journey = { packet: asked }
  const order = asked.hook === 'input' || asked.hook === 'postrouting' ? late : tableOrder
  const met = tables.filter(({ family }) => family === asked.family).sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
  const unknown: IptablesPlace[] = []
  for (const table of met) {
    // Connections that are known already do not come to the tables of nat.
    if (table.name === 'nat' && asked.state !== 'new') continue
    const chain = table.chains.find(({ name, policy }) => policy !== undefined && name === chainName(asked.hook))
    if (!chain) continue
    const outcome = new Judge(table, journey).builtIn(chain)
    if (outcome.kind === 'drop') return { verdict: 'drop', by: outcome.by, unknown: [], unreadable }
    if (outcome.kind === 'unknown') unknown.push(...outcome.places)
  }
  return { verdict: unknown.length > 0 || unreadable.length > 0 ? 'unknown' : 'accept', unknown, unreadable }
}
const chainName = (hook: PacketHook) => hook.toUpperCase()

class Judge {
  readonly #table: ReadTable
  readonly #journey: Journey

  constructor(table: ReadTable, journey: Journey) {
    this.#table = table
    this.#journey = journey
  }

  builtIn(chain: ReadChain): Outcome {
    const policy: Outcome = chain.policy === 'DROP' ? { kind: 'drop', by: { ...this.#place(chain), text: 'policy DROP' } } : accept
    const outcome = this.#from(chain, 0, policy, 0)
    return outcome.kind === 'fall' ? policy : outcome
  }

  /** What becomes of a packet from a rule on; `end` where no rule decides. */
  #from(chain: ReadChain, start: number, end: Outcome, depth: number): Outcome {
    for (let i = start; i < chain.rules.length; i++) {
      const rule = chain.rules[i]!
      const fits = rule.fits(this.#journey.packet)
      if (fits === false) continue
      const target = this.#target(chain, rule, depth)
      if (target === undefined) continue
      const reached = target.kind === 'fall' ? end : target
      if (fits && target.kind !== 'unknown') return reached
      // It may fit or not: that matters only if what follows leads elsewhere.
      const otherwise = this.#from(chain, i + 1, end, depth)
      if (target.kind === 'unknown') return merge(target, otherwise)
      return reached.kind === otherwise.kind ? otherwise : unsure(this.#at(chain, rule), reached, otherwise)
    }
    return end
  }

  /** Undefined: the packet goes on with the next rule. */
  #target(chain: ReadChain, rule: ReadRule, depth: number): Outcome | undefined {
    const { name, goto } = rule.target
    if (name === '' || passing.includes(name)) {
      this.#change(name)
      return undefined
    }
    // On its way out a packet meets the other tables with the new address.
    if (translating.includes(name) && this.#journey.packet.hook === 'output') return { kind: 'unknown', places: [this.#at(chain, rule)] }
    if (name === 'ACCEPT' || translating.includes(name)) return accept
    if (name === 'DROP' || refusing.includes(name)) return { kind: 'drop', by: this.#at(chain, rule) }
    if (name === 'RETURN') return fall
    const next = this.#table.chains.find(one => one.name === name)
    if (!next || depth >= deepest) return { kind: 'unknown', places: [this.#at(chain, rule)] }
    const outcome = this.#from(next, 0, fall, depth + 1)
    return outcome.kind === 'fall' && !goto ? undefined : outcome
  }

  /** What rules that are met later can no longer be told about. */
  #change(target: string): void {
    const { packet } = this.#journey
    if (target === 'MARK' || target === 'CONNMARK') this.#journey.packet = { ...packet, mark: undefined }
    if (target === 'CT' || target === 'NOTRACK') this.#journey.packet = { ...packet, state: undefined }
  }

  #at = (chain: ReadChain, rule: ReadRule): IptablesPlace => ({ ...this.#place(chain), number: rule.number, text: rule.text })

  #place({ name }: ReadChain): Omit<IptablesPlace, 'text'> {
    const { backend, family, name: table } = this.#table
    return { backend, family, table, chain: name }
  }
}

const places = (outcome: Outcome) => (outcome.kind === 'unknown' ? outcome.places : [])
const unsure = (place: IptablesPlace, ...others: Outcome[]): Unsure => ({ kind: 'unknown', places: [place, ...others.flatMap(places)] })
const merge = (first: Unsure, second: Outcome): Unsure => ({ kind: 'unknown', places: [...first.places, ...places(second)] })
