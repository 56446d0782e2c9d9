// Removing the cable of one endpoint. Asked for at the end inside, the kernel has taken both ends from everybody before it takes the other one out of the bridge,
// for which it goes through all of the bridge's ports.
import { nsidsOf } from '../../kernel/nsid.js'
import { scoped } from '../../kernel/scope.js'
import { deleteLink } from '../../plan/remove.js'
import { cableOf } from '../endpoint-link.js'
import { openRecorded } from '../namespaces.js'
import type { EndpointRecord } from '../records.js'
import type { Leaving } from './driver.js'

/** Removes it if it is there and ours. The kernel goes on with it for a while after that. */
export async function unplug(core: Leaving, record: EndpointRecord): Promise<void> {
  const { hostInterface, hostMac } = cableOf(record)
  const host = core.host[scoped]
  const [looking, opening] = await Promise.allSettled([core.host.links.find(hostInterface), openRecorded(record.namespace)])
  const namespace = opening.status === 'fulfilled' ? opening.value : undefined
  try {
    if (looking.status === 'rejected') throw looking.reason
    const link = looking.value
    if (link?.mac !== hostMac) return
    const inside = namespace?.[scoped]
    const [nsid] = inside ? await nsidsOf(host, [inside.handle.fd]) : []
    // Somebody may have moved the end to another namespace, or nothing leads to this one any more.
    const isInside = nsid !== undefined && nsid === link.linkNsid && link.link !== undefined
    if (isInside) core.later((await deleteLink(inside!, link.link)).over)
    else core.later((await deleteLink(host, link.index)).over)
  } finally {
    await namespace?.close()
  }
}
