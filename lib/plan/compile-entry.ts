// Addresses, routes, neighbours and rules of a plan: the links that they name, the message that puts each there, and the one that takes it away again.
import { addressField, addressKey, addressMessage } from '../kernel/address-object.js'
import { addressHints } from '../kernel/addresses.js'
import { blaming, type Culprits } from '../kernel/blame.js'
import { type NeighbourSpec, neighbourField, neighbourHints, neighbourMessage } from '../kernel/neighbours.js'
import { prepareRoute, type RouteSpec, routeField } from '../kernel/route-request.js'
import { routeCulprits, routeHints } from '../kernel/routes.js'
import { ruleCulprits, ruleField, ruleHints, ruleMessage } from '../kernel/rules.js'
import { address as addressTable } from '../protocol/address.js'
import { neighbour as neighbourTable } from '../protocol/neighbour.js'
import { requestFlags } from '../protocol/netlink.js'
import { route as routeTable } from '../protocol/route.js'
import { rtm } from '../protocol/rtnetlink.js'
import { rule as ruleTable } from '../protocol/rule.js'
import type { NetloomError } from '../socket/error.js'
import type { AnyRequest, Context } from '../socket/request.js'
import type { Item, PlanLinkRef } from './items.js'

export type EntryItem = Extract<Item, { readonly verb: `${'addresses' | 'routes' | 'neighbours' | 'rules'}.${string}` }>
export interface NamedLink {
  readonly ref: PlanLinkRef
  /** Which field of the item names it. */
  readonly path: string
}
/** The index of each link, in the order of linksOf(). */
export type Indexes = readonly number[]
type Change = 'add' | 'replace' | 'delete'

const flagsOf: Readonly<Record<Change, number>> = {
  add: requestFlags.create | requestFlags.exclusive,
  replace: requestFlags.create | requestFlags.replace,
  delete: 0,
}
const words: Readonly<Record<string, string>> = { addresses: 'address', routes: 'route', neighbours: 'neighbour', rules: 'rule' }

export const isEntry = (item: Item): item is EntryItem => Object.hasOwn(words, item.verb.split('.')[0]!)
const changeOf = (item: EntryItem): Change => item.verb.split('.')[1] as Change
const groupOf = (item: EntryItem) => item.verb.split('.')[0] as 'addresses' | 'routes' | 'neighbours' | 'rules'

/** The links that an entry names. */
export function linksOf(item: EntryItem): readonly NamedLink[] {
  if ('link' in item) return [{ ref: item.link, path: 'link' }]
  if ('entry' in item) return [{ ref: item.entry.link as PlanLinkRef, path: 'link' }]
  if ('rule' in item) return []
  const { link, nexthops = [] } = item.route
  return [
    ...(link === undefined ? [] : [{ ref: link, path: 'link' }]),
    ...nexthops.flatMap((hop, i) => (hop.link === undefined ? [] : [{ ref: hop.link, path: `nexthops[${i}].link` }])),
  ]
}

/** Which of the item's fields the kernel's words are about. */
function culpritsOf(item: EntryItem): Culprits {
  if ('route' in item) return routeCulprits(routeOf(item.route, []))
  if ('rule' in item) return ruleCulprits
  if ('entry' in item)
    return [
      [/ENODEV/, 'link'],
      [/link.*address/i, 'mac'],
    ]
  return [[/ENODEV/, 'link']]
}

/** Finds out what the kernel meant. */
export const explainEntry = (item: EntryItem) => (error: NetloomError) =>
  blaming(Promise.reject(error), culpritsOf(item)).catch((better: unknown) => better)

/** The message of an entry. `noDad`: what an IPv6 address does that does not say it. */
export function entryRequest(
  item: EntryItem,
  indexes: Indexes,
  namespace: string | undefined,
  noDad = false,
  change: Change = changeOf(item),
): AnyRequest {
  const operation = `${change} ${words[groupOf(item)]}`
  const flags = flagsOf[change]
  const gone = change === 'delete'
  const about = (subject: string | undefined, rest: Pick<Context, 'field' | 'hints'>): Context => ({
    operation,
    subject,
    namespace,
    ...rest,
  })
  if ('rule' in item) {
    const context = about(item.rule.priority === undefined ? undefined : String(item.rule.priority), { field: ruleField, hints: ruleHints })
    return { type: gone ? rtm.delRule : rtm.newRule, flags, codec: ruleTable, value: ruleMessage(item.rule, gone), context }
  }
  if ('route' in item) {
    const prepared = prepareRoute(routeOf(item.route, indexes), gone)
    const context = about(item.route.to, { field: routeField, hints: routeHints })
    return { type: gone ? rtm.delRoute : rtm.newRoute, flags, codec: routeTable, value: prepared.message(indexes), context }
  }
  const [index = 0] = indexes
  if ('entry' in item) {
    const { entry } = item
    const value = { ...neighbourMessage({ ...entry, link: index } as NeighbourSpec, gone), index }
    const context = about(`${entry.address} on ${nameOf(entry.link as PlanLinkRef, index)}`, {
      field: neighbourField,
      hints: neighbourHints,
    })
    return { type: gone ? rtm.delNeigh : rtm.newNeigh, flags, codec: neighbourTable, value, context }
  }
  const { cidr, options } = item
  const key = () => addressKey(cidr, options?.peer === undefined ? {} : { peer: options.peer })
  const value = { ...(gone ? key() : addressMessage(cidr, options, noDad)), index }
  const hints = gone ? addressHints.delete : addressHints.add
  const context = about(`${cidr} of ${nameOf(item.link, index)}`, { field: addressField, hints })
  return { type: gone ? rtm.delAddr : rtm.newAddr, flags, codec: addressTable, value, context }
}

/** An IPv6 address whose wish about duplicate detection depends on what kind of link it is for. */
export const asksForKind = (item: EntryItem): boolean =>
  'cidr' in item && item.verb !== 'addresses.delete' && item.cidr.includes(':') && item.options?.noDad === undefined

const nameOf = (ref: PlanLinkRef, index: number): string => (typeof ref === 'string' ? ref : `link ${index}`)

/** A route of the plan as the live verbs take it. */
function routeOf(route: Extract<Item, { readonly route: unknown }>['route'], indexes: Indexes): RouteSpec {
  const rest = [...indexes]
  const next = (ref: PlanLinkRef | undefined) => (ref === undefined ? {} : { link: rest.shift() ?? 0 })
  const { link, nexthops, ...fields } = route
  return { ...fields, ...next(link), ...(nexthops && { nexthops: nexthops.map(({ link: hop, ...more }) => ({ ...more, ...next(hop) })) }) }
}
