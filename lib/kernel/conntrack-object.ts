// A connection as callers see it, and the tuple that names it to the kernel.
import type { Decoded, Encodable } from '../codec/codec.js'
import { expectObject } from '../codec/errors.js'
import { ipFamily } from '../codec/ip.js'
import type { conntrack as conntrackTable, expectation as expectationTable, tuple as tupleTable } from '../protocol/conntrack.js'
import { checkOptions, conflict, isAddress, isByte, isInteger, isRead, isUnsigned, lacking, present } from './arguments.js'
import { isProtocol, protocolName, protocolNumber, protocolsWithPorts } from './ip-protocols.js'

/** The packets of one direction. */
export interface ConntrackDirection {
  readonly source: string
  readonly destination: string
  /** TCP, UDP, SCTP, DCCP; for GRE the key. */
  readonly sourcePort?: number
  readonly destinationPort?: number
  /** ICMP and ICMPv6. */
  readonly icmpType?: number
  readonly icmpCode?: number
  readonly icmpId?: number
  /** The zone, where it holds for this direction only. */
  readonly zone?: number
  /** With net.netfilter.nf_conntrack_acct. */
  readonly packets?: number
  readonly bytes?: number
}
/** Names one connection, by the packets of either direction. */
export interface ConntrackTuple extends ConntrackDirection {
  /** 'tcp', 'udp', 'icmp' … or the number. */
  readonly protocol: string | number
  /** That of the connection, where the number of the zone is not 0. */
  readonly zone?: number
  /** As read: the connection is this one and no other with the same tuple. */
  readonly id?: number
}
/** What the kernel remembers of a connection. */
export interface ConntrackEntry {
  readonly family: 4 | 6
  /** 'tcp', 'udp', 'icmp' …; the digits of one without a name. */
  readonly protocol: string
  /** As its first packet came. */
  readonly original: ConntrackDirection
  /** As answers to it come; other than the reverse where addresses are translated. */
  readonly reply: ConntrackDirection
  readonly zone: number
  readonly mark: number
  /** 'seenReply', 'assured', 'confirmed', 'srcNat', 'dstNat', 'offload' … (IPS_) */
  readonly status: readonly string[]
  /** TCP and SCTP: 'synSent', 'established', 'timeWait' … */
  readonly state?: string | number
  /** Seconds until it is forgotten, unless a packet comes. */
  readonly timeout?: number
  readonly id: number
  /** Name of a helper: 'ftp' … */
  readonly helper?: string
  /** Labels that are set, by number (0 to 127). */
  readonly labels?: readonly number[]
  /** Seconds since 1970; with net.netfilter.nf_conntrack_timestamp. */
  readonly started?: number
  readonly stopped?: number
  readonly securityContext?: string
  /** The connection because of which this one was expected. */
  readonly master?: ConntrackDirection & { readonly protocol: string }
}
export type ConntrackMessage = Encodable<typeof conntrackTable>
type RawConntrack = Decoded<typeof conntrackTable>
type RawTuple = Decoded<typeof tupleTable>

const icmp = 1
const icmpv6 = 58

const directionChecks = {
  source: isAddress,
  destination: isAddress,
  sourcePort: isInteger(0, 0xffff),
  destinationPort: isInteger(0, 0xffff),
  icmpType: isByte,
  icmpCode: isByte,
  icmpId: isInteger(0, 0xffff),
  zone: isInteger(0, 0xffff),
  packets: isRead,
  bytes: isRead,
}

export interface NamedTuple {
  readonly family: 4 | 6
  readonly protocol: number
  readonly tuple: Encodable<typeof tupleTable>
}

/** The kernel's form of a whole tuple: one that lacks something would mean other connections, or all. */
export function wholeTuple(direction: ConntrackDirection, given: string | number | undefined, path = ''): NamedTuple {
  const at = (name: string) => (path ? `${path}.${name}` : name)
  checkOptions(direction, directionChecks, path)
  const { source, destination, sourcePort, destinationPort, icmpType, icmpCode, icmpId, zone } = direction
  if (source === undefined) throw lacking(at('source'), 'say where its packets come from')
  if (destination === undefined) throw lacking(at('destination'), 'say where its packets go')
  if (given === undefined) throw lacking('protocol', 'say of which protocol')
  const protocol = protocolNumber(given)
  const family = ipFamily(source) as 4 | 6
  if (ipFamily(destination) !== family) throw conflict(at('destination'), `${source} is IPv${family}, ${destination} is not`)
  const ports = protocolsWithPorts.includes(protocol)
  const messages = protocol === (family === 4 ? icmp : icmpv6)
  for (const [name, value] of Object.entries({ sourcePort, destinationPort })) {
    if (ports && value === undefined) throw lacking(at(name), `connections of ${protocolName(protocol)} have one`)
    if (!ports && value !== undefined) throw conflict(at(name), `${protocolName(protocol)} has no ports`)
  }
  for (const [name, value] of Object.entries({ icmpType, icmpCode, icmpId })) {
    if (messages && value === undefined) throw lacking(at(name), `what is remembered of ${protocolName(protocol)} has one`)
    if (!messages && value !== undefined) throw conflict(at(name), `is for icmp, and icmpv6 between IPv6 addresses`)
  }
  const proto =
    protocol === icmpv6
      ? { icmpv6Type: icmpType, icmpv6Code: icmpCode, icmpv6Id: icmpId }
      : { icmpType, icmpCode, icmpId, srcPort: sourcePort, dstPort: destinationPort }
  const ip = family === 4 ? { v4Src: source, v4Dst: destination } : { v6Src: source, v6Dst: destination }
  return { family, protocol, tuple: present({ ip, proto: present({ num: protocol, ...proto }), zone }) }
}

