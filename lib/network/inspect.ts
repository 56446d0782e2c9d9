// Networks and endpoints in the shape in which Docker's API describes them.
import { containerId } from './namespaces.js'
import { type PortsInspect, portsInspect } from './port-text.js'
import { isPredefined, shownOptions } from './predefined.js'
import type { EndpointRecord, NetworkRecord } from './records.js'

/** As `docker network inspect` has it. */
export interface NetworkInspect {
  readonly Name: string
  readonly Id: string
  readonly Created: string
  readonly Scope: 'local'
  readonly Driver: string
  readonly EnableIPv6: boolean
  readonly IPAM: {
    readonly Driver: string
    readonly Options: Readonly<Record<string, string>> | null
    readonly Config: readonly {
      readonly Subnet: string
      readonly IPRange?: string
      readonly Gateway?: string
      readonly AuxiliaryAddresses?: Readonly<Record<string, string>>
    }[]
  }
  readonly Internal: boolean
  readonly Attachable: boolean
  readonly Ingress: boolean
  readonly ConfigFrom: { readonly Network: string }
  readonly ConfigOnly: boolean
  /** By an id that follows from the namespace, in the place of a container's. */
  readonly Containers: Readonly<Record<string, ContainerInspect>>
  readonly Options: Readonly<Record<string, string>>
  readonly Labels: Readonly<Record<string, string>>
}
export interface ContainerInspect {
  readonly Name: string
  readonly EndpointID: string
  readonly MacAddress: string
  readonly IPv4Address: string
  readonly IPv6Address: string
}

/** A container's own entry for a network, as `docker inspect` has it under NetworkSettings.Networks. */
export interface EndpointInspect {
  readonly IPAMConfig: { readonly IPv4Address?: string; readonly IPv6Address?: string } | null
  readonly Links: null
  readonly Aliases: readonly string[] | null
  readonly NetworkID: string
  readonly EndpointID: string
  readonly Gateway: string
  readonly IPAddress: string
  readonly IPPrefixLen: number
  readonly IPv6Gateway: string
  readonly GlobalIPv6Address: string
  readonly GlobalIPv6PrefixLen: number
  readonly MacAddress: string
  readonly DriverOpts: Readonly<Record<string, string>> | null
  /** As under NetworkSettings.Ports; only where ports are published or exposed. */
  readonly Ports?: PortsInspect
}

export function inspectNetwork(record: NetworkRecord, endpoints: readonly EndpointRecord[]): NetworkInspect {
  const { id, created, spec, pools } = record
  return {
    Name: spec.name,
    Id: id,
    Created: created,
    Scope: 'local',
    Driver: spec.driver,
    EnableIPv6: spec.ipv6,
    IPAM: {
      Driver: 'default',
      Options: isPredefined(spec.name) ? null : spec.ipamOptions,
      // A configuration has no subnet of its own, and shows what it gives.
      Config: (spec.configOnly ? spec.subnets : pools).map(({ subnet, ipRange, gateway, auxAddresses = {} }) => ({
        Subnet: subnet,
        ...(ipRange !== undefined && { IPRange: ipRange }),
        ...(gateway !== undefined && { Gateway: gateway }),
        ...(Object.keys(auxAddresses).length > 0 && { AuxiliaryAddresses: auxAddresses }),
      })),
    },
    Internal: spec.internal,
    Attachable: spec.attachable,
    Ingress: false,
    ConfigFrom: { Network: spec.configFrom ?? '' },
    ConfigOnly: spec.configOnly,
    Containers: Object.fromEntries(endpoints.map(one => [containerId(one.namespace.key), inspectContainer(one)])),
    Options: shownOptions(spec),
    Labels: spec.labels,
  }
}

function inspectContainer(record: EndpointRecord): ContainerInspect {
  const cidr = (family: 4 | 6) => {
    const found = addressOf(record, family)
    return found ? `${found.address}/${found.prefix}` : ''
  }
  return {
    Name: record.name ?? record.namespace.name ?? '',
    EndpointID: record.id,
    MacAddress: record.mac ?? '',
    IPv4Address: cidr(4),
    IPv6Address: cidr(6),
  }
}

export function inspectEndpoint(record: EndpointRecord): EndpointInspect {
  const ipv4 = addressOf(record, 4)
  const ipv6 = addressOf(record, 6)
  const { ip, ip6 } = record.chosen ?? {}
  const chosen = { ...(ip !== undefined && { IPv4Address: ip }), ...(ip6 !== undefined && { IPv6Address: ip6 }) }
  return {
    IPAMConfig: Object.keys(chosen).length ? chosen : null,
    Links: null,
    Aliases: record.aliases.length ? record.aliases : null,
    NetworkID: record.network,
    EndpointID: record.id,
    Gateway: ipv4?.gateway ?? '',
    IPAddress: ipv4?.address ?? '',
    IPPrefixLen: ipv4?.prefix ?? 0,
    IPv6Gateway: ipv6?.gateway ?? '',
    GlobalIPv6Address: ipv6?.address ?? '',
    GlobalIPv6PrefixLen: ipv6?.prefix ?? 0,
    MacAddress: record.mac ?? '',
    DriverOpts: record.driverOptions ?? null,
    ...(record.exposed?.length && { Ports: portsInspect(record.ports ?? [], record.exposed) }),
  }
}

const addressOf = ({ addresses }: EndpointRecord, family: 4 | 6) => addresses.find(one => one.family === family)
