// The verbs on routing rules in one namespace: which table is asked for which packets.
import type { Decoded, Encodable } from '../codec/codec.js'
import { argumentError } from '../codec/errors.js'
import { formatIp, networkOf, parseCidr } from '../codec/ip.js'
import { requestFlags } from '../protocol/netlink.js'
import { routeProtocols, routeTables } from '../protocol/route-names.js'
import { rtm } from '../protocol/rtnetlink.js'
import { rule as ruleTable } from '../protocol/rule.js'
import type { Context } from '../socket/request.js'
import {
  type Check,
  type Checks,
  checkOptions,
  conflict,
  isBoolean,
  isByte,
  isFamily,
  isInteger,
  isObject,
  isOneOf,
  isPrefix,
  isText,
  isUnsigned,
  lacking,
  present,
} from './arguments.js'
import { blaming, type Culprits } from './blame.js'
import { numberOf, tableNumber } from './route-request.js'
import type { Scope } from './scope.js'

/** 'table' asks a table, 'goto' goes on with another rule, 'nop' does nothing; the others end the search with an error. */
export type RuleType = 'table' | 'goto' | 'nop' | 'blackhole' | 'unreachable' | 'prohibit'
/** From `start` to `end`, both included. */
export interface Range {
  readonly start: number
  readonly end: number
}
/** What a packet must have for the rule to hold; what is left out is not looked at. */
interface Selectors {
  /** Source prefix. */
  readonly from?: string
  /** Destination prefix. */
  readonly to?: string
  /** Netfilter mark. */
  readonly mark?: number
  /** Bits of the mark that count; all by default. */
  readonly mask?: number
  /** Name of the link that it came in by; 'lo' for what this host sends. It need not be there. */
  readonly iif?: string
  /** Name of the link that the socket is bound to. */
  readonly oif?: string
  readonly tos?: number
  /** Number of the protocol: 6 is TCP, 17 UDP. */
  readonly ipProtocol?: number
  readonly sourcePorts?: Range
  readonly destinationPorts?: Range
  /** Users whose sockets it holds for; all of them must be known in the user namespace. */
  readonly users?: Range
  /** The rule holds for packets that do not fit. */
  readonly invert?: boolean
}
/** A rule to add or delete; one that list() gave is one too. */
export interface RuleSpec extends Selectors {
  /** Which family's packets; 4 by default, unless an address says otherwise. */
  readonly family?: 4 | 6
  /** Rules are tried in ascending order; left out, the kernel puts it before all others but the first. */
  readonly priority?: number
  /** 'main' by default. */
  readonly table?: 'main' | 'local' | 'default' | number
  /** 'table' by default. */
  readonly type?: RuleType
  /** Priority of the rule to go on with. */
  readonly goto?: number
  /** A route of the table whose prefix is this long or shorter does not count; 0 leaves its default route out. */
  readonly suppressPrefix?: number
  /** A route of the table that leads to a link of this group does not count. */
  readonly suppressGroup?: number
  /** Ask the table of the VRF that the link belongs to. */
  readonly l3mdev?: boolean
  /** Who makes it; nobody by default, as `ip rule add` has it. Rules of different makers are different rules. */
  readonly protocol?: string | number
}
export interface Rule extends Selectors {
  readonly family: 4 | 6
  readonly priority: number
  /** The table that is asked; 0 for rules of another type. */
  readonly table: number
  readonly type: RuleType
  readonly goto?: number
  readonly suppressPrefix?: number
  readonly suppressGroup?: number
  readonly l3mdev?: boolean
  /** Who made it: 'kernel', 'static', 'unspec' where nobody has said … or a number. */
  readonly protocol: string
}
export interface RuleFilter {
  readonly family?: 4 | 6
}

export type RuleMessage = Encodable<typeof ruleTable>
type RawRule = Decoded<typeof ruleTable>

