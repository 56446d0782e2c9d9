// Which entries there were before a plan added, changed or deleted some, in namespaces that others use too, so that it can be made so again.
import { addressVerbs } from '../kernel/addresses.js'
import { neighbourVerbs } from '../kernel/neighbours.js'
import { routeVerbs } from '../kernel/routes.js'
import { ruleVerbs } from '../kernel/rules.js'
import type { Scope } from '../kernel/scope.js'
import type { EntryItem, Indexes } from './compile-entry.js'
import type { State } from './execute-state.js'
import type { Note, SortName } from './journal.js'
import { type SeriesNote, unfolded } from './series.js'

/** The entries of one sort in a namespace, as far as a plan touches them. */
export interface Sort<T> {
  list(scope: Scope): Promise<readonly T[]>
  /** Entries that an item may change have the same key. */
  keyOf(entry: T): string
  keyOfItem(item: EntryItem, indexes: Indexes): string
  /** Without what moves by itself. */
  form(entry: T): string
  add(scope: Scope, entry: T): Promise<void>
  delete(scope: Scope, entry: T): Promise<void>
}
export type Entry<V extends (scope: Scope) => { list(): Promise<readonly unknown[]> }> = Awaited<ReturnType<ReturnType<V>['list']>>[number]

export const addresses: Sort<Entry<typeof addressVerbs>> = {
  list: scope => addressVerbs(scope).list(),
  keyOf: ({ link, cidr }) => `${link} ${cidr}`,
  keyOfItem: (item, [index]) => `${index} ${'cidr' in item ? withPrefix(item.cidr) : ''}`,
  form: ({ validLifetime: _, preferredLifetime: __, flags: ___, ...rest }) => JSON.stringify(rest),
  add: (scope, { link, cidr, address: _, prefix: __, family, link: ___, flags: ____, scope: reach, ...rest }) => {
    const options = family === 4 ? { ...rest, scope: reach as 'global' } : { noDad: true, ...rest }
    return addressVerbs(scope).replace(link, cidr, options)
  },
  delete: (scope, { link, cidr, peer }) => addressVerbs(scope).delete(link, cidr, peer === undefined ? {} : { peer }),
}
export const routes: Sort<Entry<typeof routeVerbs>> = {
  list: scope => routeVerbs(scope).list({ table: 'all' }),
  keyOf: ({ family, to }) => `${family} ${to}`,
  keyOfItem: item => ('route' in item ? routeKey(item.route) : ''),
  form: ({ expires: _, flags: __, ...rest }) => JSON.stringify(rest),
  add: (scope, route) => routeVerbs(scope).add(route),
  delete: (scope, route) => routeVerbs(scope).delete(route),
}
const neighbours: Sort<Entry<typeof neighbourVerbs>> = {
  list: scope => neighbourVerbs(scope).list(),
  keyOf: ({ link, address, proxy }) => `${link} ${address} ${proxy === true}`,
  keyOfItem: (item, [index]) => ('entry' in item ? `${index} ${item.entry.address} ${item.entry.proxy === true}` : ''),
  form: ({ link, address, mac, state, proxy }) => JSON.stringify([link, address, mac, state === 'permanent', proxy]),
  add: (scope, entry) => neighbourVerbs(scope).replace(entry),
  delete: (scope, entry) => neighbourVerbs(scope).delete(entry),
}
const rules: Sort<Entry<typeof ruleVerbs>> = {
  list: scope => ruleVerbs(scope).list(),
  keyOf: () => '',
  keyOfItem: () => '',
  form: rule => JSON.stringify(rule),
  add: (scope, rule) => ruleVerbs(scope).add(rule),
  delete: (scope, rule) => ruleVerbs(scope).delete(rule),
}
/** Each by its name, for those who handle entries of any sort. */
export const sorts = { addresses, routes, neighbours, rules } as unknown as Readonly<Record<SortName, Sort<unknown>>>

/** Of one sort in one namespace. */
export interface EntriesBefore {
  readonly all: readonly unknown[]
  readonly byKey: ReadonlyMap<string, readonly unknown[]>
  /** The keys whose entries the plan changes or deletes, and what was noted of each. */
  readonly touched: Set<string>
  readonly notes: Note[]
}
export const sortOf = (item: EntryItem) => item.verb.slice(0, item.verb.indexOf('.')) as SortName

