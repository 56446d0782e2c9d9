// A packet's way from the namespace that sends it to the one that takes it, namespace by namespace.
import type { Link } from '../kernel/link-object.js'
import { call, cure } from './cures.js'
import { judge } from './firewall.js'
import { checkCarrier, checkUp } from './link-state.js'
import type { Onward } from './lookup.js'
import { checkLinkLocal, hear, resolve } from './neighbour.js'
import { outward } from './route.js'
import { covers } from './subnets.js'
import { remember, undoSource, undoTarget } from './translation.js'
import type { Packet, Walk } from './walk.js'
import { carry } from './wire.js'
import { type End, endText, type Place } from './world.js'

/** More routers than a packet may meet before it dies (IPDEFTTL). */
const mostRouters = 64

/** Where a packet is; without `iif` it begins there. */
interface Here {
  readonly place: Place
  readonly iif?: Link
}
export interface Arrival {
  readonly place: Place
  /** As it arrives: its addresses may have been translated. */
  readonly packet: Packet
}

/** Follows the packet to where it is delivered; undefined if its way ends before, or cannot be seen. */
export async function follow(walk: Walk, start: Place, sent: Packet): Promise<Arrival | undefined> {
  let here: Here = { place: start }
  let packet = sent
  for (let routers = 0; routers <= mostRouters; routers++) {
    const { place, iif } = here
    walk.meets(place, packet)
    const before = packet
    if (iif) packet = await judge(walk, place, { hook: 'prerouting', iif }, undoTarget(walk, place, packet))
    let onward = await outward(walk, place, packet, iif)
    if (!onward) return undefined
    packet = { ...packet, from: packet.from ?? onward.src ?? (await sourceBy(walk, place, onward, packet)) }
    if (!iif) {
      const { to } = packet
      packet = await judge(walk, place, { hook: 'output', oif: onward.local ? await loopbackOf(place) : onward.link }, packet)
      // The way is looked for anew if a rule has changed the destination.
      if (packet.to !== to) onward = await outward(walk, place, packet)
      if (!onward) return undefined
    }
    if (onward.local) return deliver(walk, here, before, packet)
    const next = await send(walk, here, onward, before, packet)
    if (!next) return undefined
    ;({ here, packet } = next)
  }
  walk.drop('route', here, `the packet goes round in circles: it has met ${mostRouters} routers`, {
    kind: 'loop',
    cures: [{ text: 'see where the routes of these namespaces lead: routes.lookup()' }],
  })
  return undefined
}

async function send(
  walk: Walk,
  { place, iif }: Here,
  { link, via, mtu }: Onward,
  came: Packet,
  sent: Packet,
): Promise<{ here: Here; packet: Packet } | undefined> {
  const end = { place, link }
  checkUp(walk, end)
  checkCarrier(walk, end)
  let packet = checkMtu(walk, end, sent, mtu ?? link.mtu, iif !== undefined)
  if (iif) packet = await judge(walk, place, { hook: 'forward', iif, oif: link }, packet)
  packet = undoSource(walk, place, await judge(walk, place, { hook: 'postrouting', oif: link, entry: iif }, packet))
  remember(walk, place, came.from === undefined ? { ...came, from: sent.from } : came, packet)
  const resolved = await resolve(walk, end, via ?? packet.to, packet)
  if (!resolved) return undefined
  if (iif && resolved.asking && packet.family === 6) await checkLinkLocal(walk, end)
  if (resolved.asking && packet.from !== undefined) hear(walk, end, packet.from, resolved.end)
  await carry(walk, end, resolved, packet)
  return { here: { place: resolved.end.place, iif: resolved.end.link }, packet }
}

function checkMtu(walk: Walk, end: End, packet: Packet, mtu: number, forwarded: boolean): Packet {
  const { size, fragment, family } = packet
  if (size <= mtu) return packet
  if (forwarded ? fragment === 'anywhere' && family === 4 : fragment !== 'never') {
    walk.step('mtu', end, `${end.place.label} cuts the packet of ${size} bytes to the MTU ${mtu} of ${end.link.name}`)
    // Pieces no longer say that they may not be cut further.
    return { ...packet, size: mtu, fragment: family === 4 ? 'anywhere' : fragment }
  }
  const raise = call(end.place, 'links', 'update', end.link.name, { mtu: size })
  walk.drop('mtu', end, `a packet of ${size} bytes is longer than the MTU ${mtu} of ${endText(end)}, and may not be cut`, {
    kind: 'mtu',
    cures: [
      ...(mtu < end.link.mtu
        ? [{ text: `raise the MTU of the route to ${packet.to}: routes.replace({ …, mtu: ${size} })` }]
        : [cure(`raise the MTU of ${end.link.name}`, raise)]),
      { text: `send packets of at most ${mtu} bytes, or such that may be cut` },
    ],
  })
  return packet
}

async function deliver(walk: Walk, { place, iif }: Here, came: Packet, packet: Packet): Promise<Arrival> {
  let now = packet
  if (!iif) {
    // To an address of the sender's own namespace packets go over the loopback.
    const link = await loopbackOf(place)
    now = await judge(walk, place, { hook: 'postrouting', oif: link }, now)
    checkUp(walk, { place, link })
    now = await judge(walk, place, { hook: 'prerouting', iif: link }, now)
  }
  const link = iif ?? (await loopbackOf(place))
  now = undoSource(walk, place, await judge(walk, place, { hook: 'input', iif: link }, now))
  remember(walk, place, came, now)
  await answers(walk, { place, link }, now)
  return { place, packet: now }
}

const loopbackOf = async (place: Place): Promise<Link> =>
  (await place.links()).find(({ type }) => type === 'loopback') ?? (await place.link(1))

async function answers(walk: Walk, at: End, { to, family, icmpType }: Packet): Promise<void> {
  const { place } = at
  const key = family === 4 ? 'net.ipv4.icmp_echo_ignore_all' : 'net.ipv6.icmp.echo_ignore_all'
  if ((icmpType === 8 || icmpType === 128) && (await place.sysctl(key))) {
    walk.drop('delivery', at, `${place.label} answers no echo requests`, {
      kind: 'echo-ignored',
      cures: [cure('let it answer', call(place, 'sysctl', 'set', key, 0))],
    })
    return
  }
  walk.step('delivery', at, `${place.label} has ${to}, and takes it`)
}

/** The address that a packet leaves with when neither the caller nor a route says it. */
async function sourceBy(walk: Walk, place: Place, { link, via, local }: Onward, { to, family }: Packet): Promise<string> {
  const addresses = await walk.addresses(place, family)
  const ours = addresses.filter(address => address.link === link.index)
  const chosen = ours.find(address => covers(address, via ?? to)) ?? ours[0] ?? addresses[0]
  return local || !chosen ? to : chosen.address
}
