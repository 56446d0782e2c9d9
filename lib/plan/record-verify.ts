// What one step of a plan says, checked as the live call checks it: wrong arguments are refused where they are written.
import { addressKey, addressMessage } from '../kernel/address-object.js'
import { checkAt, checkOptions, isLink } from '../kernel/arguments.js'
import { checkChange, checkCreate, type LinkCreate } from '../kernel/link-request.js'
import { type NeighbourSpec, neighbourMessage } from '../kernel/neighbours.js'
import { prepareRoute, type RouteSpec } from '../kernel/route-request.js'
import { ruleMessage } from '../kernel/rules.js'
import type { LinkRef } from '../kernel/scope.js'
import { checkInterfaceName, sysctlPath } from '../namespace/names.js'
import { checkValue } from '../namespace/sysctl.js'
import type { Action, ActionOf, LinkItemRef, PlanLinkRef } from './items.js'

type Verb = Action['verb']

const isItem = (ref: unknown): ref is LinkItemRef => typeof ref === 'object' && ref !== null && 'planned' in ref
/** For what is only known when the plan is applied, something that the checks of the live calls take. */
const standIn = (ref: PlanLinkRef): LinkRef => (isItem(ref) ? 1 : ref)
const somewhere = { pid: 1 }

interface Referring {
  readonly link?: PlanLinkRef
  readonly master?: PlanLinkRef | null
  readonly namespace?: unknown
  readonly peer?: Referring
  readonly nexthops?: readonly Referring[]
}

/** The object as the live call takes it. */
function live<T>(given: T): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given
  const { link, master, namespace, peer, nexthops } = given as Referring
  const out: Record<string, unknown> = { ...(given as object) }
  if (isItem(link)) out.link = 1
  if (isItem(master)) out.master = 1
  if (namespace !== undefined) out.namespace = somewhere
  if (typeof peer === 'object') out.peer = live(peer)
  if (Array.isArray(nexthops)) out.nexthops = nexthops.map(live)
  return out
}

const onLink = (link: PlanLinkRef) => checkAt('link', () => isLink(standIn(link)))
const isName = (value: unknown) => void checkInterfaceName(value)

/** Where the arguments are: in the call itself, or in a field of the step, which then is part of the path. */
type Place = (field: string, check: () => void) => void
const inCall: Place = (_, check) => check()
const inStep: Place = (field, check) => checkAt(field, check)

function put({ link, cidr, options }: ActionOf<'addresses.add'>): void {
  onLink(link)
  addressMessage(cidr, options)
}
const route = (deleting: boolean) => (action: ActionOf<'routes.add'>, at: Place) =>
  at('route', () => void prepareRoute(live(action.route) as RouteSpec, deleting))
const neighbour = (deleting: boolean) => (action: ActionOf<'neighbours.add'>, at: Place) =>
  at('entry', () => void neighbourMessage(live(action.entry) as NeighbourSpec, deleting))
const rule = (deleting: boolean) => (action: ActionOf<'rules.add'>, at: Place) => at('rule', () => void ruleMessage(action.rule, deleting))

const checks: { readonly [V in Verb]: (action: ActionOf<V>, at: Place) => void } = {
  'links.create': ({ spec }, at) => at('spec', () => checkCreate(live(spec) as LinkCreate)),
  'links.update': ({ link, change }, at) => {
    onLink(link)
    at('change', () => checkChange(live(change) as Parameters<typeof checkChange>[0]))
  },
  'links.move': ({ link, options }, at) => {
    onLink(link)
    if (options !== undefined) at('options', () => checkOptions(options, { name: isName }))
  },
  'links.delete': ({ link }) => onLink(link),
  'addresses.add': put,
  'addresses.replace': put,
  'addresses.delete': ({ link, cidr, options }) => {
    onLink(link)
    addressKey(cidr, options)
  },
  'routes.add': route(false),
  'routes.replace': route(false),
  'routes.delete': route(true),
  'neighbours.add': neighbour(false),
  'neighbours.replace': neighbour(false),
  'neighbours.delete': neighbour(true),
  'rules.add': rule(false),
  'rules.delete': rule(true),
  'sysctl.set': ({ key, value }) => {
    sysctlPath(key, 'key')
    checkValue(value)
  },
}

export const isVerb = (value: unknown): value is Verb => typeof value === 'string' && Object.hasOwn(checks, value)

/** Throws an argument error whose path begins with `path`; `step` for a path of the step, not of the call. */
export function verify(action: Action, path: string, step: boolean): void {
  checkAt(path, () => (checks[action.verb] as (action: Action, at: Place) => void)(action, step ? inStep : inCall))
}
