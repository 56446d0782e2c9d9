// The firewall that bridged packets meet when the bridge calls it.
import type { Link } from '../kernel/link-object.js'
import { call, cure } from './cures.js'
import { judge } from './firewall.js'
import type { Packet, Walk } from './walk.js'
import type { Place } from './world.js'

const settings = { 4: 'net.bridge.bridge-nf-call-iptables', 6: 'net.bridge.bridge-nf-call-ip6tables' } as const

/** Does this bridge hand packets of the family to the hooks of IP? */
export async function callsFirewall(place: Place, bridge: Link, family: 4 | 6): Promise<boolean> {
  if (bridge.kind !== 'bridge') return false
  if ((await place.sysctl(settings[family])) === 1) return true
  return (family === 4 ? bridge.options.nfCallIptables : bridge.options.nfCallIp6tables) === true
}

export async function bridged(walk: Walk, place: Place, bridge: Link, entry: Link, out: Link, packet: Packet): Promise<void> {
  if (!(await callsFirewall(place, bridge, packet.family))) return
  const names = { iif: bridge, oif: bridge, physicalIn: entry.name, physicalOut: out.name }
  const cures = await silencing(place, bridge, packet.family)
  for (const hook of ['prerouting', 'forward', 'postrouting'] as const) await judge(walk, place, { hook, ...names }, packet, cures)
}

/** Both places in which a bridge can be told to call the firewall. */
async function silencing(place: Place, bridge: Link, family: 4 | 6) {
  const option = family === 4 ? 'nfCallIptables' : 'nfCallIp6tables'
  const set = bridge.kind === 'bridge' && bridge.options[option] === true
  const calls = [
    ...((await place.sysctl(settings[family])) === 1 ? [call(place, 'sysctl', 'set', settings[family], 0)] : []),
    ...(set ? [call(place, 'links', 'update', bridge.name, { options: { [option]: false } })] : []),
  ]
  return [cure(`keep the firewall of ${place.label} out of its bridges`, ...calls)]
}
