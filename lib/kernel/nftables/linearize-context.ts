// What the translation of one rule knows while it goes on: expressions so far, protocols that are sure, sets without a name.
import type { Encodable } from '../../codec/codec.js'
import { argumentError, rangeError, shown } from '../../codec/errors.js'
import type { expression } from '../../protocol/nftables/expression.js'
import { registerBytes, smallRegister } from '../../protocol/nftables/expressions/compare.js'
import type { objectTypes } from '../../protocol/nftables/object.js'
import type { set } from '../../protocol/nftables/set.js'
import type { InterfaceNames } from './datatype-codecs.js'
import { type DataType, type Slot, toBytes } from './datatypes.js'
import type { WireElement } from './elements.js'
import type { Family, PayloadProtocol } from './fields.js'
import { etherTypeOf, familyProtocols, type Layer, networkOf, nfprotoOf, protocols, transportOf } from './payload-fields.js'

export type WireExpression = Encodable<typeof expression>
export type WireSet = Encodable<typeof set>
export type ObjectType = keyof typeof objectTypes

/** What a rule must know about a set that it names. */
export interface SetTypes {
  readonly key: readonly DataType[]
  /** Of a map. */
  readonly data?: readonly DataType[] | 'verdict' | 'object'
  readonly interval?: boolean
}
/** A set that belongs to the rule: to be made before it in the same batch. Both lack the table; elements also lack the set's name. */
export interface AnonymousSet {
  readonly id: number
  readonly set: WireSet
  readonly elements: readonly WireElement[]
}
export interface LinearizeOptions {
  readonly family: Family
  /** The set or map of the table by that name, without '@'. */
  readonly sets?: (name: string) => SetTypes | undefined
  /** Needed where a rule names an interface by its index: `iif`, `oif`, `dup`, `fwd`. */
  readonly interfaces?: InterfaceNames
  /** Numbers that sets of the batch do not have yet; by default from 1 on. */
  readonly nextSetId?: () => number
}
/** A constant of a rule: with another one in its place the expressions are the same, but for the bytes of one. */
export interface Hole {
  /** `expr[statement][kind][field]` is the constant. */
  readonly statement: number
  readonly kind: string
  readonly field: string
  /** Its value is the data of this expression. */
  readonly expression: number
  /** The bytes of another constant; undefined for what is more than a constant. Throws what the translation throws. */
  readonly encode: (value: unknown) => Uint8Array | undefined
}
export interface Context extends LinearizeOptions {
  readonly holes: Omit<Hole, 'statement' | 'kind'>[]
  readonly out: WireExpression[]
  readonly known: Partial<Record<Layer, PayloadProtocol>>
  /** Some match says which transport protocols there can be, so that ports have a meaning. */
  transport: boolean
  /** The rule says which type an ICMP message has. */
  icmpType: boolean
  readonly anonymous: AnonymousSet[]
  readonly nextSetId: () => number
}

export function newContext(options: LinearizeOptions): Context {
  let id = 0
  return {
    nextSetId: () => ++id,
    ...options,
    out: [],
    holes: [],
    known: { ...familyProtocols[options.family] },
    transport: false,
    icmpType: false,
    anonymous: [],
  }
}

export const invalid = (detail: string, path?: string) => argumentError('ERR_NETLOOM_INVALID_VALUE', detail, path)
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
/** The one entry of `{ key: … }`. */
export function entryOf(value: unknown): readonly [string, unknown] {
  const names = isObject(value) ? Object.keys(value) : []
  const [name] = names
  if (name === undefined || names.length !== 1) throw invalid(`${shown(value)} is not an object with one key`)
  return [name, (value as Readonly<Record<string, unknown>>)[name]]
}
export function own<T>(table: Readonly<Record<string, T>>, name: unknown, path: string): T {
  if (typeof name === 'string' && Object.hasOwn(table, name)) return table[name]!
  const names = Object.keys(table)
  throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `${shown(name)} is none of ${names.slice(0, 40).join(', ')}`, path)
}
/** A name, a number or an address by itself: nothing that stands for a set or something to be computed. */
export const isScalar = (value: unknown): value is string | number =>
  typeof value === 'number' || (typeof value === 'string' && !value.startsWith('@'))

