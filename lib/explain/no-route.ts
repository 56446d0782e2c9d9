// A namespace has no route to an address: why, what would give it one, and the way that packets would take then.
import type { Link } from '../kernel/link-object.js'
import { call, cure } from './cures.js'
import { checkUp } from './link-state.js'
import { ask, type Onward } from './lookup.js'
import { ownerOn, ownersOf, taken } from './owners.js'
import { segmentOf } from './segment.js'
import { covers, freeAddress, networkText } from './subnets.js'
import type { Assumed, Packet, Walk } from './walk.js'
import type { End, Place } from './world.js'

/** Tells the cause, and where the packet would go without it; undefined if nobody can tell. */
export async function wayOut(walk: Walk, place: Place, packet: Packet): Promise<Onward | undefined> {
  return (await connected(walk, place, packet)) ?? (await neighbouring(walk, place, packet)) ?? byGateway(walk, place, packet)
}

/** An address of ours covers it: the link is not up, or somebody took its route away. */
async function connected(walk: Walk, place: Place, { family, to }: Packet): Promise<Onward | undefined> {
  const address = (await walk.addresses(place, family)).find(one => covers(one, to))
  if (!address) return undefined
  const link = await place.link(address.link)
  // Whoever sends by the link tells that it is down.
  if (link.up && link.carrier && !walk.assumed(place).includes(address)) {
    const network = networkText(address)
    walk.drop(
      'route',
      { place, link },
      `${place.label} has no route to ${network}, though ${link.name} has ${address.address}/${address.prefix}`,
      {
        kind: 'no-route',
        cures: [cure(`put the route to ${network} back`, call(place, 'routes', 'add', { to: network, link: link.name }))],
        about: network,
      },
    )
  }
  return { link, local: false, src: address.address }
}

/** The links by which a namespace could reach others. */
const ownLinks = async (place: Place) => (await place.links()).filter(link => link.type !== 'loopback' && link.master === undefined)

/** Somebody on one of our segments has it: the subnets differ. */
async function neighbouring(walk: Walk, place: Place, packet: Packet): Promise<Onward | undefined> {
  const { family, to } = packet
  for (const link of await ownLinks(place)) {
    const { owner } = await ownerOn(walk, { place, link }, to, family)
    const holder = owner && (await walk.addresses(owner.end.place, family)).find(({ address }) => address === to)
    if (!owner || !holder) continue
    const ours = (await walk.addresses(place, family)).filter(address => address.link === link.index)
    const subnet = networkText(holder)
    const theirs = `${owner.end.link.name} of ${owner.end.place.label} has ${to}/${holder.prefix}`
    const bridges = owner.hops.flatMap(hop => (hop.kind === 'bridge' ? [hop.bridge.name] : []))
    const together = bridges.length > 0 ? `, on the same bridge ${bridges.join(', ')}` : ', at the other end of the cable'
    const own = ours.map(({ address, prefix }) => `${address}/${prefix}`).join(' and ')
    const free = freeAddress(holder, await taken(walk, family))
    const cures = [
      ...(free === undefined
        ? []
        : [
            cure(
              `give ${link.name} of ${place.label} an address of ${subnet}`,
              call(place, 'addresses', 'add', link.name, `${free}/${holder.prefix}`),
            ),
          ]),
      ...(ours[0] ? [cure('let each reach the other without a router', ...mutual({ place, link }, ours[0], owner.end, holder))] : []),
    ]
    const text =
      ours.length > 0
        ? `no route to that subnet: ${link.name} of ${place.label} has ${own}, ${theirs}${together}`
        : `${link.name} of ${place.label} has no address, ${theirs}${together}`
    walk.drop('route', { place, link }, text, { kind: ours.length > 0 ? 'different-subnets' : 'no-address', cures, about: subnet })
    if (free !== undefined) walk.assume(place, { link: link.index, address: free, prefix: holder.prefix })
    return { link, local: false, ...(free !== undefined && { src: free }) }
  }
  return undefined
}

const mutual = (here: End, ours: Assumed, there: End, theirs: Assumed) => [
  call(here.place, 'routes', 'add', { to: theirs.address, link: here.link.name }),
  call(there.place, 'routes', 'add', { to: ours.address, link: there.link.name }),
]

/** A namespace beside ours that knows the way. */
async function byGateway(walk: Walk, place: Place, packet: Packet): Promise<Onward | undefined> {
  const { family, to } = packet
  const at = { place }
  for (const link of await ownLinks(place)) {
    for (const { gateway, address } of await gateways(walk, { place, link }, packet)) {
      const ours = (await walk.addresses(place, family)).find(one => one.link === link.index && covers(one, address.address))
      const free = ours ? undefined : freeAddress(address, await taken(walk, family))
      if (!ours && free === undefined) continue
      const text = ours ? `no route to that subnet: ${place.label} has no route to ${to}` : `${link.name} of ${place.label} has no address`
      const route = call(place, 'routes', 'add', { to: 'default', via: address.address })
      const cures = ours
        ? [cure(`send it by ${gateway.label}, which knows the way`, route)]
        : [
            cure(
              `give it an address of ${networkText(address)}, and ${gateway.label} as its router`,
              call(place, 'addresses', 'add', link.name, `${free}/${address.prefix}`),
              route,
            ),
          ]
      // A route can be added only while the link is up.
      checkUp(walk, { place, link })
      walk.drop('route', { place, link }, text, { kind: ours ? 'no-route' : 'no-address', cures, about: to })
      if (free !== undefined) walk.assume(place, { link: link.index, address: free, prefix: address.prefix })
      return { link, local: false, via: address.address, src: ours?.address ?? free! }
    }
  }
  const owners = await ownersOf(walk, to, family, await walk.world.all())
  const where = owners[0] ? `; ${owners[0].place.label} has that address, and nothing here leads there` : ''
  walk.drop('route', at, `no route to that subnet: ${place.label} has no route to ${to}${where}`, {
    kind: 'no-route',
    cures: [{ text: 'connect the two by a router or a bridge, and add a route to it: routes.add({ to, via })' }],
    about: to,
  })
  return undefined
}

/** Who on our segment reaches the address otherwise than by us, and under which address of theirs. */
async function gateways(walk: Walk, here: End, { family, to }: Packet): Promise<{ gateway: Place; address: Assumed; link: Link }[]> {
  const found: { gateway: Place; address: Assumed; link: Link }[] = []
  for (const { place, link } of (await segmentOf(walk.world, here)).ends) {
    if (place === here.place) continue
    const answer = await ask(place, to)
    if (!('route' in answer) || (answer.route.link === link.index && answer.route.type !== 'local')) continue
    for (const address of await walk.addresses(place, family))
      if (address.link === link.index) found.push({ gateway: place, address, link })
  }
  return found
}
