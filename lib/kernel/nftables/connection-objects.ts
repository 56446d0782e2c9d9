// Named objects that tell connection tracking something: helpers, timeouts, expectations; and SYN proxies and security marks.

import { argumentError, shown } from '../../codec/errors.js'
import { netfilterFamilies } from '../../protocol/netfilter.js'
import { ctTimeoutTcp, ctTimeoutUdp } from '../../protocol/nftables/object.js'
import { type Check, checkOptions, isInteger, isNumber, isOneOf, isText } from '../arguments.js'
import type { Family, SynproxyFlag } from './fields.js'
import { commonChecks, type ObjectKind, type RawObject } from './named-objects.js'
import type { ConnectionProtocol, CtExpectationObject, CtHelperObject, CtTimeoutObject, SecmarkObject, SynproxyObject } from './objects.js'
import { asList } from './references.js'

const protocols: Readonly<Record<string, number>> = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  icmpv6: 58,
  'ipv6-icmp': 58,
  sctp: 132,
  udplite: 136,
  generic: 255,
}
const protocolNames = new Map(Object.entries(protocols).map(([name, number]) => [number, name]))
protocolNames.set(58, 'icmpv6')
const families = { ip: netfilterFamilies.ipv4, ip6: netfilterFamilies.ipv6, inet: netfilterFamilies.inet } as const

const isProtocol: Check = value => {
  if (typeof value === 'number') return isInteger(0, 255)(value)
  if (typeof value !== 'string' || !Object.hasOwn(protocols, value))
    throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `${shown(value)} is none of ${Object.keys(protocols).join(', ')}, and no number`)
}
const protocolNumber = (protocol: ConnectionProtocol) => (typeof protocol === 'number' ? protocol : protocols[protocol]!)
const protocolName = (number: number | string = 0): ConnectionProtocol => {
  const known = typeof number === 'string' && !/^\d+$/.test(number) ? number : protocolNames.get(Number(number))
  return (known ?? Number(number)) as ConnectionProtocol
}
const familyName = (number = 0) => (number === families.ip ? 'ip' : number === families.ip6 ? 'ip6' : 'inet')

const connection = { protocol: isProtocol, l3proto: isOneOf(Object.keys(families)) }
interface Connection {
  readonly family: Family
  readonly protocol: ConnectionProtocol
  readonly l3proto?: keyof typeof families
}
/** What the kernel would take it for if nothing was said. */
const ofTable = (family: Family) => (family === 'ip' || family === 'ip6' ? family : 'inet')
const wireConnection = ({ family, protocol, l3proto = ofTable(family) }: Connection) => ({
  l3proto: families[l3proto],
  l4proto: protocolNumber(protocol),
})
const connectionField = { l4proto: 'protocol' }

export const ctHelperKind: ObjectKind<CtHelperObject> = {
  what: 'ct helper',
  verbs: 'ctHelpers',
  type: 'ctHelper',
  // NF_CT_HELPER_NAME_LEN less the final NUL, net/netfilter/nf_conntrack_helper.h.
  checks: { ...commonChecks, ...connection, type: isText(15) },
  required: ['type', 'protocol'],
  write: ({ type, ...rest }) => ({ name: type, ...wireConnection(rest) }),
  read(raw) {
    const { name: type = '', l3proto, l4proto } = raw.type === 'ctHelper' && raw.data ? raw.data : {}
    return { type, protocol: protocolName(l4proto), l3proto: familyName(l3proto) }
  },
  field: { ...connectionField, name: 'type' },
}

/** What a connection is given where a policy says nothing: nft lists what differs. Seconds, by protocol and state. */
const usual = {
  tcp: {
    syn_sent: 120,
    syn_recv: 60,
    established: 432_000,
    fin_wait: 120,
    close_wait: 60,
    last_ack: 30,
    time_wait: 120,
    close: 10,
    syn_sent2: 120,
    retrans: 300,
    unack: 300,
  },
  udp: { unreplied: 30, replied: 180 },
} as const
type TimedProtocol = keyof typeof usual
const states = { tcp: ctTimeoutTcp, udp: ctTimeoutUdp } as const
const camel = (state: string) => state.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
const isSeconds = isInteger(0, 0xffff_ffff)

