// The name server of one network: on its gateways' addresses in the host namespace, over UDP and TCP.
import type { Socket as UdpSocket } from 'node:dgram'
import { createServer, type Server, type Socket } from 'node:net'
import type { Namespace } from '../kernel/namespace.js'
import { NetloomError } from '../socket/error.js'
import { answerTo, type Forward, type Transport } from './dns-answer.js'
import { framed, Unframer } from './dns-frame.js'
import type { Names } from './dns-names.js'

const port = 53
/** Milliseconds after which a silent connection is closed. */
const silence = 10_000
/** Connections at a time, of all namespaces of a network. */
const mostConnections = 256

export class DnsServer {
  readonly #names: Names
  readonly #forward: Forward
  readonly #udp: UdpSocket[] = []
  readonly #tcp: Server[] = []
  readonly #open = new Set<Socket>()

  private constructor(names: Names, forward: Forward) {
    this.#names = names
    this.#forward = forward
  }

  /** Undefined if somebody has the port there: another process that serves the same network. */
  static async open(host: Namespace, addresses: readonly string[], names: Names, forward: Forward): Promise<DnsServer | undefined> {
    const server = new DnsServer(names, forward)
    try {
      for (const address of addresses) await server.#listen(host, address)
      return server
    } catch (error) {
      await server.close()
      if (error instanceof NetloomError && error.code === 'EADDRINUSE') return undefined
      throw error
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#udp.splice(0)) socket.close()
    for (const connection of this.#open) connection.destroy()
    await Promise.all(this.#tcp.splice(0).map(server => new Promise<void>(resolve => server.close(() => resolve()))))
  }

  async #listen(host: Namespace, address: string): Promise<void> {
    const udp = await host.udp({ type: address.includes(':') ? 'udp6' : 'udp4', address, port })
    this.#udp.push(udp)
    udp.on('error', error => process.emitWarning(error))
    udp.on('message', (message, from) => {
      void this.#answer(message, 'udp').then(answer => {
        if (answer && this.#udp.includes(udp)) udp.send(answer, from.port, from.address)
      })
    })
    const tcp = createServer(connection => this.#serve(connection))
    tcp.maxConnections = mostConnections
    await host.listen(tcp, { host: address, port })
    this.#tcp.push(tcp)
  }

  #serve(connection: Socket): void {
    this.#open.add(connection)
    const messages = new Unframer()
    connection.setTimeout(silence, () => connection.destroy())
    connection.on('close', () => this.#open.delete(connection))
    // Whoever breaks off a connection wants no answer.
    connection.on('error', () => connection.destroy())
    connection.on('data', data => {
      for (const message of messages.add(data))
        void this.#answer(message, 'tcp').then(answer => {
          if (answer && !connection.destroyed) connection.write(framed(answer))
        })
    })
  }

  async #answer(message: Buffer, over: Transport): Promise<Buffer | undefined> {
    try {
      return await answerTo(message, { names: this.#names, forward: this.#forward, over })
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error))
      return undefined
    }
  }
}
