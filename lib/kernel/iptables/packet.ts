// The packet that a rule is asked about.
import { parseCidr } from '../../codec/ip.js'
import { type Checks, checkOptions, conflict, isAddress, isByte, isInteger, isOneOf, isText, isUnsigned, lacking } from '../arguments.js'
import { isProtocol, protocolNumber } from '../ip-protocols.js'
import type { Answer } from '../verdict-answer.js'

export const packetHooks = ['prerouting', 'input', 'forward', 'output', 'postrouting'] as const
export type PacketHook = (typeof packetHooks)[number]
export const packetStates = ['new', 'established', 'related', 'invalid', 'untracked'] as const

/** Traffic to judge. Of what is left out nothing is known, unless a default is said. */
export interface IptablesPacket {
  /** 'forward' by default: from one link to another, or bridged while the bridge calls iptables. */
  readonly hook?: PacketHook
  /** Link that it comes in by; for bridged packets the bridge. */
  readonly iif?: string
  /** Link that it leaves by; for bridged packets the bridge. */
  readonly oif?: string
  /** Bridged packets: the port that it comes in by … */
  readonly physicalIn?: string
  /** … and leaves by. With one of the two it is taken for bridged. */
  readonly physicalOut?: string
  readonly from: string
  readonly to: string
  /** 'tcp', 'udp', 'icmp' … or the number. */
  readonly protocol?: string | number
  readonly sourcePort?: number
  readonly destinationPort?: number
  readonly icmpType?: number
  readonly icmpCode?: number
  /** Of the connection; 'new' by default. */
  readonly state?: (typeof packetStates)[number]
  /** 0 by default. */
  readonly mark?: number
}
/** A packet with its defaults, and addresses as bytes. */
export interface Judged extends Omit<IptablesPacket, 'protocol' | 'hook' | 'state' | 'mark'> {
  readonly hook: PacketHook
  readonly family: 4 | 6
  readonly source: Uint8Array
  readonly target: Uint8Array
  readonly protocol?: number
  /** Undefined once a rule may have changed it. */
  readonly state: (typeof packetStates)[number] | undefined
  readonly mark: number | undefined
  readonly bridged: boolean
  /** The numbers of the kinds (RTN_) that an address may be to the routing table, perhaps to one link alone; undefined is any. */
  readonly kindsOf?: (side: 'source' | 'target', link: 'iif' | 'oif' | undefined) => readonly number[] | undefined
}
const isName = isText(15)
const isPort = isInteger(0, 0xffff)
export const packetChecks: Checks<IptablesPacket> = {
  hook: isOneOf(packetHooks),
  iif: isName,
  oif: isName,
  physicalIn: isName,
  physicalOut: isName,
  from: isAddress,
  to: isAddress,
  protocol: isProtocol,
  sourcePort: isPort,
  destinationPort: isPort,
  icmpType: isByte,
  icmpCode: isByte,
  state: isOneOf(packetStates),
  mark: isUnsigned,
}

export function judged(packet: IptablesPacket, more: Pick<Judged, 'kindsOf'> = {}): Judged {
  checkOptions(packet, packetChecks)
  const { from, to, protocol, hook = 'forward', state = 'new', mark = 0, ...rest } = packet
  if (from === undefined) throw lacking('from', 'say where it comes from')
  if (to === undefined) throw lacking('to', 'say where it goes')
  const [source, target] = [parseCidr(from), parseCidr(to)]
  if (source.family !== target.family) throw conflict('to', `${from} is IPv${source.family}, ${to} is not`)
  return {
    ...rest,
    from,
    to,
    hook,
    state,
    mark,
    family: source.family,
    source: source.bytes,
    target: target.bytes,
    bridged: packet.physicalIn !== undefined || packet.physicalOut !== undefined,
    ...(protocol === undefined ? {} : { protocol: protocolNumber(protocol) }),
    ...more,
  }
}

/** In the range, both ends included. */
export const between = (value: number | undefined, low: number, high: number): Answer =>
  low === 0 && high === 0xffff ? true : value === undefined ? undefined : value >= low && value <= high

/** Does the address lie where the mask's bits are those of `address`? */
export const masked = (bytes: Uint8Array, address: Uint8Array, mask: Uint8Array): boolean =>
  mask.every((bits, i) => (bytes[i]! & bits) === (address[i]! & bits))

/** A name of a link as a rule has it: '' is any, a final + stands for anything. */
export function link(name: string | undefined, pattern: string): Answer {
  if (pattern === '' || pattern === '+') return true
  if (name === undefined) return undefined
  return pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}
