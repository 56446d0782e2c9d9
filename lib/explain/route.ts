// Where a namespace sends a packet: the kernel's own answer, and where it refuses, why, and the way that the packet would take if that were cured.
import type { Link } from '../kernel/link-object.js'
import type { Route } from '../kernel/route-object.js'
import { call, cure } from './cures.js'
import { type Answer, ask, type Onward } from './lookup.js'
import { wayOut } from './no-route.js'
import type { CauseKind, Cure } from './result.js'
import { checkIncoming } from './reverse-path.js'
import { covers, prefixOf } from './subnets.js'
import type { Packet, Walk } from './walk.js'
import type { Place } from './world.js'

/** The way of a packet that this namespace sends, or that came in by `iif`; undefined if nothing tells it. */
export async function outward(walk: Walk, place: Place, packet: Packet, iif?: Link): Promise<Onward | undefined> {
  const { from, to } = packet
  const assumed = walk.assumed(place).find(({ address }) => address === to)
  if (assumed) return { link: await place.link(assumed.link), local: true }
  const whole = await ask(place, to, { ...(from !== undefined && { from }), ...(iif && { iif }) })
  if ('route' in whole && (await forwards(place, packet, whole.route, iif))) return told(walk, place, packet, whole.route)
  if (!iif) return refused(walk, place, packet, whole, iif)
  // By itself the namespace may know the way, and still not take the packet from this link.
  const plain = await ask(place, to)
  const before = walk.causes.length
  const onward = 'route' in plain ? await told(walk, place, packet, plain.route) : await refused(walk, place, packet, plain, iif)
  const steps = walk.steps.length
  await checkIncoming(walk, place, packet, iif, onward?.local ?? false)
  if (walk.causes.length === before && walk.steps.length === steps && 'code' in whole) unexplained(walk, place, packet, whole.text, iif)
  return onward
}

/** IPv6 looks a route up for whoever asks, and only then sees whether it forwards. */
async function forwards(place: Place, { family }: Packet, { type }: Route, iif: Link | undefined): Promise<boolean> {
  if (!iif || family === 4 || type === 'local') return true
  return Boolean((await place.sysctl('net.ipv6.conf.all.forwarding')) || (await place.sysctl(`net.ipv6.conf.${iif.name}.force_forwarding`)))
}

async function told(walk: Walk, place: Place, { to, from }: Packet, route: Route): Promise<Onward> {
  const local = route.type === 'local'
  const { via, src, mtu } = route
  const link = await place.link(route.link ?? 1)
  // Of its delivery another step tells.
  if (!local) {
    // The table's entry says more to people than the answer for one address.
    const entry = await ask(place, to, { match: true })
    const facts = {
      ...('route' in entry && { route: entry.route.to }),
      ...(via !== undefined && { via }),
      ...((src ?? from) !== undefined && { address: src ?? from! }),
    }
    walk.step('route', { place, link }, `the route to ${to} leads ${leads(route, link)}`, 'passes', facts)
  }
  return { link, local, ...(via !== undefined && { via }), ...(src !== undefined && { src }), ...(mtu !== undefined && { mtu }) }
}
const leads = ({ via }: { readonly via?: string }, link: Link) =>
  via === undefined ? `out of ${link.name}, straight to it` : `out of ${link.name}, by ${via}`

const refusing = {
  EINVAL: ['blackhole', 'blackhole-route'],
  EHOSTUNREACH: ['unreachable', 'unreachable-route'],
  EACCES: ['prohibit', 'prohibit-route'],
} as const

async function refused(walk: Walk, place: Place, packet: Packet, answer: Answer, iif: Link | undefined): Promise<Onward | undefined> {
  if ('route' in answer) return told(walk, place, packet, answer.route)
  const { code, text } = answer
  if (code === 'ENETUNREACH') return wayOut(walk, place, packet)
  const [type, kind] = refusing[code as keyof typeof refusing] ?? []
  const culprit = type && (await routesTo(place, packet)).find(route => route.type === type)
  if (!culprit || !kind) {
    unexplained(walk, place, packet, text, iif)
    return undefined
  }
  walk.drop('route', { place }, `the route ${culprit.to} of ${place.label} is of type ${type}: it drops what goes to ${packet.to}`, {
    kind: kind satisfies CauseKind,
    cures: [removing(place, culprit)],
    about: culprit.to,
  })
  const next = (await routesTo(place, packet)).find(({ type: other }) => other === undefined || other === 'unicast')
  if (!next) return wayOut(walk, place, packet)
  const link = await place.link(next.link ?? next.nexthops?.[0]?.link ?? 1)
  return { link, local: false, ...(next.via !== undefined && { via: next.via }), ...(next.src !== undefined && { src: next.src }) }
}

function removing(place: Place, { to, type, metric, table }: Route): Cure {
  const route = { to, ...(type && { type }), ...(metric !== undefined && { metric }), ...(table !== 254 && { table }) }
  return cure(`remove the route ${to} from ${place.label}`, call(place, 'routes', 'delete', route))
}

/** The entries of the main table that cover the address, as the kernel would choose among them. */
export async function routesTo(place: Place, { to, family }: Packet): Promise<Route[]> {
  const fitting = (await place.routes(family)).filter(route => covers(prefixOf(route.to, family), to))
  const length = (route: Route) => prefixOf(route.to, family).prefix
  return fitting.sort((a, b) => length(b) - length(a) || (a.metric ?? 0) - (b.metric ?? 0))
}

function unexplained(walk: Walk, place: Place, { from, to }: Packet, text: string, iif: Link | undefined): void {
  const which = `a packet ${from === undefined ? '' : `from ${from} `}to ${to}${iif ? ` that comes in by ${iif.name}` : ''}`
  walk.drop('route', { place, link: iif }, `${place.label} does not take ${which}: ${text}`, {
    kind: 'refused',
    cures: [{ text: 'see the rules (rules.list()) and the routes of all tables' }],
    about: to,
  })
}
