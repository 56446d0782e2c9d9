// What the kernel answered to requests that it took as one: which of them it refuses, and the objects of those that ask for an answer.
import type { AnyCodec, Decoded } from '../codec/codec.js'
import { messageType } from '../protocol/netlink.js'
import { readAcknowledgement, toError } from './acknowledgement.js'
import { messages } from './frame.js'
import type { AnyRequest, Refusal, Reply } from './request.js'

/** Errors that are looked into: finding the field costs a walk through the request, and nobody reads more. */
const mostErrors = 64

export interface Transmission<T> {
  /** In the order of the requests. */
  readonly refusals: readonly Refusal[]
  /** How many are refused, those included that are not among `refusals`. */
  readonly refused: number
  /** Whether a request was acknowledged. */
  readonly acknowledged: boolean
  /** By request. */
  readonly objects: ReadonlyMap<number, readonly T[]>
  /** There were more answers than the receive buffer holds. */
  readonly lost: boolean
}

/** `sent` gives the bytes of a request. */
export function readTransmission<R extends AnyCodec>(
  view: DataView,
  requests: readonly (AnyRequest & { readonly reply?: Reply<R> | undefined })[],
  first: number,
  sent: (index: number) => Uint8Array,
): Omit<Transmission<Decoded<R>>, 'lost'> {
  const refusals: Refusal[] = []
  const objects = new Map<number, Decoded<R>[]>()
  let refused = 0
  let acknowledged = false
  for (const message of messages(view)) {
    const index = message.sequence - first
    const request = requests[index]
    if (!request) continue
    if (message.type === messageType.error) {
      const ack = readAcknowledgement(view, message)
      acknowledged ||= ack.errno === 0
      if (ack.errno === 0) continue
      refused++
      if (refusals.length < mostErrors) refusals.push({ index, error: toError(ack, request, sent(index)) })
    } else if (request.reply?.type === message.type) {
      const made = objects.get(index) ?? []
      made.push(request.reply.codec.read(view, message.from, message.to) as Decoded<R>)
      objects.set(index, made)
    }
  }
  refusals.sort((a, b) => a.index - b.index)
  return { refusals, refused, acknowledged, objects }
}
