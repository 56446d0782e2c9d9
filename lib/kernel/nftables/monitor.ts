// Changes of the rule set as they happen: notifications of nf_tables as an async iterator, the equivalent of `nft -j monitor`.
import { labelOf } from '../../namespace/info.js'
import { netfilterGroups } from '../../protocol/netfilter.js'
import { NETLINK_NETFILTER } from '../../protocol/netlink.js'
import { AbortError, orAborted } from '../../socket/error.js'
import { Subscription } from '../../socket/subscription.js'
import { checkOptions, isInteger, isSignal } from '../arguments.js'
import type { Scope } from '../scope.js'
import { throwUnlessLeft, WatchHold, WatchIterator } from '../watch-iterator.js'
import { KnownSets } from './known-sets.js'
import { ChangeReader } from './monitor-change.js'
import type { RulesetObject } from './objects.js'
import { readGeneration } from './read.js'

/**
 * 'ready': from here on everything is told; `generation` is the state that it starts from. 'lost': the reader was too slow and the kernel
 * dropped some; list() says what is there now, and everything up to the 'generation' that list() names is in it. 'generation': the changes
 * told since the last one were one transaction, by this process, and have led to this state. Linux before 5.15 tells every rule as an 'insert',
 * wherever it has been put.
 */
export type MonitorEvent =
  | { readonly type: 'ready'; readonly generation: number }
  | { readonly type: 'lost' }
  | { readonly type: 'change'; readonly action: 'add' | 'insert' | 'delete'; readonly object: RulesetObject }
  | { readonly type: 'generation'; readonly generation: number; readonly process: { readonly pid: number; readonly name: string } }
export interface MonitorOptions {
  readonly signal?: AbortSignal | undefined
  /** Bytes that the kernel may keep for a reader that is behind, before events are lost. */
  readonly receiveBuffer?: number | undefined
}

export function monitorRuleset(scope: Scope, options: MonitorOptions = {}): AsyncGenerator<MonitorEvent, void> {
  checkOptions<MonitorOptions>(options, { signal: isSignal, receiveBuffer: isInteger(1, 0x7fff_ffff) })
  const hold = new WatchHold(options.signal)
  return new WatchIterator(told(scope, options, hold), hold, `a monitor of the rule set in ${labelOf(scope.info)}`)
}

async function* told(scope: Scope, { signal, receiveBuffer }: MonitorOptions, hold: WatchHold): AsyncGenerator<MonitorEvent, void> {
  if (signal?.aborted) throw new AbortError('watch', signal)
  const subscription = await Subscription.open(scope.handle, NETLINK_NETFILTER, [netfilterGroups.nftables], { receiveBuffer })
  const release = scope.onClose(() => subscription.close())
  hold.opened(() => {
    release()
    subscription.close()
  })
  const sets = new KnownSets(scope)
  const reader = new ChangeReader(scope, sets)
  try {
    const generation = await readGeneration(scope, signal)
    await sets.read(signal)
    yield { type: 'ready', generation }
    for (;;) {
      const { lost, messages } = await orAborted(subscription.next(), 'watch', signal)
      if (lost) {
        reader.forget()
        await sets.read(signal)
        yield { type: 'lost' }
      }
      for (const message of messages) {
        yield* await reader.read(message)
      }
    }
  } catch (error) {
    throwUnlessLeft(error, signal, hold)
  } finally {
    hold.end()
  }
}
