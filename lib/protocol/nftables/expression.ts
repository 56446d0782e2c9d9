// Expressions, of which rules consist: a name and the attributes of that kind (linux/netfilter/nf_tables.h, NFTA_EXPR_).
import type { Attributes } from '../../codec/codec.js'
import { string } from '../../codec/scalars.js'
import { attributes, by, type ListOf, list } from '../../codec/table.js'
import { dynset, flowOffload, log, notrack, objref, queue, reject, synproxy } from './expressions/action.js'
import { bitwise, byteorder, cmp, immediate, lookup, range } from './expressions/compare.js'
import { match, target } from './expressions/compat.js'
import { ct, exthdr, fib, hash, inner, meta, numgen, osf, payload, rt, socket, tunnel, xfrm } from './expressions/load.js'
import { dup, fwd, masq, nat, redir, tproxy } from './expressions/nat.js'
import { connlimit, counter, last, limit, quota } from './expressions/stateful.js'

/** Names and their attributes; others are kept as bytes. */
const kinds = {
  payload,
  meta,
  ct,
  rt,
  socket,
  fib,
  exthdr,
  numgen,
  hash,
  osf,
  xfrm,
  tunnel,
  inner,
  cmp,
  range,
  bitwise,
  byteorder,
  lookup,
  immediate,
  counter,
  quota,
  limit,
  connlimit,
  last,
  nat,
  masq,
  redir,
  tproxy,
  dup,
  fwd,
  log,
  reject,
  queue,
  synproxy,
  notrack,
  flow_offload: flowOffload,
  objref,
  dynset,
  match,
  target,
} as const

const entries = { name: [1, string], data: [2, by('name', kinds)] } as const
// Named, so that a .d.ts holds it once and not wherever it is used. So are the other tables that others hold.
export interface ExpressionTable extends Attributes<typeof entries> {}
export interface ExpressionList extends ListOf<ExpressionTable> {}
export const expression: ExpressionTable = attributes('NFTA_EXPR', entries)
export const expressions: ExpressionList = list(1, expression, 'NFTA_LIST_ELEM')
