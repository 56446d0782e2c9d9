// The wire format of names, dns-packet, from the first message on: most programs serve no names, and loading it takes Node some 30 ms.
import { createRequire } from 'node:module'

type Wire = typeof import('dns-packet')
let loaded: Wire | undefined

export function dnsWire(): Wire {
  loaded ??= createRequire(import.meta.url)('dns-packet') as Wire
  return loaded
}
