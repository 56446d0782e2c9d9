// The public Endpoint: a namespace's place on a network.
import { NetloomError } from '../socket/error.js'
import type { Core } from './core.js'
import { disconnectAll } from './disconnect.js'
import { type EndpointInspect, inspectEndpoint } from './inspect.js'
import type { Publish } from './port-options.js'
import { portsText } from './port-text.js'
import { publishLess, publishMore } from './publish.js'
import type { EndpointRecord, PortRecord } from './records.js'

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
  /** '' where it is another device's: on the networks host and none, and on ipvlan the parent's. */
  readonly mac: string
  /** With prefix lengths: '172.28.5.0/16'. */
  readonly addresses: readonly string[]
  /** The IPv4 address of the network's gateway; of a network with IPv6 alone the IPv6 address. */
  readonly gateway?: string
  readonly #core: Core
  #record: EndpointRecord
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

  /** The ports of the host that lead here; on all addresses of a family they are on '0.0.0.0' or '::'. */
  get ports(): readonly PortRecord[] {
    return this.#record.ports ?? []
  }

  /** The ports as `docker ps` prints them: '0.0.0.0:8080->80/tcp, 443/tcp'. */
  get portsText(): string {
    return portsText(this.ports, this.#record.exposed ?? [])
  }

  /**
   * Publishes a port, or a range, while connections go on: `publish({ hostPort: 8080, containerPort: 80 })`. Gives what the host has now.
   *
   * Errors: EADDRINUSE an endpoint or a program of the host has the port; ENOENT the endpoint is disconnected; TypeError and RangeError for what cannot be.
   */
  async publish(port: Publish): Promise<readonly PortRecord[]> {
    const { record, ports } = await this.#core.change(() => publishMore(this.#core, this.#record, port))
    this.#record = record
    return ports
  }

  /** Ends it for all that fits; connections that came that way end too. Throws a TypeError if nothing fits, ENOENT if the endpoint is disconnected. */
  async unpublish(port: Publish): Promise<void> {
    this.#record = await this.#core.change(() => publishLess(this.#core, this.#record, port))
  }

  /** The namespace's own entry for the network, as `docker inspect` has it, and as it is now. Throws ENOENT once the endpoint is disconnected. */
  async inspect(): Promise<EndpointInspect> {
    this.#core.checkOpen()
    const record = await this.#core.state.endpoint(this.network, this.id)
    if (!record) {
      const fields = { operation: 'inspect', subject: this.name ?? this.id.slice(0, 12), reason: 'the endpoint has been disconnected' }
      throw new NetloomError('ENOENT', fields)
    }
    this.#record = record
    return inspectEndpoint(record)
  }

  /** Takes the namespace off the network. Doing it twice is fine. */
  async disconnect(): Promise<void> {
    const core = this.#core
    await core.change(async () => {
      const network = await core.state.network(this.network)
      const present = network && (await core.state.endpoint(network.id, this.id))
      if (network && present) await disconnectAll(core, network, [present])
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#owned) await this.disconnect()
  }
}
