// What is known while a plan is carried out: the namespaces and links that are there by now, what failed, and what would have to be undone.
import { linkReply, Scope } from '../kernel/scope.js'
import type { NamespaceInfo } from '../namespace/info.js'
import { createAnonymous, createPrepared, prepareNames } from '../namespace/lifecycle.js'
import { openSource } from '../namespace/source.js'
import { link as linkTable } from '../protocol/link.js'
import { rtm } from '../protocol/rtnetlink.js'
import { NetloomError } from '../socket/error.js'
import type { NamespaceHandle } from '../socket/native.js'
import { type Program, partiesOf } from './compile.js'
import { creates, endsOf } from './compile-link.js'
import { under } from './execute-error.js'
import type { Item, PlanData, PlanLinkRef } from './items.js'
import type { Journal } from './journal.js'
import { Pace } from './pace.js'
import type { ProgressReporter } from './progress.js'
import { bridgePorts, briefLinks } from './remove.js'
import type { Failure } from './result.js'
import type { Done } from './undo.js'
import type { EntriesBefore } from './undo-before.js'

/** A link that the plan has made, or is about to. */
export interface MadeLink {
  in: number
  index?: number
  name?: string
  readonly kind: string
  /** Path of the item that could not make it. */
  failed?: string
}
export interface MadeNamespace {
  readonly info: NamespaceInfo
  /** Of one without a name, which would end without it. */
  readonly handle?: NamespaceHandle
}
/** A namespace that is open for a while. */
export interface Used {
  readonly number: number
  readonly scope: Scope
  close(): void
}
/** More than the devices that a new namespace has by itself, in namespaces where the kernel chooses indexes too. */
const beyondTheKernels = 1024

export class State {
  readonly data: PlanData
  readonly progress: ProgressReporter
  readonly continues: boolean
  readonly threads: number
  readonly signal: AbortSignal | undefined
  /** What the file under each name contains. */
  readonly mark: string
  readonly journal: Journal
  /** Open namespaces that were there, by number. */
  readonly existing: ReadonlyMap<number, Scope>
  readonly namespaces: (MadeNamespace | undefined)[] = []
  readonly done: Done[] = []
  /** By namespace and sort: the entries that were there before the first was added or changed. */
  readonly before = new Map<string, EntriesBefore>()
  readonly failures: Failure[] = []
  readonly #failed = new Map<string, string>()
  readonly #links = new Map<number, MadeLink>()
  readonly #names = new Map<string, MadeLink>()
  /** By alternative name or chosen index: twice the item, and 1 more for its peer. Once somebody asks. */
  #others: Map<string | number, number[]> | undefined
  readonly #next = new Map<number, number>()
  readonly #makings = new Map<number, Promise<Scope>>()
  /** The lowest index that is free in a new namespace, once it is known. */
  base: number | undefined
  #base: Promise<number> | undefined
  /** Items that made a link into a namespace that was there, whose index nobody has asked for yet. */
  #expected: number[] = []
  #prepared: Promise<void> | undefined

  readonly #program: Program

  constructor(
    data: PlanData,
    program: Program,
    existing: ReadonlyMap<number, Scope>,
    options: Pick<State, 'progress' | 'continues' | 'threads' | 'signal' | 'mark' | 'journal'>,
  ) {
    this.data = data
    this.#program = program
    this.existing = existing
    this.progress = options.progress
    this.continues = options.continues
    this.threads = options.threads
    this.signal = options.signal
    this.mark = options.mark
    this.journal = options.journal
  }

  /** A bridge that does not follow multicast groups until its ports are in place. */
  isQuiet(item: number): boolean {
    return this.#program.quiet.has(item)
  }

  isPlanned(namespace: number): boolean {
    return 'make' in this.data.namespaces[namespace]!
  }

  // ---- namespaces

  /** Makes a planned namespace. Whoever closes the scope closes nothing that others use. */
  make(number: number): Promise<Scope> {
    const making = this.#make(number)
    // Others wait for it too, and whoever made it hears of its failure.
    making.catch(() => undefined)
    this.#makings.set(number, making)
    return making
  }

  prepareNames(): Promise<void> {
    this.#prepared ??= prepareNames()
    return this.#prepared
  }

