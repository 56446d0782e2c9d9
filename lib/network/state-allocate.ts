// Addresses for endpoints of one network, while its state is locked: the next free ones, or those that the caller chose.
import { ipFamily } from '../codec/ip.js'
import { NetloomError } from '../socket/error.js'
import { ipNumber, ipText, rangeText } from './ip-range.js'
import { candidates, poolFor } from './ipam-allocate.js'
import { type Pool, poolOf } from './ipam-pool.js'
import { serialOption } from './options.js'
import type { EndpointAddress, NetworkRecord } from './records.js'
import type { State } from './state.js'
import { namesIn, note, noted, ownerOf } from './state-files.js'

/** After so many that are taken one after the other the whole folder is read, instead of asking for each. */
const patience = 32

export class Allocator {
  readonly #state: State
  readonly #network: NetworkRecord
  readonly #pools: readonly Pool[]
  readonly #serial: boolean
  readonly #last = new Map<Pool, bigint | undefined>()
  readonly #given = new Set<string>()
  #taken: ReadonlySet<string> | undefined

  constructor(state: State, network: NetworkRecord) {
    this.#state = state
    this.#network = network
    this.#pools = network.pools.map(pool => poolOf(pool, ''))
    this.#serial = network.spec.ipamOptions[serialOption] !== 'false'
  }

  /** One address of each family that the network has. */
  async allocate(chosen: { readonly ip?: string; readonly ip6?: string } = {}, path = ''): Promise<EndpointAddress[]> {
    const addresses: EndpointAddress[] = []
    for (const [family, field] of [
      [4, 'ip'],
      [6, 'ip6'],
    ] as const) {
      const text = chosen[field]
      if (text !== undefined) addresses.push(await this.#choose(text, `${path}${field}`))
      else if (this.#pools.some(({ subnet }) => subnet.family === family)) addresses.push(await this.#next(family))
    }
    return addresses
  }

  /** Remembers where the next allocation goes on. Losing it does no harm. */
  async save(): Promise<void> {
    for (const [pool, last] of this.#last) if (last !== undefined) await note(this.#lastPath(pool), ipText(last, pool.subnet.family))
  }

  async #choose(text: string, path: string): Promise<EndpointAddress> {
    const { pool, address } = poolFor(this.#pools, text, path)
    const free = ipText(address, pool.subnet.family)
    const owner = this.#given.has(free) ? 'another of these endpoints' : await ownerOf(this.#state.addressPath(this.#network.id, free))
    if (owner !== undefined) throw await this.#refusal(free, owner, path)
    return this.#give(pool, address)
  }

  async #next(family: 4 | 6): Promise<EndpointAddress> {
    for (const pool of this.#pools) {
      if (pool.subnet.family !== family) continue
      let misses = 0
      for (const address of candidates(pool, this.#serial ? await this.#lastOf(pool) : undefined)) {
        if (await this.#isFree(ipText(address, family), misses++)) {
          this.#last.set(pool, address)
          return this.#give(pool, address)
        }
      }
    }
    const subnets = this.#pools.filter(pool => pool.subnet.family === family).map(pool => rangeText(pool.range))
    throw new NetloomError('EADDRNOTAVAIL', {
      operation: 'connect',
      subject: this.#network.spec.name,
      reason: `no address of ${subnets.join(', ')} is free`,
      hint: 'disconnect what is not needed, or make a network with a larger subnet',
    })
  }

  #give(pool: Pool, address: bigint): EndpointAddress {
    const { family, prefix } = pool.subnet
    const text = ipText(address, family)
    this.#given.add(text)
    return { address: text, prefix, family, gateway: ipText(pool.gateway, family) }
  }

  async #isFree(address: string, misses: number): Promise<boolean> {
    if (this.#given.has(address)) return false
    if (misses >= patience) this.#taken ??= new Set(await namesIn(this.#state.path('networks', this.#network.id, 'addresses')))
    if (this.#taken) return !this.#taken.has(address)
    return (await ownerOf(this.#state.addressPath(this.#network.id, address))) === undefined
  }

  async #lastOf(pool: Pool): Promise<bigint | undefined> {
    if (!this.#last.has(pool)) {
      const text = (await noted(this.#lastPath(pool))) ?? ''
      this.#last.set(pool, ipFamily(text) === pool.subnet.family ? ipNumber(text) : undefined)
    }
    return this.#last.get(pool)
  }
  #lastPath(pool: Pool): string {
    return this.#state.path('networks', this.#network.id, 'last', ipText(pool.subnet.first, pool.subnet.family))
  }

  async #refusal(address: string, owner: string, path: string): Promise<NetloomError> {
    const endpoint = /^[0-9a-f]{64}$/.test(owner) ? await this.#state.endpoint(this.#network.id, owner) : undefined
    const whose = endpoint ? `endpoint ${endpoint.name ?? endpoint.id.slice(0, 12)}` : owner
    const fields = { operation: 'connect', subject: this.#network.spec.name, path, reason: `${address} is that of ${whose}` }
    return new NetloomError('EADDRINUSE', fields)
  }
}
