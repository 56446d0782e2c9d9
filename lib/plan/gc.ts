// Namespace.gc(): takes back what killed processes left of plans, by their records, and only what bears the plan's mark.
import { readFile } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { Namespace } from '../kernel/namespace.js'
import { nsidsOf } from '../kernel/nsid.js'
import { Scope } from '../kernel/scope.js'
import { openCurrent } from '../namespace/current.js'
import type { OpenNamespace } from '../namespace/info.js'
import { removeHalfRemoved, removeUnfinished } from '../namespace/left-behind.js'
import { deleteNamed } from '../namespace/lifecycle.js'
import { bears, readMarks } from '../namespace/marks.js'
import { listRecords, RecordFile } from '../namespace/record-file.js'
import { type NamespaceSource, openSource } from '../namespace/source.js'
import { NetloomError, systemError } from '../socket/error.js'
import { devicesGone } from './drain.js'
import { leaving } from './execute-error.js'
import { takeBackChange } from './gc-changes.js'
import { type EntryNote, type Outcome, takeBackEntries } from './gc-entries.js'
import { bootId, startOf } from './intent.js'
import type { Note } from './journal.js'
import { read } from './json.js'
import { type IntentRecord, readRecord } from './record-format.js'
import { briefLinks, deleteLinks, deleteNames } from './remove.js'
import type { SeriesNote } from './series.js'
import { notesEach } from './undo-before.js'

export interface Collected {
  /** What was removed or made as it was: 'namespace web', 'link br0', 'change of sysctl net.ipv4.ip_forward'. */
  readonly removed: string[]
  /** What a record tells of and was left alone: others have changed it since, or it cannot be made again. */
  readonly left: string[]
}

declare module '../kernel/namespace.js' {
  namespace Namespace {
    /**
     * Takes back what processes left behind that died while they applied a plan, undid one or deleted a result: what they had made and, in
     * namespaces that were there, what they had changed; and the files of names that they were making or, by deleteMany(), taking away. Nothing else is touched: neither what complete plans have made, nor what a living
     * process is making, nor what others made under the same names. Returns when the kernel has removed the devices. Needs the rights that
     * making them needed, in the same mount namespace.
     *
     * Errors: that of the first thing that could not be removed, with all of them in `leftovers`; another call tries these again.
     */
    function gc(): Promise<Collected>
  }
}

async function gc(): Promise<Collected> {
  const outcome: Outcome = { removed: [], left: [], failed: [], errors: [] }
  let ended = false
  for (const id of await listRecords()) {
    const file = await RecordFile.take(id)
    if (!file) continue
    ended = true
    const failed = outcome.failed.length
    try {
      await collect(file, outcome)
    } catch (error) {
      outcome.failed.push(`plan ${id}`)
      outcome.errors.push(error)
    }
    await (outcome.failed.length > failed ? file.close() : file.remove())
  }
  outcome.removed.push(...(await removeUnfinished()).map(name => `namespace ${name}`))
  if (ended) await devicesGone()
  const { removed, left, failed, errors } = outcome
  if (failed.length === 0) return { removed, left }
  const [cause] = errors
  const error = cause instanceof NetloomError ? cause : new NetloomError('EBUSY', { operation: 'collect garbage', cause })
  throw leaving(error, failed, errors)
}

async function collect(file: RecordFile, outcome: Outcome): Promise<void> {
  const lines = await file.read()
  // Without a first line nothing was begun.
  if (lines.length === 0) return
  const record = readRecord(lines[0])
  if (!record) throw new NetloomError('EPROTO', { operation: 'read plan record', reason: 'it was written by another version of netloom' })
  await end(record.writer)
  if (record.operation === 'names') {
    const names = record.names.filter(name => name !== null)
    outcome.removed.push(...(await removeHalfRemoved(names, await file.time())).map(name => `namespace ${name}`))
    return
  }
  const notes = lines.slice(1).flatMap(line => notesEach(read(JSON.parse(line)) as Note | SeriesNote))
  const leftover = new Leftover(record, outcome)
  try {
    await leftover.remove(notes)
  } finally {
    leftover.close()
  }
}

/** Milliseconds that a process may take from letting go of its files to its end. */
const dying = 500

