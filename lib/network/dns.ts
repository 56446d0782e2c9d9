// Serving names for all networks of a folder: a server for each that has a gateway here, taken over when the process that had it ends.
import type { Core } from './core.js'
import { forwarder } from './dns-forward.js'
import { Names } from './dns-names.js'
import { DnsServer } from './dns-server.js'
import { settingsOf } from './driver-options.js'
import { driverOf } from './drivers/drivers.js'
import { isPredefined } from './predefined.js'
import type { NetworkRecord } from './records.js'

export interface DnsOptions {
  /** Servers that are asked about all other names; by default those of /etc/resolv.conf. */
  readonly upstream?: readonly string[]
}
/** Milliseconds between two looks at which networks there are. */
const rhythm = 1_000

export class Dns {
  readonly #core: Core
  readonly #options: DnsOptions
  readonly #servers = new Map<string, DnsServer>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  #closed = false

  constructor(core: Core, options: DnsOptions) {
    this.#core = core
    this.#options = options
  }

  /** Looks at the networks now, and from then on now and then. */
  async start(): Promise<void> {
    await this.look()
    this.#timer = setInterval(() => {
      this.look().catch((error: unknown) => process.emitWarning(error instanceof Error ? error : String(error)))
    }, rhythm)
  }

  /** Begins to serve networks that are new, and ends with those that are gone. */
  look(): Promise<void> {
    const next = () => this.#look()
    this.#looking = this.#looking.then(next, next)
    return this.#looking
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    await this.#looking
    for (const server of this.#servers.values()) await server.close()
    this.#servers.clear()
  }

  async #look(): Promise<void> {
    if (this.#closed) return
    const networks = (await this.#core.state.networks()).filter(isServed)
    for (const network of networks) if (!this.#servers.has(network.id)) await this.#serve(network)
    for (const [id, server] of this.#servers)
      if (!networks.some(network => network.id === id)) {
        this.#servers.delete(id)
        await server.close()
      }
  }

  async #serve(network: NetworkRecord): Promise<void> {
    const { host, state } = this.#core
    // Its removal takes the same lock, so that nothing is made for a network that is going.
    await this.#core.change(async () => {
      if (!(await state.network(network.id))) return
      await driverOf[network.spec.driver].ensure(host, network, settingsOf(network))
      const gateways = network.pools.map(({ gateway }) => gateway)
      const server = await DnsServer.open(host, gateways, new Names(state, network), forwarder(host, this.#options.upstream))
      if (server) this.#servers.set(network.id, server)
    })
  }
}

/** As with Docker there are no names on the default network. */
const isServed = ({ spec }: NetworkRecord): boolean => spec.driver === 'bridge' && !spec.configOnly && !isPredefined(spec.name)
