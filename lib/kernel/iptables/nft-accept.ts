// An ACCEPT rule in a table of iptables-nft, in the very expressions that the tool writes, so that -S prints it and -C finds it.
import { networkOf } from '../../codec/ip.js'
import { requestFlags } from '../../protocol/netlink.js'
import { nftablesMessages } from '../../protocol/nftables/messages.js'
import { rule as ruleTable } from '../../protocol/nftables/rule.js'
import { xtComment } from '../../protocol/xtables.js'
import { commit } from '../nftables/commit.js'
import { change } from '../nftables/entry.js'
import type { Scope } from '../scope.js'
import { type CheckedAccept, linkBytes, type Side } from './accept.js'
import { written } from './legacy.js'
import { type RawExpression, readExpressions, type SentExpression } from './nft-expressions.js'
import { readNft } from './nft-read.js'
import { makeRule, type ReadRule } from './rule.js'

const register = 1
const verdictRegister = 0
const equal = (value: Uint8Array): SentExpression => ({ name: 'cmp', data: { sreg: register, op: 'eq', data: { value } } })

function link(key: 'iifname' | 'oifname', pattern: string): SentExpression[] {
  if (pattern === '' || pattern === '+') return []
  const { name, counted } = linkBytes(pattern)
  return [{ name: 'meta', data: { dreg: register, key } }, equal(name.slice(0, counted))]
}

function address(offset: number, { bytes, prefix }: Side): SentExpression[] {
  if (prefix === 0) return []
  const whole = prefix % 8 === 0
  const len = whole ? prefix / 8 : bytes.length
  const load: SentExpression = { name: 'payload', data: { dreg: register, base: 'networkHeader', offset, len } }
  if (whole) return [load, equal(bytes.slice(0, len))]
  const mask = networkOf(new Uint8Array(bytes.length).fill(0xff), prefix)
  const xor = new Uint8Array(bytes.length)
  const data = { sreg: register, dreg: register, len, mask: { value: mask }, xor: { value: xor } }
  return [load, { name: 'bitwise', data }, equal(bytes)]
}

/** As the tool orders them: links, protocol, addresses, matches, counter, verdict. */
export function acceptExpressions({ family, in: iif, out, from, to, protocol, comment }: CheckedAccept): SentExpression[] {
  const four = family === 4
  return [
    ...link('iifname', iif),
    ...link('oifname', out),
    ...(protocol ? [{ name: 'meta', data: { dreg: register, key: 'l4proto' } } as const, equal(Uint8Array.of(protocol))] : []),
    ...address(four ? 12 : 8, from),
    ...address(four ? 16 : 24, to),
    ...(comment === undefined
      ? []
      : [{ name: 'match', data: { name: 'comment', rev: 0, info: written(xtComment, { comment }) } } as const]),
    { name: 'counter', data: { packets: 0, bytes: 0 } },
    { name: 'immediate', data: { dreg: verdictRegister, data: { verdict: { code: 'accept' } } } },
  ]
}

/** What such a rule reads as. */
const textOf = (rule: CheckedAccept) =>
  makeRule({ number: 1, ...readExpressions(acceptExpressions(rule) as RawExpression[], rule.family) }).text

async function rulesOf(scope: Scope, { family, table, chain }: CheckedAccept): Promise<readonly ReadRule[] | undefined> {
  const found = (await readNft(scope, family)).find(({ name }) => name === table)
  return found?.chains.find(({ name }) => name === chain)?.rules
}
const among = (rules: readonly ReadRule[], rule: CheckedAccept) => {
  const text = textOf(rule)
  return rules.find(one => one.text === text && one.foreign === undefined)
}
const wire = ({ family, table, chain }: CheckedAccept) => ({ family: family === 4 ? ('ipv4' as const) : ('ipv6' as const), table, chain })

/** Undefined: there is no such chain. */
export async function checkInNft(scope: Scope, rule: CheckedAccept): Promise<boolean | undefined> {
  const rules = await rulesOf(scope, rule)
  return rules && among(rules, rule) !== undefined
}

/** In front of the chain's rules. */
export async function insertInNft(scope: Scope, rule: CheckedAccept): Promise<boolean> {
  const operation = 'insert iptables rule'
  const value = { ...wire(rule), expressions: acceptExpressions(rule) }
  const context = { operation, namespace: scope.label }
  const made = change(nftablesMessages.newRule, ruleTable, requestFlags.create, value, context)
  await commit(scope, () => ({ changes: [made] }), { operation })
  return true
}

export async function removeFromNft(scope: Scope, rule: CheckedAccept): Promise<boolean> {
  const operation = 'remove iptables rule'
  const found = among((await rulesOf(scope, rule)) ?? [], rule)
  if (found?.handle === undefined) return false
  const value = { ...wire(rule), handle: found.handle }
  const gone = change(nftablesMessages.delRule, ruleTable, 0, value, { operation, namespace: scope.label })
  await commit(scope, () => ({ changes: [gone] }), { operation })
  return true
}
