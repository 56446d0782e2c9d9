// Addresses that namespaces on the way have translated, and that answers get back.
import type { Packet, Walk } from './walk.js'
import type { Place } from './world.js'

export interface Translation {
  readonly before: Packet
  readonly after: Packet
}

/** A packet has gone through a namespace: what that has made of it will be undone for the answer. */
export function remember(walk: Walk, place: Place, before: Packet, after: Packet): void {
  const same = before.from === after.from && before.to === after.to && before.destinationPort === after.destinationPort
  if (walk.way === 'there' && !same) walk.translations.set(place, { before, after })
}

/** An answer that comes in gets the address to which it goes … */
export function undoTarget(walk: Walk, place: Place, packet: Packet): Packet {
  const known = walk.way === 'back' ? walk.translations.get(place) : undefined
  if (!known || packet.to !== known.after.from || known.before.from === undefined) return packet
  const { from: to, sourcePort } = known.before
  if (to !== packet.to) walk.step('translation', { place }, `${place.label} knows the connection: the answer goes to ${to}`)
  return { ...packet, to, ...(sourcePort !== undefined && { destinationPort: sourcePort }) }
}

/** … and as it leaves, or is delivered, the one from which it comes. */
export function undoSource(walk: Walk, place: Place, packet: Packet): Packet {
  const known = walk.way === 'back' ? walk.translations.get(place) : undefined
  if (!known || packet.from !== known.after.to) return packet
  const { to: from, destinationPort } = known.before
  if (from !== packet.from) walk.step('translation', { place }, `${place.label} knows the connection: the answer comes from ${from}`)
  return { ...packet, from, ...(destinationPort !== undefined && { sourcePort: destinationPort }) }
}
