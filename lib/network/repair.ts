// Bridges and the firewall made good after somebody deleted or flushed them: from the records of networks and of their endpoints.
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

/** Makes devices again on which there are endpoints, and puts these back; gives the errors of those that cannot be. The lock must be held. */
export async function repairDevices(core: Core): Promise<unknown[]> {
  const failed: unknown[] = []
  for (const network of await core.state.networks()) {
    if (!network.device || (await core.state.countEndpoints(network.id)) === 0) continue
    await core.ensure(network).catch((error: unknown) => failed.push(error))
  }
  return failed
}
