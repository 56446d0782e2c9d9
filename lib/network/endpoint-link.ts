// The interface of an endpoint as its record has it: what it is called on both sides, its MAC addresses, what it does with IPv6.
import type { Ipv6Policy } from '../kernel/link-request.js'
import { NetloomError } from '../socket/error.js'
import type { EndpointRecord } from './records.js'

type Inside = Required<Pick<EndpointRecord, 'interface' | 'mac'>>
type Cable = Inside & Required<Pick<EndpointRecord, 'hostInterface' | 'hostMac'>>

/** The interface inside. Throws for a record of an endpoint that has none. */
export function interfaceOf({ id, interface: name, mac }: EndpointRecord): Inside {
  if (name !== undefined && mac !== undefined) return { interface: name, mac }
  throw damaged(id, 'no interface')
}

/** Both ends of a veth pair. Throws for a record of an endpoint without one. */
export function cableOf(record: EndpointRecord): Cable {
  const { id, hostInterface, hostMac } = record
  if (hostInterface !== undefined && hostMac !== undefined) return { ...interfaceOf(record), hostInterface, hostMac }
  throw damaged(id, 'no interface of the host')
}

/** An endpoint without an IPv6 address has no IPv6 at all, as with Docker. */
export const policyOf = ({ addresses }: EndpointRecord): Ipv6Policy => (addresses.some(({ family }) => family === 6) ? 'static' : 'none')

const damaged = (id: string, what: string) =>
  new NetloomError('EBADMSG', { operation: 'read state', subject: id, reason: `the record of the endpoint names ${what}` })
