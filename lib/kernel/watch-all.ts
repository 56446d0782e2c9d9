// Watching all namespaces that have a name, on one socket: the kernel passes on what happens in every namespace that ours has a number for.
import { DirectoryWatch } from '../namespace/directory-watch.js'
import type { NamespaceInfo, OpenNamespace } from '../namespace/info.js'
import { listNamespaces } from '../namespace/list.js'
import { openSource } from '../namespace/source.js'
import { NETLINK_ROUTE } from '../protocol/netlink.js'
import { AbortError, NetloomError, orAborted } from '../socket/error.js'
import { type Notification, type Notifications, Subscription } from '../socket/subscription.js'
import { ensureNsid } from './nsid.js'
import { Scope } from './scope.js'
import { groupsOf, type WatchEvent, type WatchKind, type WatchOptions } from './watch-events.js'
import { throwUnlessLeft, type WatchHold } from './watch-iterator.js'
import { type Access, WatchState } from './watch-state.js'

/** A namespace that is being watched. */
interface Member {
  readonly info: NamespaceInfo
  /** Tells it from a later one of the same name and inode. */
  readonly cookie: bigint | undefined
  readonly nsid: number | undefined
  readonly state: WatchState
}
const isGone = (error: unknown) => error instanceof NetloomError && ['ENOENT', 'EINVAL', 'ESTALE', 'ESRCH'].includes(error.code)

export async function* watchAll(
  here: Scope,
  kinds: readonly WatchKind[],
  { signal, receiveBuffer, namespaces }: WatchOptions,
  hold: WatchHold,
): AsyncGenerator<WatchEvent, void> {
  if (signal?.aborted) throw new AbortError('watch', signal)
  const objects = kinds.filter(kind => kind !== 'namespace')
  const all = namespaces === 'all'
  const subscription = await Subscription.open(here.handle, NETLINK_ROUTE, groupsOf(objects), { receiveBuffer, allNamespaces: all })
  const release = here.onClose(() => subscription.close())
  const directory = new DirectoryWatch()
  const mail = new Mailbox(subscription, directory)
  hold.opened(() => {
    release()
    mail.close()
  })
  try {
    await directory.start()
    for (;;) {
      const members = new Members(here, objects, kinds.includes('namespace'), all, directory)
      yield { type: 'reset' }
      yield* members.start(signal)
      yield { type: 'ready' }
      for (let lost = false; !lost; ) {
        const { names, notifications } = await mail.next(signal)
        lost = notifications?.lost ?? false
        // What came before the gap is overtaken by the state that is read after it.
        if (!lost && notifications) yield* members.apply(notifications.messages, signal)
        if (!lost && names) yield* members.look(names, signal)
      }
    }
  } catch (error) {
    throwUnlessLeft(error, signal, hold)
  } finally {
    hold.end()
  }
}

interface Mail {
  names?: ReadonlySet<string> | 'all'
  notifications?: Notifications
}

/** Waits for two sources at once, and reads neither further before what came has been taken. */
class Mailbox {
  readonly #directory: DirectoryWatch
  readonly #subscription: Subscription
  #mail: Mail = {}
  #error: { readonly cause: unknown } | undefined
  #wake: (() => void) | undefined
  #readingNames = false
  #readingNotifications = false

  constructor(subscription: Subscription, directory: DirectoryWatch) {
    this.#subscription = subscription
    this.#directory = directory
  }

  async next(signal: AbortSignal | undefined): Promise<Mail> {
    for (;;) {
      if (this.#error) throw this.#error.cause
      const mail = this.#mail
      this.#mail = {}
      this.#read()
      if (mail.names || mail.notifications) return mail
      const arrival = new Promise<void>(resolve => {
        this.#wake = resolve
      })
      if (!this.#error && !this.#mail.names && !this.#mail.notifications) await orAborted(arrival, 'watch', signal)
    }
  }

  close(): void {
    this.#subscription.close()
    this.#directory.close()
  }

  #read(): void {
    const arrived = (mail: Mail) => {
      Object.assign(this.#mail, mail)
      this.#wake?.()
    }
    const failed = (cause: unknown) => {
      this.#error = { cause }
      this.#wake?.()
    }
    if (!this.#readingNames) {
      this.#readingNames = true
      this.#directory.next().then(names => {
        this.#readingNames = false
        arrived({ names })
      }, failed)
    }
    if (!this.#readingNotifications) {
      this.#readingNotifications = true
      this.#subscription.next().then(notifications => {
        this.#readingNotifications = false
        arrived({ notifications })
      }, failed)
    }
  }
}

