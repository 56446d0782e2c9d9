// Fields of the rule language: `tcp.dport(80)` matches, `tcp.dport.set(80)` changes, `tcp.dport.map(…)` looks up.
import { argumentError } from '../../codec/errors.js'
import type { Expression, MapExpression, PrefixExpression, SetMember, Verdict } from './expression.js'
import type { MatchOperator } from './fields.js'
import type { MangleStatement, MatchStatement, VmapStatement } from './statement.js'

/** The name of a set or map of the table. */
export type SetName = `@${string}`
export interface RangeOf<V> {
  readonly range: readonly [V, V]
}
/** An element of a set that has more than a value. Times are in seconds. */
export interface ElementOf<V> {
  readonly elem: { readonly val: V; readonly timeout?: number; readonly comment?: string }
}
/** What one element of a set can be. */
export type Member<V> = V | RangeOf<V> | PrefixExpression | ElementOf<V | RangeOf<V> | PrefixExpression>
/** Another comparison than the usual one: `not('lo')`, `lt(5)`. */
export interface Compared<T> {
  readonly compare: MatchOperator
  readonly value: T
}
/** Without a comparison: a value, a range, a prefix, some values (a set), a named set, or another field. */
export type Wanted<V> = V | RangeOf<V> | PrefixExpression | readonly Member<V>[] | SetName | Computed
export type Match<V> = Wanted<V> | Compared<Wanted<V>>
/** What a packet gives: a field, or what a map makes of one. */
export type Computed = { readonly expression: Expression } | MapExpression

/** Something of a packet that values of type V are compared with. */
export interface Field<V> {
  /** Goes on if it is the value, in the range, or in the set; `not(…)`, `lt(…)` and their like compare otherwise. */
  (value: Match<V>): MatchStatement
  readonly expression: Expression
  /** Changes it. */
  set(value: V | Computed): MangleStatement
  /** The value that a named map, or these pairs, have for it. */
  map(data: SetName | readonly (readonly [Member<V>, Data])[]): MapExpression
  /** Decides by a named verdict map, or by these pairs. */
  vmap(verdicts: SetName | readonly (readonly [Member<V>, Verdict])[]): VmapStatement
  /** Only some bits of it: `meta.mark.and(0xff)(0x01)`. */
  and(bits: V | Computed): Field<V>
  or(bits: V | Computed): Field<V>
  xor(bits: V | Computed): Field<V>
  shiftLeft(bits: number): Field<V>
  shiftRight(bits: number): Field<V>
}
/** A field of bits with names. */
export interface FlagsField<V extends string | number> extends Omit<Field<V>, 'and' | 'set'> {
  /** Goes on if one of the flags is set; a list is a set of which one must be all that is set. */
  (...flags: readonly [V, V, ...V[]]): MatchStatement
  (value: Match<V | number>): MatchStatement
  /** Looks at these flags alone: `tcp.flags.within('syn', 'ack')('syn')` is `tcp flags syn / syn,ack`. */
  within(...flags: readonly [V, ...V[]]): (...flags: readonly [V, ...V[]] | readonly [Compared<V | readonly V[]>]) => MatchStatement
  set(...flags: readonly [V, ...V[]] | readonly [Computed]): MangleStatement
}
/** What a map leads to. */
export type Data =
  | string
  | number
  | readonly (string | number | RangeOf<string> | RangeOf<number>)[]
  | RangeOf<string>
  | RangeOf<number>
  | PrefixExpression

type Parse = (value: unknown, part?: number) => Expression

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const isField = (value: unknown): value is { readonly expression: Expression } =>
  (typeof value === 'function' || isRecord(value)) && 'expression' in (value as object)

/** A value, a field or an expression as an expression. */
export function toExpression(value: unknown, parse: Parse = plain): Expression {
  if (value === undefined) throw argumentError('ERR_NETLOOM_INVALID_OPTION', 'a value is missing in a rule')
  if (isField(value)) return value.expression
  if (!isRecord(value)) return typeof value === 'string' && value.startsWith('@') ? value : parse(value)
  if (Array.isArray(value.range)) return { range: value.range.map(end => parse(end)) as [Expression, Expression] }
  if (isRecord(value.elem)) return { elem: { ...value.elem, val: toExpression(value.elem.val, parse) } }
  return value as unknown as Expression
}

