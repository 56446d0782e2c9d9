// Dumps: lists of any length, read slice by slice while the kernel waits, each on a socket of its own.
import { setImmediate } from 'node:timers/promises'
import type { AnyCodec, Decoded } from '../codec/codec.js'
import { viewOf } from '../codec/walk.js'
import { Writer } from '../codec/writer.js'
import { messageType, requestFlags } from '../protocol/netlink.js'
import { readAcknowledgement, toError } from './acknowledgement.js'
import { AbortError, orAborted, systemError } from './error.js'
import { encode, type Framed, messages } from './frame.js'
import type { NetlinkSocket } from './native.js'
import { type AnyRequest, type Context, naming, type Reply, type Request } from './request.js'
import { expectClose, wasClosed } from './unclosed.js'

/** Bytes that are read, and turned into objects, at a time: some 40 links or 1,200 routes. */
const sliceBytes = 64 * 1024
/** Slices that are fetched while one is looked at: on a busy machine the thread that reads and the one that decodes wait less for each other. */
const ahead = 8
/** Milliseconds after which other work of the event loop has its turn. */
const longestTurn = 4
const idleSockets = 2

/** What a caller wants of an object; undefined leaves it out. Done slice by slice, so that a long list holds nobody up. */
export type Each<T, U> = (object: T) => U | undefined
/** Slices of a list, none of them empty; at the end it says whether they are of one state of the kernel's list. */
export type Slices<T> = AsyncGenerator<T[], { consistent: boolean }, void>

/** The sockets of a connection for dumps: a long one delays nobody, and one that is cancelled can simply be closed. */
export class Dumps {
  readonly #open: () => Promise<NetlinkSocket>
  readonly #closedError: (context: Context) => Error
  readonly #idle: NetlinkSocket[] = []
  readonly #busy = new Set<NetlinkSocket>()
  #sequence = 1
  #closed = false

  constructor(open: () => Promise<NetlinkSocket>, closedError: (context: Context) => Error) {
    this.#open = open
    this.#closedError = closedError
  }

  async *slices<C extends AnyCodec, R extends AnyCodec, T>(request: Request<C>, reply: Reply<R>, each: Each<Decoded<R>, T>): Slices<T> {
    const { flags = 0, context, signal } = request
    if (signal?.aborted) throw new AbortError(context.operation, signal)
    const writer = new Writer(256)
    encode(writer, request, flags | requestFlags.request | requestFlags.dump, this.#nextSequence())
    const sent = writer.copy()
    const socket = await this.#take(context)
    // Whoever drops an iterator half-way never gets to its end, where the socket would be given back.
    const started = {}
    expectClose(started, {
      what: `an iterator (${context.operation})`,
      advice: 'leave its loop, or call return()',
      free: abandoning(socket, this.#busy),
    })
    const steps = [socket.exchange(sent, sliceBytes)]
    let since = performance.now()
    let finished = false
    let consistent = true
    try {
      while (!finished) {
        const { data, done } = await orAborted(steps.shift()!, context.operation, signal)
        finished = done
        while (!done && steps.length < ahead) {
          const step = socket.more(sliceBytes)
          // Nobody looks at it before the reader comes back for more; who leaves early never does, and after the end they fail.
          step.catch(() => undefined)
          steps.push(step)
        }
        const view = viewOf(data)
        const slice: T[] = []
        for (const message of messages(view)) {
          if (message.flags & requestFlags.dumpInterrupted) consistent = false
          if (message.type === reply.type) {
            const object = each(reply.codec.read(view, message.from, message.to) as Decoded<R>)
            if (object !== undefined) slice.push(object)
          } else if (message.type === messageType.done || message.type === messageType.error)
            consistent = !dumpEnded(view, message, request, sent) && consistent
        }
        if (slice.length) yield slice
        // Answers that come as fast as they are read would keep timers and other sockets waiting until the end of the list.
        if (performance.now() - since > longestTurn) {
          await setImmediate()
          since = performance.now()
        }
      }
      return { consistent }
    } catch (error) {
      throw this.#closed && !(error instanceof AbortError) ? this.#closedError(context) : systemError(error, naming(context))
    } finally {
      wasClosed(started)
      this.#busy.delete(socket)
      if (finished && !this.#closed && this.#idle.length < idleSockets) this.#idle.push(socket)
      else socket.close()
    }
  }

  /** Closes the sockets, those too that are being read. */
  close(): void {
    this.#closed = true
    for (const socket of [...this.#idle, ...this.#busy]) socket.close()
    this.#idle.length = 0
  }

  async #take(context: Context): Promise<NetlinkSocket> {
    if (this.#closed) throw this.#closedError(context)
    try {
      const socket = this.#idle.pop() ?? (await this.#open())
      if (!this.#closed) {
        this.#busy.add(socket)
        return socket
      }
      socket.close()
    } catch (error) {
      throw systemError(error, naming(context))
    }
    throw this.#closedError(context)
  }

  #nextSequence(): number {
    // The header has 32 bits for it, and 0 is what the kernel's own notifications carry.
    if (this.#sequence > 0xf000_0000) this.#sequence = 1
    return this.#sequence++
  }
}

/** Made where the iterator cannot be seen, which would otherwise be held by its own finalizer. */
const abandoning = (socket: NetlinkSocket, busy: Set<NetlinkSocket>) => () => {
  if (!busy.delete(socket)) return false
  socket.close()
  return true
}

/** Looks at the end of a dump: true when the kernel gave up half-way because the list changed. */
function dumpEnded(view: DataView, message: Framed, request: AnyRequest, sent: Uint8Array): boolean {
  const ack = readAcknowledgement(view, message)
  if (ack.errno && toError(ack, request, sent).code === 'EINTR') return true
  if (ack.errno) throw toError(ack, request, sent)
  return false
}
