// A netlink connection in one namespace: requests, dumps and batches, many at a time, each answered by its own sequence numbers.
import type { AnyCodec, Decoded } from '../codec/codec.js'
import { viewOf } from '../codec/walk.js'
import { Writer } from '../codec/writer.js'
import { NETLINK_ROUTE, requestFlags } from '../protocol/netlink.js'
import { readAnswer, requestDone } from './answer.js'
import { Dumps, type Each, type Slices } from './dump.js'
import { Elements } from './elements.js'
import { AbortError, NetloomError, orAborted, systemError } from './error.js'
import { encode, renumber } from './frame.js'
import { type NamespaceHandle, type NetlinkSocket, native } from './native.js'
import { readOutcomes, readRefusals } from './outcomes.js'
import { type AnyRequest, type Context, type Dump, naming, type Outcome, type Refusal, type Reply, type Request } from './request.js'
import { readTransmission, type Transmission } from './transmission.js'

/** How often an interrupted dump is asked again before it is given as it is. */
const dumpAttempts = 8

/**
 * Sends one rtnetlink request on a socket of its own, and resolves as soon as it has been carried out: for one that goes on for long after that, as the
 * removal of a link, for whose end (`over`) the kernel waits tens of milliseconds. Kernels that do not tell earlier let it resolve at the end. No
 * other request waits meanwhile.
 */
export async function requestUntilDone<C extends AnyCodec>(
  namespace: NamespaceHandle,
  request: Request<C>,
): Promise<{ readonly over: Promise<void> }> {
  const opened = native()
    .openNetlink(namespace, NETLINK_ROUTE)
    .catch((error: unknown) => {
      throw systemError(error, naming(request.context))
    })
  return requestDone(await opened, request)
}

export class Connection {
  readonly #socket: NetlinkSocket
  readonly #open: () => Promise<NetlinkSocket>
  readonly #dumps: Dumps
  readonly #writer = new Writer()
  readonly #onClose: () => void
  #sequence = 1
  #closed = false

  private constructor(namespace: NamespaceHandle, protocol: number, socket: NetlinkSocket, onClose: () => void) {
    this.#socket = socket
    this.#open = () => native().openNetlink(namespace, protocol)
    this.#dumps = new Dumps(this.#open, closedError)
    this.#onClose = onClose
  }

  /** The namespace's handle has to stay open as long as the connection; `onClose` is told when it no longer has to. */
  static async open(
    namespace: NamespaceHandle,
    protocol: number = NETLINK_ROUTE,
    onClose: () => void = () => undefined,
  ): Promise<Connection> {
    try {
      return new Connection(namespace, protocol, await native().openNetlink(namespace, protocol), onClose)
    } catch (error) {
      throw systemError(error, { operation: 'open netlink socket' })
    }
  }

  /** Sends one request; resolves when the kernel has carried it out. */
  async request<C extends AnyCodec>(request: Request<C>): Promise<void> {
    await this.#exchange(request, undefined)
  }

  /** Sends one request and gives the objects of its answer: with NLM_F_ECHO those that it made. */
  call<C extends AnyCodec, R extends AnyCodec>(request: Request<C>, reply: Reply<R>): Promise<Decoded<R>[]> {
    return this.#exchange(request, reply)
  }

  /** Asks for one object. */
  async get<C extends AnyCodec, R extends AnyCodec>(request: Request<C>, reply: Reply<R>): Promise<Decoded<R>> {
    const [object] = await this.#exchange(request, reply)
    if (object === undefined)
      throw new NetloomError('ENOENT', { ...naming(request.context), reason: 'the kernel answered without an object' })
    return object
  }

  /**
   * Sends many requests in as few system calls as possible. The kernel carries out all of them in order, also those after one that fails.
   * `quiet`: only those that fail are answered, and the last of each window.
   */
  async batch<R extends AnyCodec = never>(
    requests: readonly AnyRequest[],
    options: { readonly reply?: Reply<R>; readonly signal?: AbortSignal | undefined; readonly quiet?: boolean } = {},
  ): Promise<Outcome<Decoded<R>>[]> {
    if (requests.length === 0) return []
    const always = requestFlags.request | (options.quiet ? 0 : requestFlags.ack)
    const writer = new Writer(requests.length * 128)
    const first = this.#sequence
    const starts = requests.map((request, i) => encode(writer, request, (request.flags ?? 0) | always, first + i))
    this.#take(requests.length)
    const answer = await this.#send(writer.bytes.subarray(0, writer.at), requests[0]!.context, options.signal)
    return readOutcomes(requests, { bytes: writer.bytes.subarray(0, writer.at), starts, first }, answer, options.reply)
  }

