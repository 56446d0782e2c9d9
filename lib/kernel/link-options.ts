// The options of a kind of link, or of a bridge port: their static types, and the way to the kernel's attributes and back.
import type { AnyCodec, Attributes, Codec, Decoded, Encodable, Entries, Flat } from '../codec/codec.js'
import { argumentError, expectObject, inside, isArgumentError, relabel, shown } from '../codec/errors.js'
import { Writer } from '../codec/writer.js'
import type { Kind, PortTable, portRule, Rule, Rules, Tables } from './link-kinds.js'

type NamesOf<R> = R extends { names: infer N } ? N : Record<never, never>
type ListOf<R, Field extends 'readOnly' | 'writeOnly' | 'always' | 'required'> = R extends Record<Field, readonly (infer N)[]> ? N : never
type Hidden<R> =
  | 'unknown'
  | (R extends { ipv6: infer N } ? N[keyof N] : never)
  | (R extends { switches: { word: infer W } } ? W : never)
  | (R extends { lowerAttribute: infer A } ? A : never)
type Inverse<N, Wire> = { [P in keyof N]: N[P] extends Wire ? P : never }[keyof N]
type PublicName<N, Wire> = [Inverse<N, Wire>] extends [never] ? Wire : Inverse<N, Wire>
type Value<R, P, T> = R extends { values: infer V }
  ? P extends keyof V
    ? { truth: boolean; bridgeId: string; hex: string }[V[P] & ('truth' | 'bridgeId' | 'hex')]
    : T
  : T
type Switches<R> = R extends { switches: { names: infer N } } ? { [P in keyof N]?: boolean } : unknown
type Renamed<T, R> = {
  [W in keyof T as W extends Hidden<R> ? never : PublicName<NamesOf<R>, W>]: Value<R, PublicName<NamesOf<R>, W>, T[W]>
} & Switches<R>
type Demanding<T, Names> = Flat<T & { [P in Names & keyof T]-?: NonNullable<T[P]> }>
type Given<T, R> = Demanding<Omit<Renamed<T, R>, ListOf<R, 'readOnly'> & string>, ListOf<R, 'required'>>
type Read<T, R> = Readonly<Demanding<Omit<Renamed<T, R>, ListOf<R, 'writeOnly'> & string>, ListOf<R, 'always'>>>

/** What create() takes as `options` for a kind, and update() in part. */
export type OptionsOf<K extends Kind> = Given<Encodable<Tables[K]>, Rules[K]>
/** What a link of that kind tells as `options`. */
export type OptionsRead<K extends Kind> = Read<Decoded<Tables[K]>, Rules[K]>
/** Settings of a bridge port. */
export type PortOptions = Given<Encodable<PortTable>, typeof portRule>
/** What a bridge port tells of itself. */
export type Port = Read<Decoded<PortTable>, typeof portRule>

type Values = Readonly<Record<string, unknown>>

type Form = 'truth' | 'bridgeId' | 'hex'
const readers: Record<Form, (value: never) => unknown> = {
  truth: (value: number) => value !== 0,
  bridgeId: ({ prio, addr }: { prio: number; addr: string }) => `${prio.toString(16).padStart(4, '0')}.${addr.replaceAll(':', '')}`,
  hex: (value: Uint8Array) => Buffer.from(value).toString('hex'),
}
/** What is only read has no way back. */
const writers: Record<Form, (value: unknown) => unknown> = {
  truth(value) {
    if (typeof value !== 'boolean') throw argumentError('ERR_NETLOOM_INVALID_BOOLEAN', `${shown(value)} is not true or false`)
    return value ? 1 : 0
  },
  bridgeId: value => value,
  hex(value) {
    if (typeof value === 'string' && /^([\da-f]{2})*$/i.test(value)) return new Uint8Array(Buffer.from(value, 'hex'))
    throw argumentError('ERR_NETLOOM_INVALID_BYTES', `${shown(value)} is not bytes as pairs of hexadecimal digits`)
  },
}

/** Public options as the kernel's table wants them; what is wrong with them is said in public names. */
export function toWire(rule: Rule, table: AnyCodec, options: unknown, path: string): Record<string, unknown> {
  return at(path, () => {
    expectObject(options)
    const out: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(options as Values))
      if (value !== undefined) at(name, () => put(out, rule, table, name, value))
    return out
  })
}

