// Statements that act, on the way back: what is set, log, reject, queue, objects, sets that rules fill.
import { objectTypes } from '../../protocol/nftables/object.js'
import { dataTypes, type Slot, slotOf } from './datatypes.js'
import { drop, fullOf, type Held, held, integerOf, type ReadExpression, type State, say, use } from './delinearize-context.js'
import { loaded, masked, valueIn, worded } from './delinearize-load.js'
import { dataSlots, keyOf, keyParts, setExpression } from './delinearize-match.js'
import { valueFrom } from './element-values.js'
import type { Expression } from './expression.js'
import type { LogFlag, LogLevel } from './fields.js'
import { span } from './linearize-load.js'
import { type HeaderField, protocols } from './payload-fields.js'
import { decodeOne } from './stateful.js'
import type { Statement } from './statement.js'

type Named<N extends string> = Extract<ReadExpression, { readonly name: N }>
type Data<N extends string> = Named<N>['data']
const one = <T>(list: readonly T[]): T | readonly T[] => (list.length === 1 ? list[0]! : list)
const mangling = (key: Expression, value: Expression): Statement => ({ mangle: { key, value } })

/** meta, ct and exthdr that write: what they would read, and the register's value. */
export function set(state: State, read: ReadExpression, number: number): boolean {
  const { sreg } = read.data as { readonly sreg: number }
  const source = loaded(state, { ...read, data: { ...(read.data as object), dreg: sreg } } as ReadExpression)
  const key = source && worded(state, { from: [], value: source.value })
  const value = key && valueIn(state, sreg, key.slot)
  if (!key || value === undefined) return false
  say(state, [...held(state, sreg)!.from, number], mangling(key.expr, value))
  return true
}
/** exthdr without a register takes an option out. */
export function reset(state: State, data: Data<'exthdr'>, number: number): boolean {
  if (data?.op !== 'tcpopt') return false
  const source = loaded(state, { name: 'exthdr', data: { ...data, offset: 0, len: 1, flags: ['present'] } })
  if (!source || !('expr' in source.value)) return false
  say(state, [number], { reset: source.value.expr })
  return true
}

/** A part of the packet that is written: a whole field, or some bits that were read, changed and written back. */
export function payloadSet(state: State, data: Data<'payload'>, number: number): boolean {
  const { sreg, base, offset = 0, len = 0 } = data ?? {}
  const register = held(state, sreg)
  if (!register || typeof base !== 'string' || base === 'tunHeader' || len === 0) return false
  const from = [...register.from, number]
  if ('payload' in register.value && register.mask && register.xor) {
    const { payload } = register.value
    const field =
      payload.base === base && payload.offset === offset && payload.length === len ? fieldIn(state, base, offset, register) : undefined
    if (field) {
      say(state, from, mangling(field.key, field.value))
      return true
    }
  }
  const key = worded(state, { from: [], value: { payload: { base, offset, length: len } } })
  if (!key || key.loaded !== undefined) return false
  const value = valueIn(state, sreg, key.slot)
  if (value === undefined) return false
  say(state, from, mangling(key.expr, value))
  return true
}
/** The field whose bits are the only ones that change. */
function fieldIn(state: State, base: string, offset: number, { mask, xor }: Held): { key: Expression; value: Expression } | undefined {
  const length = mask!.length
  const region = slotOf(dataTypes.integer, length * 8, 'big')
  const own = fullOf(region) & ~integerOf(region, mask!)
  const layer = base === 'llHeader' ? 'll' : base === 'networkHeader' ? 'nh' : 'th'
  const known = layer === 'll' ? (state.known.ll ?? 'ether') : state.known[layer]
  if (!known) return undefined
  const { start = 0, fields } = protocols[known]
  for (const [name, [bit, bits, type]] of Object.entries(fields) as [string, HeaderField][]) {
    const place = span(start + bit, bits)
    const after = offset + length - place.first - place.length
    if (place.first < offset || after < 0 || name === 'cfi') continue
    if (place.mask << BigInt(8 * after) !== own) continue
    use(state, known, layer, known === 'icmp' ? 'ip' : known === 'icmpv6' ? 'ip6' : undefined)
    const slot: Slot = { type: dataTypes[type], bits, order: 'big' }
    const value = (integerOf(region, xor!) >> BigInt(8 * after)) >> BigInt(place.shift)
    if (value >> BigInt(bits)) return undefined
    return {
      key: { payload: { protocol: known, field: name } } as Expression,
      value: valueFrom(slot, { low: value, high: value }, state.interfaces),
    }
  }
  return undefined
}

