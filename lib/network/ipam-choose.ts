// The choice of a subnet for a network that names none: Docker's pools in Docker's order, and a unique local prefix for IPv6.
import { createHash } from 'node:crypto'
import { formatIp } from '../codec/ip.js'
import { NetloomError } from '../socket/error.js'
import { type IpRange, ipRange, ipText, overlap, rangeText } from './ip-range.js'

/** 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/20 to 192.168.240.0/20. */
export function* defaultPools(): Generator<IpRange, void> {
  for (let i = 17; i < 32; i++) yield ipRange(`172.${i}.0.0/16`)
  for (let i = 0; i < 256; i += 16) yield ipRange(`192.168.${i}.0/20`)
}

/** The first of the default pools that overlaps nothing of `taken`: subnets of networks, and where the machine has routes to. */
export function chooseIpv4(taken: readonly IpRange[]): IpRange {
  for (const pool of defaultPools()) if (!taken.some(range => overlap(range, pool))) return pool
  throw new NetloomError('EADDRNOTAVAIL', {
    operation: 'choose a subnet',
    reason: 'all of 172.17.0.0/16 to 172.31.0.0/16 and 192.168.0.0/16 is in use by networks or routes of this machine',
    hint: 'name a subnet: create({ name, subnet: "10.20.0.0/24" }), or remove networks with prune()',
  })
}

/** A /64 under a prefix of RFC 4193 that follows from the network's id: no two machines' networks meet, and nothing has to be kept for it. */
export function chooseIpv6(id: string, taken: readonly IpRange[]): IpRange {
  for (let attempt = 0; ; attempt++) {
    const digest = createHash('sha256').update(`${id}/${attempt}`).digest()
    const bytes = new Uint8Array(16)
    bytes.set([0xfd, ...digest.subarray(0, 7)])
    const range = ipRange(`${formatIp(bytes)}/64`)
    if (!taken.some(other => overlap(other, range))) return range
  }
}

/** The destinations of routes that a new subnet must keep away from; the default route leads everywhere and counts for nothing. */
export function routedRanges(routes: readonly { readonly to: string; readonly family: 4 | 6 }[]): IpRange[] {
  const ranges: IpRange[] = []
  for (const { to } of routes) {
    if (to === 'default') continue
    const range = ipRange(to.includes('/') ? to : `${to}/${to.includes(':') ? 128 : 32}`)
    // Of multicast and link-local destinations every machine has some.
    if (!/^(ff|fe80:)/.test(ipText(range.first, range.family)) && range.prefix > 0) ranges.push(range)
  }
  return ranges.sort((a, b) => rangeText(a).localeCompare(rangeText(b)))
}