function put(out: Record<string, unknown>, rule: Rule, table: AnyCodec, name: string, value: unknown): void {
  if (rule.readOnly?.includes(name)) throw argumentError('ERR_NETLOOM_READ_ONLY', 'the kernel reports this and does not take it')
  const bit = own(rule.switches?.names, name)
  if (bit !== undefined) {
    const { word } = rule.switches!
    if (typeof value !== 'boolean') throw argumentError('ERR_NETLOOM_INVALID_BOOLEAN', `${shown(value)} is not true or false`)
    out[word] = { ...(out[word] as object | undefined), [bit]: value }
    return
  }
  if (!optionNames(rule, table).includes(name))
    throw argumentError('ERR_NETLOOM_UNKNOWN_OPTION', `there is no such option; there are ${settable(rule, table).join(', ')}`)
  const ipv6 = own(rule.ipv6, name)
  const wire = ipv6 && typeof value === 'string' && value.includes(':') ? ipv6 : (own(rule.names, name) ?? name)
  const form = own(rule.values, name)
  out[wire] = form ? writers[form](value) : value
  try {
    ;(table as Codec<unknown, unknown>).write(new Writer(64), { [wire]: out[wire] })
  } catch (error) {
    // The table puts its own name in front.
    throw isArgumentError(error) ? withoutFirst(error, wire) : error
  }
}

/** The kernel's values under the public names. */
export function fromWire(rule: Rule, values: Values): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  if (rule.switches?.leftOut) for (const name in rule.switches.names) out[name] = false
  for (const wire in values) {
    const value = values[wire]
    if (wire === 'unknown' || wire === rule.lowerAttribute) continue
    if (wire === rule.switches?.word) {
      for (const [name, bit] of Object.entries(rule.switches.names)) out[name] = (value as Values)[bit] === true
      continue
    }
    const { name, reader } = wayOf(rule, wire)
    out[name] = reader ? reader(value as never) : value
  }
  return out
}

interface Way {
  readonly name: string
  readonly reader: ((value: never) => unknown) | undefined
}
const known = new WeakMap<Rule, Map<string, Way>>()

/** How an attribute is told. Found once, as a list of bridge ports has thirty for each of them. */
function wayOf(rule: Rule, wire: string): Way {
  const ofRule = known.get(rule) ?? new Map<string, Way>()
  const found = ofRule.get(wire)
  if (found) return found
  const name = publicName(rule, wire) ?? wire
  const form = own(rule.values, name)
  const way = { name, reader: form && readers[form] }
  known.set(rule, ofRule.set(wire, way))
  return way
}

/** For errors: which option an attribute of the kernel belongs to; undefined for a word of many. */
export function publicName(rule: Rule, wire: string, bit?: string): string | undefined {
  if (wire === rule.switches?.word) return bit === undefined ? undefined : nameOf(rule.switches.names, bit)
  return nameOf(rule.names, wire) ?? nameOf(rule.ipv6, wire) ?? wire
}

/** Every option of a kind, by its public name. */
export function optionNames(rule: Rule, table: AnyCodec): string[] {
  const hidden = [...Object.values(rule.ipv6 ?? {}), rule.switches?.word, rule.lowerAttribute]
  const plain = Object.keys((table as Attributes<Entries>).entries).filter(wire => !hidden.includes(wire))
  return [...plain.map(wire => publicName(rule, wire) ?? wire), ...Object.keys(rule.switches?.names ?? {})]
}

/** Those that a caller can set. */
export const settable = (rule: Rule, table: AnyCodec): string[] => optionNames(rule, table).filter(name => !rule.readOnly?.includes(name))

const own = <T>(names: Readonly<Record<string, T>> | undefined, name: string): T | undefined =>
  names && Object.hasOwn(names, name) ? names[name] : undefined
const nameOf = (names: Readonly<Record<string, string>> | undefined, wire: string): string | undefined =>
  Object.entries(names ?? {}).find(([, of]) => of === wire)?.[0]

function at<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw name === '' ? error : inside(error, name)
  }
}

function withoutFirst(error: ReturnType<typeof argumentError>, first: string): Error {
  const rest = error.path?.slice(first.length).replace(/^\./, '')
  delete error.path
  return relabel(error, rest || undefined)
}
