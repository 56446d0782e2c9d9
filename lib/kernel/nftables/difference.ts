// What has to change in a table so that it is what it shall be: recorded as verbs, the fewest that do.
import { checkAt } from '../arguments.js'
import { chainMessage } from './chain-object.js'
import { ctExpectationKind, ctHelperKind, ctTimeoutKind, secmarkKind, synproxyKind } from './connection-objects.js'
import type { Desired, Placed } from './desired.js'
import { elementForm } from './element-verbs.js'
import { decodeElements, encodeMembers } from './elements.js'
import type { SetMember } from './expression.js'
import { spelled } from './intervals.js'
import { counterKind, limitKind, type ObjectKind, objectMessage, quotaKind } from './named-objects.js'
import type { MapObject, SetObject } from './objects.js'
import type { Recorder } from './record.js'
import { asList, type NamedRef } from './references.js'
import { canonical, type Gone, ruleDifference } from './rule-difference.js'
import { formOf, type SetForm } from './set-form.js'
import { formOfSpec, isMap, isNamed, setMessage, toSet } from './set-object.js'
import type { RawSetWithElements, Snapshot } from './snapshot.js'

const whole = (value: object) => Object.entries(value).sort()
/** Sorts of named objects, and what of each is not a state that it keeps. */
const objectKinds = [
  ['counter', counterKind, () => []],
  ['quota', quotaKind, ({ bytes, inv }: { bytes?: unknown; inv?: unknown }) => [bytes, inv ?? false]],
  ['limit', limitKind, whole],
  ['ct helper', ctHelperKind, whole],
  ['ct timeout', ctTimeoutKind, whole],
  ['ct expectation', ctExpectationKind, whole],
  ['secmark', secmarkKind, whole],
  ['synproxy', synproxyKind, whole],
] as const

/** Records what has to change; what has to be removed first, then what is to be added. `keep`: of the elements that are there all stay. */
export function difference(desired: Desired, now: Snapshot, recorder: Recorder, { keep }: { readonly keep: boolean }): void {
  const { verbs } = recorder
  const { ref } = desired
  const [table] = desired.table
  const [present] = now.tables
  const place = (path: string | undefined) => {
    recorder.placed = path
  }
  place(table?.path)
  if (!present) verbs.tables.create({ ...table?.object, ...ref })
  else if (table) {
    const dormant = asList(table.object.flags).includes('dormant')
    if (dormant !== (present.flags?.includes('dormant') ?? false)) verbs.tables.update(ref, { dormant })
  }
  const gone: Gone = { chains: new Set(), sets: new Set(), objects: new Set() }
  const named = (name = ''): NamedRef => ({ family: ref.family, table: ref.name, name })
  const chains = chainDifference(desired, now, gone)
  const sets = setDifference(desired, now, gone, keep)
  const objects = objectKinds.map(kind => objectDifference(kind, desired, now, gone))
  const rules = ruleDifference(desired, now, gone, recorder)

  place(undefined)
  rules.remove()
  for (const { set, change } of sets.changed)
    if (change.remove.length) verbs.elements.delete({ ...named(set.object.name), elem: change.remove })
  for (const name of gone.chains) verbs.chains.flush(named(name))
  for (const raw of sets.removed) verbs.sets.delete(named(raw.raw.name))
  for (const name of gone.chains) verbs.chains.delete(named(name))
  for (const { remove } of objects) remove(verbs, named)

  for (const { add } of objects) add(verbs, place)
  for (const { object, path } of chains.added) {
    place(path)
    verbs.chains.create(object)
  }
  for (const { object, path, policy } of chains.changed) {
    place(path)
    verbs.chains.update(named(object.name), { policy })
  }
  for (const { object, path } of sets.added) {
    place(path)
    if ('map' in object) verbs.maps.create(object as MapObject)
    else verbs.sets.create(object)
  }
  for (const { set, change } of sets.changed) {
    place(set.path)
    if (change.add.length) verbs.elements.add({ ...named(set.object.name), elem: change.add })
  }
  rules.add()
  place(undefined)
}

type ChainPlaced = Desired['chain'][number]

function chainDifference(desired: Desired, now: Snapshot, gone: Gone) {
  const added: ChainPlaced[] = []
  const changed: (ChainPlaced & { policy: 'accept' | 'drop' })[] = []
  const present = new Map(now.chains.map(chain => [chain.name ?? '', chain]))
  const wanted = new Set(desired.chain.map(({ object }) => object.name))
  for (const name of present.keys()) if (!wanted.has(name)) gone.chains.add(name)
  for (const placed of desired.chain) {
    const { object, path } = placed
    const message = checkAt(path, () => chainMessage(object))
    const raw = present.get(object.name)
    if (!raw) {
      added.push(placed)
      continue
    }
    if (entrance(message) !== entrance(raw)) {
      gone.chains.add(object.name)
      added.push(placed)
    } else if (raw.hook) {
      const policy = object.policy ?? 'accept'
      if (policy !== raw.policy) changed.push({ ...placed, policy })
    }
  }
  return { added, changed }
}

interface Entrance {
  readonly type?: string | undefined
  readonly hook?: { hooknum?: number; priority?: number; dev?: string; devs?: readonly string[] } | undefined
}
/** Where packets enter a chain, which cannot be changed. */
const entrance = ({ type, hook }: Entrance) =>
  hook ? JSON.stringify([type, hook.hooknum, hook.priority, [...(hook.devs ?? asList(hook.dev))].sort()]) : ''

