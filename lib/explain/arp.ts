// The question for a MAC and its answer, at the firewalls that see ARP.
import { atBridge } from './bridge-firewall.js'
import { judge } from './firewall.js'
import type { Hop } from './segment.js'
import type { Packet, Walk } from './walk.js'
import type { End } from './world.js'

export async function judgeArp(walk: Walk, from: End, to: End, hops: readonly Hop[], packet: Packet): Promise<void> {
  const asked = { ...packet, from: packet.from ?? packet.to }
  await exchange(walk, from, to, hops, asked, 'request')
  await exchange(walk, to, from, [...hops].reverse().map(turned), { ...asked, from: asked.to, to: asked.from }, 'reply')
}

async function exchange(walk: Walk, from: End, to: End, hops: readonly Hop[], packet: Packet, arp: 'request' | 'reply'): Promise<void> {
  const ends = [from, to] as const
  await judge(walk, from.place, { hook: 'output', oif: from.link, arp, ends }, packet)
  for (const hop of hops) if (hop.kind === 'bridge') await atBridge(walk, hop, ends, packet, arp)
  await judge(walk, to.place, { hook: 'input', iif: to.link, arp, ends }, packet)
}

/** The same part of the way, from the other side. */
function turned(hop: Hop): Hop {
  if (hop.kind === 'cable') return { kind: 'cable', from: hop.to, to: hop.from }
  const { kind, place, bridge, in: entry, out } = hop
  return { kind, place, bridge, ...(out && { in: out }), ...(entry && { out: entry }) }
}
