// What kind an address is to the routing table: local, broadcast and so on, as verdicts ask it.
import { parseCidr } from '../codec/ip.js'
import { routeTypes } from '../protocol/route-names.js'
import type { Route } from './route-object.js'
import { routeVerbs } from './routes.js'
import type { Scope } from './scope.js'

/** The numbers of the kinds that it may be; with a link, to that link alone. */
export type AddressTypes = (address: Uint8Array, family: 4 | 6, link?: number) => readonly number[]

export async function readAddressTypes(scope: Scope): Promise<AddressTypes> {
  return addressTypes(await routeVerbs(scope).list({ table: 'local' }))
}

/** By the routes of the table local. */
export function addressTypes(local: readonly Route[]): AddressTypes {
  const routes = local.map(({ to, type = 'unicast', link }) => ({ ...parseCidr(to), type, link })).sort((a, b) => b.prefix - a.prefix)
  return (address, family, link) => {
    const own = routes.find(one => one.family === family && covers(one, address) && (link === undefined || one.link === link))
    const known = own && Object.hasOwn(routeTypes, own.type) ? routeTypes[own.type as keyof typeof routeTypes] : undefined
    if (family === 4) return [special(address) ?? known ?? routeTypes.unicast]
    if (known !== undefined) return [known]
    if (address[0] === 0xff) return [routeTypes.multicast]
    // Of IPv6 addresses elsewhere the kernel asks whether there is a way.
    return [routeTypes.unicast, routeTypes.unreachable]
  }
}

const covers = ({ bytes, prefix }: { bytes: Uint8Array; prefix: number }, address: Uint8Array) =>
  bytes.every((byte, i) => {
    const mask = 0xff & ~(0xff >> Math.max(0, Math.min(8, prefix - 8 * i)))
    return ((byte ^ address[i]!) & mask) === 0
  })
/** Addresses of IPv4 that need no table. */
function special(bytes: Uint8Array): number | undefined {
  if (bytes[0] === 0 || bytes.every(byte => byte === 255)) return routeTypes.broadcast
  return bytes[0]! >= 224 && bytes[0]! < 240 ? routeTypes.multicast : undefined
}