const logFlags: Readonly<Record<string, LogFlag>> = {
  tcpseq: 'tcp sequence',
  tcpopt: 'tcp options',
  ipopt: 'ip options',
  uid: 'skuid',
  macdecode: 'ether',
}
export function log(state: State, data: Data<'log'>, number: number): boolean {
  const { prefix, group, snaplen, qthreshold, level, flags = [] } = data ?? {}
  const names = flags.map(flag => logFlags[flag])
  if (typeof level === 'number' || names.includes(undefined)) return false
  // What the kernel takes without being told.
  const named = level === undefined || level === 'warning' ? {} : { level: level as LogLevel }
  const value = {
    ...(prefix === undefined ? {} : { prefix }),
    ...(group === undefined ? {} : { group }),
    ...(snaplen ? { snaplen } : {}),
    ...(qthreshold ? { 'queue-threshold': qthreshold } : {}),
    ...(group === undefined ? named : {}),
    ...(names.length === 0 ? {} : { flags: names.length === 5 ? ('all' as const) : one(names as LogFlag[]) }),
  }
  say(state, [number], { log: Object.keys(value).length ? value : null })
  return true
}

const codes = { icmp: dataTypes.icmp_code, icmpv6: dataTypes.icmpv6_code, icmpx: dataTypes.icmpx_code } as const
export function reject(state: State, data: Data<'reject'>, number: number): boolean {
  const { type, icmpCode = 0 } = data ?? {}
  if (type === 'tcpRst') {
    if (state.family === 'ip' || state.family === 'ip6') use(state, 'tcp', 'th')
    say(state, [number], { reject: { type: 'tcp reset' } })
    return true
  }
  const network = state.known.nh
  const kind =
    type === 'icmpxUnreach'
      ? 'icmpx'
      : type !== 'icmpUnreach'
        ? undefined
        : network === 'ip'
          ? 'icmp'
          : network === 'ip6'
            ? 'icmpv6'
            : undefined
  if (!kind) return false
  // In a bridge the match that would be added is another.
  if (kind !== 'icmpx' && state.family !== 'bridge' && state.dependencies.nh?.protocol === network) drop(state, 'nh')
  const expr = codes[kind].value.format(BigInt(icmpCode), 8) as Expression
  say(state, [number], { reject: { type: kind, expr } })
  return true
}

const queueFlags: Readonly<Record<string, 'bypass' | 'fanout'>> = { bypass: 'bypass', cpuFanout: 'fanout' }
export function queue(state: State, data: Data<'queue'>, number: number): boolean {
  const { num = 0, total = 1, flags = [], sregQnum } = data ?? {}
  const names = flags.map(flag => queueFlags[flag])
  if (names.includes(undefined)) return false
  const said = names.length ? { flags: one(names as ('bypass' | 'fanout')[]) } : {}
  if (sregQnum === undefined) {
    say(state, [number], { queue: { num: total > 1 ? { range: [num, num + total - 1] } : num, ...said } })
    return true
  }
  const register = held(state, sregQnum)
  const words = worded(state, register)
  const expr = register && 'map' in register.value ? register.value.map : words && masked(words)
  if (!register || expr === undefined) return false
  say(state, [...register.from, number], { queue: { num: expr, ...said } })
  return true
}

