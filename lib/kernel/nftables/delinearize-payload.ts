// Which header field lies at a place of the packet, by what is known of its protocols.
import { dataTypes, type Slot, slotOf } from './datatypes.js'
import type { State } from './delinearize-context.js'
import type { PayloadProtocol } from './fields.js'
import { span } from './linearize-load.js'
import { type HeaderField, icmpFieldTypes, type Layer, networkOf, protocols } from './payload-fields.js'

export interface Found {
  readonly protocol: PayloadProtocol
  readonly field: string
  readonly slot: Slot
  /** The mask is the field's own, because it has only some bits. */
  readonly taken: boolean
}
const layerOf: Readonly<Record<string, Layer>> = { llHeader: 'll', networkHeader: 'nh', transportHeader: 'th' }

function candidates(state: State, layer: Layer): PayloadProtocol[] {
  const known = state.known[layer]
  if (layer === 'll' && known === 'vlan') return ['vlan', 'ether']
  if (layer === 'th') {
    const network = known && networkOf[known]
    // A message of ICMPv6 in IPv4 is none, whatever the rule asks for.
    return [!known || (network && state.known.nh && state.known.nh !== network) ? 'th' : known]
  }
  return known ? [known] : []
}

/** Fields at one place of ICMP messages have names by the message's type. */
function possible({ icmpType }: State, protocol: PayloadProtocol, field: string): boolean {
  if (!icmpType || (protocol !== 'icmp' && protocol !== 'icmpv6')) return true
  const types = icmpFieldTypes[protocol][field]
  return !types || types.some(type => icmpType.types.includes(type))
}

/** The field of exactly these bytes and bits; addresses also by their first bytes, which are a prefix. */
export function fieldsAt(state: State, base: string, offset: number, length: number, mask: bigint | undefined): Found | undefined {
  const layer = layerOf[base]
  if (!layer) return undefined
  let partial: Found | undefined
  for (const protocol of candidates(state, layer)) {
    const { start = 0, fields } = protocols[protocol]
    for (const [field, [bit, bits, type]] of Object.entries(fields) as [string, HeaderField][]) {
      const place = span(start + bit, bits)
      if (place.first !== offset || !possible(state, protocol, field)) continue
      const whole = bits % 8 === 0 && (start + bit) % 8 === 0
      if (whole && place.length === length) return { protocol, field, slot: slotOf(dataTypes[type], bits, 'big'), taken: false }
      if (!whole && place.length === length && mask === place.mask && field !== 'cfi')
        return {
          protocol,
          field,
          slot: { type: dataTypes[type], bits, order: 'big', shift: place.shift, bytes: place.length },
          taken: true,
        }
      if (whole && place.length > length && (type === 'ipv4_addr' || type === 'ipv6_addr') && mask === undefined)
        partial ??= { protocol, field, slot: slotOf(dataTypes[type], bits, 'big'), taken: false }
    }
  }
  return partial
}

/** The length of the whole field that begins there and ends before `length` bytes: the first of several that were loaded at once. */
export function firstOf(state: State, base: string, offset: number, length: number): number | undefined {
  const layer = layerOf[base]
  for (const protocol of layer ? candidates(state, layer) : []) {
    const { start = 0, fields } = protocols[protocol]
    for (const [bit, bits] of Object.values(fields) as HeaderField[])
      if (bits % 8 === 0 && start + bit === offset * 8 && bits / 8 < length) return bits / 8
  }
  return undefined
}
