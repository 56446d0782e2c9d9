// Host ports for endpoints, while the state is locked: those that were asked for, or free ones.
import { randomInt } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { argumentError } from '../codec/errors.js'
import type { Namespace } from '../kernel/namespace.js'
import { scoped } from '../kernel/scope.js'
import { holdPort } from '../namespace/hold-port.js'
import { NetloomError } from '../socket/error.js'
import { settingsOf } from './driver-options.js'
import { isHolderBehind } from './port-holder.js'
import { fieldOf, type PortWish } from './port-options.js'
import { type EndpointAddress, isAny, type NetworkRecord, type PortRecord } from './records.js'
import type { State } from './state.js'

/** Milliseconds for which a process that holds ports is given to let go of one: it takes some, unless its event loop is held up. */
const patience = 2_000
/** Where free ports are looked for (RFC 6335). */
const ephemeral = { first: 49152, last: 65535 }

export class PortAllocator {
  readonly #state: State
  readonly #host: Namespace
  readonly #network: NetworkRecord
  /** Chosen, but not yet claimed in the state folder. */
  readonly #given: PortRecord[] = []

  constructor(state: State, host: Namespace, network: NetworkRecord) {
    this.#state = state
    this.#host = host
    this.#network = network
  }

  async allocate(wishes: readonly PortWish[], addresses: readonly EndpointAddress[]): Promise<PortRecord[]> {
    const ports: PortRecord[] = []
    for (const wish of wishes) ports.push(...(await this.#fulfil(wish, addresses)))
    return ports
  }

  async #fulfil(wish: PortWish, addresses: readonly EndpointAddress[]): Promise<PortRecord[]> {
    const { protocol, container, host } = wish
    const { spec } = this.#network
    if (spec.driver !== 'bridge' || spec.internal) {
      const why = spec.internal ? 'nothing comes into an internal network' : `the driver ${spec.driver} publishes no ports`
      throw argumentError('ERR_NETLOOM_INVALID_OPTION', why, wish.path)
    }
    const hostIps = this.#hostIps(wish, addresses)
    const ports: PortRecord[] = []
    for (let at = container.first; at <= container.last; at++) {
      const several = host && container.first === container.last && host.last > host.first
      const only = host && !several ? host.first + at - container.first : undefined
      const candidates =
        only !== undefined ? [only] : several ? inOrder(host.first, host.last) : inOrder(ephemeral.first, ephemeral.last, true)
      const make = (hostPort: number) => hostIps.map((hostIp): PortRecord => ({ protocol, hostIp, hostPort, containerPort: at }))
      const chosen = await this.#first(candidates, make, only !== undefined ? wish : undefined)
      if (!chosen)
        throw new NetloomError('EADDRINUSE', { operation: 'publish port', subject: `${at}/${protocol}`, reason: 'no port is free' })
      this.#given.push(...chosen)
      ports.push(...chosen)
    }
    return ports
  }

  /** On all addresses means those of both families, as far as the endpoint has them. */
  #hostIps({ hostIp = settingsOf(this.#network).hostBinding, path }: PortWish, addresses: readonly EndpointAddress[]): string[] {
    const families = addresses.map(({ family }) => family)
    if (hostIp === undefined) return families.map(family => (family === 4 ? '0.0.0.0' : '::'))
    if (families.includes(hostIp.includes(':') ? 6 : 4)) return [hostIp]
    throw argumentError('ERR_NETLOOM_INVALID_ADDRESS', `the endpoint has no address of the family of ${hostIp}`, fieldOf(path, 'hostIp'))
  }

  async #first(
    candidates: Iterable<number>,
    make: (port: number) => PortRecord[],
    chosen: PortWish | undefined,
  ): Promise<PortRecord[] | undefined> {
    for (const candidate of candidates) {
      const ports = make(candidate)
      const obstacle = await this.#obstacle(ports)
      if (obstacle === undefined) return ports
      if (chosen)
        throw new NetloomError('EADDRINUSE', {
          ...{ operation: 'publish port', subject: `${ports[0]?.hostIp}:${candidate}/${chosen.protocol}`, reason: obstacle },
          ...{ path: fieldOf(chosen.path, 'hostPort'), hint: 'leave the host port out to get one that is free' },
        })
    }
    return undefined
  }

  async #obstacle(ports: readonly PortRecord[]): Promise<string | undefined> {
    for (const port of ports) {
      const meets = (other: string) => other === port.hostIp || isAny(other) || isAny(port.hostIp)
      const given = this.#given.some(
        one =>
          one.protocol === port.protocol &&
          one.hostPort === port.hostPort &&
          one.hostIp.includes(':') === port.hostIp.includes(':') &&
          meets(one.hostIp),
      )
      if (given) return 'another of these endpoints has the port'
      if ((await this.#state.ports.addresses(port)).some(meets)) return 'an endpoint has the port'
      if (!(await this.#isFree(port))) return 'a program of the host has the port'
    }
    return undefined
  }

  async #isFree(port: PortRecord): Promise<boolean> {
    if (await this.#canBind(port)) return true
    const until = performance.now() + patience
    for (let pause = 1; ; pause = Math.min(2 * pause, 20)) {
      // Asked before the port is tried: afterwards it may have been let go of in between.
      const isBehind = await isHolderBehind(this.#state)
      if (await this.#canBind(port)) return true
      if (!isBehind || performance.now() > until) return false
      await setTimeout(pause)
    }
  }

  async #canBind({ protocol, hostIp, hostPort }: PortRecord): Promise<boolean> {
    try {
      const held = await holdPort(this.#host[scoped], { protocol, address: hostIp, port: hostPort }, { look: true })
      held.close()
      return true
    } catch (error) {
      if (!(error instanceof NetloomError)) throw error
      if (error.code === 'EADDRINUSE') return false
      // No socket can have a port of a protocol that the kernel lacks, nor of an address that comes later.
      if (['EPROTONOSUPPORT', 'ESOCKTNOSUPPORT', 'EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(error.code)) return true
      throw error
    }
  }
}

function* inOrder(first: number, last: number, anywhere = false): Generator<number> {
  const count = last - first + 1
  const start = anywhere ? randomInt(count) : 0
  for (let i = 0; i < count; i++) yield first + ((start + i) % count)
}
