// The rule language: `nft.rule(nft.iifname('br0'), nft.tcp.dport(80), nft.dnat({ to: '10.0.0.2', port: 8080 }))`.
import { argumentError, shown } from '../../codec/errors.js'
import * as fields from './builder-field.js'
import * as headers from './builder-headers.js'
import * as known from './builder-meta.js'
import * as statements from './builder-statements.js'
import type { RuleObject } from './objects.js'
import type { Statement } from './statement.js'

/** What a rule does, without the chain that it is in. */
export type BuiltRule = Pick<RuleObject, 'expr' | 'comment'>
export interface Comment {
  readonly text: string
}
/** A statement, or a function that gives one without being told more: `counter`, `masquerade`, `log`. */
export type RulePart = Statement | (() => Statement) | Comment

/** A rule of its parts, in the order in which they are tried: `rule(tcp.dport(22), ct.state('new'), counter, accept, comment('ssh'))`. */
export function rule(...parts: readonly RulePart[]): BuiltRule {
  const expr: Statement[] = []
  let comment: string | undefined
  for (const part of parts) {
    const one = typeof part === 'function' ? part() : part
    if (typeof one !== 'object' || one === null || Object.keys(one).length !== 1)
      throw argumentError('ERR_NETLOOM_INVALID_OPTION', `${shown(one)} is no statement of a rule`)
    if ('text' in one) comment = one.text
    else expr.push(one)
  }
  return comment === undefined ? { expr } : { expr, comment }
}
/** A note that stays with the rule; the kernel keeps up to 127 bytes. */
export const comment = (text: string): Comment => ({ text })

const { not, eq, lt, le, gt, ge, none, range, prefix, element, concat } = fields
const { ether, vlan, arp, ip, ip6, icmp, icmpv6, igmp, udp, udplite, tcp, sctp, dccp, th, ah, esp, comp, exthdr, payload } = headers
const { iif, iifname, iifgroup, oif, oifname, oifgroup, meta, ct, fib, exists, missing, rt, socket, osf, ipsec, numgen, jhash, symhash } =
  known
const { continueVerdict, returnVerdict, ...doing } = statements

/**
 * The rule language. Take the words that a rule needs: `const { rule, iifname, tcp, dnat } = nft`; two are reserved in JavaScript and stay
 * `nft.return` and `nft.continue`. Fields match when called, and change, look up or decide by `set`, `map` and `vmap`.
 */
export const nft = {
  rule,
  comment,
  ...{ not, eq, lt, le, gt, ge, none, range, prefix, element, concat },
  ...{ ether, vlan, arp, ip, ip6, icmp, icmpv6, igmp, udp, udplite, tcp, sctp, dccp, th, ah, esp, comp, exthdr, payload },
  ...{ iif, iifname, iifgroup, oif, oifname, oifgroup, meta, ct, fib, exists, missing, rt, socket, osf, ipsec, numgen, jhash, symhash },
  ...doing,
  continue: continueVerdict,
  return: returnVerdict,
}
