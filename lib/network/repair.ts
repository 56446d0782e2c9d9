// The firewall made good after somebody flushed it: from the records of networks whose bridges are there, and of their endpoints.
import type { Core } from './core.js'
import { settingsOf } from './driver-options.js'
import { makeWhole } from './firewall.js'
import { type FirewallElements, networkElements, portElements } from './firewall-elements.js'

/** Puts back what is missing; true if there was something. The lock must be held. */
export async function repairFirewall(core: Core): Promise<boolean> {
  const networks = []
  for (const network of await core.state.networks()) {
    if (!network.device) continue
    const link = await core.host.links.find(network.device.name)
    if (link?.mac === network.device.mac && link.kind === 'bridge') networks.push(network)
  }
  if (networks.length === 0) return false
  const elements: FirewallElements[] = []
  for (const network of networks) {
    elements.push(networkElements(network, settingsOf(network)))
    elements.push(...(await core.state.endpoints(network.id)).map(portElements))
  }
  return makeWhole(core.host, elements.flat())
}
