// Which connections are meant: as much of it as the kernel can decide in its words, and all of it as a question to an entry.
import { argumentError } from '../codec/errors.js'
import { networkOf, parseCidr } from '../codec/ip.js'
import { conntrackStatus } from '../protocol/conntrack.js'
import {
  type Check,
  checkOptions,
  conflict,
  isBoolean,
  isFamily,
  isInteger,
  isObject,
  isPrefix,
  isSignal,
  isUnsigned,
  present,
} from './arguments.js'
import type { ConntrackEntry, ConntrackMessage } from './conntrack-object.js'
import { isProtocol, protocolName, protocolNumber, protocolsWithPorts } from './ip-protocols.js'

export type ConntrackStatus = keyof typeof conntrackStatus
/** What is left out is not looked at. Addresses may be prefixes. */
export interface ConntrackFilter {
  readonly family?: 4 | 6
  /** 'tcp', 'udp', 'icmp' … or the number. */
  readonly protocol?: string | number
  readonly mark?: number
  /** Bits of the mark that count; all by default. */
  readonly markMask?: number
  readonly zone?: number
  /** `{ seenReply: false, assured: true }`: what must be unset, and what set. */
  readonly status?: Readonly<Partial<Record<ConntrackStatus, boolean>>>
  /** As the first packet came: on a host that publishes a port, the client and … */
  readonly originalSource?: string
  readonly originalSourcePort?: number
  /** … the host's address and port. */
  readonly originalDestination?: string
  readonly originalDestinationPort?: number
  /** As answers come: from the container and … */
  readonly replySource?: string
  readonly replySourcePort?: number
  /** … to the client, or to the address that it was masqueraded to. */
  readonly replyDestination?: string
  readonly replyDestinationPort?: number
}
export interface ConntrackListFilter extends ConntrackFilter {
  readonly signal?: AbortSignal
}

const isPort = isInteger(0, 0xffff)
const checks = {
  family: isFamily,
  protocol: isProtocol,
  mark: isUnsigned,
  markMask: isUnsigned,
  zone: isPort,
  status: isObject(
    Object.fromEntries(Object.keys(conntrackStatus).map(name => [name, isBoolean])) as Record<ConntrackStatus, typeof isBoolean>,
  ),
  originalSource: isPrefix,
  originalSourcePort: isPort,
  originalDestination: isPrefix,
  originalDestinationPort: isPort,
  replySource: isPrefix,
  replySourcePort: isPort,
  replyDestination: isPrefix,
  replyDestinationPort: isPort,
  signal: isSignal,
}
const addressNames = ['originalSource', 'originalDestination', 'replySource', 'replyDestination'] as const
const portNames = ['originalSourcePort', 'originalDestinationPort', 'replySourcePort', 'replyDestinationPort'] as const

export interface Prepared {
  /** What to ask the kernel, the families one by one where it wants it so. */
  readonly requests: readonly ConntrackMessage[]
  /** The kernel is told everything that the filter says: what it finds is exactly what is meant. */
  readonly exact: boolean
  /** Nothing is asked for but everything. */
  readonly empty: boolean
  readonly matches: (entry: ConntrackEntry) => boolean
}

/** For options that hold a filter. */
export const isFilter: Check = value => void prepare(value as ConntrackListFilter)

/** Checks a filter and puts it in the kernel's words. */
export function prepare(filter: ConntrackListFilter): Prepared {
  checkOptions(filter, checks)
  const { signal: _, ...said } = filter
  const given = present(said)
  if (given.markMask !== undefined && given.mark === undefined) throw conflict('markMask', 'is about a mark, and none is given')
  if (given.status && Object.values(given.status).every(value => value === undefined)) throw conflict('status', 'names no status')
  const prefixes = Object.fromEntries(
    addressNames.flatMap(name => (given[name] === undefined ? [] : [[name, parseCidr(given[name])]])),
  ) as Partial<Record<(typeof addressNames)[number], Prefix>>
  const family = familyOf(given.family, prefixes)
  const requests = toRequests(given, prefixes, family)
  const whole = Object.values(prefixes).every(comparable)
  const ported = given.protocol !== undefined && protocolsWithPorts.includes(protocolNumber(given.protocol))
  const portsAlone = !ported && portNames.some(name => given[name] !== undefined)
  return {
    requests,
    // What the kernel does with zones in deletions came with other versions than what it does with tuples.
    exact: whole && !portsAlone && given.zone === undefined,
    empty: Object.keys(given).length === 0,
    matches: matcher(given, prefixes, family),
  }
}

type Prefix = ReturnType<typeof parseCidr>
type Prefixes = Partial<Record<(typeof addressNames)[number], Prefix>>

function familyOf(given: 4 | 6 | undefined, prefixes: Prefixes): 4 | 6 | undefined {
  let family = given
  for (const [name, prefix] of Object.entries(prefixes)) {
    if (family !== undefined && prefix.family !== family)
      throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `is not an IPv${family} address, as something else in the filter is`, name)
    family = prefix.family
  }
  return family
}

