// Statements that change where packets go or come from: snat, dnat, masquerade, redirect, tproxy, dup, fwd.
import type { natFlags as wireFlags } from '../../protocol/netfilter.js'
import { byteLength, dataTypes, type Slot, slotOf } from './datatypes.js'
import { at } from './element-values.js'
import { type Context, invalid, isObject, isScalar, listOf, own, register, slotBytes } from './linearize-context.js'
import { constantOf } from './linearize-load.js'
import { addressSlot, namedSet, portSlot, setMembers } from './linearize-set.js'
import { mapInto, rangeInto, valueInto } from './linearize-value.js'
import { only } from './stateful.js'

type NatFlag = keyof typeof wireFlags
const flagNames = { random: 'protoRandom', 'fully-random': 'protoRandomFully', persistent: 'persistent', netmap: 'netmap' } as const
const wireFamilies = { ip: 'ipv4', ip6: 'ipv6' } as const
type AddressFamily = keyof typeof wireFamilies

/** The family of the statement's address: as it says, as the table is, or as the rule has matched before. */
function familyOf(ctx: Context, family: unknown): AddressFamily | undefined {
  if (family !== undefined) return own({ ip: 'ip', ip6: 'ip6' } as const, family, 'family')
  const known = ctx.known.nh
  return known === 'ip' || known === 'ip6' ? known : undefined
}
const optionalFlags = (flags: readonly NatFlag[]) => (flags.length ? { flags } : {})
const natFlags = (given: unknown): NatFlag[] =>
  listOf(given).map((flag, i) => own(flagNames, flag, Array.isArray(given) ? `flags[${i}]` : 'flags'))

function checkPort(ctx: Context, port: unknown): void {
  if (!ctx.transport) throw invalid('needs a match of the transport protocol before: of l4proto, or of a port', 'port')
  if (port === null) throw invalid('null is not a port', 'port')
}

/** `{ snat }` and `{ dnat }`. */
export function nat(ctx: Context, type: 'snat' | 'dnat', value: unknown): void {
  only(value, ['addr', 'family', 'port', 'flags', 'type_flags'])
  const { addr, family: given, port, flags: givenFlags, type_flags: typeFlags } = value as Readonly<Record<string, unknown>>
  const family = familyOf(ctx, given)
  const flags = natFlags(givenFlags)
  const kinds = listOf(typeFlags).map(kind =>
    own({ interval: 'interval', prefix: 'prefix', concat: 'concat' } as const, kind, 'type_flags'),
  )
  if (kinds.includes('prefix') && !flags.includes('netmap')) flags.push('netmap')
  if (addr === undefined && port === undefined) throw invalid('needs an address or a port', 'addr')
  if (addr !== undefined && !family) throw invalid("needs a family: 'ip' or 'ip6'", 'family')
  const registers: { regAddrMin?: number; regAddrMax?: number; regProtoMin?: number; regProtoMax?: number } = {}
  let byte = 0
  if (isObject(addr) && isObject(addr.map)) {
    const map = addr.map
    byte = at('addr.map', () => addressMap(ctx, family!, map, registers))
  } else if (addr !== undefined) {
    const [min, max] = at('addr', () => rangeInto(ctx, addressSlot(family!), addr, 0))
    registers.regAddrMin = min!
    if (max === undefined) constant(ctx, 'addr', addressSlot(family!), addr)
    byte = 16
    if (max !== undefined) {
      registers.regAddrMax = max
      byte = 32
    }
  }
  if (port !== undefined) {
    const [min, max] = portRegisters(ctx, port, byte)
    registers.regProtoMin = min!
    if (max !== undefined) registers.regProtoMax = max
    flags.push('protoSpecified')
  }
  const wireFamily = family ? wireFamilies[family] : 'inet'
  ctx.out.push({ name: 'nat', data: { type, family: wireFamily, ...registers, ...optionalFlags(flags) } })
}

function portRegisters(ctx: Context, port: unknown, byte: number): number[] {
  checkPort(ctx, port)
  const registers = at('port', () => rangeInto(ctx, portSlot, port, byte))
  constant(ctx, 'port', portSlot, port)
  return registers
}
/** Says that the last expression is the constant of that field, if it is. */
function constant(ctx: Context, field: string, slot: Slot, given: unknown): void {
  const encode = (value: unknown) => (isScalar(value) ? slotBytes(slot, constantOf(slot, value, ctx), byteLength(slot)) : undefined)
  if (isScalar(given)) ctx.holes.push({ field, expression: ctx.out.length - 1, encode })
}