const range = (highest: number): Check => {
  const isRange = isObject<Range>({ start: isInteger(0, highest), end: isInteger(0, highest) })
  return value => {
    isRange(value)
    const { start, end } = value as Range
    if (start === undefined || end === undefined || start > end)
      throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'a range has a start, and an end that is not below it')
  }
}
const actions = {
  table: 'toTbl',
  goto: 'goto',
  nop: 'nop',
  blackhole: 'blackhole',
  unreachable: 'unreachable',
  prohibit: 'prohibit',
} as const
const checks: Checks<RuleSpec> = {
  family: isFamily,
  priority: isUnsigned,
  from: isPrefix,
  to: isPrefix,
  mark: isUnsigned,
  mask: isUnsigned,
  iif: isText(15),
  oif: isText(15),
  tos: isByte,
  ipProtocol: isByte,
  sourcePorts: range(0xfffe),
  destinationPorts: range(0xfffe),
  users: range(0xffff_fffe),
  invert: isBoolean,
  table: value => {
    if (value !== 0) tableNumber(value as string)
  },
  type: isOneOf(Object.keys(actions)),
  goto: isUnsigned,
  suppressPrefix: isInteger(0, 128),
  suppressGroup: isInteger(0, 0x7fff_ffff),
  l3mdev: isBoolean,
  protocol: value => void numberOf(routeProtocols, value as string),
}
const selectors = [
  'from',
  'to',
  'mark',
  'mask',
  'iif',
  'oif',
  'tos',
  'ipProtocol',
  'sourcePorts',
  'destinationPorts',
  'users',
  'invert',
] as const
const reply = { type: rtm.newRule, codec: ruleTable }
export const ruleHints = {
  EEXIST: 'there is exactly such a rule already',
  ENOENT: 'there is no such rule: all that is given must fit',
  EINVAL: 'see that the table, or what the rule does, is given',
} as const

export const ruleCulprits: Culprits = [
  [/uid range/i, 'users'],
  [/goto/i, 'goto'],
]

