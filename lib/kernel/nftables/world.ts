// What is known while a batch is put together: the sets that it makes, those that are there already, and numbers for what has no name yet.
import type { Scope } from '../scope.js'
import type { InterfaceNames } from './datatype-codecs.js'
import type { Family } from './fields.js'
import { readInterfaces } from './interfaces.js'
import { RuleMoulds } from './rule-mould.js'
import type { SetForm } from './set-form.js'
import { readForm } from './set-read.js'

export class World {
  readonly scope: Scope
  /** Whether what is made is to be told. */
  readonly echo: boolean
  readonly signal: AbortSignal | undefined
  /** Rules of the batch that others may be like. */
  readonly moulds = new RuleMoulds()
  /** How many sets the batch has made so far: from one on its name may mean another set. */
  declared = 0
  /** null: there is no such set. */
  readonly #forms = new Map<string, Promise<SetForm | undefined> | SetForm | null>()
  #interfaces: Promise<InterfaceNames> | undefined
  #id = 0

  constructor(scope: Scope, { echo, signal }: { readonly echo: boolean; readonly signal?: AbortSignal | undefined }) {
    this.scope = scope
    this.echo = echo
    this.signal = signal
  }

  /** A number by which one message of the batch means what another makes. */
  nextId(): number {
    return ++this.#id
  }

  /** A set that the batch makes. */
  declare(family: Family, table: string, name: string, form: SetForm): void {
    this.#forms.set(keyOf(family, table, name), form)
    this.declared++
  }

  /** The form of a set as far as it is known without asking; null if there is no such set. */
  known(family: Family, table: string, name: string): SetForm | null | undefined {
    const known = this.#forms.get(keyOf(family, table, name))
    return known instanceof Promise ? undefined : known
  }

  /** How the keys and values of a set look: one of the batch, or else one that is there. */
  async form(family: Family, table: string, name: string): Promise<SetForm | undefined> {
    const key = keyOf(family, table, name)
    const known = this.#forms.get(key)
    if (known !== undefined) return (await known) ?? undefined
    const read = readForm(this.scope, { family, table, name }, this.signal)
    this.#forms.set(key, read)
    const form = await read
    if (this.#forms.get(key) === read) this.#forms.set(key, form ?? null)
    return form
  }

  /** The links of the namespace, for rules that name one by its index. */
  interfaces(): Promise<InterfaceNames> {
    this.#interfaces ??= readInterfaces(this.scope)
    return this.#interfaces
  }
}

const keyOf = (...words: string[]) => words.join('\0')
