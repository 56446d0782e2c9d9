// What a plan is about to do, written down before it begins and taken away when it is complete or undone: whoever finds it later knows what a
// killed process left behind.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Scope } from '../kernel/scope.js'
import { planMark } from '../namespace/marks.js'
import { RecordFile } from '../namespace/record-file.js'
import { link as linkTable } from '../protocol/link.js'
import { rtm } from '../protocol/rtnetlink.js'
import { NetloomError } from '../socket/error.js'
import type { NamespaceHandle } from '../socket/native.js'
import type { PlanData } from './items.js'
import { Journal, type MadeNote, type Note } from './journal.js'
import { written } from './json.js'
import { Pace } from './pace.js'
import { type IntentRecord, recordVersion } from './record-format.js'
import { randomGroup } from './remove.js'
import { endNames, type Standing, standingLinks, withGroup } from './standing.js'

/** The namespaces that are there, by number. */
export type Existing = ReadonlyMap<number, { readonly handle: Pick<NamespaceHandle, 'device' | 'inode' | 'cookie'> }>
/** As far as a record needs to know what the plan has done. */
interface Progress {
  readonly done: readonly {
    readonly undo: string
    readonly in?: number
    readonly index?: number
    readonly name?: string
    readonly falls?: boolean
  }[]
  made(item: number, peer: boolean): { readonly in: number; readonly index?: number; readonly name?: string } | undefined
  isPlanned(namespace: number): boolean
  use(namespace: number): Promise<{ readonly scope: Scope; close(): void }>
}

export class Intent {
  /** What the file under each name contains that the plan makes. */
  readonly mark: string
  /** The plan, with the mark of links that nothing else would tell. */
  readonly data: PlanData
  /** Until all is done, of links that stand in namespaces that were there. */
  readonly group: number
  readonly journal: Journal
  readonly #standing: Standing
  readonly #record: RecordFile | undefined

  private constructor(data: PlanData, standing: Standing, group: number, mark: string, record: RecordFile | undefined) {
    this.#standing = standing
    this.#record = record
    this.group = group
    this.mark = mark
    this.data = withGroup(data, standing, group)
    this.journal = new Journal(record)
  }

  /** Before anything is done. */
  static async begin(data: PlanData, existing: Existing, pace: Pace): Promise<Intent> {
    const id = newId()
    const mark = planMark(id)
    const group = randomGroup()
    const standing = await standingLinks(data, pace)
    const names = data.namespaces.map(item => ('make' in item ? (item.make.name ?? null) : null))
    // What has no name dies with this process, and all that is in it.
    const record =
      existing.size === 0 && names.every(name => name === null)
        ? undefined
        : await create(id, { ...head('apply', mark, data, existing, names), group, links: await endNames(data, pace) })
    return new Intent(data, standing, group, mark, record)
  }

  /** Before what was done is taken back later. `notes` say what there is besides names. */
  static async beginUndo(
    data: PlanData,
    mark: string,
    existing: Existing,
    names: readonly (string | null)[],
    notes: readonly Note[],
  ): Promise<Intent> {
    // At once: names are taken away first by whoever finds them alone, and with them goes what the rest would bring home.
    const record = { ...head('delete', mark, data, existing, names), links: await endNames(data, new Pace()) }
    return new Intent(data, new Map(), 0, mark, await create(newId(), record, notes))
  }

  /** Before names are taken away that nobody's plan needs to have made. */
  static async beginNames(names: readonly string[]): Promise<Intent> {
    const nothing: PlanData = { ipv6: 'static', namespaces: [], items: [] }
    const record = names.length ? await create(newId(), { ...head('names', '', nothing, new Map(), names), links: [] }) : undefined
    return new Intent(nothing, new Map(), 0, '', record)
  }