/** Its lock was free, so it is dying if it is not dead; what is left of it then no longer holds any namespace. */
async function end({ pid, start }: IntentRecord['writer']): Promise<void> {
  if (pid === process.pid) return
  for (const until = performance.now() + dying; performance.now() < until; await setTimeout(2)) {
    const stat = await statOf(pid)
    if (stat === undefined || startOf(stat) !== start || /\) [ZX]/.test(stat)) return
  }
}

/** undefined: there is no process of that number. */
async function statOf(pid: number): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/stat`, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return undefined
    throw systemError(error, { operation: 'look at the writer of a plan record', subject: `process ${pid}` })
  }
}

interface Marked {
  readonly number: number
  readonly name: string
}
/** Open at a time. */
const chunk = 64

/** What there may be of one plan. */
class Leftover {
  readonly #record: IntentRecord
  readonly #outcome: Outcome
  readonly #scopes = new Map<number, Promise<Scope | undefined>>()
  #marked: Marked[] = []

  constructor(record: IntentRecord, outcome: Outcome) {
    this.#record = record
    this.#outcome = outcome
  }

  async remove(notes: readonly Note[]): Promise<void> {
    const { names, mark } = this.#record
    const all = names.flatMap((name, number) => (name === null ? [] : [{ number, name }]))
    const marks = await readMarks(all.map(({ name }) => name))
    this.#marked = all.filter((_, i) => bears(marks[i], mark))
    for (const group of groupsOf(notes).reverse()) {
      const [note] = group as [Note]
      if (note.note === 'entry') {
        await this.#try(`${note.sort} of a plan`, async () => {
          const scope = await this.#scope(note.in)
          if (scope) await takeBackEntries(scope, note.sort, group as EntryNote[], this.#outcome)
        })
      } else if (note.note !== 'made') {
        const what = note.note === 'sysctl' ? `sysctl ${note.key}` : note.note === 'gone' ? note.what : `link ${note.link.old.name}`
        await this.#try(what, () => takeBackChange(note, number => this.#scope(number), this.#outcome))
      }
    }
    const made = new Set(notes.flatMap(note => (note.note === 'made' ? note.links.map(link => link.join(' ')) : [])))
    for (const { number } of this.#record.existing) await this.#try('links of a plan', () => this.#links(number, made))
    // A link that somebody cares for may still be in one of them.
    if (this.#outcome.failed.every(what => !what.startsWith('link '))) await this.#names()
  }

  close(): void {
    for (const opening of this.#scopes.values())
      opening.then(
        scope => scope?.close(),
        () => undefined,
      )
  }

  async #try(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#outcome.failed.push(what)
      this.#outcome.errors.push(error)
    }
  }

  #scope(number: number): Promise<Scope | undefined> {
    const opening = this.#scopes.get(number) ?? this.#open(number)
    this.#scopes.set(number, opening)
    return opening
  }

  async #open(number: number): Promise<Scope | undefined> {
    const marked = this.#marked.find(one => one.number === number)
    if (marked) return scopeOf(await openMarked(marked.name))
    const known = this.#record.existing.find(one => one.number === number)
    // Namespaces of before the machine was started anew are gone, whatever has their numbers now.
    if (!known || this.#record.boot !== bootId()) return undefined
    return scopeOf(await openKnown(known))
  }

  /** Links in a namespace that is there: those with the group of the plan, those that it noted, and those that lead into its namespaces. */
  async #links(place: number, made: ReadonlySet<string>): Promise<void> {
    const scope = await this.#scope(place)
    if (!scope) return
    const { group, links: names } = this.#record
    const anyName = names.includes(null)
    const known = new Set(names)
    const links = (await briefLinks(scope)).map(link => ({ ...link, ifname: link.ifname ?? '' }))
    const inside = links.some(({ linkNetnsid }) => linkNetnsid !== undefined) ? await this.#nsids(scope) : new Set()
    const ours = links.filter(({ index, ifname, group: has, linkNetnsid }) => {
      if (made.has(`${place} ${index} ${ifname}`)) return true
      if (!anyName && !known.has(ifname)) return false
      return (group !== undefined && has === group) || (linkNetnsid !== undefined && inside.has(linkNetnsid))
    })
    if (ours.length === 0) return
    await deleteLinks(
      scope,
      ours.map(({ index }) => index),
      group,
    )
    this.#outcome.removed.push(...ours.map(({ ifname }) => `link ${ifname}`))
  }

  /** The numbers by which a namespace knows those of the plan. */
  async #nsids(scope: Scope): Promise<Set<number>> {
    const nsids = new Set<number>()
    for (let from = 0; from < this.#marked.length; from += chunk) {
      const opened = (await Promise.all(this.#marked.slice(from, from + chunk).map(({ name }) => openMarked(name)))).filter(
        one => one !== undefined,
      )
      try {
        const descriptors = opened.map(({ handle }) => handle.fd)
        if (descriptors.length) for (const nsid of await nsidsOf(scope, descriptors)) if (nsid !== undefined) nsids.add(nsid)
      } finally {
        for (const { handle } of opened) handle.close()
      }
    }
    return nsids
  }

  async #names(): Promise<void> {
    const there: { info: OpenNamespace['info'] }[] = []
    for (const { name } of this.#marked) {
      const opened = await openMarked(name)
      opened?.handle.close()
      if (opened) there.push({ info: opened.info })
      // The file alone: it was killed before the namespace was mounted, or after it was unmounted.
      else await this.#try(`namespace ${name}`, () => unlessRemoved(deleteNamed(name)))
    }
    const failed = await deleteNames(there)
    for (const { name, error } of failed) {
      this.#outcome.failed.push(`namespace ${name}`)
      this.#outcome.errors.push(error)
    }
    const failing = new Set(failed.map(({ name }) => name))
    this.#outcome.removed.push(...this.#marked.flatMap(({ name }) => (failing.has(name) ? [] : [`namespace ${name}`])))
  }
}

/** Entries of one sort in one namespace go together, where the first was noted: links are changed back while all of them are as the plan left them. */
function groupsOf(notes: readonly Note[]): Note[][] {
  const groups: Note[][] = []
  const entries = new Map<string, Note[]>()
  for (const note of notes) {
    const key = note.note === 'entry' ? `${note.in} ${note.sort}` : undefined
    const known = key === undefined ? undefined : entries.get(key)
    if (known) {
      known.push(note)
      continue
    }
    const group = [note]
    groups.push(group)
    if (key !== undefined) entries.set(key, group)
  }
  return groups
}

const scopeOf = (opened: OpenNamespace | undefined) => opened && new Scope(opened)

/** undefined for a name that no namespace is mounted on. */
async function openMarked(name: string): Promise<OpenNamespace | undefined> {
  return unlessGone(() => openSource({ name }))
}

/** By another process that collects garbage, or by hand. */
async function unlessRemoved(removing: Promise<void>): Promise<void> {
  try {
    await removing
  } catch (error) {
    if (!(error instanceof NetloomError) || error.code !== 'ENOENT') throw error
  }
}

/** The namespace that a plan found there, wherever it is now; undefined if it is gone. */
async function openKnown({ use, device, inode, cookie }: IntentRecord['existing'][number]): Promise<OpenNamespace | undefined> {
  const ways: (() => Promise<OpenNamespace>)[] = [
    ...('current' in use ? [async () => openCurrent()] : []),
    ...('name' in use || 'path' in use || 'pid' in use ? [() => openSource(use as NamespaceSource)] : []),
    () => openSource({ device, inode } as NamespaceSource),
  ]
  for (const way of ways) {
    const opened = await unlessGone(way)
    if (!opened) continue
    const { handle } = opened
    const same =
      cookie !== undefined && handle.cookie !== undefined
        ? String(handle.cookie) === cookie
        : handle.inode === inode && handle.device === device
    if (same) return opened
    handle.close()
  }
  return undefined
}

async function unlessGone(way: () => Promise<OpenNamespace>): Promise<OpenNamespace | undefined> {
  try {
    return await way()
  } catch (error) {
    if (error instanceof NetloomError && ['ENOENT', 'ESRCH', 'ESTALE', 'EINVAL', 'ENOTDIR'].includes(error.code)) return undefined
    throw error
  }
}

Object.assign(Namespace, { gc })
