// Whether a link takes frames at all: set up, and plugged in.
import { call, cure } from './cures.js'
import type { Walk } from './walk.js'
import { type End, endText } from './world.js'

/** A link that frames leave by, or come in by. */
export function checkUp(walk: Walk, end: End): void {
  const { place, link } = end
  if (link.up) return
  const bridge = link.kind === 'bridge'
  walk.drop('link', end, `${endText(end)}${bridge ? ', a bridge,' : ''} is down`, {
    kind: bridge ? 'bridge-down' : 'link-down',
    cures: [cure(`set ${link.name} up`, call(place, 'links', 'update', link.name, { up: true }))],
  })
}

/** Hardware without a cable; a veth's carrier is that the other end is up, which is looked at there. */
export function checkCarrier(walk: Walk, end: End): void {
  const { link } = end
  if (!link.up || link.carrier || link.kind === 'veth' || link.kind === 'bridge') return
  walk.drop('link', end, `${endText(end)} is up, but has no carrier`, { kind: 'no-carrier', cures: [{ text: 'plug in what it leads to' }] })
}
