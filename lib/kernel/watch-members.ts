// The namespaces that are watched together: which there are by name, what is known of each, and whose a notification is.
import type { DirectoryWatch } from '../namespace/directory-watch.js'
import type { NamespaceInfo, OpenNamespace } from '../namespace/info.js'
import { readNames } from '../namespace/list.js'
import { openSource } from '../namespace/source.js'
import { AbortError, NetloomError } from '../socket/error.js'
import { ensureNsids } from './nsid.js'
import { Scope } from './scope.js'
import type { WatchEvent, WatchKind } from './watch-events.js'
import { WatchState } from './watch-state.js'
import type { WatchStream } from './watch-stream.js'

/** A namespace that is being watched. */
interface Member {
  readonly name: string
  readonly info: NamespaceInfo
  /** Tells it from a later one of the same name and inode. */
  readonly cookie: bigint | undefined
  readonly state: WatchState
  nsid: number | undefined
  gone: boolean
}
interface Looked {
  readonly name: string
  readonly opened: OpenNamespace | undefined
}
interface Found {
  readonly member: Member
  /** Its present state. */
  readonly events: Iterable<WatchEvent>
}

/** Namespaces that are opened and read at a time. */
const atOnce = 16
const isGone = (error: unknown) => error instanceof NetloomError && ['ENOENT', 'EINVAL', 'ESTALE', 'ESRCH'].includes(error.code)

export class Members {
  readonly #here: Scope
  /** Empty if only names are watched elsewhere. */
  readonly #kinds: readonly WatchKind[]
  readonly #tellNamespaces: boolean
  readonly #directory: DirectoryWatch
  readonly #stream: WatchStream
  readonly #byName = new Map<string, Member>()
  /** A namespace may have several names. */
  readonly #byNsid = new Map<number, Set<Member>>()
  readonly #own: WatchState

  constructor(
    here: Scope,
    kinds: readonly WatchKind[],
    { all, tellNamespaces }: { all: boolean; tellNamespaces: boolean },
    directory: DirectoryWatch,
    stream: WatchStream,
  ) {
    this.#here = here
    this.#kinds = all ? kinds : []
    this.#tellNamespaces = tellNamespaces
    this.#directory = directory
    this.#stream = stream
    this.#own = new WatchState(work => work(here), here.info, kinds)
  }

  /** The present state. */
  async *start(signal: AbortSignal | undefined): AsyncGenerator<WatchEvent> {
    yield* await this.#own.read(signal)
    yield* this.look('all', signal)
  }

  /** Finds out what has become of names. */
  async *look(touched: ReadonlySet<string> | 'all', signal: AbortSignal | undefined): AsyncGenerator<WatchEvent> {
    const rest = [...(touched === 'all' ? await this.#allNames() : touched)]
    while (rest.length > 0) {
      if (signal?.aborted) throw new AbortError('watch', signal)
      yield* this.#lookAt(rest.splice(0, atOnce), signal)
    }
  }

  /** Plain files too: on those that are being made something will be mounted in a moment, and nothing tells of that. */
  async #allNames(): Promise<Set<string>> {
    const { live, stale } = await readNames()
    return new Set([...this.#byName.keys(), ...live.flatMap(({ name }) => name ?? []), ...stale])
  }

  /** Tells what has been read so far. */
  async *apply(signal: AbortSignal | undefined): AsyncGenerator<WatchEvent> {
    for (const passage of this.#stream.passages()) {
      if ('released' in passage) {
        // It has gone, or it has the number anew since; its name says which.
        const names = [...(this.#byNsid.get(passage.released) ?? [])].map(({ name }) => name)
        yield* this.look(new Set(names), signal)
      } else if (passage.nsid === undefined) yield* this.#own.apply(passage.messages, signal)
      else {
        for (const member of [...(this.#byNsid.get(passage.nsid) ?? [])]) yield* unlessGone(member.state.apply(passage.messages, signal))
      }
    }
  }

  async *#lookAt(names: readonly string[], signal: AbortSignal | undefined): AsyncGenerator<WatchEvent> {
    const looked = await allOrNone(
      names.map(async name => ({ name, opened: await this.#open(name) })),
      close,
    )
    const changed = looked.filter(each => !this.#isKnown(each))
    const found = await this.#find(changed, signal).finally(() => close(looked))
    for (const { name } of changed) {
      const known = this.#byName.get(name)
      if (known) yield* this.#remove(known)
      const added = found.get(name)
      if (added) yield* this.#add(added)
    }
  }

  #isKnown({ name, opened }: Looked): boolean {
    const known = this.#byName.get(name)
    if (!known || !opened) return !known && !opened
    return known.cookie === opened.handle.cookie && known.info.inode === opened.info.inode
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

  /** Listens to those that are open, and then reads them, so that nothing falls between the two. */
  async #find(looked: readonly Looked[], signal: AbortSignal | undefined): Promise<Map<string, Found>> {
    const fresh = looked.flatMap(({ name, opened }) => (opened ? [{ opened, member: this.#member(name, opened) }] : []))
    const watched = fresh.filter(({ opened }) => this.#kinds.length > 0 && opened.handle.inode !== this.#here.handle.inode)
    const numbers = await ensureNsids(
      this.#here,
      watched.map(({ opened }) => opened.handle.fd),
    )
    if (watched.length > 0) await this.#stream.takeAll()
    watched.forEach(({ member }, i) => {
      member.nsid = numbers[i]
      if (member.nsid !== undefined) this.#stream.fromHere(member.nsid, () => this.#listen(member))
    })
    const read = await allOrNone(
      fresh.map(async ({ opened, member }) => {
        if (!watched.some(other => other.member === member)) return [member.name, { member, events: [] }] as const
        const scope = new Scope(opened)
        try {
          return [member.name, { member, events: await member.state.read(signal, scope) }] as const
        } finally {
          scope.close()
        }
      }),
    )
    return new Map(read)
  }

  #member(name: string, { handle, info }: OpenNamespace): Member {
    const state = new WatchState(work => withScope(info, work), info, this.#kinds)
    return { name, info, cookie: handle.cookie, state, nsid: undefined, gone: false }
  }

  #listen(member: Member): void {
    if (member.gone) return
    const others = this.#byNsid.get(member.nsid!)
    if (others) others.add(member)
    else this.#byNsid.set(member.nsid!, new Set([member]))
  }

  *#add({ member, events }: Found): Generator<WatchEvent> {
    this.#byName.set(member.name, member)
    if (this.#tellNamespaces) yield { type: 'namespace', action: 'set', namespace: member.info }
    yield* events
  }

  *#remove(member: Member): Generator<WatchEvent> {
    member.gone = true
    this.#byName.delete(member.name)
    if (member.nsid !== undefined) this.#byNsid.get(member.nsid)?.delete(member)
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

function close(looked: readonly Looked[]): void {
  for (const { opened } of looked) opened?.handle.close()
}

/** All results, or the first error: but not before all have ended, so that nothing goes on behind the caller's back. */
async function allOrNone<T>(works: readonly Promise<T>[], undo: (done: T[]) => void = () => undefined): Promise<T[]> {
  const outcomes = await Promise.allSettled(works)
  const done = outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const failed = outcomes.find(outcome => outcome.status === 'rejected')
  if (!failed) return done
  undo(done)
  throw failed.reason
}

/** A namespace that goes while it is read tells so by its name in a moment. */
async function* unlessGone(events: AsyncGenerator<WatchEvent>): AsyncGenerator<WatchEvent> {
  try {
    yield* events
  } catch (error) {
    if (!isGone(error)) throw error
  }
}
