// How things were before a plan changed or deleted them, in namespaces that others use too, so that they can be made so again.
import { addressVerbs } from '../kernel/addresses.js'
import type { LinkChange } from '../kernel/link-request.js'
import { linkVerbs } from '../kernel/links.js'
import { neighbourVerbs } from '../kernel/neighbours.js'
import { routeVerbs } from '../kernel/routes.js'
import { ruleVerbs } from '../kernel/rules.js'
import type { Scope } from '../kernel/scope.js'
import { getSysctl } from '../namespace/sysctl.js'
import { NetloomError } from '../socket/error.js'
import type { EntryItem, Indexes } from './compile-entry.js'
import type { State } from './execute-state.js'

/** The entries of one sort in a namespace, as far as a plan touches them. */
interface Sort<T> {
  list(scope: Scope): Promise<readonly T[]>
  /** Entries that an item may change have the same key. */
  keyOf(entry: T): string
  keyOfItem(item: EntryItem, indexes: Indexes): string
  /** Without what moves by itself. */
  form(entry: T): string
  add(scope: Scope, entry: T): Promise<void>
  delete(scope: Scope, entry: T): Promise<void>
}
type Entry<V extends (scope: Scope) => { list(): Promise<readonly unknown[]> }> = Awaited<ReturnType<ReturnType<V>['list']>>[number]

const addresses: Sort<Entry<typeof addressVerbs>> = {
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
const routes: Sort<Entry<typeof routeVerbs>> = {
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
const sorts = { addresses, routes, neighbours, rules } as const

/** Notes how things are, before an entry is replaced or deleted. */
export async function beforeChange(state: State, scope: Scope, number: number, indexes: Indexes): Promise<void> {
  const item = state.data.items[number] as EntryItem
  const name = item.verb.split('.')[0] as keyof typeof sorts
  const sort = sorts[name] as Sort<unknown>
  const key = sort.keyOfItem(item, indexes)
  const known = state.before.get(`${item.in} ${name}`)
  if (known) return void known.add(key)
  const before = await sort.list(scope)
  const touched = new Set([key])
  state.before.set(`${item.in} ${name}`, touched)
  state.done.push({ undo: 'restore', in: item.in, what: item.path, run: now => restore(now, sort, before, touched) })
}

/** Makes the entries of those keys what they were. */
async function restore<T>(scope: Scope, sort: Sort<T>, before: readonly T[], touched: ReadonlySet<string>): Promise<void> {
  const [wanted, there] = [before, await sort.list(scope)].map(all => all.filter(entry => touched.has(sort.keyOf(entry))))
  const missing = difference(wanted!, there!, sort)
  for (const entry of difference(there!, wanted!, sort)) await sort.delete(scope, entry)
  for (const entry of missing) await sort.add(scope, entry)
}

function difference<T>(a: readonly T[], b: readonly T[], { form }: Sort<T>): T[] {
  const known = new Set(b.map(form))
  return a.filter(entry => !known.has(form(entry)))
}

/** Takes down a link's fields that a change touches, with the addresses and routes that going down would cost; gives what restores them. */
export async function linkBefore(
  scope: Scope,
  index: number,
  change: LinkChange,
): Promise<(scope: Scope, index?: number) => Promise<void>> {
  const old = await linkVerbs(scope).get(index)
  const kept = (await addresses.list(scope)).filter(one => one.link === index)
  const ways = (await routes.list(scope)).filter(one => one.link === index && one.protocol !== 'kernel')
  const ipv6 = change.ipv6 === undefined ? undefined : await policyBefore(scope, old.name, index)
  return async (there, at = index) => {
    const fields: Record<string, unknown> = {}
    const values: Record<string, unknown> = { ...old, alias: old.alias ?? '', master: old.master ?? null, ipv6 }
    for (const name of Object.keys(change)) {
      if (name === 'port' || name === 'options') fields[name] = picked(values[name], (change as Record<string, unknown>)[name])
      else if (values[name] !== undefined) fields[name] = values[name]
    }
    if (fields.port === undefined) delete fields.port
    await linkVerbs(there).update(at, fields as LinkChange)
    const moved = <T extends object>(entry: T): T => ({ ...entry, link: at })
    for (const address of difference(kept.map(moved), await addresses.list(there), addresses)) await addresses.add(there, address)
    for (const route of difference(ways.map(moved), await routes.list(there), routes)) await routes.add(there, route)
  }
}

async function policyBefore(scope: Scope, name: string, index: number): Promise<'none' | 'static' | 'kernel' | undefined> {
  try {
    if ((await getSysctl(scope, `net/ipv6/conf/${name}/disable_ipv6`)) === '1') return 'none'
  } catch (error) {
    if (error instanceof NetloomError && error.code === 'ENOENT') return undefined
    throw error
  }
  const { afSpec } = await scope.getLink(index)
  return afSpec?.inet6?.addrGenMode === 'none' ? 'static' : 'kernel'
}

function picked(from: unknown, names: unknown): Record<string, unknown> | undefined {
  if (typeof from !== 'object' || from === null || typeof names !== 'object' || names === null) return undefined
  const source = from as Record<string, unknown>
  return Object.fromEntries(Object.keys(names).flatMap(name => (source[name] === undefined ? [] : [[name, source[name]]])))
}

const withPrefix = (cidr: string) => (cidr.includes('/') ? cidr : `${cidr}/${cidr.includes(':') ? 128 : 32}`)

function routeKey({ to, via, src, from, family }: { to: string; via?: string; src?: string; from?: string; family?: number }): string {
  const six = [to, via, src, from].some(text => text?.includes(':')) || family === 6
  const whole = six ? '/128' : '/32'
  const all = six ? '::/0' : '0.0.0.0/0'
  return `${six ? 6 : 4} ${to === all ? 'default' : to.endsWith(whole) ? to.slice(0, -whole.length) : to}`
}
