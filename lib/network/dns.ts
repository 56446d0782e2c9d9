// Serving names for all networks of a folder: a server for each that has a gateway here, taken over when the process that had it ends.
import { NetloomError } from '../socket/error.js'
import type { Core } from './core.js'
import { forwarder } from './dns-forward.js'
import { Names } from './dns-names.js'
import { DnsServer } from './dns-server.js'
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
  readonly #unusable = new Set<string>()
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
    // First those that are gone: a new network may have the gateway that one of them had.
    for (const [id, server] of this.#servers)
      if (!networks.some(network => network.id === id)) {
        this.#servers.delete(id)
        await server.close()
      }
    for (const network of networks) if (!this.#servers.has(network.id)) await this.#serve(network)
  }

  async #serve(network: NetworkRecord): Promise<void> {
    const { host, state } = this.#core
    // Its removal takes the same lock, so that nothing is made for a network that is going.
    await this.#core.change(async () => {
      if (!(await state.network(network.id)) || !(await this.#isUsable(network))) return
      const gateways = network.pools.map(({ gateway }) => gateway)
      const server = await DnsServer.open(host, gateways, new Names(state, network), forwarder(host, this.#options.upstream))
      if (server) this.#servers.set(network.id, server)
    })
  }

  /** A network whose bridge cannot be is no reason to leave the others without names; it is told once. */
  async #isUsable(network: NetworkRecord): Promise<boolean> {
    try {
      await this.#core.ensure(network)
      this.#unusable.delete(network.id)
      return true
    } catch (error) {
      if (!(error instanceof NetloomError)) throw error
      if (!this.#unusable.has(network.id)) process.emitWarning(`there are no names on the network ${network.spec.name}: ${error.message}`)
      this.#unusable.add(network.id)
      return false
    }
  }
}

/** As with Docker there are no names on the default network. */
const isServed = ({ spec }: NetworkRecord): boolean => spec.driver === 'bridge' && !spec.configOnly && !isPredefined(spec.name)
