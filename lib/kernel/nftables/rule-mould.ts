// Rules of one batch that are alike: a rule like one before differs from it in a few values, which are put where the other's were.
import type { Encodable } from '../../codec/codec.js'
import { isArgumentError } from '../../codec/errors.js'
import { viewOf, walk } from '../../codec/walk.js'
import { Writer } from '../../codec/writer.js'
import { type CastRule, rule as ruleTable } from '../../protocol/nftables/rule.js'
import type { Context } from '../../socket/request.js'
import type { Hole } from './linearize-context.js'
import type { RuleObject } from './objects.js'
import type { Statement } from './statement.js'

type WireRule = Encodable<typeof ruleTable>
/** A rule that was translated, as far as others may be like it. */
export interface Sample {
  readonly rule: RuleObject
  /** Table, chain and expressions. */
  readonly value: WireRule
  readonly holes: readonly Hole[]
  /** What is known of sets: another rule may mean others by the same names. */
  readonly state: number
  /** What errors are told of it. */
  readonly context: Context
}
interface Kept extends Sample {
  /** The holes of each statement that has some. */
  readonly byStatement: readonly (readonly Hole[] | undefined)[]
  mould?: CastRule['mould']
}
/** A rule that came out of a mould, but for what is beside it. */
export interface Cast extends Omit<CastRule, 'beside'> {
  readonly like: Sample
}

/** Rules of so many kinds may alternate. */
const mostKept = 8

export class RuleMoulds {
  #kept: Kept[] = []

  /** The message of a rule that is like one of the last; undefined if there is none, or if it is wrong: whoever looks at it as a whole can say where. */
  cast(rule: RuleObject, state: number): Cast | undefined {
    // What is no object at all is told by whoever looks at it as a whole.
    const { family, table, chain, expr } = rule ?? {}
    if (!Array.isArray(expr)) return undefined
    for (let i = 0; i < this.#kept.length; i++) {
      const kept = this.#kept[i]!
      const { rule: other } = kept
      if (other.chain !== chain || other.table !== table || other.family !== family || kept.state !== state) continue
      if (!alike(kept, other.expr!, expr as readonly Statement[])) continue
      if (i > 0) {
        this.#kept.splice(i, 1)
        this.#kept.unshift(kept)
      }
      const values = valuesOf(kept, expr as readonly Statement[])
      if (!values) return undefined
      kept.mould ??= mouldOf(kept)
      return { mould: kept.mould, values, like: kept }
    }
    return undefined
  }

  keep(sample: Sample): void {
    const byStatement: Hole[][] = []
    for (const hole of sample.holes) {
      const list = byStatement[hole.statement] ?? []
      list.push(hole)
      byStatement[hole.statement] = list
    }
    this.#kept.unshift({ ...sample, byStatement })
    if (this.#kept.length > mostKept) this.#kept.pop()
  }
}

type Fields = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null

/** Whether two rules are the same but for what is in the holes. */
function alike({ byStatement }: Kept, a: readonly Statement[], b: readonly Statement[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) {
    const holes = byStatement[i]
    if (!(holes ? alikeBut(holes, a[i] as unknown as Fields, b[i]) : same(a[i], b[i]))) return false
  }
  return true
}
/** Of `{ match: { op, left, right } }` everything but `right`. */
function alikeBut(holes: readonly Hole[], a: Fields, b: unknown): boolean {
  const { kind } = holes[0]!
  if (!isObject(b) || !Object.hasOwn(b, kind) || Object.keys(b).length !== 1) return false
  const [left, right] = [a[kind] as Fields, b[kind]]
  if (!isObject(right)) return false
  let fields = 0
  for (const name in left) {
    fields++
    if (!Object.hasOwn(right, name) || !(holes.some(({ field }) => field === name) || same(left[name], right[name]))) return false
  }
  return Object.keys(right).length === fields
}
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false
  let fields = 0
  for (const name in a) {
    fields++
    if (!Object.hasOwn(b, name) || !same(a[name], b[name])) return false
  }
  return Object.keys(b).length === fields
}

/** What is in the holes of a rule. */
function valuesOf({ holes }: Kept, expr: readonly Statement[]): Uint8Array[] | undefined {
  const values: Uint8Array[] = []
  try {
    for (const { statement, kind, field, encode } of holes) {
      const value = encode((expr[statement] as unknown as Readonly<Record<string, Fields>>)[kind]![field])
      if (!value) return undefined
      values.push(value)
    }
  } catch (error) {
    if (isArgumentError(error)) return undefined
    throw error
  }
  return values
}

function mouldOf({ value, holes }: Sample): NonNullable<Kept['mould']> {
  const writer = new Writer(512)
  ruleTable.write(writer, value as never)
  const bytes = writer.copy()
  const found = new Map<string, number>()
  for (const { path, from } of walk(ruleTable, viewOf(bytes)))
    if (path.length === 5 && path[0] === 'expressions' && path[4] === 'value') found.set(path[1]!, from)
  return { bytes, places: holes.map(({ expression }) => found.get(String(expression))!) }
}