/** Which connection is meant: by a tuple, or by what list() or get() said of it. */
export function named(which: ConntrackEntry | ConntrackTuple): ConntrackMessage & { readonly tupleOrig: object } {
  expectObject(which)
  checkOptions(which, 'original' in which ? entryChecks : tupleChecks)
  if ('original' in which) {
    const { original, protocol, zone, id } = which
    return toMessage(wholeTuple(original, protocol, 'original'), zone, id)
  }
  const { protocol, zone, id, ...direction } = which
  return toMessage(wholeTuple(direction, protocol), zone, id)
}
const toMessage = ({ family, tuple }: NamedTuple, zone: number | undefined, id: number | undefined) => ({
  family: family === 4 ? ('ipv4' as const) : ('ipv6' as const),
  tupleOrig: tuple,
  ...present({ zone: zone || undefined, id }),
})
const tupleChecks = { ...directionChecks, protocol: isProtocol, id: isUnsigned }
const entryChecks = {
  family: isRead,
  protocol: isProtocol,
  original: isRead,
  reply: isRead,
  zone: isInteger(0, 0xffff),
  mark: isRead,
  status: isRead,
  state: isRead,
  timeout: isRead,
  id: isUnsigned,
  helper: isRead,
  labels: isRead,
  started: isRead,
  stopped: isRead,
  securityContext: isRead,
  master: isRead,
}

/** The kernel's entry in the caller's words. */
export function toConntrack(raw: RawConntrack): ConntrackEntry {
  const { tupleOrig, tupleReply, status, protoinfo, help, timeout, mark, countersOrig, countersReply, id, zone, secctx, timestamp } = raw
  const state = protoinfo?.tcp?.state ?? protoinfo?.sctp?.state ?? protoinfo?.dccp?.state
  return {
    family: raw.family === 'ipv4' ? 4 : 6,
    protocol: protocolName(tupleOrig?.proto?.num ?? 0),
    original: { ...toDirection(tupleOrig), ...countersOrig },
    reply: { ...toDirection(tupleReply), ...countersReply },
    zone: zone ?? 0,
    mark: mark ?? 0,
    status: status ?? [],
    id: id ?? 0,
    ...present({
      state,
      timeout,
      helper: help?.name,
      labels: raw.labels && setBits(raw.labels),
      started: seconds(timestamp?.start),
      stopped: seconds(timestamp?.stop),
      securityContext: secctx?.name,
      master: raw.tupleMaster && { ...toDirection(raw.tupleMaster), protocol: protocolName(raw.tupleMaster.proto?.num ?? 0) },
    }),
  }
}

/** 'udp 10.0.0.1:5000 → 10.0.0.2:53', for messages. */
export function describeConntrack(which: ConntrackEntry | ConntrackTuple): string {
  const { source, destination, sourcePort, destinationPort } = 'original' in which ? which.original : which
  const side = (address: string, port: number | undefined) =>
    port === undefined ? address : `${address.includes(':') ? `[${address}]` : address}:${port}`
  return `${which.protocol} ${side(source, sourcePort)} → ${side(destination, destinationPort)}`
}

export function toDirection({ ip, proto, zone }: RawTuple = {}): ConntrackDirection {
  return {
    source: ip?.v4Src ?? ip?.v6Src ?? '',
    destination: ip?.v4Dst ?? ip?.v6Dst ?? '',
    ...present({
      sourcePort: proto?.srcPort,
      destinationPort: proto?.dstPort,
      icmpType: proto?.icmpType ?? proto?.icmpv6Type,
      icmpCode: proto?.icmpCode ?? proto?.icmpv6Code,
      icmpId: proto?.icmpId ?? proto?.icmpv6Id,
      zone,
    }),
  }
}

const seconds = (nanoseconds: bigint | undefined) => (nanoseconds === undefined ? undefined : Number(nanoseconds / 1000n) / 1e6)

/** Words of the host's byte order, the lowest label first. */
function setBits(bytes: Uint8Array): number[] {
  const words = new Uint32Array(bytes.slice().buffer, 0, bytes.length >> 2)
  return [...words].flatMap((word, i) =>
    Array.from({ length: 32 }, (_, bit) => bit)
      .filter(bit => (word >>> bit) & 1)
      .map(bit => i * 32 + bit),
  )
}

/** A connection that is let in because of another one. */
export interface ConntrackExpectation {
  readonly family: 4 | 6
  readonly protocol: string
  /** Its first packet; the source port is 0 if any will do. */
  readonly tuple: ConntrackDirection
  /** The connection that said so. */
  readonly master: ConntrackDirection
  readonly zone: number
  /** Seconds until it is no longer expected. */
  readonly timeout?: number
  readonly id: number
  readonly helper?: string
  readonly flags: readonly string[]
}
export function toExpectation(raw: Decoded<typeof expectationTable>): ConntrackExpectation {
  return {
    family: raw.family === 'ipv4' ? 4 : 6,
    protocol: protocolName(raw.tuple?.proto?.num ?? 0),
    tuple: toDirection(raw.tuple),
    master: toDirection(raw.master),
    zone: raw.zone ?? 0,
    id: raw.id ?? 0,
    flags: raw.flags ?? [],
    ...present({ timeout: raw.timeout, helper: raw.helpName }),
  }
}