interface ElementChange {
  readonly add: readonly SetMember[]
  readonly remove: readonly SetMember[]
}

function setDifference(desired: Desired, now: Snapshot, gone: Gone, keep: boolean) {
  const added: Placed<SetObject>[] = []
  const changed: { set: Placed<SetObject>; change: ElementChange }[] = []
  const present = new Map(now.sets.filter(({ raw }) => isNamed(raw)).map(set => [set.raw.name ?? '', set]))
  const wanted = [...desired.set, ...desired.map]
  const names = new Set(wanted.map(({ object }) => object.name))
  const removed: RawSetWithElements[] = [...present.values()].filter(({ raw }) => !names.has(raw.name ?? ''))
  for (const set of wanted) {
    const there = present.get(set.object.name)
    if (there && sameSet(set, there)) changed.push({ set, change: elementChange(set, there, keep) })
    else {
      added.push(set)
      if (there) removed.push(there)
    }
  }
  for (const { raw } of removed) gone.sets.add(raw.name ?? '')
  return { added, changed, removed }
}

/** Whether the definitions are the same; elements aside. */
function sameSet({ object, path }: Placed<SetObject>, { raw }: RawSetWithElements): boolean {
  const { elem: _, ...definition } = object
  const { value } = checkAt(path, () => setMessage(definition, 1))
  const shape = (set: Parameters<typeof toSet>[0]) => {
    const { handle: __, ...rest } = toSet(set) as SetObject & { readonly [name: string]: unknown }
    return canonical({ ...rest, flags: [...asList(rest.flags)].sort() })
  }
  return isMap(raw) === 'map' in object && shape(value as Parameters<typeof toSet>[0]) === shape(raw)
}

function elementChange({ object, path }: Placed<SetObject>, { raw, elements }: RawSetWithElements, keep: boolean): ElementChange {
  const form: SetForm = { ...formOf(raw), autoMerge: formOfSpec(object).autoMerge ?? false }
  const wire = elementForm(form)
  const members = (object.elem ?? []).map(member => spelled(member, form.data !== undefined))
  const encoded = checkAt(`${path}.elem`, () => encodeMembers(members, wire, { merge: form.autoMerge ?? false, separate: true }))
  const wanted = byIdentity(
    decodeElements(
      encoded.map(({ element }) => element as (typeof elements)[number]),
      wire,
    ),
  )
  const there = byIdentity(decodeElements(elements, wire))
  const lacking = [...wanted].filter(([identity]) => !there.has(identity)).map(([, member]) => member)
  const keys = new Set(keep ? [...there.values()].map(keyText) : [])
  // What rules put into a set is theirs.
  const mayRemove = !keep && !raw.flags?.includes('eval')
  return {
    add: lacking.filter(member => !keys.has(keyText(member))),
    remove: mayRemove ? [...there].filter(([identity]) => !wanted.has(identity)).map(([, member]) => member) : [],
  }
}

/** Members by all that makes them what they are: what they count, and when they expire, aside. */
function byIdentity(members: readonly SetMember[]): Map<string, SetMember> {
  const identity = (member: SetMember) => {
    const { key, elem, value } = partsOf(member)
    return canonical([elem ? [elem.val, elem.timeout, elem.comment] : [key], value])
  }
  return new Map(members.map(member => [identity(member), member]))
}
const keyText = (member: SetMember): string => {
  const { key, elem } = partsOf(member)
  return canonical(elem ? elem.val : key)
}
function partsOf(member: SetMember) {
  const [key, value] = Array.isArray(member) ? (member as readonly unknown[]) : [member]
  const elem = (key as { elem?: { val: unknown; timeout?: number; comment?: string } } | null)?.elem
  return { key, elem, value }
}

type Verbs = Recorder['verbs']

function objectDifference([sort, kind, constant]: (typeof objectKinds)[number], desired: Desired, now: Snapshot, gone: Gone) {
  const present = new Map(now.objects.filter(({ type }) => type === kind.type).map(object => [object.name ?? '', object]))
  const wanted = desired[sort] as readonly Placed<NamedRef>[]
  const names = new Set(wanted.map(({ object }) => object.name))
  const describe = kind as unknown as ObjectKind<NamedRef>
  const shape = (value: object) => canonical((constant as (value: object) => unknown)(value))
  const added = wanted.filter(({ object, path }) => {
    const raw = present.get(object.name)
    const wire = checkAt(path, () => objectMessage(describe, object)) as unknown as Parameters<typeof describe.read>[0]
    return !raw || shape(describe.read(wire)) !== shape(describe.read(raw))
  })
  const replaced = new Set(added.map(({ object }) => object.name))
  const removed = [...present.keys()].filter(name => !names.has(name) || replaced.has(name))
  for (const name of removed) gone.objects.add(name)
  const of = (verbs: Verbs) =>
    verbs[kind.verbs as 'counters'] as unknown as { create(object: NamedRef): void; delete(object: NamedRef): void }
  return {
    remove(verbs: Verbs, named: (name: string) => NamedRef) {
      for (const name of removed) of(verbs).delete(named(name))
    },
    add(verbs: Verbs, place: (path: string) => void) {
      for (const { object, path } of added) {
        place(path)
        of(verbs).create(object)
      }
    },
  }
}