  async #make(number: number): Promise<Scope> {
    const { name } = (this.data.namespaces[number] as { readonly make: { readonly name?: string } }).make
    if (name !== undefined) {
      await this.prepareNames()
      const opened = await createPrepared(name, this.mark)
      this.namespaces[number] = { info: opened.info }
      return new Scope(opened)
    }
    const { handle, info } = await createAnonymous()
    this.namespaces[number] = { info, handle }
    return this.open(number)
  }

  /** Opens a namespace that is there or has been made; `close` frees what had to be opened. */
  async use(number: number): Promise<Used> {
    const existing = this.existing.get(number)
    if (existing) return { number, scope: existing, close: () => undefined }
    await this.#makings.get(number)
    const scope = await this.open(number)
    return { number, scope, close: () => scope.close() }
  }

  async open(number: number): Promise<Scope> {
    const made = this.namespaces[number]
    if (!made) throw new NetloomError('ENOENT', { operation: 'open namespace', subject: String(number), reason: 'it has not been made' })
    const { handle, info } = await openSource(made.handle ? { fd: made.handle.fd } : made.info)
    return new Scope({ handle, info: made.handle ? made.info : info })
  }

  /** The lowest index that is free in a new namespace: some kernels put tunnel devices into each. */
  firstIndex(scope: Scope): Promise<number> {
    this.#base ??= highestIndex(scope).then(highest => {
      this.base = highest + 1
      return this.base
    })
    return this.#base
  }

  // ---- links

  /** An index that nothing else in a planned namespace has. */
  takeIndex(namespace: number, base: number): number {
    let index = this.#next.get(namespace) ?? base + (this.#program.shared.has(namespace) ? beyondTheKernels : 0)
    while (this.#program.reserved.get(namespace)?.has(index)) index++
    this.#next.set(namespace, index + 1)
    return index
  }

  item(number: number): Item {
    return this.data.items[number]!
  }

  /** Whether the links of a planned namespace get the first indexes that are free there, in their order. */
  isFresh(namespace: number): boolean {
    return !this.#next.has(namespace) && !this.#program.shared.has(namespace) && !this.#program.reserved.has(namespace)
  }

  /** Which index comes next in a planned namespace, to go back to. */
  indexMark(namespace: number): number | undefined {
    return this.#next.get(namespace)
  }

  resetIndexes(namespace: number, mark: number | undefined): void {
    if (mark === undefined) this.#next.delete(namespace)
    else this.#next.set(namespace, mark)
  }

  learn(item: number, peer: boolean, link: MadeLink): void {
    this.#links.set(item * 2 + (peer ? 1 : 0), link)
    if (link.name !== undefined) this.#names.set(`${link.in}/${link.name}`, link)
  }

  made(item: number, peer: boolean): MadeLink | undefined {
    return this.#links.get(item * 2 + (peer ? 1 : 0))
  }

  /** What the plan knows of a link; undefined for one that it has not made. */
  linkOf(ref: PlanLinkRef, namespace: number): MadeLink | undefined {
    if (typeof ref === 'object') return this.made(ref.item, ref.peer === true)
    const named = typeof ref === 'string' ? this.#names.get(`${namespace}/${ref}`) : undefined
    return named ?? this.#otherwise(ref, namespace)
  }

  /** A link by another name or the index that the plan gives it when it makes it. */
  #otherwise(ref: string | number, namespace: number): MadeLink | undefined {
    if (!this.#others) {
      this.#others = new Map()
      for (const [number, item] of this.data.items.entries())
        for (const [i, { fields }] of endsOf(item).entries())
          for (const other of [...(fields.altNames ?? []), ...(fields.index === undefined ? [] : [fields.index])])
            this.#others.set(other, [...(this.#others.get(other) ?? []), number * 2 + i])
    }
    for (const end of this.#others.get(ref) ?? []) {
      const made = this.#links.get(end)
      if (made?.in === namespace) return made
    }
    return undefined
  }

  /** Takes note of a link that was made into a namespace that was there. */
  expect(item: number): void {
    this.#expected.push(item)
  }

  /** Finds out the indexes of links that were made into namespaces that were there, and with them what there would be to undo. */
  async find(): Promise<void> {
    const expected = this.#expected
    this.#expected = []
    const pace = new Pace()
    /** By place and name: twice the item, and 1 more for its peer. */
    const wanted = new Map<number, Map<string, number>>()
    for (let i = 0; i < expected.length; i++) {
      if (pace.isDue) await pace.rest()
      const ends = endsOf(this.data.items[expected[i]!]!)
      for (let k = 0; k < ends.length; k++) {
        const { in: place, fields } = ends[k]!
        if (fields.name === undefined || !this.existing.has(place)) continue
        const names = wanted.get(place)
        if (names) names.set(fields.name, expected[i]! * 2 + k)
        else wanted.set(place, new Map([[fields.name, expected[i]! * 2 + k]]))
      }
    }
    for (const [place, names] of wanted)
      for (const list of [bridgePorts, briefLinks]) {
        if (names.size === 0) break
        for (const { index, ifname = '', link, linkNetnsid } of await list(this.existing.get(place)!)) {
          const end = names.get(ifname)
          // The other end is in a namespace of the plan, under the index that it was given there. Of ports the kernel does not say where.
          const isElsewhere = list === bridgePorts || linkNetnsid !== undefined
          if (end === undefined || link === undefined || !isElsewhere || link !== this.#links.get(end ^ 1)?.index) continue
          names.delete(ifname)
          this.#links.get(end)!.index = index
          this.done.push({ undo: 'link', in: place, index, name: ifname, falls: true })
        }
      }
  }

  forget(link: MadeLink): void {
    const key = `${link.in}/${link.name}`
    if (this.#names.get(key) === link) this.#names.delete(key)
  }

  /** It has more names from now on. */
  alsoKnown(link: MadeLink, names: readonly string[]): void {
    for (const name of names) this.#names.set(`${link.in}/${name}`, link)
  }

  /** It has another name from now on, or is elsewhere: later steps may mean it by that name. */
  rename(link: MadeLink, to: Pick<MadeLink, 'in' | 'index'> & { readonly name: string }): void {
    this.forget(link)
    Object.assign(link, to)
    this.#names.set(`${link.in}/${to.name}`, link)
  }

  // ---- failures

  /** What an item depends on and failed, if anything did: its path. */
  missing(number: number): string | undefined {
    if (this.#failed.size === 0) return undefined
    const item = this.data.items[number]!
    for (const number of partiesOf(item)) {
      const failed = this.#failed.get(`namespace ${number}`)
      if (failed !== undefined) return failed
    }
    for (const ref of itemRefs(item)) {
      const failed = this.#failed.get(`item ${ref}`)
      if (failed !== undefined) return failed
    }
    return undefined
  }

  /** Whether something is known that keeps an item from being done. */
  skips(item: number): boolean {
    return this.#failed.size > 0 && (this.hasFailed(item) || this.missing(item) !== undefined)
  }

  hasFailed(item: number): boolean {
    return this.#failed.has(`item ${item}`)
  }

  /** Takes note of a failure, or throws it where all has to be undone. */
  fail(item: number, error: unknown): void {
    const { path } = this.data.items[item]!
    const known = under(error, path)
    if (!this.continues || !(known instanceof Error)) throw known
    if (this.hasFailed(item)) return
    this.#failed.set(`item ${item}`, path)
    for (const peer of [false, true]) {
      const link = this.made(item, peer)
      if (link) link.failed = path
    }
    this.failures.push({ path: 'path' in known && typeof known.path === 'string' ? known.path : path, error: known })
  }

  failNamespace(number: number, error: unknown): void {
    const path = `namespaces[${number}]`
    const known = under(error, error instanceof NetloomError && error.code === 'EEXIST' ? `${path}.name` : path)
    if (!this.continues || !(known instanceof Error)) throw known
    this.#failed.set(`namespace ${number}`, path)
    this.failures.push({ path: 'path' in known && typeof known.path === 'string' ? known.path : path, error: known })
  }
}

async function highestIndex(scope: Scope): Promise<number> {
  const connection = await scope.connection()
  const context = { operation: 'list links', namespace: scope.label }
  const links = await connection.dump({ type: rtm.getLink, codec: linkTable, value: {}, context }, linkReply)
  return Math.max(...links.map(({ index }) => index))
}

/** Numbers of the items that make links which this one names. */
function itemRefs(item: Item): number[] {
  const refs: unknown[] = []
  if (creates(item)) refs.push(item.spec.link, item.spec.master, item.spec.peer?.master)
  else if (item.verb === 'links.update') refs.push(item.link, item.change.master)
  else if ('link' in item) refs.push(item.link)
  else if ('route' in item) refs.push(item.route.link, ...(item.route.nexthops ?? []).map(hop => hop.link))
  else if ('entry' in item) refs.push(item.entry.link)
  return refs.flatMap(ref => (typeof ref === 'object' && ref !== null && 'item' in ref ? [ref.item as number] : []))
}
