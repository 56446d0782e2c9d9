// A frame on its way over cables and bridges, part by part, and what stops it there.
import type { Link } from '../kernel/link-object.js'
import { judgeArp } from './arp.js'
import { atBridge } from './bridge-firewall.js'
import { call, cure } from './cures.js'
import { crossBridge } from './fdb.js'
import { judge } from './firewall.js'
import { checkUp } from './link-state.js'
import type { Resolved } from './neighbour.js'
import type { Hop } from './segment.js'
import type { Packet, Walk } from './walk.js'
import { type End, endText } from './world.js'

/** What a cable takes beyond the MTU: the tag of a VLAN. */
const slack = 4

/** Takes the packet along, and before it, where nobody knows the MAC yet, the question for it. */
export async function carry(walk: Walk, from: End, { hops, end, asking }: Resolved, packet: Packet): Promise<void> {
  if (asking && packet.family === 4) await judgeArp(walk, from, end, hops, packet)
  for (const hop of hops) {
    if (hop.kind === 'cable') await cross(walk, hop, packet)
    else await traverse(walk, hop, { from, end, asking }, packet)
  }
}

async function cross(walk: Walk, { from, to }: Hop & { kind: 'cable' }, packet: Packet): Promise<void> {
  const { size } = packet
  await judge(walk, from.place, { hook: 'egress', oif: from.link, ends: [from, to] }, packet)
  checkUp(walk, from)
  checkUp(walk, to)
  // Another namespace gets it without its mark.
  if (to.place !== from.place) walk.noted.delete(to.place)
  await judge(walk, to.place, { hook: 'ingress', iif: to.link, ends: [from, to] }, packet)
  if (size > to.link.mtu + slack) tooLong(walk, to, size, from.link.mtu)
  if (from.link.up && to.link.up && size <= to.link.mtu + slack)
    walk.step('cable', from, `over the cable from ${endText(from)} to ${endText(to)}`, 'passes', {
      peer: { namespace: to.place.label, link: to.link.name, index: to.link.index },
    })
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
  if (entry)
    walk.step('bridge', { place, link: bridge }, `comes to ${bridge.name} by the port ${entry.name}`, 'passes', {
      port: entry.name,
      ...(entry.port && { state: String(entry.port.state) }),
    })
  await crossBridge(walk, hop, frame)
  await atBridge(walk, hop, [frame.from, frame.end], packet)
  if (entry && out) {
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
