// Expressions, of which rules consist: a name and the attributes of that kind (linux/netfilter/nf_tables.h, NFTA_EXPR_).
import { string } from '../../codec/scalars.js'
import { attributes, by, list } from '../../codec/table.js'
import { connlimit, counter, last, limit, quota } from './expressions/stateful.js'

export const expression = attributes('NFTA_EXPR', {
  name: [1, string],
  data: [2, by('name', { counter, quota, limit, connlimit, last })],
})
export const expressions = list(1, expression, 'NFTA_LIST_ELEM')
