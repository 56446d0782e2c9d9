// Who has an address, and whether a frame gets from a link to there.
import { connection, type Hop } from './segment.js'
import type { Walk } from './walk.js'
import type { End, Place } from './world.js'

/** The end of a segment at which an address is answered for. */
export interface Owner {
  readonly end: End
  readonly hops: readonly Hop[]
}

/** The link that has the address, in any namespace that may be looked into; those that are known already first. */
export async function ownersOf(walk: Walk, address: string, family: 4 | 6, places: readonly Place[]): Promise<End[]> {
  const found: End[] = []
  for (const place of places)
    for (const one of await walk.addresses(place, family))
      if (one.address === address) found.push({ place, link: await place.link(one.link) })
  return found
}

/**
 * Who answers for an address on the segment of a link. IPv4 namespaces answer on every link for all that they have.
 * `elsewhere`: somebody has the address, but not on this segment.
 */
export async function ownerOn(
  walk: Walk,
  from: End,
  address: string,
  family: 4 | 6,
): Promise<{ owner?: Owner; elsewhere?: End | undefined }> {
  // Whoever is at the other end of the cable is nearer than all others.
  await walk.world.peerOf(from)
  let elsewhere: End | undefined
  for (const places of [() => Promise.resolve(walk.world.known()), () => walk.world.all()]) {
    for (const holder of await ownersOf(walk, address, family, await places())) {
      if (holder.place === from.place) continue
      elsewhere ??= holder
      const owner = await answering(walk, from, holder, family)
      if (owner) return { owner }
    }
  }
  return { elsewhere }
}

async function answering(walk: Walk, from: End, { place, link }: End, family: 4 | 6): Promise<Owner | undefined> {
  const others = family === 4 ? (await place.links()).filter(other => other.index !== link.index && other.type !== 'loopback') : []
  for (const candidate of [link, ...others]) {
    const end = { place, link: candidate }
    const hops = await connection(walk.world, from, end)
    if (hops) return { end, hops }
  }
  return undefined
}

/** Every address that somebody has who could be asked. */
export async function taken(walk: Walk, family: 4 | 6): Promise<Set<string>> {
  const found = new Set<string>()
  for (const place of await walk.world.all()) for (const { address } of await walk.addresses(place, family)) found.add(address)
  return found
}
