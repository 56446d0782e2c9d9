// A pool: a subnet of a network with the part that is allocated from, its gateway, and what in it is never given away.
import { argumentError, isArgumentError, rangeError, relabel, shown } from '../codec/errors.js'
import { ipFamily } from '../codec/ip.js'
import { holds, type IpRange, ipNumber, ipRange, ipText, overlap, rangeText, within } from './ip-range.js'
import type { Subnet } from './options.js'

export interface Pool {
  readonly subnet: IpRange
  /** Where addresses are allocated. */
  readonly range: IpRange
  /** What ipRange the caller gave, for inspect. */
  readonly ranged: boolean
  readonly gateway: bigint
  /** By name. */
  readonly auxiliary: ReadonlyMap<string, bigint>
  /** Never allocated: the subnet's own address, its broadcast address, the gateway, the auxiliary addresses. */
  readonly reserved: ReadonlySet<bigint>
}

/** What is allocated with one address, for the message that refuses it. */
export type Reservation =
  | 'the address of the subnet itself'
  | 'the broadcast address of the subnet'
  | 'the gateway'
  | `reserved for ${string}`

/** Checks what the caller said about a subnet and fills in the rest. Throws with the path of the field within `where` ('subnets[0].'). */
export function poolOf(given: Subnet, where: string): Pool {
  const subnet = at(`${where}subnet`, () => ipRange(given.subnet))
  const range = given.ipRange === undefined ? subnet : at(`${where}ipRange`, () => rangeIn(subnet, given.ipRange as string))
  const own = ownAddresses(subnet)
  const reserved = new Map<bigint, Reservation>(own)
  const { gateway: chosen } = given
  if (chosen !== undefined) at(`${where}gateway`, () => reserve(reserved, subnet, chosen, 'the gateway'))
  const auxiliary = new Map<string, bigint>()
  for (const [name, address] of Object.entries(given.auxAddresses ?? {}))
    auxiliary.set(
      name,
      at(`${where}auxAddresses.${name}`, () => reserve(reserved, subnet, address, `reserved for ${name}`)),
    )
  // As with Docker the gateway is the first address of the range, but for those that are spoken for.
  const gateway = chosen === undefined ? firstFree(range, reserved) : ipNumber(chosen)
  if (gateway === undefined) {
    const field = given.ipRange === undefined ? 'subnet' : 'ipRange'
    const detail = `${given.ipRange ?? given.subnet} is too small: it has no address left for the gateway`
    throw rangeError('ERR_NETLOOM_SUBNET_TOO_SMALL', detail, `${where}${field}`)
  }
  reserved.set(gateway, 'the gateway')
  return { subnet, range, ranged: given.ipRange !== undefined, gateway, auxiliary, reserved: new Set(reserved.keys()) }
}

/** Why an address of the pool is not given to endpoints. */
export function reservation(pool: Pool, address: bigint): Reservation | undefined {
  if (address === pool.gateway) return 'the gateway'
  for (const [name, reserved] of pool.auxiliary) if (reserved === address) return `reserved for ${name}`
  return ownAddresses(pool.subnet).get(address)
}

/** Throws unless no two of the pools, nor any of them and a subnet of another network, overlap. */
export function refuseOverlap(
  pools: readonly { readonly pool: Pool; readonly path: string }[],
  others: readonly { readonly range: IpRange; readonly network: string }[],
): void {
  for (const [i, { pool, path }] of pools.entries()) {
    const other = others.find(({ range }) => overlap(range, pool.subnet))
    if (other) throw overlapping(pool, `${rangeText(other.range)} of network ${other.network}`, path)
    const before = pools.slice(0, i).find(one => overlap(one.pool.subnet, pool.subnet))
    if (before) throw overlapping(pool, `${rangeText(before.pool.subnet)} of the same network`, path)
  }
}
const overlapping = (pool: Pool, other: string, path: string) =>
  argumentError('ERR_NETLOOM_SUBNET_OVERLAP', `${rangeText(pool.subnet)} overlaps ${other}`, path)

/** The pool in the form in which the caller would have said it, complete. */
export function poolText(pool: Pool): Required<Omit<Subnet, 'ipRange'>> & Pick<Subnet, 'ipRange'> {
  const { family } = pool.subnet
  return {
    subnet: rangeText(pool.subnet),
    ...(pool.ranged && { ipRange: rangeText(pool.range) }),
    gateway: ipText(pool.gateway, family),
    auxAddresses: Object.fromEntries([...pool.auxiliary].map(([name, address]) => [name, ipText(address, family)])),
  }
}

/** Of a point-to-point subnet (RFC 3021, RFC 6164) and of a single address every address is a host's. IPv6 has no broadcast address. */
function ownAddresses({ first, last, family }: IpRange): Map<bigint, Reservation> {
  const own = new Map<bigint, Reservation>()
  if (last - first < 2n) return own
  own.set(first, 'the address of the subnet itself')
  if (family === 4) own.set(last, 'the broadcast address of the subnet')
  return own
}

function rangeIn(subnet: IpRange, text: string): IpRange {
  const range = ipRange(text)
  if (!holds(subnet, range)) throw rangeError('ERR_NETLOOM_OUTSIDE_SUBNET', `${shown(text)} is not within the subnet ${rangeText(subnet)}`)
  return range
}

function reserve(reserved: Map<bigint, Reservation>, subnet: IpRange, text: string, why: Reservation): bigint {
  if (ipFamily(text) === 0) throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `${shown(text)} is not an IPv4 or IPv6 address`)
  const address = ipNumber(text)
  if (ipFamily(text) !== subnet.family || !within(subnet, address))
    throw rangeError('ERR_NETLOOM_OUTSIDE_SUBNET', `${shown(text)} is not within the subnet ${rangeText(subnet)}`)
  const taken = reserved.get(address)
  if (taken !== undefined) throw argumentError('ERR_NETLOOM_ADDRESS_RESERVED', `${text} is ${taken}`)
  reserved.set(address, why)
  return address
}

function firstFree(range: IpRange, reserved: ReadonlyMap<bigint, unknown>): bigint | undefined {
  for (let address = range.first; address <= range.last; address++) if (!reserved.has(address)) return address
  return undefined
}

function at<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw isArgumentError(error) ? relabel(error, path) : error
  }
}
