// Matches and targets of iptables within rules of nftables, judged as in the tables of iptables.
import { toPart, toTarget } from '../iptables/legacy-read.js'
import type { Judged, PacketHook, packetStates } from '../iptables/packet.js'
import { passing, refusing, translating } from '../iptables/targets.js'
import type { Answer } from '../verdict-answer.js'
import { ctStateNames } from './datatype-names.js'
import type { ReadExpression } from './delinearize-context.js'
import { reject } from './verdict-action.js'
import { knownValue, part, unknownBits } from './verdict-bits.js'
import { type Effect, ending, type Machine } from './verdict-machine.js'
import { translated } from './verdict-nat.js'
import { addressIn, addressPlaces, hasPorts, numberOf } from './verdict-traffic.js'

type Of<N extends string> = Exclude<Extract<ReadExpression, { readonly name: N }>['data'], undefined | Uint8Array>
const none = new Uint8Array()

/** The packet as it is now, in the terms of iptables; undefined if an address of it is not known. */
function asJudged({ about, traffic, tracked }: Machine): Judged | undefined {
  const { packet, family, hook, protocol, iif, oif } = about
  const [source, target] = (['source', 'target'] as const).map(side => knownValue(addressIn(traffic, family, side)))
  if (!source || !target) return undefined
  const number = (offset: number, length: number) => {
    const bytes = knownValue(part(traffic.transport, offset, length))
    return bytes?.reduce((sum, byte) => sum * 256 + byte, 0)
  }
  const ports = hasPorts(protocol)
  const word = numberOf(traffic.state)
  const state = Object.entries(ctStateNames).find(([, bit]) => bit === word)?.[0] as (typeof packetStates)[number] | undefined
  const given = <K extends string, T>(name: K, value: T | undefined | null) =>
    value === undefined || value === null ? {} : { [name]: value }
  return {
    ...given('iif', iif),
    ...given('oif', oif),
    ...given('physicalIn', packet.physicalIn),
    ...given('physicalOut', packet.physicalOut),
    ...given('protocol', protocol),
    ...(ports ? { ...given('sourcePort', number(0, 2)), ...given('destinationPort', number(2, 2)) } : {}),
    ...given('icmpType', packet.icmpType),
    ...given('icmpCode', packet.icmpCode),
    from: packet.from,
    to: packet.to,
    hook: hook as PacketHook,
    family,
    source,
    target,
    state: tracked || state === 'untracked' ? state : 'invalid',
    mark: numberOf(traffic.mark),
    bridged: packet.physicalIn !== undefined || packet.physicalOut !== undefined,
  }
}

export function extensionMatch(machine: Machine, { name = '', rev = 0, info = none }: Of<'match'>): Answer {
  const packet = asJudged(machine)
  return packet && toPart({ name, revision: rev, data: info }, packet.family).fits(packet)
}

export function extensionTarget(machine: Machine, { name = '', rev = 0, info = none }: Of<'target'>): Effect {
  const { about } = machine
  const target = toTarget({ name, revision: rev, data: info }, about.family).said.name
  if (refusing.includes(target)) return reject(machine)
  if (translating.includes(target)) {
    const side = target === 'SNAT' || target === 'MASQUERADE' ? 'source' : 'target'
    const { length } = addressPlaces[about.family]
    const traffic = translated(machine, { side, address: unknownBits(length), port: unknownBits(2) })
    return ending({ ...machine, traffic }, { accept: null })
  }
  if (!passing.includes(target)) return ending(machine, 'unknown')
  if (target === 'MARK' || target === 'CONNMARK')
    machine.traffic = { ...machine.traffic, mark: unknownBits(4), connectionMark: unknownBits(4) }
  if (target === 'CT' || target === 'NOTRACK') machine.traffic = { ...machine.traffic, state: unknownBits(4) }
  return 'next'
}