/** The message for a rule; `deleting` leaves out what nobody has said. */
export function ruleMessage(rule: RuleSpec, deleting = false): RuleMessage {
  checkOptions(rule, checks)
  const { priority, mark, mask, type, l3mdev, table, protocol, invert } = rule
  const from = prefix(rule.from, 'from')
  const to = prefix(rule.to, 'to')
  const found = from?.family ?? to?.family
  const family = rule.family ?? found ?? 4
  for (const [path, side] of Object.entries({ from, to }))
    if (side && side.family !== family)
      throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${side.address} is not an IPv${family} address, as the rule is`, path)
  if (mask !== undefined && mark === undefined) throw conflict('mask', 'needs a mark')
  if ((rule.goto === undefined) !== (type !== 'goto') && !deleting)
    throw rule.goto === undefined ? lacking('goto', 'say which rule to go on with') : conflict('goto', "needs type: 'goto'")
  // The kernel would delete the first rule that it comes across, which is the one for local addresses.
  if (deleting && priority === undefined && table === undefined && selectors.every(name => rule[name] === undefined))
    throw lacking('priority', 'say which rule: by priority, table or what packets it is for')
  const asks = type === undefined || type === 'table'
  if (!asks && table !== undefined && table !== 0) throw conflict('table', `a rule of type ${type} asks no table`)
  return present({
    family: family === 4 ? ('inet' as const) : ('inet6' as const),
    dstLen: to?.prefix,
    srcLen: from?.prefix,
    tos: rule.tos,
    action: deleting && type === undefined ? undefined : actions[type ?? 'table'],
    flags: invert ? (['invert'] as const) : undefined,
    dst: to?.prefix ? to.address : undefined,
    src: from?.prefix ? from.address : undefined,
    iifname: rule.iif,
    oifname: rule.oif,
    goto: rule.goto,
    priority,
    fwmark: mark,
    // A mark of 0 says nothing to the kernel unless its bits are asked for.
    fwmask: mark === 0 ? (mask ?? allBits) : mask,
    suppressIfgroup: rule.suppressGroup,
    suppressPrefixlen: rule.suppressPrefix,
    table: asks && !l3mdev ? tableOf(table, deleting) : undefined,
    l3mdev: l3mdev || undefined,
    uidRange: rule.users,
    protocol: protocol === undefined ? undefined : numberOf(routeProtocols, protocol),
    ipProto: rule.ipProtocol,
    sportRange: rule.sourcePorts,
    dportRange: rule.destinationPorts,
  }) as RuleMessage
}

function tableOf(table: RuleSpec['table'], deleting: boolean): number | undefined {
  if (table === undefined) return deleting ? undefined : routeTables.main
  return table === 0 ? undefined : tableNumber(table)
}

function prefix(text: string | undefined, path: string) {
  if (text === undefined) return undefined
  const parsed = parseCidr(text)
  const network = formatIp(networkOf(parsed.bytes, parsed.prefix))
  if (network !== parsed.address)
    throw argumentError(
      'ERR_NETLOOM_INVALID_ADDRESS',
      `${text} has bits beyond its prefix: the network is ${network}/${parsed.prefix}`,
      path,
    )
  return parsed
}

/** The caller's name of a field of the message. */
export function ruleField([first]: readonly string[]): string | undefined {
  const names: Partial<Record<string, string>> = {
    dst: 'to',
    dstLen: 'to',
    src: 'from',
    srcLen: 'from',
    iifname: 'iif',
    oifname: 'oif',
    fwmark: 'mark',
    fwmask: 'mask',
    action: 'type',
    flags: 'invert',
    suppressIfgroup: 'suppressGroup',
    suppressPrefixlen: 'suppressPrefix',
    uidRange: 'users',
    ipProto: 'ipProtocol',
    sportRange: 'sourcePorts',
    dportRange: 'destinationPorts',
  }
  return first === undefined ? undefined : (names[first] ?? first)
}

const allBits = 0xffff_ffff
const typeOf = (action: RawRule['action']): RuleType => {
  for (const [type, name] of Object.entries(actions)) if (name === action) return type as RuleType
  return String(action) as RuleType
}
const isFullRange = ({ start, end }: Range) => start === 0 && end === allBits

/** A rule as callers see it. */
export function toRule(raw: RawRule): Rule {
  const whole = raw.family === 'inet' ? 32 : 128
  const text = (address: string | undefined, length: number) =>
    address === undefined || length === 0 ? undefined : length === whole ? address : `${address}/${length}`
  return {
    family: raw.family === 'inet' ? 4 : 6,
    priority: raw.priority ?? 0,
    table: raw.table ?? raw.headerTable,
    type: typeOf(raw.action),
    ...present({
      from: text(raw.src, raw.srcLen),
      to: text(raw.dst, raw.dstLen),
      // The kernel leaves out a mark of 0.
      mark: raw.fwmark ?? (raw.fwmask === undefined ? undefined : 0),
      mask: raw.fwmask === allBits ? undefined : raw.fwmask,
      iif: raw.iifname,
      oif: raw.oifname,
      tos: raw.tos || undefined,
      ipProtocol: raw.ipProto,
      sourcePorts: raw.sportRange,
      destinationPorts: raw.dportRange,
      users: raw.uidRange && isFullRange(raw.uidRange) ? undefined : raw.uidRange,
      invert: raw.flags.includes('invert') || undefined,
      goto: raw.goto,
      suppressPrefix: raw.suppressPrefixlen === -1 ? undefined : raw.suppressPrefixlen,
      suppressGroup: raw.suppressIfgroup === -1 ? undefined : raw.suppressIfgroup,
      l3mdev: raw.l3mdev || undefined,
    }),
    protocol: String(raw.protocol ?? 'unspec'),
  }
}

export function ruleVerbs(scope: Scope) {
  async function change(operation: string, type: number, flags: number, rule: RuleSpec): Promise<void> {
    const value = ruleMessage(rule, type === rtm.delRule)
    const subject = rule.priority === undefined ? undefined : String(rule.priority)
    const context: Context = { operation, subject, namespace: scope.label, field: ruleField, hints: ruleHints }
    const connection = await scope.connection()
    await blaming(connection.request({ type, flags, codec: ruleTable, value, context }), ruleCulprits)
  }

  return {
    /**
     * Adds a rule: `add({ from: '10.0.1.0/24', table: 100 })`.
     *
     * Errors: EEXIST there is exactly such a rule, EPERM without CAP_NET_ADMIN.
     */
    add(rule: RuleSpec): Promise<void> {
      return change('add rule', rtm.newRule, requestFlags.create | requestFlags.exclusive, rule)
    },

    /** Removes the first rule that fits all that is given; throws ENOENT if none does. */
    delete(rule: RuleSpec): Promise<void> {
      return change('delete rule', rtm.delRule, 0, rule)
    },

    /** The rules in the order in which they are tried, IPv4 first. */
    async list(filter: RuleFilter = {}): Promise<Rule[]> {
      checkOptions(filter, { family: isFamily })
      const context: Context = { operation: 'list rules', namespace: scope.label }
      const connection = await scope.connection()
      const rules: Rule[] = []
      for (const family of filter.family === undefined ? ([4, 6] as const) : [filter.family]) {
        const value: RuleMessage = { family: family === 4 ? 'inet' : 'inet6' }
        const found = await connection.dump({ type: rtm.getRule, codec: ruleTable, value, context }, reply)
        // A kernel without IPv6 answers for every family.
        for (const raw of found) if (raw.family === value.family) rules.push(toRule(raw))
      }
      return rules
    },
  }
}
