// What the rules of nftables in a namespace do with a packet at one hook: every chain that drops it, as if those before were cured, and the packet behind them.
import { judge } from '../kernel/nftables/verdict.js'
import type { NftablesPacket } from '../kernel/nftables/verdict-packet.js'
import { type JudgedRules, readJudgedRules } from '../kernel/nftables/verdict-rules.js'
import type { NftablesPlace } from '../kernel/nftables/verdict-walk.js'
import { scoped } from '../kernel/scope.js'
import type { Place } from './world.js'

/** A base chain in which the packet ends. */
export interface NftDrop {
  readonly by: NftablesPlace
  /** Where an accepting rule would let it through. */
  readonly base: NftablesPlace
}
export interface NftFindings {
  readonly drops: readonly NftDrop[]
  readonly unknown: readonly NftablesPlace[]
  /** The base chains that it meets. */
  readonly bases: readonly NftablesPlace[]
  readonly packet: NftablesPacket
}

export const judgeNft = async (place: Place, asked: NftablesPacket): Promise<NftFindings> =>
  dropsIn(await place.once('nftables', () => readJudgedRules(place.namespace[scoped])), asked)

export function dropsIn(rules: JudgedRules, asked: NftablesPacket): NftFindings {
  const drops: NftDrop[] = []
  const cured = new Set<string>()
  for (;;) {
    const { verdict, by, steps, unknown, packet } = judge(
      { ...rules, bases: about => rules.bases(about).filter(one => !cured.has(keyOf(one))) },
      asked,
    )
    const bases = steps.filter(step => step.type === 'chain' && step.text !== '')
    const base = bases.at(-1)
    if (verdict !== 'drop' || !by || !base) return { drops, unknown, bases: [...drops.map(drop => drop.base), ...bases], packet }
    drops.push({ by, base })
    cured.add(keyOf({ ...base, name: base.chain }))
  }
}
const keyOf = ({ family, table, name }: { family: string; table: string; name: string }) => [family, table, name].join(' ')
