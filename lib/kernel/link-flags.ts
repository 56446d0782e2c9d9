// The flags word of a link as a number, for those who know it from ifconfig.
import { constantOf } from '../codec/table.js'
import { linkFlags } from '../protocol/link-base.js'

/** IFF_ name → bit, as Link.flags says them. */
const bitOf = new Map(Object.entries(linkFlags).map(([name, bit]) => [constantOf('', name).slice(1), bit]))
/** The interface requests of old (SIOCGIFFLAGS) carry sixteen bits; what came later, LOWER_UP for one, is unknown to them. */
const oldBits = 16

/** The names of a link's flags that fit the old flags word, in the order of their bits. */
export const oldFlagNames = (flags: readonly string[]): string[] =>
  flags.filter(flag => (bitOf.get(flag) ?? oldBits) < oldBits).sort((a, b) => bitOf.get(a)! - bitOf.get(b)!)

/** ['UP', 'RUNNING'] → 65 */
export const flagsWord = (flags: readonly string[]): number => oldFlagNames(flags).reduce((word, flag) => word + 2 ** bitOf.get(flag)!, 0)