  /** All is done: the links lose their mark and get the group that they were to have, then the record goes. */
  async commit(progress: Progress): Promise<void> {
    const wanted = new Map<string, number>()
    const places = new Map<number, number[]>()
    const add = (place: number, index: number) => {
      const there = places.get(place)
      if (!there) places.set(place, [index])
      else if (!there.includes(index)) there.push(index)
    }
    for (const [item, ends] of this.#standing)
      for (const peer of [false, true]) {
        const link = progress.made(item, peer)
        if (link?.index === undefined) continue
        wanted.set(`${link.in} ${link.index}`, ends[peer ? 1 : 0])
        if (progress.isPlanned(link.in)) add(link.in, link.index)
      }
    const made: MadeNote[] = []
    if (this.#standing.size)
      for (const { undo, in: place, index, name, falls } of progress.done) {
        if (undo !== 'link' || falls || place === undefined || index === undefined || name === undefined) continue
        made.push([place, index, name])
        add(place, index)
      }
    if (made.length) {
      this.journal.note({ note: 'made', links: made })
      await this.journal.written()
    }
    for (const [place, indexes] of places) {
      const { scope, close } = await progress.use(place)
      try {
        await regroup(
          scope,
          indexes.map(index => [index, wanted.get(`${place} ${index}`) ?? 0]),
        )
      } finally {
        close()
      }
    }
    await this.end()
  }

  /** Whether there are links with its group. */
  get marksLinks(): boolean {
    return this.#standing.size > 0
  }

  /** Nothing is left that anybody would have to take back. */
  async end(): Promise<void> {
    await this.#record?.remove()
  }

  /** Something is left: gc() may try. */
  async leave(): Promise<void> {
    await this.#record?.close()
  }
}

async function regroup(scope: Scope, links: readonly (readonly [index: number, group: number])[]): Promise<void> {
  const connection = await scope.connection()
  const context = { operation: 'create link', namespace: scope.label }
  const requests = links.map(([index, group]) => ({ type: rtm.setLink, codec: linkTable, value: { index, group }, context }))
  for (const { error } of await connection.batch(requests, { quiet: true })) {
    // Somebody has deleted it meanwhile.
    if (error && error.code !== 'ENODEV') throw error
  }
}

const newId = () => randomBytes(8).toString('hex')

function head(
  operation: IntentRecord['operation'],
  mark: string,
  { namespaces }: PlanData,
  existing: Existing,
  names: readonly (string | null)[],
): Omit<IntentRecord, 'group' | 'links'> {
  const there = [...existing].map(([number, { handle }]) => {
    const { device, inode, cookie } = handle
    return {
      number,
      use: (namespaces[number] as { use: object }).use,
      device,
      inode,
      ...(cookie !== undefined && { cookie: String(cookie) }),
    }
  })
  return { netloom: recordVersion, operation, boot: bootId(), writer: writer(), mark, names, existing: there }
}

let warned = false

/** Without a place for records a plan is applied all the same: what has a name could not be made there either, and the rest ends with its namespace. */
async function create(id: string, record: IntentRecord, notes: readonly Note[] = []): Promise<RecordFile | undefined> {
  try {
    return await RecordFile.create(
      id,
      [record, ...notes].map(line => JSON.stringify(written(line))),
    )
  } catch (error) {
    if (!(error instanceof NetloomError) || !['EACCES', 'EPERM', 'EROFS'].includes(error.code)) throw error
    if (!warned)
      process.emitWarning(`what plans do is not recorded: ${error.message}`, { type: 'NetloomWarning', code: 'NETLOOM_NO_RECORD' })
    warned = true
    return undefined
  }
}

const text = (path: string) => readFileSync(path, 'utf8')
let boot: string | undefined
/** Which start of the machine this is: everything that plans make ends with it. */
export const bootId = (): string => (boot ??= text('/proc/sys/kernel/random/boot_id').trim())

let process_: IntentRecord['writer'] | undefined
const writer = () => (process_ ??= { pid: process.pid, start: startOf(text('/proc/self/stat')) })

/** When a process was started, in ticks since the machine was: with the pid it names one process for good. */
export const startOf = (stat: string): string => stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
