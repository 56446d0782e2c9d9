// The names of a network: which endpoint has which name and which alias, as the state folder has it now.
import type { EndpointRecord, NetworkRecord } from './records.js'
import type { State } from './state.js'
import { settledTime } from './state-files.js'

export class Names {
  readonly #state: State
  readonly #network: NetworkRecord
  #time: bigint | undefined
  #byName = new Map<string, EndpointRecord[]>()
  #byAddress = new Map<string, EndpointRecord>()

  constructor(state: State, network: NetworkRecord) {
    this.#state = state
    this.#network = network
  }

  /** Addresses of one family, of all that have the name; undefined if nobody has it. Names end with the network's, or stand alone. */
  async addresses(name: string, family: 4 | 6): Promise<string[] | undefined> {
    await this.#refresh()
    const lower = name.toLowerCase().replace(/\.$/, '')
    const suffix = `.${this.#network.spec.name.toLowerCase()}`
    const found = this.#byName.get(lower) ?? (lower.endsWith(suffix) ? this.#byName.get(lower.slice(0, -suffix.length)) : undefined)
    return found?.flatMap(one => one.addresses.filter(address => address.family === family).map(({ address }) => address))
  }

  /** The name of whoever has an address. */
  async nameOf(address: string): Promise<string | undefined> {
    await this.#refresh()
    const found = this.#byAddress.get(address)
    const name = found && ownName(found)
    return name === undefined ? undefined : `${name}.${this.#network.spec.name}`
  }

  /** Whichever process changes something, the folder's time tells. */
  async #refresh(): Promise<void> {
    const time = await settledTime(this.#state.path('networks', this.#network.id, 'endpoints'))
    if (time !== undefined && time === this.#time) return
    const byName = new Map<string, EndpointRecord[]>()
    const byAddress = new Map<string, EndpointRecord>()
    for (const record of await this.#state.endpoints(this.#network.id)) {
      for (const name of new Set([ownName(record), ...record.aliases]))
        if (name !== undefined) byName.set(name.toLowerCase(), [...(byName.get(name.toLowerCase()) ?? []), record])
      for (const { address } of record.addresses) byAddress.set(address, record)
    }
    this.#byName = byName
    this.#byAddress = byAddress
    this.#time = time
  }
}

/** Without a name in the network the namespace's own. */
const ownName = ({ name, namespace }: EndpointRecord): string | undefined => name ?? namespace.name
