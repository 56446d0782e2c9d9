// Tables, chains, sets and named objects as nft writes them.
import type { Expression } from './expression.js'
import type { Family } from './fields.js'
import type { ChainObject, FlowtableObject, MapObject, RulesetObjects, SetKeyType, SetObject, TableObject } from './objects.js'
import { isRangeMap } from './set-object.js'
import { expressionText, limitText, memberText, quotaBytesText } from './text-expression.js'
import { statementText } from './text-statement.js'
import { styleOfType } from './text-style.js'
import { quote, timeText } from './text-value.js'

/** Kinds of objects that are a block of lines with a name. */
export type NamedKind = Exclude<keyof RulesetObjects, 'metainfo' | 'table' | 'chain' | 'rule' | 'element'>

const list = <T>(flags: T | readonly T[] | undefined): readonly T[] => (flags === undefined ? [] : ([flags].flat() as T[]))
const only = (...lines: (string | undefined | false)[]): string[] => lines.filter(line => typeof line === 'string')

/** Priorities that have a name, by where it holds. */
const priorities: readonly [name: string, value: number, hook?: string][] = [
  ['raw', -300],
  ['mangle', -150],
  ['dstnat', -100, 'prerouting'],
  ['filter', 0],
  ['security', 50],
  ['srcnat', 100, 'postrouting'],
]
const bridgePriorities: typeof priorities = [
  ['dstnat', -300, 'prerouting'],
  ['filter', -200],
  ['out', 100, 'output'],
  ['srcnat', 300, 'postrouting'],
]
const filterOnly: typeof priorities = [['filter', 0]]
/** Further from a name a number says more. */
const nearby = 10

/** A chain's priority: 'filter', 'dstnat - 5', '-289'. */
export function priorityText(family: Family, hook: string | undefined, priority: number): string {
  const named = family === 'bridge' ? bridgePriorities : family === 'arp' || family === 'netdev' ? filterOnly : priorities
  const found = named.find(([, value, where]) => Math.abs(priority - value) <= nearby && (where === undefined || where === hook))
  if (!found) return String(priority)
  const distance = priority - found[1]
  return distance === 0 ? found[0] : `${found[0]} ${distance < 0 ? '-' : '+'} ${Math.abs(distance)}`
}

export const tableLines = ({ flags, comment }: TableObject): string[] =>
  only(list(flags).length > 0 && `flags ${list(flags).join(',')}`, comment !== undefined && `comment ${quote(comment)}`)

/** Lines of a chain before its rules. */
export function chainLines(chain: ChainObject): string[] {
  const { comment, type, hook, prio = 0, policy = 'accept', family } = chain
  const devices = list(chain.dev)
  const where =
    devices.length > 1 ? ` devices = { ${devices.join(', ')} }` : devices.length === 1 ? ` device ${quote(devices[0] as string)}` : ''
  return only(
    comment !== undefined && `comment ${quote(comment)}`,
    type !== undefined && `type ${type} hook ${hook}${where} priority ${priorityText(family, hook, prio)}; policy ${policy};`,
  )
}

type Lines = { readonly [K in NamedKind]: (object: RulesetObjects[K]) => string[] }

