// The public Endpoint: a namespace's place on a network.
import type { Core } from './core.js'
import { disconnectAll } from './disconnect.js'
import { type EndpointInspect, inspectEndpoint } from './inspect.js'
import type { EndpointRecord } from './records.js'

/** A namespace's place on a network. `await using` disconnects what connect() gave; what was looked up stays. */
export class Endpoint implements AsyncDisposable {
  readonly id: string
  /** The id of the network. */
  readonly network: string
  readonly name?: string
  readonly aliases: readonly string[]
  /** The interface inside; '' on the networks host and none. */
  readonly interface: string
  /** Its other end in the host namespace, where the driver gives it one. */
  readonly hostInterface?: string
  readonly mac: string
  /** With prefix lengths: '172.28.5.0/16'. */
  readonly addresses: readonly string[]
  /** The IPv4 address of the network's gateway; of a network with IPv6 alone the IPv6 address. */
  readonly gateway?: string
  readonly #core: Core
  readonly #record: EndpointRecord
  readonly #owned: boolean

  /** @internal */
  constructor(core: Core, record: EndpointRecord, owned: boolean) {
    this.#core = core
    this.#record = record
    this.#owned = owned
    this.id = record.id
    this.network = record.network
    this.aliases = record.aliases
    this.interface = record.interface ?? ''
    this.mac = record.mac ?? ''
    this.addresses = record.addresses.map(({ address, prefix }) => `${address}/${prefix}`)
    if (record.name !== undefined) this.name = record.name
    if (record.hostInterface !== undefined) this.hostInterface = record.hostInterface
    const gateway = record.addresses[0]?.gateway
    if (gateway !== undefined) this.gateway = gateway
  }

  /** The namespace's own entry for the network, as `docker inspect` has it. */
  async inspect(): Promise<EndpointInspect> {
    return inspectEndpoint(this.#record)
  }

  /** Takes the namespace off the network. Doing it twice is fine. */
  async disconnect(): Promise<void> {
    const core = this.#core
    await core.change(async () => {
      const network = await core.state.network(this.network)
      if (network) await disconnectAll(core, network, [this.#record])
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#owned) await this.disconnect()
  }
}
