// What the routing table says about an address of the packet.
import type { ReadExpression } from './delinearize-context.js'
import { unknownBits } from './verdict-bits.js'
import type { Loaded } from './verdict-load.js'
import type { Machine } from './verdict-machine.js'

type Of<N extends string> = Exclude<Extract<ReadExpression, { readonly name: N }>['data'], undefined | Uint8Array>

export function loadFib(_: Machine, { result, flags }: Of<'fib'>): Loaded {
  if (flags?.includes('present')) return unknownBits(1)
  return unknownBits(result === 'oifname' ? 16 : 4)
}