/** Entries that the item may change have this key. */
export const keyOfItem = (item: EntryItem, indexes: Indexes): string => sorts[sortOf(item)].keyOfItem(item, indexes)

/** A note for each entry, where there is one for many. */
export const notesEach = (note: Note | SeriesNote): readonly Note[] =>
  unfolded(note, (sort, item, indexes) => sorts[sort].keyOfItem(item, indexes))

export function noteOf(item: EntryItem, indexes: Indexes, before: readonly unknown[] = []): Note {
  const sort = sortOf(item)
  return { note: 'entry', in: item.in, sort, key: sorts[sort].keyOfItem(item, indexes), item, indexes, before }
}

/** Takes down how things are before an entry is added. */
export async function beforeAdd(
  state: State,
  scope: Scope,
  number: number,
  indexes: Indexes,
): Promise<{ known: EntriesBefore; key: string; note: Note }> {
  const item = state.data.items[number] as EntryItem
  const known = await entriesBefore(state, scope, item)
  const key = keyOfItem(item, indexes)
  const note = noteOf(item, indexes, known.byKey.get(key))
  state.journal.note(note)
  return { known, key, note }
}

/** The entries of its sort that were there before the plan added or changed the first. */
export async function entriesBefore(state: State, scope: Scope, item: EntryItem): Promise<EntriesBefore> {
  const name = sortOf(item)
  const sort = sorts[name]
  const place = `${item.in} ${name}`
  const known = state.before.get(place)
  if (known) return known
  const all = await sort.list(scope)
  const found: EntriesBefore = { all, byKey: grouped(all, sort.keyOf), touched: new Set(), notes: [] }
  state.before.set(place, found)
  return found
}

/** Those entries of a namespace that were there before the plan: what it has put beside them is not to be put there again. */
export function ofBefore<T>(state: State, place: number, sort: SortName, entries: readonly T[]): T[] {
  const known = state.before.get(`${place} ${sort}`)
  const { form } = sorts[sort]
  const forms = known && new Set(known.all.map(form))
  return forms ? entries.filter(entry => forms.has(form(entry))) : [...entries]
}

export function grouped<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const one of all) {
    const key = keyOf(one)
    const group = groups.get(key)
    if (group) group.push(one)
    else groups.set(key, [one])
  }
  return groups
}

/** The same before one is replaced or deleted, and how to make it so again. */
export async function beforeChange(state: State, scope: Scope, number: number, indexes: Indexes): Promise<void> {
  const { known, key, note } = await beforeAdd(state, scope, number, indexes)
  const { all, touched, notes } = known
  if (notes.length === 0) {
    const item = state.data.items[number] as EntryItem
    const sort = sorts[sortOf(item)]
    const run = (now: Scope) => restore(now, sort, all, touched)
    state.done.push({ undo: 'restore', in: item.in, what: item.path, run, notes: () => notes })
  }
  touched.add(key)
  notes.push(note)
}

/** Makes the entries of those keys what they were. */
async function restore<T>(scope: Scope, sort: Sort<T>, before: readonly T[], touched: ReadonlySet<string>): Promise<void> {
  const [wanted, there] = [before, await sort.list(scope)].map(all => all.filter(entry => touched.has(sort.keyOf(entry))))
  const missing = difference(wanted!, there!, sort)
  for (const entry of difference(there!, wanted!, sort)) await sort.delete(scope, entry)
  for (const entry of missing) await sort.add(scope, entry)
}

export function difference<T>(a: readonly T[], b: readonly T[], { form }: Sort<T>): T[] {
  const known = new Set(b.map(form))
  return a.filter(entry => !known.has(form(entry)))
}

const withPrefix = (cidr: string) => (cidr.includes('/') ? cidr : `${cidr}/${cidr.includes(':') ? 128 : 32}`)

function routeKey({ to, via, src, from, family }: { to: string; via?: string; src?: string; from?: string; family?: number }): string {
  const six = [to, via, src, from].some(text => text?.includes(':')) || family === 6
  const whole = six ? '/128' : '/32'
  const all = six ? '::/0' : '0.0.0.0/0'
  return `${six ? 6 : 4} ${to === all ? 'default' : to.endsWith(whole) ? to.slice(0, -whole.length) : to}`
}
