// Ports as callers give them: numbers, ranges, protocols and host addresses, checked before anything is looked at.
import { argumentError, rangeError, shown } from '../codec/errors.js'
import { formatIp, ipFamily, parseIp } from '../codec/ip.js'
import { type Check, checkOptions, conflict, isOneOf, lacking } from '../kernel/arguments.js'
import type { PortRecord } from './records.js'

export type PortProtocol = PortRecord['protocol']
const protocols = ['tcp', 'udp', 'sctp'] as const

/** A port of an endpoint that the host shall have too. */
export interface Publish {
  /** 80, '80/udp', or a range: '8000-8010'. */
  readonly containerPort: number | string
  /** One port for each of the endpoint's, a free one if not given; for one port of the endpoint a range in which the first free one is taken. */
  readonly hostPort?: number | string
  /** An address of the host; all by default, or the network's `hostBinding`. */
  readonly hostIp?: string
  /** 'tcp' by default. */
  readonly protocol?: PortProtocol
}

export interface PortRange {
  readonly first: number
  readonly last: number
  readonly protocol?: PortProtocol
}
/** What is asked for: some ports of the endpoint, and where on the host. */
export interface PortWish {
  readonly protocol: PortProtocol
  readonly container: PortRange
  readonly host?: PortRange
  readonly hostIp?: string
  /** Where it stands in the caller's arguments. */
  readonly path: string
}

/** 80, '80', '80/tcp', '8000-8010/udp' */
export function portRange(value: unknown, path: string): PortRange {
  const [, low, high, protocol] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(String(value)) ?? []
  if ((typeof value !== 'number' && typeof value !== 'string') || low === undefined)
    throw argumentError('ERR_NETLOOM_INVALID_PORT', `${shown(value)} is no port, like 80, '80/udp' or '8000-8010'`, path)
  const [first, last] = [Number(low), Number(high ?? low)]
  if (first < 1 || last > 65535) throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${shown(value)} is out of range (1 to 65535)`, path)
  if (last < first) throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', `${shown(value)} ends before it begins`, path)
  return { first, last, ...(protocol !== undefined && { protocol: protocol as PortProtocol }) }
}

const passes: Check = () => undefined
const isHostIp: Check = value => void hostAddress(value)

/** An address of the host in the one form in which the kernel tells it: whether two are the same is seen by comparing them. */
export function hostAddress(value: unknown): string {
  if (typeof value !== 'string' || !ipFamily(value)) throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${shown(value)} is not an address`)
  const address = formatIp(parseIp(value))
  if (address === '::1')
    throw argumentError('ERR_NETLOOM_UNSUPPORTED_OPTION', 'the kernel lets nothing leave with the source ::1; 127.0.0.1 can be used')
  const mapped = /^::ffff:([\d.]+)$/.exec(address)?.[1]
  if (mapped !== undefined) throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${shown(value)} stands for ${mapped}: say that`)
  return address
}

/** Where a field of a wish stands in the caller's arguments. */
export const fieldOf = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

export function portWish(given: Publish, path: string): PortWish {
  checkOptions<Publish>(given, { containerPort: passes, hostPort: passes, hostIp: isHostIp, protocol: isOneOf(protocols) }, path)
  const at = (name: string) => fieldOf(path, name)
  if (given.containerPort === undefined) throw lacking(at('containerPort'), 'say which port of the endpoint')
  const container = portRange(given.containerPort, at('containerPort'))
  const host = given.hostPort === undefined ? undefined : portRange(given.hostPort, at('hostPort'))
  const named = container.protocol ?? host?.protocol
  if (given.protocol !== undefined && named !== undefined && named !== given.protocol)
    throw conflict(at('protocol'), `the port says ${named}`)
  if (host?.protocol !== undefined && host.protocol !== named) throw conflict(at('hostPort'), `the port of the endpoint says ${named}`)
  const size = ({ first, last }: PortRange) => last - first
  if (host && size(container) > 0 && size(host) !== size(container))
    throw rangeError('ERR_NETLOOM_OUT_OF_RANGE', 'the two ranges have not as many ports as each other', at('hostPort'))
  return {
    ...{ protocol: given.protocol ?? named ?? 'tcp', container, path },
    ...(host && { host }),
    ...(given.hostIp !== undefined && { hostIp: hostAddress(given.hostIp) }),
  }
}

/** '80/tcp', each port of a range by itself. */
export function exposedPorts(given: readonly (number | string)[], path: string): string[] {
  return given.flatMap((value, i) => {
    const { first, last, protocol = 'tcp' } = portRange(value, `${path}[${i}]`)
    return Array.from({ length: last - first + 1 }, (_, more) => `${first + more}/${protocol}`)
  })
}
