// What can be said of a connection when it is made or changed, and the message for it.
import { argumentError, expectObject, shown } from '../codec/errors.js'
import { conntrackStatus, sctpStates, tcpStates } from '../protocol/conntrack.js'
import { checkOptions, conflict, isInteger, isList, isOneOf, isRead, isText, isUnsigned, lacking, present } from './arguments.js'
import {
  type ConntrackDirection,
  type ConntrackEntry,
  type ConntrackMessage,
  type ConntrackTuple,
  named,
  wholeTuple,
} from './conntrack-object.js'
import { protocolNumber } from './ip-protocols.js'

/** Left out: stays as it is. */
export interface ConntrackChanges {
  readonly mark?: number
  /** Bits of the mark that change; all by default. */
  readonly markMask?: number
  /** Seconds until it is forgotten, unless a packet comes. */
  readonly timeout?: number
  /** To be set besides those that are: 'assured', 'seenReply', 'fixedTimeout'. */
  readonly status?: readonly string[]
}
/** A connection to make. */
export interface ConntrackCreate extends ConntrackTuple {
  /** As answers will come; the reverse of the first packet unless told. */
  readonly reply?: ConntrackDirection
  readonly timeout: number
  readonly mark?: number
  readonly status?: readonly string[]
  /** TCP and SCTP; 'established' by default. */
  readonly state?: string
}

const isStatus = isList(isOneOf(Object.keys(conntrackStatus)))
const isTimeout = isInteger(0, 0x7fff_ffff)
const tcp = 6
const sctp = 132

/** The message that changes a connection. */
export function changed(
  which: ConntrackTuple | ConntrackEntry,
  changes: ConntrackChanges,
  current: readonly string[] = [],
): ConntrackMessage {
  checkOptions(changes, { mark: isUnsigned, markMask: isUnsigned, timeout: isTimeout, status: isStatus })
  const { mark, markMask, timeout, status } = changes
  if (mark === undefined && timeout === undefined && status === undefined)
    throw argumentError('ERR_NETLOOM_MISSING_OPTION', 'say what shall change: mark, timeout or status')
  if (markMask !== undefined && mark === undefined) throw conflict('markMask', 'is about a mark, and none is given')
  return {
    ...named(which),
    ...present({ mark, markMask, timeout, status: status && ([...new Set([...current, ...status])] as Status) }),
  }
}
type Status = (keyof typeof conntrackStatus)[]

/** The message that makes a connection. */
export function created(connection: ConntrackCreate): ConntrackMessage {
  expectObject(connection)
  const { reply, timeout, mark, status, state, ...tuple } = connection
  checkOptions(
    { reply, timeout, mark, status, state },
    { reply: isRead, timeout: isTimeout, mark: isUnsigned, status: isStatus, state: isText(20) },
  )
  if (timeout === undefined) throw lacking('timeout', 'say for how many seconds')
  const original = named(tuple)
  const protocol = protocolNumber(connection.protocol)
  const back = wholeTuple(reply ?? reversed(tuple), connection.protocol, 'reply')
  return {
    ...original,
    tupleReply: back.tuple,
    timeout,
    ...present({ mark, status: status && ([...new Set(['confirmed', ...status])] as Status), protoinfo: protoinfo(protocol, state) }),
  }
}
/** ICMP: the answer to an echo request (8, 128), or the other way round. */
const answers: Readonly<Record<number, number>> = { 8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 128: 129, 129: 128 }

function reversed({
  source,
  destination,
  sourcePort,
  destinationPort,
  icmpType,
  icmpCode,
  icmpId,
}: ConntrackDirection): ConntrackDirection {
  return {
    source: destination,
    destination: source,
    ...present({
      sourcePort: destinationPort,
      destinationPort: sourcePort,
      icmpType: icmpType === undefined ? undefined : (answers[icmpType] ?? icmpType),
      icmpCode,
      icmpId,
    }),
  }
}

function protoinfo(protocol: number, state: string | undefined): ConntrackMessage['protoinfo'] {
  const chosen = <N extends Readonly<Record<string, number>>>(names: N): keyof N & string => {
    const name = state ?? 'established'
    if (!Object.hasOwn(names, name))
      throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `${shown(name)} is none of ${Object.keys(names).join(', ')}`, 'state')
    return name
  }
  if (protocol === tcp) return { tcp: { state: chosen(tcpStates) } }
  if (protocol === sctp) return { sctp: { state: chosen(sctpStates), vtagOriginal: 0, vtagReply: 0 } }
  if (state !== undefined) throw conflict('state', 'only TCP and SCTP have one')
  return undefined
}