function timeouts(protocol: TimedProtocol, policy: Readonly<Record<string, number>> | null): Record<string, number> {
  const names = Object.keys(usual[protocol])
  checkOptions(policy ?? {}, Object.fromEntries(names.map(name => [name, isSeconds])), 'policy')
  const given: Readonly<Record<string, number>> = { ...usual[protocol], ...policy }
  return Object.fromEntries(names.map(name => [camel(name), given[name]!]))
}

export const ctTimeoutKind: ObjectKind<CtTimeoutObject> = {
  what: 'ct timeout',
  verbs: 'ctTimeouts',
  type: 'ctTimeout',
  checks: {
    ...commonChecks,
    ...connection,
    protocol: isOneOf(Object.keys(states)),
    policy: value => {
      if (value !== null && (typeof value !== 'object' || Array.isArray(value)))
        throw argumentError('ERR_NETLOOM_INVALID_OBJECT', `${shown(value)} is not an object of seconds by state`)
    },
  },
  required: ['protocol', 'policy'],
  write(object) {
    const { l3proto } = wireConnection(object)
    const protocol = object.protocol as TimedProtocol
    return { l3proto, l4proto: protocol, data: timeouts(protocol, object.policy) }
  },
  read(raw) {
    const { l3proto, l4proto, data } = raw.type === 'ctTimeout' && raw.data ? raw.data : {}
    const common = { protocol: protocolName(l4proto), l3proto: familyName(l3proto) } as const
    if ((l4proto !== 'tcp' && l4proto !== 'udp') || !data) return { ...common, policy: null }
    const differs = Object.entries(usual[l4proto]).flatMap(([state, seconds]) => {
      const value = (data as Readonly<Record<string, number | undefined>>)[camel(state)]
      return value === undefined || value === seconds ? [] : [[state, value] as const]
    })
    return { ...common, policy: differs.length ? Object.fromEntries(differs) : null }
  },
  field: { ...connectionField, data: 'policy' },
}

export const ctExpectationKind: ObjectKind<CtExpectationObject> = {
  what: 'ct expectation',
  verbs: 'ctExpectations',
  type: 'ctExpect',
  checks: {
    ...commonChecks,
    ...connection,
    dport: isInteger(0, 0xffff),
    timeout: isNumber(0, 0xffff_ffff),
    size: isInteger(0, 255),
  },
  required: ['protocol', 'dport', 'timeout', 'size'],
  write: ({ dport, timeout, size, ...rest }) => ({ ...wireConnection(rest), dport, timeout, size }),
  read(raw) {
    const { l3proto, l4proto, dport = 0, timeout = 0, size = 0 } = raw.type === 'ctExpect' && raw.data ? raw.data : {}
    return { protocol: protocolName(l4proto), dport, timeout, size, l3proto: familyName(l3proto) }
  },
  field: connectionField,
}

export const secmarkKind: ObjectKind<SecmarkObject> = {
  what: 'secmark',
  verbs: 'secmarks',
  type: 'secmark',
  // NFT_SECMARK_CTX_MAXLEN, linux/netfilter/nf_tables.h.
  checks: { ...commonChecks, context: isText(255) },
  required: ['context'],
  write: ({ context }) => ({ ctx: context }),
  read: raw => ({ context: (raw.type === 'secmark' && raw.data?.ctx) || '' }),
  field: { ctx: 'context' },
}

const proxyFlags = { timestamp: 'timestamp', 'sack-perm': 'sackPerm' } as const satisfies Record<SynproxyFlag, string>
const isProxyFlag = isOneOf(Object.keys(proxyFlags))

export const synproxyKind: ObjectKind<SynproxyObject> = {
  what: 'synproxy',
  verbs: 'synproxies',
  type: 'synproxy',
  checks: {
    ...commonChecks,
    mss: isInteger(0, 0xffff),
    // TCP_MAX_WSCALE, net/tcp.h.
    wscale: isInteger(0, 14),
    flags: value => {
      for (const flag of asList(value as SynproxyFlag)) isProxyFlag(flag)
    },
  },
  required: ['mss', 'wscale'],
  write: ({ mss, wscale, flags }) => ({ mss, wscale, flags: ['mss', 'wscale', ...asList(flags).map(flag => proxyFlags[flag])] }),
  read(raw: RawObject) {
    const { mss = 0, wscale = 0, flags = [] } = raw.type === 'synproxy' && raw.data ? raw.data : {}
    const named = (Object.keys(proxyFlags) as SynproxyFlag[]).filter(flag => flags.includes(proxyFlags[flag]))
    return { mss, wscale, ...(named.length ? { flags: named } : {}) }
  },
}
