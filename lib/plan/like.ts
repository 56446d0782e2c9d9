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

/** True if the second is the first with other values; which these may be, execute-mould.ts knows. */
export function alike(a: Item, b: Item, pair: Pair): boolean {
  if (a.verb !== b.verb) return false
  const [one, other] = [a as unknown as Fields, b as unknown as Fields]
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
  const [one, other] = [a as Fields, b as Fields]
  if (one.planned !== undefined) return one.planned === other.planned && sameRef(one, other, pair)
  for (const name in one) {
    const [x, y] = [one[name], other[name]]
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
  const [one, other] = [a as unknown as LinkItemRef, b as unknown as LinkItemRef]
  if (one.peer !== other.peer) return false
  const here = pair.steps.findIndex(({ item }) => item === one.item)
  const there = pair.ownSteps.findIndex(({ item }) => item === other.item)
  return here === there && (here >= 0 || one.item === other.item)
}

const sameNamespace = (a: number, b: number, { namespace, ownNamespace }: Pair) =>
  a === b ? (a === namespace) === (b === ownNamespace) : a === namespace && b === ownNamespace