export function synproxy(state: State, data: Data<'synproxy'>, number: number): boolean {
  const { mss, wscale, flags = [] } = data ?? {}
  if (flags.some(flag => flag === 'ecn' || flag.startsWith('bit'))) return false
  const names = [...(flags.includes('timestamp') ? ['timestamp'] : []), ...(flags.includes('sackPerm') ? ['sack-perm'] : [])]
  const value = {
    ...(flags.includes('mss') ? { mss: mss ?? 0 } : {}),
    ...(flags.includes('wscale') ? { wscale: wscale ?? 0 } : {}),
    ...(names.length ? { flags: one(names as ('timestamp' | 'sack-perm')[]) } : {}),
  }
  say(state, [number], { synproxy: Object.keys(value).length ? value : null })
  return true
}

const objectStatements: Readonly<Partial<Record<keyof typeof objectTypes, string>>> = {
  counter: 'counter',
  quota: 'quota',
  limit: 'limit',
  ctHelper: 'ct helper',
  ctTimeout: 'ct timeout',
  ctExpect: 'ct expectation',
  secmark: 'secmark',
  synproxy: 'synproxy',
}
const objectByNumber = new Map(Object.entries(objectTypes).map(([name, number]) => [number as number, name as keyof typeof objectTypes]))
export function objref(state: State, data: Data<'objref'>, number: number): boolean {
  const { immType, immName, setSreg, setName } = data ?? {}
  if (immName !== undefined && immType !== undefined) {
    const kind = objectStatements[objectByNumber.get(immType) ?? 'tunnel']
    if (kind) say(state, [number], { [kind]: immName } as unknown as Statement)
    return kind !== undefined
  }
  if (setName === undefined) return false
  const known = state.sets?.(setName)
  const key = keyParts(state, setSreg, known)
  const kind = objectStatements[known?.objectType ?? 'tunnel']
  if (!key || !kind) return false
  const map = { key: keyOf(key.parts), ...setExpression(setName, known, key.parts, state) }
  say(state, [...key.from, number], { [kind]: { map } } as unknown as Statement)
  return true
}

const isZeroCounter = (data: Data<'counter'>) => !data?.packets && !data?.bytes && !data?.unknown

export function dynset(state: State, data: Data<'dynset'>, number: number): boolean {
  const { setName, op, sregKey, sregData, timeout, expr, expressions, flags = [] } = data ?? {}
  const known = setName === undefined ? undefined : state.sets?.(setName)
  const key = keyParts(state, sregKey, known)
  if (setName === undefined || !key || typeof op !== 'string' || flags.some(flag => flag !== 'expr')) return false
  const inner = expressions ?? (expr ? [expr] : [])
  const stmt = inner.map(part =>
    part.name === 'counter' && isZeroCounter(part.data) ? { counter: null } : (decodeOne(part) as Statement | undefined),
  )
  if (stmt.includes(undefined)) return false
  const val = keyOf(key.parts)
  const elem: Expression = timeout ? { elem: { val, timeout: timeout / 1000 } } : val
  const more = stmt.length ? { stmt: stmt as Statement[] } : {}
  if (sregData === undefined) {
    // A set that rules fill and that has no place but in its rule is what `meter` made.
    if (known?.elements && op === 'update' && stmt.length === 1) {
      const size = known.size === undefined ? {} : { size: known.size }
      say(state, [...key.from, number], { meter: { key: elem, stmt: stmt[0] as Statement, ...size, name: setName } })
      return true
    }
    say(state, [...key.from, number], { set: { op, elem, set: `@${setName}`, ...more } })
    return true
  }
  const [slot] = dataSlots(known) ?? []
  const value = slot && valueIn(state, sregData, slot)
  if (value === undefined) return false
  say(state, [...key.from, ...held(state, sregData)!.from, number], { map: { op, elem, data: value, map: `@${setName}`, ...more } })
  return true
}

/** Counters, quotas, limits and their like. */
export function stateful(state: State, part: ReadExpression, number: number): boolean {
  const statement = decodeOne(part)
  if (statement) say(state, [number], statement as Statement)
  return statement !== undefined
}
