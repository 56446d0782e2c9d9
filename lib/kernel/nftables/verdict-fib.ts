// What the routing table says about an address of the packet.
import type { ReadExpression } from './delinearize-context.js'
import { unknownBits } from './verdict-bits.js'
import type { Loaded } from './verdict-load.js'
import type { Machine } from './verdict-machine.js'
import { addressIn } from './verdict-traffic.js'

type Of<N extends string> = Exclude<Extract<ReadExpression, { readonly name: N }>['data'], undefined | Uint8Array>

export function loadFib({ about, traffic, rules }: Machine, { result, flags = [] }: Of<'fib'>): Loaded {
  if (flags.includes('present')) return unknownBits(1)
  if (result !== 'addrtype') return unknownBits(result === 'oifname' ? 16 : 4)
  const address = addressIn(traffic, about.family, flags.includes('saddr') ? 'source' : 'target')
  const link = flags.includes('iif') ? about.iif : flags.includes('oif') ? about.oif : undefined
  const asksLink = flags.includes('iif') || flags.includes('oif')
  return asksLink && link === undefined ? unknownBits(4) : rules.facts.typeOf(address, about.family, link)
}
