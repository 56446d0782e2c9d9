// Source text of the rule language evaluated, as a user's file would be.
import { type BuiltRule, nft } from '../../lib/index.js'

const words = Object.keys(nft).filter(word => word !== 'return' && word !== 'continue')

/** What `rule(…)` makes, with all words of the language known. */
export function evaluate(source: string): BuiltRule {
  const run = new Function('nft', ...words, `'use strict'; return ${source}`) as (...args: unknown[]) => BuiltRule
  return run(nft, ...words.map(word => nft[word as keyof typeof nft]))
}
