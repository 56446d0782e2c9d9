// What a driver does for a network: its device in the host namespace, and the interfaces of the endpoints.
import type { Namespace } from '../../kernel/namespace.js'
import type { Plan } from '../../plan/plan.js'
import type { DriverName, DriverSettings } from '../driver-options.js'
import type { EndpointRecord, NetworkRecord } from '../records.js'

/** A namespace that is being connected, held open meanwhile. */
export interface Joining {
  readonly record: EndpointRecord
  readonly namespace: Namespace
  /** Of the link inside; the kernel's default if not given. */
  readonly mtu?: number
}

export interface DefaultRoute {
  readonly to: 'default'
  readonly via: string
  readonly family: 4 | 6
}
/** What a namespace gets where nothing that was there before has to make room. */
export interface Furnished extends Joining {
  /** A number that no link inside has. */
  readonly index: number
  /** Over the new link. */
  readonly routes: readonly DefaultRoute[]
}

/** Who has interfaces removed: the host namespace, and what goes on without anybody waiting for it. */
export interface Leaving {
  readonly host: Namespace
  later(work: Promise<void>): void
}

export interface Driver {
  readonly name: DriverName
  /** Gives endpoints an interface and addresses. */
  readonly addresses: boolean
  /** Gives interfaces inside another end in the host namespace. */
  readonly cables: boolean
  /** Its interfaces have the MAC address of another device, so that none can be chosen and records have none. */
  readonly sharesMac?: boolean
  /** How many endpoints the device takes, if that is limited. */
  readonly most?: number
  /** The device that a network needs in the host namespace, by the network's id and its first gateway. */
  device?(id: string, settings: DriverSettings, gateway: string | undefined): NonNullable<NetworkRecord['device']>
  /** Why it cannot be beside one of the other networks. */
  clash?(settings: DriverSettings, others: readonly NetworkRecord[]): string | undefined
  /**
   * Makes sure that the network's device is there, after the machine's restart too. All of it or nothing. `present` gives the endpoints that may be
   * there without it, if somebody took it away.
   */
  ensure(
    host: Namespace,
    network: NetworkRecord,
    settings: DriverSettings,
    present: () => Promise<readonly EndpointRecord[]>,
  ): Promise<void>
  /** Removes it, if it is there and ours. */
  remove(host: Namespace, network: NetworkRecord): Promise<void>
  /** Refuses what cannot be connected, before anything is done. */
  check?(host: Namespace, joining: { readonly namespace: Namespace; readonly connected: readonly EndpointRecord[] }, path: string): void
  /**
   * Makes the interfaces of many endpoints, their addresses and routes, without a plan: their records alone tell what there is to undo. False if
   * something was refused: then leave() is for what may be there, and join() for the reason.
   */
  furnish?(
    host: Namespace,
    network: NetworkRecord,
    settings: DriverSettings,
    all: readonly Furnished[],
    signal?: AbortSignal,
  ): Promise<boolean>
  /** Adds the making of an endpoint's interface to a plan; addresses and routes follow. */
  join?(plan: Plan, host: Namespace, network: NetworkRecord, settings: DriverSettings, joining: Joining): void
  /** Removes interfaces of endpoints, those that are there and ours. */
  leave(core: Leaving, endpoints: readonly EndpointRecord[]): Promise<void>
}
