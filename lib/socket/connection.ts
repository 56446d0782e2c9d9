// A netlink connection in one namespace: requests, dumps and batches, many at a time, each answered by its own sequence numbers.
import type { AnyCodec, Decoded } from '../codec/codec.js'
import { isArgumentError, relabel } from '../codec/errors.js'
import { Writer } from '../codec/writer.js'
import { messageType, NETLINK_ROUTE, requestFlags } from '../protocol/netlink.js'
import { readAcknowledgement, toError } from './acknowledgement.js'
import { AbortError, NetloomError, orAborted, systemError } from './error.js'
import { type Framed, frame, messages } from './frame.js'
import { type NamespaceHandle, type NetlinkSocket, native } from './native.js'
import type { AnyRequest, Context, Dump, Outcome, Reply, Request } from './request.js'
import { expectClose, wasClosed } from './unclosed.js'

/** How often an interrupted dump is asked again before it is given as it is. */
const dumpAttempts = 8
const dumpChunk = 256 * 1024
const idleDumpSockets = 2

export class Connection {
  readonly #namespace: NamespaceHandle
  readonly #protocol: number
  readonly #socket: NetlinkSocket
  /** Dumps have sockets of their own, so that a long one delays nobody and a cancelled one can simply be closed. */
  readonly #idle: NetlinkSocket[] = []
  readonly #dumping = new Set<NetlinkSocket>()
  readonly #writer = new Writer()
  readonly #onClose: () => void
  #sequence = 1
  #closed = false

