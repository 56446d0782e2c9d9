// Telling the neighbours of new endpoints, as soon as their ports forward: before that the bridge drops what they say.
import { setTimeout } from 'node:timers/promises'
import type { Link } from '../kernel/link-object.js'
import type { Namespace } from '../kernel/namespace.js'
import { scoped } from '../kernel/scope.js'
import { type Announcement, announceAddresses } from '../namespace/announce.js'
import { NetloomError } from '../socket/error.js'
import { cableOf } from './endpoint-link.js'
import { macFor } from './mac-address.js'
import { openRecorded } from './namespaces.js'
import type { EndpointRecord } from './records.js'
import { each } from './state-files.js'

/** Each frame goes to all ports. Where more than so many speak or listen, what neighbours may remember anyway is left out. */
const crowd = 64
/** Milliseconds: a bridge without a spanning tree forwards within a few. */
const patience = 500

/** What cannot be announced, because the namespace is going or the port is down, is learned from the first packet instead. */
export async function announce(host: Namespace, records: readonly EndpointRecord[]): Promise<void> {
  const speakers = records.length > crowd ? records.filter(one => newsOf(one)[0] === one.addresses[0]) : records
  await each(speakers, async record => {
    const link = await untilForwarding(host, record)
    if (link?.link === undefined) return
    // A port gets the lowest number that is free: so many were there before it.
    const isAmongMany = (link.port?.number ?? 0) > crowd
    const addresses = (isAmongMany ? newsOf(record) : record.addresses).map(({ address }) => address)
    if (addresses.length === 0) return
    const namespace = await openRecorded(record.namespace)
    if (!namespace) return
    try {
      await tell(namespace, { index: link.link, mac: cableOf(record).mac, addresses })
    } finally {
      await namespace.close()
    }
  })
}

/** Of an IPv4 address from which the MAC address follows, what neighbours may remember is right, unless who had it before had chosen a MAC address. */
const newsOf = ({ mac, addresses }: EndpointRecord) => addresses.filter(({ address }) => mac !== macFor(address))

/** Waits until the port forwards; undefined if it is gone or does not get that far. */
async function untilForwarding(host: Namespace, record: EndpointRecord): Promise<Link | undefined> {
  for (const end = performance.now() + patience; performance.now() < end; ) {
    const { hostInterface, hostMac } = cableOf(record)
    const link = await host.links.find(hostInterface)
    if (link?.mac !== hostMac) return undefined
    if (link.port?.state === 'forwarding') return link
    await setTimeout(2)
  }
  return undefined
}

async function tell(namespace: Namespace, announcement: Announcement): Promise<void> {
  try {
    await announceAddresses(namespace[scoped], announcement)
  } catch (error) {
    if (!(error instanceof NetloomError) || !['ENETDOWN', 'ENXIO', 'ENODEV'].includes(error.code)) throw error
  }
}