/** Lines within the braces of an object. */
export const objectLines: Lines = {
  set: set => [`${keyword(set.type)} ${typeText(set.type)}`, ...setLines(set)],
  map: map => [`${keyword(map.type)} ${typeText(map.type)} : ${isRangeMap(map) ? 'interval ' : ''}${typeText(map.map)}`, ...setLines(map)],
  flowtable: flowtableLines,
  counter: ({ comment, packets = 0, bytes = 0 }) => commented(comment, `packets ${packets} bytes ${bytes}`),
  quota: ({ comment, bytes, used, inv }) => commented(comment, quotaBytesText(bytes, used, inv)),
  limit: ({ comment, rate, per, rate_unit, burst, burst_unit, inv }) =>
    commented(comment, limitText(definedOnly({ rate, per, rate_unit, burst, burst_unit, inv }), '')),
  'ct helper': ({ comment, type, protocol, l3proto = 'inet' }) =>
    commented(comment, `type ${quote(type)} protocol ${protocol}`, `l3proto ${l3proto}`),
  'ct timeout': ({ comment, protocol, l3proto = 'inet', policy }) => {
    const states = Object.entries(policy ?? {}).map(([state, seconds]) => `${state} : ${seconds}`)
    return commented(comment, `protocol ${protocol}`, `l3proto ${l3proto}`, `policy = { ${states.join(', ')} }`)
  },
  'ct expectation': ({ comment, protocol, dport, timeout, size, l3proto = 'inet' }) =>
    commented(
      comment,
      `protocol ${protocol}`,
      `dport ${dport}`,
      `timeout ${timeText(timeout / 1000)}`,
      `size ${size}`,
      `l3proto ${l3proto}`,
    ),
  secmark: ({ comment, context }) => commented(comment, quote(context)),
  synproxy: ({ comment, mss, wscale, flags }) =>
    commented(comment, `mss ${mss}`, `wscale ${wscale}`, list(flags).length > 0 && list(flags).join(' ')),
}

const commented = (comment: string | undefined, ...lines: (string | false)[]) =>
  only(comment !== undefined && `comment ${quote(comment)}`, ...lines)
const definedOnly = <T extends object>(value: T) =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> }

const isTypeof = (type: SetKeyType): type is { readonly typeof: Expression } => typeof type === 'object' && 'typeof' in type
const keyword = (type: SetKeyType) => (isTypeof(type) ? 'typeof' : 'type')
const typeText = (type: SetKeyType): string =>
  isTypeof(type) ? expressionText(type.typeof) : typeof type === 'string' ? type : type.join(' . ')

function flowtableLines({ hook = 'ingress', prio = 0, dev, flags, comment }: FlowtableObject): string[] {
  const priority = priorityText('netdev', hook, prio)
  return commented(
    comment,
    `hook ${hook} priority ${priority}`,
    list(dev).length > 0 && `devices = { ${list(dev).join(', ')} }`,
    list(flags).includes('offload') && 'flags offload',
    list(flags).includes('counter') && 'counter',
  )
}

const flagOrder = ['constant', 'dynamic', 'interval', 'timeout'] as const

function setLines(set: SetObject | MapObject): string[] {
  const flags = flagOrder.filter(flag => list(set.flags).includes(flag))
  const { timeout, 'gc-interval': interval } = set
  return only(
    set.policy === 'memory' && 'policy memory',
    set.size !== undefined && `size ${set.size}`,
    flags.length > 0 && `flags ${flags.join(',')}`,
    // nft takes the last of several lines for all of them.
    (set.stmt?.length ?? 0) > 0 && set.stmt?.map(statement => statementText(statement)).join(' '),
    set['auto-merge'] && 'auto-merge',
    timeout !== undefined && `timeout ${timeText(timeout)}`,
    interval !== undefined && `gc-interval ${timeText(interval)}`,
    set.comment !== undefined && `comment ${quote(set.comment)}`,
    (set.elem?.length ?? 0) > 0 && elementsLine(set),
  )
}

const five = 'integer nf_proto arp_op inet_proto inet_service tcp_flag dccp_pkttype mark iface_index classid uid gid ct_dir'.split(' ')
const two = 'ipv4_addr ct_state ct_status pkt_type'.split(' ')
/** How many elements nft puts into a line. */
const perLine = (type: SetKeyType) => (typeof type !== 'string' ? 1 : five.includes(type) ? 5 : two.includes(type) ? 2 : 1)

function elementsLine(set: SetObject | MapObject): string {
  const style = styleOfType(set.type)
  const dataStyle = 'map' in set ? styleOfType(set.map) : {}
  const members = (set.elem ?? []).map(member => memberText(member, style, dataStyle))
  const count = perLine(set.type)
  const rows: string[] = []
  for (let start = 0; start < members.length; start += count) rows.push(members.slice(start, start + count).join(', '))
  return `elements = { ${rows.join(',\n\t\t\t     ')} }`
}
