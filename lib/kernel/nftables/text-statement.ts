// Statements of a rule as nft writes them.
import type { CtExpression, Expression, TcpOptionExpression } from './expression.js'
import type { AddressFamily, Family, RejectType } from './fields.js'
import type { LogValue, MatchStatement, NatValue, PortNatValue, Statement } from './statement.js'
import { expressionText, lastText, limitText, mapText, quotaText, setText, valueText, verdictText } from './text-expression.js'
import { partStyle, styleOf } from './text-style.js'
import { quote } from './text-value.js'

const list = <T>(flags: T | readonly T[] | undefined): readonly T[] => (flags === undefined ? [] : ([flags].flat() as T[]))
const words = (...parts: (string | undefined | false)[]) => parts.filter(Boolean).join(' ')

/** A statement as it stands in a rule of that family: 'tcp dport 22', 'counter packets 0 bytes 0', 'accept'. */
export function statementText(statement: Statement, family: Family = 'inet'): string {
  const [[name, value] = ['', undefined]] = Object.entries(statement)
  const write = (writers as unknown as Record<string, (value: unknown, family: Family) => string>)[name]
  if (write) return write(family === 'ip' || family === 'ip6' ? withFamily(value, family) : value, family)
  return verdictText(statement as Expression) ?? ''
}

type KeysOf<U> = U extends unknown ? keyof U : never
type Kind = Exclude<KeysOf<Statement>, 'accept' | 'drop' | 'continue' | 'return' | 'jump' | 'goto'>
type ValueOf<U, K extends PropertyKey> = U extends { readonly [P in K]: infer V } ? V : never
/** Every kind of statement but verdicts has its way of being written. */
type Writers = { readonly [K in Kind]: (value: ValueOf<Statement, K>, family: Family) => string }

const writers: Writers = {
  match: matchText,
  counter: value => {
    if (value === null) return 'counter'
    return isObject(value, 'packets') ? `counter packets ${value.packets} bytes ${value.bytes}` : reference('counter name', value)
  },
  mangle: ({ key, value }) => `${expressionText(key)} set ${valueText(value, styleOf(key))}`,
  quota: value => (isObject(value, 'val') ? quotaText(value) : reference('quota name', value)),
  limit: value => (isObject(value, 'rate') ? limitText(value) : reference('limit name', value)),
  fwd: ({ dev, family, addr }) =>
    addr === undefined ? `fwd to ${device(dev)}` : words('fwd', family, 'to', target(addr), 'device', device(dev)),
  dup: ({ addr, dev }) => words('dup to', isDevice(addr) ? device(addr) : target(addr), dev !== undefined && `device ${device(dev)}`),
  snat: value => natText('snat', value),
  dnat: value => natText('dnat', value),
  masquerade: value => natText('masquerade', value),
  redirect: value => natText('redirect', value),
  reject: (value, family) => {
    if (!value?.type || (value.expr === 'port-unreachable' && value.type === (usualReject[family] ?? 'icmpx'))) return 'reject'
    return words('reject with', value.type, value.expr !== undefined && valueText(value.expr, {}))
  },
  set: ({ op, elem, set, stmt }) => `${op} ${set} { ${elementText(elem, stmt)} }`,
  map: ({ op, elem, data, map, stmt }) => `${op} ${map} { ${elementText(elem, stmt)} : ${expressionText(data)} }`,
  log: value => words('log', ...logWords(value ?? {})),
  'ct helper': value => reference('ct helper set', value),
  'ct timeout': value => reference('ct timeout set', value),
  'ct expectation': value => reference('ct expectation set', value),
  'ct count': ({ val, inv }) => `ct count ${inv ? 'over ' : ''}${val}`,
  meter: ({ name, key, stmt, size }, family) =>
    words('meter', name, size !== undefined && `size ${size}`, '{', expressionOfKey(key), statementText(stmt, family), '}'),
  queue: value => {
    const flags = list(value?.flags)
    const number = value?.num === undefined ? undefined : `to ${expressionText(value.num)}`
    return words('queue', flags.length > 0 && `flags ${flags.join(',')}`, number)
  },
  vmap: ({ key, data }) => `${expressionText(key)} vmap ${typeof data === 'string' ? data : setText(data, styleOf(key))}`,
  xt: value => (value === null ? 'xt' : `xt ${value.type} ${quote(value.name)}`),
  notrack: () => 'notrack',
  tproxy: ({ family, addr, port }) => words('tproxy', family, 'to', withPort(addr, port)),
  synproxy: value => {
    if (value === null) return 'synproxy'
    if (!isObject(value, 'mss', 'wscale', 'flags')) return reference('synproxy name', value)
    return words(
      'synproxy',
      (value.mss ?? value.wscale) !== undefined && `mss ${value.mss ?? 0} wscale ${value.wscale ?? 0}`,
      ...list(value.flags),
    )
  },
  flow: ({ op, flowtable }) => `flow ${op} ${flowtable}`,
  last: lastText,
  secmark: value => reference('meta secmark set', value),
  reset: value => `reset ${expressionText(value)}`,
  unknown: ({ name }) => `unknown ${quote(name)}`,
}

