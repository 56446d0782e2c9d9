// Ranges of addresses as numbers: what IPAM counts with. IPv6 does not fit into anything but a bigint.
import { argumentError, shown } from '../codec/errors.js'
import { formatIp, lastOf, networkOf, parseCidr, parseIp } from '../codec/ip.js'

export interface IpRange {
  readonly family: 4 | 6
  readonly prefix: number
  readonly first: bigint
  readonly last: bigint
}

export function ipNumber(address: string): bigint {
  return toNumber(parseIp(address))
}
export function ipText(number: bigint, family: 4 | 6): string {
  const bytes = new Uint8Array(family === 4 ? 4 : 16)
  for (let i = bytes.length - 1, rest = number; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn)
  return formatIp(bytes)
}

/** '172.28.0.0/16' as a range. Throws for a host's address with a prefix length, which would leave open what is meant. */
export function ipRange(text: string): IpRange {
  const { family, prefix, bytes } = parseCidr(text)
  const network = networkOf(bytes, prefix)
  if (!text.includes('/')) throw argumentError('ERR_NETLOOM_INVALID_SUBNET', `${shown(text)} has no prefix length, like /24`)
  if (network.some((byte, i) => byte !== bytes[i]))
    throw argumentError(
      'ERR_NETLOOM_INVALID_SUBNET',
      `${shown(text)} is the address of a host; the subnet is ${formatIp(network)}/${prefix}`,
    )
  return { family, prefix, first: toNumber(network), last: toNumber(lastOf(bytes, prefix)) }
}
export const rangeText = ({ first, prefix, family }: IpRange): string => `${ipText(first, family)}/${prefix}`

export const overlap = (a: IpRange, b: IpRange): boolean => a.family === b.family && a.first <= b.last && b.first <= a.last
export const holds = (outer: IpRange, inner: IpRange): boolean =>
  outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last
export const within = (range: IpRange, address: bigint): boolean => range.first <= address && address <= range.last

function toNumber(bytes: Uint8Array): bigint {
  let number = 0n
  for (const byte of bytes) number = (number << 8n) | BigInt(byte)
  return number
}
