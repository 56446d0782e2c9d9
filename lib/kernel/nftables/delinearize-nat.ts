// nat, masq, redir, tproxy, dup and fwd on the way back.
import { byteLength, dataTypes, type Slot, slotOf } from './datatypes.js'
import { held, integerOf, type ReadExpression, type State, say } from './delinearize-context.js'
import { valueIn } from './delinearize-load.js'
import { valueFrom } from './element-values.js'
import type { Expression } from './expression.js'
import type { NatFlag } from './fields.js'
import { addressSlot, portSlot } from './linearize-set.js'
import type { Statement } from './statement.js'

type Data<N extends string> = Extract<ReadExpression, { readonly name: N }>['data']
const flagNames: Readonly<Record<string, string>> = {
  protoRandom: 'random',
  protoRandomFully: 'fully-random',
  persistent: 'persistent',
  netmap: 'netmap',
}
const one = <T>(list: readonly T[]): T | readonly T[] => (list.length === 1 ? list[0]! : list)

/** Flags in words; undefined if there is one without. */
function flagsOf(flags: readonly string[] = []): { flags?: NatFlag | readonly NatFlag[] } | undefined {
  const known = Object.keys(flagNames)
  if (flags.some(flag => flag !== 'protoSpecified' && flag !== 'mapIps' && !known.includes(flag))) return undefined
  const names = known.filter(flag => flags.includes(flag)).map(flag => flagNames[flag])
  return names.length ? { flags: one(names as NatFlag[]) } : {}
}
const fromOf = (state: State, ...registers: (number | undefined)[]) =>
  registers.flatMap(register => [...(held(state, register)?.from ?? [])])

/** One value, or two as a range; undefined where a register holds something else. */
function between(state: State, slot: Slot, min: number | undefined, max: number | undefined): Expression | undefined {
  if (max === undefined || max === min) return valueIn(state, min, slot)
  const [low, high] = [held(state, min)?.value, held(state, max)?.value]
  if (!low || !high || !('constant' in low) || !('constant' in high)) return undefined
  if (low.constant.length !== byteLength(slot) || high.constant.length !== byteLength(slot)) return undefined
  return valueFrom(slot, { low: integerOf(slot, low.constant), high: integerOf(slot, high.constant) }, state.interfaces)
}
const families = { ipv4: 'ip', ipv6: 'ip6' } as const
const familyOf = (family: unknown) =>
  typeof family === 'string' && Object.hasOwn(families, family) ? families[family as keyof typeof families] : undefined

export function nat(state: State, data: Data<'nat'>, number: number): boolean {
  const { type, family: wire, regAddrMin, regAddrMax, regProtoMin, regProtoMax, flags } = data ?? {}
  const family = familyOf(wire)
  const said = flagsOf(flags)
  if ((type !== 'snat' && type !== 'dnat') || !said || (regAddrMin !== undefined && !family)) return false
  const address = held(state, regAddrMin)
  const map = address && 'map' in address.value ? address.value : undefined
  const withPort = map?.slots.length === 2
  const addr = regAddrMin === undefined ? undefined : map ? map.map : between(state, addressSlot(family!), regAddrMin, regAddrMax)
  const port = regProtoMin === undefined || withPort ? undefined : between(state, portSlot, regProtoMin, regProtoMax)
  if ((regAddrMin !== undefined && addr === undefined) || (regProtoMin !== undefined && !withPort && port === undefined)) return false
  const netmap = flags?.includes('netmap') ?? false
  const named = family !== undefined && (state.family === 'inet' || withPort || netmap || map?.ranges === true)
  const value = {
    ...(named && (addr !== undefined || state.family === 'inet') ? { family } : {}),
    ...(addr === undefined ? {} : { addr }),
    ...(port === undefined ? {} : { port }),
    ...said,
    ...(netmap ? { type_flags: 'prefix' as const } : {}),
  }
  const from = [...fromOf(state, regAddrMin, regAddrMax, regProtoMin, regProtoMax), number]
  say(state, from, (type === 'snat' ? { snat: value } : { dnat: value }) as Statement)
  return true
}

export function portNat(state: State, name: 'masquerade' | 'redirect', data: Data<'masq'>, number: number): boolean {
  const { regProtoMin, regProtoMax, flags } = data ?? {}
  const said = flagsOf(flags)
  const port = regProtoMin === undefined ? undefined : between(state, portSlot, regProtoMin, regProtoMax)
  if (!said || (regProtoMin !== undefined && port === undefined)) return false
  const value = { ...(port === undefined ? {} : { port }), ...said }
  say(state, [...fromOf(state, regProtoMin, regProtoMax), number], {
    [name]: Object.keys(value).length ? value : null,
  } as unknown as Statement)
  return true
}

export function tproxy(state: State, data: Data<'tproxy'>, number: number): boolean {
  const { family: wire, regAddr, regPort } = data ?? {}
  const family = familyOf(wire)
  if (regAddr !== undefined && !family) return false
  const addr = regAddr === undefined ? undefined : valueIn(state, regAddr, addressSlot(family!))
  const port = regPort === undefined ? undefined : valueIn(state, regPort, portSlot)
  if ((regAddr !== undefined && addr === undefined) || (regPort !== undefined && port === undefined)) return false
  const named = family !== undefined && state.family === 'inet' ? { family } : {}
  const value = { ...named, ...(addr === undefined ? {} : { addr }), ...(port === undefined ? {} : { port }) }
  say(state, [...fromOf(state, regAddr, regPort), number], { tproxy: value })
  return true
}

const device = slotOf(dataTypes.iface_index)
export function dup(state: State, data: Data<'dup'>, number: number): boolean {
  const { sregAddr, sregDev } = data ?? {}
  const address = state.family === 'ip6' ? addressSlot('ip6') : addressSlot('ip')
  const addr = sregAddr === undefined ? undefined : valueIn(state, sregAddr, address)
  const dev = sregDev === undefined ? undefined : valueIn(state, sregDev, device)
  if ((sregAddr !== undefined && addr === undefined) || (sregDev !== undefined && dev === undefined)) return false
  const from = [...fromOf(state, sregAddr, sregDev), number]
  if (state.family === 'netdev' && dev !== undefined && addr === undefined) say(state, from, { dup: { addr: dev } })
  else if (addr !== undefined) say(state, from, { dup: { addr, ...(dev === undefined ? {} : { dev }) } })
  else return false
  return true
}
export function fwd(state: State, data: Data<'fwd'>, number: number): boolean {
  const { sregDev, sregAddr, nfproto } = data ?? {}
  const family = familyOf(nfproto)
  const dev = valueIn(state, sregDev, device)
  const addr = sregAddr === undefined || !family ? undefined : valueIn(state, sregAddr, addressSlot(family))
  if (dev === undefined || (sregAddr !== undefined && addr === undefined)) return false
  const more = addr === undefined ? {} : { family: family!, addr }
  say(state, [...fromOf(state, sregDev, sregAddr), number], { fwd: { dev, ...more } })
  return true
}