/** One flag or a list of them. */
export const listOf = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly T[]) : [value as T]

/** The number of the register that begins at that byte: of 16 bytes where it can be, as nft has it. */
export function register(byte: number, length: number): number {
  if (byte + length > registerBytes)
    throw rangeError('ERR_NETLOOM_TOO_LARGE', `needs more than the ${registerBytes} bytes of all registers`)
  return byte % 16 === 0 ? 1 + byte / 16 : smallRegister + byte / 4
}

export const cmpEqual = (ctx: Context, sreg: number, value: Uint8Array) =>
  ctx.out.push({ name: 'cmp', data: { sreg, op: 'eq', data: { value } } })

function metaMatch(ctx: Context, key: 'l4proto' | 'nfproto' | 'protocol' | 'iiftype', value: Uint8Array): void {
  ctx.out.push({ name: 'meta', data: { key, dreg: 1 } })
  cmpEqual(ctx, 1, value)
}
function linkMatch(ctx: Context, offset: number, value: number): void {
  ctx.out.push({ name: 'payload', data: { dreg: 1, base: 'llHeader', offset, len: 2 } })
  cmpEqual(ctx, 1, toBytes(BigInt(value), 2, 'big'))
}

const conflict = (known: string, wanted: string) => invalid(`a packet that is ${known} cannot be ${wanted}`)
/** ARPHRD_ETHER, by which Ethernet is told from other links. */
const ethernet = Uint8Array.from(toBytes(1n, 2, 'host'))

/** Makes sure that the packet is of that protocol: by a match before, if nothing says so yet. */
export function require(ctx: Context, protocol: PayloadProtocol): void {
  const { layer } = protocols[protocol]
  const known = ctx.known[layer]
  if (protocol === 'th' || known === protocol || (protocol === 'ether' && known === 'vlan')) return
  if (known !== undefined && !(protocol === 'vlan' && known === 'ether')) throw conflict(known, protocol)
  if (layer === 'll') requireLink(ctx, protocol)
  else if (layer === 'nh') requireNetwork(ctx, protocol, protocol === 'arp')
  else {
    const network = networkOf[protocol]
    if (network && ctx.known.nh !== network) {
      if (ctx.known.nh) throw conflict(ctx.known.nh, protocol)
      requireNetwork(ctx, network, true)
    }
    metaMatch(ctx, 'l4proto', toBytes(BigInt(transportOf[protocol]!), 1, 'big'))
    ctx.transport = true
  }
  ctx.known[layer] = protocol
}

function requireLink(ctx: Context, protocol: PayloadProtocol): void {
  if (!ctx.known.ll) {
    metaMatch(ctx, 'iiftype', ethernet)
    ctx.known.ll = 'ether'
  }
  if (protocol === 'vlan') linkMatch(ctx, 12, etherTypeOf.vlan!)
}

/** `byHeader`: nft asks a bridge's packets for some protocols by the Ethernet header, for others by what the kernel says. */
export function requireNetwork(ctx: Context, protocol: PayloadProtocol, byHeader = false): void {
  const type = etherTypeOf[protocol]!
  if (ctx.known.ll === 'vlan') linkMatch(ctx, 16, type)
  else if (ctx.family === 'inet' && !ctx.known.ll) {
    const nfproto = nfprotoOf[protocol]
    if (nfproto === undefined) throw conflict('inet', protocol)
    metaMatch(ctx, 'nfproto', toBytes(BigInt(nfproto), 1, 'host'))
  } else if (ctx.family === 'bridge' ? byHeader : ctx.known.ll === 'ether') linkMatch(ctx, 12, type)
  else metaMatch(ctx, 'protocol', toBytes(BigInt(type), 2, 'big'))
  ctx.known.nh = protocol
}

/** Bytes of a value that fills a slot, in the slot's order. */
export const slotBytes = (slot: Slot, value: bigint, length: number): Uint8Array =>
  toBytes(value, length, slot.type.text ? 'big' : slot.order)