class Members {
  readonly #here: Scope
  readonly #kinds: readonly WatchKind[]
  readonly #tellNamespaces: boolean
  readonly #all: boolean
  readonly #directory: DirectoryWatch
  readonly #byName = new Map<string, Member>()
  readonly #byNsid = new Map<number, Member>()
  readonly #own: WatchState

  constructor(here: Scope, kinds: readonly WatchKind[], tellNamespaces: boolean, all: boolean, directory: DirectoryWatch) {
    this.#here = here
    this.#kinds = kinds
    this.#tellNamespaces = tellNamespaces
    this.#all = all
    this.#directory = directory
    this.#own = new WatchState(work => work(here), here.info, kinds)
  }

  async *start(signal: AbortSignal | undefined): AsyncGenerator<WatchEvent> {
    yield* this.#own.read(signal)
    yield* this.look('all', signal)
  }

  /** Finds out what has become of names. */
  async *look(touched: ReadonlySet<string> | 'all', signal: AbortSignal | undefined): AsyncGenerator<WatchEvent> {
    const names = touched === 'all' ? new Set([...this.#byName.keys(), ...(await listNamespaces()).map(({ name }) => name ?? '')]) : touched
    for (const name of names) {
      if (signal?.aborted) throw new AbortError('watch', signal)
      yield* this.#lookAt(name, signal)
    }
  }

  async *apply(messages: readonly Notification[], signal: AbortSignal | undefined): AsyncGenerator<WatchEvent> {
    // In runs of one namespace, so that order is kept and routes are compared once for many changes.
    for (let i = 0; i < messages.length; ) {
      const { nsid } = messages[i]!
      let end = i + 1
      while (end < messages.length && messages[end]!.nsid === nsid) end++
      const run = messages.slice(i, end)
      i = end
      if (nsid === undefined) yield* this.#own.apply(run, signal)
      else {
        const member = this.#byNsid.get(nsid)
        if (member) yield* unlessGone(member.state.apply(run, signal))
      }
    }
  }

  async *#lookAt(name: string, signal: AbortSignal | undefined): AsyncGenerator<WatchEvent> {
    const known = this.#byName.get(name)
    const opened = await this.#open(name)
    const same = known && opened && known.cookie === opened.handle.cookie && known.info.inode === opened.info.inode
    if (same) return opened.handle.close()
    if (known) yield* this.#remove(name, known)
    if (opened) yield* this.#add(name, opened, signal)
  }

  async #open(name: string): Promise<OpenNamespace | undefined> {
    try {
      const opened = await openSource({ name })
      this.#directory.settled(name)
      return opened
    } catch (error) {
      if (!isGone(error)) throw error
      if (error instanceof NetloomError && error.code === 'EINVAL') this.#directory.later(name)
      else this.#directory.settled(name)
      return undefined
    }
  }

  async *#add(name: string, opened: OpenNamespace, signal: AbortSignal | undefined): AsyncGenerator<WatchEvent> {
    const { handle, info } = opened
    const { cookie } = handle
    const watched = this.#all && handle.inode !== this.#here.handle.inode
    const access: Access = work => withScope(info, work)
    const member: Member = {
      info,
      cookie,
      nsid: watched ? await ensureNsid(this.#here, handle.fd).finally(() => handle.close()) : void handle.close(),
      state: new WatchState(access, info, watched ? this.#kinds : []),
    }
    this.#byName.set(name, member)
    if (member.nsid !== undefined) this.#byNsid.set(member.nsid, member)
    if (this.#tellNamespaces) yield { type: 'namespace', action: 'set', namespace: info }
    yield* unlessGone(member.state.read(signal))
  }

  *#remove(name: string, member: Member): Generator<WatchEvent> {
    this.#byName.delete(name)
    if (member.nsid !== undefined && this.#byNsid.get(member.nsid) === member) this.#byNsid.delete(member.nsid)
    yield* member.state.clear()
    if (this.#tellNamespaces) yield { type: 'namespace', action: 'delete', namespace: member.info }
  }
}

async function withScope<T>(info: NamespaceInfo, work: (scope: Scope) => Promise<T>): Promise<T> {
  const scope = new Scope(await openSource(info))
  try {
    return await work(scope)
  } finally {
    scope.close()
  }
}

/** A namespace that goes while it is read tells so by its name in a moment. */
async function* unlessGone(events: AsyncGenerator<WatchEvent>): AsyncGenerator<WatchEvent> {
  try {
    yield* events
  } catch (error) {
    if (!isGone(error)) throw error
  }
}
