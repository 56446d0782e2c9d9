// The answer to one request: the objects that it gives, its acknowledgement, and what the kernel says before it is over.
import type { AnyCodec, Decoded } from '../codec/codec.js'
import { viewOf } from '../codec/walk.js'
import { Writer } from '../codec/writer.js'
import { messageType, requestFlags } from '../protocol/netlink.js'
import { readAcknowledgement, toError } from './acknowledgement.js'
import { systemError } from './error.js'
import { encode, messages } from './frame.js'
import type { NetlinkSocket } from './native.js'
import { type AnyRequest, naming, type Reply, type Request } from './request.js'

/** What was answered to a request of this number. Throws what it was refused with. */
export function readAnswer<R extends AnyCodec>(
  answer: Uint8Array,
  { request, sent, sequence }: { readonly request: AnyRequest; readonly sent: Uint8Array; readonly sequence: number },
  reply?: Reply<R>,
): Decoded<R>[] {
  const { context } = request
  const view = viewOf(answer)
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

/**
 * Sends one request on a socket of its own, which is closed in the end, and resolves once it has been carried out: at the kernel's echo
 * (NLM_F_ECHO), and without one at the end. `over` tells the end. Rejects with what it was refused with.
 */
export async function requestDone<C extends AnyCodec>(
  socket: NetlinkSocket,
  request: Request<C>,
): Promise<{ readonly over: Promise<void> }> {
  const { flags = 0, context } = request
  const sequence = 1
  const writer = new Writer(256)
  try {
    encode(writer, request, flags | requestFlags.request | requestFlags.ack | requestFlags.echo, sequence)
    const sent = writer.copy()
    const over = socket
      .exchange(sent, undefined, true)
      .then(({ data }) => void readAnswer(data, { request, sent, sequence }))
      .finally(() => socket.close())
    // Nobody waits for it when the exchange is over first, which closes the socket under it.
    const first = socket.peek().catch(() => undefined)
    const early = await Promise.race([first, over])
    if (!early || [...messages(viewOf(early))].some(({ type }) => type === messageType.error)) await over
    return { over }
  } catch (error) {
    socket.close()
    throw systemError(error, naming(context))
  }
}
