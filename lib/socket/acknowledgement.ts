// What the kernel says at the end of a request: an errno, and in the extended acknowledgement why, and which byte of the request was wrong.
import type { AnyCodec, Decoded } from '../codec/codec.js'
import { MalformedError } from '../codec/errors.js'
import { type Located, locate, missing } from '../codec/walk.js'
import { littleEndian as LE } from '../codec/writer.js'
import { extendedAck, messageType, requestFlags } from '../protocol/netlink.js'
import { errnoName, errnoWords } from './errno.js'
import { NetloomError } from './error.js'
import { type Framed, headerLength } from './frame.js'
import { type Context, pathWithin } from './request.js'

export interface Acknowledgement {
  /** Positive; 0 when all went well. */
  readonly errno: number
  /** The kernel's words: with errno 0 a warning. */
  readonly message?: string | undefined
  readonly extended: Partial<Decoded<typeof extendedAck>>
}

/** Reads NLMSG_ERROR and NLMSG_DONE (struct nlmsgerr, then the request unless it was capped, then the attributes). */
export function readAcknowledgement(view: DataView, { type, flags, from, to }: Framed): Acknowledgement {
  const errno = to - from >= 4 ? Math.abs(view.getInt32(from, LE)) : 0
  if (!(flags & requestFlags.ackTlvs)) return { errno, extended: {} }
  let at = from + 4
  if (type === messageType.error) {
    const echoed = at + headerLength <= to ? view.getUint32(at, LE) : 0
    at += flags & requestFlags.capped ? headerLength : Math.max(headerLength, (echoed + 3) & ~3)
  }
  if (at >= to) return { errno, extended: {} }
  const extended = extendedAck.read(view, at, to) as Decoded<typeof extendedAck>
  return { errno, message: extended.msg, extended }
}

/** The refusal as an error whose path is in the caller's terms. */
export function toError(
  { errno, extended }: Acknowledgement,
  { codec, context }: { readonly codec: AnyCodec; readonly context: Context },
  sent: Uint8Array,
): NetloomError {
  const { operation, subject, namespace, field, within, at, hints } = context
  const found = locateRefused(codec, extended, sent)
  const path = pathWithin(within, at ?? (found && (field ? field(found.path) : found.path.join('.'))))
  const limits = describePolicy(extended.policy)
  const words = extended.msg ?? errnoWords(errno)
  return new NetloomError(errno, {
    operation,
    subject,
    namespace,
    path,
    attribute: at === undefined ? found?.attribute : undefined,
    reason: limits ? `${words} (${limits})` : words,
    hint: hints?.[errnoName(errno)],
  })
}

function locateRefused(codec: AnyCodec, { offs, missType, missNest }: Acknowledgement['extended'], sent: Uint8Array): Located | undefined {
  try {
    if (offs !== undefined) return locate(codec, sent, offs, headerLength)
    if (missType !== undefined) return missing(codec, sent, missType, missNest, headerLength)
  } catch (error) {
    // Our own table cannot read what it wrote: the kernel's refusal is still the thing to report.
    if (!(error instanceof MalformedError)) throw error
  }
  return undefined
}

function describePolicy(policy: Acknowledgement['extended']['policy']): string {
  if (!policy) return ''
  const low = policy.minValueU ?? policy.minValueS
  const high = policy.maxValueU ?? policy.maxValueS
  if (low !== undefined && high !== undefined) return `allowed: ${low} to ${high}`
  if (policy.maxLength !== undefined) return `at most ${policy.maxLength} bytes`
  return ''
}
