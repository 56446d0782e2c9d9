// Matches and targets of iptables within rules of nftables, judged as in the tables of iptables.
import { parseIp } from '../../codec/ip.js'
import { toPart } from '../iptables/legacy-read.js'
import type { Changes } from '../iptables/matches.js'
import type { Judged, PacketHook, packetStates } from '../iptables/packet.js'
import { passing, refusing, translating, understandTarget } from '../iptables/targets.js'
import type { Answer } from '../verdict-answer.js'
import { ctStateNames } from './datatype-names.js'
import type { ReadExpression } from './delinearize-context.js'
import { reject } from './verdict-action.js'
import { between, knownValue, masked, part, unknownBits } from './verdict-bits.js'
import { type Effect, ending, type Machine } from './verdict-machine.js'
import { type Translation, translated } from './verdict-nat.js'
import { addressIn, addressPlaces, hasPorts, numberOf, word } from './verdict-traffic.js'

type Of<N extends string> = Exclude<Extract<ReadExpression, { readonly name: N }>['data'], undefined | Uint8Array>
const none = new Uint8Array()

/** The packet as it is now, in the terms of iptables; undefined if an address of it is not known. */
function asJudged({ about, traffic, tracked, rules }: Machine): Judged | undefined {
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
    kindsOf: (side, link) => rules.facts.kindsOf(addressIn(traffic, family, side), family, link && about[link]),
    bridged: packet.physicalIn !== undefined || packet.physicalOut !== undefined,
  }
}

export function extensionMatch(machine: Machine, { name = '', rev = 0, info = none }: Of<'match'>): Answer {
  const packet = asJudged(machine)
  return packet && toPart({ name, revision: rev, data: info }, packet.family).fits(packet)
}

export function extensionTarget(machine: Machine, { name = '', rev = 0, info = none }: Of<'target'>): Effect {
  const { about } = machine
  const known = understandTarget(name, rev, info, about.family)
  if (refusing.includes(name)) return reject(machine)
  if (translating.includes(name))
    return ending({ ...machine, traffic: translated(machine, translation(machine, name, known?.changes)) }, { accept: null })
  if (!passing.includes(name)) return ending(machine, 'unknown')
  if (name === 'MARK') {
    const { value, mask } = known?.changes?.mark ?? {}
    const mark =
      value === undefined || mask === undefined ? unknownBits(4) : masked(machine.traffic.mark, word(~mask).value, word(value).value)
    machine.traffic = { ...machine.traffic, mark }
  }
  if (name === 'CONNMARK') machine.traffic = { ...machine.traffic, mark: unknownBits(4), connectionMark: unknownBits(4) }
  if (name === 'CT' || name === 'NOTRACK') machine.traffic = { ...machine.traffic, state: unknownBits(4) }
  return 'next'
}

function translation({ about, rules, traffic }: Machine, name: string, changes: Changes | undefined): Translation {
  const { family, iif, oif, hook } = about
  const side = name === 'SNAT' || name === 'MASQUERADE' ? 'source' : 'target'
  const { addresses, ports, flags = [] } = changes ?? {}
  const unsure = !changes || flags.some(flag => !['mapIps', 'protoSpecified', 'persistent'].includes(flag))
  const port = (number: number) => Uint8Array.of(number >> 8, number)
  const given = addresses && between(parseIp(addresses[0]), parseIp(addresses[1]))
  const lent =
    name === 'MASQUERADE'
      ? rules.facts.addressOf(oif, family)
      : name === 'REDIRECT' && hook !== 'output'
        ? rules.facts.addressOf(iif, family)
        : unknownBits(addressPlaces[family].length)
  // DNAT and SNAT to a port alone keep the address.
  const kept = name === 'DNAT' || name === 'SNAT' ? addressIn(traffic, family, side) : lent
  return {
    side,
    address: changes && name !== 'NETMAP' ? (given ?? kept) : unknownBits(addressPlaces[family].length),
    port: unsure ? unknownBits(2) : ports && between(port(ports[0]), port(ports[1])),
  }
}
