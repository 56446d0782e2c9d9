// What a plan is about to change where others are too, written down before it does, so that another process can change it back.
import type { RecordFile } from '../namespace/record-file.js'
import type { EntryItem, Indexes } from './compile-entry.js'
import { written } from './json.js'
import type { SeriesNote } from './series.js'
import type { LinkBefore } from './undo-link.js'

export type SortName = 'addresses' | 'routes' | 'neighbours' | 'rules'

/** One thing, in the namespace `in` of the plan. */
export type Note =
  | { readonly note: 'sysctl'; readonly in: number; readonly key: string; readonly old: string; readonly set: string }
  /** An entry added, replaced or deleted; `before`: those of the same key that were there. */
  | {
      readonly note: 'entry'
      readonly in: number
      readonly sort: SortName
      readonly key: string
      readonly item: EntryItem
      readonly indexes: Indexes
      readonly before: readonly unknown[]
    }
  /** A link that was there, changed. */
  | { readonly note: 'link'; readonly in: number; readonly link: LinkBefore }
  /** A link that was there, moved to the namespace `to`, under that name. */
  | { readonly note: 'move'; readonly in: number; readonly to: number; readonly name: string; readonly link: LinkBefore }
  /** What cannot be made again. */
  | { readonly note: 'gone'; readonly in: number; readonly what: string }
  /** Links of the plan that lose the mark of their making now. */
  | { readonly note: 'made'; readonly links: readonly MadeNote[] }
export type MadeNote = readonly [place: number, index: number, name: string]

export class Journal {
  readonly #file: RecordFile | undefined
  #waiting: (Note | SeriesNote)[] = []

  constructor(file: RecordFile | undefined) {
    this.#file = file
  }

  note(note: Note | SeriesNote): void {
    if (this.#file) this.#waiting.push(note)
  }

  /** Everything noted survives this process from here on. To be awaited before the change itself. */
  async written(): Promise<void> {
    if (this.#waiting.length === 0) return
    const lines = this.#waiting.map(note => JSON.stringify(written(note)))
    this.#waiting = []
    await this.#file?.append(lines)
  }
}