/** What a reject without more words is. */
const usualReject: Partial<Record<Family, RejectType>> = { ip: 'icmp', ip6: 'icmpv6' }

/** In a table of one family an address of a connection is of that family; nft says so. */
function withFamily(value: unknown, family: AddressFamily): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(part => withFamily(part, family))
  if ('ct' in value) {
    const { ct } = value as CtExpression
    return ct.key === 'saddr' || ct.key === 'daddr' ? { ct: { ...ct, key: `${family} ${ct.key}` } } : value
  }
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withFamily(part, family)]))
}

type Compound<K extends string> = { readonly [P in K]?: unknown }
/** Whether a value is an object with one of the keys, not an expression that names something. */
const isObject = <T, K extends string>(value: T, ...keys: K[]): value is Extract<T, Compound<K>> =>
  typeof value === 'object' && value !== null && keys.some(key => Object.hasOwn(value, key))

/** An object by name, or a map that gives one. */
function reference(word: string, value: Expression): string {
  return `${word} ${isObject(value, 'map') ? mapText(value as never, { quoted: true }) : valueText(value, { quoted: true })}`
}

function matchText({ op, left, right }: MatchStatement['match']): string {
  const style = styleOf(left)
  const { flags } = partStyle(style, 0)
  const masked = typeof left === 'object' && '&' in left ? left['&'] : undefined
  // A comparison of some flags among several.
  if (flags && masked && Array.isArray(masked[1]) && (op === '==' || op === '!='))
    return words(expressionText(masked[0]), op === '!=' && '!=', valueText(right, style), '/', valueText(masked[1] as Expression, style))
  const computed = typeof left === 'object' && ['&', '|', '^', '<<', '>>'].some(operator => operator in left)
  const alone = typeof right === 'string' ? !right.startsWith('@') : typeof right === 'number'
  const implied = op === 'in' || (op === '==' && !computed && !(flags && alone))
  return words(askedText(left, right), !implied && op, valueText(right, style))
}
/** Whether an option without a name is there, is asked by its number alone. */
function askedText(left: Expression, right: Expression): string {
  if (typeof right === 'boolean' && isObject(left, 'tcp option')) {
    const { 'tcp option': option } = left as TcpOptionExpression
    if ('base' in option && option.offset === 0 && option.len === 8) return `tcp option ${option.base}`
  }
  return expressionText(left)
}

/** The key of an element, with what the element gets. */
function elementText(elem: Expression, statements: readonly Statement[] = []): string {
  return [expressionOfKey(elem), ...statements.map(one => statementText(one))].join(' ')
}
function expressionOfKey(elem: Expression): string {
  if (!isObject(elem, 'elem')) return expressionText(elem)
  const { val, ...rest } = (elem as Extract<Expression, { elem: unknown }>).elem
  return expressionText({ elem: { ...rest, val: 'x' } }).replace(/^x/, () => expressionText(val))
}

/** A device is text that is no address. */
const isDevice = (value: Expression) => typeof value === 'string' && !/^(\d+\.\d+\.\d+\.\d+|[\da-f:.]*:[\da-f:.]*)$/i.test(value)
const device = (value: Expression) =>
  isObject(value, 'map') ? mapText(value as never, { quoted: true }) : valueText(value, { quoted: true })
const target = (value: Expression) => expressionText(value)

/** Addresses of IPv6 stand in brackets before a port. */
function withPort(addr: Expression | undefined, port: Expression | undefined): string {
  if (addr === undefined) return port === undefined ? '' : `:${expressionText(port)}`
  if (port === undefined) return expressionText(addr)
  const bracketed = (value: Expression) => (typeof value === 'string' && value.includes(':') ? `[${value}]` : expressionText(value))
  const range = isObject(addr, 'range') ? (addr as Extract<Expression, { range: unknown }>).range : undefined
  return `${range ? range.map(bracketed).join('-') : bracketed(addr)}:${expressionText(port)}`
}

function natText(kind: string, value: NatValue | PortNatValue | null): string {
  if (value === null) return kind
  const { port } = value
  const { addr, family, type_flags: types } = { addr: undefined, family: undefined, type_flags: undefined, ...value } as NatValue
  const to = addr !== undefined || port !== undefined
  const flags = list(value.flags).filter(flag => flag !== 'netmap')
  return words(kind, to && family, list(types).includes('prefix') && 'prefix', to && `to ${withPort(addr, port)}`, flags.join(','))
}

function logWords(log: LogValue): (string | undefined | false)[] {
  const flags = list(log.flags)
  const tcp = flags.filter(flag => flag.startsWith('tcp ')).map(flag => flag.slice('tcp '.length))
  const others = flags.filter(flag => !flag.startsWith('tcp '))
  return [
    log.prefix !== undefined && `prefix ${quote(log.prefix)}`,
    log.group !== undefined && `group ${log.group}`,
    log.snaplen !== undefined && `snaplen ${log.snaplen}`,
    log['queue-threshold'] !== undefined && `queue-threshold ${log['queue-threshold']}`,
    log.level !== undefined && log.level !== 'warn' && `level ${log.level}`,
    tcp.length > 0 && `flags tcp ${tcp.join(',')}`,
    ...others.map(flag => `flags ${flag}`),
  ]
}
