// What hangs together below the network layer: cables and bridges between two links, and all that a broadcast could reach.
import type { Link } from '../kernel/link-object.js'
import { type End, type Place, sameEnd, type World } from './world.js'

/** A part of the way of a frame. */
export type Hop =
  | { readonly kind: 'cable'; readonly from: End; readonly to: End }
  /** Without `in` the frame is the bridge's own; without `out` it is for the bridge itself. */
  | { readonly kind: 'bridge'; readonly place: Place; readonly bridge: Link; readonly in?: Link; readonly out?: Link }

/** A frame at a bridge, and how it came there. */
interface At {
  readonly hops: readonly Hop[]
  readonly place: Place
  readonly bridge: Link
  readonly in?: Link
}

const isBridge = (link: Link) => link.kind === 'bridge'
const portsOf = async (place: Place, bridge: Link) => (await place.links()).filter(({ master }) => master === bridge.index)

/** Where a frame is that left by a link: at a bridge, at the far end of a cable, or nowhere that could be seen. */
async function leave(world: World, from: End, hops: readonly Hop[]): Promise<At | End | undefined> {
  if (isBridge(from.link)) return { hops, place: from.place, bridge: from.link }
  const to = await world.peerOf(from)
  if (!to) return undefined
  if (to.link.master === undefined) return to
  return { hops: [...hops, { kind: 'cable', from, to }], place: to.place, bridge: await to.place.link(to.link.master), in: to.link }
}
const isAt = (where: At | End): where is At => 'bridge' in where

/** The shortest way of a frame from one link to another; undefined if there is none. Whether something is down does not matter. */
export async function connection(world: World, from: End, to: End): Promise<readonly Hop[] | undefined> {
  const first = await leave(world, from, [])
  if (!first) return undefined
  if (!isAt(first)) return sameEnd(first, to) ? [{ kind: 'cable', from, to }] : undefined
  const outlet = isBridge(to.link) ? undefined : await world.peerOf(to)
  const seen = new Set<string>()
  for (let round: At[] = [first]; round.length > 0; ) {
    for (const at of round) {
      const { hops, ...frame } = at
      if (sameEnd({ place: at.place, link: at.bridge }, to)) return [...hops, { kind: 'bridge', ...frame }]
      if (outlet && outlet.place === at.place && outlet.link.master === at.bridge.index)
        return [...hops, { kind: 'bridge', ...frame, out: outlet.link }, { kind: 'cable', from: outlet, to }]
    }
    const next: At[] = []
    for (const at of round) {
      seen.add(`${at.place.key} ${at.bridge.index}`)
      for (const further of await bridgesBehind(world, at))
        if (!seen.has(`${further.place.key} ${further.bridge.index}`)) next.push(further)
    }
    round = next
  }
  return undefined
}

async function bridgesBehind(world: World, { hops, ...frame }: At): Promise<At[]> {
  const found: { open: boolean; at: At }[] = []
  for (const out of await portsOf(frame.place, frame.bridge)) {
    if (out.index === frame.in?.index) continue
    const at = await leave(world, { place: frame.place, link: out }, [...hops, { kind: 'bridge', ...frame, out }])
    if (at && isAt(at)) found.push({ open: [out, at.in].every(port => port?.up && port.port?.state === 'forwarding'), at })
  }
  // Of several ways to a bridge the spanning tree leaves one.
  return found.sort((a, b) => Number(b.open) - Number(a.open)).map(({ at }) => at)
}

/** All that a broadcast from a link could reach. */
export interface Segment {
  /** Links with a network layer of their own: the far ends of cables, and bridges. */
  readonly ends: readonly End[]
  /** The bridges on the way. */
  readonly bridges: readonly End[]
  /** Links that lead to where nobody can see: hardware, tunnels, cables into unknown namespaces. */
  readonly open: readonly End[]
}

export async function segmentOf(world: World, from: End): Promise<Segment> {
  const ends: End[] = []
  const bridges: End[] = []
  const open: End[] = []
  const enter = async (where: At): Promise<void> => {
    const bridge = { place: where.place, link: where.bridge }
    if (bridges.some(known => sameEnd(known, bridge))) return
    bridges.push(bridge)
    if (!sameEnd(bridge, from)) ends.push(bridge)
    for (const link of await portsOf(where.place, where.bridge))
      if (link.index !== where.in?.index) await cross({ place: where.place, link })
  }
  const cross = async (end: End): Promise<void> => {
    const where = await leave(world, end, [])
    if (!where) open.push(end)
    else if (isAt(where)) await enter(where)
    else if (!sameEnd(where, from)) ends.push(where)
  }
  await cross(from)
  return { ends, bridges, open }
}
