// Which rules of a table stay, go and come: those that stay keep their place, their handle and what they count.
import { createHash } from 'node:crypto'
import type { Desired, Placed } from './desired.js'
import { publicFamily } from './family.js'
import type { RuleObject } from './objects.js'
import type { Recorder } from './record.js'
import { addRule } from './rules.js'
import type { Snapshot } from './snapshot.js'
import { decodeUserdata } from './userdata.js'

/** Names of what is removed, or made anew: rules that name it are made anew too. */
export interface Gone {
  readonly chains: Set<string>
  readonly sets: Set<string>
  readonly objects: Set<string>
}

/** A note beside a rule that says what it was made from. nft passes over numbers that are none of its own. */
const markType = 0x6e
const markLength = 16
const markOf = ({ expr, comment }: RuleObject): Uint8Array =>
  createHash('sha256')
    .update(canonical([expr, comment ?? null]))
    .digest()
    .subarray(0, markLength)

interface There {
  readonly handle: number
  readonly mark: string
}
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** What to do with the rules, in two steps: before and after everything else. */
export function ruleDifference(desired: Desired, now: Snapshot, gone: Gone, recorder: Recorder): { remove(): void; add(): void } {
  const { verbs } = recorder
  const { family, name: table } = desired.ref
  const there = new Map<string, There[]>()
  for (const raw of now.rules) {
    const chain = raw.chain ?? ''
    // A chain that goes takes its rules along.
    if (gone.chains.has(chain) || publicFamily(raw.family) !== family) continue
    const mark = decodeUserdata(raw.userdata).get(markType)
    const rules = there.get(chain) ?? []
    rules.push({ handle: raw.handle ?? 0, mark: mark ? hex(mark) : '' })
    there.set(chain, rules)
  }
  const wanted = new Map<string, { placed: Placed<RuleObject>; mark: Uint8Array; stays: boolean }[]>()
  for (const placed of desired.rule) {
    const rules = wanted.get(placed.object.chain) ?? []
    rules.push({ placed, mark: markOf(placed.object), stays: !namesAny(placed.object.expr, gone) })
    wanted.set(placed.object.chain, rules)
  }
  const removals: (() => void)[] = []
  const additions: (() => void)[] = []
  for (const chain of new Set([...there.keys(), ...wanted.keys()])) {
    const old = there.get(chain) ?? []
    const next = wanted.get(chain) ?? []
    const kept = commonOrder(
      old.map(({ mark }) => mark),
      next.map(({ mark, stays }) => (stays ? hex(mark) : undefined)),
    )
    const keptOld = new Set(kept.map(([index]) => index))
    const handleOf = new Map(kept.map(([index, at]) => [at, old[index]!.handle]))
    for (const [index, { handle }] of old.entries())
      if (!keptOld.has(index)) removals.push(() => verbs.rules.delete({ family, table, chain, handle }))
    let before: number | undefined
    const places: (number | undefined)[] = []
    for (let at = next.length - 1; at >= 0; at--) {
      places[at] = before
      before = handleOf.get(at) ?? before
    }
    for (const [at, { placed, mark }] of next.entries()) {
      if (handleOf.has(at)) continue
      const place = places[at] === undefined ? {} : { before: places[at] }
      additions.push(() => {
        recorder.placed = placed.path
        recorder.submit(addRule(placed.object, place, true, [[markType, mark]]))
      })
    }
  }
  const all = (steps: readonly (() => void)[]) => () => {
    for (const step of steps) step()
  }
  return { remove: all(removals), add: all(additions) }
}

/** Whether statements name something by a name that is among these. */
function namesAny(value: unknown, gone: Gone): boolean {
  if (gone.chains.size + gone.sets.size + gone.objects.size === 0) return false
  if (typeof value === 'string') return value.startsWith('@') ? gone.sets.has(value.slice(1)) : gone.objects.has(value)
  if (typeof value !== 'object' || value === null) return false
  const { target } = value as { readonly target?: unknown }
  if (typeof target === 'string' && gone.chains.has(target)) return true
  return Object.values(value).some(inner => namesAny(inner, gone))
}

/** The longest sequence that both have in this order, as pairs of places. */
function commonOrder(old: readonly string[], next: readonly (string | undefined)[]): (readonly [old: number, next: number])[] {
  const head: (readonly [number, number])[] = []
  let start = 0
  while (start < old.length && start < next.length && old[start] !== '' && old[start] === next[start]) head.push([start, start++])
  const tail: (readonly [number, number])[] = []
  let [a, b] = [old.length, next.length]
  while (a > start && b > start && old[a - 1] !== '' && old[a - 1] === next[b - 1]) tail.unshift([--a, --b])
  const rows = Array.from({ length: a - start + 1 }, () => new Uint32Array(b - start + 1))
  for (let i = a - 1; i >= start; i--)
    for (let j = b - 1; j >= start; j--)
      rows[i - start]![j - start] =
        old[i] !== '' && old[i] === next[j]
          ? rows[i - start + 1]![j - start + 1]! + 1
          : Math.max(rows[i - start + 1]![j - start]!, rows[i - start]![j - start + 1]!)
  const middle: (readonly [number, number])[] = []
  for (let i = start, j = start; i < a && j < b; ) {
    if (old[i] !== '' && old[i] === next[j]) middle.push([i++, j++])
    else if (rows[i - start + 1]![j - start]! >= rows[i - start]![j - start + 1]!) i++
    else j++
  }
  return [...head, ...middle, ...tail]
}

/** JSON whose fields are in the order of their names. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : typeof inner === 'bigint'
        ? `${inner}n`
        : inner,
  )
}
