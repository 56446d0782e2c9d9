// Which elements of a set a key finds, if not every bit of the key is known.
import type { Answer } from '../verdict-answer.js'
import { every } from '../verdict-answer.js'
import type { ReadElement } from './elements.js'
import type { RawSetWithElements } from './snapshot.js'
import { type Bits, compare, isKnown, knownBits, part, within } from './verdict-bits.js'

export interface Found {
  /** The one that it finds, or those that it may. */
  readonly elements: readonly ReadElement[]
  /** Whether it may be that none is found. */
  readonly miss: boolean
}
type Fits = (key: Bits) => Answer
interface Prepared {
  readonly entries: readonly { readonly element: ReadElement; readonly fits: Fits }[]
  readonly exact: ReadonlyMap<string, ReadElement> | undefined
  readonly wildcard: ReadElement | undefined
}

const none = new Uint8Array()
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const prepared = new WeakMap<RawSetWithElements, Prepared>()

/** Unknown bits up to which every key that there may be is looked up by itself. */
const mostOpen = 6
export function find(set: RawSetWithElements, key: Bits): Found {
  const open = [...key.known].flatMap((byte, i) => eight.flatMap(bit => (byte & (1 << bit) ? [] : [[i, 1 << bit] as const])))
  if (open.length === 0 || open.length > mostOpen) return findOne(set, key)
  const elements = new Set<ReadElement>()
  let miss = false
  for (let choice = 0; choice < 2 ** open.length; choice++) {
    const value = key.value.slice()
    for (const [n, [i, bit]] of open.entries()) if (choice & (1 << n)) value[i]! |= bit
    const found = findOne(set, knownBits(value))
    for (const element of found.elements) elements.add(element)
    miss ||= found.miss
  }
  return { elements: [...elements], miss }
}
const eight = [0, 1, 2, 3, 4, 5, 6, 7]

function findOne(set: RawSetWithElements, key: Bits): Found {
  let known = prepared.get(set)
  if (!known) {
    known = prepare(set)
    prepared.set(set, known)
  }
  const { entries, exact, wildcard } = known
  const otherwise: Found = wildcard ? { elements: [wildcard], miss: false } : { elements: [], miss: true }
  if (exact && isKnown(key)) {
    const element = exact.get(hex(key.value))
    return element ? { elements: [element], miss: false } : otherwise
  }
  const possible: ReadElement[] = []
  for (const { element, fits } of entries) {
    const answer = fits(key)
    if (answer) return { elements: [element], miss: false }
    if (answer === undefined) possible.push(element)
  }
  return possible.length > 0 ? { elements: [...possible, ...otherwise.elements], miss: otherwise.miss } : otherwise
}

function prepare({ raw, elements }: RawSetWithElements): Prepared {
  const wildcard = elements.find(({ flags }) => flags?.includes('catchall'))
  const own = elements.filter(one => one !== wildcard)
  const lengths = raw.desc?.concat?.map(({ len }) => len ?? 0)
  if (!raw.flags?.includes('interval')) {
    const value = (element: ReadElement) => element.key?.value ?? none
    return {
      entries: own.map(element => ({ element, fits: key => compare('eq', key, value(element)) })),
      exact: new Map(own.map(element => [hex(value(element)), element])),
      wildcard,
    }
  }
  return { entries: lengths && lengths.length > 1 ? ranges(own, lengths) : intervals(own), exact: undefined, wildcard }
}

/** Each part of a key lies in its own range. */
function ranges(elements: readonly ReadElement[], lengths: readonly number[]): Prepared['entries'] {
  return elements.map(element => {
    const low = element.key?.value ?? none
    const high = element.keyEnd?.value ?? low
    const fits: Fits = key => {
      let offset = 0
      return every(
        lengths.map(length => {
          const at = offset
          offset += (length + 3) & ~3
          return within(part(key, at, length), low.subarray(at, at + length), high.subarray(at, at + length))
        }),
      )
    }
    return { element, fits }
  })
}

/** An interval goes from its element to the next, whichever that is. */
function intervals(elements: readonly ReadElement[]): Prepared['entries'] {
  const isEnd = (element: ReadElement) => element.flags?.includes('intervalEnd') ?? false
  const sorted = elements
    .map(element => ({ element, low: element.key?.value ?? none }))
    .sort((a, b) => Buffer.compare(a.low, b.low) || Number(isEnd(b.element)) - Number(isEnd(a.element)))
  return sorted.flatMap(({ element, low }, i) => {
    if (isEnd(element)) return []
    const next = sorted[i + 1]
    const fits: Fits = key => every([compare('gte', key, low), next ? compare('lt', key, next.low) : true])
    return [{ element, fits }]
  })
}
