// In which order addresses of a pool are given: onwards from the one given last, round the range, past what is reserved.
import { rangeError, shown } from '../codec/errors.js'
import { ipFamily } from '../codec/ip.js'
import { ipNumber, ipText, rangeText, within } from './ip-range.js'
import { type Pool, reservation } from './ipam-pool.js'

/**
 * The addresses that may be given next, best first, each once. `last` is the one that was given last: going on behind it, an address rests for
 * as long as possible before it comes back, when nobody remembers its former owner any more.
 */
export function* candidates(pool: Pool, last?: bigint): Generator<bigint, void> {
  const { first, last: end } = pool.range
  const start = last === undefined || last < first || last >= end ? first : last + 1n
  for (let address = start; address <= end; address++) if (!pool.reserved.has(address)) yield address
  for (let address = first; address < start; address++) if (!pool.reserved.has(address)) yield address
}

/** How many addresses the pool can give. */
export function capacity(pool: Pool): bigint {
  const { first, last } = pool.range
  let reserved = 0n
  for (const address of pool.reserved) if (within(pool.range, address)) reserved++
  return last - first + 1n - reserved
}

/** The pool that an address which the caller chose belongs to. Throws if there is none, or if the address is not for endpoints. */
export function poolFor(pools: readonly Pool[], address: string, path: string): { readonly pool: Pool; readonly address: bigint } {
  const family = ipFamily(address)
  const number = ipNumber(address)
  const pool = pools.find(({ subnet }) => subnet.family === family && within(subnet, number))
  if (!pool) {
    const subnets = pools.filter(({ subnet }) => subnet.family === family).map(({ subnet }) => rangeText(subnet))
    const offer = subnets.length ? `the network has ${subnets.join(', ')}` : `the network has no IPv${family} subnet`
    throw rangeError('ERR_NETLOOM_OUTSIDE_SUBNET', `${shown(address)} is in no subnet of the network; ${offer}`, path)
  }
  const reserved = reservation(pool, number)
  if (reserved !== undefined) throw rangeError('ERR_NETLOOM_ADDRESS_RESERVED', `${ipText(number, pool.subnet.family)} is ${reserved}`, path)
  return { pool, address: number }
}
