// Whether two steps of a plan are the same but for values that stand for themselves: names, MACs, addresses, destinations.
import type { Step } from './compile.js'
import type { Item, LinkItemRef, NamespaceRef } from './items.js'

/** Steps that are compared, each in its namespace. */
export interface Pair {
  readonly steps: readonly Step[]
  readonly namespace: number
  readonly ownSteps: readonly Step[]
  readonly ownNamespace: number
}

/** An item that others are compared with. */
export interface Exemplar {
  readonly item: Item
  readonly pattern: number | undefined
  /** What it refers to, and where: ['spec', 'master']. */
  readonly refs: readonly { readonly path: readonly string[]; readonly ref: Fields }[]
}

export const exemplarOf = (item: Item, pattern: number | undefined): Exemplar => ({ item, pattern, refs: refsIn(item, []) })

function refsIn(value: unknown, path: readonly string[]): Exemplar['refs'] {
  if (typeof value !== 'object' || value === null) return []
  if ('planned' in value) return [{ path, ref: value as Fields }]
  return Object.entries(value).flatMap(([name, inner]) => refsIn(inner, [...path, name]))
}

/** As alike(). What has the same pattern has been compared when it was said, all but what it refers to. */
export function isLike(item: Item, pattern: number | undefined, other: Exemplar, pair: Pair): boolean {
  if (pattern === undefined || pattern !== other.pattern) return alike(item, other.item, pair)
  if (!sameNamespace(item.in, other.item.in, pair)) return false
  const { refs } = other
  for (let i = 0; i < refs.length; i++) {
    const { path, ref } = refs[i]!
    let own: unknown = item
    for (let at = 0; at < path.length; at++) own = (own as Fields)[path[at]!]
    if (!sameRef(own as Fields, ref, pair)) return false
  }
  return true
}

/** True if the second is the first with other values; which these may be, execute-mould.ts knows. */
function alike(a: Item, b: Item, pair: Pair): boolean {
  if (a.verb !== b.verb) return false
  const one = a as unknown as Fields
  const other = b as unknown as Fields
  for (const name in one) {
    if (name === 'path' || name === 'cidr') continue
    if (name === 'in') {
      if (!sameNamespace(a.in, b.in, pair)) return false
    } else if (!same(one[name], other[name], pair, a.verb === 'links.create' ? 'end' : name === 'route' ? 'route' : undefined)) return false
  }
  return sameNames(one, other)
}

type Fields = Record<string, unknown>

/** What it is about: the end of a link, whose name and MAC may differ, or a route, whose destination may. */
type About = 'end' | 'route' | undefined
function same(a: unknown, b: unknown, pair: Pair, about: About): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const one = a as Fields
  const other = b as Fields
  if (one.planned !== undefined) return one.planned === other.planned && sameRef(one, other, pair)
  for (const name in one) {
    const x = one[name]
    const y = other[name]
    if (x === y) continue
    const free = about === 'end' ? name === 'name' || name === 'mac' : about === 'route' && name === 'to'
    if (free && typeof x === 'string' && typeof y === 'string') continue
    if (!same(x, y, pair, about === 'end' && name === 'peer' ? 'end' : undefined)) return false
  }
  return sameNames(one, other)
}

/** Both have the fields of the first. */
function sameNames(one: Fields, other: Fields): boolean {
  let count = 0
  for (const _ in one) count++
  for (const name in other) {
    if (!(name in one)) return false
    count--
  }
  return count === 0
}

function sameRef(a: Fields, b: Fields, pair: Pair): boolean {
  if (a.planned === 'namespace') return sameNamespace((a as unknown as NamespaceRef).number, (b as unknown as NamespaceRef).number, pair)
  const one = a as unknown as LinkItemRef
  const other = b as unknown as LinkItemRef
  if (one.peer !== other.peer) return false
  const here = placeOf(one.item, pair.steps)
  return here === placeOf(other.item, pair.ownSteps) && (here >= 0 || one.item === other.item)
}

function placeOf(item: number, steps: readonly Step[]): number {
  for (let i = 0; i < steps.length; i++) if (steps[i]!.item === item) return i
  return -1
}

const sameNamespace = (a: number, b: number, { namespace, ownNamespace }: Pair) =>
  a === b ? (a === namespace) === (b === ownNamespace) : a === namespace && b === ownNamespace
