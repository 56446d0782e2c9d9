// The letters that `netstat -rn` and `route -n` print for a route.
import type { Route } from './route-object.js'

/** IPv4: a blackhole route looks like an ordinary one to the old tools. */
const refused: readonly string[] = ['unreachable', 'prohibit']
const refusedInIpv6: readonly string[] = [...refused, 'blackhole', 'throw']

/**
 * 'UGH' as `netstat -rn` prints it: U usable or ! refused, n without any next hop (IPv6), G through a gateway, H to a single host (IPv4:
 * the kernel no longer marks it in IPv6), D made by an ICMP redirect (IPv6).
 *
 * @example
 * routeFlags({ to: 'default', via: '10.0.1.1', family: 4, table: 254, protocol: 'boot', flags: [] }) // 'UG'
 */
export function routeFlags(route: Route): string {
  const { to, via, nexthops, type = 'unicast', family, protocol } = route
  const gateway = via !== undefined || nexthops?.[0]?.via !== undefined ? 'G' : ''
  if (family === 4) {
    const host = to !== 'default' && (!to.includes('/') || to.endsWith('/32')) ? 'H' : ''
    return (refused.includes(type) ? '!' : 'U') + gateway + host
  }
  if (refusedInIpv6.includes(type)) return '!n'
  return `U${type === 'local' || type === 'anycast' ? 'n' : ''}${gateway}${protocol === 'redirect' ? 'D' : ''}`
}
