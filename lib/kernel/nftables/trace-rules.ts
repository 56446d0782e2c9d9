// What a trace names by numbers: rules by their handles, links by their indexes; read when first met, and again when the rule set has changed.
import type { Scope } from '../scope.js'
import type { InterfaceNames } from './datatype-codecs.js'
import { publicFamily } from './family.js'
import { readInterfaces } from './interfaces.js'
import { interfacesFor, type Rule, toRule } from './rule-object.js'
import { readSnapshot } from './snapshot.js'

const keyOf = (family: string, table: string, handle: number) => `${family}\0${table}\0${handle}`

export class TraceNames {
  readonly #scope: Scope
  #rules: Map<string, Rule> | undefined
  /** A packet may have met rules that are gone by now. */
  #before = new Map<string, Rule>()
  #links: InterfaceNames | undefined

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** The rule set is another one now. */
  changed(): void {
    if (this.#rules) this.#before = this.#rules
    this.#rules = undefined
  }

  async rule(family: string | number, table: string, handle: number, signal: AbortSignal | undefined): Promise<Rule | undefined> {
    this.#rules ??= await this.#read(signal)
    const key = keyOf(publicFamily(family), table, handle)
    return this.#rules.get(key) ?? this.#before.get(key)
  }

  /** A link that is gone already has its number for a name. */
  async link(index: number): Promise<string> {
    if (this.#links?.nameOf?.(index) === undefined) this.#links = await readInterfaces(this.#scope)
    return this.#links?.nameOf?.(index) ?? String(index)
  }

  async #read(signal: AbortSignal | undefined): Promise<Map<string, Rule>> {
    const { sets, rules } = await readSnapshot(this.#scope, signal ? { signal } : {}, 'list rules')
    const interfaces = await interfacesFor(this.#scope, rules)
    return new Map(
      rules.map(raw => {
        const own = sets.filter(({ raw: set }) => set.family === raw.family && set.table === raw.table)
        const rule = toRule(raw, own, interfaces)
        return [keyOf(rule.family, rule.table, rule.handle), rule]
      }),
    )
  }
}
