// What the way back from expressions to statements knows: what lies in the registers, which protocol each layer has, what has been said.
import type { Decoded } from '../../codec/codec.js'
import type { expression } from '../../protocol/nftables/expression.js'
import { registerBytes, smallRegister } from '../../protocol/nftables/expressions/compare.js'
import type { payloadBases } from '../../protocol/nftables/expressions/load.js'
import type { InterfaceNames } from './datatype-codecs.js'
import { byteLength, fromBytes, type Slot } from './datatypes.js'
import type { ReadElement } from './elements.js'
import type { Expression } from './expression.js'
import type { Family, PayloadProtocol } from './fields.js'
import type { ObjectType, SetTypes } from './linearize-context.js'
import { familyProtocols, type Layer } from './payload-fields.js'
import type { Statement } from './statement.js'

export type ReadExpression = Decoded<typeof expression>
/** A set as the rule needs to know it. */
export interface KnownSet extends SetTypes {
  /** Of a set without a name, which has no place but in the rule. */
  readonly elements?: readonly ReadElement[]
  /** Most elements that such a set may have. */
  readonly size?: number
  /** Bytes of a map's values, where their type leaves that open. */
  readonly dataLength?: number
  /** What a map of objects leads to. */
  readonly objectType?: ObjectType
}
export interface DelinearizeOptions {
  readonly family: Family
  /** The set or map of that name. */
  readonly sets?: (name: string) => KnownSet | undefined
  /** The names of interfaces that rules have by their index. */
  readonly interfaces?: InterfaceNames
}

/** What a register holds. `from`: the numbers of the expressions that put it there. */
export interface Held {
  readonly from: readonly number[]
  readonly value:
    | { readonly constant: Uint8Array }
    | { readonly payload: { readonly base: keyof typeof payloadBases; readonly offset: number; readonly length: number } }
    /** `network`: the protocol without which there is no such thing. */
    | {
        readonly expr: Expression
        readonly slot: Slot
        readonly network?: 'ip' | 'ip6'
        readonly exists?: boolean
        readonly fields?: readonly { readonly expr: Expression; readonly slot: Slot }[]
      }
    /** `as`: the map with values of another size or order, where the type alone leaves that open. */
    | {
        readonly map: Expression
        readonly slots: readonly Slot[]
        readonly ranges: boolean
        readonly as: (slots: readonly Slot[]) => Expression
      }
  /** (value & mask) ^ xor, as bytes in the register's order. */
  readonly mask?: Uint8Array
  readonly xor?: Uint8Array
  readonly shifts?: readonly { readonly op: '<<' | '>>'; readonly by: number }[]
  /** Numbers of the host's order that were turned around. */
  readonly swapped?: boolean
}
/** A match that says which protocol a layer has: nft leaves it out where the next statement says so anyhow. */
export interface Dependency {
  readonly entry: Entry
  readonly protocol: PayloadProtocol
  /** It asks the header below, not the kernel: only that says that the packet has such a header. */
  readonly header: boolean
}
export interface Entry {
  readonly at: number
  readonly statement: Statement
  dropped: boolean
}
export interface State extends DelinearizeOptions {
  readonly expressions: readonly ReadExpression[]
  readonly entries: Entry[]
  readonly told: Set<number>
  /** By the byte that the register begins at. */
  readonly registers: Map<number, Held>
  readonly known: Partial<Record<Layer, PayloadProtocol>>
  readonly dependencies: Partial<Record<Layer, Dependency>>
  /** The match of the ICMP type, which some fields imply. */
  icmpType: { readonly entry?: Entry; readonly types: readonly number[] } | undefined
}

export const newState = (expressions: readonly ReadExpression[], options: DelinearizeOptions): State => ({
  ...options,
  expressions,
  entries: [],
  told: new Set(),
  registers: new Map(),
  known: { ...familyProtocols[options.family] },
  dependencies: {},
  icmpType: undefined,
})

/** The byte at which a register begins; undefined where there is no such register. */
export function byteOf(register: number | undefined): number | undefined {
  if (register === undefined) return undefined
  if (register >= 1 && register <= 4) return (register - 1) * 16
  return register >= smallRegister && register < smallRegister + registerBytes / 4 ? (register - smallRegister) * 4 : undefined
}
export function held(state: State, register: number | undefined): Held | undefined {
  const byte = byteOf(register)
  return byte === undefined ? undefined : state.registers.get(byte)
}
export function hold(state: State, register: number | undefined, value: Held): boolean {
  const byte = byteOf(register)
  if (byte === undefined) return false
  state.registers.set(byte, value)
  return true
}

/** What is done to packets that got so far must stay behind the matches before it: `meta l4proto tcp counter tcp dport 22` counts all of tcp. */
function settle(state: State): void {
  state.dependencies.ll = state.dependencies.nh = state.dependencies.th = undefined
  if (state.icmpType) state.icmpType = { types: state.icmpType.types }
}

/** A statement that stands for these expressions. */
export function say(state: State, from: readonly number[], statement: Statement): Entry {
  const entry: Entry = { at: from.at(-1) ?? 0, statement, dropped: false }
  for (const number of from) state.told.add(number)
  state.entries.push(entry)
  if (!('match' in statement)) settle(state)
  return entry
}

export const isZero = (bytes: Uint8Array) => bytes.every(byte => byte === 0)
export const slotOrder = (slot: Slot) => (slot.type.text ? 'big' : slot.order)
/** Bytes of a register as the integer that the slot has there. */
export const integerOf = (slot: Slot, bytes: Uint8Array, swapped = false): bigint => fromBytes(bytes, swapped ? 'big' : slotOrder(slot))
export const fullOf = (slot: Slot) => (1n << BigInt(8 * byteLength(slot))) - 1n

/** The packet has that protocol: what only said so is left out. */
export function use(state: State, protocol: PayloadProtocol, layer: Layer, implies?: 'ip' | 'ip6'): void {
  const dependency = state.dependencies[layer]
  if (dependency?.protocol === protocol && mayDrop(state, dependency)) drop(state, layer)
  if (implies && state.dependencies.nh?.protocol === implies) drop(state, 'nh')
}
function mayDrop({ family }: State, { header }: Dependency): boolean {
  // `ip protocol tcp` says also that the packet is IPv4, which tcp alone does not.
  return !header || family === 'ip' || family === 'ip6'
}
export function drop(state: State, layer: Layer): void {
  const dependency = state.dependencies[layer]
  if (!dependency) return
  dependency.entry.dropped = true
  state.dependencies[layer] = undefined
}
