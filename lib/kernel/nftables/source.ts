// A rule printed back as source text of the rule language.
import { isDeepStrictEqual } from 'node:util'
import type { BuiltRule } from './builders.js'
import type { Expression } from './expression.js'
import { call, literal, member, say, type Term } from './source-term.js'
import { fieldTerm, mapTerm, optional, optionsTerm, targetTerm, valueTerm, verdictTerm } from './source-value.js'
import type * as S from './statement.js'

/**
 * The source text that makes the rule: `rule(iifname('br0'), tcp.dport(80), accept)`, to be evaluated where the words of `nft` are known.
 * What the language has no words for is written as the plain statement, so that the text always evaluates to the same rule.
 */
export function toBuilders(rule: BuiltRule | readonly S.Statement[]): string {
  const { expr, comment }: BuiltRule = Array.isArray(rule) ? { expr: rule } : (rule as BuiltRule)
  const parts = expr.map(statementCode)
  if (comment !== undefined) parts.push(call(say('comment'), literal(comment)).code)
  return `rule(${parts.join(', ')})`
}

function statementCode(statement: S.Statement): string {
  const [[kind = '', value] = []] = Object.entries(statement)
  const term = verdictTerm(statement as Expression) ?? writers[kind]?.(value as never)
  const made = typeof term?.value === 'function' ? (term.value as () => unknown)() : term?.value
  return term !== undefined && isDeepStrictEqual(made, statement) ? term.code : literal(statement).code
}

const text = (value: unknown): value is string => typeof value === 'string'
const list = (value: unknown) => (Array.isArray(value) ? (value as unknown[]) : [value])
/** An object of the table by name, or by map. */
const reference = (name: 'counter' | 'quota' | 'limit' | 'synproxy', value: unknown): Term =>
  call(member(say(name), 'named'), valueTerm(value as Expression))
const isReference = (value: unknown) => text(value) || (typeof value === 'object' && value !== null && 'map' in value)
const bytes = (count: number | undefined, unit: string | undefined) => (count === undefined ? undefined : `${count} ${unit ?? 'bytes'}`)
const whether = (value: boolean | undefined) => (value ? literal(true) : undefined)

const comparisons = { '!=': 'not', '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge' } as const
const flagKeys = ['ct state', 'ct status', 'ct event', 'ct label', 'tcp flags']
const isFlags = (left: Expression) => {
  const { ct, payload } = left as unknown as { ct?: { key: string }; payload?: { protocol: string; field: string } }
  return flagKeys.includes(ct ? `ct ${ct.key}` : `${payload?.protocol} ${payload?.field}`)
}

function matchTerm({ op, left, right }: S.MatchStatement['match']): Term | undefined {
  const { '&': masked } = left as { '&'?: [Expression, Expression] }
  const alone = text(right) ? !right.startsWith('@') : typeof right === 'number'
  if (masked && isFlags(masked[0]) && (op === '==' || op === '!=')) {
    const within = call(member(fieldTerm(masked[0]) as Term, 'within'), ...list(masked[1]).map(literal))
    return op === '==' ? call(within, ...list(right).map(literal)) : call(within, call(say('not'), literal(right)))
  }
  const field = fieldTerm(left)
  if (!field) return undefined
  if (op === 'in') return call(field, ...list(right).map(literal))
  if (op === '!') return call(field, call(say('none'), ...list(right).map(literal)))
  const value = valueTerm(right, left)
  if (op === '==') return call(field, isFlags(left) && alone ? call(say('eq'), value) : value)
  return call(field, call(say(comparisons[op]), value))
}

function natOptions({ addr, family, port, flags, type_flags: types }: S.NatValue): Term[] {
  const kept = list(flags ?? []).filter(flag => flag !== 'netmap')
  return optionsTerm({
    family: optional(family),
    to: targetTerm(addr),
    port: targetTerm(port),
    flags: kept.length > 1 ? literal(kept) : optional(kept[0]),
    prefix: whether(types === 'prefix'),
  })
}
const nat = (kind: 'snat' | 'dnat' | 'masquerade' | 'redirect' | 'tproxy') => (value: S.NatValue | null) => {
  const options = natOptions(value ?? {})
  return options.length > 0 ? call(say(kind), ...options) : say(kind)
}
/** A key of a set, with the time that its element stays. */
function keyTerm(elem: Expression): { key: Term | undefined; timeout: number | undefined } {
  const { elem: inner } = elem as { elem?: { val: Expression; timeout?: number } }
  return { key: fieldTerm(inner?.val ?? elem), timeout: inner?.timeout }
}
/** Statements that an element gets, none of which may need to be written plainly. */
function each(statements: readonly S.Statement[] | undefined): Term | undefined {
  const [one] = statements ?? []
  const [[kind = '', value] = []] = Object.entries(one ?? {})
  const term = one && writers[kind]?.(value as never)
  return typeof term?.value === 'function' ? call(term) : (term ?? optional(one))
}
const words = { add: 'add', update: 'update', delete: 'remove' } as const
const fill = ({
  op,
  elem,
  set,
  map,
  data,
  stmt,
}: {
  op: keyof typeof words
  elem: Expression
  set?: string
  map?: string
  data?: Expression
  stmt?: readonly S.Statement[]
}) => {
  const { key, timeout } = keyTerm(elem)
  return (
    key &&
    call(say(words[op]), literal(set ?? map), key, ...optionsTerm({ timeout: optional(timeout), each: each(stmt), data: targetTerm(data) }))
  )
}

