// The firewalls that a frame meets at a bridge: that of the bridge itself, and IP's, if the bridge calls it.
import type { Link } from '../kernel/link-object.js'
import { call, cure } from './cures.js'
import { judge, type Meeting } from './firewall.js'
import type { Cure } from './result.js'
import type { Hop } from './segment.js'
import type { Packet, Walk } from './walk.js'
import type { End, Place } from './world.js'

const settings = { 4: 'net.bridge.bridge-nf-call-iptables', 6: 'net.bridge.bridge-nf-call-ip6tables' } as const

/** Does this bridge hand packets of the family to the hooks of IP? */
async function callsFirewall(place: Place, bridge: Link, family: 4 | 6): Promise<boolean> {
  if (bridge.kind !== 'bridge') return false
  if ((await place.sysctl(settings[family])) === 1) return true
  return (family === 4 ? bridge.options.nfCallIptables : bridge.options.nfCallIp6tables) === true
}

/** A frame with a packet of IP, or the question and the answer of ARP. */
export async function atBridge(
  walk: Walk,
  hop: Hop & { kind: 'bridge' },
  ends: readonly [End, End],
  packet: Packet,
  arp?: Meeting['arp'],
): Promise<void> {
  const { place, bridge, in: port, out } = hop
  const own = { iif: port ? bridge : undefined, oif: out ? bridge : undefined, port, out, ends, arp, layer: 'bridge' } as const
  const calls = !arp && port !== undefined && out !== undefined && (await callsFirewall(place, bridge, packet.family))
  const ip = calls
    ? { iif: bridge, oif: bridge, port, out, ends, bridged: true, spared: await silencing(place, bridge, packet.family) }
    : undefined
  if (ip) walk.meets(place, packet)
  const hooks = [...(port ? (['prerouting'] as const) : []), ...hooksBehind(port, out)]
  for (const hook of hooks) {
    await judge(walk, place, { hook, ...own }, packet)
    if (ip) await judge(walk, place, { hook, ...ip }, packet)
  }
}
const hooksBehind = (port: Link | undefined, out: Link | undefined) =>
  !out ? (['input'] as const) : port ? (['forward', 'postrouting'] as const) : (['output', 'postrouting'] as const)

/** Both places in which a bridge can be told to call the firewall. */
async function silencing(place: Place, bridge: Link, family: 4 | 6): Promise<Cure[]> {
  const option = family === 4 ? 'nfCallIptables' : 'nfCallIp6tables'
  const set = bridge.kind === 'bridge' && bridge.options[option] === true
  const calls = [
    ...((await place.sysctl(settings[family])) === 1 ? [call(place, 'sysctl', 'set', settings[family], 0)] : []),
    ...(set ? [call(place, 'links', 'update', bridge.name, { options: { [option]: false } })] : []),
  ]
  return [cure(`keep the firewall of ${place.label} out of its bridges`, ...calls)]
}
