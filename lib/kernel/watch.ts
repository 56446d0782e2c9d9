// Every change of links, addresses, routes and neighbours as data: after the start, and after events were lost, the whole present state first.

import { argumentError, shown } from '../codec/errors.js'
import { labelOf } from '../namespace/info.js'
import { NETLINK_ROUTE } from '../protocol/netlink.js'
import { AbortError, orAborted } from '../socket/error.js'
import { Subscription } from '../socket/subscription.js'
import { checkOptions, isInteger, isOneOf, isSignal } from './arguments.js'
import type { Scope } from './scope.js'
import { watchAll } from './watch-all.js'
import { groupsOf, type WatchEvent, type WatchKind, type WatchOptions, watchKinds } from './watch-events.js'
import { throwUnlessLeft, WatchHold, WatchIterator } from './watch-iterator.js'
import { WatchState } from './watch-state.js'

/**
 * Watches one namespace or all.
 *
 * Ends when the loop is left or return() is called; throws AbortError for the signal, ECANCELED when the namespace is closed. It never ends by itself.
 */
export function watch<K extends WatchKind>(
  scope: Scope,
  kinds: readonly K[],
  options: WatchOptions = {},
): AsyncGenerator<WatchEvent<K>, void> {
  if (!Array.isArray(kinds) || kinds.length === 0)
    throw argumentError('ERR_NETLOOM_INVALID_OPTION', `a list of ${watchKinds.join(', ')}`, 'kinds')
  kinds.forEach((kind, i) => {
    if (!watchKinds.includes(kind))
      throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `${shown(kind)} is none of ${watchKinds.join(', ')}`, `kinds[${i}]`)
  })
  checkOptions(options, { signal: isSignal, namespaces: isOneOf(['all']), receiveBuffer: isInteger(1, 0x7fff_ffff) })
  const everywhere = options.namespaces === 'all' || kinds.includes('namespace' as K)
  const hold = new WatchHold(options.signal)
  const events = everywhere ? watchAll(scope, kinds, options, hold) : watchOne(scope, kinds, options, hold)
  const what = `a watch of ${kinds.join(', ')} in ${options.namespaces === 'all' ? 'all namespaces' : labelOf(scope.info)}`
  return new WatchIterator(events, hold, what) as AsyncGenerator<WatchEvent, void> as AsyncGenerator<WatchEvent<K>, void>
}

async function* watchOne(
  scope: Scope,
  kinds: readonly WatchKind[],
  { signal, receiveBuffer }: WatchOptions,
  hold: WatchHold,
): AsyncGenerator<WatchEvent, void> {
  if (signal?.aborted) throw new AbortError('watch', signal)
  scope.checkOpen()
  // Listening begins before the state is read, so that nothing falls between the two.
  const subscription = await Subscription.open(scope.handle, NETLINK_ROUTE, groupsOf(kinds), { receiveBuffer })
  const release = scope.onClose(() => subscription.close())
  hold.opened(() => {
    release()
    subscription.close()
  })
  try {
    for (;;) {
      const state = new WatchState(work => work(scope), scope.info, kinds)
      yield { type: 'reset' }
      yield* await state.read(signal)
      yield { type: 'ready' }
      for (let lost = false; !lost; ) {
        const received = await orAborted(subscription.next(), 'watch', signal)
        lost = received.lost
        // What came before the gap is overtaken by the state that is read after it.
        if (!lost) yield* state.apply(received.messages, signal)
      }
    }
  } catch (error) {
    throwUnlessLeft(error, signal, hold)
  } finally {
    hold.end()
  }
}
