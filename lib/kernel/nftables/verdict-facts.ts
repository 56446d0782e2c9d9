// What verdicts need to know of the namespace besides its rules: names of links, addresses that are its own, and those that links lend.
import { parseCidr } from '../../codec/ip.js'
import type { Address } from '../address-object.js'
import { addressVerbs } from '../addresses.js'
import type { Route } from '../route-object.js'
import { routeVerbs } from '../routes.js'
import type { Scope } from '../scope.js'
import type { InterfaceNames } from './datatype-codecs.js'
import { fibTypeNames } from './datatype-names.js'
import type { ReadExpression } from './delinearize-context.js'
import { readInterfaces } from './interfaces.js'
import type { Snapshot } from './snapshot.js'
import { type Bits, either, knownBits, knownValue, unknownBits } from './verdict-bits.js'
import { word } from './verdict-traffic.js'

export interface Facts {
  readonly interfaces: InterfaceNames
  /** The address that packets get that leave by a link under its name, or are redirected to what they came in by. */
  addressOf(link: string | null | undefined, family: 4 | 6): Bits
  /** What kind of address it is to the routing table; with a link, to that link alone. */
  typeOf(address: Bits, family: 4 | 6, link: string | null | undefined): Bits
}

/** Reads what rules of this sort need, and nothing where none is of it. */
export async function readFacts(scope: Scope, { rules }: Pick<Snapshot, 'rules'>): Promise<Facts> {
  const expressions = rules.flatMap(({ expressions = [] }) => expressions)
  const asks = (test: (one: ReadExpression) => boolean) => expressions.some(test)
  const lends = asks(({ name }) => name === 'masq' || name === 'redir' || name === 'target')
  const sorts = asks(({ name }) => name === 'fib' || name === 'match')
  return factsOf(
    await readInterfaces(scope),
    lends ? await addressVerbs(scope).list() : [],
    sorts ? await routeVerbs(scope).list({ table: 'local' }) : [],
  )
}

export function factsOf(interfaces: InterfaceNames, addresses: readonly Address[], local: readonly Route[]): Facts {
  const routes = local.map(({ to, type = 'unicast', link }) => ({ ...parseCidr(to === 'default' ? '0.0.0.0/0' : to), type, link }))
  const indexOf = (link: string) => interfaces.indexOf?.(link)
  const none = (family: 4 | 6) => unknownBits(family === 4 ? 4 : 16)
  return {
    interfaces,
    addressOf(link, family) {
      const index = link ? indexOf(link) : undefined
      const own = addresses.filter(one => one.link === index && one.family === family && one.scope === 'global')
      // Of several the kernel takes the one that fits the way.
      const [first, ...others] = own
      return index === undefined || !first || others.length > 0 ? none(family) : knownBits(parseCidr(first.address).bytes)
    },
    typeOf(address, family, link) {
      const bytes = knownValue(address)
      const index = link ? indexOf(link) : undefined
      if (!bytes || link === null || (link !== undefined && index === undefined)) return unknownBits(4)
      const own = routes
        .filter(one => one.family === family && covers(one, bytes))
        .sort((a, b) => b.prefix - a.prefix)
        .find(one => index === undefined || one.link === index)
      const known = own && Object.hasOwn(fibTypeNames, own.type) ? fibTypeNames[own.type as keyof typeof fibTypeNames] : undefined
      if (family === 4) return word(special(bytes) ?? known ?? fibTypeNames.unicast)
      if (known !== undefined) return word(known)
      if (bytes[0] === 0xff) return word(fibTypeNames.multicast)
      // Of IPv6 addresses elsewhere the kernel asks whether there is a way.
      return either([word(fibTypeNames.unicast), word(fibTypeNames.unreachable)])
    },
  }
}

const covers = ({ bytes, prefix }: { bytes: Uint8Array; prefix: number }, address: Uint8Array) =>
  bytes.every((byte, i) => {
    const mask = 0xff & ~(0xff >> Math.max(0, Math.min(8, prefix - 8 * i)))
    return ((byte ^ address[i]!) & mask) === 0
  })
/** Addresses of IPv4 that need no table. */
function special(bytes: Uint8Array): number | undefined {
  if (bytes[0] === 0 || bytes.every(byte => byte === 255)) return fibTypeNames.broadcast
  return bytes[0]! >= 224 && bytes[0]! < 240 ? fibTypeNames.multicast : undefined
}
