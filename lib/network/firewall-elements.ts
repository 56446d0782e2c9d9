// What networks and endpoints put into the sets and maps of the firewall: follows from their records alone.
import type { SetMember } from '../kernel/nftables/expression.js'
import type { DriverSettings } from './driver-options.js'
import type { FirewallSet } from './firewall-table.js'
import { type EndpointRecord, isAny, type NetworkRecord, type PortRecord } from './records.js'

export type FirewallElements = readonly (readonly [set: FirewallSet, element: SetMember])[]

const familyOf = (address: string) => (address.includes(':') ? 6 : 4)
function prefixOf(subnet: string): SetMember {
  const [addr = '', len] = subnet.split('/')
  return { prefix: { addr, len: Number(len) } }
}

/** Of a network that has a bridge. */
export function networkElements(
  { device, spec, pools }: NetworkRecord,
  { icc = true, masquerade = true, hostIpv4 }: DriverSettings,
): FirewallElements {
  if (!device) return []
  const { name } = device
  const elements: [FirewallSet, SetMember][] = [
    ['bridges', name],
    ['same', { concat: [name, name] }],
  ]
  if (spec.internal) elements.push(['internal', name])
  if (!icc) elements.push(['closed', name])
  for (const { gateway } of pools) elements.push([`gateways${familyOf(gateway)}`, gateway])
  if (spec.internal || !masquerade) return elements
  for (const { subnet } of pools) {
    if (hostIpv4 !== undefined && familyOf(subnet) === 4) elements.push(['source4', [prefixOf(subnet), hostIpv4]])
    else elements.push([`masquerade${familyOf(subnet)}`, prefixOf(subnet)])
  }
  return elements
}

/** Of an endpoint with published ports. */
export function portElements({ addresses, ports = [] }: EndpointRecord): FirewallElements {
  return ports.map(({ protocol, hostIp, hostPort, containerPort }) => {
    const family = familyOf(hostIp)
    const address = addresses.find(one => one.family === family)?.address ?? ''
    const to = { concat: [address, containerPort] }
    return isAny(hostIp)
      ? [`any${family}`, [{ concat: [protocol, hostPort] }, to]]
      : [`ports${family}`, [{ concat: [hostIp, protocol, hostPort] }, to]]
  })
}

/** The published port that an element as the kernel tells it stands for; undefined for one of another set. */
export function portOf(set: string, member: SetMember): Pick<PortRecord, 'protocol' | 'hostIp' | 'hostPort'> | undefined {
  const [, kind, family] = /^(any|ports)([46])$/.exec(set) ?? []
  if (kind === undefined) return undefined
  const [key] = Array.isArray(member) ? (member as readonly unknown[]) : [member]
  const { concat = [] } = key as { readonly concat?: readonly unknown[] }
  const [protocol, hostPort] = concat.slice(-2)
  const hostIp = kind === 'ports' ? String(concat[0]) : family === '4' ? '0.0.0.0' : '::'
  return { protocol: protocol as PortRecord['protocol'], hostIp, hostPort: Number(hostPort) }
}
