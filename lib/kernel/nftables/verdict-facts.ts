// What verdicts need to know of the namespace besides its rules: names of links, addresses that are its own, and those that links lend.
import { parseCidr } from '../../codec/ip.js'
import type { Address } from '../address-object.js'
import { type AddressTypes, readAddressTypes } from '../address-types.js'
import { addressVerbs } from '../addresses.js'
import type { Scope } from '../scope.js'
import type { InterfaceNames } from './datatype-codecs.js'
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
  /** The numbers of the kinds that it may be; undefined is any. */
  kindsOf(address: Bits, family: 4 | 6, link: string | null | undefined): readonly number[] | undefined
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
    sorts ? await readAddressTypes(scope) : undefined,
  )
}

export function factsOf(interfaces: InterfaceNames, addresses: readonly Address[], types: AddressTypes | undefined): Facts {
  const indexOf = (link: string) => interfaces.indexOf?.(link)
  const kindsOf: Facts['kindsOf'] = (address, family, link) => {
    const bytes = knownValue(address)
    const index = link ? indexOf(link) : undefined
    if (!types || !bytes || link === null || (link !== undefined && index === undefined)) return undefined
    return types(bytes, family, index)
  }
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
      const kinds = kindsOf(address, family, link)
      return kinds ? either(kinds.map(word)) : unknownBits(4)
    },
    kindsOf,
  }
}
