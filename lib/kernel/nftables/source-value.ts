// Fields and values of the rule language as source text.
import type { Expression, SetExpression, SetMember } from './expression.js'
import { call, listOf, literal, member, namedField, objectOf, say, type Term } from './source-term.js'
import { partStyle, styleOf } from './text-style.js'

/** What the expressions that have no name of their own are made of. */
interface Parts {
  readonly base?: string
  readonly offset?: number
  readonly len?: number
  readonly name?: string
  readonly field?: string
  readonly result?: string
  readonly flags?: unknown
  readonly key?: string
  readonly level?: number
  readonly ttl?: string
  readonly dir?: string
  readonly family?: string
  readonly spnum?: number
  readonly mode?: string
  readonly mod?: number
  readonly seed?: number
  readonly expr?: Expression
}
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isAddress = (value: unknown): value is string =>
  typeof value === 'string' && /^(\d+\.\d+\.\d+\.\d+|[\da-f]*:[\da-f:.]*:[\da-f:.]*)$/i.test(value) && !isMac(value)
const isMac = (value: string) => /^([\da-f]{2}:){5}[\da-f]{2}$/i.test(value)
const operators = { '&': 'and', '|': 'or', '^': 'xor', '<<': 'shiftLeft', '>>': 'shiftRight' } as const
const more = (value: Record<string, unknown>) => {
  const there = Object.entries(value).filter(([, one]) => one !== undefined)
  return there.length > 0 ? [literal(Object.fromEntries(there))] : []
}

/** A field of the language; undefined for what is none. */
export function fieldTerm(expression: Expression): Term | undefined {
  const found = namedField(expression)
  if (found || !isObject(expression)) return found
  const [[kind = '', inner] = []] = Object.entries(expression)
  if (kind in operators) {
    const [left, right] = inner as unknown as [Expression, Expression]
    const base = fieldTerm(left)
    return (
      base &&
      call(member(base, operators[kind as keyof typeof operators]), valueTerm(right, kind === '<<' || kind === '>>' ? undefined : left))
    )
  }
  return compound[kind]?.(inner as Parts)
}

const option = (base: Term) => (of: Parts) =>
  of.name === undefined ? undefined : call(base, ...[of.name, of.field].filter(one => one !== undefined).map(literal))
const compound: Readonly<Record<string, (value: Parts) => Term | undefined>> = {
  concat: value => {
    const parts = (value as unknown as readonly Expression[]).map(fieldTerm)
    return parts.every(part => part !== undefined) ? call(say('concat'), ...parts) : undefined
  },
  payload: ({ base, offset, len }) => (base === undefined ? undefined : call(say('payload'), literal(base), literal(offset), literal(len))),
  exthdr: option(say('exthdr')),
  'tcp option': option(member(say('tcp'), 'option')),
  'ip option': option(member(say('ip'), 'option')),
  'sctp chunk': option(member(say('sctp'), 'chunk')),
  fib: ({ result = '', flags }) =>
    Array.isArray(flags) ? member(call(say('fib'), ...(flags as string[]).map(literal)), result) : undefined,
  socket: ({ key, level }) => (key === 'cgroupv2' ? call(member(say('socket'), 'cgroupv2'), literal(level)) : undefined),
  osf: ({ key = '', ttl }) => member(call(say('osf'), ...(ttl === undefined ? [] : [literal(ttl)])), key),
  ipsec: ({ key = '', dir, family, spnum }) => {
    const options = { family, spnum: spnum === 0 ? undefined : spnum }
    return member(call(say('ipsec'), literal(dir), ...more(options)), key)
  },
  numgen: ({ mode, mod, offset }) => call(say('numgen'), literal(mode), ...more({ mod, offset: offset === 0 ? undefined : offset })),
  symhash: ({ mod, offset }) => call(say('symhash'), ...more({ mod, offset })),
  jhash: ({ mod, seed, offset, expr }) => {
    const of = expr === undefined ? undefined : fieldTerm(expr)
    return of && call(say('jhash'), of, ...more({ mod, seed, offset }))
  },
}

/** Marks, masks and raw bytes are easier to read in hexadecimal. */
const inHexadecimal = (beside: Expression | undefined) => beside !== undefined && partStyle(styleOf(beside), 0).digits !== undefined

/** A value as a field takes it; `beside` is what it is compared with, or becomes. */
export function valueTerm(value: Expression, beside?: Expression): Term {
  if (typeof value === 'boolean') return say(value ? 'exists' : 'missing')
  if (typeof value === 'number' && inHexadecimal(beside)) return { code: `0x${value.toString(16)}`, value }
  if (!isObject(value)) return literal(value)
  if ('prefix' in value) {
    const { addr, len } = value.prefix as { addr: Expression; len: number }
    return isAddress(addr) ? literal(`${addr}/${len}`) : call(say('prefix'), valueTerm(addr, beside), literal(len))
  }
  if ('range' in value) {
    const [low, high] = value.range as [Expression, Expression]
    return isAddress(low) && isAddress(high)
      ? literal(`${low}-${high}`)
      : call(say('range'), valueTerm(low, beside), valueTerm(high, beside))
  }
  if ('set' in value) return listOf((value as unknown as SetExpression).set.map(one => valueTerm(one as Expression, beside)))
  if ('concat' in value) return listOf((value.concat as Expression[]).map(valueTerm))
  if ('elem' in value) {
    const { val, ...rest } = value.elem as { val: Expression }
    return call(say('element'), valueTerm(val, beside), literal(rest))
  }
  return fieldTerm(value as Expression) ?? mapTerm(value as Expression, 'map') ?? literal(value)
}

/** `tcp.dport.map([[80, 8080]])`, `iifname.vmap('@jumps')` */
export function mapTerm(value: Expression, word: 'map' | 'vmap'): Term | undefined {
  const { [word]: inner } = value as unknown as { [K in typeof word]?: { key: Expression; data: SetExpression | string } }
  const key = inner && fieldTerm(inner.key)
  if (!inner || !key) return undefined
  return call(member(key, word), typeof inner.data === 'string' ? literal(inner.data) : listOf(inner.data.set.map(pairTerm)))
}
function pairTerm(pair: SetMember): Term {
  const [key, data] = pair as readonly [Expression, Expression]
  return listOf([valueTerm(key), verdictTerm(data) ?? valueTerm(data)])
}

/** `accept`, `jump('web')` */
export function verdictTerm(value: Expression): Term | undefined {
  if (!isObject(value)) return undefined
  const [[kind = '', inner] = []] = Object.entries(value as unknown as Record<string, { target?: string } | null>)
  if (kind === 'jump' || kind === 'goto') return call(say(kind), literal(inner?.target))
  return kind === 'accept' || kind === 'drop' || kind === 'continue' || kind === 'return' ? say(kind) : undefined
}

/** What a NAT leads to, a device, an object's name: text, a range, or a map. */
export const targetTerm = (value: Expression | undefined): Term | undefined => (value === undefined ? undefined : valueTerm(value))
export const optional = (value: unknown): Term | undefined => (value === undefined ? undefined : literal(value))
export const optionsTerm = (fields: Readonly<Record<string, Term | undefined>>): Term[] =>
  Object.values(fields).some(field => field !== undefined) ? [objectOf(fields)] : []
