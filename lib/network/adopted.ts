// A network of Docker's, shown and never changed.
import { NetloomError } from '../socket/error.js'
import type { Core } from './core.js'
import { dockerNetworks } from './docker-api.js'
import type { Endpoint } from './endpoint.js'
import type { NetworkInspect } from './inspect.js'
import { Network } from './network.js'
import type { NetworkRecord } from './records.js'

/** A network that belongs to Docker. It can be looked at; whatever would change it is refused with EPERM. */
export class AdoptedNetwork extends Network {
  override readonly origin = 'docker'
  readonly #seen: NetworkInspect

  /** @internal */
  constructor(core: Core, seen: NetworkInspect) {
    super(core, recordOf(seen), false)
    this.#seen = seen
  }

  /** As Docker's daemon said when the network was listed. */
  override async inspect(): Promise<NetworkInspect> {
    return this.#seen
  }
  override connect(): Promise<never> {
    return this.#refuse('connect')
  }
  override connectMany(): Promise<never> {
    return this.#refuse('connect')
  }
  override disconnect(): Promise<never> {
    return this.#refuse('disconnect')
  }
  override disconnectMany(): Promise<never> {
    return this.#refuse('disconnect')
  }
  override delete(): Promise<never> {
    return this.#refuse('remove network')
  }
  override cure(): Promise<never> {
    return this.#refuse('cure network')
  }
  /** None of ours: inspect() has Docker's under Containers. */
  override async endpoints(): Promise<Endpoint[]> {
    return []
  }
  override async warnings(): Promise<never[]> {
    return []
  }
  override async [Symbol.asyncDispose](): Promise<void> {}

  async #refuse(operation: string): Promise<never> {
    throw new NetloomError('EPERM', {
      ...{ operation, subject: this.name, reason: "it is Docker's, and adopt() only shows it" },
      hint: 'docker network changes it; a namespace of a container can be on a network of Docker and on one of ours at once',
    })
  }
}

export const adoptedNetworks = async (core: Core, socket: string): Promise<Network[]> =>
  (await dockerNetworks(socket)).map(seen => new AdoptedNetwork(core, seen))

/** In the form of our own, for what is the same with both. */
export function recordOf({
  Id,
  Name,
  Created,
  Driver,
  EnableIPv6,
  Internal,
  Attachable,
  ConfigOnly,
  Labels,
  Options,
  IPAM,
}: NetworkInspect): NetworkRecord {
  const subnets = (IPAM.Config ?? []).map(({ Subnet, IPRange, Gateway }) => ({
    subnet: Subnet,
    ...(IPRange !== undefined && { ipRange: IPRange }),
    gateway: Gateway ?? '',
  }))
  return {
    ...{ kind: 'network', id: Id, created: Created, pools: subnets },
    spec: {
      // Docker has drivers that are not ours; nothing is ever done by this one.
      ...{ name: Name, driver: Driver as 'bridge', subnets, listed: true, ipv6: EnableIPv6, internal: Internal, attachable: Attachable },
      ...{ configOnly: ConfigOnly, labels: Labels ?? {}, options: Options ?? {}, ipamOptions: {} },
    },
  }
}