/** Values as they are. */
export const plain: Parse = value => value as Expression
/** '10.0.0.0/8' is a prefix, '10.0.0.1-10.0.0.9' a range, anything else is taken as it is. */
export const address: Parse = value => {
  if (typeof value !== 'string') return value as Expression
  const [, addr, length, low, high] =
    /^([\d.]+|[\da-f:.]*:[\da-f:.]*)\/(\d+)$|^([\d.]+|[\da-f:.]*:[\da-f:.]*)-([\d.]+|[\da-f:.]*:[\da-f:.]*)$/i.exec(value) ?? []
  if (addr !== undefined) return { prefix: { addr, len: Number(length) } }
  return low === undefined || high === undefined ? value : { range: [low, high] }
}
/** '1024-65535' is a range of ports. */
export const ports: Parse = value => {
  const [, low, high] = typeof value === 'string' ? (/^(\d+)-(\d+)$/.exec(value) ?? []) : []
  return low === undefined ? (value as Expression) : { range: [Number(low), Number(high)] }
}

const members = (list: readonly unknown[], parse: Parse): SetMember[] => list.map(member => toExpression(member, parse))
const pairs = (list: readonly (readonly [unknown, unknown])[], key: Parse): SetMember[] =>
  list.map(([one, data]) => [toExpression(one, key), dataOf(data)] as const)
/** Several values in a list are a concatenation; a string may be an address with more than one. */
const dataOf = (data: unknown): Expression =>
  Array.isArray(data) ? { concat: data.map(part => toExpression(part, address)) } : toExpression(data, isRecord(data) ? plain : address)

const right = (value: unknown, parse: Parse): Expression =>
  Array.isArray(value) ? { set: members(value, parse) } : toExpression(value, parse)
const isCompared = (value: unknown): value is Compared<unknown> => isRecord(value) && 'compare' in value

interface Maker {
  readonly parse?: Parse
  /** What `set` becomes where it is no change of the packet. */
  readonly assign?: (value: Expression) => unknown
}

/** A field by its expression. */
export function field<V>(expression: Expression, { parse = plain, assign }: Maker = {}): Field<V> {
  const match = (value: unknown): MatchStatement =>
    isCompared(value)
      ? { match: { op: value.compare, left: expression, right: right(value.value, parse) } }
      : { match: { op: '==', left: expression, right: right(value, parse) } }
  const binary = (operator: string) => (bits: unknown) =>
    field<V>({ [operator]: [expression, toExpression(bits)] } as unknown as Expression)
  const own = {
    expression,
    set: (value: unknown) =>
      assign ? assign(toExpression(value, parse)) : { mangle: { key: expression, value: toExpression(value, parse) } },
    map: (data: SetName | readonly (readonly [unknown, unknown])[]) => ({
      map: { key: expression, data: typeof data === 'string' ? data : { set: pairs(data, parse) } },
    }),
    vmap: (data: SetName | readonly (readonly [unknown, unknown])[]) => ({
      vmap: { key: expression, data: typeof data === 'string' ? data : { set: pairs(data, parse) } },
    }),
    and: binary('&'),
    or: binary('|'),
    xor: binary('^'),
    shiftLeft: binary('<<'),
    shiftRight: binary('>>'),
  }
  return Object.assign(match, own) as unknown as Field<V>
}

const oneOrList = (flags: readonly unknown[]) => (flags.length === 1 ? (flags[0] as Expression) : (flags as Expression))