function toRequests(filter: ConntrackFilter, prefixes: Prefixes, family: 4 | 6 | undefined): ConntrackMessage[] {
  const { protocol, mark, markMask, zone, status = {} } = filter
  const number = protocol === undefined ? undefined : protocolNumber(protocol)
  const original = side(number, {
    source: prefixes.originalSource,
    destination: prefixes.originalDestination,
    sourcePort: filter.originalSourcePort,
    destinationPort: filter.originalDestinationPort,
  })
  // The protocol of both directions is the same: saying it once is enough, where no ports are to be compared.
  const replyPorts = filter.replySourcePort !== undefined || filter.replyDestinationPort !== undefined
  const answered = side(replyPorts ? number : undefined, {
    source: prefixes.replySource,
    destination: prefixes.replyDestination,
    sourcePort: filter.replySourcePort,
    destinationPort: filter.replyDestinationPort,
  })
  const statusNames = Object.keys(status) as ConntrackStatus[]
  const mask = statusNames.filter(name => status[name] !== undefined)
  const common = present({
    mark,
    markMask: mark === undefined ? undefined : (markMask ?? 0xffff_ffff),
    zone,
    status: mask.length ? mask.filter(name => status[name]) : undefined,
    statusMask: mask.length ? mask : undefined,
    tupleOrig: original?.tuple,
    tupleReply: answered?.tuple,
    filter: original || answered ? present({ origFlags: original?.flags, replyFlags: answered?.flags }) : undefined,
  })
  // Parts of tuples are compared within one family only.
  const families = family !== undefined ? [family] : original || answered ? ([4, 6] as const) : [undefined]
  return families.map(one => ({ family: one === undefined ? 'unspec' : one === 4 ? 'ipv4' : 'ipv6', ...common }) as ConntrackMessage)
}

interface Side {
  readonly source: Prefix | undefined
  readonly destination: Prefix | undefined
  readonly sourcePort: number | undefined
  readonly destinationPort: number | undefined
}

/**
 * The address, if the kernel can be asked about it: no prefixes, and no IPv6 addresses, where kernels up to at least 6.18 have it the wrong way
 * round (ctnetlink_filter_match_tuple), and find, or delete, all those that have another.
 */
const comparable = (one: Prefix | undefined) => (one && one.family === 4 && one.prefix === 32 ? one.address : undefined)

/** The parts of a tuple that the kernel can compare, and the flags that tell it which they are. */
function side(protocol: number | undefined, { source, destination, sourcePort, destinationPort }: Side) {
  const [from, to] = [comparable(source), comparable(destination)]
  const ports =
    protocol !== undefined && protocolsWithPorts.includes(protocol) ? present({ srcPort: sourcePort, dstPort: destinationPort }) : {}
  const flags = [
    ...(from ? (['ipSrc'] as const) : []),
    ...(to ? (['ipDst'] as const) : []),
    ...(protocol !== undefined ? (['protoNum'] as const) : []),
    ...('srcPort' in ports ? (['protoSrcPort'] as const) : []),
    ...('dstPort' in ports ? (['protoDstPort'] as const) : []),
  ]
  if (flags.length === 0) return undefined
  const ip = from || to ? present({ v4Src: from, v4Dst: to }) : undefined
  return { tuple: present({ ip, proto: protocol === undefined ? undefined : { num: protocol, ...ports } }), flags }
}

function matcher(filter: ConntrackFilter, prefixes: Prefixes, family: 4 | 6 | undefined): (entry: ConntrackEntry) => boolean {
  const { mark, markMask = 0xffff_ffff, zone, status } = filter
  const protocol = filter.protocol === undefined ? undefined : protocolName(protocolNumber(filter.protocol))
  const parts = {
    originalSource: 'source',
    originalDestination: 'destination',
    replySource: 'source',
    replyDestination: 'destination',
  } as const
  return entry => {
    if (family !== undefined && entry.family !== family) return false
    if (protocol !== undefined && entry.protocol !== protocol) return false
    if (mark !== undefined && (entry.mark & markMask) >>> 0 !== mark) return false
    if (zone !== undefined && entry.zone !== zone) return false
    for (const [name, wanted] of Object.entries(status ?? {}))
      if (wanted !== undefined && entry.status.includes(name) !== wanted) return false
    for (const name of addressNames) {
      const prefix = prefixes[name]
      const direction = name.startsWith('original') ? entry.original : entry.reply
      if (prefix && !within(direction[parts[name]], prefix)) return false
    }
    for (const name of portNames) {
      const direction = name.startsWith('original') ? entry.original : entry.reply
      if (filter[name] !== undefined && direction[name.endsWith('SourcePort') ? 'sourcePort' : 'destinationPort'] !== filter[name])
        return false
    }
    return true
  }
}

function within(address: string, { bytes, prefix }: Prefix): boolean {
  const other = parseCidr(address).bytes
  if (other.length !== bytes.length) return false
  const [a, b] = [networkOf(other, prefix), networkOf(bytes, prefix)]
  return a.every((byte, i) => byte === b[i])
}
