// Protocols inside IP by name, as /etc/protocols has them: for what names them by the number in the IP header.
import { argumentError, rangeError, shown } from '../codec/errors.js'
import type { Check } from './arguments.js'

const numbers: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  ipip: 4,
  tcp: 6,
  udp: 17,
  dccp: 33,
  ipv6: 41,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  ospf: 89,
  sctp: 132,
  udplite: 136,
}
/** As programs that know them from older files call them. */
const aliases: Readonly<Record<string, number>> = { 'ipv6-icmp': 58, ipencap: 4 }
const names = new Map(Object.entries(numbers).map(([name, number]) => [number, name]))

/** 'udp' → 17; throws ERR_NETLOOM_UNKNOWN_NAME, ERR_NETLOOM_OUT_OF_RANGE. */
export function protocolNumber(protocol: string | number): number {
  if (typeof protocol === 'number') {
    if (Number.isInteger(protocol) && protocol >= 0 && protocol <= 255) return protocol
    throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${protocol} is not the number of a protocol (0 to 255)`)
  }
  if (typeof protocol === 'string') {
    for (const table of [numbers, aliases]) if (Object.hasOwn(table, protocol)) return table[protocol]!
    if (/^\d{1,3}$/.test(protocol)) return protocolNumber(Number(protocol))
  }
  throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `${shown(protocol)} is none of ${Object.keys(numbers).join(', ')}, and no number`)
}

/** 17 → 'udp'; a number without a name is its digits. */
export const protocolName = (number: number): string => names.get(number) ?? String(number)

export const isProtocol: Check = value => void protocolNumber(value as string)

/** Those whose connections are told apart by two numbers of 16 bits: ports, and for GRE keys. */
export const protocolsWithPorts: readonly number[] = [6, 17, 33, 47, 132, 136]
