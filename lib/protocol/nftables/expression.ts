// Expressions, of which rules consist: a name and the attributes of that kind (linux/netfilter/nf_tables.h, NFTA_EXPR_).
import { string } from '../../codec/scalars.js'
import { attributes, by, list } from '../../codec/table.js'
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

export const expression = attributes('NFTA_EXPR', { name: [1, string], data: [2, by('name', kinds)] })
export const expressions = list(1, expression, 'NFTA_LIST_ELEM')