/** A field of bits with names, by its expression. */
export function flagsField<V extends string | number>(expression: Expression): FlagsField<V> {
  const base = field<V>(expression)
  const match = (...flags: readonly unknown[]): MatchStatement => {
    const [value] = flags
    if (flags.length > 1) return { match: { op: 'in', left: expression, right: flags as Expression } }
    if (isCompared(value)) {
      const set = Array.isArray(value.value) && (value.compare === '==' || value.compare === '!=')
      return {
        match: { op: value.compare, left: expression, right: set ? { set: value.value as Expression[] } : (value.value as Expression) },
      }
    }
    const alone = typeof value === 'string' ? !value.startsWith('@') : typeof value === 'number'
    return alone ? { match: { op: 'in', left: expression, right: value as string | number } } : base(value as Match<V>)
  }
  const within =
    (...mask: readonly unknown[]) =>
    (...flags: readonly unknown[]): MatchStatement => {
      const [compared] = flags
      const { compare, value } = isCompared(compared) ? compared : { compare: '==' as const, value: oneOrList(flags) }
      return { match: { op: compare, left: { '&': [expression, oneOrList(mask)] }, right: value as Expression } }
    }
  const set = (...flags: readonly unknown[]): MangleStatement => {
    const [value] = flags
    return {
      mangle: { key: expression, value: typeof value === 'string' || typeof value === 'number' ? oneOrList(flags) : toExpression(value) },
    }
  }
  const { map, vmap, or, xor, shiftLeft, shiftRight } = base
  return Object.assign(match, { expression, within, set, map, vmap, or, xor, shiftLeft, shiftRight }) as unknown as FlagsField<V>
}

type ValueOf<F> = F extends FlagsField<infer V> ? V : F extends Field<infer V> ? V : never
type ValuesOf<F extends readonly AnyField[]> = { readonly [I in keyof F]: ValueOf<F[I]> | RangeOf<ValueOf<F[I]>> | PrefixExpression }
/** Any field, whatever its values. */
export type AnyField = { readonly expression: Expression }

/** Several fields as one key, `ip saddr . tcp dport`: values are lists, one part for each field. */
export interface ConcatField<V extends readonly unknown[]> {
  (value: V | readonly (V | ElementOf<V>)[] | SetName | Compared<V | readonly (V | ElementOf<V>)[] | SetName>): MatchStatement
  readonly expression: Expression
  map(data: SetName | readonly (readonly [V | ElementOf<V>, Data])[]): MapExpression
  vmap(verdicts: SetName | readonly (readonly [V | ElementOf<V>, Verdict])[]): VmapStatement
}
const joined: Parse = value => (Array.isArray(value) ? { concat: value.map(part => toExpression(part, address)) } : (value as Expression))
const isJoined = (value: unknown) => Array.isArray(value) && !Array.isArray(value[0]) && !(isRecord(value[0]) && 'elem' in value[0])

/** Several fields as one key: `concat(ip.saddr, tcp.dport)([['10.0.0.1', 22]])`. */
export function concat<const F extends readonly [AnyField, AnyField, ...AnyField[]]>(...fields: F): ConcatField<ValuesOf<F>> {
  const expression: Expression = { concat: fields.map(one => one.expression) }
  const base = field<unknown>(expression, { parse: joined })
  // One value is a list, as a set of values is.
  const single = (value: unknown) => (isJoined(value) ? joined(value) : value)
  const match = (value: unknown) =>
    base((isCompared(value) ? { compare: value.compare, value: single(value.value) } : single(value)) as Match<unknown>)
  return Object.assign(match, { expression, map: base.map, vmap: base.vmap }) as unknown as ConcatField<ValuesOf<F>>
}

const compare =
  (operator: MatchOperator) =>
  <const T>(value: T): Compared<T> => ({ compare: operator, value })
/** Anything but that: `iifname(not('lo'))`. */
export const not = compare('!=')
/** Exactly that, where the usual comparison is another: `tcp.flags(eq('syn'))`. */
export const eq = compare('==')
export const lt = compare('<')
export const le = compare('<=')
export const gt = compare('>')
export const ge = compare('>=')
/** None of these flags: `tcp.flags(none('syn', 'ack'))`. */
export const none = <const V extends string>(...flags: readonly [V, ...V[]]): Compared<V> =>
  ({ compare: '!', value: oneOrList(flags) }) as unknown as Compared<V>

/** From the first to the last, both included. */
export const range = <V>(first: V, last: V): RangeOf<V> => ({ range: [first, last] })
/** An address with the number of its leading bits that count: as '10.0.0.0/8' does. */
export const prefix = (addr: string | number, length: number): PrefixExpression => ({ prefix: { addr, len: length } })
/** An element of a set with a comment or a time to live (seconds). */
export const element = <V>(value: V, more: { readonly comment?: string; readonly timeout?: number }): ElementOf<V> => ({
  elem: { val: value, ...more },
})
