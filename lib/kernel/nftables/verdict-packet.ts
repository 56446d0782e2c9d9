// The packet that a rule set is asked about, as callers describe it.

import { ipFamily } from '../../codec/ip.js'
import {
  type Checks,
  checkOptions,
  conflict,
  isAddress,
  isByte,
  isInteger,
  isList,
  isMac,
  isOneOf,
  isUnsigned,
  lacking,
} from '../arguments.js'
import { type IptablesPacket, packetChecks, packetStates } from '../iptables/packet.js'
import { ctStatusNames, packetTypeNames, tcpFlagNames } from './datatype-names.js'
import type { CtDirection, CtStatus, Hook, TcpFlag } from './fields.js'

/** What conntrack knows of the packet's connection. */
export interface NftablesConnection {
  /** All that are set; of a new connection nothing but 'snat' and 'dnat' is open. */
  readonly status?: readonly CtStatus[]
  /** 0 by default if the state is new. */
  readonly mark?: number | 'unknown'
  /** 'original' by default if the state is new. */
  readonly direction?: CtDirection
  /** The connection's first packet as it was before addresses were translated. */
  readonly original?: {
    readonly from?: string
    readonly to?: string
    readonly sourcePort?: number
    readonly destinationPort?: number
  }
}
/** Traffic to judge, at one hook. Of what is left out nothing is known, unless a default is said. It is whole: no fragment, no IP options, no extension headers. */
export interface NftablesPacket extends Omit<IptablesPacket, 'hook' | 'state' | 'mark'> {
  /** 'forward' by default: from one link to another, or from port to port of a bridge. */
  readonly hook?: Hook
  /**
   * 'network' by default: hooks of ip, ip6, inet and arp, at ingress and egress also of netdev. 'bridge' are the hooks of family bridge, where `iif` and `oif` are
   * ports, or if `physicalIn` and `physicalOut` are given the bridge, as in iptables.
   */
  readonly layer?: 'network' | 'bridge'
  /** An address, or 'unknown'. */
  readonly from: string
  /** An address, or 'unknown'. */
  readonly to: string
  /** It is ARP that asks `from` → `to`, not IP. */
  readonly arp?: 'request' | 'reply'
  readonly tcpFlags?: readonly TcpFlag[]
  /** Or the hop limit. */
  readonly ttl?: number
  /** 0 to 63 */
  readonly dscp?: number
  /** Bytes from the IP header on. */
  readonly length?: number
  readonly sourceMac?: string
  readonly destinationMac?: string
  /** The number of its VLAN; without one it has no tag. */
  readonly vlan?: number
  /** Whom the frame is for, as the device saw it. */
  readonly type?: 'host' | 'broadcast' | 'multicast' | 'other'
  /** Of the connection; 'new' by default. */
  readonly state?: (typeof packetStates)[number] | 'unknown'
  /** 0 by default. */
  readonly mark?: number | 'unknown'
  /** Of the process that sends it. */
  readonly uid?: number
  readonly gid?: number
  readonly connection?: NftablesConnection
}

const isPort = isInteger(0, 0xffff)
const isKnownOr =
  (check: (value: unknown) => void) =>
  (value: unknown): void => {
    if (value !== 'unknown') check(value)
  }
const isPlace = isKnownOr(isAddress)
const original: Checks<NonNullable<NftablesConnection['original']>> = {
  from: isAddress,
  to: isAddress,
  sourcePort: isPort,
  destinationPort: isPort,
}
const connection: Checks<NftablesConnection> = {
  status: isList(isOneOf(Object.keys(ctStatusNames))),
  mark: isKnownOr(isUnsigned),
  direction: isOneOf(['original', 'reply']),
  original: value => checkOptions(value as object, original as Checks<object>),
}
const checks: Checks<NftablesPacket> = {
  ...packetChecks,
  hook: isOneOf(['ingress', 'prerouting', 'input', 'forward', 'output', 'postrouting', 'egress']),
  layer: isOneOf(['network', 'bridge']),
  from: isPlace,
  to: isPlace,
  arp: isOneOf(['request', 'reply']),
  tcpFlags: isList(isOneOf(Object.keys(tcpFlagNames))),
  ttl: isByte,
  dscp: isInteger(0, 63),
  length: isInteger(20, 0xffff),
  sourceMac: isMac(6),
  destinationMac: isMac(6),
  vlan: isInteger(0, 4095),
  type: isOneOf(Object.keys(packetTypeNames)),
  state: isOneOf([...packetStates, 'unknown']),
  mark: isKnownOr(isUnsigned),
  uid: isUnsigned,
  gid: isUnsigned,
  connection: value => checkOptions(value as object, connection as Checks<object>),
}

/** Throws TypeError or RangeError for what no packet can be. */
export function checkPacket(packet: NftablesPacket): { readonly family: 4 | 6; readonly hook: Hook; readonly bridge: boolean } {
  checkOptions(packet, checks)
  const { from, to, arp, hook = 'forward', layer } = packet
  if (from === undefined) throw lacking('from', "say where it comes from, or 'unknown'")
  if (to === undefined) throw lacking('to', "say where it goes, or 'unknown'")
  const families = [from, to].map(ipFamily)
  const family = families.find(one => one !== 0)
  if (!family) throw conflict('to', 'one of from and to is an address, which tells the family')
  if (families.some(one => one !== 0 && one !== family)) throw conflict('to', `${from} is IPv${families[0]}, ${to} is not`)
  if (arp && family !== 4) throw conflict('arp', 'ARP is about IPv4 addresses')
  const device = hook === 'ingress' ? 'iif' : hook === 'egress' ? 'oif' : undefined
  if (device && packet[device] === undefined) throw lacking(device, `chains at ${hook} are those of a device`)
  if (device && layer === 'bridge') throw conflict('hook', `family bridge has no hook ${hook}: it belongs to the layer 'network'`)
  return { family, hook, bridge: layer === 'bridge' }
}
