// Connections as they come, change and go: notifications of ctnetlink as an async iterator.
import type { Decoded } from '../codec/codec.js'
import { labelOf } from '../namespace/info.js'
import { conntrackMessages, conntrack as conntrackTable } from '../protocol/conntrack.js'
import { netfilterGroups } from '../protocol/netfilter.js'
import { NETLINK_NETFILTER, requestFlags } from '../protocol/netlink.js'
import { AbortError, orAborted } from '../socket/error.js'
import { type Notification, Subscription } from '../socket/subscription.js'
import { checkOptions, isInteger, isList, isOneOf, isSignal } from './arguments.js'
import { type ConntrackFilter, isFilter, prepare } from './conntrack-filter.js'
import { type ConntrackEntry, toConntrack } from './conntrack-object.js'
import type { Scope } from './scope.js'
import { throwUnlessLeft, WatchHold, WatchIterator } from './watch-iterator.js'

const groups = {
  new: netfilterGroups.conntrackNew,
  update: netfilterGroups.conntrackUpdate,
  destroy: netfilterGroups.conntrackDestroy,
} as const
export type ConntrackChange = keyof typeof groups
/**
 * 'ready': from here on everything is told. 'lost': the reader was too slow and the kernel dropped some; list() says what is there now.
 */
export type ConntrackEvent =
  | { readonly type: 'ready' }
  | { readonly type: 'lost' }
  | { readonly type: ConntrackChange; readonly entry: ConntrackEntry }
export interface ConntrackWatchOptions {
  /** Which changes; all by default. */
  readonly events?: readonly ConntrackChange[]
  /** Which connections. What went says neither its status nor, without one, its mark. */
  readonly filter?: Omit<ConntrackFilter, 'status'>
  readonly signal?: AbortSignal | undefined
  /** Bytes that the kernel may keep for a reader that is behind, before events are lost. */
  readonly receiveBuffer?: number | undefined
}

export function watchConntrack(scope: Scope, options: ConntrackWatchOptions = {}): AsyncGenerator<ConntrackEvent, void> {
  checkOptions(options, {
    events: isList(isOneOf(Object.keys(groups))),
    filter: isFilter,
    signal: isSignal,
    receiveBuffer: isInteger(1, 0x7fff_ffff),
  })
  const hold = new WatchHold(options.signal)
  return new WatchIterator(told(scope, options, hold), hold, `a watch of connections in ${labelOf(scope.info)}`)
}

async function* told(
  scope: Scope,
  { events = Object.keys(groups) as ConntrackChange[], filter = {}, signal, receiveBuffer }: ConntrackWatchOptions,
  hold: WatchHold,
): AsyncGenerator<ConntrackEvent, void> {
  if (signal?.aborted) throw new AbortError('watch', signal)
  const { matches } = prepare(filter)
  const wanted = events.map(event => groups[event])
  const subscription = await Subscription.open(scope.handle, NETLINK_NETFILTER, wanted, { receiveBuffer })
  const release = scope.onClose(() => subscription.close())
  hold.opened(() => {
    release()
    subscription.close()
  })
  try {
    yield { type: 'ready' }
    for (;;) {
      const { lost, messages } = await orAborted(subscription.next(), 'watch', signal)
      if (lost) yield { type: 'lost' }
      for (const message of messages) {
        const type = changeOf(message)
        if (!type) continue
        const entry = toConntrack(conntrackTable.read(message.view, message.from, message.to) as Decoded<typeof conntrackTable>)
        if (matches(entry)) yield { type, entry }
      }
    }
  } catch (error) {
    throwUnlessLeft(error, signal, hold)
  } finally {
    hold.end()
  }
}

function changeOf({ type, flags }: Notification): ConntrackChange | undefined {
  if (type === conntrackMessages.delete) return 'destroy'
  if (type !== conntrackMessages.new) return undefined
  return flags & requestFlags.create ? 'new' : 'update'
}
