// What became of each request of many that were sent together.
import type { AnyCodec, Decoded } from '../codec/codec.js'
import { viewOf } from '../codec/walk.js'
import { messageType } from '../protocol/netlink.js'
import { readAcknowledgement, toError } from './acknowledgement.js'
import { messages } from './frame.js'
import type { AnyRequest, Outcome, Refusal, Reply } from './request.js'

/** Messages as they were sent: where each starts, and the sequence number of the first. */
export interface Sent {
  readonly bytes: Uint8Array
  readonly starts: readonly number[]
  readonly first: number
}

/** The outcomes in the order of the requests; those of which the answer says nothing have succeeded. */
export function readOutcomes<R extends AnyCodec = never>(
  requests: readonly AnyRequest[],
  { bytes, starts, first }: Sent,
  answer: Uint8Array,
  reply?: Reply<R>,
): Outcome<Decoded<R>>[] {
  const outcomes: (Outcome<Decoded<R>> | undefined)[] = new Array(requests.length).fill(undefined)
  const view = viewOf(answer)
  for (const message of messages(view)) {
    const i = message.sequence - first
    const request = requests[i]
    if (!request) continue
    const { error, objects = [] } = outcomes[i] ?? {}
    if (message.type === messageType.error) {
      const ack = readAcknowledgement(view, message)
      if (ack.errno) outcomes[i] = { error: toError(ack, request, bytes.subarray(starts[i], starts[i + 1])), objects }
    } else if (reply && message.type === reply.type) {
      const object = reply.codec.read(view, message.from, message.to) as Decoded<R>
      outcomes[i] = { ...(error && { error }), objects: [...objects, object] }
    }
  }
  return outcomes.map(outcome => outcome ?? nothingSaid)
}

/** As readOutcomes(), where only refusals matter. */
export function readRefusals(requestOf: (index: number) => AnyRequest, { bytes, starts, first }: Sent, answer: Uint8Array): Refusal[] {
  const refusals: Refusal[] = []
  const view = viewOf(answer)
  for (const message of messages(view)) {
    const index = message.sequence - first
    if (message.type !== messageType.error || index < 0 || index >= starts.length) continue
    const ack = readAcknowledgement(view, message)
    if (ack.errno) refusals.push({ index, error: toError(ack, requestOf(index), bytes.subarray(starts[index], starts[index + 1])) })
  }
  return refusals.sort((a, b) => a.index - b.index)
}

const nothingSaid = { objects: [] as const }