/** A map of addresses, of addresses and ports, or of ranges of either; gives the byte behind what it fills. */
function addressMap(
  ctx: Context,
  family: AddressFamily,
  map: Readonly<Record<string, unknown>>,
  registers: { regAddrMin?: number; regAddrMax?: number; regProtoMin?: number; regProtoMax?: number },
): number {
  const address = addressSlot(family)
  const members = setMembers(map.data)
  const values = members?.map(member => (Array.isArray(member) ? (member[1] as unknown) : undefined)) ?? []
  const types = members ? undefined : at('data', () => namedSet(ctx, map.data))?.types.data
  const withPort = members ? values.some(one => isObject(one) && 'concat' in one) : Array.isArray(types) && types.length === 2
  const isRange = (one: unknown): boolean =>
    isObject(one) && ('range' in one || 'prefix' in one || (Array.isArray(one.concat) && one.concat.some(isRange)))
  const ranges = values.some(isRange)
  const slots: Slot[] = withPort ? [address, portSlot] : [address]
  mapInto(ctx, map, slots, 0)
  const length = byteLength(address)
  const one = withPort ? length + 4 : length
  registers.regAddrMin = register(0, length)
  if (ranges) registers.regAddrMax = register(one, length)
  if (withPort) registers.regProtoMin = register(length, 4)
  if (withPort && ranges) registers.regProtoMax = register(one + length, 4)
  return 16 * Math.ceil((ranges ? 2 * one : one) / 16)
}

/** `{ masquerade }` and `{ redirect }`. */
export function portNat(ctx: Context, name: 'masq' | 'redir', value: unknown): void {
  if (value !== null) only(value, ['port', 'flags'])
  const { port, flags: given } = (value ?? {}) as { port?: unknown; flags?: unknown }
  const flags = natFlags(given)
  const registers: { regProtoMin?: number; regProtoMax?: number } = {}
  if (port !== undefined) {
    const [min, max] = portRegisters(ctx, port, 0)
    registers.regProtoMin = min!
    if (max !== undefined) registers.regProtoMax = max
    flags.push('protoSpecified')
  }
  if (name === 'masq') ctx.out.push({ name, data: { ...optionalFlags(flags), ...registers } })
  else ctx.out.push({ name, data: { ...registers, ...optionalFlags(flags) } })
}

export function tproxy(ctx: Context, value: unknown): void {
  only(value, ['family', 'addr', 'port'])
  const { family: given, addr, port } = value as Readonly<Record<string, unknown>>
  const family = ctx.family === 'inet' && addr === undefined && given === undefined ? undefined : familyOf(ctx, given)
  if (addr === undefined && port === undefined) throw invalid('needs an address or a port', 'addr')
  if (addr !== undefined && !family) throw invalid("needs a family: 'ip' or 'ip6'", 'family')
  if (addr !== undefined) at('addr', () => valueInto(ctx, addressSlot(family!), addr, 0))
  const byte = addr === undefined ? 0 : 16
  if (port !== undefined) {
    checkPort(ctx, port)
    at('port', () => valueInto(ctx, portSlot, port, byte))
  }
  ctx.out.push({
    name: 'tproxy',
    data: {
      family: family ? wireFamilies[family] : 'unspec',
      ...(addr === undefined ? {} : { regAddr: 1 }),
      ...(port === undefined ? {} : { regPort: register(byte, 2) }),
    },
  })
}

const deviceSlot = slotOf(dataTypes.iface_index)
export function dup(ctx: Context, value: unknown): void {
  only(value, ['addr', 'dev'])
  const { addr, dev } = value as Readonly<Record<string, unknown>>
  if (addr === undefined) throw invalid('is missing', 'addr')
  if (ctx.family === 'netdev') {
    at('addr', () => valueInto(ctx, deviceSlot, addr, 0))
    ctx.out.push({ name: 'dup', data: { sregDev: 1 } })
    return
  }
  if (ctx.family !== 'ip' && ctx.family !== 'ip6') throw invalid(`a table of family ${ctx.family} cannot have it`)
  const family = ctx.family
  at('addr', () => valueInto(ctx, addressSlot(family), addr, 0))
  if (dev !== undefined) at('dev', () => valueInto(ctx, deviceSlot, dev, 16))
  ctx.out.push({ name: 'dup', data: { sregAddr: 1, ...(dev === undefined ? {} : { sregDev: 2 }) } })
}

export function fwd(ctx: Context, value: unknown): void {
  only(value, ['dev', 'family', 'addr'])
  const { dev, family: given, addr } = value as Readonly<Record<string, unknown>>
  if (ctx.family !== 'netdev') throw invalid(`a table of family ${ctx.family} cannot have it`)
  at('dev', () => valueInto(ctx, deviceSlot, dev, 0))
  if (addr === undefined) {
    ctx.out.push({ name: 'fwd', data: { sregDev: 1 } })
    return
  }
  const family = familyOf(ctx, given)
  if (!family) throw invalid("needs a family: 'ip' or 'ip6'", 'family')
  at('addr', () => valueInto(ctx, addressSlot(family), addr, 16))
  ctx.out.push({ name: 'fwd', data: { sregDev: 1, sregAddr: 2, nfproto: wireFamilies[family] } })
}