  private constructor(namespace: NamespaceHandle, protocol: number, socket: NetlinkSocket, onClose: () => void) {
    this.#namespace = namespace
    this.#protocol = protocol
    this.#socket = socket
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

  /** Sends many requests in as few system calls as possible. The kernel carries out all of them in order, also those after one that fails. */
  async batch<R extends AnyCodec = never>(
    requests: readonly AnyRequest[],
    options: { readonly reply?: Reply<R>; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Outcome<Decoded<R>>[]> {
    if (requests.length === 0) return []
    const writer = new Writer(requests.length * 128)
    const first = this.#sequence
    const starts = requests.map((request, i) =>
      encode(writer, request, (request.flags ?? 0) | requestFlags.request | requestFlags.ack, first + i),
    )
    this.#take(requests.length)
    const outcomes = requests.map(() => ({ objects: [] as Decoded<R>[], error: undefined as NetloomError | undefined }))
    const view = viewOf(await this.#send(writer.copy(), requests[0]!.context, options.signal))
    for (const message of messages(view)) {
      const i = message.sequence - first
      const request = requests[i]
      if (!request) continue
      if (message.type === messageType.error) {
        const ack = readAcknowledgement(view, message)
        if (ack.errno) outcomes[i]!.error = toError(ack, request, writer.bytes.subarray(starts[i], starts[i + 1] ?? writer.at))
      } else if (options.reply && message.type === options.reply.type)
        outcomes[i]!.objects.push(options.reply.codec.read(view, message.from, message.to) as Decoded<R>)
    }
    return outcomes.map(({ error, objects }) => (error ? { error, objects } : { objects }))
  }

  /** All objects of a kind. A list that changes while the kernel writes it is asked for again, with a bound. */
  async dump<C extends AnyCodec, R extends AnyCodec>(request: Request<C>, reply: Reply<R>): Promise<Dump<Decoded<R>>> {
    for (let attempt = 1; ; attempt++) {
      const objects: Decoded<R>[] = []
      const chunks = this.#chunks(request, reply)
      let next = await chunks.next()
      for (; !next.done; next = await chunks.next()) for (const object of next.value) objects.push(object)
      if (next.value.consistent || attempt === dumpAttempts) return Object.assign(objects, next.value)
    }
  }

  /** The objects of a dump one by one, in bounded memory: the kernel waits for the reader. Returns whether the list was consistent. */
  async *iterate<C extends AnyCodec, R extends AnyCodec>(
    request: Request<C>,
    reply: Reply<R>,
  ): AsyncGenerator<Decoded<R>, { consistent: boolean }> {
    const part: { socket?: NetlinkSocket } = {}
    const chunks = this.#chunks(request, reply, part)
    // An iterator that is dropped half-way never gets to its end, where the socket would be given back.
    expectClose(chunks, {
      what: `an iterator (${request.context.operation})`,
      advice: 'leave its loop, or call return()',
      free: () => this.#abandon(part.socket),
    })
    try {
      let next = await chunks.next()
      for (; !next.done; next = await chunks.next()) yield* next.value
      return next.value
    } finally {
      await chunks.return({ consistent: false })
      wasClosed(chunks)
    }
  }

  /** Closes the sockets. Requests that wait are rejected with ECANCELED; closing twice is fine. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#onClose()
    for (const socket of [this.#socket, ...this.#idle, ...this.#dumping]) socket.close()
    this.#idle.length = 0
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
    const view = viewOf(await this.#send(sent, context, signal))
    const objects: Decoded<R>[] = []
    for (const message of messages(view)) {
      if (message.sequence !== sequence) continue
      if (message.type === messageType.error) {
        const ack = readAcknowledgement(view, message)
        if (ack.errno) throw toError(ack, request, sent)
        if (ack.message)
          process.emitWarning(`${context.operation}${context.subject ? ` ${context.subject}` : ''}: ${ack.message}`, 'NetloomWarning')
      } else if (reply && message.type === reply.type) objects.push(reply.codec.read(view, message.from, message.to) as Decoded<R>)
    }
    return objects
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

  async *#chunks<C extends AnyCodec, R extends AnyCodec>(
    request: Request<C>,
    reply: Reply<R>,
    part: { socket?: NetlinkSocket } = {},
  ): AsyncGenerator<Decoded<R>[], { consistent: boolean }> {
    const { flags = 0, context, signal } = request
    if (signal?.aborted) throw new AbortError(context.operation, signal)
    const writer = new Writer(256)
    const sequence = this.#sequence
    encode(writer, request, flags | requestFlags.request | requestFlags.dump, sequence)
    this.#take(1)
    const sent = writer.copy()
    const socket = await this.#dumpSocket(context)
    part.socket = socket
    let step = socket.exchange(sent, dumpChunk)
    let finished = false
    let interrupted = false
    try {
      while (!finished) {
        const { data, done } = await orAborted(step, context.operation, signal)
        finished = done
        if (!done) {
          step = socket.more(dumpChunk)
          // Nobody looks at it before the reader comes back for more, and a reader that leaves early never does.
          step.catch(() => undefined)
        }
        const view = viewOf(data)
        const objects: Decoded<R>[] = []
        for (const message of messages(view)) {
          if (message.flags & requestFlags.dumpInterrupted) interrupted = true
          if (message.type === reply.type) objects.push(reply.codec.read(view, message.from, message.to) as Decoded<R>)
          else if (message.type === messageType.done || message.type === messageType.error)
            interrupted = dumpEnded(view, message, request, sent) || interrupted
        }
        if (objects.length) yield objects
      }
      return { consistent: !interrupted }
    } catch (error) {
      throw this.#closed && !(error instanceof AbortError) ? closedError(context) : systemError(error, naming(context))
    } finally {
      this.#dumping.delete(socket)
      if (finished && !this.#closed && this.#idle.length < idleDumpSockets) this.#idle.push(socket)
      else socket.close()
    }
  }

  #abandon(socket: NetlinkSocket | undefined): boolean {
    if (!socket || !this.#dumping.delete(socket)) return false
    socket.close()
    return true
  }

  async #dumpSocket(context: Context): Promise<NetlinkSocket> {
    if (this.#closed) throw closedError(context)
    try {
      const socket = this.#idle.pop() ?? (await native().openNetlink(this.#namespace, this.#protocol))
      if (!this.#closed) {
        this.#dumping.add(socket)
        return socket
      }
      socket.close()
    } catch (error) {
      throw systemError(error, naming(context))
    }
    throw closedError(context)
  }

  #take(count: number): void {
    this.#sequence += count
    // The header has 32 bits for it, and 0 is what the kernel's own notifications carry.
    if (this.#sequence > 0xf000_0000) this.#sequence = 1
  }
}

const viewOf = (data: Uint8Array) => new DataView(data.buffer, data.byteOffset, data.byteLength)
const naming = ({ operation, subject, namespace }: Context) => ({ operation, subject, namespace })
const closedError = (context: Context) => new NetloomError('ECANCELED', { ...naming(context), reason: 'the namespace has been closed' })

/** Writes a request; an argument that does not fit is reported under the caller's name for it. */
function encode(writer: Writer, { type, codec, value, context }: AnyRequest, flags: number, sequence: number): number {
  try {
    return frame(writer, type, flags, sequence, codec, value)
  } catch (error) {
    if (!isArgumentError(error) || error.path === undefined || !context.field) throw error
    throw relabel(error, context.field(error.path.split(/[.[\]]+/).filter(Boolean)) ?? error.path)
  }
}

/** Looks at the end of a dump: true when the kernel gave up half-way because the list changed. */
function dumpEnded(view: DataView, message: Framed, request: AnyRequest, sent: Uint8Array): boolean {
  const ack = readAcknowledgement(view, message)
  if (ack.errno && toError(ack, request, sent).code === 'EINTR') return true
  if (ack.errno) throw toError(ack, request, sent)
  return false
}
