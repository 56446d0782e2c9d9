// The name server of one network: on its gateways' addresses in the host namespace, over UDP and TCP.
import type { Socket as UdpSocket } from 'node:dgram'
import { createServer, type Server, type Socket } from 'node:net'
import type { Namespace } from '../kernel/namespace.js'
import { NetloomError } from '../socket/error.js'
import { answerTo, type Forward } from './dns-answer.js'
import type { Names } from './dns-names.js'

const port = 53
/** Without EDNS an answer over UDP has at most so many bytes (RFC 1035); longer ones are asked for over TCP. */
const mostOverUdp = 512
/** Milliseconds after which a silent connection is closed. */
const silence = 10_000

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
      void this.#answer(message).then(answer => {
        if (answer && this.#udp.includes(udp)) udp.send(fitting(answer), from.port, from.address)
      })
    })
    const tcp = createServer(connection => this.#serve(connection))
    await host.listen(tcp, { host: address, port })
    this.#tcp.push(tcp)
  }

  /** Each message has its length in front of it. */
  #serve(connection: Socket): void {
    this.#open.add(connection)
    let waiting = Buffer.alloc(0)
    connection.setTimeout(silence, () => connection.destroy())
    connection.on('close', () => this.#open.delete(connection))
    // Whoever breaks off a connection wants no answer.
    connection.on('error', () => connection.destroy())
    connection.on('data', data => {
      waiting = Buffer.concat([waiting, data])
      while (waiting.length >= 2 && waiting.length >= 2 + waiting.readUInt16BE(0)) {
        const end = 2 + waiting.readUInt16BE(0)
        const message = waiting.subarray(2, end)
        waiting = waiting.subarray(end)
        void this.#answer(message).then(answer => {
          if (!answer || connection.destroyed) return
          const length = Buffer.alloc(2)
          length.writeUInt16BE(answer.length)
          connection.write(Buffer.concat([length, answer]))
        })
      }
    })
  }

  async #answer(message: Buffer): Promise<Buffer | undefined> {
    try {
      return await answerTo(message, this.#names, this.#forward)
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error))
      return undefined
    }
  }
}

/** What is too long is cut off after the question, with the flag that says so. */
function fitting(answer: Buffer): Buffer {
  if (answer.length <= mostOverUdp || answer.readUInt16BE(10) > 0) return answer
  const end = questionEnd(answer)
  const short = Buffer.from(answer.subarray(0, end))
  short.writeUInt16BE(answer.readUInt16BE(2) | 0x0200, 2)
  for (const count of [6, 8, 10]) short.writeUInt16BE(0, count)
  return short
}

function questionEnd(message: Buffer): number {
  let at = 12
  while (at < message.length && message[at] !== 0) at += (message[at] ?? 0) + 1
  return at + 5
}
