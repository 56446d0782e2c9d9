// Which addresses a link has from a plan, as far as it takes to find one that it gets twice.
import { ipFamily, parseCidr } from '../codec/ip.js'

interface Given {
  readonly cidr: string
  readonly peer: string | undefined
}

export class Addresses {
  /** Most links have one, which is not looked into. */
  #only: Given | undefined
  #keys: Set<string> | undefined

  /** False if it was there already. */
  add(cidr: string, peer: string | undefined): boolean {
    if (!this.#only && !this.#keys) {
      this.#only = { cidr, peer }
      return true
    }
    const keys = this.#spread()
    const before = keys.size
    return keys.add(keyOf({ cidr, peer })).size > before
  }

  delete(cidr: string, peer: string | undefined): void {
    this.#spread().delete(keyOf({ cidr, peer }))
  }

  #spread(): Set<string> {
    this.#keys ??= new Set(this.#only && [keyOf(this.#only)])
    return this.#keys
  }
}

/** What may be on a link only once: of IPv6 the address, of IPv4 the prefix length and the other end too. */
function keyOf({ cidr, peer }: Given): string {
  const { address, prefix } = parseCidr(cidr)
  return ipFamily(address) === 6 ? `6 ${address}` : `4 ${address}/${prefix} ${peer ?? ''}`
}
