// Removing the cable of one endpoint. Asked for at the end inside, the kernel has taken both ends from everybody before it takes the other one out of the bridge,
// for which it goes through all of the bridge's ports.
import type { Link } from '../../kernel/link-object.js'
import type { Namespace } from '../../kernel/namespace.js'
import { nsidsOf } from '../../kernel/nsid.js'
import { scoped } from '../../kernel/scope.js'
import { deleteLink } from '../../plan/remove.js'
import { cableOf } from '../endpoint-link.js'
import { openRecorded } from '../namespaces.js'
import type { EndpointRecord } from '../records.js'
import type { Leaving } from './driver.js'

/** Removes it if it is there and ours. The kernel goes on with it for a while after that. */
export async function unplug(core: Leaving, record: EndpointRecord): Promise<void> {
  const { host } = core
  const { hostInterface, hostMac } = cableOf(record)
  // Whatever keeps the namespace from being entered, the other end is in the host.
  const opening = openRecorded(record.namespace).catch(() => undefined)
  try {
    const link = await host.links.find(hostInterface)
    if (link?.mac !== hostMac) return
    const inside = await opening
    const removal = inside && (await fromInside(host, link, inside).catch(() => undefined))
    core.later((removal ?? (await deleteLink(host[scoped], link.index))).over)
  } finally {
    const inside = await opening
    await inside?.close()
  }
}

/** Undefined if the other end is not there: somebody may have moved it to another namespace. */
async function fromInside(host: Namespace, { link: index, linkNsid }: Link, inside: Namespace) {
  const [nsid] = await nsidsOf(host[scoped], [inside[scoped].handle.fd])
  if (nsid === undefined || nsid !== linkNsid || index === undefined) return undefined
  const removal = await deleteLink(inside[scoped], index)
  return removal.found ? removal : undefined
}
