// What a reader of notifications has to remember of sets: a rule or an element that is told of does not say how its set looks.
import type { Decoded } from '../../codec/codec.js'
import type { elementList } from '../../protocol/nftables/element.js'
import type { Scope } from '../scope.js'
import type { ReadElement } from './elements.js'
import { isNamed } from './set-object.js'
import { dumpSets, type RawSet } from './set-read.js'
import { type RawSetWithElements, readElements } from './snapshot.js'

type ElementList = Decoded<typeof elementList>
interface KnownSet {
  readonly raw: RawSet
  readonly elements: ReadElement[]
}

const keyOf = (family: string | number, table = '', name = '') => `${family}\0${table}\0${name}`

/** The sets of a rule set; of those that belong to a rule their elements too. */
export class KnownSets {
  readonly #scope: Scope
  #sets = new Map<string, KnownSet>()
  #gone: string[] = []

  constructor(scope: Scope) {
    this.#scope = scope
  }

  async read(signal: AbortSignal | undefined): Promise<void> {
    const sets = new Map<string, KnownSet>()
    for (const raw of await dumpSets(this.#scope, signal ? { signal } : {})) {
      const elements = isNamed(raw) ? [] : await readElements(this.#scope, raw, signal)
      sets.set(keyOf(raw.family, raw.table, raw.name), { raw, elements })
    }
    this.#sets = sets
    this.#gone = []
  }

  add(raw: RawSet): void {
    this.#sets.set(keyOf(raw.family, raw.table, raw.name), { raw, elements: [] })
  }

  /** Those of a set without a name are told one message after another, before the rule that they belong to. */
  addElements(list: ElementList): void {
    const found = this.find(list)
    if (found && !isNamed(found.raw)) found.elements.push(...(list.elements ?? []))
  }

  /** It is remembered until the state is complete: rules that go with it may be told of later. */
  delete(raw: RawSet): void {
    this.#gone.push(keyOf(raw.family, raw.table, raw.name))
  }

  complete(): void {
    for (const key of this.#gone) this.#sets.delete(key)
    this.#gone = []
  }

  find({ family, table, set }: Pick<ElementList, 'family' | 'table' | 'set'>) {
    return this.#sets.get(keyOf(family, table, set))
  }

  ofTable(family: string | number, table: string | undefined): RawSetWithElements[] {
    return [...this.#sets.values()].filter(({ raw }) => raw.family === family && raw.table === table)
  }
}
