// Changes of the rule set as one atomic batch: sent in one system call, all of it or nothing, tried again where the kernel says so.
import type { AnyCodec } from '../../codec/codec.js'
import { netfilterBatch, netfilterMessages, netfilterSubsystems } from '../../protocol/netfilter.js'
import { requestFlags } from '../../protocol/netlink.js'
import { AbortError, NetloomError } from '../../socket/error.js'
import type { AnyRequest, Context, Refusal, Reply } from '../../socket/request.js'
import type { Transmission } from '../../socket/transmission.js'
import type { Scope } from '../scope.js'
import { attempts, backOff } from './contention.js'

/** One message of a batch. */
export type Change = AnyRequest & {
  /** With NLM_F_ECHO: what the kernel answers with what it has made. */
  readonly reply?: Reply<AnyCodec> | undefined
}
export interface Batch {
  readonly changes: readonly Change[]
  /** The state of the rule set that the changes rest on: in another one they are refused. */
  readonly generation?: number | undefined
}
export interface CommitOptions {
  readonly operation: string
  readonly signal?: AbortSignal | undefined
  /** The generation is the caller's: a stale one is not made up for by preparing anew. */
  readonly fixed?: boolean
}
/** What the kernel made of the changes that asked for it, by their place. */
export type Made = ReadonlyMap<number, readonly unknown[]>

/** On the batch itself: the rule set is another one by now, a signal came, the subsystem is being loaded. */
const passing = ['ERESTART', 'EINTR', 'EBUSY', 'EAGAIN']
/** Memory that the kernel accounts for an error; an echo takes about what was sent. */
const errorCharge = 1024

/**
 * Carries out what `prepare` gives, or nothing. After a refusal that others have caused it is prepared again.
 *
 * The error is the first refusal; `errors` has them all. AbortError means that nothing has been changed.
 */
export async function commit(scope: Scope, prepare: () => Batch | Promise<Batch>, options: CommitOptions): Promise<Made> {
  const { operation, signal, fixed } = options
  const connection = await scope.netfilter()
  for (let attempt = 1; ; attempt++) {
    if (signal?.aborted) throw new AbortError(operation, signal)
    const { changes, generation } = await prepare()
    if (changes.length === 0) return new Map()
    const requests = enclose(changes, generation, { operation, namespace: scope.label })
    const answerBytes = answerSize(changes)
    const transmission = await connection.transmit(requests, { signal, answerBytes })
    const disturbed = transmission.refusals.find(({ index, error }) => index === 0 && passing.includes(error.code))
    if (!disturbed || attempt === attempts || (fixed && disturbed.error.code === 'ERESTART')) {
      judge(transmission, disturbed, { operation, namespace: scope.label })
      return new Map([...transmission.objects].map(([index, objects]) => [index - 1, objects]))
    }
    await backOff(attempt, operation, signal)
  }
}

/** Begin, changes, end. The last change is acknowledged, so that there is an answer when all goes well. */
function enclose(changes: readonly Change[], generation: number | undefined, context: Context): Change[] {
  const frame = (type: number, genid?: number): Change => ({
    type,
    codec: netfilterBatch,
    value: { resId: netfilterSubsystems.nftables, genid },
    context,
  })
  const last = changes.at(-1)!
  return [
    frame(netfilterMessages.batchBegin, generation),
    ...changes.slice(0, -1),
    { ...last, flags: (last.flags ?? 0) | requestFlags.ack },
    frame(netfilterMessages.batchEnd),
  ]
}

function answerSize(changes: readonly Change[]): number {
  const echoes = changes.reduce((sum, { reply }) => sum + (reply ? 1 : 0), 0)
  return 64 * errorCharge + (changes.length + 4 * echoes) * errorCharge
}

function judge(transmission: Transmission<unknown>, disturbed: Refusal | undefined, context: Context): void {
  const { refusals, refused, acknowledged, lost } = transmission
  const [first] = refusals
  if (disturbed?.error.code === 'ERESTART')
    throw new NetloomError('ERESTART', {
      ...context,
      reason: 'the rule set has been changed by somebody else since it was read',
      hint: 'nothing was changed: read it again',
    })
  if (first) throw refusals.length === 1 && refused === 1 ? first.error : severally(first.error, refusals, refused)
  if (!acknowledged)
    throw new NetloomError(lost ? 'ENOBUFS' : 'EIO', {
      ...context,
      reason: lost
        ? 'the answer was lost because the socket buffer overflowed: whether it was carried out is not known'
        : 'the kernel gave no answer',
      hint: 'list() tells what there is now; raise net.core.rmem_max',
    })
}

function severally(first: NetloomError, refusals: readonly Refusal[], refused: number): NetloomError {
  const { operation, subject, namespace, path, attribute, hint, cause } = first
  const reason = `${first.reason ?? ''} (and ${refused - 1} more ${refused === 2 ? 'refusal' : 'refusals'})`
  const errors = refusals.map(({ error }) => error)
  return new NetloomError(first.errno ?? first.code, { operation, subject, namespace, path, attribute, reason, hint, cause, errors })
}
