// A frame on its way over cables and bridges, part by part, and what stops it there.
import type { Link } from '../kernel/link-object.js'
import { bridged } from './bridge-firewall.js'
import { call, cure } from './cures.js'
import { crossBridge } from './fdb.js'
import { checkUp } from './link-state.js'
import type { Resolved } from './neighbour.js'
import type { Hop } from './segment.js'
import type { Packet, Walk } from './walk.js'
import { type End, endText } from './world.js'

/** What a cable takes beyond the MTU: the tag of a VLAN. */
const slack = 4

/** Takes the frame along; gives the port of the last bridge that it came in by, if it is for that bridge itself. */
export async function carry(walk: Walk, from: End, { hops, end, asking }: Resolved, packet: Packet): Promise<Link | undefined> {
  for (const hop of hops) {
    if (hop.kind === 'cable') cross(walk, hop, packet)
    else await traverse(walk, hop, { from, end, asking }, packet)
  }
  const last = hops.at(-1)
  return last?.kind === 'bridge' ? last.in : undefined
}

function cross(walk: Walk, { from, to }: Hop & { kind: 'cable' }, { size }: Packet): void {
  checkUp(walk, from)
  checkUp(walk, to)
  if (size > to.link.mtu + slack) tooLong(walk, to, size, from.link.mtu)
  if (from.link.up && to.link.up && size <= to.link.mtu + slack)
    walk.step('cable', from, `over the cable from ${endText(from)} to ${endText(to)}`)
}

function tooLong(walk: Walk, end: End, size: number, wanted: number): void {
  const { place, link } = end
  walk.drop('mtu', end, `a packet of ${size} bytes is longer than ${endText(end)} takes (MTU ${link.mtu}), and is dropped without a word`, {
    kind: 'mtu',
    cures: [cure(`give ${link.name} the MTU of the others`, call(place, 'links', 'update', link.name, { mtu: Math.max(size, wanted) }))],
  })
}

async function traverse(
  walk: Walk,
  hop: Hop & { kind: 'bridge' },
  frame: { from: End; end: End; asking: boolean },
  packet: Packet,
): Promise<void> {
  const { place, bridge, in: entry, out } = hop
  checkUp(walk, { place, link: bridge })
  for (const port of [entry, out]) if (port) checkState(walk, { place, link: port }, bridge)
  await crossBridge(walk, hop, frame)
  if (entry && out) {
    await bridged(walk, place, bridge, entry, out, packet)
    if (packet.size > out.mtu + slack) tooLong(walk, { place, link: out }, packet.size, entry.mtu)
  }
}

/** A port that is down does not forward for that reason, which is told where the cable is. */
function checkState(walk: Walk, end: End, bridge: Link): void {
  const { place, link } = end
  const { state } = link.port ?? {}
  if (state === undefined || state === 'forwarding' || !bridge.up || !link.up || !link.carrier) return
  const stp = bridge.kind === 'bridge' && bridge.options.stp
  const soon = state === 'listening' || state === 'learning'
  const why = stp ? `the spanning tree keeps it ${state}${soon ? ', and lets it forward after a while' : ''}` : `it is ${state}`
  const open = call(place, 'links', 'update', link.name, { port: { state: 'forwarding' } })
  walk.drop('port', end, `the port ${link.name} of ${bridge.name} in ${place.label} does not forward: ${why}`, {
    kind: 'port-state',
    cures: [
      stp
        ? cure(
            'do without the spanning tree, if there are no loops',
            call(place, 'links', 'update', bridge.name, { options: { stp: false } }),
            open,
          )
        : cure('let it forward', open),
    ],
  })
}