  /**
   * As a quiet batch(), of messages that somebody has written already; they get their numbers here. `requestOf` gives the request of one that
   * is refused. Gives the refusals, in their order.
   */
  async batchWritten(bytes: Uint8Array, starts: readonly number[], requestOf: (index: number) => AnyRequest): Promise<Refusal[]> {
    const first = this.#sequence
    renumber(bytes, first)
    this.#take(starts.length)
    const answer = await this.#send(bytes, requestOf(0).context, undefined)
    return readRefusals(requestOf, { bytes, starts, first }, answer)
  }

  /**
   * Sends requests in one system call, with the flags that they have: for a subsystem that takes them as one (a batch of nfnetlink). Once the kernel has been given
   * them the signal is of no effect, so that AbortError means that nothing has happened.
   */
  async transmit<R extends AnyCodec = never>(
    requests: readonly (AnyRequest & { readonly reply?: Reply<R> | undefined })[],
    { signal, answerBytes }: { readonly signal?: AbortSignal | undefined; readonly answerBytes?: number } = {},
  ): Promise<Transmission<Decoded<R>>> {
    const context = requests[0]!.context
    const writer = new Writer(requests.length * 256)
    const first = this.#sequence
    const starts = requests.map((request, i) => encode(writer, request, (request.flags ?? 0) | requestFlags.request, first + i))
    this.#take(requests.length)
    if (signal?.aborted) throw new AbortError(context.operation, signal)
    if (this.#closed) throw closedError(context)
    try {
      const { data, lost } = await this.#socket.transmit(writer.bytes.subarray(0, writer.at), answerBytes)
      return { ...readTransmission(viewOf(data), requests, first, i => writer.bytes.subarray(starts[i], starts[i + 1] ?? writer.at)), lost }
    } catch (error) {
      throw this.#closed ? closedError(context) : systemError(error, naming(context))
    }
  }

  /** All objects of a kind, as `each` makes them. A list that changes while the kernel writes it is asked for again, with a bound. */
  dump<C extends AnyCodec, R extends AnyCodec>(request: Request<C>, reply: Reply<R>): Promise<Dump<Decoded<R>>>
  dump<C extends AnyCodec, R extends AnyCodec, T>(request: Request<C>, reply: Reply<R>, each: Each<Decoded<R>, T>): Promise<Dump<T>>
  async dump<C extends AnyCodec, R extends AnyCodec>(
    request: Request<C>,
    reply: Reply<R>,
    each: Each<Decoded<R>, unknown> = object => object,
  ): Promise<Dump<unknown>> {
    for (let attempt = 1; ; attempt++) {
      const objects: unknown[] = []
      const slices = this.slices(request, reply, each)
      let next = await slices.next()
      for (; !next.done; next = await slices.next()) for (const object of next.value) objects.push(object)
      if (next.value.consistent || attempt === dumpAttempts) return Object.assign(objects, next.value)
    }
  }

  /** The objects of a dump one by one, in bounded memory: the kernel waits for the reader. At the end it says whether the list was consistent. */
  iterate<C extends AnyCodec, R extends AnyCodec>(request: Request<C>, reply: Reply<R>): Elements<Decoded<R>, { consistent: boolean }> {
    return new Elements(this.slices(request, reply, object => object))
  }

  /** As iterate(), as many at a time as there are. */
  slices<C extends AnyCodec, R extends AnyCodec, T>(request: Request<C>, reply: Reply<R>, each: Each<Decoded<R>, T>): Slices<T> {
    return this.#dumps.slices(request, reply, each)
  }

  /** Closes the sockets. Requests that wait are rejected with ECANCELED; closing twice is fine. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#onClose()
    this.#socket.close()
    this.#dumps.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  async #exchange<C extends AnyCodec, R extends AnyCodec>(request: Request<C>, reply: Reply<R> | undefined): Promise<Decoded<R>[]> {
    const { flags = 0, context, signal } = request
    const writer = this.#writer
    writer.at = 0
    const sequence = this.#sequence
    encode(writer, request, flags | requestFlags.request | requestFlags.ack, sequence)
    this.#take(1)
    const sent = writer.copy()
    return readAnswer(await this.#send(sent, context, signal), { request, sent, sequence }, reply)
  }

  async #send(bytes: Uint8Array, context: Context, signal: AbortSignal | undefined): Promise<Uint8Array> {
    if (signal?.aborted) throw new AbortError(context.operation, signal)
    if (this.#closed) throw closedError(context)
    const exchange = this.#socket.exchange(bytes)
    try {
      return (await orAborted(exchange, context.operation, signal)).data
    } catch (error) {
      throw this.#closed && !(error instanceof AbortError) ? closedError(context) : systemError(error, naming(context))
    }
  }

  #take(count: number): void {
    this.#sequence += count
    // The header has 32 bits for it, and 0 is what the kernel's own notifications carry.
    if (this.#sequence > 0xf000_0000) this.#sequence = 1
  }
}

const closedError = (context: Context) => new NetloomError('ECANCELED', { ...naming(context), reason: 'the namespace has been closed' })
