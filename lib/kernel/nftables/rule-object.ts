// Rules as callers see them.
import type { Decoded } from '../../codec/codec.js'
import { Writer } from '../../codec/writer.js'
import { expression as expressionTable } from '../../protocol/nftables/expression.js'
import type { rule as ruleTable } from '../../protocol/nftables/rule.js'
import { present } from '../arguments.js'
import { publicFamily } from './family.js'
import type { RuleObject } from './objects.js'
import type { RawSetWithElements } from './snapshot.js'
import type { Statement } from './statement.js'
import { commentOf } from './userdata.js'

export type RawRule = Decoded<typeof ruleTable>
/** A rule that is there. */
export type Rule = RuleObject & { readonly handle: number }

export function toRule(raw: RawRule, _sets: readonly RawSetWithElements[]): Rule {
  const { table = '', chain = '', handle = 0, userdata, expressions = [] } = raw
  const expr = expressions.map((one): Statement => {
    const writer = new Writer()
    expressionTable.write(writer, one as never)
    return { unknown: { name: one.name ?? '', data: Buffer.from(writer.copy()).toString('hex') } }
  })
  return present({ family: publicFamily(raw.family), table, chain, handle, comment: commentOf(userdata), expr }) as Rule
}
