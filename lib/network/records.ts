// What is kept about networks and endpoints, as it stands in the files.
import { argumentError } from '../codec/errors.js'
import type { NetworkSpec, Subnet } from './options.js'

/** A subnet with all that was chosen for it. */
export type PoolRecord = Subnet & { readonly gateway: string }

export interface NetworkRecord {
  readonly kind: 'network'
  /** 64 hexadecimal digits, as Docker's. */
  readonly id: string
  /** When it was made, as Date.toISOString() gives it. */
  readonly created: string
  readonly spec: NetworkSpec
  readonly pools: readonly PoolRecord[]
  /** The driver's device in the host namespace, if it has one: made with the network and deleted with it. */
  readonly device?: { readonly name: string; readonly mac: string }
}

/** A namespace as it can be found and told from others again. */
export interface NamespaceKey {
  /** The namespace's cookie, which the kernel never gives twice; where it has none, device and inode. */
  readonly key: string
  readonly device: number
  readonly inode: number
  readonly name?: string
  readonly path?: string
  readonly pid?: number
}

export interface EndpointAddress {
  readonly address: string
  readonly prefix: number
  readonly family: 4 | 6
  /** Of its subnet. */
  readonly gateway?: string
}

/** A port of the host that leads to one of an endpoint; on all addresses of a family it is on '0.0.0.0' or '::'. */
export interface PortRecord {
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  readonly hostIp: string
  readonly hostPort: number
  readonly containerPort: number
}

/** All addresses of the host, of one family. */
export const isAny = (address: string): boolean => address === '0.0.0.0' || address === '::'

export interface EndpointRecord {
  readonly kind: 'endpoint'
  /** 64 hexadecimal digits, as Docker's. */
  readonly id: string
  readonly network: string
  readonly created: string
  readonly name?: string
  readonly aliases: readonly string[]
  readonly namespace: NamespaceKey
  /** The interface inside, and its other end in the host namespace. */
  readonly interface?: string
  readonly hostInterface?: string
  readonly hostMac?: string
  readonly mac?: string
  readonly addresses: readonly EndpointAddress[]
  /** The addresses that the caller chose, for inspect. */
  readonly chosen?: { readonly ip?: string; readonly ip6?: string }
  /** What the caller said by Docker's names, for inspect. */
  readonly driverOptions?: Readonly<Record<string, string>>
  /** Of the networks of a namespace the one with the highest has the default route. */
  readonly gatewayPriority: number
  readonly ports?: readonly PortRecord[]
  /** Ports that are there to be published: '80/tcp'. */
  readonly exposed?: readonly string[]
}
export type StateRecord = NetworkRecord | EndpointRecord

/** Files are named by ids, so that nothing else than one may come into a path. */
export function checkId(id: string): string {
  if (!/^[0-9a-f]{64}$/.test(id))
    throw argumentError('ERR_NETLOOM_INVALID_ID', `${JSON.stringify(id)} is not an id of 64 hexadecimal digits`)
  return id
}