const writers: Readonly<Record<string, (value: never) => Term | undefined>> = {
  match: matchTerm,
  counter: (value: S.CounterStatement['counter']) => {
    if (isReference(value)) return reference('counter', value)
    const { packets, bytes: count } = (value ?? {}) as Partial<S.CounterValue>
    return packets === 0 && count === 0 ? say('counter') : call(say('counter'), literal(value))
  },
  mangle: ({ key, value }: S.MangleStatement['mangle']) => {
    const field = fieldTerm(key)
    return field && call(member(field, 'set'), ...(Array.isArray(value) ? value.map(literal) : [valueTerm(value, key)]))
  },
  quota: (value: S.QuotaStatement['quota']) => {
    if (isReference(value)) return reference('quota', value)
    const { val, val_unit, used, used_unit, inv } = value as S.QuotaValue
    return call(say('quota'), literal(bytes(val, val_unit)), ...optionsTerm({ over: whether(inv), used: optional(bytes(used, used_unit)) }))
  },
  limit: (value: S.LimitStatement['limit']) => {
    if (isReference(value)) return reference('limit', value)
    const { rate, rate_unit = 'packets', per = 'second', burst, burst_unit, inv } = value as S.LimitValue
    const packets = rate_unit === 'packets'
    const most = packets ? (burst === 5 ? undefined : burst) : bytes(burst, burst_unit)
    return call(
      say('limit'),
      literal(packets ? `${rate}/${per}` : `${rate} ${rate_unit}/${per}`),
      ...optionsTerm({ burst: optional(most), over: whether(inv) }),
    )
  },
  log: (value: S.LogValue | null) => {
    if (value === null) return say('log')
    const { 'queue-threshold': queueThreshold, ...rest } = value
    return call(say('log'), literal(queueThreshold === undefined ? rest : { ...rest, queueThreshold }))
  },
  reject: (value: S.RejectStatement['reject']) =>
    value?.type === undefined
      ? say('reject')
      : call(say('reject'), literal(value.type), ...(value.expr === undefined ? [] : [literal(value.expr)])),
  snat: nat('snat'),
  dnat: nat('dnat'),
  masquerade: nat('masquerade'),
  redirect: nat('redirect'),
  tproxy: nat('tproxy'),
  notrack: () => say('notrack'),
  synproxy: (value: S.SynproxyStatement['synproxy']) => {
    if (value === null) return say('synproxy')
    if (isReference(value)) return reference('synproxy', value)
    const { mss, wscale, flags } = value as { mss?: number; wscale?: number; flags?: readonly string[] }
    const has = (flag: string) => whether(list(flags).includes(flag))
    return call(
      say('synproxy'),
      ...optionsTerm({ mss: optional(mss), wscale: optional(wscale), timestamp: has('timestamp'), sackPerm: has('sack-perm') }),
    )
  },
  queue: (value: S.QueueStatement['queue']) => {
    const options = optionsTerm({ to: targetTerm(value?.num), flags: optional(value?.flags) })
    return options.length > 0 ? call(say('queue'), ...options) : say('queue')
  },
  dup: ({ addr, dev }: S.DupStatement['dup']) => call(say('dup'), valueTerm(addr), ...(dev === undefined ? [] : [valueTerm(dev)])),
  fwd: ({ dev, family, addr }: S.FwdStatement['fwd']) =>
    call(say('fwd'), valueTerm(dev), ...optionsTerm({ family: optional(family), addr: targetTerm(addr) })),
  set: fill,
  map: fill,
  meter: ({ name, key, stmt, size }: S.MeterStatement['meter']) => {
    const { key: field, timeout } = keyTerm(key)
    const statement = each([stmt])
    return (
      field &&
      statement &&
      call(say('meter'), literal(name), field, statement, ...optionsTerm({ size: optional(size), timeout: optional(timeout) }))
    )
  },
  vmap: (value: S.VmapStatement['vmap']) => mapTerm({ vmap: value } as unknown as Expression, 'vmap'),
  'ct helper': (value: Expression) => call(member(member(say('ct'), 'helper'), 'set'), valueTerm(value)),
  'ct timeout': (value: Expression) => call(member(member(say('ct'), 'timeout'), 'set'), valueTerm(value)),
  'ct expectation': (value: Expression) => call(member(member(say('ct'), 'expectation'), 'set'), valueTerm(value)),
  'ct count': ({ val, inv }: S.CtCountStatement['ct count']) =>
    call(member(say('ct'), 'count'), literal(val), ...optionsTerm({ over: whether(inv) })),
  secmark: (value: Expression) => call(member(member(say('meta'), 'secmark'), 'set'), valueTerm(value)),
  flow: ({ flowtable }: S.FlowStatement['flow']) => call(say('flow'), literal(flowtable)),
  last: () => say('last'),
  reset: (value: Expression) => {
    const field = fieldTerm(value)
    return field && call(say('reset'), field)
  },
}
