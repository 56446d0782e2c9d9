// Counters, quotas, limits and their like as JSON ⇄ expressions: in rules, in elements and in what a set gives each of its elements.
import type { Decoded, Encodable } from '../../codec/codec.js'
import { argumentError, expectObject, expectOnly, rangeError, shown } from '../../codec/errors.js'
import type { expression } from '../../protocol/nftables/expression.js'
import type { statefulExpression } from '../../protocol/nftables/expressions/action.js'
import { at } from './element-values.js'
import type { ElemExpression } from './expression.js'
import type { ByteUnit, TimeUnit } from './fields.js'
import type { CounterValue, LimitValue, QuotaValue } from './statement.js'

export type WireStateful = Encodable<typeof statefulExpression>
export type ReadExpression = Decoded<typeof expression>
/** Members of an element, and single statements, of this kind. */
export type StatefulFields = Pick<ElemExpression['elem'], 'counter' | 'quota' | 'limit' | 'ct count' | 'last'>

const byteUnits: Readonly<Record<ByteUnit, number>> = { bytes: 1, kbytes: 1024, mbytes: 1024 * 1024 }
const timeUnits: Readonly<Record<TimeUnit, number>> = { second: 1, minute: 60, hour: 3600, day: 86_400, week: 604_800 }

function own<T>(table: Readonly<Record<string, T>>, name: unknown, path: string): T {
  if (typeof name === 'string' && Object.hasOwn(table, name)) return table[name]!
  throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `${shown(name)} is none of ${Object.keys(table).join(', ')}`, path)
}
function whole(value: unknown, path: string): number {
  if (!Number.isInteger(value)) throw argumentError('ERR_NETLOOM_INVALID_NUMBER', `${shown(value)} is not an integer`, path)
  if ((value as number) < 0) throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${value} is below zero`, path)
  return value as number
}
/** Refuses members that mean nothing. */
export function only(value: unknown, names: readonly string[]): void {
  expectObject(value)
  expectOnly(value as object, names, 'field')
}
const inverted = (inv: unknown): 'inv'[] => (inv ? ['inv'] : [])

export function encodeCounter(value: CounterValue | null): WireStateful {
  if (value !== null) only(value, ['packets', 'bytes'])
  const [bytes, packets] = [whole(value?.bytes ?? 0, 'bytes'), whole(value?.packets ?? 0, 'packets')]
  return { name: 'counter', data: { ...(bytes ? { bytes } : {}), ...(packets ? { packets } : {}) } }
}
export function encodeQuota(value: QuotaValue): WireStateful {
  only(value, ['val', 'val_unit', 'used', 'used_unit', 'inv'])
  const amount = (of: unknown, unit: unknown, path: string) => whole(of, path) * own(byteUnits, unit ?? 'bytes', `${path}_unit`)
  const consumed = amount(value.used ?? 0, value.used_unit, 'used')
  return { name: 'quota', data: { bytes: amount(value.val, value.val_unit, 'val'), consumed, flags: inverted(value.inv) } }
}
export function encodeLimit(value: LimitValue): WireStateful {
  only(value, ['rate', 'rate_unit', 'per', 'burst', 'burst_unit', 'inv'])
  const bytes = value.rate_unit !== undefined && value.rate_unit !== 'packets'
  const rate = whole(value.rate, 'rate') * (bytes ? own(byteUnits, value.rate_unit, 'rate_unit') : 1)
  if (rate === 0) throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', 'is at least 1', 'rate')
  const burst = whole(value.burst ?? (bytes ? 0 : 5), 'burst') * (bytes ? own(byteUnits, value.burst_unit ?? 'bytes', 'burst_unit') : 1)
  const unit = own(timeUnits, value.per ?? 'second', 'per')
  return { name: 'limit', data: { rate, unit, ...(burst ? { burst } : {}), type: bytes ? 'pktBytes' : 'pkts', flags: inverted(value.inv) } }
}
export function encodeConnlimit(value: { readonly val: number; readonly inv?: boolean }): WireStateful {
  only(value, ['val', 'inv'])
  return { name: 'connlimit', data: { count: whole(value.val, 'val'), flags: inverted(value.inv) } }
}
export function encodeLast(value: { readonly used?: number } | null): WireStateful {
  if (value !== null) only(value, ['used'])
  return value?.used === undefined ? { name: 'last', data: {} } : { name: 'last', data: { set: 1, msecs: whole(value.used, 'used') } }
}

/** The members of an element that are expressions. */
export function encodeStateful(fields: StatefulFields): WireStateful[] {
  const out: WireStateful[] = []
  if (fields.counter !== undefined) out.push(at('counter', () => encodeCounter(fields.counter!)))
  if (fields.quota !== undefined) out.push(at('quota', () => encodeQuota(fields.quota!)))
  if (fields.limit !== undefined) out.push(at('limit', () => encodeLimit(fields.limit!)))
  if (fields['ct count'] !== undefined) out.push(at('ct count', () => encodeConnlimit(fields['ct count']!)))
  if (fields.last !== undefined) out.push(at('last', () => encodeLast(fields.last!)))
  return out
}

/** Bytes in the largest unit in which they are a whole number. */
function inUnits(bytes: number): { val: number; unit: ByteUnit } {
  for (const unit of ['mbytes', 'kbytes'] as const)
    if (bytes && bytes % byteUnits[unit] === 0) return { val: bytes / byteUnits[unit], unit }
  return { val: bytes, unit: 'bytes' }
}
/** One such expression as the member of an element, or as a statement; undefined where it has no such form. */
export function decodeOne(expression: ReadExpression): StatefulFields | undefined {
  const { name, data } = expression
  if (data === undefined || (data as { unknown?: unknown }).unknown !== undefined) return undefined
  switch (name) {
    case 'counter':
      return { counter: { packets: data.packets ?? 0, bytes: data.bytes ?? 0 } }
    case 'quota': {
      if (data.flags?.some(flag => flag !== 'inv' && flag !== 'depleted')) return undefined
      const { val, unit } = inUnits(data.bytes ?? 0)
      const used = inUnits(data.consumed ?? 0)
      const consumed = used.val ? { used: used.val, used_unit: used.unit } : {}
      return { quota: { val, val_unit: unit, ...consumed, ...(data.flags?.includes('inv') ? { inv: true } : {}) } }
    }
    case 'limit': {
      const per = Object.keys(timeUnits).find(unit => timeUnits[unit as TimeUnit] === data.unit) as TimeUnit | undefined
      if (!per) return undefined
      const inv = data.flags?.includes('inv') ? { inv: true } : {}
      if (data.type === 'pkts') return { limit: { rate: data.rate ?? 0, burst: data.burst ?? 0, per, ...inv } }
      if (data.type !== 'pktBytes') return undefined
      const rate = inUnits(data.rate ?? 0)
      const burst = inUnits(data.burst ?? 0)
      return { limit: { rate: rate.val, burst: burst.val, per, rate_unit: rate.unit, burst_unit: burst.unit, ...inv } }
    }
    case 'connlimit':
      return { 'ct count': { val: data.count ?? 0, ...(data.flags?.includes('inv') ? { inv: true } : {}) } }
    case 'last':
      return { last: data.set ? { used: data.msecs ?? 0 } : null }
    default:
      return undefined
  }
}
export const decodeStateful = (expressions: readonly ReadExpression[]): StatefulFields =>
  Object.assign({}, ...expressions.map(one => decodeOne(one) ?? {})) as StatefulFields
