// What expressions of nftables read of a packet, its links and its connection; of what is not known they read bits that are not known.

import { packetTypeNames } from './datatype-names.js'
import type { ReadExpression } from './delinearize-context.js'
import { type Bits, knownBits, part, unknownBits } from './verdict-bits.js'
import { etherTypeOf } from './verdict-headers.js'
import type { Machine } from './verdict-machine.js'
import { readBytes } from './verdict-names.js'
import { addressIn, numberOf, word } from './verdict-traffic.js'

type Data<N extends string> = Extract<ReadExpression, { readonly name: N }> extends { readonly data?: infer D } ? NonNullable<D> : never
/** 'break': there is no such thing, and the rule ends. */
export type Loaded = Bits | 'break'

const byte = (value: number) => knownBits(Uint8Array.of(value))
const number16 = (value: number) => knownBits(Uint8Array.of(value >> 8, value))
const nameBytes = 16
/** The numbers that netfilter has for families (NFPROTO_). */
const families = { 4: 2, 6: 10, bridge: 7, arp: 3, netdev: 5 } as const

export function loadPayload({ about, traffic }: Machine, { base, offset = 0, len = 0 }: Data<'payload'>): Loaded {
  switch (base) {
    case 'llHeader':
      // What a process here sends gets its link header behind these hooks.
      return about.hook === 'output' && !about.bridge ? 'break' : part(traffic.link, offset, len)
    case 'networkHeader':
      return part(traffic.network, offset, len)
    case 'transportHeader':
      return about.packet.arp ? 'break' : part(traffic.transport, offset, len)
    default:
      return unknownBits(len)
  }
}

const lengths: Readonly<Record<string, number>> = {
  protocol: 2,
  iiftype: 2,
  oiftype: 2,
  nftrace: 1,
  nfproto: 1,
  l4proto: 1,
  pkttype: 1,
  secpath: 1,
  briBroute: 1,
  timeDay: 1,
  iifname: nameBytes,
  oifname: nameBytes,
  iifkind: nameBytes,
  oifkind: nameBytes,
  sdifname: nameBytes,
  briIifname: nameBytes,
  briOifname: nameBytes,
  briIifpvid: 2,
  briIifvproto: 2,
  timeNs: 8,
}
const lastByte = (bits: Bits) => part(bits, 0, 1)
/** Of a link by its name; null is none. */
const nameOf = (name: string | null | undefined): Bits =>
  name === undefined ? unknownBits(nameBytes) : knownBits(readBytes(name ?? '', nameBytes))

export function loadMeta(machine: Machine, key: string): Loaded {
  const { about, traffic, rules, chain } = machine
  const { packet, iif, oif, family, protocol } = about
  const index = (name: string | null | undefined) => {
    const found = name === null ? 0 : name === undefined ? undefined : rules.facts.interfaces.indexOf?.(name)
    return found === undefined ? unknownBits(4) : word(found)
  }
  switch (key) {
    case 'len':
      return packet.length === undefined ? unknownBits(4) : word(packet.length)
    case 'protocol':
      return number16(etherTypeOf(packet, family))
    case 'mark':
      return traffic.mark
    case 'priority':
      return traffic.priority
    case 'nftrace':
      return lastByte(traffic.traced)
    case 'pkttype':
      return lastByte(about.hook === 'output' && packet.type === undefined ? word(packetTypeNames.host) : traffic.type)
    case 'iif':
      return index(iif)
    case 'oif':
      return index(oif)
    case 'iifname':
      return nameOf(iif)
    case 'oifname':
      return nameOf(oif)
    case 'iiftype':
    case 'iifgroup':
      return iif === null ? 'break' : unknownBits(lengths[key] ?? 4)
    case 'oiftype':
    case 'oifgroup':
      return oif === null ? 'break' : unknownBits(lengths[key] ?? 4)
    case 'skuid':
    case 'skgid': {
      const owner = key === 'skuid' ? packet.uid : packet.gid
      if (owner !== undefined) return word(owner)
      // What comes from elsewhere has no sender here.
      return about.hook === 'prerouting' || about.hook === 'forward' ? 'break' : unknownBits(4)
    }
    case 'briIifname':
      return nameOf(about.iifBridge)
    case 'briOifname':
      return nameOf(about.oifBridge)
    case 'nfproto':
      return byte(
        chain.family === 'bridge' || chain.family === 'arp' || chain.family === 'netdev' ? families[chain.family] : families[family],
      )
    case 'l4proto':
      return packet.arp ? 'break' : protocol === undefined ? unknownBits(1) : byte(protocol)
    default:
      return unknownBits(lengths[key] ?? 4)
  }
}

const invalid = 1
const untracked = 64
export function loadCt(machine: Machine, { key, direction }: Data<'ct'>): Loaded {
  const { about, traffic, tracked } = machine
  const state = numberOf(traffic.state)
  if (key === 'state') return tracked || state === untracked ? traffic.state : word(invalid)
  // Without a connection there is nothing to be asked.
  if (!tracked || state === invalid || state === untracked) return 'break'
  switch (key) {
    case 'direction':
      return lastByte(traffic.direction)
    case 'status':
      return traffic.status
    case 'mark':
      return traffic.connectionMark
    case 'l3protocol':
      return byte(families[about.family])
    case 'protocol':
      return about.protocol === undefined ? unknownBits(1) : byte(about.protocol)
    case 'src':
    case 'srcIp':
    case 'srcIp6':
      return endpoint(machine, direction, 'source', key)
    case 'dst':
    case 'dstIp':
    case 'dstIp6':
      return endpoint(machine, direction, 'target', key)
    case 'protoSrc':
    case 'protoDst': {
      if (direction !== 'original') return unknownBits(2)
      return part(traffic.originalPorts, key === 'protoSrc' ? 0 : 2, 2)
    }
    default:
      return unknownBits(connectionLengths[String(key)] ?? 4)
  }
}
const connectionLengths: Readonly<Record<string, number>> = {
  helper: 16,
  labels: 16,
  pkts: 8,
  bytes: 8,
  avgpkt: 8,
  zone: 2,
}

function endpoint({ about, traffic }: Machine, direction: unknown, side: 'source' | 'target', key: string | number): Loaded {
  const family = key === 'srcIp' || key === 'dstIp' ? 4 : key === 'srcIp6' || key === 'dstIp6' ? 6 : about.family
  if (family !== about.family) return 'break'
  if (direction === 'original') return side === 'source' ? traffic.originalSource : traffic.originalTarget
  const { length } = addressIn(traffic, family, side).value
  return unknownBits(length)
}

const headerTypes = { ipv4: true, ipv6: true } as const
/** Options and extension headers: packets are taken to have none, but for options of TCP, which nobody has told about. */
export function loadHeader({ about }: Machine, { op, flags, len = 0 }: Data<'exthdr'>): Loaded {
  const asked = flags?.includes('present') ?? false
  const without = String(op ?? 'ipv6') in headerTypes || (op === 'tcpopt' && about.protocol !== undefined && about.protocol !== tcp)
  if (!without) return unknownBits(asked ? 1 : len)
  return asked ? byte(0) : 'break'
}
const tcp = 6

/** A number below `modulus`, and what is added to it: which, is a matter of chance. */
export function loadNumber(modulus = 1, offset = 0): Bits {
  if (modulus <= 1) return word(offset)
  const top = modulus - 1 + offset
  const free = 2 ** (32 - Math.clz32(top)) - 1
  return { value: new Uint8Array(4), known: word(~free >>> 0).value }
}
