// Statements that act: verdicts and verdict maps, log, reject, queue, named objects, sets that rules fill.
import { rangeError, shown } from '../../codec/errors.js'
import { logLevels } from '../../protocol/nftables/expressions/action.js'
import { type DataType, dataTypes, type Slot, slotOf } from './datatypes.js'
import { at, boundsOf, encodeVerdict } from './element-values.js'
import {
  type Context,
  entryOf,
  invalid,
  isObject,
  listOf,
  type ObjectType,
  own,
  register,
  require,
  requireNetwork,
} from './linearize-context.js'
import { load, loadAll, sourceOf, sourcesOf } from './linearize-load.js'
import { addSet, checkKey, namedSet, needsInterval, objectNumber, setMembers } from './linearize-set.js'
import { valueInto } from './linearize-value.js'
import * as stateful from './stateful.js'

const { only } = stateful
const whole = (value: unknown, path: string, most: number): number => {
  if (!Number.isInteger(value)) throw invalid(`${shown(value)} is not an integer`, path)
  if ((value as number) < 0 || (value as number) > most)
    throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${value} is out of range (0 to ${most})`, path)
  return value as number
}

export function verdict(ctx: Context, statement: unknown): void {
  const data = encodeVerdict(statement)
  if (!data) throw invalid(`${shown(statement)} is not a verdict`)
  ctx.out.push({ name: 'immediate', data: { dreg: 0, data } })
}

/** The key of a map into the first registers; gives how a lookup names the map. */
function keyed(ctx: Context, map: unknown, data: 'verdict' | 'object', object?: ObjectType) {
  only(map, ['key', 'data'])
  const { key, data: table } = map as { key?: unknown; data?: unknown }
  const sources = at('key', () => sourcesOf(ctx, key))
  for (const source of sources) at('key', () => source.prepare())
  const slots = sources.map(source => source.slot)
  const members = setMembers(table)
  const named = members ? undefined : at('data', () => namedSet(ctx, table))
  if (!members && !named) throw invalid("needs { set: [[key, value], …] } or the name of a map, '@name'", 'data')
  if (named) at('data', () => checkKey(slots, named.types))
  const name = named ? named.name : at('data.set', () => addSet(ctx, { key: slots, data }, members!, object))
  const interval = named ? named.types.interval : needsInterval({ key: slots, data }, members!)
  loadAll(ctx, sources, 0, interval ? 'big' : undefined)
  return name
}
export function vmap(ctx: Context, value: unknown): void {
  ctx.out.push({ name: 'lookup', data: { sreg: 1, dreg: 0, ...keyed(ctx, value, 'verdict') } })
}

/** An object by its name, or by a map of names. */
export function object(ctx: Context, type: ObjectType, value: unknown): void {
  if (isObject(value) && 'map' in value) {
    const { set: setName, setId } = at('map', () => keyed(ctx, value.map, 'object', type))
    ctx.out.push({ name: 'objref', data: { setSreg: 1, setName, ...(setId === undefined ? {} : { setId }) } })
    return
  }
  if (typeof value !== 'string' || !value) throw invalid(`${shown(value)} is not the name of an object`)
  ctx.out.push({ name: 'objref', data: { immType: objectNumber(type), immName: value } })
}

const levelNames = { ...Object.fromEntries(Object.keys(logLevels).map(name => [name, name])), warn: 'warning' } as Readonly<
  Record<string, keyof typeof logLevels>
>
const logFlagNames = {
  'tcp sequence': ['tcpseq'],
  'tcp options': ['tcpopt'],
  'ip options': ['ipopt'],
  skuid: ['uid'],
  ether: ['macdecode'],
  all: ['tcpseq', 'tcpopt', 'ipopt', 'uid', 'macdecode'],
} as const
export function log(ctx: Context, value: unknown): void {
  if (value !== null) only(value, ['prefix', 'group', 'snaplen', 'queue-threshold', 'level', 'flags'])
  const { prefix, group, snaplen, 'queue-threshold': threshold, level, flags } = (value ?? {}) as Readonly<Record<string, unknown>>
  if (prefix !== undefined && typeof prefix !== 'string') throw invalid(`${shown(prefix)} is not a text`, 'prefix')
  if (prefix !== undefined && Buffer.byteLength(prefix) > 127)
    throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', 'has at most 127 bytes', 'prefix')
  if (group !== undefined && (level !== undefined || flags !== undefined)) throw invalid('a group has neither level nor flags', 'group')
  const names = listOf(flags).flatMap((flag, i) => [...own<readonly string[]>(logFlagNames, flag, `flags[${i}]`)])
  ctx.out.push({
    name: 'log',
    data: {
      ...(prefix === undefined ? {} : { prefix }),
      ...(group === undefined ? {} : { group: whole(group, 'group', 0xffff) }),
      ...(snaplen === undefined ? {} : { snaplen: whole(snaplen, 'snaplen', 0xffff_ffff) }),
      ...(threshold === undefined ? {} : { qthreshold: whole(threshold, 'queue-threshold', 0xffff) }),
      ...(level === undefined ? {} : { level: own(levelNames, level, 'level') }),
      ...(names.length ? { flags: names as ('tcpseq' | 'tcpopt')[] } : {}),
    },
  })
}

const codes = { icmp: dataTypes.icmp_code, icmpv6: dataTypes.icmpv6_code, icmpx: dataTypes.icmpx_code } as const
export function reject(ctx: Context, value: unknown): void {
  if (value !== null) only(value, ['type', 'expr'])
  const { type: given, expr = 'port-unreachable' } = (value ?? {}) as { type?: unknown; expr?: unknown }
  const inferred = ctx.family === 'ip' ? 'icmp' : ctx.family === 'ip6' ? 'icmpv6' : 'icmpx'
  const type = own({ 'tcp reset': 'tcp reset', icmp: 'icmp', icmpv6: 'icmpv6', icmpx: 'icmpx' } as const, given ?? inferred, 'type')
  if (ctx.family === 'arp' || ctx.family === 'netdev') throw invalid(`a table of family ${ctx.family} cannot have it`)
  if (type === 'tcp reset') {
    at('type', () => require(ctx, 'tcp'))
    ctx.out.push({ name: 'reject', data: { type: 'tcpRst', icmpCode: 0 } })
    return
  }
  if (type === 'icmpx' && (ctx.family === 'ip' || ctx.family === 'ip6'))
    throw invalid(`a table of family ${ctx.family} says ${inferred}`, 'type')
  const network = type === 'icmp' ? 'ip' : type === 'icmpv6' ? 'ip6' : undefined
  if (network && ctx.known.nh !== network) {
    if (ctx.known.nh) throw invalid(`packets are ${ctx.known.nh} here`, 'type')
    requireNetwork(ctx, network)
  }
  const icmpCode = Number(at('expr', () => codes[type].value.parse(expr, 8)))
  ctx.out.push({ name: 'reject', data: { type: type === 'icmpx' ? 'icmpxUnreach' : 'icmpUnreach', icmpCode } })
}

const queueSlot: Slot = { type: dataTypes.integer, bits: 16, order: 'big' }
export function queue(ctx: Context, value: unknown): void {
  if (value !== null) only(value, ['num', 'flags'])
  const { num = 0, flags: given } = (value ?? {}) as { num?: unknown; flags?: unknown }
  const names = listOf(given).map((flag, i) => own({ bypass: 'bypass', fanout: 'cpuFanout' } as const, flag, `flags[${i}]`))
  const flags = names.length ? { flags: names } : {}
  if (isObject(num) && !('range' in num)) {
    if ('map' in num) at('num', () => valueInto(ctx, { ...queueSlot, order: 'host' }, num, 0))
    else
      at('num', () => {
        const source = sourceOf(ctx, num)
        source.prepare()
        load(ctx, source, 0)
      })
    ctx.out.push({ name: 'queue', data: { sregQnum: 1, ...flags } })
    return
  }
  const { low, high } = at('num', () => boundsOf(queueSlot, num))
  ctx.out.push({ name: 'queue', data: { num: Number(low), total: Number(high - low) + 1, ...flags } })
}

export function synproxy(ctx: Context, value: unknown) {
  if (typeof value === 'string' || (isObject(value) && 'map' in value)) return object(ctx, 'synproxy', value)
  if (value !== null) only(value, ['mss', 'wscale', 'flags'])
  const { mss, wscale, flags: given } = (value ?? {}) as Readonly<Record<string, unknown>>
  const names = listOf(given).map((flag, i) => own({ timestamp: 'timestamp', 'sack-perm': 'sackPerm' } as const, flag, `flags[${i}]`))
  const size = mss === undefined ? [] : (['mss'] as const)
  const scale = wscale === undefined ? [] : (['wscale'] as const)
  ctx.out.push({
    name: 'synproxy',
    data: {
      mss: whole(mss ?? 0, 'mss', 0xffff),
      wscale: whole(wscale ?? 0, 'wscale', 14),
      flags: [...size, ...scale, ...names],
    },
  })
}

const withAt = (name: unknown, path: string): string => {
  if (typeof name !== 'string' || !/^@./.test(name)) throw invalid(`${shown(name)} is not a name with '@' before it`, path)
  return name.slice(1)
}
export function flow(ctx: Context, value: unknown): void {
  only(value, ['op', 'flowtable'])
  const { op, flowtable } = value as { op?: unknown; flowtable?: unknown }
  own({ add: true }, op ?? 'add', 'op')
  ctx.out.push({ name: 'flow_offload', data: { tableName: withAt(flowtable, 'flowtable') } })
}

/** `{ set }` and `{ map }`: what the packet says goes into a set, or out of it. */
export function fill(ctx: Context, value: unknown, map: boolean): void {
  const setField = map ? 'map' : 'set'
  only(value, map ? ['op', 'elem', 'data', 'map', 'stmt'] : ['op', 'elem', 'set', 'stmt'])
  const part = value as Readonly<Record<string, unknown>>
  const op = own({ add: 'add', update: 'update', delete: 'delete' } as const, part.op, 'op')
  const setName = withAt(part[setField], setField)
  const types = at(setField, () => namedSet(ctx, part[setField]))!.types
  const elem = isObject(part.elem) && isObject(part.elem.elem) ? part.elem.elem : { val: part.elem }
  at('elem', () => only(elem, ['val', 'timeout', 'comment']))
  const sources = at('elem', () => sourcesOf(ctx, elem.val))
  for (const source of sources) at('elem', () => source.prepare())
  const slots = sources.map(source => source.slot)
  at(setField, () => checkKey(slots, types))
  const length = loadAll(ctx, sources, 0)
  const place = 16 * Math.ceil(length / 16)
  let data = {}
  if (map) {
    if (!Array.isArray(types.data) || types.data.length !== 1) throw invalid('is not a map of single values', setField)
    const type = types.data[0] as DataType
    at('data', () => valueInto(ctx, slotOf(type, type.bits || 32), part.data, place))
    data = { sregData: register(place, 4) }
  }
  if (elem.timeout !== undefined && (typeof elem.timeout !== 'number' || !(elem.timeout >= 0)))
    throw invalid('is not a number of seconds', 'elem.timeout')
  const timeout = elem.timeout === undefined ? {} : { timeout: Math.round((elem.timeout as number) * 1000) }
  const stmts = listOf(part.stmt).map((statement, i) => at(`stmt[${i}]`, () => elementStatement(statement)))
  const expressions = stmts.length === 0 ? {} : stmts.length === 1 ? { expr: stmts[0]! } : { flags: ['expr'] as const, expressions: stmts }
  ctx.out.push({ name: 'dynset', data: { sregKey: 1, ...data, op, ...timeout, setName, ...expressions } })
}

/** What an element can be given. */
export function elementStatement(statement: unknown): stateful.WireStateful {
  const [kind, value] = entryOf(statement)
  return at(kind, () => {
    switch (kind) {
      case 'counter':
        return stateful.encodeCounter(value as never)
      case 'quota':
        return stateful.encodeQuota(value as never)
      case 'limit':
        return stateful.encodeLimit(value as never)
      case 'ct count':
        return stateful.encodeConnlimit(value as never)
      case 'last':
        return stateful.encodeLast(value as never)
      default:
        throw invalid('is nothing that an element can have')
    }
  })
}
