// Telling the neighbours of new endpoints, as soon as their ports forward: before that the bridge drops what they say.
import { setTimeout } from 'node:timers/promises'
import type { Namespace } from '../kernel/namespace.js'
import { scoped } from '../kernel/scope.js'
import { announceAddresses } from '../namespace/announce.js'
import { NetloomError } from '../socket/error.js'
import { cableOf } from './endpoint-link.js'
import { macFor } from './mac-address.js'
import { openRecorded } from './namespaces.js'
import type { EndpointRecord } from './records.js'
import { each } from './state-files.js'

/** Each frame goes to all ports: among many at once only those speak whose MAC address does not follow from the address anyway. */
const crowd = 64
/** Milliseconds: a bridge without a spanning tree forwards within a few. */
const patience = 500

/** What cannot be announced, because the namespace is going or the port is down, is learned from the first packet instead. */
export async function announce(host: Namespace, records: readonly EndpointRecord[]): Promise<void> {
  const speakers = records.length > crowd ? records.filter(({ mac, addresses }) => mac !== macFor(addresses[0]?.address)) : records
  await each(speakers, async record => {
    const index = await insideOfForwarding(host, record)
    if (index === undefined) return
    const namespace = await openRecorded(record.namespace)
    if (!namespace) return
    try {
      await tell(namespace, index, record)
    } finally {
      await namespace.close()
    }
  })
}

/** Waits until the port forwards; gives the index of its other end, undefined if it is gone or does not get that far. */
async function insideOfForwarding(host: Namespace, record: EndpointRecord): Promise<number | undefined> {
  for (const end = performance.now() + patience; performance.now() < end; ) {
    const { hostInterface, hostMac } = cableOf(record)
    const link = await host.links.find(hostInterface)
    if (link?.mac !== hostMac) return undefined
    if (link.port?.state === 'forwarding') return link.link
    await setTimeout(2)
  }
  return undefined
}

async function tell(namespace: Namespace, index: number, record: EndpointRecord): Promise<void> {
  const { mac } = cableOf(record)
  try {
    await announceAddresses(namespace[scoped], { index, mac, addresses: record.addresses.map(({ address }) => address) })
  } catch (error) {
    if (!(error instanceof NetloomError) || !['ENETDOWN', 'ENXIO', 'ENODEV'].includes(error.code)) throw error
  }
}
