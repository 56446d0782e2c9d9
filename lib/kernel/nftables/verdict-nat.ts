// The packet with the addresses that rules for address translation give it; they let it through.
import { Buffer } from 'node:buffer'
import type { ReadExpression } from './delinearize-context.js'
import { type Bits, between, combined, isKnown, knownBits, knownValue, replaced, unknownBits } from './verdict-bits.js'
import { type Effect, ending, loadRegister, type Machine } from './verdict-machine.js'
import { addressIn, addressPlaces, hasPorts, statusBits, type Traffic, word } from './verdict-traffic.js'

type Of<N extends string> = Exclude<Extract<ReadExpression, { readonly name: N }>['data'], undefined | Uint8Array>
type Side = 'source' | 'target'
/** What is to be there instead; undefined stays as it is. */
export interface Translation {
  readonly side: Side
  readonly address?: Bits | undefined
  readonly port?: Bits | undefined
}

export function translated(machine: Machine, { side, address, port }: Translation): Traffic {
  const { about, traffic } = machine
  const at = side === 'source' ? 0 : 2
  const bit = side === 'source' ? statusBits.snat | statusBits.snatDone : statusBits.dnat | statusBits.dnatDone
  return {
    ...traffic,
    network: address ? replaced(traffic.network, addressPlaces[about.family][side], address) : traffic.network,
    transport:
      port && (about.protocol === undefined || hasPorts(about.protocol)) ? replaced(traffic.transport, at, port) : traffic.transport,
    status: combined('or', traffic.status, word(bit)),
    translated: true,
  }
}

const random = ['protoRandom', 'protoRandomFully'] as const
/** A port, or one of some. */
function portOf(
  machine: Machine,
  low: number | undefined,
  high: number | undefined,
  flags: readonly string[] | undefined,
): Bits | undefined {
  if (low === undefined) return random.some(flag => flags?.includes(flag)) ? unknownBits(2) : undefined
  return range(loadRegister(machine, low, 2), loadRegister(machine, high ?? low, 2))
}
function range(low: Bits, high: Bits): Bits {
  const [from, to] = [knownValue(low), knownValue(high)]
  if (from && to) return between(from, to)
  // The same register twice: one value, of which something may be known.
  return Buffer.compare(low.value, high.value) === 0 && Buffer.compare(low.known, high.known) === 0 ? low : unknownBits(low.value.length)
}

export function translate(machine: Machine, data: Of<'nat'>): Effect {
  const { about } = machine
  const { type, regAddrMin, regAddrMax, regProtoMin, regProtoMax, flags, family } = data
  // In a table of both families it passes packets of the other one by.
  if ((family === 'ipv4' && about.family === 6) || (family === 'ipv6' && about.family === 4)) return 'next'
  const side: Side = type === 'snat' ? 'source' : 'target'
  const { length } = addressPlaces[about.family]
  let address: Bits | undefined
  if (regAddrMin !== undefined) {
    const [low, high] = [loadRegister(machine, regAddrMin, length), loadRegister(machine, regAddrMax ?? regAddrMin, length)]
    address = flags?.includes('netmap') ? mapped(addressIn(machine.traffic, about.family, side), low, high) : range(low, high)
  }
  const port = portOf(machine, regProtoMin, regProtoMax, side === 'source' ? flags : flags?.filter(one => one !== 'protoRandom'))
  return ending({ ...machine, traffic: translated(machine, { side, address, port }) }, { accept: null })
}

/** A prefix for a prefix: the bits behind it stay. */
function mapped(own: Bits, low: Bits, high: Bits): Bits {
  if (!isKnown(low) || !isKnown(high)) return unknownBits(own.value.length)
  const free = low.value.map((byte, i) => byte ^ high.value[i]!)
  const kept = combined('and', own, knownBits(free))
  return combined('or', kept, knownBits(low.value.map((byte, i) => byte & ~free[i]!)))
}

/** The address is that of the link that the packet leaves by. */
export function masquerade(machine: Machine, { regProtoMin, regProtoMax, flags }: Of<'masq'>): Effect {
  const { about, rules } = machine
  const address = rules.facts.addressOf(about.oif, about.family)
  const port = portOf(machine, regProtoMin, regProtoMax, flags)
  return ending({ ...machine, traffic: translated(machine, { side: 'source', address, port }) }, { accept: null })
}

const loopback = { 4: Uint8Array.of(127, 0, 0, 1), 6: Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0)) } as const
/** What comes in goes to an address of its link, what a process here sends to the loopback. */
export function redirect(machine: Machine, { regProtoMin, regProtoMax, flags }: Of<'redir'>): Effect {
  const { family, hook, iif } = machine.about
  const address = hook === 'output' ? knownBits(loopback[family]) : machine.rules.facts.addressOf(iif, family)
  const port = portOf(machine, regProtoMin, regProtoMax, flags)
  return ending({ ...machine, traffic: translated(machine, { side: 'target', address, port }) }, { accept: null })
}
