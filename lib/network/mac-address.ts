// MAC addresses that follow from IPv4 addresses as Docker's do: the machine next door then keeps its ARP entry when an address comes back.
import { randomBytes } from 'node:crypto'
import { parseIpv4 } from '../codec/ip.js'

const text = (bytes: Uint8Array) => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(':')

/** 172.18.0.2 → 02:42:ac:12:00:02. Of an IPv6 address nothing follows: then it is random, locally administered. */
export function macFor(address: string | undefined): string {
  const ipv4 = address === undefined ? undefined : parseIpv4(address)
  return text(Uint8Array.of(0x02, 0x42, ...(ipv4 ?? randomBytes(4))))
}
