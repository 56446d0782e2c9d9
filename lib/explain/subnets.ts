// Arithmetic on subnets: does one cover an address, and which of its addresses is free.
import { formatIp, lastOf, networkOf, parseCidr, parseIp } from '../codec/ip.js'

interface Prefixed {
  readonly address: string
  readonly prefix: number
}

/** '10.0.1.0/24', '10.0.1.9' or 'default' as an address and a length. */
export const prefixOf = (to: string, family: 4 | 6): Prefixed =>
  to === 'default' ? { address: family === 4 ? '0.0.0.0' : '::', prefix: 0 } : parseCidr(to)

export function covers({ address, prefix }: Prefixed, other: string): boolean {
  const [network, bytes] = [parseIp(address), parseIp(other)]
  return network.length === bytes.length && Buffer.from(networkOf(network, prefix)).equals(networkOf(bytes, prefix))
}

export const networkText = ({ address, prefix }: Prefixed): string => `${formatIp(networkOf(parseIp(address), prefix))}/${prefix}`

/** The first address of a subnet that is not taken; undefined if there is none. The network's own and IPv4's broadcast are left out. */
export function freeAddress({ address, prefix }: Prefixed, taken: ReadonlySet<string>): string | undefined {
  const candidate = networkOf(parseIp(address), prefix)
  const last = formatIp(lastOf(candidate, prefix))
  const plain = candidate.length === 4 && prefix < 31
  for (let first = true; ; first = false) {
    const text = formatIp(candidate)
    if (!(plain && (first || text === last)) && !(first && candidate.length === 16) && !taken.has(text)) return text
    if (text === last) return undefined
    for (let i = candidate.length - 1; i >= 0; i--) {
      candidate[i] = (candidate[i]! + 1) & 0xff
      if (candidate[i] !== 0) break
    }
  }
}
