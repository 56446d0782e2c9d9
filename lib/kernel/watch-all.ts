// Watching all namespaces that have a name, on one socket: the kernel passes on what happens in every namespace that ours has a number for.
import { DirectoryWatch } from '../namespace/directory-watch.js'
import { NETLINK_ROUTE } from '../protocol/netlink.js'
import { rtnetlinkGroups } from '../protocol/rtnetlink.js'
import { AbortError } from '../socket/error.js'
import { Subscription } from '../socket/subscription.js'
import type { Scope } from './scope.js'
import { groupsOf, type WatchEvent, type WatchKind, type WatchOptions } from './watch-events.js'
import { throwUnlessLeft, type WatchHold } from './watch-iterator.js'
import { Mailbox } from './watch-mail.js'
import { Members } from './watch-members.js'
import { WatchStream } from './watch-stream.js'

export async function* watchAll(
  here: Scope,
  kinds: readonly WatchKind[],
  { signal, receiveBuffer, namespaces }: WatchOptions,
  hold: WatchHold,
): AsyncGenerator<WatchEvent, void> {
  if (signal?.aborted) throw new AbortError('watch', signal)
  here.checkOpen()
  const objects = kinds.filter(kind => kind !== 'namespace')
  const all = namespaces === 'all' && objects.length > 0
  const groups = all ? [...groupsOf(objects), rtnetlinkGroups.nsid] : groupsOf(objects)
  const subscription = await Subscription.open(here.handle, NETLINK_ROUTE, groups, { receiveBuffer, allNamespaces: all })
  const release = here.onClose(() => subscription.close())
  const directory = new DirectoryWatch()
  const mail = new Mailbox(subscription, directory)
  hold.opened(() => {
    release()
    mail.close()
  })
  try {
    await directory.start()
    const stream = new WatchStream(subscription)
    for (;;) {
      stream.begin()
      const members = new Members(here, objects, { all, tellNamespaces: kinds.includes('namespace') }, directory, stream)
      yield { type: 'reset' }
      yield* members.start(signal)
      yield { type: 'ready' }
      // What came before a gap is overtaken by the state that is read after it.
      while (!stream.lost) {
        yield* members.apply(signal)
        const { names, readable } = await mail.next(signal)
        if (readable) await stream.take()
        if (names && !stream.lost) yield* members.look(names, signal)
      }
    }
  } catch (error) {
    throwUnlessLeft(error, signal, hold)
  } finally {
    hold.end()
  }
}
