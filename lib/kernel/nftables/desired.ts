// What a table shall be, by sorts of objects, each with its place in what the caller gave.
import { argumentError, expectObject, shown } from '../../codec/errors.js'
import { checkAt } from '../arguments.js'
import type { Ruleset, RulesetObject, RulesetObjects, SetObject } from './objects.js'
import { asList, reference, type TableRef, tableRefChecks } from './references.js'

type Sort = keyof RulesetObjects
/** What apply() can bring about. */
const sorts = [
  'table',
  'chain',
  'rule',
  'set',
  'map',
  'element',
  'counter',
  'quota',
  'limit',
  'ct helper',
  'ct timeout',
  'ct expectation',
  'secmark',
  'synproxy',
] as const satisfies readonly Sort[]
type AppliedSort = (typeof sorts)[number]
export interface Placed<T> {
  readonly object: T
  /** 'nftables[3].rule' */
  readonly path: string
}
export type Desired = { readonly [S in AppliedSort]: readonly Placed<RulesetObjects[S]>[] } & { readonly ref: TableRef }

/** Sorts the objects, which must all be of one table. */
export function gather(desired: Ruleset | readonly RulesetObject[]): Desired {
  const list = Array.isArray(desired) ? (desired as readonly RulesetObject[]) : (desired as Ruleset)?.nftables
  if (!Array.isArray(list)) throw argumentError('ERR_NETLOOM_INVALID_ARRAY', 'must be an array of objects, or { nftables: […] }')
  const prefix = Array.isArray(desired) ? '' : 'nftables'
  const found = Object.fromEntries(sorts.map(sort => [sort, [] as Placed<object>[]]))
  let ref: TableRef | undefined
  for (const [i, entry] of (list as readonly Readonly<Record<string, object>>[]).entries()) {
    const at = `${prefix}[${i}]`
    const [sort = '', ...more] = Object.keys(entry ?? {})
    if (sort === 'metainfo') continue
    if (more.length > 0 || !Object.hasOwn(found, sort))
      throw argumentError('ERR_NETLOOM_UNKNOWN_NAME', `must be one of ${sorts.join(', ')}`, at)
    const object = entry[sort] as { family: TableRef['family']; name: string; table?: string }
    const own = checkAt(`${at}.${sort}`, () => {
      expectObject(object)
      return reference({ family: object.family, name: sort === 'table' ? object.name : (object.table ?? '') }, tableRefChecks)
    })
    ref ??= own
    if (own.family !== ref.family || own.name !== ref.name)
      throw argumentError(
        'ERR_NETLOOM_INVALID_OPTION',
        `is of table ${shown(`${own.family} ${own.name}`)}, others of ${shown(`${ref.family} ${ref.name}`)}`,
        `${at}.${sort}`,
      )
    found[sort]!.push({ object, path: `${at}.${sort}` })
  }
  if (!ref) throw argumentError('ERR_NETLOOM_MISSING_OPTION', 'names no table')
  const gathered = { ...(found as unknown as Omit<Desired, 'ref'>), ref }
  return { ...gathered, set: withElements(gathered.set, gathered), map: withElements(gathered.map, gathered) }
}

/** Sets with the elements that stand apart from them. */
const withElements = <T extends SetObject>(sets: readonly Placed<T>[], { element }: { element: Desired['element'] }): Placed<T>[] =>
  sets.map(({ object, path }) => {
    const apart = element.filter(one => one.object.name === object.name).flatMap(one => asList(one.object.elem as never))
    return { object: apart.length ? { ...object, elem: [...(object.elem ?? []), ...apart] } : object, path }
  })
