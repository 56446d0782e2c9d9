// Which network of a namespace has the default route: the one with the highest priority, of equal ones the first by name.
import type { EndpointRecord } from './records.js'

export interface Connected {
  readonly record: EndpointRecord
  /** The network's. */
  readonly name: string
}

/** The endpoint through which packets to everywhere leave, in one family; undefined if none has a gateway. */
export function gatewayOf(connected: readonly Connected[], family: 4 | 6): { record: EndpointRecord; gateway: string } | undefined {
  const [first] = connected
    .filter(({ record }) => routerOf(record, family) !== undefined)
    .sort((a, b) => b.record.gatewayPriority - a.record.gatewayPriority || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  const gateway = first && routerOf(first.record, family)
  return first && gateway !== undefined ? { record: first.record, gateway } : undefined
}

const routerOf = ({ addresses }: EndpointRecord, family: 4 | 6) =>
  addresses.find(one => one.family === family && one.gateway !== undefined && one.gateway !== one.address)?.gateway
